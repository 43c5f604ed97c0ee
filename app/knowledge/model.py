"""The life of an article's version as one table, with who may do what, and what makes an answer that can be given.

An article is a row of versions. What has been published is never changed again: whoever wants other words makes a new
version, and the old one is read to callers until the new one has been approved by somebody else.

An article is the centre's or a unit's. What a unit vouches for is looked at by the unit's leader first, then by the
centre: two tables, of which the second is the first with the unit's people in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum

from app.errors import Forbidden, Refused
from app.text import clean
from app.transitions import step_in


class KnowledgeType(StrEnum):
    """What kind of answer it is."""

    policy = "policy"  # 政策解答
    guide = "guide"  # 办事指南
    service = "service"  # 公共服务
    notice = "notice"  # 通知公告, which usually expires


class VersionState(StrEnum):
    """Where a version stands."""

    draft = "draft"
    in_unit = "in_unit"  # the leader of the unit that it belongs to has to look at it
    in_review = "in_review"  # the centre has to
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
    vet = "vet"  # the unit's leader finds it right, and passes it to the centre
    approve = "approve"  # and publishes it
    confirm = "confirm"  # still true: new dates, the same words
    revise = "revise"  # a new draft is made of it; it stays as it is
    withdraw = "withdraw"
    discard = "discard"  # a draft that nobody wants
    expire = "expire"  # by the clock
    supersede = "supersede"  # a newer version has been approved


class Party(StrEnum):
    """What somebody is to an article or a gap (`app.knowledge.parties` works it out)."""

    writer = "writer"  # writes for the centre
    editor = "editor"  # reviews and publishes for the centre
    member = "member"  # works in the unit that it belongs to
    leader = "leader"  # … and leads it


@dataclass(frozen=True)
class Rule:
    """Where a step leads, and who may take it (nobody: it happens by itself), `other` than the person who wrote,
    submitted or passed it, with a `reason`."""

    to: VersionState
    by: frozenset[Party]
    other: bool = False
    reason: bool = False


S, E = VersionState, Step
WRITER, EDITOR, LEADER = frozenset({Party.writer}), frozenset({Party.editor}), frozenset({Party.leader})
MEMBER = frozenset({Party.member})
ITSELF: frozenset[Party] = frozenset()
Table = Mapping[tuple[VersionState, Step], Rule]
TRANSITIONS: Table = {
    (S.draft, E.edit): Rule(S.draft, WRITER),
    (S.draft, E.submit): Rule(S.in_review, WRITER),
    (S.draft, E.discard): Rule(S.discarded, WRITER),
    (S.in_review, E.recall): Rule(S.draft, WRITER),
    (S.in_review, E.send_back): Rule(S.draft, EDITOR, reason=True),
    (S.in_review, E.approve): Rule(S.published, EDITOR, other=True),
    (S.published, E.confirm): Rule(S.published, EDITOR),
    (S.published, E.revise): Rule(S.published, WRITER),
    (S.published, E.withdraw): Rule(S.withdrawn, EDITOR, reason=True),
    (S.published, E.expire): Rule(S.expired, ITSELF),
    (S.published, E.supersede): Rule(S.replaced, ITSELF),
    (S.expired, E.confirm): Rule(S.published, EDITOR),
    (S.expired, E.revise): Rule(S.expired, WRITER),
    (S.expired, E.withdraw): Rule(S.withdrawn, EDITOR, reason=True),
    (S.expired, E.supersede): Rule(S.replaced, ITSELF),
    (S.withdrawn, E.revise): Rule(S.withdrawn, WRITER),
    (S.withdrawn, E.supersede): Rule(S.replaced, ITSELF),
}
"""Of an article that is the centre's."""
OF_UNITS: Table = {
    **TRANSITIONS,
    (S.draft, E.edit): Rule(S.draft, WRITER | MEMBER),
    (S.draft, E.submit): Rule(S.in_unit, WRITER | MEMBER),
    (S.draft, E.discard): Rule(S.discarded, WRITER | MEMBER),
    (S.in_unit, E.recall): Rule(S.draft, WRITER | MEMBER),
    (S.in_unit, E.send_back): Rule(S.draft, LEADER, reason=True),
    (S.in_unit, E.vet): Rule(S.in_review, LEADER, other=True),
    (S.in_review, E.recall): Rule(S.draft, WRITER | MEMBER),
    (S.published, E.confirm): Rule(S.published, EDITOR | LEADER),
    (S.published, E.revise): Rule(S.published, WRITER | MEMBER),
    (S.expired, E.confirm): Rule(S.published, EDITOR | LEADER),
    (S.expired, E.revise): Rule(S.expired, WRITER | MEMBER),
    (S.withdrawn, E.revise): Rule(S.withdrawn, WRITER | MEMBER),
}
"""Of an article that is a unit's: nothing of it reaches the centre's review before the unit's leader has passed it."""
del S, E
OPEN = (VersionState.draft, VersionState.in_unit, VersionState.in_review)
"""Somebody is working on it; an article has one such version at most."""
OF_OPEN = frozenset(step for state, step in OF_UNITS if state in OPEN)
"""The steps of what is being worked on; all others are of the version in force."""
FOUND = (VersionState.published, VersionState.expired)
"""It may be read to callers."""


