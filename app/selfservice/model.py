"""What a caller may do by keys, how often, and until when. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from app.assignments.model import UNSATISFIED, Opinion
from app.cases.states import CaseState

WINDOW = timedelta(hours=24)
MOST_WRONG = 5
"""Questions about cases in vain from one telephone within WINDOW, however many calls."""
MOST_WRONG_WITHHELD = 20
"""… from all telephones together that do not say their number."""
MOST_WRONG_CODES = 5
"""Wrong codes for one case within WINDOW, from whatever telephone."""
MOST_MESSAGES = 3
"""Answers by SMS to one telephone within WINDOW."""
SURVEY_AFTER, SURVEY_UNTIL = timedelta(minutes=10), timedelta(hours=24)
"""How long after its end a call may be asked about by SMS."""
SURVEY_AGAIN = timedelta(days=7)
"""Nobody is asked by SMS more often than this, however often they call."""

AT_ONCE = frozenset({CaseState.answered, CaseState.guided, CaseState.referred, CaseState.transferred})
"""Ended without units; nothing in these was refused."""
SETTLED = AT_ONCE | {CaseState.declined, CaseState.closed, CaseState.archived, CaseState.to_follow_up}
"""A result can be asked for."""
RATED = AT_ONCE | {CaseState.closed, CaseState.to_follow_up}
REOPENED = AT_ONCE | {CaseState.closed, CaseState.to_follow_up}
CALLBACK_UNTIL = timedelta(days=30)
"""So long a call-back may take to bring its answer: attempts, and days on which nobody is called."""
LEVELS: Mapping[int, Opinion] = dict(enumerate(Opinion, 1))
"""The keys of the five levels (好差评)."""


class Rated(StrEnum):
    """What became of a rating."""

    kept = "kept"
    kept_before = "kept_before"
    refused = "refused"


class Reopening(StrEnum):
    """What became of the wish that something is done again."""

    reopened = "reopened"
    too_late = "too_late"
    refused = "refused"


class Sent(StrEnum):
    """What became of the wish for a message."""

    sent = "sent"
    sent_before = "sent_before"
    impossible = "impossible"


class Channel(StrEnum):
    """How a citizen was asked how satisfied they are."""

    keys = "keys"  # at the end of the call
    sms = "sms"
    callback = "callback"  # by a campaign that calls (app.campaigns.gathering)
    own = "own"  # nobody asked: they rated their case by themselves


@dataclass(frozen=True)
class Tries:
    """What was asked in vain within WINDOW: from this telephone, and with wrong codes about this case."""

    wrong: int = 0
    wrong_codes: int = 0


def is_locked(tries: Tries, number: str, *, with_code: bool) -> bool:
    """Whether nothing more is told: too much was asked in vain already."""
    most = MOST_WRONG if number else MOST_WRONG_WITHHELD
    return tries.wrong >= most or (with_code and tries.wrong_codes >= MOST_WRONG_CODES)


def reopening(state: CaseState, ended_at: datetime | None, *, before: bool, days: int, now: datetime) -> Reopening:
    """Whether the citizen can have it done again by a key: once, and within so many days of its end."""
    if state not in REOPENED:
        return Reopening.refused
    over = ended_at is not None and now - ended_at > timedelta(days=days)
    return Reopening.too_late if before or over else Reopening.reopened


def proposes_redo(level: int) -> bool:
    """Whether a rating asks for the matter to be looked at again."""
    return LEVELS[level] in UNSATISFIED


def message(title: str, text: str, code: str) -> str:
    """An answer as an SMS."""
    return f"【12345】{title}：{text}（答复编号 {code}）"


SURVEY = "【12345】感谢您的来电。请评价本次服务：用本机拨打12345，依次按1、6，再按1（非常满意）到5（非常不满意）。"
