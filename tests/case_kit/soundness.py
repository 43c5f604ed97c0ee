"""What must be true of a case whatever was done to it, and of what was stored of it before and after."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlmodel import Session, SQLModel, col

from app.assignments.model import ReplyState
from app.assignments.tables import Assignment, Reply
from app.assignments.working import reply_json
from app.cases.history import events_of
from app.cases.loop import items_of
from app.cases.model import FIELDS
from app.cases.states import CASE_DONE, CASE_WITH_UNITS, WORK_DONE, AssignmentState, CaseState
from app.cases.tables import Case
from app.clock import iso
from app.clocks.tables import CaseClock
from app.followups.tables import FollowUp, FollowUpTask
from tests.case_kit.rebuild import CaseThen, rebuild

Row = dict[str, Any]
WITHOUT_A_LEADER = {"registered", "to_dispatch", "merged", "closed", "archived"}
"""Where no unit has to lead: nobody was asked yet, the leader gave it back for good, or it went with another case."""
ENDED_AT_ONCE = {"answered", "guided", "referred", "declined", "transferred"}


@dataclass
class Stored:
    """Every row of a case, as plain mappings."""

    case: Row
    items: list[str]
    works: list[Row]
    replies: list[Row]
    signed: dict[int, dict[int, Row]]  # by assignment and round, as the pages read them
    events: list[Row]
    tries: list[Row]
    task: Row | None
    clocks: list[Row]


def stored(session: Session, case_id: int) -> Stored:
    """Reads it all."""
    session.expire_all()
    works = _rows(session, Assignment, col(Assignment.case_id) == case_id)
    ids = [work.id for work in works]
    replies = _rows(session, Reply, col(Reply.assignment_id).in_(ids))
    signed: dict[int, dict[int, Row]] = {}
    for reply in replies:
        if reply.state == ReplyState.approved.value:
            signed.setdefault(reply.assignment_id, {})[reply.round] = reply_json(reply)
    case, task = session.get(Case, case_id), session.get(FollowUpTask, case_id)
    assert case is not None
    of_case = (col(CaseClock.subject_kind) == "case") & (col(CaseClock.subject_id) == case_id)
    of_works = (col(CaseClock.subject_kind) == "assignment") & col(CaseClock.subject_id).in_(ids)
    return Stored(
        case.model_dump(),
        [item.text for item in items_of(session, case_id)],
        [work.model_dump() for work in works],
        [reply.model_dump() for reply in replies],
        signed,
        [event.model_dump() for event in events_of(session, case_id)],
        [one.model_dump() for one in _rows(session, FollowUp, col(FollowUp.case_id) == case_id)],
        task.model_dump() if task else None,
        [clock.model_dump() for clock in _rows(session, CaseClock, or_(of_case, of_works))],
    )


def assert_sound(now: Stored) -> None:
    """Every rule about a case at one moment."""
    _units_in_order(now)
    _clocks_in_order(now)
    _ends_shown(now)
    assert_told(now)


def assert_grown(before: Stored, now: Stored) -> None:
    """Every rule about what never changes."""
    assert now.events[: len(before.events)] == before.events, "the history only grows"
    after = {clock["id"]: clock for clock in now.clocks}
    for clock in before.clocks:
        if clock["ended_at"] is not None:
            assert after[clock["id"]] == clock, "an outcome stays"
        if clock["state"] == "missed":
            assert after[clock["id"]]["state"] == "missed", "what was missed stays missed"
    rounds = {work["id"]: work["round"] for work in now.works}
    replies = {reply["id"]: reply for reply in now.replies}
    for reply in before.replies:
        if reply["state"] == "approved" or reply["round"] < rounds[reply["assignment_id"]]:
            assert replies[reply["id"]] == reply, "a reply that was signed, or of an earlier round, stays"
    assert now.tries[: len(before.tries)] == before.tries, "what a citizen said stays"
    assert now.case["version"] >= before.case["version"]
    if now.events != before.events:
        assert now.case["version"] > before.case["version"], "who saw the case before does not know of this"


def assert_told(now: Stored) -> None:
    """The history alone tells what is stored."""
    last = rebuild(now.events)[-1]
    case = now.case
    for name in ("state", "way", "urgency", "ground", "about_unit_id", "to_unit_id", "with_call_id", "merged_into_id"):
        assert getattr(last, name) == case[name], name
    assert last.deferred_until == iso(case["deferred_until"])
    assert last.ended_at == case["ended_at"]
    assert last.fields == {name: case[name] for name in FIELDS}
    if last.items:
        assert list(last.items) == now.items
    assert _tries(last) == [
        {"at": iso(one["at"]), **{name: one[name] for name in one if name not in ("id", "case_id", "at", "by")}}
        for one in now.tries
    ]
    for work in now.works:
        told = last.works[work["id"]]
        for name in ("unit_id", "parent_id", "lead", "way", "instructions", "state", "round", "returns"):
            assert getattr(told, name) == work[name], name
        assert dict(told.handed_in) == now.signed.get(work["id"], {})
    assert set(last.works) == {work["id"] for work in now.works}


def _tries(last: CaseThen) -> list[Row]:
    return [dict(one) for one in last.tries]


def _units_in_order(now: Stored) -> None:
    open_, state = [w for w in now.works if AssignmentState(w["state"]) not in WORK_DONE], now.case["state"]
    parents = {work["id"]: work for work in now.works}
    for work in open_:
        if work["parent_id"] is not None:
            above = parents[work["parent_id"]]["state"]
            assert above not in ("replied", "accepted", "withdrawn", "in_review"), (
                "a parent never ends before its children"
            )
    live = [work for work in now.works if work["parent_id"] is None and work["state"] != "withdrawn"]
    leading = [work for work in live if work["lead"]]
    assert len(leading) <= 1, "one unit leads"
    if now.works and state not in WITHOUT_A_LEADER | ENDED_AT_ONCE:
        assert leading, f"a case that is {state} has a unit that leads"
    if CaseState(state) in CASE_WITH_UNITS:
        left = [work for work in live if work["state"] not in ("replied", "accepted")]
        assert left, f"a case that is {state} waits for somebody"
    if state in CASE_WITH_UNITS | {"returned"}:
        assert (state == "returned") == (leading[0]["state"] == "returned"), (
            "it is returned when its leader returned it"
        )
    if CaseState(state) in CASE_DONE:
        assert not open_, "nobody works for a case that is done"
    units = [work["unit_id"] for work in now.works if work["state"] != "withdrawn"]
    assert len(units) == len(set(units)), "a unit has a case once"


def _clocks_in_order(now: Stored) -> None:
    open_ = [clock for clock in now.clocks if clock["ended_at"] is None]
    steps = [(clock["subject_kind"], clock["subject_id"], clock["kind"]) for clock in open_]
    assert len(steps) == len(set(steps)), "one open clock a step"
    done = {work["id"] for work in now.works if work["state"] in ("accepted", "withdrawn", "replied", "returned")}
    over = CaseState(now.case["state"]) in CASE_DONE or now.case["state"] == "deferred"
    for clock in open_:
        subject = f"{clock['kind']} of {clock['subject_kind']} {clock['subject_id']} while {now.case['state']}"
        assert not over, f"nothing is timed of a case that waits for nobody: {subject}"
        assert clock["subject_kind"] == "case" or clock["subject_id"] not in done, f"the unit is done: {subject}"
    known = {clock["id"]: clock for clock in now.clocks}
    for clock in now.clocks:
        above = known.get(clock["parent_id"])
        if above is not None and _ran(above, clock["started_at"]):
            assert clock["due_at"] <= above["due_at"], "a child ends with its parent at the latest"


def _ran(clock: Row, at: datetime) -> bool:
    return bool(at < clock["due_at"] and (clock["ended_at"] is None or at < clock["ended_at"]))


def _ends_shown(now: Stored) -> None:
    """Lists are ordered by `due_at`: it is the end of a clock that runs for it, or nothing."""
    ends = {(c["subject_kind"], c["subject_id"], c["due_at"]) for c in now.clocks if c["ended_at"] is None}
    case = now.case
    shown = [("case", case, case["due_at"]), *(("assignment", work, work["due_at"]) for work in now.works)]
    for kind, one, due_at in shown:
        timed = {end[2] for end in ends if end[:2] == (kind, one["id"])}
        told = f"{kind} {one['id']} is {one['state']}, shown due {due_at}, timed {timed}, after {_story(now)}"
        if kind == "case" and one["state"] == "deferred":
            assert due_at == one["deferred_until"], told
        else:
            assert due_at in timed if timed else due_at is None, told


def _story(now: Stored) -> str:
    return " ".join(event["event"] for event in now.events)


def _rows(session: Session, table: type[SQLModel], wanted: Any) -> list[Any]:
    return list(session.execute(select(table).where(wanted).order_by(table.id)).scalars())  # type: ignore[attr-defined]
