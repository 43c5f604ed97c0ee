"""Tables that go out, and what an import of one did."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi.responses import Response

from app import sheets
from app.http.schema import Answer

CSV: dict[int | str, dict[str, Any]] = {200: {"content": {sheets.MEDIA_TYPE: {}}}}


class TableFault(Answer):
    """What is wrong in which row and column."""

    row: int
    column: str
    told: str


class TableOutcome(Answer):
    """What an import did, or (`written` is false) would do."""

    created: list[str]
    changed: list[str]
    unchanged: int
    faults: list[TableFault]
    written: bool

    @classmethod
    def of(cls, outcome: sheets.Outcome) -> TableOutcome:
        """As an answer."""
        return cls(**asdict(outcome))


def table(name: str, data: bytes) -> Response:
    """A table as a file of that name."""
    named = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response(data, media_type=sheets.MEDIA_TYPE, headers=named)
