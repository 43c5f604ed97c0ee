"""Recordings: the store with its hash chain, playing with an audit, and retention."""
