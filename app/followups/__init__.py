"""Asking the citizen whether it was solved (回访)."""
