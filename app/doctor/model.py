"""What an examination finds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Level(IntEnum):
    """How bad a finding is; also the exit status of `hotline doctor`."""

    ok = 0
    warning = 1
    broken = 2


@dataclass(frozen=True)
class Finding:
    """What one check saw. A finding that is not ok has a remedy."""

    check: str
    level: Level
    text: str
    remedy: str = ""

    def to_json(self) -> dict[str, str]:
        """For `--json`."""
        return {"check": self.check, "level": self.level.name, "text": self.text, "remedy": self.remedy}


def ok(check: str, text: str) -> Finding:
    """A part that works."""
    return Finding(check, Level.ok, text)


def warning(check: str, text: str, remedy: str) -> Finding:
    """A part that works but will not for ever, or not well."""
    return Finding(check, Level.warning, text, remedy)


def broken(check: str, text: str, remedy: str) -> Finding:
    """A part that does not work."""
    return Finding(check, Level.broken, text, remedy)
