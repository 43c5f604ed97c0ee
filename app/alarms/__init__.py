"""What needs a person now: disk full, broken spool files, a broken chain."""
