"""Call-backs, opening hours and announcements as the voice scripts use them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import select

from app.actor import SYSTEM, Actor
from app.announcements import service as announcements
from app.auth.model import Role
from app.callbacks import service as callbacks
from app.callbacks.model import AttemptOutcome
from app.callbacks.tables import Callback
from app.calls.model import CallFacts
from app.calls.service import find, record
from app.clock import to_ms
from app.db import Database
from app.errors import BadInput, Forbidden, Refused
from app.hours import service as hours
from app.hours.model import DayKind
from app.settings import Settings

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")
People = Callable[..., Actor]


def asked(db: Database, number: str = "13800138000", call_id: str = "h-1") -> Callback:
    return callbacks.request(db, CallFacts(call_id, number=number, language="yue", queue="general"), now=NOW)


def test_a_number_has_one_open_call_back_however_often_it_is_asked_for(db: Database):
    first, again = asked(db), asked(db, "+86 138 0013 8000", "h-2")
    assert first.id == again.id
    assert (first.state, first.language) == ("open", "yue")
    with db.read() as session:
        assert find(session, "h-1").outcome == "callback"  # type: ignore[union-attr]


def test_callers_who_press_at_the_same_moment_get_one_call_back(db: Database):
    ids: list[object] = []
    gate = threading.Barrier(6)

    def press(n: int) -> None:
        gate.wait()
        try:
            ids.append(asked(db, call_id=f"h-{n}").id)
        except Exception as error:
            ids.append(error)

    threads = [threading.Thread(target=press, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(ids)) == 1
    with db.read() as session:
        assert len(session.exec(select(Callback)).all()) == 1


@pytest.mark.parametrize("number", ["", "anonymous", "1"])
def test_a_withheld_number_cannot_be_called_back(db: Database, number: str):
    with pytest.raises(BadInput):
        asked(db, number)


def test_one_agent_takes_it_and_another_cannot(db: Database, person: People):
    mine, other = person(agent_id="1001"), person(agent_id="1002")
    row = asked(db)
    for _ in range(2):  # a double click
        assert callbacks.take(db, mine, row.id or 0).attempts == 1
    with pytest.raises(Refused):
        callbacks.take(db, other, row.id or 0)
    with pytest.raises(Forbidden):
        callbacks.take(db, person(Role.auditor), row.id or 0)


def test_after_three_misses_it_is_given_up_and_may_be_asked_for_anew(db: Database, person: People):
    agent = person(agent_id="1001")
    row = asked(db)
    for state in ("open", "open", "given_up"):
        callbacks.take(db, agent, row.id or 0)
        assert callbacks.missed(db, row.id or 0, "no answer").state == state
    assert asked(db, call_id="h-9").id != row.id


def test_a_citizen_who_calls_again_and_is_served_needs_no_call_back(db: Database):
    row = asked(db)
    with db.session() as session:
        callbacks.answered_meanwhile(session, "13800138000")
        callbacks.answered_meanwhile(session, "110")
    with db.read() as session:
        assert session.get(Callback, row.id).state == "done"  # type: ignore[union-attr]


def taken(db: Database, agent: Actor, call_id: str = "h-1") -> tuple[int, int]:
    """A call-back that this agent has taken: (id, the attempt)."""
    row = callbacks.take(db, agent, asked(db, call_id=call_id).id or 0, now=NOW)
    return row.id or 0, to_ms(row.taken_at or NOW)


def test_an_attempt_is_settled_once_however_often_it_is_told(db: Database, person: People):
    agent = person(agent_id="1001")
    row, attempt = taken(db, agent)
    assert callbacks.settle(db, row, attempt, AttemptOutcome.missed, "busy")
    assert not callbacks.settle(db, row, attempt, AttemptOutcome.missed, "busy")
    assert not callbacks.settle(db, row, attempt, AttemptOutcome.reached)
    with db.read() as session:
        known = callbacks.get(session, agent, row)
        assert (known.state, known.attempts, known.result, known.agent_id) == ("open", 1, "busy", None)
    again = callbacks.take(db, agent, row, now=NOW + timedelta(minutes=5))
    assert not callbacks.settle(db, row, attempt, AttemptOutcome.reached), "the earlier attempt, told late"
    assert callbacks.settle(db, row, to_ms(again.taken_at or NOW), AttemptOutcome.reached)
    with db.read() as session:
        known = callbacks.get(session, agent, row)
        assert (known.state, known.attempts, known.result) == ("done", 2, "reached")


def test_an_attempt_for_which_nobody_was_rung_does_not_count(db: Database, person: People):
    agent = person(agent_id="1001")
    for minute in range(5):
        row, _ = taken(db, agent)
        with db.read() as session:
            attempt = to_ms(callbacks.get(session, agent, row).taken_at or NOW)
        assert callbacks.settle(db, row, attempt, AttemptOutcome.not_dialled, f"{minute}")
    with db.read() as session:
        known = callbacks.get(session, agent, row)
        assert (known.state, known.attempts) == ("open", 0)


@pytest.mark.parametrize(
    ("call", "state"),
    [
        ({}, "taken"),
        ({"answered_at": NOW + timedelta(seconds=9)}, "done"),
        ({"ended_at": NOW + timedelta(seconds=9)}, "open"),
        ({"answered_at": NOW + timedelta(seconds=9), "number": "13900000000"}, "taken"),
        ({"answered_at": NOW + timedelta(seconds=9), "agent_id": "1002"}, "taken"),
        ({"answered_at": NOW + timedelta(seconds=9), "direction": "in"}, "taken"),
        ({"answered_at": NOW - timedelta(seconds=9), "started_at": NOW - timedelta(seconds=20)}, "taken"),
    ],
)
def test_what_nobody_told_of_is_settled_from_the_stored_calls(
    db: Database, person: People, call: dict[str, object], state: str
):
    agent = person(agent_id="1001")
    row, _ = taken(db, agent)
    facts = {"number": "13800138000", "agent_id": "1001", "direction": "out", "started_at": NOW, **call}
    record(db, "h-out", **facts)
    assert callbacks.settle_forgotten(db, {row}) == 0, "an attempt that goes on is left alone"
    assert callbacks.settle_forgotten(db, set()) == int(state != "taken")
    with db.read() as session:
        assert callbacks.get(session, agent, row).state == state


def test_open_call_backs_are_listed_first_and_oldest_first(db: Database, person: People):
    agent = person(agent_id="1001")
    ids = [asked(db, f"1390000000{n}", f"h-{n}").id or 0 for n in range(3)]
    callbacks.cancel(db, agent, ids[0])
    with db.read() as session:
        page = callbacks.list_callbacks(session, agent)
        assert [row.id for row in page.items] == [ids[1], ids[2], ids[0]]
        assert callbacks.callback_json(session, agent, page.items[0])["number"] == "13900000001"


def test_special_days_override_every_days_hours(db: Database, settings: Settings, person: People):
    leader = person(Role.duty_leader)
    noon = datetime(2026, 10, 1, 12, 0, tzinfo=ZONE)
    assert hours.is_open(db, noon, settings).open
    with db.session() as session:
        hours.set_special_day(session, leader, date(2026, 10, 1), DayKind.closed)
    state = hours.is_open(db, noon, settings)
    assert (state.open, state.reason) == (False, "closed")
    assert state.next_open == datetime(2026, 10, 2, 8, 0, tzinfo=ZONE)
    with db.session() as session:
        hours.set_special_day(session, leader, date(2026, 10, 1), DayKind.makeup, opens="11:00", closes="13:00")
    assert hours.is_open(db, noon, settings).reason == "makeup"
    with db.session() as session:
        hours.remove_special_day(session, leader, date(2026, 10, 1))
    assert hours.is_open(db, noon, settings).reason == "hours"


def test_half_written_hours_and_strangers_are_refused(db: Database, person: People):
    with pytest.raises(BadInput), db.session() as session:
        hours.set_special_day(session, SYSTEM, date(2026, 10, 1), DayKind.holiday, opens="09:00")
    agent = person(agent_id="1001")
    with pytest.raises(Forbidden), db.session() as session:
        hours.set_special_day(session, agent, date(2026, 10, 1), DayKind.closed)


def test_announcements_are_heard_while_they_are_on_most_urgent_first(db: Database):
    hour = timedelta(hours=1)
    with db.session() as session:
        made = [
            announcements.create(session, SYSTEM, {"zh": text, "en": "e"}, start, end, priority=priority, now=NOW)
            for text, start, end, priority in (
                ("停水", NOW - hour, NOW + hour, 0),
                ("爆管", NOW - hour, NOW + hour, 5),
                ("明天", NOW + hour, NOW + 2 * hour, 9),
            )
        ]
    with db.read() as session:
        heard = announcements.active(session, NOW)
    assert [announcements.text_for(row, "zh") for row in heard] == ["爆管", "停水"]
    assert announcements.text_for(heard[0], "yue") == "爆管"
    assert announcements.text_for(heard[0], "en") == "e"
    with db.session() as session:
        announcements.end(session, SYSTEM, made[1].id or 0, now=NOW)
    with db.read() as session:
        assert len(announcements.active(session, NOW)) == 1


@pytest.mark.parametrize(
    ("texts", "minutes"),
    [({}, 60), ({"en": "only English"}, 60), ({"zh": "x" * 301}, 60), ({"zh": "x"}, -1), ({"zh": "x", "fr": "y"}, 60)],
)
def test_announcements_nobody_could_understand_are_refused(db: Database, texts: dict[str, str], minutes: int):
    with pytest.raises(BadInput), db.session() as session:
        announcements.create(session, SYSTEM, texts, NOW, NOW + timedelta(minutes=minutes), now=NOW)
