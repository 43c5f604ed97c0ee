"""The case loop over HTTP: boards, inbox, one case by five people's hands, and what a unit never gets to see."""

from __future__ import annotations

from datetime import timedelta
from itertools import count

import pytest
from sqlalchemy import event

from app.assignments import extensions
from app.cases import loop, service
from app.chasing import orders
from tests.case_kit.world import World
from tests.integration.web_browser import SeenBy

NUMBERS = count(8000)
LISTS = {
    "dispatcher": ("/api/boards/under_way", "/api/cases", "/api/chases"),
    "head": ("/api/extensions",),
    "WATER.handler": ("/api/assignments/inbox/to_sign", "/api/notices"),
}


def version(world: World, case_id: int) -> int:
    with world.db.read() as session:
        return world.stored(session, case_id).version


def test_one_case_from_the_caller_to_the_archive(world: World, seen_by: SeenBy):
    case_id = world.case()
    path = f"/api/cases/{case_id}"
    acts = seen_by("taker").get(f"{path}/loop").json()["acts"]
    assert {"submitted", "answered", "declined"} <= set(acts)
    assert "dispatched" not in acts

    body = {"version": version(world, case_id), "urgency": "general"}
    assert seen_by("taker").send("POST", f"{path}/submit", json=body).json()["state"] == "to_dispatch"
    desk = seen_by("dispatcher")
    assert desk.get("/api/boards").json()["dispatch"] == {"all": 1, "late": 0}
    [row] = desk.get("/api/boards/dispatch").json()["items"]
    assert (row["id"], row["state"], row["due_at"] is not None) == (case_id, "to_dispatch", True)
    gift = {"unit_id": world.units["WATER"], "instructions": "请三日内办结"}
    body = {"version": row["version"], "way": "written", "units": [gift]}
    assert desk.send("POST", f"{path}/dispatch", json=body).json()["state"] == "dispatched"

    unit, chief = seen_by("WATER.handler"), seen_by("WATER.leader")
    assert unit.get("/api/assignments/inbox").json()["to_sign"] == {"all": 1, "late": 0}
    [work] = unit.get("/api/assignments/inbox/to_sign").json()["items"]
    assert (work["title"], work["number"]) == ("路灯不亮", row["number"])
    at = f"/api/assignments/{work['id']}"
    done = unit.send("POST", f"{at}/sign", json={"version": work["version"]}).json()
    assert unit.get(f"/api/assignments/{work['id']}").json()["instructions"] == "请三日内办结"
    kept = unit.send("PUT", f"{at}/reply", json={"version": 0, "fields": {"result": "已修复"}}).json()
    refused = unit.send("POST", f"{at}/submit", json={"version": done["version"], "reply_version": kept["version"]})
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "reply_incomplete")
    whole = unit.get(at).json()
    assert whole["acts"] == ["started", "handed_down", "submitted", "returned"]
    fields = {
        "result": "已修复全部路灯。",
        "answers": {item["id"]: "已全部更换。" for item in whole["items"]},
        "contact": "phone",
        "contacted_at": "2026-11-24T01:00:00Z",
        "opinion": "satisfied",
        "signed_name": "李工",
    }
    body = {"version": done["version"], "reply_version": 1, "fields": fields}
    handed = unit.send("POST", f"{at}/submit", json=body).json()
    assert handed["state"] == "in_review"
    assert [one["where"] for one in chief.get(at).json()["warnings"]] == ["measures"]
    body = {"version": handed["version"], "opinion": "同意", "seal": True}
    assert chief.send("POST", f"{at}/approve", json=body).json()["state"] == "replied"

    head = seen_by("head")
    [row] = head.get("/api/boards/review").json()["items"]
    body = {"version": row["version"], "opinion": "办理到位"}
    assert head.send("POST", f"{path}/accept", json=body).json()["state"] == "to_follow_up"
    asker = seen_by("taker")
    task = asker.send("POST", "/api/boards/follow_up/next").json()
    assert task["id"] == case_id
    assert seen_by("dispatcher").send("POST", "/api/boards/follow_up/next").json() is None
    yes = {"solved": True, "contacted_in_time": True, "true_to_reality": True}
    body = {"version": task["version"], "reached": "spoken", "satisfaction": "very_satisfied", **yes}
    closed = asker.send("POST", f"{path}/follow-up", json=body).json()
    assert closed["state"] == "closed"
    assert head.send("POST", f"{path}/archive", json={"version": closed["version"]}).json()["state"] == "archived"
    page = head.get(f"{path}/loop").json()
    assert [one["satisfaction"] for one in page["tries"]] == ["very_satisfied"]
    assert page["acts"] == []


