"""Surge announcements that callers hear before the menu (T14)."""
