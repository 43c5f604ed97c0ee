"""Voicemails: kept or dropped with a reason, and a draft case in rotation (T10)."""
