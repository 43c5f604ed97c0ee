"""Examines an instance: every part, and the whole by a real call. Each finding says in words what to do."""
