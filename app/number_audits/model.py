"""A round of calls to published numbers: its states, those of an attempt, and what attempts come to. Pure: tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

from app.transitions import step_in
from recordings.dialled import Outcome

LONGEST_TITLE, LONGEST_NOTE, LONGEST_PLACE, LONGEST_AREA = 60, 4_000, 200, 64
MOST_AT_ONCE = 20
ATTEMPTS = 2  # 两次，不同日、不同时段


class Mode(StrEnum):
    """Who speaks: a person at the auditor's telephone, or nobody, and the line is let go with an announcement."""

    person = "person"
    automatic = "automatic"


class RoundState(StrEnum):
    """Where a round stands."""

    planned = "planned"  # 待开始
    running = "running"  # 拨打中
    paused = "paused"  # 已暂停
    closed = "closed"  # 拨打结束，评分中
    published = "published"  # 已发布
    cancelled = "cancelled"  # 已取消


class RoundStep(StrEnum):
    """What somebody does about it."""

    start = "start"
    pause = "pause"
    resume = "resume"
    close = "close"
    publish = "publish"
    cancel = "cancel"


class AttemptState(StrEnum):
    """Where one attempt stands."""

    planned = "planned"
    asked = "asked"  # an auditor wants to make it now
    dialling = "dialling"
    done = "done"
    lost = "lost"  # nobody knows what became of it: it is not made again
    dropped = "dropped"  # not needed any more


class AttemptEvent(StrEnum):
    """What happens to it."""

    ask = "ask"
    unask = "unask"  # the auditor's telephone could not be rung, or they think better of it
    dial = "dial"
    release = "release"  # Asterisk has refused: nobody was rung
    settle = "settle"
    lose = "lose"
    drop = "drop"


R, T = RoundState, RoundStep
ROUND_STEPS: Mapping[tuple[RoundState, RoundStep], RoundState] = {
    (R.planned, T.start): R.running,
    (R.planned, T.cancel): R.cancelled,
    (R.running, T.pause): R.paused,
    (R.running, T.close): R.closed,
    (R.paused, T.resume): R.running,
    (R.paused, T.close): R.closed,
    (R.paused, T.cancel): R.cancelled,
    (R.closed, T.publish): R.published,
}
S, E = AttemptState, AttemptEvent
ATTEMPT_STEPS: Mapping[tuple[AttemptState, AttemptEvent], AttemptState] = {
    (S.planned, E.ask): S.asked,
    (S.planned, E.dial): S.dialling,
    (S.planned, E.drop): S.dropped,
    (S.asked, E.ask): S.asked,  # pressed twice
    (S.asked, E.unask): S.planned,
    (S.asked, E.dial): S.dialling,
    (S.asked, E.drop): S.dropped,
    (S.dialling, E.release): S.planned,
    (S.dialling, E.settle): S.done,
    (S.dialling, E.lose): S.lost,
    (S.lost, E.settle): S.done,  # what Asterisk wrote down came late
    (S.dropped, E.drop): S.dropped,
}
del R, T, S, E

TO_COME = (AttemptState.planned, AttemptState.asked)
OPEN = (*TO_COME, AttemptState.dialling)
CALLS = frozenset({RoundState.running})
GRADED_IN = frozenset({RoundState.running, RoundState.paused, RoundState.closed})


class TargetState(StrEnum):
    """Where the audit of one number stands."""

    calling = "calling"  # attempts are to come
    to_grade = "to_grade"  # somebody answered, or must say what it was
    graded = "graded"


class Result(StrEnum):
    """What the audit of a number came to: what its attempts did, or what a reviewer heard instead."""

    answered = "answered"  # 及时接听、接听
    no_answer = "no_answer"
    busy = "busy"
    vacant = "vacant"
    intercepted = "intercepted"
    fax = "fax"
    silent = "silent"
    wrong = "wrong"  # 号码错误: who answered is not that unit
    untried = "untried"  # no attempt says anything of the number


DEAD = (Result.vacant, Result.intercepted, Result.wrong, Result.fax)
"""A number that was published and serves nobody: the unit has to correct it."""
_TELLING = (
    Outcome.answered, Outcome.vacant, Outcome.intercepted, Outcome.fax, Outcome.silent, Outcome.busy, Outcome.no_answer,
)  # fmt: skip
"""Of several attempts the first of these that happened is what the number came to: a citizen who gets through once is
served, and of two failures the one that says most of the number counts."""
SAYS_NOTHING = frozenset({Outcome.network, Outcome.abandoned})


def result_of(outcomes: Sequence[Outcome]) -> Result:
    """What the attempts of a number come to."""
    return next((Result(one.value) for one in _TELLING if one in outcomes), Result.untried)


def enough(outcomes: Sequence[Outcome], attempts: int = ATTEMPTS) -> bool:
    """Whether no further attempt is needed: somebody has answered, or `attempts` of them say something."""
    telling = [one for one in outcomes if one not in SAYS_NOTHING]
    return Outcome.answered in telling or len(telling) >= attempts


def next_round_state(state: RoundState, step: RoundStep) -> RoundState:
    """The state after `step`. Raises Refused for a pair that is not in the table."""
    return step_in(
        ROUND_STEPS, (state, step), "本轮暗访当前状态不允许此操作。", f"A round that is {state} can't {step}."
    )


def next_attempt_state(state: AttemptState, event: AttemptEvent) -> AttemptState:
    """The state after `event`. Raises Refused for a pair that is not in the table."""
    return step_in(
        ATTEMPT_STEPS, (state, event), "这次拨打已有变化，请刷新。", f"An attempt that is {state} can't {event}."
    )
