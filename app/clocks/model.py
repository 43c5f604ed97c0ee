"""A clock: how much time somebody has for one step, and what came of it. Pure: the time is an argument.

A clock runs until the step is done (met), too late (missed), or another clock takes its place (replaced). It is never
paused: what a return costs counts against whoever has to dispatch again, and more time is only given by an extension
that was asked for before the end, with a reason, and approved. What came first stays: a redo is a clock of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from app.clocks.limits import MOST, Limit, Reckoning, end_of, lengthened, warning_of
from app.errors import Refused
from app.transitions import step_in

LONGEST_WHY = 200


class ClockKind(StrEnum):
    """Which step is timed."""

    dispatch = "dispatch"  # 派单
    sign = "sign"  # 签收
    handle = "handle"  # 办理
    review = "review"  # 审核
    follow_up = "follow_up"  # 回访


class ClockState(StrEnum):
    """What came of it. A missed clock goes on until the step is done all the same."""

    running = "running"
    met = "met"
    missed = "missed"
    replaced = "replaced"  # ended without an outcome: another clock took its place


class ClockEvent(StrEnum):
    """What happens to a clock."""

    stop = "stop"  # the step was done
    expire = "expire"  # the end came
    supersede = "supersede"  # given back, or another limit holds from now on
    redo = "redo"  # 重办: a new clock begins after this one's outcome
    ask = "ask"  # for an extension
    approve = "approve"
    refuse = "refuse"
    settle = "settle"  # the days that a provisional end used were published


S, E = ClockState, ClockEvent
TRANSITIONS: Mapping[tuple[ClockState, ClockEvent], ClockState] = {
    (S.running, E.stop): S.met,
    (S.running, E.expire): S.missed,
    (S.running, E.supersede): S.replaced,
    (S.running, E.ask): S.running,
    (S.running, E.approve): S.running,
    (S.running, E.refuse): S.running,
    (S.running, E.settle): S.running,
    (S.missed, E.stop): S.missed,
    (S.missed, E.redo): S.missed,
    (S.met, E.redo): S.met,
}
del S, E


class ExtensionState(StrEnum):
    """Where a request for more time stands."""

    requested = "requested"
    approved = "approved"
    refused = "refused"
    lapsed = "lapsed"  # the clock ended before anybody decided


@dataclass(frozen=True)
class Extension:
    """`amount` more of the limit's unit, and why."""

    amount: int
    why: str
    asked_at: datetime
    state: ExtensionState = ExtensionState.requested
    decided_at: datetime | None = None


@dataclass(frozen=True)
class Clock:
    """One step's time. From `due_at` on it is too late; from `warn_at` on it is nearly so (临期).

    `provisional`: the end used days which are not published yet, and is settled when they are. `round` counts from 1;
    each redo is one more. `ended_at` is when the step was done, or when another clock took over.
    """

    kind: ClockKind
    limit: Limit
    started_at: datetime
    due_at: datetime
    warn_at: datetime
    provisional: bool = False
    state: ClockState = ClockState.running
    ended_at: datetime | None = None
    round: int = 1
    extensions: tuple[Extension, ...] = ()

    @property
    def open(self) -> bool:
        """Whether the step is still to be done, in time or late."""
        return self.ended_at is None

    @property
    def pending(self) -> Extension | None:
        """The request that waits for a decision."""
        return next((one for one in self.extensions if one.state is ExtensionState.requested), None)

    @property
    def granted(self) -> int:
        """How much more has been approved, in the limit's unit."""
        return sum(one.amount for one in self.extensions if one.state is ExtensionState.approved)

    def overdue(self, now: datetime) -> bool:
        """Whether the step should have been done."""
        return self.open and now >= self.due_at


def next_state(state: ClockState, event: ClockEvent) -> ClockState:
    """The state after `event`. Raises Refused for a pair that is not in the table."""
    return step_in(
        TRANSITIONS, (state, event), "时限当前状态不允许此操作。", f"A clock that is {state} can't take {event}."
    )


