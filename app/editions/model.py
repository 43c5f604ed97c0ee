"""Editions of what an office decides for itself: which holds on a day, how two differ. Pure.

On a day that edition holds which is the newest among those whose day has come; edition 0 is the shipped one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, TypeVar

C = TypeVar("C")
SHIPPED = 0


@dataclass(frozen=True)
class Change:
    """One thing in which an edition differs from the one before. `where` is a name in both languages, ("", "") for the
    whole; `what` a field, or added, removed; `before` and `after` as words (zh, en)."""

    where: tuple[str, str]
    what: str
    before: tuple[str, str] = ("", "")
    after: tuple[str, str] = ("", "")


@dataclass(frozen=True)
class Form(Generic[C]):
    """One kind of content that comes in editions: what is shipped, how it is kept and checked, and how two differ.

    `faults` are by field; `clean` makes what was sent fit to be kept; `mondays`: an edition begins with a week.
    """

    kind: str
    shipped: C
    kept: Callable[[C], dict[str, Any]]
    read: Callable[[Mapping[str, Any]], C]
    faults: Callable[[C], dict[str, str]]
    changes: Callable[[C, C], list[Change]]
    clean: Callable[[C], C] = lambda content: content
    mondays: bool = False


def holds_on(day: date, known: Iterable[tuple[int, date]]) -> int:
    """Which edition holds on that day, of these (number, from which day)."""
    return max((number for number, since in known if since <= day), default=SHIPPED)


def same(text: str) -> tuple[str, str]:
    """Words that are the same in both languages."""
    return text, text


def repeated(values: Sequence[str]) -> list[int]:
    """Which of these stand before already, however they are written."""
    seen: set[str] = set()
    found = []
    for at, value in enumerate(values):
        folded = value.casefold()
        if folded and folded in seen:
            found.append(at)
        seen.add(folded)
    return found


def free_code(front: str, taken: Iterable[str]) -> str:
    """A code that nothing has yet: c1, c2 …"""
    known = set(taken)
    return next(code for n in range(1, 1_000) if (code := f"{front}{n}") not in known)


def faults_of_words(of: Any, **longest: int) -> dict[str, str]:
    """What is wrong with these texts of something, by name: empty, or too long."""
    wrong = {}
    for name, most in longest.items():
        text = getattr(of, name)
        if not text:
            wrong[name] = "须写明 (say it in words)"
        elif len(text) > most:
            wrong[name] = f"最长 {most} 字 (at most {most} characters)"
    return wrong
