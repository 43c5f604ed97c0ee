"""Number audits: the register, rounds, what a call becomes, grading, publication and correction; on both databases."""

from __future__ import annotations

import json
import os
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from sqlmodel import col, select

from app.actor import SYSTEM
from app.agents.service import actor_for, create_agent
from app.audit.tables import AuditEntry
from app.auth.model import Role
from app.cases.tables import Case
from app.errors import BadInput, Forbidden, Refused, VersionConflict
from app.number_audits import attempts, corrections, dialling, intake, judging, register, rounds
from app.number_audits.dialling import Dial
from app.number_audits.model import Mode, Result, RoundStep
from app.number_audits.rounds import Wanted
from app.number_audits.tables import NumberAuditAttempt, NumberAuditRound, NumberAuditTarget, PublishedNumber
from app.settings import Settings
from app.sheets import write
from app.units import service as units
from app.units.fields import Phone
from app.units.model import PhoneKind
from tests.audit_kit import line
from tests.audit_kit.sounds import voice
from tests.case_kit.world import World
from tests.integration.web_browser import SeenBy

HEADS = ("单位编码", "公布电话", "地区", "公布位置", "公布的接听时间", "在用")
ROWS = (
    ("WATER", "87654301", "城南", "政府网站", "", "是"),
    ("WATER", "87654302", "城南", "公告栏", "09:00-11:00", "是"),
    ("CITY", "87654303", "城北", "政府网站", "", "是"),
)
GOOD = dict.fromkeys(("timely", "skilled", "first_asked", "warm", "polite"), "good")
MORNING = "2026-11-25T10:00:00+08:00"  # a Wednesday


class Desk:
    """Numbers in the register, and whoever plans, calls and grades."""

    def __init__(self, world: World, settings: Settings) -> None:
        self.world, self.settings, self.db = world, settings, world.db
        self.now = datetime.fromisoformat(MORNING)
        world.people["grader"] = world.somebody(Role.quality)

    def bring_in(self, rows: Any = ROWS, *, who: str = "head", dry_run: bool = False) -> Any:
        with self.db.session() as session:
            return register.bring_in(
                session, self.world.people[who], write(HEADS, rows), self.settings, dry_run=dry_run, now=self.now
            )

    def round(self, mode: Mode = Mode.automatic, *, at_once: int = 4, **more: Any) -> int:
        """A round that has begun; its first calls are due now."""
        with self.db.session() as session:
            day = self.now.date()
            wanted = Wanted(
                "四季度暗访", mode, day, day + timedelta(days=20), "09:00-11:30,14:00-17:00", at_once, **more
            )
            row = rounds.create(session, self.world.people["head"], wanted, self.settings, now=self.now).round
            session.flush()
            ident = row.id or 0
        self.step(ident, RoundStep.start)
        return ident

    def due(self, ordinal: int = 1) -> None:
        """Make these attempts due."""
        with self.db.session() as session:
            for one in session.exec(select(NumberAuditAttempt).where(NumberAuditAttempt.ordinal == ordinal)):
                one.planned_at = self.now

    def step(self, ident: int, what: RoundStep) -> NumberAuditRound:
        with self.db.session() as session:
            row = session.get(NumberAuditRound, ident)
            assert row is not None
            return rounds.step(session, self.world.people["head"], ident, row.version, what, now=self.now)

    def take(self, *, calm: bool = True) -> dict[str, str]:
        """What is to be placed now: number → call."""
        dials = dialling.take(self.db, self.settings, self.now, calm=calm)
        return {one.number: one.call_id for one in dials}

    def ends(self, call_id: str, **how: Any) -> None:
        line.ended(self.settings, call_id, self.now, **how)
        assert intake.scan(self.db, self.settings, self.now) == 1

    def target(self, number: str) -> NumberAuditTarget:
        with self.db.read() as session:
            statement = select(NumberAuditTarget).where(NumberAuditTarget.number == number)
            return session.exec(statement.order_by(col(NumberAuditTarget.id).desc())).first()  # type: ignore[return-value]

    def attempts(self, number: str) -> list[NumberAuditAttempt]:
        with self.db.read() as session:
            return attempts.of_target(session, self.target(number).id or 0)

    def judge(self, number: str, result: Result, scores: dict[str, str] | None = None, note: str = "") -> None:
        with self.db.session() as session:
            row = self.target(number)
            grader = self.world.people["grader"]
            judging.judge(session, grader, row.id or 0, row.version, result, scores or {}, note, now=self.now)


