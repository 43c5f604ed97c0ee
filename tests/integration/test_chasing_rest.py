"""Chasing over HTTP: more time, orders, decisions, urgent matters, notices, and the measures of the loop."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from app.assignments import giving, judging, working
from app.assignments.giving import Gift
from app.assignments.model import Opinion
from app.assignments.tables import Assignment, Recusal
from app.cases import loop
from app.chasing import sweep
from app.clock import iso, utc_now
from app.clocks.rules import Urgency
from app.clocks.tables import ClockExtension
from app.followups.model import Heard, Reached
from app.settings import Settings
from tests.case_kit.world import World
from tests.integration.web_browser import Browser, SeenBy

CONTENT = Heard(Reached.spoken, Opinion.satisfied, True, True, True)
ANGRY = Heard(Reached.spoken, Opinion.dissatisfied, False, True, False, "还是不亮", propose_redo=True)


@pytest.fixture
def world(city: World) -> World:
    """A small city on this database, in the present: requests have no other time."""
    city.now = utc_now()
    return city


def due(world: World, case_id: int, work_id: int) -> tuple[datetime, datetime]:
    with world.db.read() as session:
        work, case = session.get(Assignment, work_id), world.stored(session, case_id)
        assert work is not None
        assert work.due_at is not None
        assert case.due_at is not None
        return work.due_at, case.due_at


def ask(browser: Browser, work_id: int, amount: int = 3, reason: str = "配件待采购") -> Any:
    return browser.send("POST", f"/api/assignments/{work_id}/extension", json={"amount": amount, "reason": reason})


def test_a_unit_asks_for_more_time_a_head_approves_and_the_case_gets_it_too(world: World, seen_by: SeenBy):
    case_id, work_id = world.signed()
    unit, head = seen_by("WATER.handler"), seen_by("head")
    before = due(world, case_id, work_id)
    assert ask(seen_by("CITY.handler"), work_id).status_code == 404
    assert ask(seen_by("dispatcher"), work_id).status_code == 403
    assert ask(unit, work_id, reason=" ").json()["error"]["fields"].keys() == {"why"}
    asked = ask(unit, work_id).json()
    assert (asked["state"], asked["amount"], asked["unit_of_time"], asked["unit"]) == (
        "requested", 3, "working_days", "水务局",
    )  # fmt: skip
    assert ask(unit, work_id).json()["error"]["code"] == "extension_pending"
    assert due(world, case_id, work_id) == before

    assert unit.get("/api/extensions").status_code == 403
    assert [row["id"] for row in head.get("/api/extensions").json()["items"]] == [asked["id"]]
    decide = f"/api/extensions/{asked['id']}/decide"
    assert unit.send("POST", decide, json={"approved": True}).status_code in (403, 404)
    assert head.send("POST", decide, json={"approved": False}).status_code == 422
    done = head.send("POST", decide, json={"approved": True}).json()
    assert done["state"] == "approved"
    now = due(world, case_id, work_id)
    assert now[0] > before[0]
    assert now[1] >= now[0]  # a case never ends before its unit
    assert done["due_at"] == iso(now[0])
    assert head.get("/api/extensions").json()["total"] == 0
    assert world.history(case_id)[-2:] == ["clock.extension_asked", "clock.extension_decided"]
    kinds = [row["kind"] for row in unit.get("/api/notices").json()["items"]]
    assert kinds[0] == "extension_decided"


def test_a_unit_reads_what_became_of_its_requests_and_whether_it_can_ask_again(world: World, seen_by: SeenBy):
    _, work_id = world.signed()
    unit, head, path = seen_by("WATER.handler"), seen_by("head"), f"/api/assignments/{work_id}/extensions"
    stands = unit.get(path).json()
    assert (stands["unit_of_time"], stands["may_ask"], stands["requests"]) == ("working_days", True, [])
    assert head.get(path).json()["may_ask"] is False
    assert seen_by("CITY.handler").get(path).status_code == 404
    asked = ask(unit, work_id).json()
    assert unit.get(path).json()["may_ask"] is False
    head.send("POST", f"/api/extensions/{asked['id']}/decide", json={"approved": False, "reason": "理由不充分"})
    stands = unit.get(path).json()
    [row] = stands["requests"]
    assert (row["state"], row["decision_why"], stands["may_ask"]) == ("refused", "理由不充分", True)
    assert row["decided_by_name"]
    world.work("WATER.handler", working.give_it_back, work_id, "路灯归城管")
    stands = unit.get(path).json()
    assert (stands["unit_of_time"], stands["due_at"], stands["may_ask"]) == (None, None, False)


def test_a_refusal_changes_no_end_and_a_second_request_is_possible(world: World, seen_by: SeenBy):
    case_id, work_id = world.signed()
    unit, head = seen_by("WATER.leader"), seen_by("head")
    before = due(world, case_id, work_id)
    for approved in (False, True):
        asked = ask(unit, work_id).json()
        body = {"approved": approved, "reason": "理由不充分"}
        assert head.send("POST", f"/api/extensions/{asked['id']}/decide", json=body).status_code == 200
        assert (due(world, case_id, work_id) == before) is not approved
    with world.db.read() as session:
        rows = session.exec(select(ClockExtension).order_by(col(ClockExtension.id))).all()
        assert [(row.state, row.amount) for row in rows] == [("refused", 3), ("approved", 3), ("approved", 3)]
        assert rows[1].clock_id == rows[0].clock_id != rows[2].clock_id  # the case's, so that it waits for its unit


def test_a_request_that_lapsed_when_the_unit_was_out_of_it_is_in_nobody_s_way(world: World, seen_by: SeenBy):
    case_id, work_id = world.signed()
    assert ask(seen_by("WATER.handler"), work_id).status_code == 200
    world.work("WATER.handler", working.give_it_back, work_id, "路灯归城管")
    world.work("head", giving.uphold_return, work_id)
    assert seen_by("head").get("/api/extensions").json()["total"] == 0
    world.dispatched("CITY", case_id=case_id)
    other = world.work_of(case_id, "CITY")
    assert ask(seen_by("CITY.handler"), other).status_code == 200


def test_a_unit_below_cannot_have_more_time_than_the_unit_above_it(world: World, seen_by: SeenBy):
    case_id, work_id = world.signed()
    world.work("WATER.handler", giving.hand_down, work_id, [Gift(world.units["WATER-S"])])
    below = world.work_of(case_id, "WATER-S")
    assert ask(seen_by("WATER-S.handler"), below).json()["error"]["code"] == "beyond_parent"
    asked = ask(seen_by("WATER.handler"), work_id).json()
    seen_by("head").send("POST", f"/api/extensions/{asked['id']}/decide", json={"approved": True})
    assert ask(seen_by("WATER-S.handler"), below).status_code == 200


def test_a_case_that_its_lead_gave_back_still_stands_by_when_to_dispatch_it(world: World, seen_by: SeenBy):
    case_id, [water, city] = world.dispatched("WATER", "CITY")
    world.work("CITY.handler", working.sign, city)
    asked = ask(seen_by("CITY.handler"), city).json()
    world.work("WATER.handler", working.give_it_back, water, "与我局无关")
    with world.db.read() as session:
        before = world.stored(session, case_id).due_at
    done = seen_by("head").send("POST", f"/api/extensions/{asked['id']}/decide", json={"approved": True}).json()
    assert done["state"] == "approved"
    with world.db.read() as session:
        assert world.stored(session, case_id).due_at == before


def test_only_one_of_several_units_could_have_more_time_and_the_case_got_too_much(world: World, seen_by: SeenBy):
    case_id, works = world.dispatched("WATER", "CITY")
    head, asked = seen_by("head"), []
    for code, work_id, amount in zip(("WATER", "CITY"), works, (3, 5), strict=True):
        world.work(f"{code}.handler", working.sign, work_id)
        asked.append(ask(seen_by(f"{code}.handler"), work_id, amount).json()["id"])
    before = due(world, case_id, works[0])[1]
    for ident in asked:
        assert head.send("POST", f"/api/extensions/{ident}/decide", json={"approved": True}).status_code == 200
    (first, case_end), (last, _) = (due(world, case_id, work_id) for work_id in works)
    assert before < first < last == case_end  # as long as the slowest unit, and not the sum of both


def test_a_head_who_is_kept_from_a_case_read_its_requests_for_more_time(world: World, seen_by: SeenBy):
    case_id, work_id = world.signed()
    assert ask(seen_by("WATER.handler"), work_id).status_code == 200
    head = seen_by("head")
    assert head.get("/api/extensions").json()["total"] == 1
    with world.db.session() as session:
        kept = world.people["head"].user_id
        session.add(Recusal(case_id=case_id, user_id=kept, why="亲属", at=world.now))
    found = head.get("/api/extensions").json()
    assert (found["items"], found["total"]) == ([], 0)
    assert seen_by("leader").get("/api/extensions").json()["total"] == 1


def test_what_is_late_gets_no_more_time(world: World, seen_by: SeenBy):
    world.now = utc_now() - timedelta(days=40)
    _, work_id = world.signed()
    assert ask(seen_by("WATER.handler"), work_id).json()["error"]["code"] == "wrong_state"


def test_an_order_and_a_reprimand_by_hand(world: World, seen_by: SeenBy, settings: Settings):
    world.now = utc_now() - timedelta(days=60)
    case_id, _ = world.signed()
    for days in (20, 20, 20):
        world.later(days=days)
        sweep.chase_missed(world.db, settings, world.now)
        sweep.climb(world.db, settings, world.now)
    head, unit = seen_by("head"), seen_by("WATER.leader")
    [draft] = head.get("/api/chases", params={"state": "draft"}).json()["items"]
    assert draft["may_decide"] is True
    [read] = seen_by("auditor").get("/api/chases", params={"state": "draft"}).json()["items"]
    assert (read["id"], read["may_decide"]) == (draft["id"], False)
    assert (draft["level"], draft["unit"], "水务局" in draft["text"]) == ("reprimand", "水务局", True)
    assert [row["level"] for row in unit.get("/api/chases").json()["items"]] == ["second", "first"]
    assert seen_by("CITY.leader").get("/api/chases").json()["total"] == 0
    drop = head.send("POST", f"/api/chases/{draft['id']}/drop", json={"reason": ""})
    assert drop.status_code == 422
    done = head.send("POST", f"/api/chases/{draft['id']}/confirm", json={}).json()
    assert done["may_decide"] is False
    assert (done["state"], done["decided_by_name"] != "") == ("confirmed", True)

    body = {"text": "请两日内办结并书面报告", "due_at": iso(utc_now() + timedelta(days=2))}
    assert unit.send("POST", f"/api/cases/{case_id}/orders", json=body).status_code == 403
    [order] = head.send("POST", f"/api/cases/{case_id}/orders", json=body).json()
    assert (order["level"], order["text"], order["issued_by_name"] != "") == ("order", body["text"], True)
    late = {**body, "due_at": iso(utc_now() - timedelta(days=2))}
    assert head.send("POST", f"/api/cases/{case_id}/orders", json=late).status_code == 422
    counted = {row["unit_id"]: row["levels"] for row in head.get("/api/chases/by-unit").json()}
    assert counted[world.units["WATER"]] == {"first": 1, "second": 1, "reprimand": 1, "exposure": 0, "order": 1}
    assert unit.get("/api/notices/unread").json()["unread"] > 0
    kinds = [row["kind"] for row in unit.get("/api/notices").json()["items"]]
    assert kinds[:2] == ["ordered", "reprimand"]


def test_an_urgent_matter_is_acknowledged_and_leaves_the_list(world: World, seen_by: SeenBy):
    case_id = world.case()
    world.act("taker", loop.submit, case_id, urgency=Urgency.life)
    leader = seen_by("leader")
    assert leader.get("/api/notices/unread").json() == {"unread": 1, "urgent": 1}
    [row] = leader.get("/api/urgent").json()["items"]
    assert (row["case_id"], row["cause"], row["urgency"], row["receipts"]) == (case_id, "submitted", "life", [])
    assert row["may_acknowledge"] is True
    assert [one["may_acknowledge"] for one in seen_by("taker").get("/api/urgent").json()["items"]] == [False]
    path = f"/api/urgent/{row['id']}/acknowledge"
    assert seen_by("WATER.leader").send("POST", path).status_code == 404
    assert seen_by("taker").send("POST", path).status_code == 403
    done = leader.send("POST", path).json()
    assert [one["by_name"] != "" for one in done["receipts"]] == [True]
    assert done["known_at"] is not None
    assert done["may_acknowledge"] is False
    assert leader.get("/api/urgent").json()["total"] == 0


def test_a_person_reads_their_notices_and_says_where_to_be_told(world: World, seen_by: SeenBy):
    for _ in range(2):
        world.dispatched("WATER")
    unit = seen_by("WATER.handler")
    rows = unit.get("/api/notices", params={"unread": True}).json()["items"]
    assert [row["kind"] for row in rows] == ["given", "given"]
    assert rows[0]["unit"] == "水务局"
    assert "新交办工单" in rows[0]["text"]
    assert rows[0]["due_at"] is not None
    assert unit.send("POST", f"/api/notices/{rows[1]['id']}/read").json() == {"unread": 1, "urgent": 0}
    assert unit.send("POST", "/api/notices/read", json={"up_to": rows[0]["id"]}).json()["unread"] == 0
    assert seen_by("head").send("POST", f"/api/notices/{rows[1]['id']}/read").status_code == 404
    body = {"email": "a@city.test", "mobile": ""}
    assert unit.send("PUT", "/api/notices/contact", json=body).json() == {**body, "channels": []}
    assert unit.get("/api/notices/contact").json()["email"] == "a@city.test"
    other = world.people["head"].user_id
    assert unit.send("PUT", f"/api/notices/contacts/{other}", json=body).status_code == 403


def test_the_measures_say_what_they_are_made_of(world: World, seen_by: SeenBy, settings: Settings):
    world.now = utc_now() - timedelta(days=20)
    first = world.to_follow_up("WATER")  # done in time, once
    world.asked(first, CONTENT)
    again = world.to_follow_up("WATER")  # done in time, and had to be done again
    world.asked(again, ANGRY)
    world.act("head", judging.redo_case, again, "市民反映未修复")
    late, _ = world.dispatched("WATER")  # never done
    back, [given_back] = world.dispatched("CITY")  # not theirs
    world.work("CITY.handler", working.give_it_back, given_back, "与我局无关")
    world.work("dispatcher", giving.uphold_return, given_back)
    answered = world.case()
    world.act("taker", loop.answer, answered, "已答复")
    world.now = utc_now()
    while sweep.chase_missed(world.db, settings, world.now):
        pass
    found = seen_by("head").get("/api/measures/loop").json()

    def made_of(measures: dict[str, Any]) -> dict[str, tuple[int, int]]:
        return {name: (rate["num"], rate["den"]) for name, rate in measures.items()}

    units = {row["unit"]: made_of(row["measures"]) for row in found["units"]}
    assert units["水务局"] == {
        "closed": (1, 3),
        "closed_in_time": (2, 3),
        "satisfied": (1, 1),
        "followed_up": (1, 1),
        "contacted": (1, 1),
        "solved": (1, 1),
        "returned": (0, 3),
        "redone": (1, 2),
        "chased": (2, 3),
    }
    assert (units["城管局"]["closed"], units["城管局"]["returned"]) == ((0, 0), (1, 1))
    assert made_of(found["centre"]) == {
        "closed": (2, 5),
        "closed_in_time": (2, 4),
        "satisfied": (1, 2),
        "followed_up": (2, 2),
        "contacted": (2, 2),
        "solved": (1, 2),
        "returned": (1, 4),
        "redone": (1, 2),
        "chased": (3, 4),
    }
    assert found["centre"]["closed"]["rate"] == 0.4
    assert (late, back) != (0, 0)


def test_a_unit_s_leader_sees_their_own_unit_s_measures_and_a_handler_none(world: World, seen_by: SeenBy):
    world.dispatched("WATER")
    world.dispatched("CITY")
    found = seen_by("WATER.leader").get("/api/measures/loop").json()
    assert ([row["unit"] for row in found["units"]], found["centre"]) == (["水务局"], None)
    assert seen_by("WATER.handler").get("/api/measures/loop").status_code == 403
    assert seen_by("mayor").get("/api/measures/loop").json()["centre"]["closed"]["den"] == 2
    wrong = {"from": "2026-01-02", "to": "2026-01-01"}
    assert seen_by("head").get("/api/measures/loop", params=wrong).status_code == 422
    earlier = {"from": "2026-01-01", "to": "2026-01-31"}
    assert seen_by("head").get("/api/measures/loop", params=earlier).json()["units"] == []
