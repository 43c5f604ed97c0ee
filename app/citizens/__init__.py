"""Citizens, their numbers, and what staff must know about them."""
