"""What was found: beside the sound of a talk, and talks in which something was found. As secret as the words are."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from sqlalchemy import func, or_, select
from sqlmodel import Session, col

from app.actor import Actor
from app.auth.model import Permission
from app.clock import local_day, utc_now
from app.editions.service import may_read
from app.errors import Forbidden
from app.paging import Leaf, Page, counted, day_range, equal
from app.phrases.model import Kind, Phrase, State
from app.phrases.service import edition_on, phrases_by
from app.phrases.tables import PhraseCheck, PhraseFinding
from recordings.service import may_be_heard
from recordings.tables import Recording, TranscriptLine

DAYS = 31
"""So far back the list goes unless somebody asks for other days."""
_SAID_WRONG = (col(PhraseFinding.kind) == Kind.forbidden.value) & (col(PhraseFinding.state) == State.said.value)
_NOT_SAID = (col(PhraseFinding.kind) == Kind.required.value) & (col(PhraseFinding.state) != State.said.value)
_SAID_WRONG_FOR_SURE = _SAID_WRONG & col(PhraseFinding.near).is_(False) & col(PhraseFinding.shared).is_(False)


@dataclass(frozen=True)
class Seen:
    """A finding, what it is of (None for a list that is gone), and the line in which it stands ("" if in none)."""

    row: PhraseFinding
    phrase: Phrase | None
    line: str = ""


@dataclass(frozen=True)
class TalkFound:
    """A talk in which something was found."""

    call_id: str
    agent_id: str
    started_at: datetime
    findings: Sequence[Seen]


def in_force(
    session: Session, actor: Actor, zone: tzinfo, *, now: datetime | None = None
) -> tuple[int, Sequence[Phrase]]:
    """The list of today, for agents and for those who judge. Raises Forbidden."""
    if not actor.may(Permission.calls_handle) and not actor.may(Permission.quality_read):
        raise Forbidden()
    number = edition_on(session, local_day(now or utc_now(), zone))
    return number, phrases_by(session, number)


def of_recordings(session: Session, recordings: Collection[int]) -> list[Seen]:
    """What was found in these, in order; for parts that have made sure who asks."""
    order = (col(PhraseFinding.recording), col(PhraseFinding.at_ms), col(PhraseFinding.id))
    found = select(PhraseFinding).where(col(PhraseFinding.recording).in_(recordings)).order_by(*order)
    rows = list(session.execute(found).scalars())
    return _seen(session, rows, _lines(session, rows))


def editions_of(session: Session, recordings: Collection[int]) -> Mapping[int, int]:
    """By which edition each of these was looked through; who is missing was not."""
    checks = select(col(PhraseCheck.recording), col(PhraseCheck.edition))
    rows = session.execute(checks.where(col(PhraseCheck.recording).in_(recordings)))
    return {int(recording): int(edition) for recording, edition in rows}


def talks(
    session: Session,
    actor: Actor,
    zone: tzinfo,
    *,
    what: str = "",
    agent: str = "",
    code: str = "",
    start: date | None = None,
    end: date | None = None,
    leaf: Leaf | None = None,
    now: datetime | None = None,
) -> Page[TalkFound]:
    """The talks that the asker may hear in which something was found, the newest first; of the last DAYS days unless
    others are asked for. `what`: forbidden (for sure), perhaps (misheard, or said by a third party), missing; "" for
    all. Raises Forbidden."""
    may_read(actor)
    leaf = leaf or Leaf()
    start = start or (end or local_day(now or utc_now(), zone)) - timedelta(days=DAYS)
    since, until = day_range(start, end, zone)
    talk = (col(Recording.call_id), col(Recording.agent_id))
    wanted: Any = (
        select(*talk, func.min(Recording.started_at))
        .join(PhraseFinding, col(PhraseFinding.recording) == col(Recording.seq))
        .where(may_be_heard(actor), col(Recording.expired_at).is_(None), col(Recording.started_at) >= since)
        .where(_condition(what))
        .group_by(*talk)
        .order_by(func.min(Recording.started_at).desc(), *talk)
    )
    if until is not None:
        wanted = wanted.where(col(Recording.started_at) < until)
    wanted = equal(wanted, {Recording.agent_id: agent, PhraseFinding.code: code})
    rows = session.execute(wanted.offset(leaf.offset).limit(leaf.size)).all()
    found = _of_talks(session, [(call_id, agent_id) for call_id, agent_id, _ in rows])
    items = [TalkFound(call, agent_id, at, found.get((call, agent_id), [])) for call, agent_id, at in rows]
    return Page(items, counted(session, wanted), leaf.page, leaf.size)


def forbidden_counts(session: Session, calls: Sequence[str]) -> Mapping[tuple[str, str], int]:
    """How many forbidden phrases were found for sure, by call and agent; for parts that have made sure who asks."""
    talk = (col(Recording.call_id), col(Recording.agent_id))
    wanted = (
        select(*talk, func.count())
        .join(PhraseFinding, col(PhraseFinding.recording) == col(Recording.seq))
        .where(_SAID_WRONG_FOR_SURE, col(Recording.call_id).in_(calls))
        .group_by(*talk)
    )
    return {(call_id, agent_id): int(count) for call_id, agent_id, count in session.execute(wanted)}


def has_findings(session: Session, call_id: str, agent_id: str) -> bool:
    """Whether anything was found in that talk that a reviewer should hear."""
    mine = col(Recording.call_id) == call_id, col(Recording.agent_id) == agent_id
    wanted = select(col(PhraseFinding.id)).join(Recording, col(PhraseFinding.recording) == col(Recording.seq))
    return session.execute(wanted.where(*mine, _condition("")).limit(1)).first() is not None


def _condition(what: str) -> Any:
    if what == "forbidden":
        return _SAID_WRONG_FOR_SURE
    if what == "perhaps":
        return _SAID_WRONG & or_(col(PhraseFinding.near).is_(True), col(PhraseFinding.shared).is_(True))
    return _NOT_SAID if what == "missing" else or_(_SAID_WRONG, _NOT_SAID)


def _of_talks(session: Session, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], list[Seen]]:
    """What stands against each talk: nothing of what was said as it should be."""
    order = (col(Recording.segment), col(PhraseFinding.at_ms), col(PhraseFinding.id))
    wanted: Any = (
        select(PhraseFinding, col(Recording.call_id), col(Recording.agent_id))
        .join(Recording, col(PhraseFinding.recording) == col(Recording.seq))
        .where(col(Recording.call_id).in_([call_id for call_id, _ in keys]), _condition(""))
        .order_by(*order)
    )
    rows = session.execute(wanted).all()
    seen = _seen(session, [row for row, _, _ in rows], {})
    made: dict[tuple[str, str], list[Seen]] = {}
    for one, (_, call_id, agent_id) in zip(seen, rows, strict=True):
        made.setdefault((call_id, agent_id), []).append(one)
    return made


def _seen(session: Session, rows: Sequence[PhraseFinding], lines: Mapping[int, str]) -> list[Seen]:
    lists = {n: {one.code: one for one in phrases_by(session, n)} for n in {row.edition for row in rows}}
    return [Seen(row, lists[row.edition].get(row.code), lines.get(row.id or 0, "")) for row in rows]


def _lines(session: Session, rows: Sequence[PhraseFinding]) -> dict[int, str]:
    """The line of the same side in which each of these was said."""
    said = select(
        col(TranscriptLine.recording),
        col(TranscriptLine.channel),
        col(TranscriptLine.start_ms),
        col(TranscriptLine.text),
    ).where(col(TranscriptLine.recording).in_({row.recording for row in rows}))
    texts: dict[tuple[int, str], list[tuple[int, str]]] = {}
    for recording, channel, start_ms, text in session.execute(said.order_by(col(TranscriptLine.start_ms))):
        texts.setdefault((recording, channel), []).append((start_ms, text))
    found = {}
    for row in rows:
        before = [text for at, text in texts.get((row.recording, row.side), ()) if at <= row.at_ms]
        found[row.id or 0] = before[-1] if before and row.state != State.missing.value else ""
    return found
