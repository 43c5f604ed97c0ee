"""The card that an agent sees while the phone still rings (T7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Card:
    """Everything for the first sentence of a talk; made for the agent at hand, so nothing is masked."""

    call_id: str
    number: str
    name: str
    line: str
    language: str
    queue: str
    menu_path: list[str]
    waited_s: int
    joined_ms: int | None
    area: str
    citizen: Mapping[str, Any] | None = None
    flags: list[str] = field(default_factory=list)
    draft: Mapping[str, Any] | None = None
    open_cases: list[Mapping[str, Any]] = field(default_factory=list)
    last_cases: list[Mapping[str, Any]] = field(default_factory=list)
    last_calls: list[Mapping[str, Any]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """The card as the websocket sends it."""
        return {
            "call_id": self.call_id,
            "number": self.number,
            "name": self.name,
            "line": self.line,
            "language": self.language,
            "queue": self.queue,
            "menu_path": list(self.menu_path),
            "waited_s": self.waited_s,
            "joined_ms": self.joined_ms,
            "area": self.area,
            "citizen": dict(self.citizen) if self.citizen is not None else None,
            "flags": list(self.flags),
            "draft": dict(self.draft) if self.draft is not None else None,
            "open_cases": [dict(case) for case in self.open_cases],
            "last_cases": [dict(case) for case in self.last_cases],
            "last_calls": [dict(call) for call in self.last_calls],
        }
