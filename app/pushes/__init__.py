"""Calls told to outside systems as they happen: who rings, who answered, how it ended (docs/cti.md, ADR 0021)."""