def test_a_unit_sees_whom_it_works_for_but_never_whoever_asked_for_secrecy(world: World, seen_by: SeenBy):
    plain, [work] = world.dispatched("WATER")
    secret, [hidden] = world.dispatched("WATER", case_id=world.case(confidential=True))
    unit = seen_by("WATER.handler")
    shown = unit.get(f"/api/assignments/{work}").json()["case"]
    assert (shown["fields"]["caller_number"], shown["masked"]) == ("13800138000", False)
    for path in (f"/api/assignments/{hidden}", f"/api/cases/{secret}", f"/api/cases/{secret}/loop"):
        answer = unit.get(path)
        assert answer.status_code == 200, path
        for word in ("13800138000", "王小明", "幸福里"):
            assert word not in answer.text, path
    assert unit.get(f"/api/cases/{plain}").status_code == 200
    assert seen_by("CITY.handler").get(f"/api/cases/{plain}").status_code == 404
    assert seen_by("CITY.handler").get(f"/api/assignments/{work}").status_code == 404


def test_a_unit_reads_nothing_of_what_other_units_do_for_the_same_case(world: World, seen_by: SeenBy):
    case_id, [water, city] = world.dispatched("WATER", "CITY")
    world.handed_in(case_id, "WATER")
    unit = seen_by("CITY.handler")
    assert [one["id"] for one in unit.get(f"/api/cases/{case_id}/loop").json()["works"]] == [city]
    assert unit.get(f"/api/assignments/{water}").status_code == 404
    lines = unit.get(f"/api/cases/{case_id}/events").json()
    assert {(one["detail"] or {}).get("assignment") for one in lines} == {None, city}
    assert "已修复全部" not in unit.get(f"/api/cases/{case_id}/events").text


def test_a_board_is_for_those_who_work_from_it(world: World, seen_by: SeenBy):
    world.dispatched("WATER")
    assert set(seen_by("taker").get("/api/boards").json()) == {"under_way", "follow_up", "deferred"}
    assert seen_by("taker").get("/api/boards/dispatch").status_code == 403
    assert seen_by("WATER.handler").get("/api/boards").json() == {}
    assert seen_by("mayor").get("/api/assignments/inbox").status_code == 403


def test_a_unit_with_open_work_is_not_closed(world: World, seen_by: SeenBy):
    world.dispatched("CITY")
    body = {"version": 1}
    answer = seen_by("dispatcher").send("POST", f"/api/units/{world.units['CITY']}/close", json=body)
    assert answer.status_code == 409
    assert "承办任务" in answer.text


def test_items_are_set_while_the_centre_has_the_case(world: World, seen_by: SeenBy):
    case_id = world.case()
    taker = seen_by("taker")
    body = {"version": version(world, case_id), "items": ["路灯不亮", "树枝遮挡路灯", " "]}
    assert [one["text"] for one in taker.send("PUT", f"/api/cases/{case_id}/items", json=body).json()["items"]] == [
        "路灯不亮",
        "树枝遮挡路灯",
    ]
    world.act("taker", loop.submit, case_id)
    world.dispatched("WATER", case_id=case_id)
    body = {"version": version(world, case_id), "items": ["别的"]}
    assert taker.send("PUT", f"/api/cases/{case_id}/items", json=body).status_code == 409
    with world.db.read() as session:
        assert service.get_case(session, world.people["head"], case_id).state == "dispatched"


