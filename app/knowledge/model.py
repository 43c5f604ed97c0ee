"""The life of an article's version as one table, with who may do what, and what makes an answer that can be given.

An article is a row of versions. What has been published is never changed again: whoever wants other words makes a new
version, and the old one is read to callers until the new one has been approved by somebody else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum

from app.auth.model import Permission
from app.errors import Forbidden, Refused
from app.text import clean


class KnowledgeType(StrEnum):
    """What kind of answer it is."""

    policy = "policy"  # 政策解答
    guide = "guide"  # 办事指南
    service = "service"  # 公共服务
    notice = "notice"  # 通知公告, which usually expires


class VersionState(StrEnum):
    """Where a version stands."""

    draft = "draft"
    in_review = "in_review"
    published = "published"
    expired = "expired"  # its day is over; still shown, as expired and last
    replaced = "replaced"  # by a newer version
    withdrawn = "withdrawn"
    discarded = "discarded"  # never published


class Step(StrEnum):
    """What happens to a version."""

    edit = "edit"
    submit = "submit"  # for review
    recall = "recall"  # its writer takes it back
    send_back = "send_back"  # the reviewer returns it, with the reason
    approve = "approve"  # and publishes it
    confirm = "confirm"  # still true: new dates, the same words
    revise = "revise"  # a new draft is made of it; it stays as it is
    withdraw = "withdraw"
    discard = "discard"  # a draft that nobody wants
    expire = "expire"  # by the clock
    supersede = "supersede"  # a newer version has been approved


@dataclass(frozen=True)
class Rule:
    """Where a step leads, and who may take it: nobody (`needs` None: it happens by itself) or who has the permission,
    `other` than the person who wrote or submitted it, with a `reason`."""

    to: VersionState
    needs: Permission | None
    other: bool = False
    reason: bool = False


S, E, P = VersionState, Step, Permission
TRANSITIONS: Mapping[tuple[VersionState, Step], Rule] = {
    (S.draft, E.edit): Rule(S.draft, P.knowledge_write),
    (S.draft, E.submit): Rule(S.in_review, P.knowledge_write),
    (S.draft, E.discard): Rule(S.discarded, P.knowledge_write),
    (S.in_review, E.recall): Rule(S.draft, P.knowledge_write),
    (S.in_review, E.send_back): Rule(S.draft, P.knowledge_review, reason=True),
    (S.in_review, E.approve): Rule(S.published, P.knowledge_review, other=True),
    (S.published, E.confirm): Rule(S.published, P.knowledge_review),
    (S.published, E.revise): Rule(S.published, P.knowledge_write),
    (S.published, E.withdraw): Rule(S.withdrawn, P.knowledge_review, reason=True),
    (S.published, E.expire): Rule(S.expired, None),
    (S.published, E.supersede): Rule(S.replaced, None),
    (S.expired, E.confirm): Rule(S.published, P.knowledge_review),
    (S.expired, E.revise): Rule(S.expired, P.knowledge_write),
    (S.expired, E.withdraw): Rule(S.withdrawn, P.knowledge_review, reason=True),
    (S.expired, E.supersede): Rule(S.replaced, None),
    (S.withdrawn, E.revise): Rule(S.withdrawn, P.knowledge_write),
    (S.withdrawn, E.supersede): Rule(S.replaced, None),
}
del S, E, P
OPEN = (VersionState.draft, VersionState.in_review)
"""Somebody is working on it; an article has one such version at most."""


class GapState(StrEnum):
    """Where a search that found nothing useful stands, as work to be done."""

    open = "open"
    claimed = "claimed"
    closed = "closed"


class GapStep(StrEnum):
    """What happens to it."""

    miss = "miss"  # somebody has searched in vain once more
    claim = "claim"
    release = "release"
    close = "close"  # with the article that answers it, or a word why there is none


GAPS: Mapping[tuple[GapState, GapStep], GapState] = {
    (GapState.open, GapStep.miss): GapState.open,
    (GapState.open, GapStep.claim): GapState.claimed,
    (GapState.open, GapStep.close): GapState.closed,
    (GapState.claimed, GapStep.miss): GapState.claimed,
    (GapState.claimed, GapStep.release): GapState.open,
    (GapState.claimed, GapStep.close): GapState.closed,
    (GapState.closed, GapStep.miss): GapState.open,  # what was thought to answer it does not
}

WARNED = timedelta(days=30)  # so long before its day an article is on the list of those that need a look
REVIEW_EVERY = timedelta(days=180)  # unless the writer names a day
LONGEST_TITLE, LONGEST_QUESTION, LONGEST_REASON, LONGEST_NOTE = 80, 300, 300, 300
LONGEST_PHONE = 300  # about a minute and a quarter of speech
LONGEST_LETTER = 5_000
MOST_WORDS, LONGEST_WORD = 20, 30
LONGEST_UNIT = 80


@dataclass(frozen=True)
class Content:
    """What a version says. `phone_answer` is short and made to be read aloud, `letter_answer` to be written.

    `unit_id` and `unit_name` name the owner as of writing; `expires_on` is the last day on which it is true.
    """

    title: str = ""
    question: str = ""
    phone_answer: str = ""
    letter_answer: str = ""
    keywords: Sequence[str] = field(default_factory=tuple)
    areas: Sequence[str] = field(default_factory=tuple)
    type: KnowledgeType = KnowledgeType.policy
    internal: bool = False
    unit_id: int | None = None
    unit_name: str = ""
    review_on: date | None = None
    expires_on: date | None = None


def cleaned(content: Content) -> Content:
    """As it is kept; texts that are too long stay so by one character, for `faults` to tell."""
    return replace(
        content,
        title=clean(content.title, LONGEST_TITLE + 1),
        question=clean(content.question, LONGEST_QUESTION + 1),
        phone_answer=clean(content.phone_answer, LONGEST_PHONE + 1, lines=True),
        letter_answer=clean(content.letter_answer, LONGEST_LETTER + 1, lines=True),
        keywords=_words(content.keywords),
        areas=_words(content.areas),
        unit_name=clean(content.unit_name, LONGEST_UNIT),
    )


def faults(content: Content, today: date, *, complete: bool) -> dict[str, str]:
    """What keeps this (cleaned) content from being stored, or with `complete` from being submitted, by field."""
    wrong = {}
    longest = {
        "title": LONGEST_TITLE,
        "question": LONGEST_QUESTION,
        "phone_answer": LONGEST_PHONE,
        "letter_answer": LONGEST_LETTER,
    }
    for name, most in longest.items():
        if len(getattr(content, name)) > most:
            wrong[name] = f"不超过 {most} 字 (at most {most} characters)"
    if not content.title:
        wrong["title"] = "填写标题 (a title is needed)"
    if complete:
        if not content.phone_answer:
            wrong["phone_answer"] = "填写电话答复口径 (the answer for the telephone is needed)"
        wrong |= date_faults(content.review_on, content.expires_on, today)
    return wrong


def date_faults(review_on: date | None, expires_on: date | None, today: date) -> dict[str, str]:
    """What is wrong with an article's days, by field."""
    wrong = {}
    if review_on is None or review_on <= today:
        wrong["review_on"] = "复核日期须晚于今天 (later than today)"
    if expires_on is not None and expires_on < today:
        wrong["expires_on"] = "有效期不能早于今天 (not before today)"
    return wrong


