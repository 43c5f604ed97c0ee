"""REST: what editions of every kind have in common."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from pydantic import Field, field_validator

from app.editions.model import holds_on
from app.editions.service import Edition, change_json, edition_json
from app.http.schema import Answer, Body


class EditionIn(Body):
    """A new edition; `after` is the number of the newest one that the editor saw."""

    after: int = Field(ge=0, le=1_000_000)
    since: date
    note: str = Field(max_length=2_000)

    @field_validator("since")
    @classmethod
    def _countable(cls, value: date) -> date:
        if not 2000 <= value.year <= 2200:
            raise ValueError("out of range")
        return value


class ChangeOut(Answer):
    """One difference from the edition before; texts are [Chinese, English]."""

    where: list[str]
    what: str
    before: list[str]
    after: list[str]


class EditionOut(Answer):
    """An edition; 0 is the shipped one. `state`: it holds now, will hold, or did (or never will)."""

    number: int
    since: str | None
    made_by_name: str
    made_at: str | None
    note: str
    state: str
    changes: list[ChangeOut]


def said(one: Edition[Any], known: Sequence[Edition[Any]], today: date) -> dict[str, Any]:
    """What an `EditionOut` says of it, among all there are."""
    days = [(other.number, other.row.since) for other in known if other.row is not None]
    holds = holds_on(today, days)
    # It will hold if its day is to come, and no newer one will hold by then.
    to_come = one.row is not None and one.row.since > today and holds_on(one.row.since, days) == one.number
    return {
        **edition_json(one),
        "state": "holds" if one.number == holds else "to_come" if to_come else "over",
        "changes": [ChangeOut(**change_json(change)) for change in one.changes],
    }
