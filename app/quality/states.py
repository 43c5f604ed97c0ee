"""The life of a review: a table of states and steps, and who takes each. Pure.

A talk is drawn, judged and published; its agent acknowledges, or appeals once within the time; whoever decides is
never the one who judged. The texts of every step are kept in a history that nobody changes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from app.auth.model import Permission
from app.transitions import step_in


class ReviewState(StrEnum):
    """Where a review stands."""

    drawn = "drawn"  # 待评
    skipped = "skipped"  # 不评
    published = "published"  # 已发布
    acknowledged = "acknowledged"  # 已确认
    appealed = "appealed"  # 申诉中
    upheld = "upheld"  # 维持原评
    changed = "changed"  # 改判


class Step(StrEnum):
    """What somebody does about it."""

    save = "save"
    publish = "publish"
    skip = "skip"
    acknowledge = "acknowledge"
    appeal = "appeal"
    uphold = "uphold"
    change = "change"
    coach = "coach"


class Party(StrEnum):
    """What somebody is to a review."""

    reviewer = "reviewer"  # who judges it
    agent = "agent"  # whose talk it was
    other = "other"


@dataclass(frozen=True)
class Rule:
    """Where a step leads, and who takes it."""

    to: ReviewState
    party: Party
    needs: Permission


S, T, W, P = ReviewState, Step, Party, Permission
_COACHED = (S.published, S.acknowledged, S.appealed, S.upheld, S.changed)
RULES: Mapping[tuple[ReviewState, Step], Rule] = {
    (S.drawn, T.save): Rule(S.drawn, W.reviewer, P.quality_review),
    (S.drawn, T.publish): Rule(S.published, W.reviewer, P.quality_review),
    (S.drawn, T.skip): Rule(S.skipped, W.reviewer, P.quality_review),
    (S.published, T.acknowledge): Rule(S.acknowledged, W.agent, P.quality_own),
    (S.published, T.appeal): Rule(S.appealed, W.agent, P.quality_own),
    (S.appealed, T.uphold): Rule(S.upheld, W.other, P.quality_decide),
    (S.appealed, T.change): Rule(S.changed, W.other, P.quality_decide),
    **{(state, T.coach): Rule(state, W.other, P.quality_coach) for state in _COACHED},
}
del S, T, W, P

UNSEEN = frozenset({ReviewState.drawn, ReviewState.skipped})
"""What is nobody's business but the reviewers'."""
COUNTED = frozenset({ReviewState.published, ReviewState.acknowledged, ReviewState.upheld, ReviewState.changed})
"""What makes an agent's quarter; what is appealed counts once it is decided."""


def rule_of(state: ReviewState, step: Step) -> Rule:
    """The rule of that step. Raises Refused for a pair that is not in the table."""
    return step_in(RULES, (state, step), "该质检单当前状态不允许此操作。", f"A review that is {state} can't {step}.")


def permitted(rule: Rule, parties: Collection[Party], permissions: Collection[Permission]) -> bool:
    """Whether somebody who is this to the review, and may do that, takes the step. Nobody decides on their own."""
    if rule.needs not in permissions:
        return False
    return not parties if rule.party is Party.other else rule.party in parties