@pytest.fixture
def desk(world: World, settings: Settings) -> Desk:
    return Desk(world, settings)


def test_the_register_is_tried_written_taken_over_and_given_out_by_role(desk: Desk, seen_by: SeenBy) -> None:
    bad = (
        ("NONE", "87654301", "", "", "", ""),
        ("WATER", "110", "", "", "9-12", ""),
        ("WATER", "12345", "", "", "", ""),
    )
    told = desk.bring_in((*bad, ROWS[0], ROWS[0]))
    assert [(fault.row, fault.column) for fault in told.faults] == [
        (2, "单位编码"), (3, "公布的接听时间"), (3, "公布电话"), (4, "公布电话"), (6, "公布电话"),
    ]  # fmt: skip
    assert len(desk.bring_in(dry_run=True).created) == 3
    for who in ("grader", "taker", "WATER.leader"):
        with pytest.raises(Forbidden):
            desk.bring_in(who=who)
    with desk.db.read() as session:
        assert session.exec(select(PublishedNumber)).all() == [], "nothing was written so far"
    assert desk.bring_in().written
    changed = (("WATER", "87654301", "城东", "政府网站", "", "否"), *ROWS[1:])
    outcome = desk.bring_in(changed)
    assert (outcome.created, outcome.changed, outcome.unchanged) == ([], ["WATER 87654301"], 2)
    with desk.db.session() as session:
        values = {
            "code": "GAS",
            "kind": "utility",
            "name": "<b>燃气公司</b>",
            "areas": ["城西"],
            "office_hours": "8:00-18:00",
        }
        phones = [Phone(PhoneKind.voice, "87654309"), Phone(PhoneKind.fax, "87654310"), Phone(PhoneKind.voice, "110")]
        units.create(session, SYSTEM, values, phones, parent_id=desk.world.units["C"])
    head = seen_by("head")
    assert head.send("POST", "/api/published-numbers/from-units", json={}).json() == {"created": 1}
    assert head.send("POST", "/api/published-numbers/from-units", json={}).json() == {"created": 0}
    (gas,) = head.send("POST", "/api/published-numbers/search", json={"q": "燃气"}).json()["items"]
    assert (gas["number"], gas["area"], gas["office_hours"]) == ("87654309", "城西", "08:00-18:00")
    edit = {"version": 1, "area": "城西", "place": "缴费单", "office_hours": "25:00", "active": True}
    assert head.send("PATCH", f"/api/published-numbers/{gas['id']}", json=edit).status_code == 422
    edit["office_hours"] = "08:00-12:00"
    assert head.send("PATCH", f"/api/published-numbers/{gas['id']}", json=edit).json()["version"] == 2
    assert head.send("PATCH", f"/api/published-numbers/{gas['id']}", json=edit).status_code == 409, (
        "somebody else's turn"
    )
    table = head.get("/api/published-numbers/export").text
    assert table.splitlines()[0].endswith(",".join(HEADS))
    assert "GAS,87654309,城西,缴费单,08:00-12:00,是" in table
    assert seen_by("WATER.leader").get("/api/published-numbers/export").status_code == 403
    assert seen_by("grader").get("/api/published-numbers/areas").json()[0] == {"area": "城北", "count": 1}


