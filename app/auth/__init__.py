"""Who may come in and what they may do: users, roles, sessions, rate limits."""