def start(
    kind: ClockKind, limit: Limit, now: datetime, by: Reckoning, *, parent: Clock | None = None, round: int = 1
) -> Clock:
    """A clock that begins at `now`; it ends with `parent` at the latest while that runs."""
    end = end_of(now, limit.amount, limit.unit, by)
    return _timed(Clock(kind, limit, now, end.at, now, end.provisional, round=round), by, parent, now)


def keep_end(clock: Clock, before: Clock, now: datetime, by: Reckoning, *, parent: Clock | None = None) -> Clock:
    """`clock` in the place of `before`: by no shorter limit it ends no sooner, since more time may have been granted.

    Such an end is another's, which is not counted again.
    """
    shorter = clock.limit.unit is not before.limit.unit or clock.limit.amount < before.limit.amount
    if shorter or clock.due_at >= before.due_at:
        return clock
    return _timed(replace(clock, due_at=before.due_at, provisional=False), by, parent, now)


def expire(clock: Clock, now: datetime) -> Clock:
    """The clock as it is at `now`: missed if its end has come, and then whatever was asked for has lapsed."""
    if clock.state is not ClockState.running or now < clock.due_at:
        return clock
    return replace(_lapsed(clock, clock.due_at), state=next_state(clock.state, ClockEvent.expire))


def stop(clock: Clock, now: datetime) -> Clock:
    """The step was done at `now`: met if that was in time. Raises Refused if it was done before."""
    return _ended(expire(clock, now), ClockEvent.stop, now)


def give_way(clock: Clock, now: datetime) -> Clock:
    """Another clock takes the place of this one, without an outcome; if it was missed, missed it stays.

    Raises Refused for a clock that has ended.
    """
    clock = expire(clock, now)
    event = ClockEvent.supersede if clock.state is ClockState.running else ClockEvent.stop
    return _ended(clock, event, now)


def restart(
    clock: Clock, limit: Limit, now: datetime, by: Reckoning, *, parent: Clock | None = None
) -> tuple[Clock, Clock]:
    """The step is to be done again (重办): the earlier clock with its outcome, and a new one.

    Raises Refused while the first is running in time, for it has no outcome yet, and for one that was replaced.
    """
    before = expire(clock, now)
    kept = next_state(before.state, ClockEvent.redo)
    before = replace(before, state=kept, ended_at=before.ended_at or now)
    return before, start(before.kind, limit, now, by, parent=parent, round=before.round + 1)


def ask_extension(
    clock: Clock, amount: int, why: str, now: datetime, by: Reckoning, *, parent: Clock | None = None
) -> Clock:
    """Ask for `amount` more before the end, with a reason; nothing changes until it is approved.

    Raises Refused (wrong_state: too late, or ended; extension_pending; beyond_parent; no_reason; out_of_range).
    """
    clock = expire(clock, now)
    state = next_state(clock.state, ClockEvent.ask)
    if not why:
        raise Refused("延期须写明理由。", "Say why more time is needed.", code="no_reason")
    if not 1 <= amount <= MOST[clock.limit.unit]:
        raise Refused("延长的时间超出范围。", "That is no time that can be given.", code="out_of_range")
    if clock.pending:
        raise Refused("已有延期申请待审批。", "A request is waiting already.", code="extension_pending")
    _longer(clock, amount, now, by, parent)
    return replace(clock, state=state, extensions=(*clock.extensions, Extension(amount, why, now)))


