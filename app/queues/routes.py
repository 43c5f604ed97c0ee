"""REST: how the queues are set, in words. Changing them stays with whoever keeps queues.yaml."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request

from acd.config import EngineConfig
from app.auth.model import Permission
from app.clock import iso, utc_now
from app.hours import service as hours
from app.hours.model import DayKind
from app.http.context import ActorDep, Web, WebDep
from app.http.errors import language_of
from app.http.schema import Answer
from app.queues.source import RulesFile
from app.queues.words import Topic, sections
from cti_bridge.rules import changes

router = APIRouter(prefix="/api/queue-rules", tags=["queue rules"])


class ToldOut(Answer):
    """Sentences about one topic, in the reader's language."""

    topic: Topic
    lines: list[str]


class SectionOut(Answer):
    """One queue; "" for what holds for all of them."""

    queue: str
    told: list[ToldOut]


class DifferentDay(Answer):
    """A day with other hours; empty times: every day's (`closed`: none)."""

    day: str
    kind: DayKind
    opens: str
    closes: str
    note: str


class OpeningOut(Answer):
    """Whether people answer now, every day's hours, and the days of the next weeks that differ."""

    open: bool
    next_open: str | None
    opens: str
    closes: str
    days: list[DifferentDay]


class QueueRulesOut(Answer):
    """The rules in force. `live`: the queue itself says so; otherwise they are what a start would take.

    `problem` is the first fault of the file, "" if it can be used; `later` names what holds from the next start on.
    """

    file: Literal["own", "shipped"]
    live: bool
    problem: str
    later: list[str]
    opening: OpeningOut
    sections: list[SectionOut]


@router.get("", operation_id="get_queue_rules")
def get_queue_rules(request: Request, actor: ActorDep, web: WebDep) -> QueueRulesOut:
    """What the queues do and why: levels, relaxation, overflow, call-back, opening."""
    actor.require(Permission.rules_read)
    file = RulesFile(web.settings)
    wanted, problem = file.held()
    running = _running(web)
    config = wanted if running is None else running
    return QueueRulesOut(
        file="own" if file.is_own else "shipped",
        live=running is not None,
        problem=problem.splitlines()[0] if problem else "",
        later=[] if running is None or problem else changes(running, wanted)[1],
        opening=_opening(web),
        sections=[
            SectionOut(queue=one.queue, told=[ToldOut(topic=told.topic, lines=list(told.lines)) for told in one.told])
            for one in sections(config, web.settings.callback_allowed, language_of(request))
        ],
    )


def _running(web: Web) -> EngineConfig | None:
    """What the queue of this process goes by; None where it runs in another."""
    ask = getattr(web.realtime, "rules_in_force", None)
    found: EngineConfig | None = ask() if ask is not None else None
    return found


def _opening(web: Web) -> OpeningOut:
    now = utc_now()
    with web.db.read() as session:
        state = hours.state_at(session, now, web.settings)
        days = hours.coming_days(session, now.astimezone(web.settings.zone).date())
        return OpeningOut(
            open=state.open,
            next_open=iso(state.next_open),
            opens=web.settings.opens,
            closes=web.settings.closes,
            days=[
                DifferentDay(day=one.day.isoformat(), kind=one.kind, opens=one.opens, closes=one.closes, note=one.note)
                for one in days
            ],
        )
