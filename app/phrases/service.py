"""Looking through transcripts: in the transaction in which one is stored, and again when somebody asks for it.

A talk is looked through as a whole, for what belongs to its end may be missing only once all of it is written down. By
the list of its day, or, asked again, by the one of today.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import delete, func, select
from sqlmodel import Session, col

from app.actor import Actor
from app.audit.model import Action
from app.audit.service import write
from app.calls.tables import Call
from app.clock import local_day, utc_now
from app.db import Database
from app.editions.service import content_of, may_read, numbers_on
from app.errors import NotFound
from app.phrases.editing import PHRASES_FORM
from app.phrases.model import Phrase, spoken_in
from app.phrases.tables import PhraseCheck, PhraseFinding
from app.phrases.talks import Found, Part, Spoken, found_in
from app.settings import get_settings
from recordings import meanwhile
from recordings.lines import Channel
from recordings.service import may_be_heard
from recordings.tables import TRANSCRIPT_INDEX, Recording, TranscriptLine

LEFT_MS = 2_000  # a third party who left so shortly before the end took leave with the others


def edition_on(session: Session, day: date) -> int:
    """Which list holds on that day."""
    return numbers_on(session, PHRASES_FORM, [day])[day]


def phrases_by(session: Session, number: int) -> Sequence[Phrase]:
    """The list of that edition. Raises NotFound."""
    return content_of(session, PHRASES_FORM, number)


def look_through(session: Session, row: Recording, *, edition: int | None = None, now: datetime | None = None) -> int:
    """Look through the talk to which this recording belongs, as far as it is written down; how much was found.

    By that edition, else by the one that other parts of it were looked through by, else by the one of its day.
    """
    if row.agent_id is None:
        return 0
    now = now or utc_now()
    call = session.get(Call, row.call_id, with_for_update=True)  # of two parts stored at once one sees the other
    whole = list(
        session.execute(
            select(Recording).where(col(Recording.call_id) == row.call_id).order_by(col(Recording.segment))
        ).scalars()
    )
    own = [one for one in whole if one.agent_id == row.agent_id]
    parts = _parts(session, own)
    if edition is None:
        checks = select(func.max(PhraseCheck.edition)).where(col(PhraseCheck.recording).in_([one.seq for one in own]))
        edition = session.execute(checks).scalar_one()
    if edition is None:
        edition = edition_on(session, local_day(call.started_at if call else row.started_at, get_settings().zone))
    found = found_in(
        parts,
        spoken_in(phrases_by(session, edition), call.language if call else "zh"),
        expected=call is not None and call.direction == "in",
        goes_on=_goes_on(own, whole, parts),
    )
    forget(session, [one.seq for one in own])
    session.add_all(_finding(one, edition) for one in found)
    session.add_all(PhraseCheck(recording=part.recording, edition=edition, at=now) for part in parts if part.told)
    session.flush()
    return len(found)


def forget(session: Session, recordings: Iterable[int]) -> None:
    """Nothing is known any more of phrases in these."""
    gone = list(recordings)
    session.execute(delete(PhraseFinding).where(col(PhraseFinding.recording).in_(gone)))
    session.execute(delete(PhraseCheck).where(col(PhraseCheck.recording).in_(gone)))


def look_again(session: Session, actor: Actor, call_id: str, agent_id: str, *, now: datetime | None = None) -> int:
    """Look through a talk that the asker may hear by the list of today; how much was found.

    Raises Forbidden, NotFound.
    """
    may_read(actor)
    mine = col(Recording.call_id) == call_id, col(Recording.agent_id) == agent_id, col(Recording.expired_at).is_(None)
    row = session.execute(select(Recording).where(*mine, may_be_heard(actor)).limit(1)).scalar_one_or_none()
    if row is None:
        raise NotFound()
    now = now or utc_now()
    edition = edition_on(session, local_day(now, get_settings().zone))
    count = look_through(session, row, edition=edition, now=now)
    write(session, actor, Action.phrases_checked, f"call:{call_id}", {"agent": agent_id, "edition": edition}, now=now)
    return count


def look_through_since(db: Database, days: int, *, now: datetime | None = None) -> int:
    """Look through the talks of so many days by the list of today, each in a transaction of its own; how many."""
    now = now or utc_now()
    indexed = select(TRANSCRIPT_INDEX.c.subject_id)
    told = (
        select(func.min(Recording.seq))
        .where(col(Recording.started_at) >= now - timedelta(days=days), col(Recording.agent_id).is_not(None))
        .where(col(Recording.expired_at).is_(None), col(Recording.seq).in_(indexed))
        .group_by(col(Recording.call_id), col(Recording.agent_id))
    )
    with db.read() as session:
        talks = list(session.execute(told).scalars())
        edition = edition_on(session, local_day(now, get_settings().zone))
    for seq in talks:
        with db.session() as session:
            row = session.get(Recording, seq)
            if row is not None:
                look_through(session, row, edition=edition, now=now)
    return len(talks)


def _parts(session: Session, own: Sequence[Recording]) -> list[Part]:
    ids = [one.seq for one in own]
    indexed = select(TRANSCRIPT_INDEX.c.subject_id).where(TRANSCRIPT_INDEX.c.subject_id.in_(ids))
    told = set(session.execute(indexed).scalars())
    order = (col(TranscriptLine.recording), col(TranscriptLine.start_ms), col(TranscriptLine.id))
    said = select(TranscriptLine).where(
        col(TranscriptLine.recording).in_(ids), col(TranscriptLine.channel) == Channel.agent.value
    )
    lines: dict[int, list[Spoken]] = {}
    for line in session.execute(said.order_by(*order)).scalars():
        words = [(str(word), int(start), int(end)) for word, start, end in line.words]
        lines.setdefault(line.recording, []).append(Spoken(line.text, line.start_ms, line.end_ms, words))
    return [
        Part(
            one.seq,
            one.duration_ms,
            lines.get(one.seq, []),
            told=one.seq in told,
            paused=meanwhile.paused(session, one),
            shared=meanwhile.shared(session, one),
        )
        for one in own
    ]


def _goes_on(own: Sequence[Recording], whole: Sequence[Recording], parts: Sequence[Part]) -> bool:
    """Whether the call went on with somebody else when this agent had left it."""
    last = parts[-1]
    stayed = any(until >= last.duration_ms - LEFT_MS for _, until in last.shared)
    return stayed or any(one.segment > own[-1].segment and one.agent_id != own[-1].agent_id for one in whole)


def _finding(one: Found, edition: int) -> PhraseFinding:
    return PhraseFinding(
        recording=one.recording,
        edition=edition,
        code=one.phrase.code,
        kind=one.phrase.kind.value,
        state=one.state.value,
        side=Channel.agent.value,
        at_ms=one.at_ms,
        variant=one.variant,
        near=one.near,
        shared=one.shared,
    )
