"""How a citizen sees the progress of their own case without signing in: its number and its code (T3, acceptance 34)."""
