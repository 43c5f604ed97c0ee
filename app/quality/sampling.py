"""Which talks are reviewed: so many of every agent and week, more where it matters, the same ones for the same seed.

Pure. What is drawn is decided by a hash of the seed and the call alone, so that anybody can draw again and compare,
and whoever knows the rules but not the seed cannot tell which calls will be heard.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Reason(StrEnum):
    """Why a talk was drawn; the first that fits is told."""

    low_rating = "low_rating"  # 差评
    complaint = "complaint"  # 投诉
    phrases = "phrases"  # 疑似忌语
    long_hold = "long_hold"  # 保持过久
    long_talk = "long_talk"  # 通话过长
    new_agent = "new_agent"  # 新上岗
    random = "random"  # 随机
    picked = "picked"  # 从用语清单选取: by a reviewer, never drawn


@dataclass(frozen=True)
class Rules:
    """How much is drawn, for an agent and a week."""

    at_least: int = 2
    new_agents: int = 4  # instead, for those who have begun lately
    new_days: int = 60
    pressing: int = 3  # at most so many besides because of what happened in them
    shortest_s: int = 20  # nothing is learnt of a talk that is shorter
    low_rating: int = 2  # of five
    long_hold_s: int = 120
    long_talk_s: int = 900
    forbidden: int = 0  # so many forbidden phrases in a talk make it pressing; 0: an office trusts the machine first


@dataclass(frozen=True)
class Talk:
    """A talk that could be drawn. `forbidden`: how many forbidden phrases stand in its transcript, word for word;
    `agent_days`: for how long its agent has been one; `drawn`: there is a review; `skipped`: a reviewer said that there
    is nothing to review, another one is drawn instead; `picked`: a reviewer chose it, which changes nothing for those
    that are drawn."""

    call_id: str
    agent_id: str
    talk_s: int
    held_s: int = 0
    rating: int | None = None
    complaint: bool = False
    forbidden: int = 0
    secret: bool = False
    agent_days: int = 10_000
    drawn: bool = False
    skipped: bool = False
    picked: bool = False


@dataclass(frozen=True)
class Drawer:
    """For whom talks are drawn: their own are not among them, secret ones only if they may hear them."""

    agent_id: str | None = None
    hears_secret: bool = False

    def may_hear(self, talk: Talk) -> bool:
        """Whether this talk may be theirs to review."""
        return talk.agent_id != self.agent_id and (self.hears_secret or not talk.secret)


@dataclass(frozen=True)
class Drawn:
    """A talk that was drawn, and why."""

    talk: Talk
    reason: Reason


@dataclass
class _Of:
    """What there is of one agent."""

    talks: list[Talk] = field(default_factory=list)
    known: int = 0


def draw(talks: Iterable[Talk], seed: str, drawer: Drawer, rules: Rules | None = None) -> list[Drawn]:
    """What is to be reviewed of a week, besides what has been drawn already, by agent; pressing ones come first.

    Drawing again with what was drawn marked as such adds nothing.
    """
    rules = rules or Rules()
    agents: dict[str, _Of] = {}
    for talk in talks:
        of = agents.setdefault(talk.agent_id, _Of())
        if talk.drawn:
            of.known += 1
        elif not talk.skipped and not talk.picked and talk.talk_s >= rules.shortest_s and drawer.may_hear(talk):
            of.talks.append(talk)
    return [one for agent_id in sorted(agents) for one in _of_agent(agents[agent_id], seed, rules)]


def why(talk: Talk, rules: Rules) -> Reason | None:
    """What makes a talk pressing; None if nothing does."""
    if talk.rating is not None and talk.rating <= rules.low_rating:
        return Reason.low_rating
    if talk.complaint:
        return Reason.complaint
    if rules.forbidden and talk.forbidden >= rules.forbidden:
        return Reason.phrases
    if talk.held_s >= rules.long_hold_s:
        return Reason.long_hold
    return Reason.long_talk if talk.talk_s >= rules.long_talk_s else None


def place(seed: str, call_id: str) -> str:
    """Where a call stands in the order of drawing."""
    return hashlib.sha256(f"{seed}:{call_id}".encode()).hexdigest()


def _of_agent(of: _Of, seed: str, rules: Rules) -> Sequence[Drawn]:
    order = sorted(of.talks, key=lambda talk: place(seed, talk.call_id))
    pressing = [Drawn(talk, reason) for talk in order if (reason := why(talk, rules)) is not None]
    is_new = any(talk.agent_days < rules.new_days for talk in of.talks)
    wanted = rules.new_agents if is_new else rules.at_least
    most = wanted + rules.pressing
    chosen = pressing[: max(0, min(rules.pressing, most - of.known))]
    taken: Collection[str] = {one.talk.call_id for one in chosen}
    plain = Reason.new_agent if is_new else Reason.random
    rest = [Drawn(talk, why(talk, rules) or plain) for talk in order if talk.call_id not in taken]
    return [*chosen, *rest[: max(0, wanted - of.known)]]
