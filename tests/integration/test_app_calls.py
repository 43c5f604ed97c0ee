"""What is known of calls: facts in any order become one truth."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import permutations
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event

from app.actor import SYSTEM, Actor
from app.auth.model import Role
from app.calls import service
from app.calls.tables import Call
from app.citizens import service as citizens
from app.db import Database
from app.errors import BadInput, NotFound, VersionConflict
from app.measures.service import figures

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")
People = Callable[..., Actor]


def stored(db: Database, call_id: str = "h-1.1") -> Call:
    with db.read() as session:
        call = service.find(session, call_id)
    assert call is not None
    return call


def test_facts_may_come_in_any_order_and_more_than_once(db: Database):
    facts = [
        {"number": "13800138000", "started_at": NOW, "line": "12345"},
        {"joined_at": NOW + timedelta(seconds=20), "queue": "general", "language": "yue"},
        {"answered_at": NOW + timedelta(seconds=30), "agent_id": "1001", "outcome": "answered"},
    ]
    for n, order in enumerate(permutations(facts)):
        for fact in (*order, *order):
            service.record(db, f"h-{n}", **fact)
        call = stored(db, f"h-{n}")
        assert (call.number, call.language, call.agent_id) == ("13800138000", "yue", "1001")
        assert service.facts_of(call).waited_s == 10
        assert call.started_at == NOW


def test_many_calls_are_merged_as_one_after_the_other_by_a_few_statements(db: Database):
    with db.session() as session:
        citizen = citizens.create(session, SYSTEM, numbers=["13800138000"], name="王芳")
        session.flush()
        known = citizen.id
    batch = [(f"h-{n}", {"number": f"1380013800{n % 3}", "started_at": NOW, "joined_at": NOW}) for n in range(9)]
    later = [(f"h-{n}", {"agent_id": "1001", "joined_at": NOW - timedelta(seconds=n)}) for n in range(9)]
    read: list[str] = []

    def watch(_c: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.lstrip().upper().startswith("SELECT"):
            read.append(statement)

    event.listen(db.engine, "before_cursor_execute", watch)
    with db.session() as session:
        service.merge_all(session, [*batch, *later, *batch])
    event.remove(db.engine, "before_cursor_execute", watch)
    assert len(read) <= 3
    for n in range(9):
        call = stored(db, f"h-{n}")
        assert (call.agent_id, call.joined_at) == ("1001", NOW - timedelta(seconds=n))
        assert call.citizen_id == (known if n % 3 == 0 else None)


def test_nothing_erases_and_the_first_join_stays(db: Database):
    service.record(db, "h-1.1", number="13800138000", joined_at=NOW)
    service.record(db, "h-1.1", number=None, joined_at=NOW + timedelta(minutes=5), agent_id=None)
    call = stored(db)
    assert (call.number, call.joined_at) == ("13800138000", NOW)


def test_two_parts_that_record_at_once_make_one_call(db: Database):
    failed: list[BaseException] = []
    gate = threading.Barrier(6)

    def write(n: int) -> None:
        try:
            gate.wait()
            service.record(db, "h-1.1", number="13800138000", priority=n)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert stored(db).number == "13800138000"


@pytest.mark.parametrize("call_id", ["", "../../etc/passwd", "a b", "x" * 65, "h\n1", "..."])
def test_an_impossible_call_id_is_refused(db: Database, call_id: str):
    with pytest.raises(BadInput):
        service.record(db, call_id, number="1")


def test_unknown_facts_are_refused_and_hostile_ones_made_harmless(db: Database):
    with pytest.raises(BadInput):
        service.record(db, "h-1.1", colour="red")
    service.record(db, "h-1.1", number="138\r\n00138000<script>", name="王\0芳" * 100, path="a" * 2000)
    call = stored(db)
    assert call.number == "13800138000"
    assert len(call.name) <= 64
    assert "\0" not in call.name
    assert len(call.path) == 500


def test_a_known_number_names_its_citizen(db: Database):
    with db.session() as session:
        citizen_id = citizens.create(session, SYSTEM, numbers=["13800138000"], name="王芳").id
    service.record(db, "h-1.1", number="008613800138000")
    assert stored(db).citizen_id == citizen_id


def test_calls_without_an_end_are_found_again(db: Database):
    service.record(db, "h-1", started_at=NOW)
    service.record(db, "h-2", started_at=NOW, ended_at=NOW)
    assert [facts.call_id for facts in service.open_calls(db)] == ["h-1"]


def test_lists_find_by_number_case_agent_and_day(db: Database, person: People):
    chief = person(Role.supervisor)
    for n in range(5):
        service.record(db, f"h-{n}", number=f"1380013800{n}", started_at=NOW + timedelta(days=n), agent_id=f"100{n}")
    with db.read() as session:
        ids = [call.call_id for call in service.list_calls(session, chief, ZONE).items]
        assert ids == ["h-4", "h-3", "h-2", "h-1", "h-0"]
        assert service.list_calls(session, chief, ZONE, number="13800138003").total == 1
        assert service.list_calls(session, chief, ZONE, q="138001380").total == 5
        assert service.list_calls(session, chief, ZONE, q="1002").total == 1
        assert service.list_calls(session, chief, ZONE, q="h-2").total == 1
        assert service.list_calls(session, chief, ZONE, from_=NOW.date(), to=NOW.date()).total == 1
        assert service.list_calls(session, chief, ZONE, q="_").total == 0


def test_a_number_belongs_to_one_citizen(db: Database):
    with db.session() as session:
        citizens.create(session, SYSTEM, numbers=["13800138000"])
    with pytest.raises(BadInput), db.session() as session:
        citizens.create(session, SYSTEM, numbers=["+8613800138000"])


def test_a_citizen_is_changed_by_version(db: Database, person: People):
    agent = person(agent_id="1001")
    with db.session() as session:
        citizen_id = citizens.create(session, SYSTEM, numbers=["13800138000"], name="王芳").id or 0
    with db.session() as session:
        citizens.change(session, agent, citizen_id, {"flags": ["elderly"], "numbers": ["02155551234"]}, 1)
    with pytest.raises(VersionConflict), db.session() as session:
        citizens.change(session, agent, citizen_id, {"name": "x"}, 1)
    with db.read() as session:
        assert citizens.flags_for(session, "021 5555 1234") == {"elderly"}
        assert citizens.match(session, "13800138000") is None
    assert citizens.flags_by_number(db, "021 5555 1234") == {"elderly"}
    assert citizens.flags_by_number(db, "") == citizens.flags_by_number(db, "110") == frozenset()
    with db.session() as session:
        citizens.change(session, agent, citizen_id, {"language": "yue", "flags": []})
    assert citizens.flags_by_number(db, "02155551234") == {"language:yue"}
    with pytest.raises(NotFound), db.session() as session:
        citizens.change(session, agent, 99, {"name": "x"})


def test_the_figures_count_the_last_24_hours_across_midnight(db: Database):
    def call(n: int, joined_s: int, answered_s: int | None, ended_s: int | None, **more: object) -> None:
        at = lambda s: None if s is None else NOW + timedelta(seconds=s)  # noqa: E731
        service.record(
            db, f"h-{n}", started_at=at(joined_s), joined_at=at(joined_s), answered_at=at(answered_s),
            ended_at=at(ended_s), **more,
        )  # fmt: skip

    call(1, -90_000, -89_999, -89_000)  # more than a day ago
    call(2, -80_000, -79_990, -79_000, outcome="answered")  # yesterday, answered in 10 s
    call(3, -3600, -3580, -3000, outcome="answered")  # in 20 s
    call(4, -1800, None, -1700, outcome="abandoned")
    call(5, -10, None, None)  # still within its 15 s: not judged
    call(6, -60, None, None)  # waits too long already
    with db.read() as session:
        found = figures(session, NOW)
    assert found.answered_in_target.to_json() == {"num": 1, "den": 4, "rate": 0.25}
    assert (found.connected.numerator, found.connected.denominator) == (2, 3)
    assert (found.offered, found.abandoned) == (5, 1)


def test_no_calls_give_no_rate_rather_than_zero(db: Database):
    with db.read() as session:
        assert figures(session, NOW).to_json()["connect_24h"] == {"num": 0, "den": 0, "rate": None}
