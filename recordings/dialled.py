"""How a call that the hotline placed went, by its cause (Q.850) and by what was heard on the line. Pure: tables.

Networks say less than people hear: one that plays "the number you dialled is out of service" releases as if nobody had
answered, and some answer to play it. So a cause that is certain counts first, then the ear.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from recordings.ear import Heard, Sign


class Outcome(StrEnum):
    """What became of one attempt."""

    answered = "answered"  # 接听
    no_answer = "no_answer"  # 无人接听
    busy = "busy"  # 占线
    vacant = "vacant"  # 空号
    intercepted = "intercepted"  # 停机、改号等，网络播放提示音
    fax = "fax"  # 传真机应答
    silent = "silent"  # 接通后无人说话
    network = "network"  # 线路故障: says nothing of who was called
    abandoned = "abandoned"  # 主叫先挂断


CAUSES: Mapping[int, Outcome] = {
    1: Outcome.vacant,  # unallocated number
    22: Outcome.vacant,  # number changed
    28: Outcome.vacant,  # incomplete, or no such format
    17: Outcome.busy,
    18: Outcome.no_answer,
    19: Outcome.no_answer,
    20: Outcome.no_answer,  # subscriber absent
    21: Outcome.no_answer,  # rejected
    27: Outcome.intercepted,  # destination out of order
    **dict.fromkeys((2, 3, 25, 34, 38, 41, 42, 43, 44, 47, 58, 63, 88, 102, 111, 127), Outcome.network),
}
"""What a cause means where nobody has answered; 16 and 31 (cleared, unspecified), and what is not listed, say
nothing."""
CERTAIN = frozenset({Outcome.vacant, Outcome.busy})
ANNOUNCED_S = 1.2  # of a voice before the answer: an announcement


@dataclass(frozen=True)
class Ended:
    """How a call ended. `cause` 0: none was given; `timed_out`: our own patience had an end; `gave_up`: our side hung
    up first. `before` and `after` are what was heard until the answer and from it on."""

    cause: int = 0
    answered: bool = False
    timed_out: bool = False
    gave_up: bool = False
    before: Heard = field(default_factory=Heard)
    after: Heard = field(default_factory=Heard)


def outcome_of(ended: Ended) -> Outcome:
    """What became of it."""
    return _answered(ended.after) if ended.answered else _unanswered(ended)


def _answered(heard: Heard) -> Outcome:
    if heard.has(Sign.fax_answers, Sign.fax_calls):
        return Outcome.fax
    if heard.has(Sign.vacant):
        return Outcome.vacant
    if heard.has(Sign.intercept):
        return Outcome.intercepted
    if heard.voice_s:
        return Outcome.answered
    if heard.has(Sign.busy, Sign.congestion):
        return Outcome.busy
    # A steady tone is somebody's equipment, not a person; it is for people to say what it was.
    return Outcome.answered if heard.has(Sign.tone) else Outcome.silent


def _unanswered(ended: Ended) -> Outcome:
    by_cause = CAUSES.get(ended.cause)
    if by_cause in CERTAIN:
        return by_cause or Outcome.network
    if ended.before.has(Sign.vacant):
        return Outcome.vacant
    if ended.before.has(Sign.intercept):
        return Outcome.intercepted
    if ended.gave_up:
        return Outcome.abandoned
    if (
        ended.timed_out
    ):  # music instead of a ring-back (彩铃) is no announcement: the network would have cleared after one
        return Outcome.no_answer
    if ended.before.has(Sign.busy):
        return Outcome.busy
    if ended.before.voice_s >= ANNOUNCED_S:
        return Outcome.intercepted
    return by_cause or Outcome.no_answer
