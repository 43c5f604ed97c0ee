"""The duty roster over HTTP and in the database: planned, changed, handed over, followed by messages and alarms."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlmodel import select

from app.actor import SYSTEM, Actor
from app.agents.service import create_agent
from app.alarms.service import open_alarms
from app.auth.model import Role
from app.auth.tables import User
from app.cases.numbers import next_section
from app.db import Database
from app.errors import BadInput, Conflict, Forbidden, NotFound
from app.roster import service
from app.roster.service import staffed_posts
from app.roster.tables import DutyTurn
from app.roster.watch import SeatWatch
from app.settings import Settings
from tests.integration.web_browser import Browser

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)  # a Tuesday, 10:00 in the city
TODAY, SATURDAY = date(2026, 11, 24), date(2026, 11, 28)
SECTIONS = ["supervision-1", "supervision-2", "supervision-3"]
People = Callable[..., Actor]


@pytest.fixture
def head(person: People) -> Actor:
    return person(Role.section_head)


@pytest.fixture
def staffed(db: Database, person: People, head: Actor) -> dict[str, Actor]:
    """One person for each post, the roster of a week planned."""
    people = {post: person(Role.agent) for post in [*SECTIONS, "office", "leader"]}
    with db.session() as session:
        for post, actor in people.items():
            service.set_people(session, head, post, [actor.user_id or 0], now=NOW)
        service.plan(session, head, TODAY, TODAY + timedelta(days=6), now=NOW)
    return people


def test_a_week_is_planned_once_and_names_nobody_twice(db: Database, head: Actor, staffed: dict[str, Actor]):
    with db.session() as session:
        seen = service.roster(session, head, TODAY, TODAY + timedelta(days=6))
        assert seen.faults == []
        assert [turn.post for turn in seen.turns if turn.day == SATURDAY] in (
            ["office", "leader"],
            ["leader", "office"],
        )
        assert service.plan(session, head, TODAY, TODAY + timedelta(days=6), now=NOW) == []


def test_two_who_change_the_same_turn_are_told_of_each_other(db: Database, head: Actor, staffed: dict[str, Actor]):
    with db.session() as session:
        with pytest.raises(Conflict):
            service.put(session, head, TODAY, "leader", None, 0, now=NOW)
        assert service.put(session, head, TODAY, "leader", None, 1, now=NOW) is None
        row = service.put(session, head, TODAY, "leader", staffed["leader"].user_id, 0, note="代班", now=NOW)
        assert row is not None
        assert (row.note, row.version) == ("代班", 1)


def test_nobody_stands_at_two_posts_or_where_they_take_no_turns(db: Database, head: Actor, staffed: dict[str, Actor]):
    one = staffed["supervision-1"].user_id
    with db.session() as session:
        with pytest.raises(BadInput):
            service.put(session, head, TODAY, "supervision-2", one, 1, now=NOW)
        service.set_people(session, head, "supervision-2", [one or 0], now=NOW)
        with pytest.raises(BadInput):
            service.put(session, head, TODAY, "supervision-2", one, 1, now=NOW)
        with pytest.raises(BadInput):
            service.put(session, head, TODAY, "reception", one, 0, now=NOW)


def test_messages_go_in_turn_to_those_who_are_on_duty_on_days_off_to_the_office(
    db: Database, head: Actor, staffed: dict[str, Actor]
):
    with db.session() as session:
        service.put(session, head, TODAY, "supervision-2", None, 1, now=NOW)
        turns = [next_section(session, staffed_posts(session, TODAY)) for _ in range(4)]
        assert set(turns) == {"supervision-1", "supervision-3"}
        assert [next_section(session, staffed_posts(session, SATURDAY)) for _ in range(2)] == ["office"] * 2
        nobody = [next_section(session, staffed_posts(session, date(2027, 6, 1))) for _ in range(3)]
        assert set(nobody) == set(SECTIONS)


def test_who_is_on_duty_hands_over_and_nobody_else(
    db: Database, head: Actor, staffed: dict[str, Actor], settings: Settings, person: People
):
    handler = person(Role.unit_handler)
    with db.session() as session:
        mine = staffed["supervision-1"]
        service.hand_over(session, mine, settings, "supervision-1", "停水工单待回访 3 件", now=NOW)
        with pytest.raises(Forbidden):
            service.hand_over(session, staffed["supervision-2"], settings, "supervision-1", "x", now=NOW)
        with pytest.raises(NotFound):
            service.hand_over(session, mine, settings, "office", "x", now=NOW)
        with pytest.raises(BadInput):
            service.hand_over(session, mine, settings, "supervision-1", "  ", now=NOW)
        assert [one.text for one in service.hand_overs(session, head, TODAY, TODAY)] == ["停水工单待回访 3 件"]
        with pytest.raises(Forbidden):
            service.hand_overs(session, handler, TODAY, TODAY)


def test_a_seat_without_anybody_raises_an_alarm_and_clears_it(
    db: Database, head: Actor, settings: Settings, person: People
):
    create_agent(db, name="坐席", agent_id="1001", user_name="seat", password="Tongjing-2026-lihai")
    with db.session() as session:
        user = session.exec(select(User).where(User.name == "seat")).one()
        service.set_people(session, head, "supervision-1", [user.id or 0], now=NOW)
        service.put(session, SYSTEM, TODAY, "supervision-1", user.id, 0, now=NOW)
    watch = SeatWatch(settings, db)
    assert watch.look({"1001": True}, NOW) == []
    assert watch.look({}, NOW + timedelta(minutes=1)) == []
    assert watch.look({}, NOW + timedelta(minutes=5)) == ["supervision-1"]
    assert watch.look({}, NOW + timedelta(minutes=6)) == [], "told once"
    with db.read() as session:
        assert [alarm.code for alarm in open_alarms(session)] == ["empty_seat"]
    assert watch.look({"1001": True}, NOW + timedelta(minutes=7)) == []
    with db.read() as session:
        assert open_alarms(session) == []
    assert watch.look({}, NOW.replace(hour=20)) == [], "outside of office hours"


def test_an_alarm_about_a_seat_outlives_the_process_that_raised_it(
    db: Database, head: Actor, settings: Settings, person: People
):
    one = person(Role.agent)
    with db.session() as session:
        service.set_people(session, head, "supervision-1", [one.user_id or 0], now=NOW)
        service.put(session, SYSTEM, TODAY, "supervision-1", one.user_id, 0, now=NOW)
    watch = SeatWatch(settings, db)
    watch.look({}, NOW)
    assert watch.look({}, NOW + timedelta(minutes=4)) == ["supervision-1"]
    with db.session() as session:
        service.put(session, SYSTEM, TODAY, "supervision-1", None, 1, now=NOW)
    SeatWatch(settings, db).look({}, NOW + timedelta(minutes=5))
    with db.read() as session:
        assert open_alarms(session) == []


def test_nobody_has_to_sit_at_the_telephone_at_noon(db: Database, staffed: dict[str, Actor], settings: Settings):
    with db.read() as session:
        assert len(service.seats_now(session, settings, NOW)) == 3
        assert service.seats_now(session, settings, NOW.replace(hour=4, minute=30)) == []


def test_only_people_of_the_centre_take_turns_and_nobody_whose_account_is_closed(
    db: Database, head: Actor, staffed: dict[str, Actor], person: People
):
    stranger = person(Role.unit_handler).user_id or 0
    with db.session() as session:
        with pytest.raises(BadInput):
            service.set_people(session, head, "office", [stranger], now=NOW)
        left = session.get(User, staffed["office"].user_id)
        assert left is not None
        left.active = False
    with db.session() as session:
        next_week = TODAY + timedelta(days=7)
        planned = service.plan(session, head, next_week, next_week + timedelta(days=6), now=NOW)
        assert "office" not in {turn.post for turn in planned}


def test_two_who_give_one_person_two_posts_on_a_day_at_once_are_told(
    db: Database, head: Actor, staffed: dict[str, Actor]
):
    one, day = staffed["supervision-1"].user_id or 0, TODAY + timedelta(days=21)
    with db.session() as session:
        service.set_people(session, head, "supervision-2", [one], now=NOW)

    def both_see_a_free_day() -> None:
        with db.session() as session, session.no_autoflush:
            session.add(DutyTurn(day=day, post="supervision-1", user_id=one, changed_at=NOW))
            service.put(session, head, day, "supervision-2", one, 0, now=NOW)

    with pytest.raises(Conflict):
        both_see_a_free_day()


def test_the_roster_over_http(browser: Callable[..., Browser], staffed: dict[str, Actor]):
    head, agent = browser(Role.section_head), browser(Role.agent)
    shown = agent.get(f"/api/roster?from={TODAY}&to={SATURDAY}").json()
    assert shown["sections"] == SECTIONS
    assert len(shown["turns"]) == 4 * 4 + 2
    assert shown["faults"] == []
    turn = next(one for one in shown["turns"] if one["day"] == str(TODAY) and one["post"] == "leader")
    body = {"user_id": None, "version": turn["version"]}
    assert agent.send("PUT", f"/api/roster/days/{TODAY}/leader", json=body).status_code == 403
    assert head.send("PUT", f"/api/roster/days/{TODAY}/leader", json=body).status_code == 200
    assert head.get(f"/api/roster?from={TODAY}&to={TODAY}").json()["faults"] == [
        {"day": str(TODAY), "post": "leader", "why": "empty"}
    ]
    planned = head.send("POST", "/api/roster/plan", json={"from": str(TODAY), "to": str(TODAY)})
    assert planned.json() == {"turns": 1}
    assert head.send("POST", "/api/roster/plan", json={"from": "2026-01-01", "to": "2026-12-31"}).status_code == 422
    assert head.get("/api/roster/candidates").status_code == 200
    assert browser(Role.unit_handler).get("/api/roster").status_code == 403
