"""Call-backs: one promise per number, one agent at a time, and an end that somebody sees."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import select

from agi_scripts.services import Standing
from app.actor import SYSTEM, Actor
from app.audit.tables import AuditEntry
from app.auth.model import Role
from app.callbacks import line
from app.callbacks import service as callbacks
from app.callbacks.model import NOT_ALLOWED, RETRY_AFTER, AttemptOutcome, LineStep, Place
from app.callbacks.tables import Callback
from app.calls.model import CallFacts
from app.calls.service import find, record
from app.clock import from_ms, to_ms
from app.db import Database
from app.destinations import Destinations
from app.errors import BadInput, Forbidden, Refused
from app.settings import Settings
from app.voice_services import VoiceServices
from tests.integration.web_browser import Browser

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
People = Callable[..., Actor]
RULE = Destinations()


def asked(db: Database, number: str = "13800138000", call_id: str = "h-1") -> Callback:
    facts = CallFacts(call_id, number=number, language="yue", queue="general")
    return callbacks.request(db, facts, RULE, now=NOW)


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


@pytest.mark.parametrize("number", ["110", "16887788", "+442071838750", "0085291234567"])
def test_a_number_outside_the_list_is_promised_no_call(db: Database, settings: Settings, number: str):
    with pytest.raises(BadInput, match="marked fields") as caught:
        asked(db, number)
    assert "不在可回拨范围内" in caught.value.fields["number"]
    assert not VoiceServices(settings, db).register_callback("h-1", number, "zh", Standing())
    with db.read() as session:
        assert session.exec(select(Callback)).all() == []


def test_a_number_has_one_open_call_back_in_every_spelling(db: Database, settings: Settings):
    also = settings.model_copy(update={"callback_allowed": ["mobile", "fixed", "hongkong"]})
    services = VoiceServices(also, db)
    for n, number in enumerate(("+85291234567", "00852 9123 4567", "13800138000", "008613800138000", "013800138000")):
        assert services.register_callback(f"h-{n}", number, "zh", Standing())
    with db.read() as session:
        numbers = {row.number for row in session.exec(select(Callback)).all()}
    assert numbers == {"+85291234567", "13800138000"}


def test_a_number_that_the_rule_refuses_later_ends_the_promise_before_a_supervisors_eyes(db: Database, person: People):
    row = asked(db)
    taken = callbacks.take(db, person(agent_id="1001"), row.id or 0, now=NOW)
    at = to_ms(taken.taken_at or NOW)
    assert callbacks.settle(db, row.id or 0, at, AttemptOutcome.refused, NOT_ALLOWED)
    assert not callbacks.settle(db, row.id or 0, at, AttemptOutcome.refused, NOT_ALLOWED), "told twice"
    ended = seen(db, row.id or 0)
    assert (ended.state, ended.result, ended.attempts, ended.open_for) == ("given_up", "not_allowed", 0, None)
    assert callbacks.reopen(db, person(Role.supervisor), row.id or 0).state == "open"


def test_one_agent_takes_it_and_another_cannot(db: Database, person: People):
    mine, other = person(agent_id="1001"), person(agent_id="1002")
    row = asked(db)
    for _ in range(2):  # a double click
        assert callbacks.take(db, mine, row.id or 0).attempts == 1
    with pytest.raises(Refused):
        callbacks.take(db, other, row.id or 0)
    with pytest.raises(Forbidden):
        callbacks.take(db, person(Role.auditor), row.id or 0)


def test_two_agents_who_take_it_at_the_same_moment_get_one_winner_and_the_other_is_told_who(
    db: Database, person: People
):
    agents = [person(agent_id=f"100{n}") for n in range(1, 5)]
    row = asked(db)
    gate, told = threading.Barrier(len(agents)), list[str | None]()

    def press(agent: Actor) -> None:
        gate.wait()
        try:
            told.append(None if callbacks.take(db, agent, row.id or 0) else "?")
        except Refused as refusal:
            told.append(refusal.message_zh)

    threads = [threading.Thread(target=press, args=(agent,)) for agent in agents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with db.read() as session:
        holder = callbacks.get(session, agents[0], row.id or 0)
    assert sorted(filter(None, told)) == [f"该回拨正由坐席 {holder.agent_id} 坐席{holder.agent_id} 处理。"] * 3
    assert holder.attempts == 1


def test_without_a_staff_number_there_is_no_telephone_to_call_from(db: Database, person: People):
    with pytest.raises(Refused):
        callbacks.take(db, person(Role.section_head), asked(db).id or 0)


def test_after_the_promised_tries_it_is_given_up_and_may_be_asked_for_anew(db: Database, person: People):
    agent = person(agent_id="1001")
    row = asked(db)
    for state in ("open", "open", "given_up"):
        callbacks.take(db, agent, row.id or 0)
        assert callbacks.missed(db, row.id or 0, "no answer").state == state
    assert asked(db, call_id="h-9").id != row.id
    with db.read() as session:
        page = callbacks.list_callbacks(session, person(Role.supervisor), state="given_up")
        assert [(one.id, one.result, one.agent_id) for one in page.items] == [(row.id, "no answer", "1001")]


def test_what_was_given_up_is_decided_about_by_whoever_leads_the_agents(db: Database, person: People):
    agent, chief = person(agent_id="1001"), person(Role.supervisor)
    row = callbacks.request(db, CallFacts("h-1", number="13800138000"), RULE, most_attempts=1, now=NOW)
    callbacks.take(db, agent, row.id or 0)
    callbacks.missed(db, row.id or 0, "busy")
    for step in (callbacks.reopen, callbacks.cancel):
        with pytest.raises(Forbidden):
            step(db, agent, row.id or 0)
    again = callbacks.reopen(db, chief, row.id or 0)
    assert (again.state, again.agent_id, again.closed_at, again.open_for) == ("open", None, None, "13800138000")
    callbacks.take(db, agent, row.id or 0)
    assert callbacks.missed(db, row.id or 0, "busy").state == "given_up", "it was one more try"
    asked(db, call_id="h-2")
    with pytest.raises(Refused):
        callbacks.reopen(db, chief, row.id or 0)
    assert callbacks.cancel(db, chief, row.id or 0).state == "cancelled"


def test_how_many_tries_are_promised_is_configured(db: Database, person: People, settings: Settings):
    once = settings.model_copy(update={"callback_attempts": 1})
    assert VoiceServices(once, db).register_callback("h-1", "13800138000", "zh", Standing())
    with db.read() as session:
        row = session.exec(select(Callback)).one()
    callbacks.take(db, person(agent_id="1001"), row.id or 0)
    assert callbacks.missed(db, row.id or 0, "busy").state == "given_up"


def test_a_miss_reported_twice_counts_once_and_the_next_try_waits(db: Database, person: People):
    row = asked(db)
    taken = callbacks.take(db, person(agent_id="1001"), row.id or 0, now=NOW)
    for _ in range(2):
        missed = callbacks.missed(db, row.id or 0, "no answer", attempt=taken.attempts, now=NOW)
        assert (missed.state, missed.attempts, missed.due_at) == ("open", 1, NOW + RETRY_AFTER)
    callbacks.take(db, person(agent_id="1002"), row.id or 0)
    late = callbacks.missed(db, row.id or 0, "no answer", attempt=taken.attempts)
    assert (late.state, late.agent_id) == ("taken", "1002"), "a late report of the first try ends no second one"


def test_a_citizen_who_was_reached_is_not_called_again_whatever_is_reported_later(db: Database, person: People):
    row = asked(db)
    callbacks.take(db, person(agent_id="1001"), row.id or 0)
    for _ in range(2):
        assert callbacks.reached(db, row.id or 0, now=NOW).closed_at == NOW
    after = callbacks.missed(db, row.id or 0, "no answer", now=NOW + RETRY_AFTER)
    assert (after.state, after.result, after.agent_id, after.closed_at) == ("done", "reached", "1001", NOW)


def test_what_was_taken_and_not_called_is_put_back_and_counts_no_try(db: Database, person: People):
    agent = person(agent_id="1001")
    row = asked(db)
    callbacks.take(db, agent, row.id or 0)
    for _ in range(2):
        back = callbacks.release(db, agent, row.id or 0)
        assert (back.state, back.attempts, back.agent_id) == ("open", 0, None)


def test_only_its_agent_or_a_supervisor_decides_about_what_is_taken_and_the_supervisor_is_audited(
    db: Database, person: People
):
    mine, other, chief = person(agent_id="1001"), person(agent_id="1002"), person(Role.supervisor)
    row = asked(db)
    callbacks.take(db, mine, row.id or 0)
    for step in (
        lambda: callbacks.release(db, other, row.id or 0),
        lambda: callbacks.reached(db, row.id or 0, by=other),
        lambda: callbacks.missed(db, row.id or 0, "", by=other),
        lambda: callbacks.cancel(db, other, row.id or 0),
    ):
        with pytest.raises(Refused):
            step()
    assert callbacks.release(db, chief, row.id or 0).state == "open"
    with db.read() as session:
        entry = session.exec(select(AuditEntry).where(AuditEntry.action == "callback.overridden")).one()
    assert (entry.user_id, entry.object) == (chief.user_id, f"callback:{row.id}")
    assert entry.detail == {"what": "release", "agent_id": "1001"}


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


def test_open_call_backs_are_listed_first_by_when_they_are_due_and_do_not_jump_when_taken(db: Database, person: People):
    agent = person(agent_id="1001")
    ids = [asked(db, f"1390000000{n}", f"h-{n}").id or 0 for n in range(4)]
    callbacks.cancel(db, agent, ids[0])
    callbacks.take(db, agent, ids[1])
    callbacks.missed(db, ids[1], "busy", now=NOW)
    callbacks.take(db, agent, ids[2])
    with db.read() as session:
        page = callbacks.list_callbacks(session, agent)
        assert [row.id for row in page.items] == [ids[2], ids[3], ids[1], ids[0]]
        first = callbacks.callback_json(session, agent, page.items[0])
    assert (first["number"], first["agent_id"], first["agent_name"]) == ("13900000002", "1001", "坐席1001")


def test_over_rest_the_second_agent_is_told_who_has_it(browser: Callable[..., Browser], db: Database):
    path = f"/api/callbacks/{asked(db).id}"
    one, two = browser(agent_id="1001"), browser(agent_id="1002")
    taken = one.send("POST", f"{path}/take").json()
    assert (taken["state"], taken["attempts"], taken["most_attempts"]) == ("taken", 1, 3)
    refused = two.send("POST", f"{path}/take")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "taken")
    assert "1001" in refused.json()["error"]["message"]
    assert two.get(path).json()["agent_id"] == "1001", "seen by the others"
    assert one.send("POST", f"{path}/release").json()["state"] == "open"
    assert two.send("POST", f"{path}/take").status_code == 200
    assert two.send("POST", f"{path}/missed", json={"why": "no answer"}).json()["result"] == "no answer"
    assert two.send("POST", f"{path}/take").status_code == 200
    assert two.send("POST", f"{path}/reached").json()["state"] == "done"
    assert [row["state"] for row in one.get("/api/callbacks?state=done").json()["items"]] == ["done"]


# ---------------------------------------------------------------------------------------- promises that the queue keeps


def placed(db: Database, number: str = "13800138000", **more: Any) -> int:
    place = Place("social", NOW - timedelta(minutes=5), {"yue": 3}, 10)
    row = callbacks.request(db, CallFacts("h-1", number=number), RULE, place=place, now=NOW, **more)
    assert row.id is not None
    return row.id


def entered(db: Database) -> int:
    callback_id = placed(db)
    place = {"placed_ms": to_ms(NOW - timedelta(minutes=9)), "priority": 12, "skills": {"yue": 3}, "most_attempts": 2}
    line.note(db, callback_id, LineStep.entered, place)
    return callback_id


def seen(db: Database, callback_id: int) -> Callback:
    with db.read() as session:
        return callbacks.get(session, SYSTEM, callback_id)


def in_line(db: Database) -> list[int | None]:
    with db.read() as session:
        return [row.id for row in line.promised(session)]


def test_a_promise_keeps_the_callers_place_needs_and_points(db: Database):
    row = seen(db, placed(db))
    assert (row.queue, row.placed_at, row.skills, row.priority, row.in_line) == (
        "social",
        NOW - timedelta(minutes=5),
        {"yue": 3},
        10,
        None,
    )
    assert in_line(db) == [row.id]


def test_a_promise_without_a_place_is_none_of_the_queues_business(db: Database):
    asked(db)
    assert in_line(db) == []


def test_the_queues_word_about_a_place_is_what_a_restart_finds(db: Database):
    callback_id = entered(db)
    row = seen(db, callback_id)
    assert (row.in_line, row.priority, row.most_attempts) == (True, 12, 2)
    assert row.placed_at == NOW - timedelta(minutes=9)
    assert in_line(db) == [callback_id]


def test_what_the_queue_dials_cannot_be_taken_by_hand_and_the_words_say_so(db: Database, person: People):
    callback_id, wang = entered(db), person(Role.agent, agent_id="1001")
    line.dial(db, callback_id, "1002", 1, now=NOW)
    with pytest.raises(Refused) as caught:
        callbacks.take(db, wang, callback_id)
    assert (caught.value.code, caught.value.message("zh")) == ("dialling", "系统正在拨打该号码，请稍候。")
    assert (seen(db, callback_id).state, in_line(db)) == ("dialling", [callback_id])


def test_what_an_agent_has_taken_is_not_dialled_and_stays_with_people_when_put_back(db: Database, person: People):
    callback_id, wang = entered(db), person(Role.agent, agent_id="1001")
    callbacks.take(db, wang, callback_id)
    assert in_line(db) == []
    with pytest.raises(Refused):
        line.dial(db, callback_id, "", 1)
    callbacks.release(db, wang, callback_id)
    assert in_line(db) == []
    with pytest.raises(Refused):
        line.dial(db, callback_id, "", 1)


def test_taken_and_dialled_in_the_same_moment_is_one_of_the_two(db: Database, person: People):
    callback_id, wang = entered(db), person(Role.agent, agent_id="1001")
    gate, done = threading.Barrier(2), []

    def press(what: Callable[[], object], name: str) -> None:
        gate.wait()
        try:
            what()
            done.append(name)
        except Refused:
            pass

    both = [
        threading.Thread(target=press, args=(lambda: callbacks.take(db, wang, callback_id), "taken")),
        threading.Thread(target=press, args=(lambda: line.dial(db, callback_id, "", 1), "dialling")),
    ]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert done == [seen(db, callback_id).state]


def test_attempts_count_as_the_queue_counts_them_and_told_twice_they_count_once(db: Database):
    callback_id, due = entered(db), NOW + timedelta(minutes=15)
    rests = {"attempts": 1, "due_ms": to_ms(due), "why": "busy"}
    line.dial(db, callback_id, "1001", 1, now=NOW)
    for _ in range(2):
        line.note(db, callback_id, LineStep.rests, rests)
    row = seen(db, callback_id)
    assert (row.state, row.attempts, row.due_at, row.result, row.agent_id) == ("open", 1, due, "busy", None)
    line.dial(db, callback_id, "1001", 2, now=NOW)
    line.note(db, callback_id, LineStep.rests, rests)  # once more, from a journal
    assert (seen(db, callback_id).state, seen(db, callback_id).attempts) == ("dialling", 2)
    line.note(db, callback_id, LineStep.given_up, {"attempts": 2, "why": "noanswer"})
    row = seen(db, callback_id)
    assert (row.state, row.attempts, row.result, row.in_line) == ("given_up", 2, "noanswer", False)
    assert in_line(db) == []


def test_a_citizen_who_was_reached_closes_the_promise_and_later_words_change_nothing(db: Database):
    callback_id = entered(db)
    line.dial(db, callback_id, "1001", 1)
    line.note(db, callback_id, LineStep.reached, {})
    for step in (LineStep.withdrawn, LineStep.given_up):
        line.note(db, callback_id, step, {"why": "late"})
    assert (seen(db, callback_id).state, seen(db, callback_id).result) == ("done", "reached")
    assert asked(db).id != callback_id, "the number may ask again"


def test_a_promise_that_leaves_the_line_undialled_waits_for_people_with_no_attempt_counted(db: Database):
    callback_id = entered(db)
    line.dial(db, callback_id, "1001", 1)
    line.note(db, callback_id, LineStep.left, {})
    row = seen(db, callback_id)
    assert (row.state, row.attempts, row.agent_id, row.in_line) == ("open", 0, None, False)


def test_a_promise_reopened_by_a_supervisor_is_called_by_people(db: Database, person: People):
    callback_id = entered(db)
    line.note(db, callback_id, LineStep.given_up, {"attempts": 0, "why": "too_old"})
    callbacks.reopen(db, person(Role.supervisor), callback_id)
    assert (seen(db, callback_id).state, in_line(db)) == ("open", [])


def test_the_script_stores_the_place_and_the_list_says_that_the_queue_will_call(
    db: Database, settings: Settings, person: People
):
    since = to_ms(NOW - timedelta(minutes=3))
    standing = Standing("social", since, {"en": 2}, 5)
    assert VoiceServices(settings, db).register_callback("h-9", "13900139000", "en", standing)
    (callback_id,) = in_line(db)
    row = seen(db, callback_id or 0)
    assert (row.placed_at, row.skills, row.priority, row.queue) == (from_ms(since), {"en": 2}, 5, "social")
    wang = person(Role.agent, agent_id="1001")
    with db.read() as session:
        assert callbacks.callback_json(session, wang, row)["in_line"] is False
    place = {"placed_ms": since, "priority": 5, "skills": {"en": 2}, "most_attempts": 3}
    line.note(db, callback_id or 0, LineStep.entered, place)
    with db.read() as session:
        told = callbacks.callback_json(session, wang, callbacks.get(session, wang, callback_id or 0))
    assert told["in_line"] is True
