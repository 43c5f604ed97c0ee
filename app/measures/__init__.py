"""Figures for the wallboard (T13, GB/T 33358)."""
