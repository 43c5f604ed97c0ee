"""Time limits of cases and assignments: what is due when, what was met or missed, extensions (C4, C5)."""
