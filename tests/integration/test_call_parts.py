"""Third parties and confidential pauses in the database: kept once, told to the case, shown to whom they may be."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from typing import Any

import pytest
from sqlmodel import col, select

from app.actor import SYSTEM, Actor
from app.audit.service import entries
from app.auth.model import Role
from app.calls import parts
from app.calls.tables import CallPause, CallThird
from app.cases import loop
from app.cases.history import events_of
from app.cases.tables import Case
from app.citizens import service as citizens
from app.clock import from_ms
from app.db import Database
from app.errors import Forbidden
from app.settings import Settings
from app.units.fields import Phone
from app.units.model import PhoneKind
from app.units.service import create
from cti_bridge.domain import AppDomain
from tests.case_kit.world import World
from tests.integration.web_browser import Browser

CALL, T0 = "h-1795.1", 1_795_521_600_000
PRIVATE, BUREAU = "13700137000", "02588886666"


@pytest.fixture
def domain(settings: Settings, db: Database) -> AppDomain:
    one = AppDomain(settings, db)
    one.record([(CALL, {"number": "13800138000", "started_at": T0, "agent_id": "1001", "answered_at": T0})])
    return one


def unit_at(db: Database, number: str = BUREAU, kind: PhoneKind = PhoneKind.voice) -> int:
    """A bureau that answers there."""
    with db.session() as session:
        centre = create(session, SYSTEM, {"code": "HUB", "name": "中心", "kind": "centre"})
        named = {"code": "CSWS", "name": "城南水务局", "kind": "bureau"}
        return create(session, SYSTEM, named, [Phone(kind, number, "")], parent_id=centre.id).id or 0


def third(leg: str = "third-1", number: str = BUREAU, **more: Any) -> dict[str, Any]:
    """What the core tells of one."""
    told = {"leg": leg, "number": number, "agent_id": None, "kind": "conference", "by_agent": "1001"}
    return {**told, "dialled_at": T0 + 1000, "joined_at": None, "segment": None, **more}


def thirds(db: Database) -> list[CallThird]:
    with db.read() as session:
        return list(session.exec(select(CallThird).order_by(col(CallThird.id))).all())


def test_a_units_part_in_a_call_is_one_record_and_one_line_in_the_case_however_often_it_is_told(
    domain: AppDomain, db: Database
) -> None:
    unit = unit_at(db)
    domain.open_drafts([({"call_id": CALL, "number": "13800138000", "started_at": T0}, "1001")])
    told = [
        third(),
        third(joined_at=T0 + 5000),
        third(joined_at=T0 + 5000, segment=2),
        third(joined_at=T0 + 5000, segment=2, left_at=T0 + 60_000, outcome="talked"),
    ]
    for facts in (*told, *told):
        domain.record_third(CALL, facts)
    (row,) = thirds(db)
    assert (row.unit_id, row.unit_name, row.segment, row.outcome) == (unit, "城南水务局", 2, "talked")
    assert (row.joined_at, row.left_at) == (from_ms(T0 + 5000), from_ms(T0 + 60_000))
    with db.read() as session:
        case = session.exec(select(Case)).one()
        (line,) = [one for one in events_of(session, case.id or 0) if one.event == parts.THREE_WAY]
    assert (line.detail["unit"], line.detail["third_id"], line.at) == ("城南水务局", row.id, row.left_at)
    assert BUREAU not in str(line.detail)


@pytest.mark.parametrize("kind", [PhoneKind.fax, PhoneKind.duty])
def test_whose_number_it_is_is_asked_of_telephones_that_people_answer(
    domain: AppDomain, db: Database, kind: PhoneKind
) -> None:
    unit = unit_at(db, kind=kind)
    assert domain.unit_of_number("025-8888 6666") == ((unit, "城南水务局") if kind is PhoneKind.duty else None)
    assert domain.unit_of_number("") is None


def test_whoever_never_came_makes_no_line_and_whom_nobody_saw_leave_has_left_with_the_call(
    domain: AppDomain, db: Database
) -> None:
    unit_at(db)
    domain.open_drafts([({"call_id": CALL, "number": "13800138000", "started_at": T0}, "1001")])
    domain.record_third(CALL, third("a", left_at=T0 + 9000, outcome="busy"))
    domain.record_third(CALL, third("b", joined_at=T0 + 2000))
    domain.record_third(CALL, third("c"))
    domain.record_third(CALL, {"alive": ["c"], "at": T0 + 20_000})
    assert [(row.outcome, row.left_at is not None) for row in thirds(db)] == [
        ("busy", True), ("talked", True), (None, False),
    ]  # fmt: skip
    domain.record_third(CALL, {"alive": [], "at": T0 + 30_000})
    assert thirds(db)[-1].outcome == "cancelled"
    with db.read() as session:
        case = session.exec(select(Case)).one()
        assert len([one for one in events_of(session, case.id or 0) if one.event == parts.THREE_WAY]) == 1


def test_what_is_settled_by_telephone_names_the_units_part_in_the_call(domain: AppDomain, db: Database) -> None:
    world = World(db)
    domain.record_third(CALL, third(joined_at=T0 + 2000, left_at=T0 + 9000, outcome="talked"))
    with db.session() as session:
        row = session.exec(select(CallThird)).one()
        row.unit_id = world.units["WATER"]
        session.add(row)
    case_id = world.case()
    world.act("taker", loop.transfer, case_id, world.units["WATER"], CALL, "今天上门")
    with db.read() as session:
        last = events_of(session, case_id)[-1]
    assert (last.event, last.detail["third_id"]) == ("transferred", row.id)
    assert last.detail["joined_at"] < last.detail["left_at"]
    other = world.case(number="13800138001")
    world.act("taker", loop.transfer, other, world.units["CITY"], CALL, "今天修")
    with db.read() as session:
        assert "third_id" not in events_of(session, other)[-1].detail, "that unit was not in the call"


def test_a_pause_is_kept_once_and_its_beginning_and_end_are_audited(domain: AppDomain, db: Database) -> None:
    begun = {"since": T0, "due": T0 + 120_000, "by_agent": "1001"}
    over = {**begun, "until": T0 + 30_000, "ended_by": "agent"}
    for facts in (begun, over, begun, over):
        domain.record_pause(CALL, facts)
    domain.record_pause(CALL, {**begun, "since": T0 + 60_000})
    domain.record_pause(CALL, {"over": T0 + 300_000})
    with db.read() as session:
        shown = [(row.ended_by, row.until) for row in session.exec(select(CallPause).order_by(col(CallPause.since)))]
        audited = [entry.action for entry in entries(session, SYSTEM, UTC).items]
    assert shown == [("agent", from_ms(T0 + 30_000)), ("unseen", from_ms(T0 + 120_000))], "never longer than it was due"
    assert sorted(audited) == ["recording.paused"] * 2 + ["recording.resumed"] * 2


def test_who_listens_in_is_audited_and_kept_from_whom_they_may_not_know(
    domain: AppDomain, db: Database, person: Callable[..., Actor]
) -> None:
    boss, leader = person(Role.supervisor), person(Role.duty_leader)
    domain.audit_oversight(boss, CALL, "1001", "whisper")
    with db.session() as session:
        citizen = citizens.create(session, SYSTEM, numbers=["13800138000"], name="王芳")
        citizen.confidential = True
    domain.record([(CALL, {"number": "13800138000"})])
    with pytest.raises(Forbidden):
        domain.audit_oversight(boss, CALL, "1001", "listen")
    domain.audit_oversight(leader, CALL, "1001", "listen")
    with db.read() as session:
        audit = [one for one in entries(session, SYSTEM, UTC).items if one.action == "call.monitored"]
    told = [(one.actor, one.object, one.detail) for one in audit]
    assert sorted(told) == sorted(
        [
            (boss.name, f"call:{CALL}", {"agent": "1001", "mode": "whisper"}),
            (leader.name, f"call:{CALL}", {"agent": "1001", "mode": "listen"}),
        ]
    )


def test_a_call_shows_its_third_parties_with_private_numbers_masked_and_its_pauses(
    domain: AppDomain, db: Database, browser: Callable[..., Browser]
) -> None:
    unit = unit_at(db)
    domain.record_third(CALL, third("a", joined_at=T0 + 2000, segment=2))
    domain.record_third(CALL, third("b", PRIVATE))
    domain.record_third(CALL, third("c", "110", kind="emergency"))
    domain.record_pause(CALL, {"since": T0, "due": T0 + 120_000, "by_agent": "1001"})
    auditor, chief = browser(Role.auditor), browser(Role.section_head)
    seen = auditor.get(f"/api/calls/{CALL}").json()
    assert [one["number"] for one in seen["thirds"]] == [BUREAU, "137****7000", "110"]
    first = seen["thirds"][0]
    assert (first["unit_id"], first["unit_name"], first["segment"], first["left_at"]) == (unit, "城南水务局", 2, None)
    assert seen["pauses"] == [
        {"since": "2026-11-24T12:00:00.000Z", "until": None, "by_agent": "1001", "ended_by": None}
    ]
    assert chief.get(f"/api/calls/{CALL}").json()["thirds"][1]["number"] == PRIVATE
