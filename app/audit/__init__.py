"""Who listened, exported, overrode, signed in."""
