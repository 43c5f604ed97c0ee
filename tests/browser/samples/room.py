"""The supervisor's room: alerts, their rules, a day by half-hour, and the people that it needs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from app.alerts.model import DEFAULTS, SHAPES, AlertKind
from app.clock import iso

Json = dict[str, Any]
MIDNIGHT = datetime(2026, 11, 23, 16, tzinfo=UTC)  # in the city


def alert(kind: str, now: int, subject: str = "", **more: Any) -> Json:
    """An open alert, raised 75 seconds ago."""
    shape = SHAPES[AlertKind(kind)]
    rule = DEFAULTS[AlertKind(kind)]
    return {
        "alert_id": f"{kind}:{subject}:1", "kind": kind, "subject": subject, "name": "", "sort": shape.sort.value,
        "value": rule.raise_at + (1 if not shape.falls else -0.1), "raise_at": rule.raise_at, "raised_ms": now - 75_000,
        "acked_by": "", "acked_ms": None, **more,
    }  # fmt: skip


def alert_rows() -> list[Json]:
    """One that is open and one that is over."""
    when = {"raised_at": "2026-11-24T02:00:00.000Z", "acked_by_name": "李班长", "acked_at": "2026-11-24T02:00:30.000Z"}
    over = {"cleared_at": "2026-11-24T02:05:00.000Z", "last_value": 1_500.0}
    agent = {
        "kind": "long_talk",
        "sort": "seconds",
        "subject": "1003",
        "name": "陈晓",
        "value": 1_201.0,
        "raise_at": 1_200.0,
    }
    line = {"kind": "depth", "sort": "callers", "subject": "", "name": None, "value": 7.0, "raise_at": 5.0}
    return [
        {"id": 2, **line, **when, "cleared_at": None, "last_value": None, "acked_by_name": "", "acked_at": None},
        {"id": 1, **agent, **when, **over},
    ]


def rules() -> list[Json]:
    """Every rule, as shipped."""
    names = ("enabled", "raise_at", "clear_at", "for_s", "clear_s", "least")
    found = []
    for kind, rule in DEFAULTS.items():
        shape, said = SHAPES[kind], {name: getattr(rule, name) for name in names}
        form = {name: getattr(shape, name) for name in ("falls", "grows", "low", "high")}
        same = {"version": 0, "changed_at": None, "changed_by_name": None}
        found.append({"kind": kind.value, "sort": shape.sort.value, **form, **said, "shipped": said, **same})
    return found


def tally(calls: int) -> Json:
    """So many calls, most of them answered in time."""
    answered = calls - calls // 10
    means = {"mean_wait_s": 11.0 if calls else None, "mean_talk_s": 184.0 if calls else None}
    in_time = answered - calls // 8
    return {
        "calls": calls,
        "answered": answered,
        "in_time": in_time,
        "judged": calls,
        "abandoned": calls // 10,
        **means,
    }


def _at(number: int) -> Json:
    return {
        "from": iso(MIDNIGHT + timedelta(minutes=30 * number)),
        "until": iso(MIDNIGHT + timedelta(minutes=30 * number + 30)),
    }


def _came(number: int) -> int:
    return max(0, 40 - abs(number - 20) * 3) if 16 <= number < 44 else 0


def figures() -> Json:
    """A day until half past eleven."""
    rows = [
        {**_at(n), "now": tally(_came(n) if n < 23 else 0), "before": tally(int(_came(n) * 1.2))} for n in range(48)
    ]
    span = {
        "from": iso(MIDNIGHT),
        "until": iso(MIDNIGHT + timedelta(days=1)),
        "before_from": iso(MIDNIGHT - timedelta(days=7)),
    }
    rated = {"asked": 120, "answered": 84}
    return {
        **span,
        "rows": rows,
        "now": tally(229),
        "before": tally(274),
        "rated": rated,
        "announced": {"callers": 40, "whole": 33, "satisfied": 21, "early": 5, "person": 10, "alone": 4},
        "as_of": "2026-11-24T03:20:00.000Z",
    }


def staffing() -> Json:
    """The people that this day needs; at ten there are too few."""
    rows = []
    for n in range(48):
        there = None if n >= 23 or n < 16 else 6.0 if n == 20 else 9.5
        people = {"on_shift": there and there + 1.2, "at_work": there, "seen": 1.0 if there else 0.0}
        needed = {"expected": float(_came(n)) * 1.1, "needed": _came(n) // 6 + 2 if _came(n) else 0}
        rows.append(
            {**_at(n), **needed, **people, "came": tally(_came(n) if n < 23 else 0), "theory": 0.91 if there else None}
        )
    days = ["2026-11-17", "2026-11-10", "2026-11-03", "2026-10-27"]
    target = {"handling_s": 214.0, "share": 0.95, "within_s": 15}
    return {"day": "2026-11-24", "days": days, **target, "rows": rows, "as_of": "2026-11-24T03:20:00.000Z"}