def state_at(state: VersionState, expires_on: date | None, today: date) -> VersionState:
    """The state as of `today`: nobody has to be at work for an article to expire."""
    over = expires_on is not None and expires_on < today
    if over and state is VersionState.published:
        return TRANSITIONS[state, Step.expire].to
    return state


def due_on(review_on: date | None, expires_on: date | None) -> date | None:
    """The day until which somebody must have had a look at it."""
    return min((day for day in (review_on, expires_on) if day is not None), default=None)


def rule_for(state: VersionState, step: Step) -> Rule:
    """The rule of a pair. Raises Refused for one that is not in the table."""
    try:
        return TRANSITIONS[state, step]
    except KeyError:
        raise Refused(
            "这个版本的状态不允许这样做，刷新后再看。",
            "This version is not in a state for that. Reload and look again.",
            code="wrong_state",
        ) from None


def permitted(rule: Rule, permissions: frozenset[Permission], *, own: bool) -> None:
    """Whether somebody with these permissions may take the step; `own`: they wrote or submitted it themselves.

    Raises Forbidden, Refused.
    """
    if rule.needs is None or rule.needs not in permissions:
        raise Forbidden()
    if rule.other and own:
        raise Refused(
            "自己写或自己提交的内容须由另一人审核。",
            "What one wrote or submitted oneself is approved by somebody else.",
            code="own_work",
        )


def steps_for(state: VersionState, permissions: frozenset[Permission], *, own: bool) -> list[Step]:
    """What somebody may do with a version in this state, in the order of the table."""
    return [
        step
        for (at, step), rule in TRANSITIONS.items()
        if at is state and rule.needs in permissions and not (rule.other and own)
    ]


def next_gap_state(state: GapState, step: GapStep) -> GapState:
    """The state after `step`. Raises Refused for a pair that is not in the table."""
    try:
        return GAPS[state, step]
    except KeyError:
        raise Refused(
            "这一条已被处理，刷新后再看。", "This has been dealt with. Reload and look again.", code="wrong_state"
        ) from None


def _words(words: Sequence[str]) -> tuple[str, ...]:
    known = dict.fromkeys(clean(word, LONGEST_WORD) for word in words)
    return tuple(word for word in known if word)[:MOST_WORDS]
