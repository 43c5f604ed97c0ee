"""Faults on purpose: each drill breaks a running hotline and measures what the callers lose."""
