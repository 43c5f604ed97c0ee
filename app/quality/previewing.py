"""What rules of drawing would have made of last week: how many talks, of whom, and why; never which ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo

from sqlmodel import Session

from app.actor import Actor
from app.auth.model import Permission
from app.clock import local_day, utc_now
from app.editions.service import may_read
from app.errors import BadInput
from app.quality.drawing import talks_of
from app.quality.editing import faults_of_rules
from app.quality.editions import rules_on
from app.quality.sampling import Drawer, Drawn, Rules, Talk, draw

SEED = "preview"  # another than any week's: how many are drawn hardly depends on it, which ones stays unknown


@dataclass(frozen=True)
class Count:
    """How many would be drawn, and for which reasons."""

    drawn: int
    reasons: Mapping[str, int]


@dataclass(frozen=True)
class OfAgent:
    """An agent's talks of the week, and how many of them by the rules that held, and by those in question."""

    agent_id: str
    talks: int
    held: int
    tried: int


@dataclass(frozen=True)
class Preview:
    """A week (its Monday) by the rules that held then, and by those in question."""

    week: date
    talks: int
    held: Count
    tried: Count
    agents: Sequence[OfAgent]


def preview(session: Session, actor: Actor, rules: Rules, zone: tzinfo, *, now: datetime | None = None) -> Preview:
    """Last week as if nothing of it had been drawn yet. Raises Forbidden, BadInput."""
    may_read(actor)
    if wrong := faults_of_rules(rules):
        raise BadInput(fields=wrong)
    now = now or utc_now()
    today = local_day(now, zone)
    monday = today - timedelta(days=today.weekday() + 7)
    drawer = Drawer(hears_secret=actor.may(Permission.confidential_read))
    talks = [replace(one, drawn=False, skipped=False, picked=False) for one in talks_of(session, monday, zone, now)]
    talks = [one for one in talks if drawer.may_hear(one)]
    return compared(monday, talks, drawer, rules_on(session, monday), rules)


def compared(monday: date, talks: Sequence[Talk], drawer: Drawer, held: Rules, tried: Rules) -> Preview:
    """These talks drawn by both. Pure."""
    by_held, by_tried = draw(talks, SEED, drawer, held), draw(talks, SEED, drawer, tried)
    had, was, now = (Counter(one.agent_id for one in of) for of in (talks, _talks(by_held), _talks(by_tried)))
    agents = [OfAgent(agent, had[agent], was[agent], now[agent]) for agent in sorted(had)]
    return Preview(monday, len(talks), _count(by_held), _count(by_tried), agents)


def _talks(drawn: Sequence[Drawn]) -> list[Talk]:
    return [one.talk for one in drawn]


def _count(drawn: Sequence[Drawn]) -> Count:
    return Count(len(drawn), Counter(one.reason.value for one in drawn))