def test_who_is_kept_from_a_case_does_not_find_it_and_nobody_lifts_their_own(world: World, seen_by: SeenBy):
    case_id = world.case()
    path = f"/api/cases/{case_id}"
    leader, head = world.people["leader"], world.people["head"]
    assert (
        seen_by("dispatcher")
        .send("POST", f"{path}/recusals", json={"user_id": leader.user_id, "reason": "亲属"})
        .status_code
        == 403
    )
    both = {"user_id": leader.user_id, "unit_id": world.units["CITY"], "reason": "亲属"}
    assert seen_by("head").send("POST", f"{path}/recusals", json=both).status_code == 422
    for body in (
        {"user_id": leader.user_id, "reason": "当事人亲属"},
        {"unit_id": world.units["CITY"], "reason": "被投诉"},
    ):
        for _ in range(2):
            assert seen_by("head").send("POST", f"{path}/recusals", json=body).status_code == 204
    assert seen_by("leader").get(path).status_code == 404
    assert seen_by("leader").get("/api/cases").json()["total"] == 0
    kept = seen_by("head").get(f"{path}/recusals").json()
    assert [one["why"] for one in kept] == ["当事人亲属", "被投诉"]
    world.act("taker", loop.submit, case_id)
    gift = {"version": version(world, case_id), "way": "written", "units": [{"unit_id": world.units["CITY"]}]}
    assert seen_by("dispatcher").send("POST", f"{path}/dispatch", json=gift).json()["error"]["code"] == "recused"
    assert (
        seen_by("leader").send("POST", f"/api/recusals/{kept[0]['id']}/lift", json={"reason": "已调离"}).status_code
        == 404
    )
    assert (
        seen_by("head").send("POST", f"/api/recusals/{kept[0]['id']}/lift", json={"reason": "已调离"}).status_code
        == 204
    )
    assert seen_by("leader").get(path).status_code == 200
    assert (
        seen_by("head")
        .send("POST", f"{path}/recusals", json={"user_id": head.user_id, "reason": "主动回避"})
        .status_code
        == 204
    )
    assert seen_by("head").get(path).status_code == 404
    audit = [line for line in world.history(case_id) if line.startswith("recus")]
    assert audit == ["recused", "recused", "recusal_lifted", "recused"]


def test_a_unit_at_work_is_not_kept_away_before_its_work_is_taken_back(world: World, seen_by: SeenBy):
    case_id, _ = world.dispatched("WATER")
    body = {"unit_id": world.units["WATER"], "reason": "被投诉单位"}
    answer = seen_by("head").send("POST", f"/api/cases/{case_id}/recusals", json=body)
    assert answer.json()["error"]["code"] == "has_it"


@pytest.mark.parametrize(("who", "path"), [(who, path) for who, paths in LISTS.items() for path in paths])
def test_a_long_list_asks_the_database_no_more_often_than_a_short_one(
    world: World, seen_by: SeenBy, who: str, path: str
):
    page, asked = seen_by(who), list[str]()
    for engine in world.db.engines:
        event.listen(engine, "before_cursor_execute", lambda *it: asked.append(it[2]))

    def costs(more: int) -> tuple[int, int]:
        for _ in range(more):
            case_id, [work] = world.dispatched("WATER", case_id=world.case(number=f"1380013{next(NUMBERS)}"))
            with world.db.session() as session:
                extensions.ask(session, world.people["WATER.handler"], work, 1, "待配件", now=world.now)
            with world.db.session() as session:
                day = world.now + timedelta(days=2)
                orders.order(session, world.people["head"], case_id, "请速办", day, now=world.now)
        asked.clear()
        return len(page.get(path).json()["items"]), len(asked)

    few, cost = costs(2)
    many, cost_of_many = costs(3)
    assert few >= 2
    assert many > few
    assert cost_of_many == cost
