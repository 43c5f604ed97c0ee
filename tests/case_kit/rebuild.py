"""What a case was after each line of its history (C16): a pure fold, the proof that the history tells everything.

Only what the history says is used. A history that contradicts itself (a line that begins where the one before did not
end) is broken, and that is said instead of guessed over. What it can't tell is what a draft said before it was
registered, and what a unit wrote before its leader signed it: neither was anybody's word yet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

Line = Mapping[str, Any]


class BrokenHistory(ValueError):
    """Two lines contradict each other."""


@dataclass(frozen=True)
class WorkThen:
    """An assignment as it was. `handed_in` are the replies that its leader has signed, by round."""

    unit_id: int
    parent_id: int | None
    lead: bool
    way: str
    instructions: str
    state: str
    round: int = 1
    returns: int = 0
    handed_in: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class CaseThen:
    """A case as it was after a line. `fields` and `items` are known from the registration on, None before.

    `deferred_until` is the text of the moment, as the history has it. `tries` are the call-backs, oldest first.
    """

    state: str
    fields: Mapping[str, Any] | None = None
    items: tuple[str, ...] = ()
    way: str | None = None
    urgency: str = "general"
    ground: str | None = None
    about_unit_id: int | None = None
    to_unit_id: int | None = None
    with_call_id: str | None = None
    deferred_until: str | None = None
    merged_into_id: int | None = None
    ended_at: Any = None
    works: Mapping[int, WorkThen] = field(default_factory=dict)
    tries: tuple[Mapping[str, Any], ...] = ()


def rebuild(lines: Iterable[Line]) -> list[CaseThen]:
    """The case after each line, oldest first. A line is a row of the history: at, event, from_state, to_state, detail.

    Raises BrokenHistory.
    """
    found: list[CaseThen] = []
    for line in lines:
        found.append(after(found[-1] if found else None, line))
    return found


def after(before: CaseThen | None, line: Line) -> CaseThen:
    """The case after one more line; None: there was none yet. Raises BrokenHistory."""
    event, detail = str(line["event"]), dict(line["detail"] or {})
    if (before.state if before else None) != line["from_state"]:
        raise BrokenHistory(
            f"{event} begins at {line['from_state']}, the line before ended at {before and before.state}"
        )
    if before is None:
        return CaseThen(state=str(line["to_state"]))
    now = replace(before, state=str(line["to_state"]))
    if event.startswith("unit."):
        return _with_work(now, event.removeprefix("unit."), detail)
    told = _TOLD.get(event)
    return told(now, detail, line["at"]) if told else now


def _registered(case: CaseThen, detail: Line, at: Any) -> CaseThen:
    return replace(case, fields=dict(detail["registered"]))


def _amended(case: CaseThen, detail: Line, at: Any) -> CaseThen:
    changes = dict(detail["fields"])
    items = changes.pop("items", None)
    if case.fields is None:
        raise BrokenHistory("amended before it was registered")
    for name, change in changes.items():
        if case.fields[name] != change["from"]:
            raise BrokenHistory(f"{name} was amended from a text that it did not have")
    fields = {**case.fields, **{name: change["to"] for name, change in changes.items()}}
    return replace(case, fields=fields, items=tuple(items["to"]) if items else case.items)


def _ended(case: CaseThen, detail: Line, at: Any) -> CaseThen:
    case = replace(
        case,
        way=detail.get("way"),
        ground=detail.get("ground", case.ground),
        to_unit_id=detail.get("unit_id", case.to_unit_id),
        with_call_id=detail.get("call_id", case.with_call_id),
        ended_at=at,
    )
    return replace(case, fields={**(case.fields or {}), "answer": detail["answer"]}) if "answer" in detail else case


def _reopened(case: CaseThen, detail: Line, at: Any) -> CaseThen:
    return replace(case, way=None, ground=None, to_unit_id=None, with_call_id=None, ended_at=None)


def _submitted(case: CaseThen, detail: Line, at: Any) -> CaseThen:
    return replace(case, urgency=detail["urgency"], about_unit_id=detail["about_unit_id"])


def _dispatched(case: CaseThen, detail: Line, at: Any) -> CaseThen:
    return replace(case, way=detail["way"], urgency=detail["urgency"], items=tuple(detail["items"]))


def _followed_up(case: CaseThen, detail: Line, at: Any) -> CaseThen:
    told = {name: value for name, value in detail.items() if name not in ("version", "try")}
    return replace(case, tries=(*case.tries, told))


_TOLD: Mapping[str, Callable[[CaseThen, Line, Any], CaseThen]] = {
    "registered": _registered,
    "amended": _amended,
    **dict.fromkeys(("answered", "guided", "referred", "transferred", "declined"), _ended),
    "reopened": _reopened,
    "submitted": _submitted,
    "dispatched": _dispatched,
    "redo": lambda case, detail, at: replace(case, ended_at=None),
    "deferred": lambda case, detail, at: replace(case, deferred_until=detail["until"]),
    "resumed": lambda case, detail, at: replace(case, deferred_until=None),
    "merged": lambda case, detail, at: replace(case, merged_into_id=detail["original"]),
    "unmerged": lambda case, detail, at: replace(case, merged_into_id=None),
    "followed_up": _followed_up,
    "closed": lambda case, detail, at: replace(case, ended_at=at),
}


def _with_work(case: CaseThen, act: str, detail: Line) -> CaseThen:
    ident = int(detail["assignment"])
    work = _given(case, ident, detail) if act == "given" else _moved(case, ident, act, detail)
    return replace(case, works={**case.works, ident: work})


def _given(case: CaseThen, ident: int, detail: Line) -> WorkThen:
    if ident in case.works:
        raise BrokenHistory(f"assignment {ident} was given twice")
    parent = detail["parent"]
    if parent is not None and parent not in case.works:
        raise BrokenHistory(f"assignment {ident} came from one that was never given")
    names = ("unit_id", "lead", "way", "instructions")
    return WorkThen(parent_id=parent, state=detail["to"], **{name: detail[name] for name in names})


def _moved(case: CaseThen, ident: int, act: str, detail: Line) -> WorkThen:
    work = case.works.get(ident)
    if work is None:
        raise BrokenHistory(f"assignment {ident} was never given")
    if work.state != detail["from"]:
        raise BrokenHistory(f"{act} of assignment {ident} begins at {detail['from']}, it was {work.state}")
    work = replace(work, state=detail["to"], round=detail["round"], returns=detail.get("returns", work.returns))
    if act == "replied":
        work = replace(work, handed_in={**work.handed_in, work.round: detail["reply"]})
    return work
