"""Campaigns: their life, that of each number on their list, and what follows from how an attempt went. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from app.transitions import step_in


class Kind(StrEnum):
    """What a campaign is about."""

    reminder = "reminder"  # 提醒
    result = "result"  # 办理结果告知
    survey = "survey"  # 满意度调查
    subscription = "subscription"  # 订阅通知


ASKED_FOR = frozenset({Kind.reminder, Kind.result})
"""They are about a person's own matter. The others need that the person has said yes to them (app.consents)."""


class Mode(StrEnum):
    """What its calls are bound by."""

    lines = "lines"  # an announcement, perhaps with a question
    agents = "agents"  # whoever answers is put through to an agent who is kept for the call


class Channel(StrEnum):
    """How a person is told."""

    phone = "phone"
    sms = "sms"
    email = "email"


class AtNight(StrEnum):
    """What becomes of those who are due while nobody may be called."""

    wait = "wait"
    sms = "sms"


class OnMachine(StrEnum):
    """What an answering machine gets."""

    message = "message"  # once, after its beep
    nothing = "nothing"


class CampaignState(StrEnum):
    """Where a campaign stands."""

    draft = "draft"
    running = "running"
    paused = "paused"
    done = "done"  # nobody is left to be called
    stopped = "stopped"


class CampaignAct(StrEnum):
    """What is done to it."""

    start = "start"
    pause = "pause"
    stop = "stop"
    finish = "finish"  # by itself


S, A = CampaignState, CampaignAct
CAMPAIGN: Mapping[tuple[CampaignState, CampaignAct], CampaignState] = {
    (S.draft, A.start): S.running,
    (S.draft, A.stop): S.stopped,
    (S.running, A.start): S.running,  # pressed twice, or by two people
    (S.running, A.pause): S.paused,
    (S.running, A.stop): S.stopped,
    (S.running, A.finish): S.done,
    (S.paused, A.start): S.running,
    (S.paused, A.pause): S.paused,
    (S.paused, A.stop): S.stopped,
    (S.done, A.start): S.running,  # more numbers have come onto the list
    (S.stopped, A.stop): S.stopped,
}
del S, A
EDITABLE = frozenset({CampaignState.draft, CampaignState.paused, CampaignState.done})
"""What is running is not changed: somebody may hear it at this moment."""


class TargetState(StrEnum):
    """Where one number on the list stands."""

    waiting = "waiting"
    calling = "calling"
    reached = "reached"
    given_up = "given_up"
    refused = "refused"  # do not call me again
    left_out = "left_out"  # may not be called; `why` says what forbids it


class TargetStep(StrEnum):
    """What happens to it."""

    begin = "begin"
    reach = "reach"
    miss = "miss"
    give_up = "give_up"
    refuse = "refuse"
    leave_out = "leave_out"


S2, T = TargetState, TargetStep
TARGET: Mapping[tuple[TargetState, TargetStep], TargetState] = {
    (S2.waiting, T.begin): S2.calling,
    (S2.waiting, T.leave_out): S2.left_out,
    (S2.waiting, T.reach): S2.reached,  # an attempt whose end was unknown turns out to have reached them
    (S2.waiting, T.refuse): S2.refused,
    (S2.waiting, T.give_up): S2.given_up,
    (S2.calling, T.reach): S2.reached,
    (S2.calling, T.miss): S2.waiting,
    (S2.calling, T.give_up): S2.given_up,
    (S2.calling, T.refuse): S2.refused,
    (S2.given_up, T.reach): S2.reached,
    (S2.given_up, T.refuse): S2.refused,
}
del S2, T
OPEN = (TargetState.waiting, TargetState.calling)


class Outcome(StrEnum):
    """How an attempt went, by cause and by ear."""

    human = "human"
    machine = "machine"  # 答录机
    fax = "fax"
    busy = "busy"
    no_answer = "no_answer"
    unallocated = "unallocated"  # 空号
    congestion = "congestion"
    declined = "declined"  # rejected on the telephone
    failed = "failed"  # it did not come to dialling
    sent = "sent"  # by SMS or e-mail
    not_sent = "not_sent"
    unknown = "unknown"  # nobody saw how it ended


class Verdict(StrEnum):
    """What an outcome means for the number."""

    reached = "reached"
    again = "again"
    never = "never"  # no attempt will ever do better