def test_each_attempt_is_dialled_once_paced_and_never_while_citizens_wait(desk: Desk) -> None:
    desk.bring_in()
    ident = desk.round(at_once=2)
    desk.due()
    assert desk.take(calm=False) == {}, "citizens come first"
    first = desk.take()
    assert len(first) == 2, "as many at once as the round has lines"
    assert desk.take() == {}, "a second look, as after kill -9, dials nothing again"
    desk.step(ident, RoundStep.pause)
    one, two = first.items()
    desk.ends(one[1], cause=17)
    assert desk.take() == {}, "a round that is paused"
    desk.step(ident, RoundStep.resume)
    (third,) = desk.take().items()
    assert third[0] not in first
    # Asterisk said no: nobody was rung, and the attempt is still to come, later.
    attempts.release(desk.db, third[1], now=desk.now)
    assert desk.take() == {}
    desk.now += timedelta(minutes=3)
    (again,) = desk.take().items()
    assert again == (third[0], f"{third[1].removesuffix('-1')}-2")
    # The core died before it dialled: Asterisk left no mark. It is dialled, under another id.
    desk.now += timedelta(minutes=1)
    line.began(desk.settings, two[1], desk.now)
    assert attempts.lose(desk.db, desk.settings, desk.now) == 1
    assert {one.state for one in desk.attempts(again[0])} == {"planned"}
    # Asterisk died after it had begun: nobody knows what became of it, and it is never dialled again.
    desk.now += timedelta(minutes=5)
    assert attempts.lose(desk.db, desk.settings, desk.now) == 1
    (lost, other) = desk.attempts(two[0])
    assert (lost.state, lost.tries, other.state) == ("lost", 1, "planned")
    # What Asterisk wrote down comes late: it counts.
    desk.ends(two[1], heard=voice(1.5), answered=True)
    (lost, other) = desk.attempts(two[0])
    assert (lost.state, lost.outcome, other.state) == ("done", "answered", "dropped")
    line.ended(desk.settings, two[1], desk.now, cause=1)
    assert intake.scan(desk.db, desk.settings, desk.now) == 0, "told twice"
    assert desk.attempts(two[0])[0].outcome == "answered"


def test_the_second_call_is_on_another_day_and_a_fault_of_the_line_is_nobodys(desk: Desk) -> None:
    desk.bring_in([ROWS[0]])
    ident = desk.round()
    desk.due()
    number = "87654301"
    desk.ends(desk.take()[number], cause=19)
    desk.due(2)
    assert desk.take() == {}, "not on the same day"
    desk.now += timedelta(days=1, hours=3)  # Thursday, 13:00
    assert desk.take() == {}, "nor at this hour"
    desk.now += timedelta(hours=2)
    desk.ends(desk.take()[number], cause=38)
    (_, second, third) = desk.attempts(number)
    assert (second.outcome, third.state) == ("network", "planned"), (
        "it says nothing of the unit: another one is planned"
    )
    desk.now += timedelta(days=1)
    desk.due(3)
    desk.ends(desk.take()[number], cause=1)
    row = desk.target(number)
    assert (row.state, row.result, row.total, row.grade) == ("graded", "vacant", 0, "D")
    assert rounds.close_finished(desk.db, desk.settings, desk.now) == 1
    with desk.db.read() as session:
        assert session.get(NumberAuditRound, ident).state == "closed"  # type: ignore[union-attr]


def test_hours_that_have_nothing_in_common_leave_a_number_out_and_a_round_needs_two_days(desk: Desk) -> None:
    desk.bring_in((*ROWS[:2], ("CITY", "87654303", "城北", "", "18:00-20:00", "是")))
    head, day = desk.world.people["head"], desk.now.date()

    def plan(first: date, last: date, hours: str = "09:00-11:30", **more: Any) -> Any:
        with desk.db.session() as session:
            wanted = Wanted(more.get("title", "暗访"), Mode.automatic, first, last, hours, more.get("at_once", 4))
            return rounds.create(session, head, wanted, desk.settings, now=desk.now)

    assert len(plan(day, day + timedelta(days=3)).left_out) == 1
    for wrong, field in (
        ((day, day), "last_day"), ((day, day + timedelta(days=900)), "last_day"),
        ((day - timedelta(days=1), day + timedelta(days=5)), "first_day"), ((day, day + timedelta(days=5), "9点"),
        "hours"), ((day, day + timedelta(days=5), "22:00-23:00"), "areas"),
    ):  # fmt: skip
        with pytest.raises(BadInput) as told:
            plan(*wrong)
        assert field in told.value.fields
    with pytest.raises(BadInput):
        plan(day, day + timedelta(days=5), title=" ")


