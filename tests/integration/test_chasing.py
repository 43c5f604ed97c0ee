"""Time passes over cases: who is told, chased twice, reprimanded; by two sweepers, and by one that is killed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, select

from app.assignments import giving, judging, working
from app.assignments.giving import Gift
from app.assignments.model import Opinion
from app.assignments.tables import Assignment, Recusal
from app.auth.model import Role
from app.cases import loop, service
from app.cases.acting import locked
from app.cases.history import events_of
from app.cases.model import HandlingWay
from app.cases.tables import Case
from app.chasing import ladder, orders, queries, sweep, urgent
from app.chasing.tables import Chase, UrgentMatter
from app.clock import utc_now
from app.clocks.rules import Urgency
from app.clocks.service import Subject, of_subject
from app.clocks.tables import CaseClock
from app.db import Database
from app.errors import BadInput, Forbidden, NotFound, Refused
from app.followups.model import Heard, Reached
from app.notices.tables import Notice, NoticeDelivery
from app.settings import Settings
from app.units import members
from app.workdays import service as workdays
from app.worker import outgoing_jobs, shipped_jobs
from tests.case_kit.world import World

ANGRY = Heard(Reached.spoken, Opinion.dissatisfied, False, True, False, "还是不亮", propose_redo=True)


@pytest.fixture
def time_passes(world: World, settings: Settings) -> Callable[..., int]:
    """Let time pass, then do everything that the worker does; how much that was."""

    def pass_(**span: float) -> int:
        world.later(**span)
        db, now = world.db, world.now
        return (
            sweep.chase_missed(db, settings, now)
            + sweep.warn_near(db, now)
            + sweep.climb(db, settings, now)
            + sweep.call_again(db, now)
            + sweep.take_up(db, now)
        )

    return pass_


def chases(world: World, case_id: int) -> list[tuple[str, str, str]]:
    with world.db.read() as session:
        rows = session.exec(select(Chase).where(Chase.case_id == case_id).order_by(Chase.id)).all()  # type: ignore[arg-type]
        return [(row.step, row.level, row.state) for row in rows]


def told(world: World, who: str) -> list[str]:
    with world.db.read() as session:
        mine = select(Notice).where(Notice.user_id == world.people[who].user_id).order_by(Notice.id)  # type: ignore[arg-type]
        return [row.kind for row in session.exec(mine).all()]


def chase_id(world: World, level: str) -> int:
    with world.db.read() as session:
        return session.exec(select(Chase).where(Chase.level == level)).one().id or 0


def decided(world: World, who: str, level: str, confirmed: bool, **more: str) -> Chase:
    with world.db.session() as session:
        return orders.decide(session, world.people[who], chase_id(world, level), confirmed, now=world.now, **more)


def signed(world: World) -> tuple[int, int]:
    case_id, [work_id] = world.dispatched("WATER")
    world.work("WATER.handler", working.sign, work_id)
    return case_id, work_id


def test_a_unit_is_told_what_it_was_given_and_who_gave_it_is_told_what_comes_back(world: World):
    case_id, [work_id] = world.dispatched("WATER")
    assert told(world, "WATER.handler") == ["given"]
    assert told(world, "CITY.handler") == []
    world.work("WATER.handler", working.give_it_back, work_id, "路灯归城管")
    assert told(world, "dispatcher") == ["returned"]
    assert told(world, "head") == ["returned"]
    assert told(world, "leader") == []
    world.work("dispatcher", giving.refuse_return, work_id, "水泵房路灯由水务管理")
    world.handed_in(case_id, "WATER")
    assert told(world, "WATER.handler") == ["given", "return_refused"]
    assert told(world, "WATER.leader") == ["to_approve"]
    assert told(world, "head")[1:] == ["replied"]
    world.act("head", judging.accept_case, case_id, "同意")
    world.asked(case_id, ANGRY)
    assert told(world, "head")[-1] == "proposal"
    world.act("head", judging.redo_case, case_id, "市民反映未修复")
    assert told(world, "WATER.handler")[-1] == "redo"
    assert told(world, "WATER.leader")[-1] == "redo"


def test_a_unit_below_is_its_unit_above_s_business_and_not_the_centre_s(world: World):
    case_id, [work_id] = world.dispatched("WATER")
    world.work("WATER.handler", working.sign, work_id)
    world.work("WATER.handler", giving.hand_down, work_id, [Gift(world.units["WATER-S"])])
    assert told(world, "WATER-S.handler") == ["given"]
    below = world.work_of(case_id, "WATER-S")
    world.work("WATER-S.handler", working.give_it_back, below, "不在本所辖区")
    assert told(world, "WATER.handler")[-1] == "returned"
    assert "returned" not in told(world, "dispatcher")


def test_nearly_late_is_told_once_and_late_is_chased_once(world: World, time_passes: Callable[..., int]):
    case_id, _ = signed(world)
    assert time_passes() == 0
    time_passes(days=8)  # the last two of seven working days have begun
    assert told(world, "WATER.handler").count("near") == 1
    time_passes(hours=1)
    assert told(world, "WATER.handler").count("near") == 1
    assert chases(world, case_id) == []
    time_passes(days=3)
    assert chases(world, case_id) == [("handle", "first", "sent")] * 2  # the unit's, and the case's own
    assert told(world, "WATER.handler")[-1] == "chased"
    assert told(world, "WATER.leader") == ["chased"]
    assert told(world, "CITY.leader") == []
    assert world.history(case_id)[-2:] == ["chase.first", "chase.first"]
    assert time_passes(minutes=5) == 0


def test_a_reminder_in_vain_is_repeated_then_a_reprimand_is_drafted_and_a_person_decides(
    world: World, time_passes: Callable[..., int]
):
    case_id, _ = signed(world)
    time_passes(days=10)
    time_passes(days=5)
    assert ("handle", "second", "sent") in chases(world, case_id)
    assert ("handle", "first", "unmet") in chases(world, case_id)
    assert told(world, "WATER.leader")[-1] == "chased_again"
    time_passes(days=4)
    assert ("handle", "reprimand", "draft") in chases(world, case_id)
    assert told(world, "head")[-1] == "reprimand_draft"
    assert "reprimand" not in told(world, "WATER.leader")
    assert time_passes(days=20) == 0  # a draft waits for a person

    with pytest.raises(Forbidden):
        decided(world, "dispatcher", "reprimand", True)
    row = decided(world, "head", "reprimand", True, text="通报批评：水务局逾期未办。")
    assert (row.state, row.text) == ("confirmed", "通报批评：水务局逾期未办。")
    assert told(world, "WATER.leader")[-1] == "reprimand"
    with pytest.raises(Refused):
        decided(world, "head", "reprimand", False, why="改主意")
    time_passes(days=7)
    assert told(world, "leader")[-1] == "exposure_draft"
    with pytest.raises(Forbidden):
        decided(world, "head", "exposure", True)
    with pytest.raises(BadInput):
        decided(world, "leader", "exposure", False)
    assert decided(world, "leader", "exposure", False, why="已约谈，限期三日").state == "dropped"
    assert "exposure" not in told(world, "WATER.leader")
    assert [event for event in world.history(case_id) if event.startswith(("chase.r", "chase.e"))] == [
        "chase.reprimand", "chase.reprimand_confirmed", "chase.exposure", "chase.exposure_dropped",
    ]  # fmt: skip


def test_whoever_replies_after_the_first_reminder_hears_of_no_second(world: World, time_passes: Callable[..., int]):
    case_id, _ = signed(world)
    time_passes(days=10)
    world.handed_in(case_id, "WATER")
    time_passes(days=30)
    assert "second" not in [level for _, level, _ in chases(world, case_id)]
    assert ("handle", "first", "met") in chases(world, case_id)


def test_a_drop_ends_the_ladder(world: World, time_passes: Callable[..., int]):
    signed(world)
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
    assert told(world, "dispatcher") == ["late"]
    assert told(world, "head") == ["late"]
    assert told(world, "leader") == []
    assert chases(world, case_id) == [("dispatch", "first", "sent")]
    time_passes(days=30)
    assert chases(world, case_id) == [("dispatch", "first", "sent")]


def test_two_sweepers_at_once_chase_everybody_exactly_once(world: World, settings: Settings, db: Database):
    cases = [signed(world)[0] for _ in range(12)]
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
    assert told(world, "WATER.leader").count("chased") == len(cases)


def test_a_sweeper_that_is_killed_half_way_loses_nothing_and_doubles_nothing(
    world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    cases = [signed(world)[0] for _ in range(3)]
    world.later(days=20)
    real, done = ladder.missed, []

    def dies(session: Session, *rest: object) -> object:
        if len(done) == 4:
            raise KeyboardInterrupt
        done.append(1)
        return real(session, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(ladder, "missed", dies)
    with pytest.raises(KeyboardInterrupt):
        sweep.chase_missed(world.db, settings, world.now)
    assert [chases(world, case_id) for case_id in cases] == [[], [], []]
    monkeypatch.setattr(ladder, "missed", real)
    assert sweep.chase_missed(world.db, settings, world.now) == 6
    assert all(chases(world, case_id) == [("handle", "first", "sent")] * 2 for case_id in cases)
    assert told(world, "WATER.leader").count("chased") == 3


def test_one_clock_that_cannot_be_chased_keeps_nobody_else_from_it(
    world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    bad, good = signed(world)[0], signed(world)[0]
    world.later(days=20)
    real = ladder.missed

    def breaks(session: Session, case: Case, *rest: object) -> object:
        if case.id == bad:
            raise ValueError("not over within the calendar")
        return real(session, case, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(ladder, "missed", breaks)
    assert sweep.chase_missed(world.db, settings, world.now) == 2
    assert (chases(world, bad), len(chases(world, good))) == ([], 2)
    monkeypatch.setattr(ladder, "missed", real)
    assert sweep.chase_missed(world.db, settings, world.now) == 2
    assert len(chases(world, bad)) == 2


def test_the_worker_s_own_jobs_chase_and_send(world: World, settings: Settings):
    world.now = utc_now() - timedelta(days=30)
    case_id, _ = signed(world)
    inside, outside = shipped_jobs(settings, world.db), outgoing_jobs(settings, world.db)
    for job in (*inside, *outside):
        job.run()
    assert chases(world, case_id) == [("handle", "first", "sent")] * 2
    assert [job.run() for job in inside] == [0] * len(inside)


def test_sweeps_look_along_an_index_and_never_through_a_whole_table(world: World, db: Database):
    now = world.now
    looks = (
        select(Chase.id, Chase.case_id).where(Chase.next_at <= now),  # type: ignore[operator]
        select(UrgentMatter.id).where(UrgentMatter.next_at <= now),  # type: ignore[operator]
        select(Case.id).where(Case.state == "deferred", Case.due_at <= now),  # type: ignore[operator]
        select(NoticeDelivery.id).where(NoticeDelivery.state == "waiting", NoticeDelivery.next_at <= now),
        select(Notice.id).where(Notice.user_id == 1, Notice.read_at.is_(None)),  # type: ignore[union-attr]
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
    case_id, _ = signed(world)
    free, _ = signed(world)
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


def test_an_urgent_matter_is_told_again_and_to_more_until_somebody_says_that_they_know(
    world: World, time_passes: Callable[..., int]
):
    case_id = world.case()
    world.act("taker", loop.submit, case_id, urgency=Urgency.life)
    assert (told(world, "leader"), told(world, "head")) == (["urgent"], [])
    time_passes(minutes=4)
    assert told(world, "leader") == ["urgent"]
    time_passes(minutes=1)
    assert (told(world, "leader"), told(world, "head"), told(world, "dispatcher")) == (["urgent"] * 2, ["urgent"], [])
    with world.db.read() as session:
        matter = session.exec(select(UrgentMatter)).one()
    with pytest.raises(Forbidden), world.db.session() as session:
        urgent.acknowledge(session, world.people["dispatcher"], matter.id or 0, now=world.now)
    for who in ("head", "leader", "leader"):
        with world.db.session() as session:
            urgent.acknowledge(session, world.people[who], matter.id or 0, now=world.now)
    with world.db.read() as session:
        receipts = urgent.receipts_of(session, [matter.id or 0])[matter.id or 0]
        assert [one.user_id for one in receipts] == [world.people[who].user_id for who in ("head", "leader")]
        assert urgent.open_matters(session, world.people["leader"]).total == 0
    time_passes(minutes=30)
    assert told(world, "leader") == ["urgent"] * 2
    assert [event for event in world.history(case_id) if event.startswith("chase.")] == [
        "chase.urgent", "chase.urgent_again", "chase.acknowledged", "chase.acknowledged",
    ]  # fmt: skip


def test_an_urgent_matter_that_nobody_dispatches_is_told_once_more_and_general_ones_are_not(
    world: World, time_passes: Callable[..., int]
):
    case_id = world.case()
    world.act("taker", loop.submit, case_id, urgency=Urgency.utilities)
    with world.db.session() as session:
        urgent.acknowledge(session, world.people["leader"], 1, now=world.now)
    time_passes(hours=2)
    assert told(world, "leader") == ["urgent", "urgent"]
    with world.db.read() as session:
        causes = [one.cause for one in session.exec(select(UrgentMatter).order_by(UrgentMatter.id)).all()]  # type: ignore[arg-type]
    assert causes == ["submitted", "dispatch_late"]
    world.act("taker", loop.submit, world.case())
    assert len(told(world, "leader")) == 2


def test_a_dispatcher_who_finds_a_matter_urgent_calls_the_leaders(world: World):
    case_id = world.case()
    world.act("taker", loop.submit, case_id)
    way, gifts = HandlingWay.written, [Gift(world.units["WATER"])]
    world.act("dispatcher", giving.dispatch, case_id, way, gifts, urgency=Urgency.life)
    assert told(world, "leader") == ["urgent"]


def test_a_leader_s_order_names_a_day_and_moves_no_clock(world: World, time_passes: Callable[..., int]):
    case_id, work_id = signed(world)
    with world.db.read() as session:
        before = [row.due_at for row in of_subject(session, Subject.assignment(work_id))]
    day = world.now + timedelta(days=2)

    def ordered(who: str, text: str = "请两日内修复并报告", **more: object) -> list[Chase]:
        with world.db.session() as session:
            return orders.order(session, world.people[who], case_id, text, day, now=world.now, **more)  # type: ignore[arg-type]

    with pytest.raises(Forbidden):
        ordered("dispatcher")
    for more in ({"text": " "}, {"units": [world.units["CITY"]]}):
        with pytest.raises(BadInput):
            ordered("head", **more)
    (row,) = ordered("head")
    assert ordered("head")[0].id == row.id  # a double click
    assert told(world, "WATER.leader") == ["ordered"]
    with world.db.read() as session:
        assert [row.due_at for row in of_subject(session, Subject.assignment(work_id))] == before
    time_passes(days=2)
    assert chases(world, case_id) == [("", "order", "unmet")]
    assert told(world, "head")[-1] == "order_unmet"
    assert [event for event in world.history(case_id) if event.startswith("chase.")] == [
        "chase.order", "chase.order_unmet",
    ]  # fmt: skip


def test_an_order_that_was_followed_is_met_in_silence(world: World, time_passes: Callable[..., int]):
    case_id, _ = signed(world)
    with world.db.session() as session:
        orders.order(session, world.people["leader"], case_id, "请速办", world.now + timedelta(days=2), now=world.now)
    world.handed_in(case_id, "WATER")
    time_passes(days=2)
    assert ("", "order", "met") in chases(world, case_id)
    assert "order_unmet" not in told(world, "head")


def test_what_was_on_account_is_taken_up_by_itself_on_its_day_and_its_unit_told(
    world: World, time_passes: Callable[..., int]
):
    case_id, _ = signed(world)
    world.act("leader", judging.defer, case_id, "纳入明年改造计划", world.now + timedelta(days=20))
    time_passes(days=19)
    assert world.state(case_id) == "deferred"
    assert chases(world, case_id) == []  # nothing is late that is not timed
    time_passes(days=1)
    assert world.state(case_id) == "in_progress"
    assert told(world, "WATER.handler")[-1] == "resumed"
    assert world.history(case_id).count("resumed") == 1
    assert time_passes() == 0


def test_who_is_kept_from_a_case_is_told_nothing_of_it(world: World, time_passes: Callable[..., int]):
    case_id = world.case()
    world.act("taker", loop.submit, case_id, about_unit_id=world.units["CITY"])
    with world.db.session() as session:
        for who in ("WATER.handler", "head"):
            why = {"why": "亲属", "at": world.now}
            session.add(Recusal(case_id=case_id, user_id=world.people[who].user_id, **why))
    world.dispatched("WATER", case_id=case_id)
    time_passes(days=20)
    for who in ("WATER.handler", "head", "CITY.handler", "CITY.leader"):
        assert told(world, who) == [], who
    assert "chased" in told(world, "WATER.leader")


def test_what_nobody_is_there_to_read_goes_to_somebody_else(world: World):
    with world.db.session() as session:
        for member in members.listed(session, world.people["dispatcher"], world.units["CITY"]):
            members.end(session, world.people["dispatcher"], world.units["CITY"], member.row.id or 0, now=world.now)
    world.dispatched("CITY")
    assert told(world, "head") == ["given"]
    assert told(world, "WATER.handler") == []


def test_units_hear_of_what_was_decided_about_themselves_and_of_nothing_else(
    world: World, settings: Settings, time_passes: Callable[..., int]
):
    case_id, _ = signed(world)
    for days in (10, 5, 4):
        time_passes(days=days)

    def seen(who: str) -> list[str]:
        with world.db.read() as session:
            return [row.level for row in queries.chases(session, world.people[who], settings.zone).items]

    assert seen("WATER.leader") == ["second", "first"]  # a draft is nothing yet
    assert seen("CITY.leader") == []
    assert seen("taker") == ["second", "first", "first"]
    assert seen("auditor") == seen("head")
    assert seen("head") == ["reprimand", "second", "first", "first"]

    def lines(who: str) -> list[str]:
        with world.db.read() as session:
            return [event.event for event in service.case_events(session, world.people[who], case_id)]

    assert "chase.reprimand" in lines("head")
    assert "chase.reprimand" not in lines("WATER.leader")
    assert "chase.second" in lines("WATER.leader")
    decided(world, "head", "reprimand", True)
    assert seen("WATER.leader") == ["reprimand", "second", "first"]
    assert "chase.reprimand_confirmed" in lines("WATER.leader")
    with world.db.read() as session:
        counted = queries.counts_by_unit(session, world.people["head"], settings.zone)
    assert counted[world.units["WATER"]] == {"first": 1, "second": 1, "reprimand": 1, "exposure": 0, "order": 0}
    assert counted[None]["first"] == 1


def test_a_late_reprimand_says_whom_it_is_about_and_nothing_of_the_caller(
    world: World, time_passes: Callable[..., int]
):
    case_id = world.case(title="王小明反映幸福里 5 号路灯不亮，电话13800138000")
    _, [work_id] = world.dispatched("WATER", case_id=case_id)
    world.work("WATER.handler", working.sign, work_id)
    for days in (10, 5, 4):
        time_passes(days=days)
    with world.db.read() as session:
        row = session.exec(select(Chase).where(Chase.level == "reprimand")).one()
        lines = [event.detail for event in events_of(session, case_id) if event.event.startswith("chase.")]
        titles = {notice.title for notice in session.exec(select(Notice)).all()}
    for secret in ("王小明", "幸福里", "13800138000"):
        assert secret not in row.text
        assert secret not in str(lines)
        assert all(secret not in title for title in titles)
    assert "水务局" in row.text
    assert "已超期" in row.text


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


def test_strangers_decide_nothing(world: World, time_passes: Callable[..., int]):
    signed(world)
    for days in (10, 5, 4):
        time_passes(days=days)
    for who in ("WATER.leader", "WATER.handler", "taker", "auditor"):
        with pytest.raises(Forbidden):
            decided(world, who, "reprimand", True)
    with pytest.raises(NotFound), world.db.session() as session:
        orders.decide(session, world.people["head"], 999, True, now=world.now)
