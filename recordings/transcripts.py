"""What was said: kept line by line, read beside the sound, found by its words. As secret as the sound itself.

The index holds an entry for each recording that has been written down, if only as silence, its lines in the text that
is found anywhere only. Whoever finds by words could otherwise learn what is said in a talk that they may not hear: a
search sees no more than `may_be_heard`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import defer
from sqlmodel import Session, col

from app.actor import Actor
from app.audit.model import Action
from app.audit.service import write
from app.auth.model import Permission
from app.cases.finding import newest_page, tags_of
from app.clock import utc_now
from app.errors import NotFound
from app.paging import Leaf, Page
from app.phrases import service as phrases
from app.search.index import ANYWHERE, Entry, index_of
from app.search.tokens import LONGEST_TEXT, Part, Wanted, parts, sought, tokens
from app.text import clean
from recordings.lines import Channel, Line, checked
from recordings.service import for_listening, may_be_heard
from recordings.tables import TRANSCRIPT_INDEX, Recording, TranscriptLine

MOST_SHOWN = 3  # lines of one recording in a list of what was found


@dataclass(frozen=True)
class Heard:
    """A recording in which it was said: the best lines, each in pieces with the words found told from the rest."""

    recording: Recording
    lines: list[tuple[TranscriptLine, list[Part]]]


def put(
    session: Session,
    actor: Actor,
    recording_id: int,
    source: str,
    lines: Sequence[Line],
    *,
    now: datetime | None = None,
) -> int:
    """Keep these lines instead of those that there are; how many. Raises Forbidden, NotFound, BadInput."""
    actor.require(Permission.transcripts_write)
    row = for_listening(session, actor, recording_id, lock=True)
    kept = checked(lines, row.duration_ms)
    forget(session, row.seq)
    session.add_all(
        TranscriptLine(
            recording=row.seq,
            channel=line.channel.value,
            speaker=line.speaker,
            start_ms=line.start_ms,
            end_ms=line.end_ms,
            text=line.text,
            words=[list(word) for word in line.words],
            source=clean(source, 32) or "hand",
            confidence=line.confidence,
        )
        for line in kept
    )
    # Also where nobody said anything: nobody needs to listen to it again.
    index_of(TRANSCRIPT_INDEX, session).add(session, _entry(row, [line.text for line in kept]))
    session.flush()
    phrases.look_through(session, row, now=now)
    write(session, actor, Action.transcript_stored, f"recording:{row.seq}", {"lines": len(kept)}, now=now)
    return len(kept)


def forget(session: Session, recording_id: int) -> None:
    """Nothing is known any more of what was said in it."""
    session.execute(delete(TranscriptLine).where(col(TranscriptLine.recording) == recording_id))
    phrases.forget(session, [recording_id])
    index_of(TRANSCRIPT_INDEX, session).remove(session, recording_id)


def of_recording(session: Session, actor: Actor, recording_id: int) -> list[TranscriptLine]:
    """The lines of a recording that the asker may hear, in order of time. Raises Forbidden, NotFound."""
    for_listening(session, actor, recording_id)
    return lines_of(session, [recording_id])


def lines_of(session: Session, recordings: Sequence[int]) -> list[TranscriptLine]:
    """The lines of these recordings, in order, without the moments of their words; for parts that have made sure who
    asks."""
    order = (col(TranscriptLine.recording), col(TranscriptLine.start_ms), col(TranscriptLine.id))
    wanted = select(TranscriptLine).where(col(TranscriptLine.recording).in_(recordings)).order_by(*order)
    unread = defer(TranscriptLine.words)  # type: ignore[arg-type]
    return list(session.execute(wanted.options(unread)).scalars())


def said_by(session: Session, recording_id: int, channel: Channel) -> list[TranscriptLine]:
    """The lines of one side with the moments of their words, in order; for parts that have made sure who asks."""
    of = (col(TranscriptLine.recording) == recording_id, col(TranscriptLine.channel) == channel.value)
    order = (col(TranscriptLine.start_ms), col(TranscriptLine.id))
    return list(session.execute(select(TranscriptLine).where(*of).order_by(*order)).scalars())


def search(
    session: Session, actor: Actor, words: str, *, leaf: Leaf | None = None, now: datetime | None = None
) -> Page[Heard]:
    """The recordings that the asker may hear in which all of these words were said, the newest first.

    Raises Forbidden.
    """
    hearable = select(Recording).where(col(Recording.expired_at).is_(None), may_be_heard(actor))
    wanted = sought(clean(words, 100))
    leaf = leaf or Leaf()
    if not wanted:
        return Page([], 0, leaf.page, leaf.size)
    index = index_of(TRANSCRIPT_INDEX, session)
    agents = [] if actor.may(Permission.recordings_listen) else [_agent_tag(actor.agent_id)]

    def newest(times: Sequence[str]) -> Select[Any]:
        return index.among(hearable, col(Recording.seq), index.all_of(wanted, ANYWHERE, agents, times))

    page = newest_page(session, index, newest, leaf, now or utc_now())
    said: dict[int, list[TranscriptLine]] = {}
    for line in lines_of(session, [row.seq for row in page.items]):
        said.setdefault(line.recording, []).append(line)
    items = [Heard(row, _best(said.get(row.seq, []), wanted)) for row in page.items]
    return Page(items, page.total, page.page, page.page_size)


def is_told(session: Session, recording_id: int) -> bool:
    """Whether somebody has written it down, if only as silence."""
    known = select(TRANSCRIPT_INDEX.c.subject_id).where(TRANSCRIPT_INDEX.c.subject_id == recording_id)
    return session.execute(known).first() is not None


def recording_named(session: Session, call_id: str, segment: int) -> int:
    """The recording of that segment of a call. Raises NotFound."""
    statement = select(col(Recording.seq)).where(col(Recording.call_id) == call_id, col(Recording.segment) == segment)
    found = session.execute(statement).scalar_one_or_none()
    if found is None:
        raise NotFound()
    return int(found)


def _entry(row: Recording, texts: Sequence[str]) -> Entry:
    whole = "\n".join(texts)
    return Entry(
        subject_id=row.seq,
        # Beside the last text, the second one is read for "anywhere" too: a long talk has room in both.
        texts=("", whole[LONGEST_TEXT : 2 * LONGEST_TEXT], whole[:LONGEST_TEXT]),
        moment=row.started_at,
        tags=[*tags_of(row.started_at), _agent_tag(row.agent_id)],
    )


def _agent_tag(agent_id: str | None) -> str:
    return f"a{agent_id or 'nobody'}"


def _best(lines: Sequence[TranscriptLine], wanted: Sequence[Wanted]) -> list[tuple[TranscriptLine, list[Part]]]:
    """The lines with the most of the words, in order of time."""

    def fits(line: TranscriptLine) -> int:
        found = {token.text for token in tokens(line.text)}
        return sum(any(one.fits(token) for token in found) for one in wanted)

    scored = [(fits(line), line) for line in lines]
    best = sorted((pair for pair in scored if pair[0]), key=lambda pair: (-pair[0], pair[1].start_ms))[:MOST_SHOWN]
    return [(line, parts(line.text, wanted)) for _, line in sorted(best, key=lambda pair: pair[1].start_ms)]
