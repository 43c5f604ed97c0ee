"""Certificates do not lapse unnoticed (UX.md row 38): read daily, warned of 30, 7 and 1 days before their end."""
