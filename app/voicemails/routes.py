"""REST: voicemails, and what was said in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import Field
from sqlmodel import Session

from app.actor import Actor
from app.audit.model import Action
from app.audit.service import write, write_once
from app.errors import Forbidden, NotFound
from app.http.context import ActorDep, WebDep
from app.http.files import file_response, stored_file
from app.http.schema import MOST, Answer, Body, Id, Listing, PageOf, PartOut, Word
from app.paging import Page
from app.search.tokens import Part
from app.text import clean
from app.voicemails import service, texts
from app.voicemails.model import VoicemailStatus
from app.voicemails.tables import Voicemail

router = APIRouter(prefix="/api/voicemails", tags=["voicemails"])


class VoicemailOut(Answer):
    """A voicemail; `reason` says why it was dropped or is partial."""

    id: int
    call_id: str
    number: str
    started_at: str
    duration_s: int
    status: str
    reason: str | None
    section: str | None
    case_id: int | None
    case_number: str | None
    language: str
    sha256: str | None
    audio_url: str | None
    text_source: str | None  # who wrote down what was said: vosk, hand; null: nobody
    parts: list[PartOut]  # where the words stand that were sought


class HeardLine(Answer):
    """A sentence as a machine heard it."""

    start_ms: int
    end_ms: int
    text: str
    confidence: float


class VoicemailTextOut(Answer):
    """What was said: `text` counts; `lines` are the machine's, whatever a person made of them."""

    text: str
    source: str
    confidence: float | None
    version: int
    at: str
    by_name: str
    lines: list[HeardLine]


class VoicemailTextIn(Body):
    """The words as a person heard them; `version`: the one that was read, 0 if there was none."""

    text: str
    version: int = Field(ge=0, le=MOST)


class Done(Body):
    """Whether it has been dealt with."""

    done: bool = True


class VoicemailFilter(Listing):
    """Which voicemails."""

    status: VoicemailStatus | None = None
    section: str = Field(default="", pattern=r"^([a-z][a-z0-9-]{0,15})?$")


class VoicemailSearch(Listing):
    """Which voicemails. What was said may be a name: it is asked for in a body."""

    status: VoicemailStatus | None = None
    q: Word = ""


@router.get("", operation_id="list_voicemails")
def list_voicemails(actor: ActorDep, web: WebDep, filters: Annotated[VoicemailFilter, Query()]) -> PageOf[VoicemailOut]:
    """Voicemails, newest first; dropped ones only when asked for."""
    with web.db.read() as session:
        return _page(session, actor, service.list_voicemails(session, actor, **filters.wanted(), leaf=filters.leaf))


@router.post("/search", operation_id="search_voicemails")
def search_voicemails(body: VoicemailSearch, actor: ActorDep, web: WebDep) -> PageOf[VoicemailOut]:
    """The same list; with words only those that the asker may hear in which all of them were said. Audited, but never
    by which words."""
    filters = body.wanted()
    words, status = clean(str(filters.pop("q")), 100), str(filters.get("status", ""))
    with web.db.read() as session:
        if not words:
            return _page(session, actor, service.list_voicemails(session, actor, **filters, leaf=body.leaf))
        page = texts.search(session, actor, words, status=status, leaf=body.leaf)
        told = _page(session, actor, page, texts.excerpts(session, page.items, words))
    if page.items:
        with web.db.session() as session:
            write(session, actor, Action.transcripts_searched, "voicemails", {"shown": len(page.items)})
    return told


@router.get("/{voicemail_id}", operation_id="get_voicemail")
def get_voicemail(voicemail_id: Id, actor: ActorDep, web: WebDep) -> VoicemailOut:
    """One voicemail."""
    with web.db.read() as session:
        return _voicemail(session, actor, service.get(session, actor, voicemail_id))


@router.post("/{voicemail_id}/done", operation_id="voicemail_done")
def voicemail_done(voicemail_id: Id, body: Done, actor: ActorDep, web: WebDep) -> VoicemailOut:
    """Mark as dealt with, or take that back."""
    with web.db.session() as session:
        return _voicemail(session, actor, service.set_done(session, actor, voicemail_id, body.done))


@router.get("/{voicemail_id}/text", operation_id="voicemail_text")
def voicemail_text(voicemail_id: Id, actor: ActorDep, web: WebDep) -> VoicemailTextOut:
    """What was said in it; 404 if nobody wrote it down. Audited as listening is."""
    with web.db.read() as session:
        row = texts.of_voicemail(session, actor, voicemail_id)
    if row is None:
        raise NotFound()
    write_once(web.db, actor, Action.voicemail_read, f"voicemail:{voicemail_id}")
    return VoicemailTextOut(**texts.text_json(row))


@router.put("/{voicemail_id}/text", operation_id="edit_voicemail_text")
def edit_voicemail_text(voicemail_id: Id, body: VoicemailTextIn, actor: ActorDep, web: WebDep) -> VoicemailTextOut:
    """Put right what a machine heard, or write it down. 409 if somebody else has done so meanwhile."""
    with web.db.session() as session:
        return VoicemailTextOut(**texts.text_json(texts.edit(session, actor, voicemail_id, body.text, body.version)))


@router.get(
    "/{voicemail_id}/audio",
    operation_id="voicemail_audio",
    response_class=Response,
    responses={200: {"content": {"audio/wav": {}}}, 206: {"content": {"audio/wav": {}}}, 416: {}},
)
def voicemail_audio(voicemail_id: Id, request: Request, actor: ActorDep, web: WebDep) -> Response:
    """The sound, in ranges; every listening is audited before the first byte is sent."""
    with web.db.read() as session:
        row = service.get(session, actor, voicemail_id)
        if not service.may_hear(session, actor, row):
            raise Forbidden()
    path = stored_file(web.settings.home, row.path, row.expired_at)
    write_once(web.db, actor, Action.voicemail_listened, f"voicemail:{voicemail_id}")
    return file_response(request, path, "audio/wav", etag=row.sha256 or "")


def _voicemail(
    session: Session, actor: Actor, row: Voicemail, source: str | None = None, parts: Sequence[Part] = ()
) -> VoicemailOut:
    found = [PartOut(text=part.text, found=part.found) for part in parts]
    if source is None:
        source = texts.sources(session, [row]).get(row.id or 0)
    return VoicemailOut(**service.voicemail_json(session, actor, row), text_source=source or None, parts=found)


def _page(
    session: Session, actor: Actor, page: Page[Voicemail], parts: Mapping[int, Sequence[Part]] | None = None
) -> PageOf[VoicemailOut]:
    known, places = texts.sources(session, page.items), parts or {}
    rows = [
        _voicemail(session, actor, row, known.get(row.id or 0, ""), places.get(row.id or 0, ())) for row in page.items
    ]
    return PageOf.of(page, rows)
