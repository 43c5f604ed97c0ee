"""What is known of each call."""