class GapState(StrEnum):
    """Where a search that found nothing useful stands, as work to be done."""

    open = "open"
    claimed = "claimed"
    given = "given"  # to a unit, whose people answer it or hand it back
    closed = "closed"


class GapStep(StrEnum):
    """What happens to it."""

    miss = "miss"  # somebody has searched in vain once more
    claim = "claim"
    release = "release"
    give = "give"  # to a unit
    hand_back = "hand_back"  # the unit says why it is not its matter
    close = "close"  # with the article that answers it, or a word why there is none


@dataclass(frozen=True)
class GapRule:
    """Where a step leads, and who may take it (nobody: it happens by itself)."""

    to: GapState
    by: frozenset[Party]


G, T = GapState, GapStep
GAPS: Mapping[tuple[GapState, GapStep], GapRule] = {
    (G.open, T.miss): GapRule(G.open, ITSELF),
    (G.open, T.claim): GapRule(G.claimed, WRITER),
    (G.open, T.give): GapRule(G.given, WRITER),
    (G.open, T.close): GapRule(G.closed, WRITER),
    (G.claimed, T.miss): GapRule(G.claimed, ITSELF),
    (G.claimed, T.release): GapRule(G.open, WRITER),
    (G.claimed, T.give): GapRule(G.given, WRITER),
    (G.claimed, T.close): GapRule(G.closed, WRITER),
    (G.given, T.miss): GapRule(G.given, ITSELF),
    (G.given, T.release): GapRule(G.open, WRITER),
    (G.given, T.give): GapRule(G.given, WRITER),
    (G.given, T.hand_back): GapRule(G.open, MEMBER),
    (G.given, T.close): GapRule(G.closed, WRITER | MEMBER),
    (G.closed, T.miss): GapRule(G.open, ITSELF),  # what was thought to answer it does not
}
del G, T

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

    `unit_id` is the unit that it belonged to when it was written (None: the centre), `unit_name` who vouches for it in
    words; `expires_on` is the last day on which it is true.
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


def rule_for(state: VersionState, step: Step, *, of_unit: bool = False) -> Rule:
    """The rule of a pair. Raises Refused for one that is not in the table."""
    return step_in(
        OF_UNITS if of_unit else TRANSITIONS,
        (state, step),
        "这个版本的状态不允许这样做，刷新后再看。",
        "This version is not in a state for that. Reload and look again.",
    )


def permitted(rule: Rule, parties: frozenset[Party], *, own: bool) -> None:
    """Whether somebody who is that to an article may take the step; `own`: they wrote or submitted it themselves.

    Raises Forbidden, Refused.
    """
    if not rule.by & parties:
        raise Forbidden()
    if rule.other and own:
        raise Refused(
            "自己写或自己提交的内容须由另一人审核。",
            "What one wrote or submitted oneself is approved by somebody else.",
            code="own_work",
        )


def steps_for(state: VersionState, parties: frozenset[Party], *, own: bool, of_unit: bool = False) -> list[Step]:
    """What somebody may do with a version in this state, in the order of life."""
    table = OF_UNITS if of_unit else TRANSITIONS
    able = {
        step for (at, step), rule in table.items() if at is state and rule.by & parties and not (rule.other and own)
    }
    return [step for step in Step if step in able]


def gap_rule(state: GapState, step: GapStep) -> GapRule:
    """The rule of a pair. Raises Refused for one that is not in the table."""
    return step_in(
        GAPS, (state, step), "这一条已被处理，刷新后再看。", "This has been dealt with. Reload and look again."
    )


def gap_steps(state: GapState, parties: frozenset[Party]) -> list[GapStep]:
    """What somebody may do with a search in vain, in the order of the table."""
    return [step for (at, step), rule in GAPS.items() if at is state and rule.by & parties]


def _words(words: Sequence[str]) -> tuple[str, ...]:
    known = dict.fromkeys(clean(word, LONGEST_WORD) for word in words)
    return tuple(word for word in known if word)[:MOST_WORDS]
