"""The search index on both databases: what is found, in which order, by which means; bad input finds nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app.db import Database
from app.knowledge.tables import KNOWLEDGE_INDEX
from app.search.index import ANYWHERE, PLAIN, Entry, Hit, Scope, index_of
from app.search.tokens import sought

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
DAY = timedelta(days=1)
Find = Callable[..., list[int]]


def keep(db: Database, *entries: Entry) -> None:
    with db.session() as session:
        index = index_of(KNOWLEDGE_INDEX, session)
        for entry in entries:
            index.put(session, entry)


def hits(db: Database, text: str, audiences: tuple[str, ...] = ("",), limit: int = 20) -> list[Hit]:
    with db.read() as session:
        return index_of(KNOWLEDGE_INDEX, session).find(session, text, Scope(NOW, audiences), limit)


@pytest.fixture
def find(db: Database) -> Find:
    return lambda text, *more: [hit.subject_id for hit in hits(db, text, *more)]


@pytest.mark.parametrize("db_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("wanted", ["on", "off"])
def test_after_a_search_the_server_does_what_its_administrator_wants(db: Database, wanted: str):
    with db.engine.begin() as connection:
        name = connection.exec_driver_sql("SELECT current_database()").scalar_one()
        for setting in ("jit", "enable_seqscan"):
            connection.exec_driver_sql(f'ALTER DATABASE "{name}" SET {setting} = {wanted}')
    db.dispose()
    with db.read() as session:
        with index_of(KNOWLEDGE_INDEX, session).asking(session):
            assert [session.execute(sa.text(f"SHOW {one}")).scalar_one() for one in PLAIN] == list(PLAIN.values())
        found = [session.execute(sa.text(f"SHOW {one}")).scalar_one() for one in PLAIN]
        assert found[:2] == [wanted, wanted]
        assert found[2] != PLAIN["max_parallel_workers_per_gather"]


def test_a_word_of_two_characters_finds_title_before_question_before_body(db: Database, find: Find):
    keep(
        db,
        Entry(1, ("自来水", "水压", "停水时怎么办"), weight=90),
        Entry(2, ("自来水", "什么时候停水", ""), weight=50),
        Entry(3, ("停水通知", "", "")),
        Entry(4, ("停电通知", "", "")),
    )
    assert find("停水") == [3, 2, 1]
    assert find("停水 通知") == [3]
    assert find("水") == [1, 2, 3], "at the end of a word as well as at its beginning"
    assert find("停") == [4, 3, 2, 1]


def test_what_fits_equally_well_is_ordered_by_use_then_by_recency(db: Database, find: Find):
    keep(
        db,
        Entry(1, ("停水", "", ""), moment=NOW),
        Entry(2, ("停水", "", ""), weight=2, moment=NOW - DAY),
        Entry(3, ("停水", "", ""), moment=NOW - DAY),
    )
    assert find("停水") == [2, 1, 3]
    with db.session() as session:
        index_of(KNOWLEDGE_INDEX, session).weigh(session, 3, 9)
    assert find("停水") == [3, 2, 1]


def test_what_is_over_comes_last_and_what_is_not_for_the_asker_not_at_all(db: Database, find: Find):
    keep(
        db,
        Entry(1, ("停水", "", ""), until=NOW, weight=9),
        Entry(2, ("通知", "", "停水"), until=NOW + DAY),
        Entry(3, ("停水", "", ""), audience="internal"),
    )
    assert find("停水") == [2, 1]
    assert find("停水", ("", "internal")) == [3, 2, 1]
    assert find("停水", ("",), 1) == [2]


def test_an_entry_is_replaced_and_removed_as_a_whole(db: Database, find: Find):
    keep(db, Entry(1, ("停水", "", "")), Entry(2, ("停水", "", "")))
    keep(db, Entry(1, ("停电", "", "")))
    assert (find("停水"), find("停电")) == ([2], [1])
    with db.session() as session:
        index = index_of(KNOWLEDGE_INDEX, session)
        index.remove(session, 2)
        index.remove(session, 4711)
    assert find("停水") == []


def test_what_a_failed_transaction_wrote_is_not_found(db: Database, find: Find):
    with pytest.raises(RuntimeError), db.session() as session:  # noqa: PT012
        index_of(KNOWLEDGE_INDEX, session).put(session, Entry(1, ("停水", "", "")))
        raise RuntimeError("boom")
    assert find("停水") == []


def test_a_sentence_finds_by_its_rarest_words_what_has_not_all_of_them(db: Database):
    keep(db, *(Entry(n, ("怎么办理", "我家怎么办", "")) for n in range(1, 30)), Entry(30, ("水管爆裂抢修", "", "")))
    assert hits(db, "我家水管爆了怎么办") == [Hit(30, partly=True)]
    assert hits(db, "水管爆裂") == [Hit(30)]


BAD = (
    *("", '"', "'", '""停水', "停水 AND", "NOT 停水 OR", "c停水*", "words:停水", "停水:*", "(停水", "停水 & !", "\\"),
    *("%_", "😀", "\0停\0水", "停" * 10_000, "x" * 10_000, "a1 " * 5_000, "\ud800", "{a b}:c", "^停水", "NEAR(停 水)"),
)


def test_whatever_is_typed_finds_or_finds_nothing_and_never_raises(db: Database):
    keep(db, Entry(1, ("停水", "", "")))
    for query in BAD:
        assert {hit.subject_id for hit in hits(db, query)} <= {1}, query[:20]


def test_the_index_is_asked_and_not_every_entry_read(db: Database):
    with db.session() as session:
        index = index_of(KNOWLEDGE_INDEX, session)
        for n in range(1, 200):
            index.put(session, Entry(n, ("停水" if n % 2 else "停电", "", "")))
    asked: list[tuple[str, Any]] = []
    with db.read() as session:
        connection = session.connection()
        sa.event.listen(connection, "before_cursor_execute", lambda *it: asked.append((it[2], it[3])))
        index = index_of(KNOWLEDGE_INDEX, session)
        assert len(index.find(session, "停水", Scope(NOW))) == 20
        sql, values = next(one for one in asked if "MATCH" in one[0] or "@@" in one[0])
        explain = "EXPLAIN" if db.dialect == "postgresql" else "EXPLAIN QUERY PLAN"
        with index.asking(session):
            rows = connection.exec_driver_sql(f"{explain} {sql}", values).all()
    plan = "\n".join(str(row) for row in rows)
    if db.dialect == "postgresql":
        assert "Bitmap Index Scan on knowledge_index_fts" in plan
        assert "Seq Scan" not in plan
    else:
        assert "SCAN knowledge_index_fts VIRTUAL TABLE INDEX" in plan
        assert "SEARCH knowledge_index USING INTEGER PRIMARY KEY" in plan


def test_the_newest_are_read_in_turn_and_no_further_than_is_asked(db: Database):
    early, late = "停水 去年", "停水 今年"
    keep(db, *(Entry(n, (early if n < 4 else late, "", "")) for n in range(1, 7)))
    with db.read() as session:
        index = index_of(KNOWLEDGE_INDEX, session)
        older, newer = (index.all_of(sought(text), ANYWHERE) for text in (early, late))
        gap = index.all_of(sought("停电"), ANYWHERE)
        assert index.newest(session, [[newer, older]], 2) == [6, 5]
        assert index.newest(session, [[newer, older]], 4) == [6, 5, 4, 3]
        assert index.newest(session, [[gap], [newer, older], [older]], 4) == [3, 6, 5, 4, 2, 1]
