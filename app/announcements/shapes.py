"""What pages read of announcements in more than one place."""

from __future__ import annotations

from app.http.schema import Answer


class CallersOut(Answer):
    """Callers who heard an announcement, `whole` of them to its end, and what they did then (docs/glossary.md)."""

    callers: int
    whole: int
    satisfied: int
    early: int
    person: int
    alone: int
