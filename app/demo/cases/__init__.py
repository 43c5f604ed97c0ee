"""Invented cases for demonstrations and measurements: matters as citizens tell them, lives as offices give them."""
