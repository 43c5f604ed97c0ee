"""The supervisor's room by REST and in the tables: alerts, their rules, figures by half-hour, and what a day needs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import select

from app.actor import SYSTEM, Actor
from app.alerts import service as alerts
from app.alerts.model import DEFAULTS, AlertKind
from app.alerts.tables import AlertRow
from app.audit.service import entries
from app.auth.model import Role
from app.calls import service as calls
from app.calls.halfhours import Result
from app.calls.tables import Call
from app.clock import to_ms
from app.db import Database
from app.errors import BadInput, Forbidden
from app.paging import Leaf
from app.settings import Settings
from app.staffing import service as staffing
from app.staffing.forecast import Target, seats
from app.staffing.tables import StaffedSlot
from app.workdays.model import WorkDayKind
from app.workdays.tables import WorkDay
from tests.browser.samples import room
from tests.integration.web_browser import Browser

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)  # a Tuesday, eleven o'clock in the city
TOLD = {
    "alert_id": f"long_talk:1003:{to_ms(NOW)}", "kind": "long_talk", "subject": "1003", "name": "陈晓",
    "sort": "seconds", "value": 1_201.5, "raise_at": 1_200, "raised_ms": to_ms(NOW), "acked_by": "", "acked_ms": None,
}  # fmt: skip
RULE = {"enabled": True, "raise_at": 8, "clear_at": 3, "for_s": 20, "clear_s": 20, "least": 0, "version": 0}


def put_calls(
    db: Database, start: datetime, count: int, *, wait_s: float = 5, talk_s: float = 120, **more: Any
) -> None:
    """So many calls a minute apart."""
    with db.session() as session:
        for number in range(count):
            joined = start + timedelta(minutes=number)
            answered = joined + timedelta(seconds=wait_s)
            times = {"answered_at": answered, "ended_at": answered + timedelta(seconds=talk_s), "outcome": "answered"}
            row = {"started_at": joined, "joined_at": joined, "agent_id": "1001", **times, **more}
            session.add(Call(call_id=f"h-{to_ms(joined)}.{number}", **row))


def audited(db: Database, settings: Settings, action: str) -> list[tuple[str, str, dict[str, Any]]]:
    with db.read() as session:
        found = entries(session, SYSTEM, settings.zone, action=action).items
        return [(one.actor, one.object, one.detail) for one in found]


def shape(answer: Any) -> Any:
    """The names of an answer, of the first of several."""
    if isinstance(answer, list):
        return [shape(answer[0])] if answer else []
    return {name: shape(value) for name, value in answer.items()} if isinstance(answer, dict) else None


def test_an_alert_is_kept_once_acknowledged_by_the_first_and_audited_once(
    db: Database, settings: Settings, person: Callable[..., Actor]
) -> None:
    first, second = person(Role.supervisor), person(Role.duty_leader)
    with db.session() as session:
        # Acknowledged before the core's own note has come: the note changes nothing then.
        assert alerts.acknowledge(session, first, TOLD, to_ms(NOW) + 5_000)[0] == first.display_name or first.name
    with db.session() as session:
        alerts.note(session, TOLD)
        alerts.note(session, TOLD)
        again = alerts.acknowledge(session, second, TOLD, to_ms(NOW) + 9_000)
        assert again == (first.display_name or first.name, to_ms(NOW) + 5_000)
        (left,) = alerts.open_alerts(session)
        assert (left.alert_id, left.acked_by, left.value) == (TOLD["alert_id"], again[0], 1_201.5)
    with db.session() as session:
        for later in (0, 50_000):  # by the life that saw its end, and by the next, which found it open
            alerts.note(session, {**TOLD, "value": 1_300 + later, "cleared_ms": to_ms(NOW) + 100_000 + later})
        assert alerts.open_alerts(session) == []
        row = session.exec(select(AlertRow)).one()
        assert (row.last_value, row.cleared_at) == (1_300, NOW + timedelta(seconds=100))
    ((who, about, detail),) = audited(db, settings, "alert.acknowledged")
    assert (who, about.partition(":")[0], detail) == (first.name, "alert", {"kind": "long_talk", "agent": "1003"})

    nobody = person(Role.agent)
    with db.session() as session, pytest.raises(Forbidden):
        alerts.acknowledge(session, nobody, TOLD, 0)


def test_the_room_by_rest_sets_rules_lists_alerts_and_tells_figures_to_supervisors_alone(
    db: Database, settings: Settings, browser: Callable[..., Browser]
) -> None:
    one, other = browser(Role.supervisor), browser(Role.supervisor)
    kinds = [rule["kind"] for rule in one.get("/api/alerts/rules").json()]
    assert kinds == [kind.value for kind in AlertKind]
    stored = one.send("PUT", "/api/alerts/rules/depth", json=RULE).json()
    assert (stored["raise_at"], stored["version"], stored["shipped"]["raise_at"]) == (8, 1, 5)
    late = other.send("PUT", "/api/alerts/rules/depth", json={**RULE, "raise_at": 20})
    assert late.status_code == 409
    assert (late.json()["error"]["code"], late.json()["current"]["raise_at"]) == ("version_conflict", 8)
    assert (
        other.send("PUT", "/api/alerts/rules/depth", json={**RULE, "raise_at": 20, "version": 1}).json()["version"] == 2
    )
    refused = one.send("PUT", "/api/alerts/rules/depth", json={**RULE, "clear_at": 30, "version": 2})
    assert (refused.status_code, list(refused.json()["error"]["fields"])) == (422, ["clear_at"])
    assert one.send("PUT", "/api/alerts/rules/weather", json=RULE).status_code == 422
    agent = browser(agent_id="1002")
    assert agent.send("PUT", "/api/alerts/rules/depth", json=RULE).status_code == 403
    details = [
        detail for _, about, detail in audited(db, settings, "alert_rule.changed") if about == "alert_rule:depth"
    ]
    assert [detail["raise_at"] for detail in details] == [[8, 20], [5, 8]]
    with db.read() as session:
        rules = alerts.rules(session)
    assert (rules[AlertKind.depth].raise_at, rules[AlertKind.disk]) == (20, DEFAULTS[AlertKind.disk])
    with db.session() as session:
        session.execute(sa.text("UPDATE floor_alert_rule SET raise_at = -1"))
        assert alerts.rules(session)[AlertKind.depth] == DEFAULTS[AlertKind.depth]
        alerts.note(session, {**TOLD, "value": 1_300, "cleared_ms": to_ms(NOW) + 100_000})

    (row,) = one.get("/api/alerts").json()["items"]
    assert (row["kind"], row["subject"], row["sort"], row["last_value"]) == ("long_talk", "1003", "seconds", 1_300)
    assert row["cleared_at"] == "2026-11-24T03:01:40.000Z"
    for asked, count in (
        ({"state": "open"}, 0),
        ({"state": "unacknowledged"}, 1),
        ({"kind": "long_talk", "from": "2026-11-24", "to": "2026-11-24"}, 1),
        ({"kind": "depth"}, 0),
    ):
        assert one.get("/api/alerts", params=asked).json()["total"] == count, asked

    half = NOW - timedelta(minutes=30)
    put_calls(db, half, 9, wait_s=40)
    for weeks in (1, 2):
        put_calls(db, half - timedelta(weeks=weeks), 5, talk_s=150)
    whole = one.get("/api/staffing/figures", params={"day": "2026-11-24"}).json()
    figures = whole["rows"][21]
    assert (figures["from"], figures["now"]["calls"], figures["before"]["calls"]) == ("2026-11-24T02:30:00.000Z", 9, 5)
    span = {"since": figures["from"], "until": figures["until"]}
    drilled = one.get("/api/calls", params={"result": "late", **span}).json()
    assert drilled["total"] == figures["now"]["judged"] - figures["now"]["in_time"] == 9
    assert one.get("/api/calls", params={"result": "late"}).status_code == 422
    asked = {"day": "2026-11-24", "weeks": 2, "share": 0.8, "within_s": 20}
    needed = one.get("/api/staffing/forecast", params=asked).json()
    row = needed["rows"][21]
    handling_s = 150 + settings.wrapup_s
    assert (row["expected"], row["needed"], row["came"]["calls"]) == (5, seats(5, handling_s, Target(0.8, 20)), 9)
    assert (needed["days"], needed["handling_s"]) == (["2026-11-17", "2026-11-10"], handling_s)
    empty = one.get("/api/staffing/forecast", params={"day": "2030-01-01"}).json()
    assert {(row["expected"], row["needed"], row["theory"]) for row in empty["rows"]} == {(None, None, None)}
    for wrong in ({"share": 1}, {"weeks": 0}, {"day": "0001-01-01"}, {"day": "soon"}):
        assert one.get("/api/staffing/forecast", params=wrong).status_code == 422, wrong
    # What the pages' tests play has the shape of what is there.
    played = (room.alert_rows(), room.rules(), room.figures(), room.staffing())
    there = (one.get("/api/alerts").json()["items"], one.get("/api/alerts/rules").json(), whole, needed)
    assert [shape(each) for each in played] == [shape(each) for each in there]
    for path in ("alerts", "alerts/rules", "staffing/figures", "staffing/forecast"):
        assert agent.get(f"/api/{path}").status_code == 403, path


def test_a_figure_and_the_list_of_its_calls_count_the_same(
    db: Database, settings: Settings, person: Callable[..., Actor]
) -> None:
    boss = person(Role.supervisor)
    half = NOW - timedelta(minutes=30)
    put_calls(db, half, 4, wait_s=14)
    put_calls(db, half + timedelta(seconds=1), 3, wait_s=40)
    put_calls(db, half + timedelta(seconds=2), 2, answered_at=None, outcome="abandoned", agent_id=None)
    put_calls(db, half + timedelta(seconds=3), 1, direction="out")
    put_calls(db, half - timedelta(days=7), 5)
    put_calls(db, NOW + timedelta(hours=3) - timedelta(days=7), 2)  # later in the day, a week ago
    with db.read() as session:
        found = staffing.compared(session, boss, settings, NOW)
        number = found.span.number(half)
        assert number == 21
        here, then = found.now[number], found.then[number]
        assert (here.calls, here.answered, here.in_time, here.judged, here.abandoned) == (9, 7, 4, 9, 2)
        assert (then.calls, found.whole.calls, found.before_so_far.calls) == (5, 9, 5)
        counts = {Result.joined: 9, Result.answered: 7, Result.in_time: 4, Result.late: 5, Result.abandoned: 2}
        for result, count in counts.items():
            page = calls.list_calls(
                session, boss, settings.zone, result=result, since=half, until=half + timedelta(minutes=30)
            )
            assert (page.total, len({one.call_id for one in page.items})) == (count, count), result
        span = {"since": half, "until": half + timedelta(minutes=30)}
        (whole, *leaves) = (
            [one.call_id for one in calls.list_calls(session, boss, settings.zone, **span, leaf=leaf).items]
            for leaf in (None, Leaf(1, 4), Leaf(2, 4), Leaf(3, 4), Leaf(4, 4))
        )
        assert leaves == [whole[:4], whole[4:8], whole[8:], []]
        mine = calls.list_calls(session, boss, settings.zone, **span, agent="1001")
        assert (mine.total, mine.items[0].started_at) == (7, half + timedelta(minutes=3)), "the newest first"
        for since, until in ((half, None), (half, half), (half, half + timedelta(days=3))):
            with pytest.raises(BadInput):
                calls.list_calls(session, boss, settings.zone, result=Result.joined, since=since, until=until)
        rolling = staffing.compared(
            session, boss, settings, NOW - timedelta(hours=11) + timedelta(minutes=2), rolling=True
        )
        assert (rolling.span.count, rolling.whole.calls) == (
            48,
            0,
        )  # just after midnight: another day's calls are not in it


def test_a_day_is_foretold_from_days_like_it_and_shows_who_was_there(
    db: Database, settings: Settings, person: Callable[..., Actor]
) -> None:
    boss = person(Role.supervisor)
    hour = NOW - timedelta(hours=1)
    for weeks, count in ((1, 20), (2, 10), (3, 30)):
        put_calls(db, hour - timedelta(weeks=weeks), count, talk_s=150)
    put_calls(db, hour, 12)
    told = {"watched_s": 900, "ready_s": 900, "offered_s": 0, "talking_s": 1_800, "wrap_up_s": 600, "not_ready_s": 900}
    with db.session() as session:
        # A holiday three weeks ago tells nothing of a working day.
        session.add(
            WorkDay(
                day=(hour - timedelta(weeks=3)).date(), kind=WorkDayKind.holiday.value, source="edit", changed_at=NOW
            )
        )
        for life, moment in (("1", hour), ("2", hour), ("2", hour), ("1", hour - timedelta(weeks=1))):
            staffing.note_presence(session, {"began_ms": to_ms(moment), "life": life, **told})
        assert len(session.exec(select(StaffedSlot)).all()) == 3
    with db.read() as session:
        found = staffing.staffing(session, boss, settings, NOW, weeks=3)
    assert [day.isoformat() for day in found.days] == ["2026-11-17", "2026-11-10"]
    number = found.span.number(hour)
    assert number == 20
    # 30 talks of 150 s, and 600 s of wrap-up seen while 20 calls were answered.
    assert found.handling_s == 150 + 600 / 20
    need, there, came = found.needs[number], found.present[number], found.came[number]
    assert (need.calls, need.seats) == (15, seats(15, 180, Target()))
    assert there is not None
    assert (there.on_shift, there.at_work, there.seen) == (pytest.approx(4_200 / 900), pytest.approx(3_300 / 900), 1)
    assert (came.calls, found.present[number + 1], found.needs[0].calls) == (12, None, 0)
    assert found.kept[number] is not None


@pytest.mark.parametrize(
    ("ahead", "days"),
    [
        (0, ["2026-11-17", "2026-11-10"]),
        (6, ["2026-11-23", "2026-11-16"]),
        (7, ["2026-11-17"]),
        (21, ["2026-12-08", "2026-12-01"]),
    ],
)
def test_a_day_to_come_is_foretold_from_days_that_are_over_where_there_are_any(
    db: Database, settings: Settings, person: Callable[..., Actor], ahead: int, days: list[str]
) -> None:
    """Today, of which the afternoon is still to come, would tell of half the calls."""
    put_calls(db, NOW - timedelta(hours=1), 12)
    with db.read() as session:
        day = (NOW + timedelta(days=ahead)).date()
        found = staffing.staffing(session, person(Role.supervisor), settings, NOW, day=day, weeks=2)
    assert [one.isoformat() for one in found.days] == days


def test_figures_and_alerts_are_read_by_ranges_of_an_index(db: Database, settings: Settings) -> None:
    """A day's calls are found by when they joined, whatever else there is."""
    put_calls(db, NOW - timedelta(days=60), 50)
    from app.calls.counting import _within

    query = _within(select(Call.joined_at, Call.answered_at), NOW, NOW + timedelta(days=1))
    wanted = select(AlertRow).where(AlertRow.cleared_at.is_(None))  # type: ignore[union-attr]
    with db.session() as session:
        sqlite = session.get_bind().dialect.name == "sqlite"
        if not sqlite:
            session.execute(sa.text("SET enable_seqscan = off"))
        for statement, index in ((query, "joined_at"), (wanted, "ix_floor_alert_cleared")):
            text = str(statement.compile(session.get_bind(), compile_kwargs={"literal_binds": True}))
            plan = session.execute(sa.text(("EXPLAIN QUERY PLAN " if sqlite else "EXPLAIN ") + text)).all()
            assert index in str(plan), plan
