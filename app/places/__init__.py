"""Places of the city that an address can be filled in from."""
