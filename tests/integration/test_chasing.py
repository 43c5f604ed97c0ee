"""Time passes over cases: who is chased twice, reprimanded; by two sweepers, and by one that is killed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select

from app.assignments import judging
from app.assignments.model import Opinion
from app.assignments.tables import Assignment
from app.auth.model import Role
from app.cases import loop
from app.cases.acting import locked
from app.cases.tables import Case
from app.chasing import ladder, sweep
from app.chasing.tables import Chase, UrgentMatter
from app.clock import utc_now
from app.clocks.service import Subject, of_subject
from app.clocks.tables import CaseClock
from app.db import Database
from app.errors import BadInput, Forbidden, Refused
from app.followups.model import Heard, Reached
from app.notices.tables import Notice, NoticeDelivery
from app.settings import Settings
from app.workdays import service as workdays
from app.worker import outgoing_jobs, shipped_jobs
from tests.case_kit.chasing import chases, decided
from tests.case_kit.world import World

ANGRY = Heard(Reached.spoken, Opinion.dissatisfied, False, True, False, "还是不亮", propose_redo=True)


def test_nearly_late_is_told_once_and_late_is_chased_once(world: World, time_passes: Callable[..., int]):
    case_id, _ = world.signed()
    assert time_passes() == 0
    time_passes(days=8)  # the last two of seven working days have begun
    assert world.told("WATER.handler").count("near") == 1
    time_passes(hours=1)
    assert world.told("WATER.handler").count("near") == 1
    assert chases(world, case_id) == []
    time_passes(days=3)
    assert chases(world, case_id) == [("handle", "first", "sent")] * 2  # the unit's, and the case's own
    assert world.told("WATER.handler")[-1] == "chased"
    assert world.told("WATER.leader") == ["chased"]
    assert world.told("CITY.leader") == []
    assert world.history(case_id)[-2:] == ["chase.first", "chase.first"]
    assert time_passes(minutes=5) == 0


def test_a_reminder_in_vain_is_repeated_then_a_reprimand_is_drafted_and_a_person_decides(
    world: World, time_passes: Callable[..., int]
):
    case_id, _ = world.signed()
    time_passes(days=10)
    time_passes(days=5)
    assert ("handle", "second", "sent") in chases(world, case_id)
    assert ("handle", "first", "unmet") in chases(world, case_id)
    assert world.told("WATER.leader")[-1] == "chased_again"
    time_passes(days=4)
    assert ("handle", "reprimand", "draft") in chases(world, case_id)
    assert world.told("head")[-1] == "reprimand_draft"
    assert "reprimand" not in world.told("WATER.leader")
    assert time_passes(days=20) == 0  # a draft waits for a person

    with pytest.raises(Forbidden):
        decided(world, "dispatcher", "reprimand", True)
    row = decided(world, "head", "reprimand", True, text="通报批评：水务局逾期未办。")
    assert (row.state, row.text) == ("confirmed", "通报批评：水务局逾期未办。")
    assert world.told("WATER.leader")[-1] == "reprimand"
    with pytest.raises(Refused):
        decided(world, "head", "reprimand", False, why="改主意")
    time_passes(days=7)
    assert world.told("leader")[-1] == "exposure_draft"
    with pytest.raises(Forbidden):
        decided(world, "head", "exposure", True)
    with pytest.raises(BadInput):
        decided(world, "leader", "exposure", False)
    assert decided(world, "leader", "exposure", False, why="已约谈，限期三日").state == "dropped"
    assert "exposure" not in world.told("WATER.leader")
    assert [event for event in world.history(case_id) if event.startswith(("chase.r", "chase.e"))] == [
        "chase.reprimand", "chase.reprimand_confirmed", "chase.exposure", "chase.exposure_dropped",
    ]  # fmt: skip


def test_whoever_replies_after_the_first_reminder_hears_of_no_second(world: World, time_passes: Callable[..., int]):
    case_id, _ = world.signed()
    time_passes(days=10)
    world.handed_in(case_id, "WATER")
    time_passes(days=30)
    assert "second" not in [level for _, level, _ in chases(world, case_id)]
    assert ("handle", "first", "met") in chases(world, case_id)


def test_a_drop_ends_the_ladder(world: World, time_passes: Callable[..., int]):
    world.signed()
    for days in (10, 5, 4):
        time_passes(days=days)
    decided(world, "head", "reprimand", False, why="台风期间，情有可原")
    time_passes(days=60)
    with world.db.read() as session:
        assert session.exec(select(Chase).where(Chase.level == "exposure")).first() is None


def test_a_redo_that_is_late_is_chased_by_itself_and_the_first_round_stays(
    world: World, time_passes: Callable[..., int]
):
    case_id = world.to_follow_up("WATER")
    world.asked(case_id, ANGRY)
    world.act("head", judging.redo_case, case_id, "市民反映未修复")
    time_passes(days=12)
    with world.db.read() as session:
        rows = session.exec(select(Chase).where(Chase.unit_id == world.units["WATER"])).all()
        assert [(row.level, row.round) for row in rows] == [("first", 2)]


def test_a_centre_that_does_not_dispatch_is_late_too(world: World, time_passes: Callable[..., int]):
    case_id = world.case()
    world.act("taker", loop.submit, case_id)
    time_passes(hours=25)
    assert world.told("dispatcher") == ["late"]
    assert world.told("head") == ["late"]
    assert world.told("leader") == []
    assert chases(world, case_id) == [("dispatch", "first", "sent")]
    time_passes(days=30)
    assert chases(world, case_id) == [("dispatch", "first", "sent")]


def test_what_was_on_account_is_taken_up_by_itself_on_its_day_and_its_unit_told(
    world: World, time_passes: Callable[..., int]
):
    case_id, _ = world.signed()
    world.act("leader", judging.defer, case_id, "纳入明年改造计划", world.now + timedelta(days=20))
    time_passes(days=19)
    assert world.state(case_id) == "deferred"
    assert chases(world, case_id) == []  # nothing is late that is not timed
    time_passes(days=1)
    assert world.state(case_id) == "in_progress"
    assert world.told("WATER.handler")[-1] == "resumed"
    assert world.history(case_id).count("resumed") == 1
    assert time_passes() == 0


def test_two_sweepers_at_once_chase_everybody_exactly_once(world: World, settings: Settings, db: Database):
    cases = [world.signed()[0] for _ in range(12)]
    world.later(days=20)
    other = Database(db.url.render_as_string(hide_password=False))
    failures: list[BaseException] = []
    begin = threading.Barrier(2)

    def run(database: Database) -> None:
        try:
            begin.wait()
            for _ in range(6):  # what one has locked the other finds at its next turn
                sweep.chase_missed(database, settings, world.now)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(database,)) for database in (db, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.dispose()
    assert failures == []
    for case_id in cases:
        assert chases(world, case_id) == [("handle", "first", "sent")] * 2
        assert world.history(case_id).count("chase.first") == 2
    assert world.told("WATER.leader").count("chased") == len(cases)


def test_a_sweeper_that_is_killed_half_way_loses_nothing_and_doubles_nothing(
    world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    cases = [world.signed()[0] for _ in range(3)]
    world.later(days=20)
    real, done = ladder.missed, []

    def dies(*args: Any) -> None:
        if len(done) == 4:
            raise KeyboardInterrupt
        done.append(1)
        real(*args)

    monkeypatch.setattr(ladder, "missed", dies)
    with pytest.raises(KeyboardInterrupt):
        sweep.chase_missed(world.db, settings, world.now)
    assert [chases(world, case_id) for case_id in cases] == [[], [], []]
    monkeypatch.setattr(ladder, "missed", real)
    assert sweep.chase_missed(world.db, settings, world.now) == 6
    assert all(chases(world, case_id) == [("handle", "first", "sent")] * 2 for case_id in cases)
    assert world.told("WATER.leader").count("chased") == 3


def test_one_clock_that_cannot_be_chased_keeps_nobody_else_from_it(
    world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    bad, good = world.signed()[0], world.signed()[0]
    world.later(days=20)
    real = ladder.missed

    def breaks(session: Session, case: Case, *rest: Any) -> None:
        if case.id == bad:
            raise ValueError("not over within the calendar")
        real(session, case, *rest)

    monkeypatch.setattr(ladder, "missed", breaks)
    assert sweep.chase_missed(world.db, settings, world.now) == 2
    assert (chases(world, bad), len(chases(world, good))) == ([], 2)
    monkeypatch.setattr(ladder, "missed", real)
    assert sweep.chase_missed(world.db, settings, world.now) == 2
    assert len(chases(world, bad)) == 2


def test_the_worker_s_own_jobs_chase_and_send(world: World, settings: Settings):
    world.now = utc_now() - timedelta(days=30)
    case_id, _ = world.signed()
    inside, outside = shipped_jobs(settings, world.db), outgoing_jobs(settings, world.db)
    for job in (*inside, *outside):
        job.run()
    assert chases(world, case_id) == [("handle", "first", "sent")] * 2
    assert [job.run() for job in inside] == [0] * len(inside)


def test_sweeps_look_along_an_index_and_never_through_a_whole_table(world: World, db: Database):
    now = world.now
    looks = (
        select(Chase.id, Chase.case_id).where(col(Chase.next_at) <= now),
        select(UrgentMatter.id).where(col(UrgentMatter.next_at) <= now),
        select(Case.id).where(Case.state == "deferred", col(Case.due_at) <= now),
        select(NoticeDelivery.id).where(NoticeDelivery.state == "waiting", NoticeDelivery.next_at <= now),
        select(Notice.id).where(Notice.user_id == 1, col(Notice.read_at).is_(None)),
    )
    dialect = {"sqlite": sqlite, "postgresql": postgresql}[db.dialect].dialect()
    with db.session() as session:
        connection = session.connection()
        if db.dialect == "postgresql":
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")  # the tables of a test are a page long
        for statement in looks:
            asked = statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
            how = "EXPLAIN QUERY PLAN " if db.dialect == "sqlite" else "EXPLAIN "
            plan = "\n".join(str(row) for row in connection.exec_driver_sql(how + str(asked).replace("%", "%%")).all())
            assert "ix_" in plan, plan
            assert "Seq Scan" not in plan


def test_a_sweep_does_not_wait_for_somebody_who_works_on_the_case(
    world: World, settings: Settings, db: Database, time_passes: Callable[..., int]
):
    case_id, _ = world.signed()
    free, _ = world.signed()
    world.later(days=20)
    if db.dialect == "sqlite":
        pytest.skip("SQLite has one writer: nobody else is inside")
    with db.session() as session:
        locked(session, world.people["head"], case_id)
        sweep.chase_missed(db, settings, world.now)
        assert chases(world, free) != []
        assert chases(world, case_id) == []
    sweep.chase_missed(db, settings, world.now)
    assert chases(world, case_id) == [("handle", "first", "sent")] * 2


def test_lists_see_an_end_that_was_settled_when_its_year_was_published(world: World, settings: Settings):
    world.now = datetime(2026, 12, 28, 1, 0, tzinfo=UTC)
    case_id, [work_id] = world.dispatched("WATER")
    with world.db.read() as session:
        work = session.get(Assignment, work_id)
        assert work is not None
        before = work.due_at
        assert any(row.provisional for row in session.exec(select(CaseClock)).all())
    admin = world.somebody(Role.admin)
    table = "day,kind\n" + "".join(f"2027-01-0{day},holiday\n" for day in (1, 4, 5))
    with world.db.session() as session:
        workdays.import_year(session, admin, 2027, table, published_by="国务院办公厅", dry_run=False)
    assert sweep.settle_ends(world.db, settings, world.now + timedelta(hours=1)) > 0
    with world.db.read() as session:
        work, case = session.get(Assignment, work_id), world.stored(session, case_id)
        assert work is not None
        assert before is not None
        assert work.due_at is not None
        handled = [row.due_at for row in of_subject(session, Subject.case(case_id)) if row.ended_at is None]
        assert case.due_at in handled
        assert case.due_at > before
    assert sweep.settle_ends(world.db, settings, world.now + timedelta(hours=2)) == 0
