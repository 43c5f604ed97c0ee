"""What a citizen said, read for the case card: values with the second at which they were said, for a person to take."""
