"""Cases as a table: what goes out is what the asker may see, what comes in is tried first and comes in once."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from zoneinfo import ZoneInfo

import pytest

from app.audit.service import entries
from app.auth.model import Role
from app.cases import exchange
from app.cases.queries import list_cases
from app.errors import Forbidden
from tests.case_kit.documents import workbook
from tests.case_kit.world import World
from tests.integration.web_browser import Browser

ZONE = ZoneInfo("Asia/Shanghai")
HEAD = "原编号,类型,标题,内容,姓名,电话,保密\r\n"


def table(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def exported(world: World, who: str) -> list[list[str]]:
    with world.db.session() as session:
        return table(exchange.export_cases(session, world.people[who], ZONE, {}, now=world.now))


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
    head = world.people["head"]
    wrong = HEAD + "A-1,投诉,停水,三天没水,王,139,\r\nA-1,抱怨,,内容,,,也许\r\n"
    with world.db.session() as session:
        faults = exchange.import_cases(session, head, wrong.encode(), dry_run=False, now=world.now).faults
    assert {(one.row, one.column) for one in faults} == {(3, "原编号"), (3, "类型"), (3, "标题"), (3, "保密")}
    right = HEAD + "A-1,投诉,停水,三天没水,王一,13900000001,\r\nA-2,咨询,公积金,怎么提取,,,是\r\n"
    with world.db.session() as session:
        tried = exchange.import_cases(session, head, right.encode(), dry_run=True, now=world.now)
        assert (tried.created, tried.written, tried.faults) == (["A-1", "A-2"], False, [])
        assert list_cases(session, head, ZONE).total == 0
        assert exchange.import_cases(session, head, right.encode(), dry_run=False, now=world.now).written
    with world.db.session() as session:
        again = exchange.import_cases(session, head, right.encode(), dry_run=False, now=world.now)
        assert (again.created, again.unchanged) == ([], 2)
        rows = list_cases(session, head, ZONE).items
        assert [(one.state, one.title, one.confidential) for one in rows] == [
            ("registered", "公积金", True),
            ("registered", "停水", False),
        ]
    with world.db.session() as session, pytest.raises(Forbidden):
        exchange.import_cases(session, world.people["taker"], right.encode(), dry_run=True)


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
