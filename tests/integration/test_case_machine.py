"""Random people do random things to a few cases, for thousands of steps; refusals are fine, contradictions are not.

After every step: no parent is done before its children, one unit leads, a case with units has a leader unless the
centre is to find one; clocks are as they should be, an outcome is never changed; the history only grows and tells
everything; the same act again is the same act. The world is built once and copied for every run.

`HOTLINE_CASE_STEPS=50000 pytest tests/integration/test_case_machine.py` is the long run.
"""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from sqlmodel import Session

from app.actor import Actor
from app.assignments import giving, judging, working
from app.assignments.giving import Gift
from app.assignments.model import Opinion
from app.assignments.taking_back import take_back
from app.cases import loop
from app.cases.model import Ground, HandlingWay
from app.cases.states import CASE_STEPS, WORK_STEPS, By, CaseAct, WorkAct
from app.clocks.rules import Urgency
from app.db import Database
from app.errors import HotlineError
from app.followups.model import Heard, Reached
from app.followups.service import close_all_the_same, follow_up
from tests.case_kit.soundness import Stored, assert_grown, assert_sound, stored
from tests.case_kit.world import World
from tests.integration.in_memory import in_memory

STEPS = int(os.environ.get("HOTLINE_CASE_STEPS", "2080"))
STEPS_EACH = 80
CASES = 3

PEOPLE = ("taker", "dispatcher", "head", "leader", "mayor")
UNITS = ("WATER", "CITY", "WATER-S")
WHO = (*PEOPLE, *(f"{code}.{role}" for code in UNITS for role in ("handler", "leader")))
HEARD = (
    Heard(Reached.spoken, Opinion.satisfied, True, True, True),
    Heard(Reached.spoken, Opinion.dissatisfied, False, True, False, "还是不亮", propose_redo=True),
    Heard(Reached.no_answer),
    Heard(Reached.declined),
)
AT_THE_CENTRE = {
    By.taker: "taker",
    By.dispatcher: "dispatcher",
    By.reviewer: "head",
    By.follower: "taker",
    By.leader: "leader",
}
FORWARD: set[CaseAct | WorkAct] = {
    *(CaseAct.submitted, CaseAct.dispatched, CaseAct.accepted, CaseAct.followed_up, CaseAct.resumed, CaseAct.unmerged),
    *(WorkAct.signed, WorkAct.submitted, WorkAct.replied, WorkAct.accepted, WorkAct.return_upheld),
}
ENDS = {CaseAct.answered, CaseAct.guided, CaseAct.referred, CaseAct.declined, CaseAct.archived, CaseAct.merged}
OTHERS = {*CaseAct, *WorkAct} - ENDS
_MARKS = """SELECT id, updated_at || state || version || (SELECT max(e.id) FROM case_event e WHERE e.case_id = c.id)
FROM case_file c"""
Doing = Callable[[Session, Actor, int, int], Any]


