"""Call-backs instead of waiting (T5)."""