def test_an_auditor_calls_by_hand_at_allowed_hours_and_nobody_takes_their_call(desk: Desk) -> None:
    desk.bring_in([ROWS[0]])
    ident = desk.round(Mode.person)
    desk.due()
    assert desk.take() == {}, "nobody is called before an auditor wants to"
    people = []
    for agent_id in ("1001", "1002"):
        create_agent(desk.db, name="审核员", agent_id=agent_id, user_name=f"g{agent_id}")
        people.append(actor_for(desk.db, agent_id))
    first, second = (
        type(one)(one.user_id, frozenset({Role.quality}), one.agent_id, one.name, one.display_name) for one in people
    )
    (attempt, _) = desk.attempts("87654301")

    def ask(who: Any) -> None:
        with desk.db.session() as session:
            dialling.ask(session, who, attempt.id or 0, desk.settings, now=desk.now)

    with pytest.raises(Refused, match="telephone"):
        ask(desk.world.people["grader"])
    morning, desk.now = desk.now, desk.now.replace(hour=20)
    with pytest.raises(Refused, match="Not now"):
        ask(first)
    desk.now = morning
    ask(first)
    desk.now += timedelta(seconds=61)
    assert dialling.take(desk.db, desk.settings, desk.now, calm=True) == [], "nobody sits beside the telephone any more"
    attempts.lose(desk.db, desk.settings, desk.now)
    assert desk.attempts("87654301")[0].state == "planned"
    ask(first)
    ask(first)
    with pytest.raises(Refused, match="Somebody else"):
        ask(second)
    assert [*dialling.take(desk.db, desk.settings, desk.now, calm=True)] == [
        Dial(f"audit-{attempt.id}-1", "87654301", "1001")
    ]
    with desk.db.read() as session:
        assert dialling.agents_called(session) == {"1001"}
    desk.ends(f"audit-{attempt.id}-1", heard=voice(2), answered=True, rang_s=20)
    row = desk.target("87654301")
    assert (row.state, row.result, row.scores) == ("to_grade", "answered", {"timely": "good"})
    desk.step(ident, RoundStep.pause)
    with pytest.raises(Refused):
        ask(first)


