"""Agents and their phone accounts."""
