"""REST: the wave form of a recording, what was said in it, and what people say of it."""

from __future__ import annotations

import base64
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from app.actor import Actor
from app.audit.model import Action
from app.audit.service import write, write_once
from app.clock import iso
from app.http.context import ActorDep, WebDep
from app.http.schema import MOST, Answer, Body, Id, Listing, PageOf, PartOut, Word
from recordings import comments, service, transcripts
from recordings.lines import LONGEST_LINE, MOST_LINES, Channel, Line
from recordings.peaks import peaks_of
from recordings.tables import RecordingComment, TranscriptLine

router = APIRouter(prefix="/api/recordings", tags=["recordings"])

Moment = Annotated[int, Field(ge=0, le=MOST)]


class PeaksOut(Answer):
    """The wave form: a byte for each step of a side (left: citizen), 0 silence, 255 as loud as can be; in base64."""

    per_second: int
    left: str
    right: str


class LineIn(Body):
    """What one side said between two moments; `words` are [word, start_ms, end_ms]."""

    channel: Channel
    start_ms: Moment
    end_ms: Moment
    text: str = Field(max_length=LONGEST_LINE)
    speaker: str = Field(default="", max_length=32)
    words: list[tuple[Annotated[str, Field(max_length=64)], Moment, Moment]] = Field(default=[], max_length=500)
    confidence: float | None = Field(default=None, ge=0, le=1)

    def line(self) -> Line:
        """As the rules know it."""
        words = tuple(self.words)
        return Line(self.channel, self.start_ms, self.end_ms, self.text, self.speaker, words, self.confidence)


class TranscriptIn(Body):
    """What was said in a recording; `source` is who or what wrote it down."""

    source: str = Field(default="hand", max_length=32)
    lines: list[LineIn] = Field(max_length=MOST_LINES)


class LineOut(Answer):
    """A line of a transcript."""

    id: int
    channel: Channel
    speaker: str
    start_ms: int
    end_ms: int
    text: str
    source: str
    confidence: float | None


class Stored(Answer):
    """How many lines were kept."""

    lines: int


class FoundLine(Answer):
    """A line in which words were found."""

    channel: Channel
    start_ms: int
    parts: list[PartOut]


class HeardOut(Answer):
    """A recording in which words were found, and where."""

    recording_id: int
    call_id: str
    segment: int
    agent_id: str | None
    started_at: str
    lines: list[FoundLine]


class WordSearch(Listing):
    """Which words. They may be names: they are asked for in a body."""

    q: Word = ""


class CommentIn(Body):
    """What is said of a moment."""

    at_ms: Moment
    text: str


class CommentPatch(Body):
    """Other words for it."""

    text: str


class CommentOut(Answer):
    """A comment; `text` is empty once it was taken back."""

    id: int
    at_ms: int
    text: str
    by_name: str
    at: str
    changed_at: str | None
    removed_at: str | None
    mine: bool


@router.post("/transcripts/search", operation_id="search_transcripts")
def search_transcripts(body: WordSearch, actor: ActorDep, web: WebDep) -> PageOf[HeardOut]:
    """The recordings that the asker may hear in which all of these words were said, the newest first."""
    with web.db.read() as session:
        page = transcripts.search(session, actor, body.q, leaf=body.leaf)
    if page.items:
        with web.db.session() as session:
            write(session, actor, Action.transcripts_searched, "recordings", {"shown": len(page.items)})
    return PageOf.of(page, [_heard(one) for one in page.items])


@router.get("/{recording_id}/peaks", operation_id="recording_peaks")
def recording_peaks(recording_id: Id, actor: ActorDep, web: WebDep) -> PeaksOut:
    """The wave form of a recording that the asker may hear. 422 for one that could not be mixed."""
    with web.db.read() as session:
        row = service.for_listening(session, actor, recording_id)
    found = peaks_of(web.store.file_of(row))
    left, right = (base64.b64encode(side).decode() for side in (found.left, found.right))
    return PeaksOut(per_second=found.per_second, left=left, right=right)


@router.get("/{recording_id}/transcript", operation_id="recording_transcript")
def recording_transcript(recording_id: Id, actor: ActorDep, web: WebDep) -> list[LineOut]:
    """What was said, in order of time; [] when nobody has written it down. Audited as listening is."""
    with web.db.read() as session:
        lines = transcripts.of_recording(session, actor, recording_id)
    if lines:
        write_once(web.db, actor, Action.recording_read, f"recording:{recording_id}")
    return [_line(line) for line in lines]


@router.put("/{recording_id}/transcript", operation_id="put_transcript")
def put_transcript(recording_id: Id, body: TranscriptIn, actor: ActorDep, web: WebDep) -> Stored:
    """Keep these lines instead of those that there are."""
    lines = [line.line() for line in body.lines]
    with web.db.session() as session:
        return Stored(lines=transcripts.put(session, actor, recording_id, body.source, lines))


@router.get("/{recording_id}/comments", operation_id="recording_comments")
def recording_comments(recording_id: Id, actor: ActorDep, web: WebDep) -> list[CommentOut]:
    """The comments, by their moments; of a confidential call reading them is audited."""
    with web.db.read() as session:
        rows, audited = comments.of_recording(session, actor, recording_id)
    if audited:
        write_once(web.db, actor, Action.recording_read, f"recording:{recording_id}")
    return [_comment(row, actor) for row in rows]


@router.post("/{recording_id}/comments", operation_id="add_comment", status_code=201)
def add_comment(recording_id: Id, body: CommentIn, actor: ActorDep, web: WebDep) -> CommentOut:
    """Say something of a moment."""
    with web.db.session() as session:
        return _comment(comments.add(session, actor, recording_id, body.at_ms, body.text), actor)


@router.patch("/{recording_id}/comments/{comment_id}", operation_id="change_comment")
def change_comment(recording_id: Id, comment_id: Id, body: CommentPatch, actor: ActorDep, web: WebDep) -> CommentOut:
    """Other words for one's own comment."""
    with web.db.session() as session:
        return _comment(comments.change(session, actor, recording_id, comment_id, body.text), actor)


@router.delete("/{recording_id}/comments/{comment_id}", operation_id="remove_comment")
def remove_comment(recording_id: Id, comment_id: Id, actor: ActorDep, web: WebDep) -> CommentOut:
    """Take one's own comment back; a line stays that says so."""
    with web.db.session() as session:
        return _comment(comments.remove(session, actor, recording_id, comment_id), actor)


def _line(row: TranscriptLine) -> LineOut:
    return LineOut(
        id=row.id or 0,
        channel=Channel(row.channel),
        speaker=row.speaker,
        start_ms=row.start_ms,
        end_ms=row.end_ms,
        text=row.text,
        source=row.source,
        confidence=row.confidence,
    )


def _heard(one: transcripts.Heard) -> HeardOut:
    row = one.recording
    return HeardOut(
        recording_id=row.seq,
        call_id=row.call_id,
        segment=row.segment,
        agent_id=row.agent_id,
        started_at=iso(row.started_at) or "",
        lines=[
            FoundLine(
                channel=Channel(line.channel),
                start_ms=line.start_ms,
                parts=[PartOut(text=part.text, found=part.found) for part in pieces],
            )
            for line, pieces in one.lines
        ],
    )


def _comment(row: RecordingComment, actor: Actor) -> CommentOut:
    return CommentOut(
        id=row.id or 0,
        at_ms=row.at_ms,
        text=row.text,
        by_name=row.by_name,
        at=iso(row.at) or "",
        changed_at=iso(row.changed_at),
        removed_at=iso(row.removed_at),
        mine=row.by == actor.user_id,
    )
