"""REST: voicemails."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import Field

from app.audit.model import Action
from app.audit.service import write_once
from app.errors import Forbidden
from app.http.context import ActorDep, WebDep
from app.http.files import file_response, stored_file
from app.http.schema import Answer, Body, Id, Listing, PageOf
from app.voicemails import service
from app.voicemails.model import VoicemailStatus

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


class Done(Body):
    """Whether it has been dealt with."""

    done: bool = True


class VoicemailFilter(Listing):
    """Which voicemails."""

    status: VoicemailStatus | None = None
    section: str = Field(default="", pattern=r"^([a-z][a-z0-9-]{0,15})?$")


@router.get("", operation_id="list_voicemails")
def list_voicemails(actor: ActorDep, web: WebDep, filters: Annotated[VoicemailFilter, Query()]) -> PageOf[VoicemailOut]:
    """Voicemails, newest first; dropped ones only when asked for."""
    with web.db.read() as session:
        page = service.list_voicemails(session, actor, **filters.wanted(), leaf=filters.leaf)
        return PageOf.of(page, [VoicemailOut(**service.voicemail_json(session, actor, row)) for row in page.items])


@router.get("/{voicemail_id}", operation_id="get_voicemail")
def get_voicemail(voicemail_id: Id, actor: ActorDep, web: WebDep) -> VoicemailOut:
    """One voicemail."""
    with web.db.read() as session:
        row = service.get(session, actor, voicemail_id)
        return VoicemailOut(**service.voicemail_json(session, actor, row))


@router.post("/{voicemail_id}/done", operation_id="voicemail_done")
def voicemail_done(voicemail_id: Id, body: Done, actor: ActorDep, web: WebDep) -> VoicemailOut:
    """Mark as dealt with, or take that back."""
    with web.db.session() as session:
        row = service.set_done(session, actor, voicemail_id, body.done)
        return VoicemailOut(**service.voicemail_json(session, actor, row))


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
