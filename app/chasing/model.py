"""What follows when a step is nearly late or late, and what follows when that did not help. Pure: tables.

催办 comes with the missed end; unmet, a second one; unmet again, the draft of a 通报 that a person decides on; unmet
after that, a proposal of 曝光 that a leader decides on. Every clock climbs this ladder by itself, each level once. A
督办单 is issued by hand and stands beside the ladder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from app.clocks.model import ClockKind
from app.notices.model import WHOLE_UNIT, Desk, NoticeKind
from app.transitions import step_in


class Level(StrEnum):
    """How far it has come."""

    first = "first"  # 催办
    second = "second"  # 二次催办
    reprimand = "reprimand"  # 通报批评
    exposure = "exposure"  # 媒体曝光
    order = "order"  # 督办单


class ChaseState(StrEnum):
    """Where it stands. A reprimand and an exposure begin as drafts, everything else is sent at once."""

    sent = "sent"
    met = "met"  # the step was done before the next level, or is no longer theirs
    unmet = "unmet"
    draft = "draft"
    confirmed = "confirmed"
    dropped = "dropped"


class ChaseEvent(StrEnum):
    """What happens to it."""

    meet = "meet"
    miss = "miss"
    confirm = "confirm"
    drop = "drop"


class Moment(StrEnum):
    """When a clock is looked at."""

    near = "near"  # 临期
    late = "late"  # 超期


class Whose(StrEnum):
    """Whose step it is: the centre's (the clock of a case), or a unit's (of an assignment)."""

    centre = "centre"
    unit = "unit"


S, E = ChaseState, ChaseEvent
TRANSITIONS: Mapping[tuple[ChaseState, ChaseEvent], ChaseState] = {
    (S.sent, E.meet): S.met,
    (S.sent, E.miss): S.unmet,
    (S.draft, E.confirm): S.confirmed,
    (S.draft, E.drop): S.dropped,
    (S.confirmed, E.meet): S.confirmed,
    (S.confirmed, E.miss): S.confirmed,
}
del S, E


@dataclass(frozen=True)
class Response:
    """Who is told what when a clock comes to that moment; `ladder`: which levels follow one another from there on.

    A near end is only told of; a late one is a chase, counted for whoever is late.
    """

    kind: NoticeKind
    desks: tuple[Desk, ...]
    ladder: tuple[Level, ...] = ()


K, D, C, M, W, L = NoticeKind, Desk, ClockKind, Moment, Whose, Level
RESPONSES: Mapping[tuple[Whose, ClockKind, Moment], Response] = {
    (W.unit, C.sign, M.near): Response(K.near, (D.handlers,)),
    (W.unit, C.sign, M.late): Response(K.chased, WHOLE_UNIT, (L.first, L.second)),
    (W.unit, C.handle, M.near): Response(K.near, (D.handlers,)),
    (W.unit, C.handle, M.late): Response(K.chased, WHOLE_UNIT, (L.first, L.second, L.reprimand, L.exposure)),
    (W.centre, C.dispatch, M.near): Response(K.near, (D.dispatch,)),
    (W.centre, C.dispatch, M.late): Response(K.late, (D.dispatch, D.heads), (L.first,)),
    (W.centre, C.handle, M.near): Response(K.near, (D.review,)),
    (W.centre, C.handle, M.late): Response(K.late, (D.review,), (L.first,)),
    (W.centre, C.review, M.near): Response(K.near, (D.review,)),
    (W.centre, C.review, M.late): Response(K.late, (D.review, D.heads), (L.first,)),
    (W.centre, C.follow_up, M.near): Response(K.near, (D.follow_up,)),
    (W.centre, C.follow_up, M.late): Response(K.late, (D.follow_up, D.heads), (L.first,)),
}


@dataclass(frozen=True)
class Rung:
    """A level of the ladder: how it begins, who is told then, and who when it is confirmed."""

    begins: ChaseState
    kind: NoticeKind
    desks: tuple[Desk, ...]
    confirmed_kind: NoticeKind | None = None
    confirmed_desks: tuple[Desk, ...] = ()


RUNGS: Mapping[Level, Rung] = {
    L.first: Rung(ChaseState.sent, K.chased, WHOLE_UNIT),
    L.second: Rung(ChaseState.sent, K.chased_again, (*WHOLE_UNIT, D.heads)),
    L.reprimand: Rung(ChaseState.draft, K.reprimand_draft, (D.heads,), K.reprimand, WHOLE_UNIT),
    L.exposure: Rung(ChaseState.draft, K.exposure_draft, (D.duty,), K.exposure, (D.leaders, D.heads)),
    L.order: Rung(ChaseState.sent, K.ordered, WHOLE_UNIT),
}

# Whom an urgent matter is told, try after try, until somebody says that they know; the last is repeated.
URGENT_LADDER: Sequence[tuple[Desk, ...]] = (
    (D.today,),
    (D.today, D.duty, D.heads),
    (D.today, D.duty, D.heads, D.dispatch),
)
del K, D, C, M, W, L
URGENT_AGAIN = timedelta(minutes=5)
URGENT_TRIES = 12  # an hour; then it is an alarm of the system's operators as well

LONGEST_TEXT = 4_000

# What was not decided against a unit is for those who decide, and who look after them; nobody else hears of it.
UNSAID = (ChaseState.draft.value, ChaseState.dropped.value)
# Lines of a history about what has not been decided against a unit, which it does not read.
UNDECIDED_LINES = frozenset(
    {f"chase.{level}{end}" for level in ("reprimand", "exposure") for end in ("", f"_{ChaseState.dropped}")}
)


class UrgentCause(StrEnum):
    """Why leaders are told at once."""

    submitted = "submitted"  # it came in as urgent
    dispatched = "dispatched"  # the dispatcher found it urgent
    dispatch_late = "dispatch_late"  # urgent, and nobody has dispatched it in time


def next_state(state: ChaseState, event: ChaseEvent) -> ChaseState:
    """The state after `event`. Raises Refused for a pair that is not in the table."""
    return step_in(TRANSITIONS, (state, event), "该督办事项当前状态不允许此操作。", f"What is {state} can't {event}.")


def ladder_of(whose: Whose, kind: ClockKind) -> tuple[Level, ...]:
    """The levels that a late clock climbs."""
    response = RESPONSES.get((whose, kind, Moment.late))
    return response.ladder if response else ()


def after(whose: Whose, kind: ClockKind, level: Level) -> Level | None:
    """What follows when that level did not help; None at the top."""
    ladder = ladder_of(whose, kind)
    place = ladder.index(level) + 1 if level in ladder else len(ladder)
    return ladder[place] if place < len(ladder) else None


def urgent_desks(tries: int) -> tuple[Desk, ...]:
    """Who is told at that try, counted from 0."""
    return URGENT_LADDER[min(tries, len(URGENT_LADDER) - 1)]
