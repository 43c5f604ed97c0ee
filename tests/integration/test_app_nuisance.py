"""Nuisance rules: who sets and ends them, what is audited, who sees whose number, how they end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import select

from app.actor import Actor
from app.audit.tables import AuditEntry
from app.auth.model import Role
from app.calls.service import record
from app.citizens import service as citizens
from app.clock import to_ms
from app.db import Database
from app.errors import BadInput, Forbidden, NotFound, Refused
from app.nuisance import service as nuisance
from app.nuisance.model import LONGEST, VALUES, NuisanceAction, NuisanceState, state_of
from app.nuisance.tables import NuisanceRule
from app.settings import Settings
from cti_bridge.domain import AppDomain
from tests.integration.web_browser import Browser

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
NUMBER = "13800138000"
People = Callable[..., Actor]
ANNOUNCEMENT = NuisanceAction.announcement


def given(db: Database, actor: Actor, number: str = NUMBER, **more: Any) -> NuisanceRule:
    values = {"action": ANNOUNCEMENT, "until": NOW + HOUR, "why": "反复谩骂", "now": NOW, **more}
    with db.session() as session:
        return nuisance.set_rule(session, actor, number=number, **values)


def ended(db: Database, actor: Actor, rule_id: int | None, why: str = "申诉成立", now: datetime = NOW) -> NuisanceRule:
    with db.session() as session:
        return nuisance.end_rule(session, actor, rule_id or 0, why, now=now)


def listed(db: Database, actor: Actor, now: datetime = NOW, **filters: Any) -> list[dict[str, Any]]:
    with db.read() as session:
        page = nuisance.list_rules(session, actor, now=now, **filters)
        known = nuisance.known_of(session, page.items)
        return [nuisance.as_json(actor, row, known, now) for row in page.items]


def audited(db: Database) -> list[tuple[str, str, dict[str, Any]]]:
    with db.read() as session:
        rows = session.exec(select(AuditEntry).order_by(AuditEntry.id)).all()  # type: ignore[arg-type]
        return [(row.action, row.object, dict(row.detail)) for row in rows if row.action.startswith("nuisance")]


def test_a_rule_is_set_and_ended_by_a_supervisor_and_both_are_audited_without_the_number(db: Database, person: People):
    chief, other = person(Role.supervisor), person(Role.section_head)
    row = given(db, chief, "+86 138 0013 8000")
    assert row.number == NUMBER
    (shown,) = listed(db, chief)
    assert (shown["state"], shown["number"], shown["created_by_name"]) == ("active", NUMBER, chief.display_name)
    ended(db, other, row.id, now=NOW + HOUR / 2)
    (shown,) = listed(db, chief)
    assert (shown["state"], shown["ended_by_name"], shown["end_why"]) == ("ended", other.display_name, "申诉成立")
    assert audited(db) == [
        (
            "nuisance.set",
            f"nuisance:{row.id}",
            {"action": "announcement", "value": 0, "until": "2026-11-24T02:00:00.000Z"},
        ),
        ("nuisance.ended", f"nuisance:{row.id}", {}),
    ]


def test_ending_twice_changes_nothing_and_a_rule_whose_time_is_over_is_over(db: Database, person: People):
    chief = person(Role.supervisor)
    row = given(db, chief)
    first = ended(db, chief, row.id)
    assert ended(db, chief, row.id, "again", NOW + HOUR / 2).ended_at == first.ended_at
    late = given(db, chief)
    with pytest.raises(Refused):
        ended(db, chief, late.id, now=NOW + HOUR)
    with pytest.raises(NotFound):
        ended(db, chief, 4711)
    with pytest.raises(BadInput, match="marked fields"):
        ended(db, chief, given(db, chief).id, "  ")
    assert len(audited(db)) == 4


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"why": " "}, "why"),
        ({"until": NOW}, "until"),
        ({"until": NOW + LONGEST + HOUR}, "until"),
        ({"number": ""}, "number"),
        ({"number": "anonymous"}, "number"),
        ({"number": "", "call_id": "h-4711"}, "number"),
        ({"action": NuisanceAction.limit, "value": 0}, "value"),
        ({"action": NuisanceAction.lower_priority, "value": 101}, "value"),
        ({"action": ANNOUNCEMENT, "value": 3}, "value"),
    ],
)
def test_a_rule_needs_a_caller_a_reason_an_end_and_a_measure(
    db: Database, person: People, wrong: dict[str, Any], field: str
):
    with pytest.raises(BadInput) as caught:
        given(db, person(Role.supervisor), **wrong)
    assert list(caught.value.fields) == [field]
    assert audited(db) == []


@pytest.mark.parametrize(
    "role", [role for role in Role if role not in (Role.supervisor, Role.duty_leader, Role.section_head)]
)
def test_nobody_else_sets_or_ends_rules(db: Database, person: People, role: Role):
    row = given(db, person(Role.supervisor))
    stranger = person(role)
    with pytest.raises(Forbidden):
        given(db, stranger)
    with pytest.raises(Forbidden):
        ended(db, stranger, row.id)
    if role not in (Role.auditor, Role.admin):
        with pytest.raises(Forbidden):
            listed(db, stranger)


def test_who_called_may_be_named_by_the_call_when_the_number_is_not_to_be_seen(db: Database, person: People):
    chief, leader = person(Role.supervisor), person(Role.duty_leader)
    record(db, "h-1.1", number=NUMBER, started_at=NOW)
    record(db, "h-1.2", number="", started_at=NOW)
    record(db, "h-1.3", number=NUMBER, started_at=NOW, direction="out")
    with db.session() as session:
        citizens.create(session, leader, numbers=[NUMBER], flags=["confidential"])
    row = given(db, chief, number="", call_id="h-1.1")
    assert (row.number, row.call_id) == (NUMBER, "h-1.1")
    for call_id in ("h-1.2", "h-1.3"):
        with pytest.raises(BadInput):
            given(db, chief, number="", call_id=call_id)
    assert [one["number"] for one in listed(db, chief)] == ["138****8000"]
    assert [one["number"] for one in listed(db, leader)] == [NUMBER]


def test_numbers_are_masked_and_not_to_be_sought_by_those_who_may_not_see_them(db: Database, person: People):
    chief, leader, auditor = person(Role.supervisor), person(Role.duty_leader), person(Role.auditor)
    given(db, chief)
    given(db, chief, "13900139000")
    assert {one["number"] for one in listed(db, auditor)} == {"138****8000", "139****9000"}
    assert listed(db, auditor, number=NUMBER) == []
    assert [one["number"] for one in listed(db, chief, number="+86 13800138000")] == [NUMBER]
    with db.session() as session:
        citizens.create(session, leader, numbers=[NUMBER], flags=["confidential"])
    assert listed(db, chief, number=NUMBER) == []
    assert len(listed(db, leader, number=NUMBER)) == 1


def test_rules_in_force_come_first_what_ends_first_before_the_others(db: Database, person: People):
    chief = person(Role.supervisor)
    rows = [given(db, chief, until=NOW + hours * HOUR) for hours in (1, 5, 3, 4)]
    ended(db, chief, rows[3].id)
    later = NOW + 2 * HOUR
    ids = [row.id for row in rows]
    assert [one["id"] for one in listed(db, chief, later)] == [ids[2], ids[1], ids[3], ids[0]]
    by_state = {state: [one["id"] for one in listed(db, chief, later, state=state)] for state in NuisanceState}
    assert by_state == {"active": [ids[2], ids[1]], "ended": [ids[3]], "expired": [ids[0]]}


def test_the_queue_is_told_of_rules_in_force_and_of_those_ended_lately(
    db: Database, person: People, settings: Settings
):
    chief = person(Role.supervisor)
    on, off, over = given(db, chief), given(db, chief), given(db, chief, until=NOW + HOUR / 6)
    ended(db, chief, off.id)
    domain, at = AppDomain(settings, db), to_ms(NOW + HOUR / 2)
    seen = {one.rule_id: one for one in domain.nuisance_rules(at)}
    assert seen.keys() == {str(on.id), str(off.id)}, over.id
    first = seen[str(on.id)]
    assert (first.number, first.action, first.until_ms) == (NUMBER, "announcement", to_ms(NOW + HOUR))
    assert (first.by, first.ended_by, seen[str(off.id)].ended_by) == (
        f"user:{chief.user_id}",
        "",
        f"user:{chief.user_id}",
    )
    assert domain.nuisance_rules(at + 2 * 86_400_000) == []


def test_a_rules_life_follows_from_its_times() -> None:
    assert state_of(NOW, None, NOW - HOUR) is NuisanceState.active
    assert state_of(NOW, None, NOW) is NuisanceState.expired
    assert state_of(NOW, NOW, NOW - HOUR) is NuisanceState.ended
    assert VALUES.keys() == set(NuisanceAction)


def test_the_actions_are_the_engines() -> None:
    from acd.config import NuisanceAction as Engines

    assert {one.value for one in NuisanceAction} == {one.value for one in Engines}


def test_rest_sets_lists_searches_and_ends(browser: Callable[..., Browser]):
    chief, auditor, agent = browser(Role.supervisor), browser(Role.auditor), browser(Role.agent, agent_id="1001")
    until = (datetime.now(UTC) + HOUR).isoformat()
    body = {"number": NUMBER, "action": "limit", "value": 1, "until": until, "why": "反复拨打"}
    assert agent.send("POST", "/api/nuisance-rules", json=body).status_code == 403
    assert auditor.send("POST", "/api/nuisance-rules", json=body).status_code == 403
    assert chief.client.post("/api/nuisance-rules", json=body).status_code == 403, "without the CSRF word"
    made = chief.send("POST", "/api/nuisance-rules", json=body)
    assert made.status_code == 201, made.text
    rule = made.json()
    assert (rule["state"], rule["number"], rule["value"]) == ("active", NUMBER, 1)
    assert [one["id"] for one in chief.get("/api/nuisance-rules?state=active").json()["items"]] == [rule["id"]]
    assert agent.get("/api/nuisance-rules").status_code == 403
    assert auditor.get("/api/nuisance-rules").json()["items"][0]["number"] == "138****8000"
    assert chief.get(f"/api/nuisance-rules?number={NUMBER}").status_code == 422, "no number in an address"
    found = chief.send("POST", "/api/nuisance-rules/search", json={"number": NUMBER}).json()
    assert found["total"] == 1
    refused = chief.send("POST", "/api/nuisance-rules", json={**body, "why": ""})
    assert (refused.status_code, list(refused.json()["error"]["fields"])) == (422, ["why"])
    path = f"/api/nuisance-rules/{rule['id']}/end"
    assert auditor.send("POST", path, json={"why": "x"}).status_code == 403
    assert chief.send("POST", path, json={"why": "申诉成立"}).json()["state"] == "ended"