R, V = Outcome, Verdict
VERDICTS: Mapping[Outcome, Verdict] = {
    R.human: V.reached,
    R.sent: V.reached,
    R.machine: V.again,  # unless it was given the message, see `verdict`
    R.busy: V.again,
    R.no_answer: V.again,
    R.congestion: V.again,
    R.declined: V.again,
    R.failed: V.again,
    R.not_sent: V.again,
    R.unknown: V.again,
    R.fax: V.never,
    R.unallocated: V.never,
}
SPACING_MIN: Mapping[Outcome, int] = {
    R.busy: 15,
    R.no_answer: 120,
    R.congestion: 5,
    R.declined: 24 * 60,
    R.machine: 240,
    R.failed: 10,
    R.not_sent: 10,
    R.unknown: 60,  # they may have been called: not at once again
}
"""Minutes until the next attempt, unless the campaign says otherwise."""
CAUSES: Mapping[int, Outcome] = {  # Q.850, as Asterisk makes it of SIP's answers
    0: R.no_answer,  # we gave up ringing
    1: R.unallocated,  # 404
    2: R.congestion,
    3: R.failed,
    16: R.no_answer,
    17: R.busy,  # 486, 600
    18: R.no_answer,  # 408
    19: R.no_answer,  # 480
    20: R.no_answer,  # switched off
    21: R.declined,  # 603
    22: R.unallocated,  # 410
    26: R.no_answer,
    27: R.congestion,
    28: R.unallocated,  # 484
    31: R.no_answer,
    34: R.congestion,  # 503
    38: R.congestion,
    41: R.congestion,
    42: R.congestion,
    44: R.congestion,
}
del R, V
HEARD = frozenset({Outcome.human, Outcome.machine, Outcome.fax})


class Wish(StrEnum):
    """What the person who was called has asked for by a key."""

    none = ""
    person = "person"
    refuse = "refuse"  # do not call me again
    end = "end"


KEYS: Mapping[str, Wish] = {"0": Wish.person, "8": Wish.refuse, "9": Wish.end}
ANSWERS = "1234567"
LANGUAGES = ("zh", "yue", "en")
LONGEST_NAME, LONGEST_PURPOSE, LONGEST_TEXT = 60, 60, 600
MOST_ATTEMPTS, MOST_TARGETS, MOST_LINES = 10, 20_000, 100


@dataclass(frozen=True, slots=True)
class Ended:
    """How an attempt ended, as the telephone tells it. `heard` is who answered, "" when nobody did."""

    heard: str = ""
    cause: int = 0
    said: bool = False  # they, or the machine, got the message to its end
    answer: str = ""
    wish: Wish = Wish.none


@dataclass(frozen=True, slots=True)
class Work:
    """A campaign that may call now and has somebody to call."""

    campaign_id: int
    by_agents: bool
    queue: str
    most_lines: int


@dataclass(frozen=True, slots=True)
class Order:
    """An attempt that is written and is to be dialled now. `sounds`: part → file without its suffix."""

    attempt_id: int
    call_id: str
    campaign_id: int
    number: str
    language: str
    queue: str
    priority: int
    by_agents: bool
    agent_id: str
    ring_s: int
    keys: str
    leaves_message: bool
    sounds: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OpenAttempt:
    """An attempt by telephone whose end nobody has told."""

    attempt_id: int
    call_id: str
    at_ms: int


def classify(heard: str, cause: int) -> Outcome:
    """By ear when somebody answered, else by cause; a cause that nobody knows is a network that failed."""
    if heard in {one.value for one in HEARD}:
        return Outcome(heard)
    return CAUSES.get(cause, Outcome.congestion)


def verdict(outcome: Outcome, *, said: bool) -> Verdict:
    """What it means for the number. A machine that took the message has been told."""
    return Verdict.reached if outcome is Outcome.machine and said else VERDICTS[outcome]


def spacing(outcome: Outcome, own: Mapping[str, int]) -> timedelta:
    """The rest after an attempt that went so."""
    return timedelta(minutes=own.get(outcome.value, SPACING_MIN.get(outcome, 60)))


def next_campaign(state: CampaignState, act: CampaignAct) -> CampaignState:
    """The state after `act`. Raises Refused for a pair that is not in the table."""
    return step_in(CAMPAIGN, (state, act), "外呼任务的状态不允许这样做。", "The campaign is in another state.")


def next_target(state: TargetState, step: TargetStep) -> TargetState | None:
    """The state after `step`; None for a pair that is not in the table: what is told late changes nothing."""
    return TARGET.get((state, step))


def call_of(node: str, attempt_id: int) -> str:
    """The id of the call of an attempt: no id of a channel may be the beginning of another's."""
    return f"{node}-cp{attempt_id}.0"
