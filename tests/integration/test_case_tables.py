"""Cases as a table: what goes out is what the asker may see, what comes in is tried first and comes in once."""

from __future__ import annotations

import csv
import io
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event
from sqlmodel import col, select

from app import bringing_in, sheets
from app.actor import Actor
from app.audit.service import entries
from app.auth.model import Permission, Role
from app.calls.model import CallFacts
from app.cases import exchange
from app.cases.queries import list_cases
from app.cases.service import open_draft
from app.cases.tables import Case
from app.citizens.tables import Citizen
from app.errors import Busy, Forbidden
from app.paging import MAX_SIZE
from tests.case_kit.documents import workbook
from tests.case_kit.world import World
from tests.integration.web_browser import Browser

ZONE = ZoneInfo("Asia/Shanghai")
HEAD = "原编号,类型,标题,内容,姓名,电话,保密\r\n"


def table(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def exported(world: World, who: str) -> list[list[str]]:
    return table(exchange.export_cases(world.db, world.people[who], ZONE, {}, now=world.now))


def brought_in(world: World, text: str, *, who: str = "head", dry_run: bool = False) -> sheets.Outcome:
    return exchange.import_cases(world.db, world.people[who], text.encode(), dry_run=dry_run, now=world.now)


def many(count: int) -> str:
    return HEAD + "".join(f"M-{n},求助,停电{n},整栋停电,,,\r\n" for n in range(count))


def test_what_goes_out_is_masked_for_whoever_sees_masks_and_is_audited(world: World):
    world.dispatched("WATER")
    world.dispatched("CITY", case_id=world.case(number="13911112222", confidential=True))
    head, [secret, plain] = exported(world, "head")[0], exported(world, "head")[1:]
    assert head == list(exchange.HEADS)
    assert (plain[1], plain[2], plain[7]) == ("已派单", "投诉", "13800138000")
    assert (secret[6], secret[7]) == ("王小明", "13911112222")
    text = "\n".join(map(str, exported(world, "auditor")))
    assert "13911112222" not in text
    assert "13800138000" not in text
    with pytest.raises(Forbidden):
        exported(world, "taker")
    with world.db.read() as session:
        made = [one for one in entries(session, world.people["auditor"], ZONE).items if one.action == "cases.exported"]
        assert [one.detail["rows"] for one in made] == [2, 2, 2]


def test_nothing_that_runs_in_a_spreadsheet_leaves(world: World):
    world.case({"type": "help", "title": "=HYPERLINK(1)", "content": "+1"})
    assert exported(world, "head")[1][3:5] == ["'=HYPERLINK(1)", "'+1"]


def test_what_comes_in_is_tried_first_names_every_fault_and_comes_in_once(world: World):
    wrong = HEAD + "A-1,投诉,停水,三天没水,王,139,\r\nA-1,抱怨,,内容,,,也许\r\n"
    faults = brought_in(world, wrong).faults
    assert {(one.row, one.column) for one in faults} == {(3, "原编号"), (3, "类型"), (3, "标题"), (3, "保密")}
    right = HEAD + "A-1,投诉,停水,三天没水,王一,13900000001,\r\nA-2,咨询,公积金,怎么提取,,,是\r\n"
    tried = brought_in(world, right, dry_run=True)
    assert (tried.created, tried.written, tried.faults) == (["A-1", "A-2"], False, [])
    assert listed(world) == []
    assert brought_in(world, right).written
    again = brought_in(world, right)
    assert (again.created, again.unchanged) == ([], 2)
    assert [(one.state, one.title, one.confidential) for one in listed(world)] == [
        ("registered", "公积金", True),
        ("registered", "停水", False),
    ]
    with pytest.raises(Forbidden):
        brought_in(world, right, who="taker", dry_run=True)


def listed(world: World) -> list[Case]:
    with world.db.read() as session:
        return list_cases(session, world.people["head"], ZONE).items


def imported(world: World) -> int:
    with world.db.read() as session:
        return len(session.exec(select(Case).where(col(Case.opened_for).startswith("import:"))).all())


def test_more_cases_than_a_page_go_out_each_with_its_own_mask(world: World, monkeypatch: pytest.MonkeyPatch):
    count = MAX_SIZE + 20
    brought_in(world, HEAD + "".join(f"P-{n},求助,停电{n},停电,王小明,139{n:08d},\r\n" for n in range(count)))
    with world.db.session() as session:
        session.get_one(Citizen, 3).confidential = True
        secret = session.exec(select(Case.number).where(Case.citizen_id == 3)).one()
    world.people["asker"] = world.somebody(Role.duty_leader)
    _, *rows = exported(world, "asker")
    assert [one[3] for one in rows] == [f"停电{n}" for n in reversed(range(count))]
    _, *masked = exported(world, "auditor")
    assert all("*" in one[7] for one in masked)
    monkeypatch.setattr(Actor, "may", lambda _, permission: permission is not Permission.confidential_read)
    assert [one[0] for one in exported(world, "asker")[1:] if "*" in one[7]] == [secret]
    monkeypatch.setattr(exchange, "MOST_OUT", 7)
    assert len(exported(world, "head")) == 8


def test_an_export_asks_once_for_all_cases_and_counts_nothing(world: World):
    brought_in(world, many(30))
    asked: list[str] = []
    for engine in world.db.engines:
        event.listen(engine, "before_cursor_execute", lambda *it: asked.append(it[2]))
    exported(world, "head")
    assert len([one for one in asked if "FROM case_file" in one]) == 1
    assert len(asked) < 10, asked


def test_between_two_batches_of_an_import_others_write(world: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bringing_in, "AT_ONCE", 4)
    seen: list[int] = []

    def somebody_calls(_seconds: float) -> None:
        with world.db.session() as session:
            open_draft(session, CallFacts(f"h-{len(seen)}", number="13800138000"), now=world.now)
        seen.append(imported(world))

    monkeypatch.setattr(bringing_in, "time", SimpleNamespace(sleep=somebody_calls))
    outcome = brought_in(world, many(10))
    assert (len(outcome.created), outcome.written) == (10, True)
    assert seen == [4, 8]
    with world.db.read() as session:
        made = [one for one in entries(session, world.people["auditor"], ZONE).items if one.action == "cases.imported"]
    assert sum(one.detail["rows"] for one in made) == 10


def test_an_import_that_fails_on_the_way_says_how_many_are_in_and_goes_on_from_there(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(bringing_in, "AT_ONCE", 4)
    real, asked = exchange.register, []

    def away_at_the_sixth(*args: Any, **more: Any) -> Any:
        asked.append(1)
        if len(asked) == 6:
            raise Busy()
        return real(*args, **more)

    monkeypatch.setattr(exchange, "register", away_at_the_sixth)
    with pytest.raises(Busy) as failed:
        brought_in(world, many(10))
    assert "已导入 4 件" in failed.value.message_zh
    assert failed.value.extra == {"imported": 4}
    assert imported(world) == 4
    again = brought_in(world, many(10))
    assert (len(again.created), again.unchanged, again.written) == (6, 4, True)
    assert imported(world) == 10


def test_the_same_table_twice_at_once_comes_in_once(world: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bringing_in, "AT_ONCE", 3)
    world.people["second"] = world.somebody(Role.section_head)
    known = exchange._known
    both = threading.Barrier(2)

    def known_to_neither(*args: Any) -> set[str]:
        found = known(*args)
        both.wait(10)
        return found

    monkeypatch.setattr(exchange, "_known", known_to_neither)
    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(lambda who: brought_in(world, many(12), who=who), ["head", "second"])
    assert one.written
    assert other.written
    assert sorted([*one.created, *other.created]) == sorted(f"M-{n}" for n in range(12))
    assert one.unchanged + other.unchanged == 12
    assert imported(world) == 12


def test_tables_over_http(browser: Callable[..., Browser], world: World):
    world.case()
    head = browser(Role.section_head)
    answer = head.send("POST", "/api/case-tables/export", json={"state": "registered"})
    assert answer.headers["content-disposition"] == 'attachment; filename="cases.csv"'
    assert len(table(answer.content)) == 2
    sent = {"file": ("cases.csv", (HEAD + "B-1,求助,停电,整栋停电,,,\r\n").encode("gb18030"))}
    assert head.send("POST", "/api/case-tables/import?dry_run=false", files=sent).json()["written"]
    assert browser(Role.agent).send("POST", "/api/case-tables/export", json={}).status_code == 403
    heads = table(head.get("/api/case-tables/blank").content)[0]
    assert heads == ["原编号", "类型", "标题", "内容", "姓名", "电话", "区域", "地址", "保密"]
    cells: dict[str, str | int | float] = {f"{letter}1": name for letter, name in zip("ABCDEFGHI", heads, strict=True)}
    cells |= {"A2": "X-1", "B2": "投诉", "C2": "停水", "D2": "三天没水", "F2": 13900000001, "I2": "~是", "A4": "X-2"}
    sent = {"file": ("cases.xlsx", workbook(cells))}
    tried = head.send("POST", "/api/case-tables/import", files=sent).json()
    assert {(one["row"], one["column"]) for one in tried["faults"]} == {(4, "类型"), (4, "标题"), (4, "内容")}
    sent = {"file": ("cases.xlsx", workbook({place: cells[place] for place in cells if place != "A4"}))}
    assert head.send("POST", "/api/case-tables/import?dry_run=false", files=sent).json()["created"] == ["X-1"]
    assert browser(Role.agent).get("/api/case-tables/blank").status_code == 403