def test_grades_are_the_centres_own_until_published_and_dead_numbers_become_cases_once(
    desk: Desk, seen_by: SeenBy
) -> None:
    desk.bring_in()
    ident = desk.round()
    desk.due()
    calls = desk.take()
    desk.ends(calls["87654301"], heard=voice(2), answered=True, rang_s=40)
    tone = 0.2 * np.sin(2 * np.pi * 2100 * np.arange(16_000) / 8000)
    desk.ends(calls["87654302"], heard=tone, answered=True)
    desk.ends(calls["87654303"], heard=np.zeros(16_000), answered=True)
    assert [desk.attempts(one)[0].outcome for one in sorted(calls)] == ["answered", "fax", "silent"]
    assert desk.target("87654301").scores == {"timely": "fair", "skilled": "none", "first_asked": "none"}
    desk.step(ident, RoundStep.close)
    with pytest.raises(Refused, match="not graded"):
        desk.step(ident, RoundStep.publish)
    for scores, field in (
        ({}, "scores.timely"),
        (GOOD | {"timely": "none"}, "scores.timely"),
        (GOOD | {"x": "good"}, "scores.x"),
    ):
        with pytest.raises(BadInput) as told:
            desk.judge("87654301", Result.answered, scores)
        assert field in told.value.fields
    with pytest.raises(BadInput):
        desk.judge("87654303", Result.wrong, GOOD)
    note = "<script>语气生硬</script>，先说下班了" + "长" * 3_000
    desk.judge("87654301", Result.answered, GOOD | {"warm": "poor"}, note)
    desk.judge("87654303", Result.wrong, note="接听的是居民，不是城管局")
    with desk.db.session() as session:
        row, grader = desk.target("87654301"), desk.world.people["grader"]
        with pytest.raises(VersionConflict):
            judging.judge(session, grader, row.id or 0, row.version - 1, Result.answered, GOOD)
    leader, other = seen_by("WATER.leader"), seen_by("CITY.leader")
    target = desk.target("87654301").id
    closed_to_units = (
        f"rounds/{ident}",
        f"rounds/{ident}/table",
        f"rounds/{ident}/targets",
        f"targets/{target}",
        "rounds",
    )
    for path in closed_to_units:
        assert leader.get(f"/api/number-audits/{path}").status_code == 403, path
    assert leader.get("/api/number-audits/own").json()["items"] == []
    assert "8765" not in leader.get(f"/api/number-audits/rounds/{ident}/export").text
    assert corrections.open_missing(desk.db, desk.settings, desk.now) == 0, "not before it is published"
    assert seen_by("grader").send(
        "POST", f"/api/number-audits/rounds/{ident}/steps", json={"step": "publish", "version": 3}
    ).status_code == 403  # fmt: skip
    desk.step(ident, RoundStep.publish)
    with pytest.raises(Refused):
        desk.judge("87654301", Result.answered, GOOD)
    own = leader.get("/api/number-audits/own").json()["items"]
    assert {(one["number"], one["result"], one["grade"]) for one in own} == {
        ("87654301", "answered", "C"), ("87654302", "fax", "D"),
    }  # fmt: skip
    assert own[0]["note"] == note
    assert [one["number"] for one in other.get("/api/number-audits/own").json()["items"]] == ["87654303"]
    given_out = leader.get(f"/api/number-audits/rounds/{ident}/export").text
    assert "87654302" in given_out
    assert "87654303" not in given_out
    assert leader.get(f"/api/number-audits/rounds/{ident}/export?what=areas").status_code == 403
    table = seen_by("head").get(f"/api/number-audits/rounds/{ident}/table").json()
    assert [(one["area"], one["n"], one["passed"], one["mean"]) for one in table["rows"]] == [
        ("城南", 2, 0.0, 37.0), ("城北", 1, 0.0, 0.0),
    ]  # fmt: skip
    assert table["overall"]["mean"] == 18.5, "the mean of the areas' means"

    assert corrections.open_missing(desk.db, desk.settings, desk.now) == 2
    assert corrections.open_missing(desk.db, desk.settings, desk.now) == 0
    with desk.db.read() as session:
        cases = list(session.exec(select(Case).order_by(col(Case.id))))
        assert [case.state for case in cases] == ["dispatched", "dispatched"]
        assert all(case.due_at is not None for case in cases), "with a deadline"
        assert "居民" not in cases[1].content, "the reviewer's note is not the case's"
        assert "传真" in cases[0].content
        actions = set(session.exec(select(AuditEntry.action)))
    assert {"number_audit.round", "number_audit.graded", "number_audit.case", "number_audit.exported"} <= actions
    assert "given" in desk.world.told("WATER.handler")
    assert leader.get(f"/api/cases/{cases[0].id}").status_code == 200
    assert leader.get(f"/api/cases/{cases[1].id}").status_code == 404

    # The next round finds the fax machine again while its case is open: it is not a second case.
    desk.now += timedelta(days=30)
    again = desk.round(areas=["城南"])
    desk.due()
    for number, call in desk.take().items():
        heard, cause = (tone, 16) if number == "87654302" else (voice(2), 16)
        desk.ends(call, heard=heard, answered=True, cause=cause)
    desk.step(again, RoundStep.close)
    desk.judge("87654301", Result.answered, GOOD)
    desk.step(again, RoundStep.publish)
    assert corrections.open_missing(desk.db, desk.settings, desk.now) == 1
    assert desk.target("87654302").case_id == cases[0].id
    with desk.db.read() as session:
        assert len(session.exec(select(Case.id)).all()) == 2


def test_what_asterisk_could_not_write_whole_keeps_no_other_call_waiting(desk: Desk) -> None:
    desk.bring_in(ROWS[:2])
    desk.round()
    desk.due()
    one, two = desk.take().values()
    spool = desk.settings.paths.audit_spool
    for name, text in (("audit-9-9", "{"), ("audit-8-8", json.dumps({"call": "../x"})), ("audit-7-7", "[]")):
        (spool / f"{name}.json").write_text(text)
        os.utime(spool / f"{name}.json", (1, 1))
    (spool / f"{one}-r.wav").write_bytes(b"RIFF")
    line.ended(desk.settings, one, desk.now, answered=True)
    line.ended(desk.settings, two, desk.now, cause=17)
    assert intake.scan(desk.db, desk.settings, desk.now) == 2
    assert sorted(path.suffix for path in spool.iterdir()) == [".broken"] * 3
    outcomes = {row.outcome for number in ("87654301", "87654302") for row in desk.attempts(number)} - {None}
    assert outcomes == {"silent", "busy"}
