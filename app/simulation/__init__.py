"""Simulated days for people: scenarios from files, tables, and plots as PNG and as one HTML file."""
