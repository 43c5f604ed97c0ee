"""Opening hours and special days (T1)."""
