"""Confidential citizens stay hidden: in lists, cards, histories, searches, recordings (篇6 第19条, PIPL)."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from app.actor import SYSTEM, Actor
from app.auth.model import PERMISSIONS, Permission, Role
from app.calls import service as calls
from app.calls.model import CallFacts
from app.calls.views import call_rows
from app.cases import service as cases
from app.cases.access import sees_citizen
from app.cases.history import events_of
from app.cases.views import case_json, event_json
from app.citizens import service as citizens
from app.db import Database
from app.errors import Forbidden

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")
NUMBER, NAME = "13800138000", "王小芳"
People = Callable[..., Actor]


@pytest.fixture
def case_id(db: Database, person: People) -> int:
    """A registered confidential case of agent 1001, whose text names the citizen."""
    agent = person(agent_id="1001")
    with db.session() as session:
        citizens.create(session, SYSTEM, numbers=[NUMBER], name=NAME, flags=["confidential"], address="人民路 1 号")
    calls.record(db, "h-1", number=NUMBER, name=NAME, started_at=NOW, agent_id="1001")
    with db.session() as session:
        case = cases.open_draft(session, CallFacts("h-1", number=NUMBER), agent_id="1001", now=NOW, zone=ZONE)
        fields = {"type": "report", "title": f"{NAME}举报", "content": f"{NAME} ({NUMBER}) 举报某单位"}
        cases.register(session, agent, case.id or 0, fields, 1, now=NOW)
    return case.id or 0


def everything(db: Database, actor: Actor, case_id: int) -> str:
    """All that this person is shown of the case and its call, as text."""
    with db.read() as session:
        case = cases.get_case(session, actor, case_id)
        clear = sees_citizen(session, actor, case)
        shown = [case_json(session, actor, case)]
        shown += [event_json(event, case, clear=clear) for event in events_of(session, case_id)]
        shown += call_rows(session, actor, calls.list_calls(session, actor, ZONE).items)
        if case.citizen_id and actor.may(Permission.citizens_read):
            shown.append(citizens.as_json(session, actor, citizens.get(session, actor, case.citizen_id)))
    return json.dumps(shown, ensure_ascii=False)


def test_those_who_may_and_the_agent_who_spoke_see_the_citizen(db: Database, person: People, case_id: int):
    for actor in (person(Role.duty_leader), person(Role.section_head), SYSTEM):
        shown = everything(db, actor, case_id)
        assert NUMBER in shown
        assert NAME in shown
    mine = next(a for a in [Actor(user_id=1, roles=frozenset({Role.agent}), agent_id="1001")])
    assert NUMBER in everything(db, mine, case_id)


@pytest.mark.parametrize("role", [Role.supervisor, Role.dispatcher, Role.quality, Role.auditor, Role.admin, Role.agent])
def test_nobody_else_sees_number_name_or_address_anywhere(db: Database, person: People, case_id: int, role: Role):
    actor = person(agent_id="1009") if role is Role.agent else person(role)
    shown = everything(db, actor, case_id)
    for secret in (NUMBER, NAME, "人民路"):
        assert secret not in shown
    assert "138****8000" in shown


def test_searching_does_not_betray_a_confidential_citizen(db: Database, person: People, case_id: int):
    chief, leader = person(Role.supervisor), person(Role.duty_leader)
    with db.read() as session:
        for sought in ({"number": NUMBER}, {"q": "138001380"}):
            assert calls.list_calls(session, chief, ZONE, **sought).total == 0
            assert calls.list_calls(session, leader, ZONE, **sought).total == 1
        assert cases.list_cases(session, chief, ZONE, number=NUMBER).total == 0
        assert cases.list_cases(session, leader, ZONE, number=NUMBER).total == 1


def test_an_ordinary_citizen_is_masked_for_those_without_personal_data(db: Database, person: People):
    with db.session() as session:
        case = cases.open_draft(session, CallFacts("h-2", number="13900139000", name="LI"), now=NOW, zone=ZONE)
        cases.register(session, SYSTEM, case.id or 0, {"type": "consult", "title": "t", "content": "c"}, 1)
    assert "13900139000" in everything(db, person(Role.supervisor), case.id or 0)
    assert "13900139000" not in everything(db, person(Role.auditor), case.id or 0)


def test_saving_masks_over_the_truth_is_impossible(db: Database, person: People, case_id: int):
    chief = person(Role.supervisor)
    masked = {"caller_number": "138****8000", "caller_name": "王**", "confidential": False, "area": "城北"}
    with db.session() as session:
        case = cases.amend_or_autosave(session, chief, case_id, masked, 2)
    assert (case.caller_number, case.caller_name, case.confidential) == (NUMBER, NAME, True)
    assert case.area == "城北"
    with pytest.raises(Forbidden), db.session() as session:
        citizens.change(session, chief, case.citizen_id or 0, {"name": "x"})


def test_every_role_has_a_row_and_no_role_may_do_everything():
    assert set(PERMISSIONS) == set(Role)
    assert all(granted < set(Permission) for granted in PERMISSIONS.values())
    assert PERMISSIONS[Role.citizen] == frozenset()
    # Whoever manages accounts must not read what citizens said: the two together could be abused in silence.
    assert not PERMISSIONS[Role.admin] & {Permission.personal_read, Permission.recordings_listen}
