"""Years of the working-day calendar and time limits, as the real server tells them."""

from __future__ import annotations

from typing import Any

from app.workdays.published import NOTICES, published_days
from tests.browser.samples.calls import AT

Json = dict[str, Any]


def workday(day: str, kind: str, note: str, source: str = "published", by: str | None = None) -> Json:
    """A day that differs."""
    return {"day": day, "kind": kind, "note": note, "source": source, "changed_at": AT, "changed_by_name": by}


def years() -> dict[int, list[Json]]:
    """The days of the published years that differ."""
    return {
        year: [workday(one.day.isoformat(), one.kind.value, one.note) for one in published_days(year)]
        for year in NOTICES
    }


def year(number: int, days: list[Json], by: str = "") -> Json:
    """A year: published if it came with the system or somebody imported it."""
    notice = NOTICES.get(number)
    final = notice is not None or bool(by)
    return {
        "year": number,
        "provisional": not final,
        "known": final,
        "published_by": notice.by if notice else by,
        "published_on": notice.on.isoformat() if notice else None,
        "changed_at": AT if final else None,
        "changed_by_name": None,
        "days": sorted(days, key=lambda one: str(one["day"])),
    }


def clock_rule(kind: str, amount: int, unit: str, **changes: Any) -> Json:
    """A rule that came with the system."""
    limit = {"amount": amount, "unit": unit, "warn_percent": 25}
    row = {"kind": kind, "case_type": None, "urgency": None, "way": None, "limit": limit, "own": False}
    return {**row, "shipped": limit, "changed_at": None, "changed_by_name": None, **changes}


def clock_rules() -> list[Json]:
    """Some of those that come with the system, and one that the office added."""
    return [
        clock_rule("dispatch", 24, "hours"),
        clock_rule("dispatch", 1, "hours", urgency="life"),
        clock_rule("handle", 7, "working_days"),
        clock_rule("handle", 3, "working_days", way="telephone"),
        clock_rule(
            "handle", 5, "working_days", case_type="complaint", own=True, shipped=None, changed_at=AT,
            changed_by_name="赵主任",
        ),
    ]  # fmt: skip
