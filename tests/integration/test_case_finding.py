"""Cases are found by the words that people type, for those who may know of them, and never betray a citizen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from app.assignments import giving
from app.assignments.giving import Gift
from app.auth.model import Role
from app.cases import loop, service
from app.cases.finding import SPAN, keep, number_begun
from app.cases.model import HandlingWay
from app.cases.tables import CASE_INDEX
from app.migrations import run
from app.paging import MOST_COUNTED, Leaf, counted, page_of
from app.search.index import index_of
from tests.case_kit.world import World

ZONE = ZoneInfo("Asia/Shanghai")
WATER = {"type": "complaint", "title": "小区停水两天", "content": "从周一早上开始没有自来水，物业不解释"}
LIGHT = {"type": "complaint", "title": "路灯不亮", "content": "人民路路灯三天不亮，停水那天就坏了"}


def found(world: World, who: str, words: str, **more: Any) -> list[int]:
    with world.db.read() as session:
        page = service.list_cases(session, world.people[who], ZONE, q=words, **more)
        assert page.total == len(page.items)
        return [case.id or 0 for case in page.items]


def test_a_word_of_two_characters_finds_title_content_area_and_address_the_newest_first(world: World):
    water, light = world.case(WATER, area="城南区"), world.case(LIGHT, area="城北区")
    assert found(world, "taker", "停水") == [light, water]
    assert found(world, "taker", "路灯 人民") == [light]
    assert found(world, "taker", "城南") == [water]
    assert found(world, "taker", "幸福里") == [light, water]
    assert found(world, "taker", "王小明") == [light, water]
    assert found(world, "taker", "停气") == []


def test_conditions_of_the_list_hold_for_what_is_found(world: World):
    water, light = world.case(WATER), world.case(LIGHT)
    world.act("taker", loop.submit, water)
    assert found(world, "taker", "停水", state="to_dispatch") == [water]
    assert found(world, "taker", "停水", number="13800138000") == [light, water]
    assert found(world, "taker", "停水", number="13900139000") == []


def test_a_draft_is_found_by_words_when_it_is_registered_and_by_its_new_words_when_it_is_amended(world: World):
    taker = world.people["taker"]
    with world.db.session() as session:
        case = service.create_manual(session, taker, WATER, now=world.now)
    assert found(world, "taker", "停水") == []
    with world.db.session() as session:
        service.register(session, taker, case.id or 0, {}, 1, now=world.now)
    assert found(world, "taker", "停水") == [case.id]
    with world.db.session() as session:
        service.amend_or_autosave(session, taker, case.id or 0, {"title": "小区停电"}, 2, now=world.now)
    assert (found(world, "taker", "停水"), found(world, "taker", "停电")) == ([], [case.id])


def test_what_a_failed_transaction_registered_is_not_found(world: World):
    taker = world.people["taker"]
    with pytest.raises(RuntimeError), world.db.session() as session:  # noqa: PT012
        case = service.create_manual(session, taker, WATER, now=world.now)
        service.register(session, taker, case.id or 0, {}, 1, now=world.now)
        raise RuntimeError("killed")
    assert found(world, "taker", "停水") == []


def test_without_its_index_nothing_is_found_by_words(world: World):
    case_id = world.case(WATER)
    with world.db.session() as session:
        index_of(CASE_INDEX, session).remove(session, case_id)
    assert found(world, "taker", "停水") == []


def test_a_search_never_finds_a_citizen_whom_the_asker_may_not_see(world: World):
    world.case(WATER, confidential=True, address="保密巷 9 号", caller_name="李秘密")
    secret = found(world, "head", "停水")
    assert len(secret) == 1
    other = world.somebody(Role.dispatcher)  # sees personal data, but none of those who asked for secrecy
    for who, actor in (("dispatcher", other), ("mayor", world.people["mayor"]), ("auditor", world.people["auditor"])):
        world.people["asker"] = actor
        assert found(world, "asker", "停水") == secret, who
        for words in ("保密巷", "李秘密", "停水 保密巷"):
            assert found(world, "asker", words) == [], who
    assert found(world, "head", "保密巷") == secret
    assert found(world, "head", "停水 李秘密") == secret


def test_whoever_is_named_in_a_text_or_an_area_is_not_found_by_it(world: World):
    told = {**WATER, "title": "王小明家停水", "content": "王小明（138 0013-8000，住幸福里5号）没有自来水"}
    case_id, _ = world.dispatched("WATER", case_id=world.case(told, area="城南区王小明"))
    assert found(world, "WATER.handler", "停水 城南区") == [case_id]
    for words in ("王小明", "13800138000", "0013", "幸福里"):
        assert found(world, "WATER.handler", words) == []


def test_a_citizen_who_asks_for_secrecy_later_is_not_found_any_more(world: World):
    case_id = world.case(WATER)
    assert found(world, "dispatcher", "幸福里") == [case_id]
    with world.db.session() as session:
        session.execute(sa.text("UPDATE citizen SET confidential = true"))
    assert found(world, "dispatcher", "幸福里") == []
    assert found(world, "dispatcher", "停水") == [case_id]


def test_a_unit_finds_what_it_was_given_and_no_longer_what_was_taken_from_it(world: World):
    case_id, _ = world.dispatched("WATER", "CITY", case_id=world.case(WATER))
    other = world.case(LIGHT)
    assert found(world, "WATER.handler", "停水") == [case_id]
    assert found(world, "CITY.handler", "停水") == [case_id]
    assert found(world, "WATER-S.handler", "停水") == []
    world.work("dispatcher", giving.withdraw, world.work_of(case_id, "CITY"), "不需要")
    assert found(world, "CITY.handler", "停水") == []
    world.dispatched("CITY", case_id=other)
    assert found(world, "CITY.handler", "停水") == [other]
    assert found(world, "WATER.handler", "幸福里") == []


def test_a_unit_that_joins_later_finds_the_case_too(world: World):
    case_id, _ = world.dispatched("WATER", case_id=world.case(WATER))
    world.act("dispatcher", giving.dispatch, case_id, HandlingWay.coordinated, [Gift(world.units["CITY"])])
    assert found(world, "CITY.handler", "停水") == [case_id]


HOSTILE = (
    *('"', "'", '""停水', "NOT 停水 OR", "c停水*", "words:停水", "停水:*", "(停水", "停水 & !", "\\", "%", "_", "😀"),
    *(
        "停" * 500,
        "x" * 500,
        "tu1",
        "tm202611",
        "\0停",
        "{a b}:c",
        "^停水",
        "NEAR(停 水)",
        "--",
        ";DROP TABLE case_file",
    ),
)


@pytest.mark.parametrize("who", ["taker", "head", "mayor", "WATER.handler"])
def test_whatever_is_typed_finds_or_finds_nothing_and_never_raises(world: World, who: str):
    case_id, _ = world.dispatched("WATER", case_id=world.case(WATER))
    for words in HOSTILE:
        assert set(found(world, who, words)) <= {case_id}, words[:20]
        if words in ("tu1", "tm202611", "%", "_", "😀"):
            assert found(world, who, words) == [], words


def test_a_case_number_is_found_from_its_month_on(world: World):
    first, second = world.case(WATER), world.case(LIGHT)
    assert found(world, "taker", "202611") == [second, first]
    assert found(world, "taker", "20261124-000002") == [second]
    assert found(world, "taker", "２０２６１１２４ 000002") == [second]
    assert found(world, "taker", "20261125") == []
    assert found(world, "taker", "20261124-00000") == [second, first]


@pytest.mark.parametrize(
    ("typed", "sought"),
    [
        ("202611", ("202611", "202612")),
        ("2026112", ("2026112", "2026113")),
        ("20261124", ("20261124", "20261125")),
        ("20261124-0001", ("20261124-0001", "20261124-0002")),
        ("20261124 0001", ("20261124-0001", "20261124-0002")),
        ("20261124-999999", ("20261124-999999", "20261124-9999990")),
        ("202613", None),
        ("20255512", None),
        ("停水", None),
        ("13800138000", None),
        ("2026", None),
        ("", None),
    ],
)
def test_what_begins_like_a_case_number_is_one(typed: str, sought: tuple[str, str] | None):
    assert number_begun(typed) == sought


def test_a_long_list_is_counted_no_further_than_needed_and_leafed_through_to_its_end(world: World):
    many = MOST_COUNTED + 60
    numbers = (
        sa.text(f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {many}) SELECT i FROM n")
        .columns(sa.column("i", sa.Integer))
        .subquery()
    )
    with world.db.read() as session:
        assert counted(session, sa.select(numbers.c.i)) == MOST_COUNTED
        first = page_of(session, sa.select(numbers.c.i).order_by(numbers.c.i), Leaf(1, 50))
        last = page_of(session, sa.select(numbers.c.i).order_by(numbers.c.i), Leaf(12, 50))
    assert (first.total, len(first.items)) == (MOST_COUNTED, 50)
    assert (last.total, last.items) == (many, list(range(551, 561)))


@pytest.mark.parametrize("common", [1, 5])
def test_a_word_is_leafed_through_in_order_however_few_days_are_read_for_the_first_page(
    world: World, common: int, monkeypatch: pytest.MonkeyPatch
):
    """Some weeks hold `common` cases of one word each; before it was rare, and long ago common."""
    monkeypatch.setattr("app.paging.MOST_COUNTED", 2)
    today = datetime.now(UTC)
    for days in (900, 901, 902, 903, 400, *[60] * common, *[3] * common):
        world.now = today - timedelta(days=days)
        world.case(WATER)
    read: list[str] = []
    with world.db.read() as session:
        everything = service.list_cases(session, world.people["taker"], ZONE, q="停水", leaf=Leaf(1, 100))
        sa.event.listen(session.get_bind(), "before_cursor_execute", lambda *told: read.append(str(told[3])))
        leaves = [Leaf(n, 2) for n in range(1, 9)]
        pages = [service.list_cases(session, world.people["taker"], ZONE, q="停水", leaf=leaf) for leaf in leaves]
    assert len(everything.items) == 5 + 2 * common
    assert [case.id for page in pages for case in page.items] == [case.id for case in everything.items]
    assert [case.id for case in everything.items] == sorted((case.id or 0 for case in everything.items), reverse=True)
    if world.db.dialect == "postgresql" and common > 1:
        first = next(told for told in read if "'c停水'" in told)
        assert f"'td{today.toordinal() // SPAN}'" in first, "for the first page the latest days are enough"


def test_cases_that_were_there_before_the_index_are_found_after_the_migration(world: World, db_url: str):
    told = {**WATER, "title": "王小明家停水两天", "content": "王小明（138 0013-8000，住幸福里5号）没有自来水"}
    case_id, _ = world.dispatched("WATER", case_id=world.case(told, area="城南区王小明"))
    with world.db.session() as session:
        draft = service.create_manual(session, world.people["taker"], LIGHT, now=world.now)
    world.db.dispose()
    run.downgrade(db_url, "0010")
    run.upgrade(db_url)
    assert found(world, "taker", "停水") == [case_id]
    assert found(world, "taker", "王小明") == [case_id]
    assert found(world, "WATER.handler", "停水") == [case_id]
    assert found(world, "WATER.handler", "城南区") == [case_id]
    for words in ("王小明", "13800138000", "0013", "幸福里"):
        assert found(world, "WATER.handler", words) == [], "a unit finds nobody by what was written into a text"
    assert draft.id not in found(world, "taker", "停水")
    with world.db.session() as session:  # and the old entry can be exchanged for a new one
        stored = world.stored(session, case_id)
        words = session.execute(sa.select(CASE_INDEX.c.words)).scalar_one()
        keep(session, stored)
        session.flush()
        again = session.execute(sa.select(CASE_INDEX.c.words)).scalar_one()
    assert sorted(words.split()) == sorted(again.split())