def decide_extension(
    clock: Clock, approved: bool, now: datetime, by: Reckoning, *, parent: Clock | None = None
) -> Clock:
    """Approve or refuse what was asked for; only before the end, since what has been missed stays missed.

    Raises Refused (wrong_state, nothing_pending, beyond_parent).
    """
    clock = expire(clock, now)
    state = next_state(clock.state, ClockEvent.approve if approved else ClockEvent.refuse)
    if clock.pending is None:
        raise Refused("没有待审批的延期申请。", "No request is waiting.", code="nothing_pending")
    if approved:
        clock = _longer(clock, clock.pending.amount, now, by, parent)
    return replace(_decided(clock, ExtensionState.approved if approved else ExtensionState.refused, now), state=state)


def grant(clock: Clock, amount: int, why: str, asked_at: datetime, now: datetime, by: Reckoning) -> Clock:
    """`amount` more at once, since what is below this clock has been given it. Raises Refused (wrong_state)."""
    clock = expire(clock, now)
    state = next_state(clock.state, ClockEvent.approve)
    given = Extension(amount, why, asked_at, ExtensionState.approved, now)
    return replace(_longer(clock, amount, now, by, None), state=state, extensions=(*clock.extensions, given))


def settle(clock: Clock, now: datetime, by: Reckoning, *, parent: Clock | None = None) -> Clock:
    """Count a provisional end again; it stays provisional while the days it uses are not published.

    The end never moves to a time that is past: nobody is late by a calendar that was not known. A clock that has ended
    stays as it is.
    """
    clock = expire(clock, now)
    if not clock.provisional or clock.state is not ClockState.running:
        return clock
    state = next_state(clock.state, ClockEvent.settle)
    end = end_of(clock.started_at, clock.limit.amount + clock.granted, clock.limit.unit, by)
    if end.at <= now:
        return replace(clock, state=state, provisional=end.provisional)
    return _timed(replace(clock, state=state, due_at=end.at, provisional=end.provisional), by, parent, now)


def running_time(clocks: Iterable[Clock], now: datetime) -> timedelta:
    """How long these clocks have run, all together.

    Of the dispatch clocks of a case this is what counts against the centre: the first dispatch and every return.
    """
    spans = ((clock.ended_at or now) - clock.started_at for clock in clocks)
    return sum(spans, timedelta(0))


def _timed(clock: Clock, by: Reckoning, parent: Clock | None, now: datetime) -> Clock:
    """With its warning, and not beyond `parent` while that still runs in time."""
    if parent is not None and expire(parent, now).state is ClockState.running and parent.due_at < clock.due_at:
        clock = replace(clock, due_at=parent.due_at, provisional=clock.provisional or parent.provisional)
    return replace(clock, warn_at=warning_of(clock.started_at, clock.due_at, clock.limit, by))


def _longer(clock: Clock, amount: int, now: datetime, by: Reckoning, parent: Clock | None) -> Clock:
    """With `amount` more time. Raises Refused where that is beyond `parent`, which no child can extend."""
    end = lengthened(clock.due_at, amount, clock.limit.unit, by)
    if parent is not None and expire(parent, now).state is ClockState.running and end.at > parent.due_at:
        raise Refused(
            "延期后超过上级时限，须先延长上级时限。",
            "This would end after the clock above it: extend that one first.",
            code="beyond_parent",
        )
    longer = replace(clock, due_at=end.at, provisional=clock.provisional or end.provisional)
    return replace(longer, warn_at=warning_of(clock.started_at, end.at, clock.limit, by))


def _ended(clock: Clock, event: ClockEvent, now: datetime) -> Clock:
    state = next_state(clock.state, event)
    if not clock.open:
        raise Refused("该时限已结束。", "This clock has ended already.", code="wrong_state")
    return replace(_lapsed(clock, now), state=state, ended_at=now)


def _lapsed(clock: Clock, at: datetime) -> Clock:
    return _decided(clock, ExtensionState.lapsed, at) if clock.pending else clock


def _decided(clock: Clock, state: ExtensionState, at: datetime) -> Clock:
    told = tuple(replace(one, state=state, decided_at=at) if one is clock.pending else one for one in clock.extensions)
    return replace(clock, extensions=told)
