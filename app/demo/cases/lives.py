"""What becomes of an invented case: its states with their history, assignments, clocks, reply and call-backs.

A life is told from its beginning to its end and cut off at the present, so that old cases are archived, and those of
the last days stand wherever they have come to. Limits are the hotline's own rules (`app.clocks`).
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache

from app.assignments.model import Opinion
from app.clocks.limits import Limit, Reckoning, Unit, end_of, warning_of
from app.clocks.model import ClockKind, ClockState
from app.clocks.rules import DEFAULTS, Matter, Urgency, Way, limit_for
from app.demo.cases.matters import Told
from app.demo.cases.rows import Store, moment

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
SWEPT_S = 300  # how far whoever keeps time may be behind
RESULT = "已到现场核实，反映情况属实，已安排处理完毕。"
OPINIONS = [one.value for one in Opinion]


@dataclass
class Life:
    """One case while its life is being told. `at` is how far it has come, in seconds since 1970."""

    ident: int
    told: Told
    at: float
    state: str = "draft"
    columns: dict[str, object] = field(default_factory=dict)
    when: str = ""

    def __post_init__(self) -> None:
        self.comes_to(self.at)

    def comes_to(self, at: float) -> None:
        """It goes on until then; `when` is the same as text."""
        self.at, self.when = at, moment(at) or ""


class Lives:
    """Tells lives into a store. `unit_of` gives the unit for a topic and an area."""

    def __init__(
        self, store: Store, dice: random.Random, by: Reckoning, now: float, unit_of: Callable[[str, str], int]
    ) -> None:
        self.store, self.dice, self.by, self.now, self.unit_of = store, dice, by, now, unit_of
        self.next_work = self.next_clock = self.next_item = 1
        self._days = lru_cache(maxsize=20_000)(self._days_of)

    def tell(self, life: Life) -> None:
        """Everything that happens to it after it was opened."""
        agent = self.agent(life)
        self.event(life, agent, "opened", "draft", first=True)
        if self.dice.random() < 0.02:
            if self.comes(life, 5 * MINUTE):
                self.event(life, agent, "discarded", "discarded", reason="市民未说话")
            return
        if not self.comes(life, 4 * MINUTE):
            return
        life.columns.update(registered_at=life.when, registered_from_version=1, version=2)
        self.event(life, agent, "registered", "registered")
        share = self.dice.random()
        if life.told.type in ("consult", "praise") or share < 0.2:
            self.at_once(life, agent, share)
        elif self.comes(life, 3 * MINUTE):
            self.event(life, agent, "submitted", "to_dispatch")
            self.by_units(life)

    def at_once(self, life: Life, agent: str, share: float) -> None:
        """Answered, guided, declined; archived later."""
        if not self.comes(life, 2 * MINUTE):
            return
        how = "guided" if share > 0.9 else "declined" if share > 0.88 else "answered"
        way = {"guided": "guide", "answered": "answer"}.get(how)
        life.columns.update(way=way, answer="" if way is None else RESULT, ended_at=life.when)
        life.columns["ground"] = "litigation" if way is None else None
        self.event(life, agent, how, how)
        if self.comes(life, 30 * DAY):
            self.event(life, "督办", "archived", "archived")

    def by_units(self, life: Life) -> None:
        """Dispatched, handled, replied, reviewed, asked about, closed."""
        began = life.at
        if not self.comes(life, 5 * HOUR):
            self.clock(life, "case", life.ident, ClockKind.dispatch, began, None)
            return
        self.clock(life, "case", life.ident, ClockKind.dispatch, began, life.at)
        if self.dice.random() < 0.015:
            self.event(life, "派单员", "merged", "merged")
            life.columns.update(merged_into_id=max(1, life.ident - self.dice.randint(1, 200)), due_at=None)
            return
        life.columns["way"] = "written"
        self.event(life, "派单员", "dispatched", "dispatched")
        work = self.give(life)
        handled = life.at
        done = self.at_the_unit(life, work)
        put_off = life.state == "deferred"
        ended = life.at if done or put_off else None
        self.clock(life, "case", life.ident, ClockKind.handle, handled, ended, replaced=put_off)
        due = self.clock(life, "assignment", self.next_work, ClockKind.handle, handled, ended, replaced=put_off)
        work.setdefault("due_at", due)
        if done:
            self.event(life, "单位", "replied", "replied")
            self.judged(life, work)
        if put_off:
            until = moment(self.now + self.dice.uniform(5, 90) * DAY)
            life.columns.update(due_at=until, deferred_until=until)
        self.store.works.add(**work)
        self.next_work += 1

    def at_the_unit(self, life: Life, work: dict[str, object]) -> bool:
        """Signed, handled and replied; whether it came that far."""
        given = life.at
        if not self.comes(life, 8 * HOUR):
            work["due_at"] = self.clock(life, "assignment", self.next_work, ClockKind.sign, given, None)
            return False
        self.clock(life, "assignment", self.next_work, ClockKind.sign, given, life.at)
        self.unit_moves(life, work, "signed", "signed", "signed", signed_at=life.when)
        if not self.comes(life, 5 * HOUR):
            return False
        self.unit_moves(life, work, "started", "in_progress", "started")
        if self.dice.random() < 0.006:
            self.event(life, "带班领导", "deferred", "deferred", reason="涉及规划调整，暂不具备条件")
            return False
        if not self.comes(life, 4 * DAY):
            return False
        if self.now - life.at < 6 * HOUR:
            self.unit_moves(life, work, "submitted", "in_review")
            return False
        self.unit_moves(life, work, "replied", "replied", replied_at=life.when)
        self.store.replies.add(
            assignment_id=self.next_work, round=1, state="approved", result=RESULT,
            measures="现场处置并回访。", contact="phone", opinion="satisfied", signed_name="经办人",
            leader_opinion="同意", sealed=True, updated_at=life.when,
        )  # fmt: skip
        return True

    def judged(self, life: Life, work: dict[str, object]) -> None:
        """Reviewed, asked about, closed, archived."""
        began = life.at
        if not self.comes(life, 14 * HOUR):
            self.clock(life, "case", life.ident, ClockKind.review, began, None)
            return
        self.clock(life, "case", life.ident, ClockKind.review, began, life.at)
        self.event(life, "督办", "accepted", "to_follow_up", reason="同意")
        work.update(state="accepted", ended_at=life.when, due_at=None)
        accepted = life.at
        asked = self.comes(life, 1.5 * DAY)
        self.clock(life, "case", life.ident, ClockKind.follow_up, accepted, life.at if asked else None)
        task = {"case_id": life.ident, "open": not asked, "after": moment(accepted)}
        self.store.tasks.add(**task, tries=int(asked))
        if not asked:
            return
        self.asked(life)
        self.event(life, "回访员", "followed_up", "to_follow_up")
        life.columns["ended_at"] = life.when
        self.event(life, "回访员", "closed", "closed")
        if self.comes(life, 30 * DAY):
            self.event(life, "督办", "archived", "archived")

    def asked(self, life: Life) -> None:
        """What the citizen said."""
        spoken = self.dice.random() < 0.8
        (opinion,) = self.dice.choices(OPINIONS, (30, 40, 15, 10, 5))
        said = {"satisfaction": opinion, "solved": opinion not in OPINIONS[3:], "contacted_in_time": True,
                "true_to_reality": True} if spoken else {}  # fmt: skip
        self.store.tries.add(
            case_id=life.ident, round=1, at=life.when,
            reached="spoken" if spoken else "declined", **said,
        )  # fmt: skip

    def give(self, life: Life) -> dict[str, object]:
        """The unit has it."""
        self.store.items.add(id=self.next_item, case_id=life.ident, position=1, text=life.told.title)
        self.next_item += 1
        work: dict[str, object] = {
            "id": self.next_work, "case_id": life.ident, "unit_id": self.unit_of(life.told.topic, life.told.area),
            "lead": True, "way": "written", "state": "dispatched", "given_at": life.when,
        }  # fmt: skip
        self.note(life, "派单员", "unit.given")
        return work

    def unit_moves(
        self, life: Life, work: dict[str, object], act: str, state: str, case_state: str = "", **more: object
    ) -> None:
        """The unit does something, and the case may follow."""
        work.update(state=state, version=int(str(work.get("version", 1))) + 1, **more)
        self.note(life, "单位", f"unit.{act}")
        if case_state:
            self.event(life, "单位", act, state)

    def comes(self, life: Life, mean_s: float) -> bool:
        """Let some time pass; False if what comes then has not come yet."""
        then = life.at + mean_s * (0.2 + self.dice.expovariate(1.25))
        if then > self.now:
            return False
        life.comes_to(then)
        return True

    def agent(self, life: Life) -> str:
        """Who took it in."""
        return str(life.columns["agent_id"])

    def event(self, life: Life, who: str, act: str, state: str, *, first: bool = False, reason: str = "") -> None:
        """The case moves, and its history has a line."""
        before, life.state = life.state, state
        self.note(life, who, act, None if first else before, reason)

    def note(self, life: Life, who: str, act: str, before: str | None = "", reason: str = "") -> None:
        """One line of the history."""
        detail = json.dumps({"assignment": self.next_work}) if act.startswith("unit.") else "{}"
        self.store.events.add(
            case_id=life.ident, at=life.when, actor=who, actor_name=who, event=act, reason=reason, detail=detail,
            from_state=life.state if before == "" else before, to_state=life.state,
        )  # fmt: skip
        life.columns["updated_at"] = life.when

    def clock(
        self,
        life: Life,
        kind: str,
        ident: int,
        step: ClockKind,
        began: float,
        ended: float | None,
        *,
        replaced: bool = False,
    ) -> str | None:
        """A step's clock; its end by which lists are ordered, while it runs."""
        limit = _limit(step, life.told.type, life.told.urgency)
        if limit.unit is Unit.hours:
            due = began + limit.amount * HOUR
            warn = due - limit.amount * limit.warn_percent / 100 * HOUR
        else:
            due, warn = self._days(limit, int(began // HOUR))
        late = (ended or self.now - SWEPT_S) > due
        state = ClockState.missed if late else ClockState.running if ended is None else ClockState.met
        state = ClockState.replaced if replaced else state
        warned = warn if warn < (ended or self.now - SWEPT_S) else None
        self.store.clocks.add(
            id=self.next_clock, subject_kind=kind, subject_id=ident, kind=step.value, amount=limit.amount,
            unit=limit.unit.value, warn_percent=limit.warn_percent, started_at=moment(began),
            due_at=moment(due), warn_at=moment(warn), state=state.value, warned_at=moment(warned),
            ended_at=moment(ended),
        )  # fmt: skip
        self.next_clock += 1
        end = moment(due) if ended is None else None
        if kind == "case":
            life.columns["due_at"] = end
        return end

    def _days_of(self, limit: Limit, hour: int) -> tuple[float, float]:
        """Working days end with a day, whenever in an hour they began."""
        start = datetime.fromtimestamp(hour * HOUR, UTC)
        end = end_of(start, limit.amount, limit.unit, self.by).at
        return end.timestamp(), warning_of(start, end, limit, self.by).timestamp()


@lru_cache(maxsize=1_000)
def _limit(step: ClockKind, kind: str, urgency: str) -> Limit:
    return limit_for(DEFAULTS, step, Matter(kind, Urgency(urgency), Way.written))


def plausible_times(dice: random.Random, count: int, first: float, last: float) -> Sequence[float]:
    """So many moments between two, in order: more by day than by night, fewer on some days than on others."""
    found: list[float] = []
    days = max(1, round((last - first) / DAY))
    weights = [1.0 if n % 7 < 5 else 0.7 for n in range(days)]
    total, owed = sum(weights), 0.0
    hours = [8 * HOUR * dice.betavariate(2, 2) for _ in range(997)]  # twelve o'clock more often than eight
    for n, weight in enumerate(weights):
        owed += count * weight / total
        for _ in range(int(owed)):
            at = dice.choice(hours) + HOUR if dice.random() < 0.85 else dice.uniform(0, DAY)
            found.append(first + n * DAY + at % DAY)
        owed -= int(owed)
    found += [last - dice.uniform(0, DAY) for _ in range(count - len(found))]
    return sorted(min(one, last) for one in found)