@pytest.fixture(scope="module")
def template(sqlite_template: Path) -> Iterator[tuple[World, list[int]]]:
    """The small city with a registered case, one that a unit has and one that two have; every run works on a copy."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "world.sqlite3"
        shutil.copyfile(sqlite_template, file)
        db = Database(f"sqlite:///{file}")
        world = World(db)
        cases = [world.case(), world.dispatched("WATER")[0], world.dispatched("WATER", "CITY")[0]]
        db.dispose()  # the last one out puts everything into the one file
        yield world, cases


class Loop(RuleBasedStateMachine):
    """The loop with a few cases in it. `told` is what was stored of each after the last step."""

    template: World
    started: list[int]
    tried = 0

    @initialize()
    def begin(self) -> None:
        """A copy of the world with its cases."""
        self.folder = tempfile.TemporaryDirectory(dir=in_memory())
        file = Path(self.folder.name) / "case.sqlite3"
        shutil.copyfile(str(self.template.db.url.database), file)
        self.world = self.template.copied_to(Database(f"sqlite:///{file}"))
        self.cases = self.started
        self.told: dict[int, Stored] = {}
        self.marks: dict[int, str] = {}
        self.watch = sqlite3.connect(file)
        self.look()

    def teardown(self) -> None:
        """The copy goes away."""
        self.watch.close()
        self.world.db.dispose()
        self.folder.cleanup()

    @rule(seed=st.integers(0, 2**32 - 1))
    def something_happens(self, seed: int) -> None:
        """Mostly a step that the table has, often one towards a reply; sometimes anything by anybody; time passes."""
        luck = random.Random(seed)
        case_id, kind, n = luck.choice(self.cases), luck.random(), luck.randrange(12)
        if kind < 0.1:
            self.world.later(minutes=luck.choice([1, 30, 600, 3_000, 20_000]))
        elif kind < 0.25:
            self.somebody_tries_anything(luck, case_id, n)
        else:
            self.somebody_takes_a_step(luck, case_id, n, forward=kind < 0.55)

    def somebody_tries_anything(self, luck: random.Random, case_id: int, n: int) -> None:
        """Whether they may or not."""
        acts: list[CaseAct | WorkAct] = [*CASE_ACTS, *WORK_ACTS]
        who, act, works = luck.choice(WHO), luck.choice(acts), self.told[case_id].works
        if isinstance(act, CaseAct):
            self.on_case(who, case_id, act, n)
        elif works:
            self.on_work(who, luck.choice(works)["id"], act, n)

    def somebody_takes_a_step(self, luck: random.Random, case_id: int, n: int, *, forward: bool) -> None:
        """Of all that could be done now, one; what ends a case at once comes seldom, or no case would get far."""
        steps = self.possible(case_id)
        wanted = [step for step in steps if step[1] in (FORWARD if forward else OTHERS)]
        if luck.random() < 0.1 or not wanted:
            wanted = steps
        if wanted:
            who, act, work_id = luck.choice(wanted)
            if isinstance(act, CaseAct):
                self.on_case(who, case_id, act, n)
            else:
                self.on_work(who, work_id, act, n)

    def possible(self, case_id: int) -> list[tuple[str, CaseAct | WorkAct, int]]:
        """Who could do what by the table of states: person, act, assignment."""
        told = self.told[case_id]
        found: list[tuple[str, CaseAct | WorkAct, int]] = []
        for step in CASE_STEPS:
            if told.case["state"] in step.sources and step.act in CASE_ACTS:
                found += [(AT_THE_CENTRE[by], step.act, 0) for by in sorted(step.by) if by in AT_THE_CENTRE]
        codes = {ident: code for code, ident in self.world.units.items()}
        units = {work["id"]: codes[work["unit_id"]] for work in told.works}
        for work in told.works:
            people = {By.handler: f"{units[work['id']]}.handler", By.unit_leader: f"{units[work['id']]}.leader"}
            people[By.giver] = f"{units[work['parent_id']]}.handler" if work["parent_id"] else "dispatcher"
            for line in WORK_STEPS:
                if work["state"] in line.sources:
                    found += [(people[by], line.act, work["id"]) for by in sorted(line.by) if by in people]
        return found

    def on_case(self, who: str, case_id: int, act: CaseAct, n: int) -> None:
        version = self.told[case_id].case["version"]
        self.twice(who, case_id, version, CASE_ACTS[act](self, case_id, n))

    def on_work(self, who: str, work_id: int, act: WorkAct, n: int) -> None:
        works = ((case_id, work) for case_id, told in self.told.items() for work in told.works)
        case_id, version = next((case_id, work["version"]) for case_id, work in works if work["id"] == work_id)
        self.twice(who, work_id, version, WORK_ACTS[act](self, case_id, work_id, n))

    def twice(self, who: str, ident: int, version: int, doing: Doing) -> None:
        """The act, and if it was done the same again from the same version, as a double click does."""
        type(self).tried += 1
        before = self.writes()
        try:
            with self.world.db.session() as session:
                doing(session, self.world.people[who], ident, version)
        except HotlineError:
            assert self.writes() == before, "what was refused has changed nothing"
            return
        self.look()
        before = self.writes()
        with self.world.db.session() as session:
            doing(session, self.world.people[who], ident, version)
        assert self.writes() == before, "the same act again is the same act"

    def writes(self) -> int:
        """Another number whenever anybody has written anything at all."""
        return int(self.watch.execute("PRAGMA data_version").fetchone()[0])

    def look(self) -> None:
        """Reads each case that moved, and holds it against the rules and against what was there before."""
        marks = dict(self.watch.execute(_MARKS).fetchall())
        with self.world.db.read() as session:
            for case_id in self.cases:
                if marks[case_id] != self.marks.get(case_id):
                    now, before = stored(session, case_id), self.told.get(case_id)
                    assert_sound(now)
                    if before is not None:
                        assert_grown(before, now)
                    self.told[case_id] = now
        self.marks = marks

    def gifts(self, n: int) -> list[Gift]:
        """One unit, or two of which one leads, or one that is not asked to lead."""
        water, city, below = (self.world.units[code] for code in UNITS)
        choices = (
            [Gift(water)],
            [Gift(city)],
            [Gift(water, lead=True), Gift(city)],
            [Gift(city, lead=True), Gift(below)],
        )
        return choices[n % 4]

    def way(self, n: int) -> HandlingWay:
        """Coordinated where there are several, else in writing or by telephone."""
        if n % 4 > 1 or n > 7:
            return HandlingWay.coordinated
        return HandlingWay.telephone if n > 3 else HandlingWay.written


def _case(use: Callable[..., Any], *what: Callable[[Loop, int, int], Any], **more: Any) -> Any:
    """How an act on a case is done: `what` gives its arguments of the machine, the case and a number."""

    def made(loop_: Loop, case_id: int, n: int) -> Doing:
        args = [one(loop_, case_id, n) for one in what]
        return lambda session, actor, ident, version: use(
            session, actor, ident, version, *args, now=loop_.world.now, **more
        )

    return made


def _text(words: str) -> Callable[[Loop, int, int], str]:
    """Said, mostly."""
    return lambda loop_, case_id, n: words if n else ""


CASE_ACTS: dict[CaseAct, Callable[[Loop, int, int], Doing]] = {
    CaseAct.amended: _case(loop.set_items, lambda m, c, n: ["修好路灯", "告知结果"][: n % 3]),
    CaseAct.answered: _case(loop.answer, _text("已答复")),
    CaseAct.guided: _case(loop.guide, _text("请拨打 110")),
    CaseAct.referred: _case(loop.refer, lambda m, c, n: m.world.units[UNITS[n % 3]]),
    CaseAct.declined: _case(loop.decline, lambda m, c, n: Ground.litigation, _text("已在法院立案")),
    CaseAct.reopened: _case(loop.reopen, _text("又来电话")),
    CaseAct.submitted: lambda m, c, n: _case(
        loop.submit,
        urgency=Urgency.utilities if n > 9 else Urgency.general,
        about_unit_id=m.world.units["CITY"] if n == 11 else None,
    )(m, c, n),
    CaseAct.sent_back: _case(loop.send_back, _text("补充地址")),
    CaseAct.dispatched: _case(giving.dispatch, lambda m, c, n: m.way(n), lambda m, c, n: m.gifts(n)),
    CaseAct.review_begun: _case(judging.begin_review),
    CaseAct.accepted: _case(judging.accept_case, _text("同意")),
    CaseAct.redo: lambda m, c, n: _case(
        judging.redo_case, _text("没修好"), units=[] if n < 6 else [m.world.units[UNITS[n % 2]]]
    )(m, c, n),
    CaseAct.followed_up: _case(follow_up, lambda m, c, n: HEARD[n % len(HEARD)]),
    CaseAct.closed: _case(close_all_the_same, _text("现场已核实")),
    CaseAct.archived: _case(loop.archive),
    CaseAct.deferred: _case(
        judging.defer, _text("明年改造"), lambda m, c, n: m.world.now + timedelta(days=(n + 1) * 5)
    ),
    CaseAct.resumed: _case(judging.resume),
    CaseAct.merged: _case(judging.merge, lambda m, c, n: m.cases[n % CASES]),
    CaseAct.unmerged: _case(judging.unmerge, _text("地点不同")),
    CaseAct.taken_back: _case(take_back, _text("派错单位")),
}


def _work(use: Callable[..., Any], *what: Callable[[Loop, int, int], Any], **more: Any) -> Any:
    """How an act on an assignment is done."""
    case_way = _case(use, *what, **more)
    return lambda loop_, case_id, work_id, n: case_way(loop_, case_id, n)


def _submitted(loop_: Loop, case_id: int, work_id: int, n: int) -> Doing:
    fields = loop_.world.reply_fields(case_id, result=f"第 {n} 种结果，已办妥") if n else {}
    told = loop_.told[case_id]
    rounds = {work["id"]: work["round"] for work in told.works}
    present = (one for one in told.replies if (one["assignment_id"], one["round"]) == (work_id, rounds[work_id]))
    seen = next((one["version"] for one in present), 0)
    return lambda session, actor, ident, version: working.submit(
        session, actor, ident, version, fields, seen, now=loop_.world.now
    )


WORK_ACTS: dict[WorkAct, Callable[[Loop, int, int, int], Doing]] = {
    WorkAct.signed: _work(working.sign),
    WorkAct.started: _work(working.start),
    WorkAct.handed_down: _work(giving.hand_down, lambda m, c, n: [Gift(m.world.units[UNITS[2 if n else 1]])]),
    WorkAct.submitted: _submitted,
    WorkAct.reworked: _work(working.rework, _text("补充照片")),
    WorkAct.replied: lambda m, c, w, n: _case(working.approve, _text("同意"), seal=n != 1)(m, c, n),
    WorkAct.accepted: _work(judging.accept_work, _text("同意")),
    WorkAct.redo: _work(judging.redo_work, _text("不清楚")),
    WorkAct.returned: _work(working.give_it_back, _text("不归我们")),
    WorkAct.return_refused: _work(giving.refuse_return, _text("归你们")),
    WorkAct.return_upheld: _work(giving.uphold_return, _text("确实")),
    WorkAct.withdrawn: _work(giving.withdraw, _text("另行安排")),
}


@pytest.mark.timeout(max(180, STEPS))  # seconds, on a machine that others use too
def test_whatever_people_do_to_cases_leaves_them_sound(template: tuple[World, list[int]]):
    class Run(Loop):
        pass

    Run.template, Run.started = template
    run_state_machine_as_test(
        Run,
        settings=settings(
            max_examples=max(1, STEPS // STEPS_EACH),
            stateful_step_count=STEPS_EACH,
            deadline=None,
            phases=(Phase.generate,),  # a step takes milliseconds: to look for the shortest story would take minutes
            report_multiple_bugs=False,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
