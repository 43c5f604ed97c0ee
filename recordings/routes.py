"""REST: recordings, played in ranges, every listening audited."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from app.audit.model import Action
from app.audit.service import write_once
from app.auth.model import Permission
from app.http.context import ActorDep, WebDep
from app.http.files import file_response
from app.http.schema import Answer, Body, Id
from app.http.shapes import RecordingOut
from recordings import service
from recordings.store import recording_json

router = APIRouter(prefix="/api/recordings", tags=["recordings"])


class Hold(Body):
    """Whether to keep it beyond its retention."""

    hold: bool


class FaultOut(Answer):
    """A place where the chain does not hold."""

    kind: str
    seq: int
    call_id: str
    detail: str


class ChainOut(Answer):
    """The state of the whole chain."""

    ok: bool
    faults: list[FaultOut]


@router.get("", operation_id="list_recordings")
def list_recordings(
    actor: ActorDep, web: WebDep, call: Annotated[str, Query(pattern=r"^[A-Za-z0-9.-]{0,64}$")] = ""
) -> list[RecordingOut]:
    """The recordings of a call, or the newest that the asker may hear."""
    with web.db.read() as session:
        rows = service.of_call(session, actor, call) if call else list(service.newest(session, actor))
    checked = bool(call)
    return [RecordingOut(**recording_json(row, chain_ok=web.store.chain_ok(row) if checked else None)) for row in rows]


@router.get("/chain", operation_id="verify_recordings")
def verify_recordings(actor: ActorDep, web: WebDep, files: bool = False) -> ChainOut:
    """Check the chain; with `files` every file is read too, which takes as long as the disk needs."""
    if not actor.may(Permission.audit_read):
        actor.require(Permission.recordings_listen)
    faults = web.store.verify_chain(files=files)
    return ChainOut(
        ok=not faults,
        faults=[FaultOut(kind=f.kind.value, seq=f.seq, call_id=f.call_id, detail=f.detail) for f in faults[:500]],
    )


@router.get(
    "/{recording_id}/audio",
    operation_id="recording_audio",
    response_class=Response,
    responses={200: {"content": {"audio/wav": {}}}, 206: {"content": {"audio/wav": {}}}, 416: {}},
)
def recording_audio(
    recording_id: Id, request: Request, actor: ActorDep, web: WebDep, download: bool = False
) -> Response:
    """The sound (left: citizen, right: what the citizen heard). Audited before the first byte is sent."""
    with web.db.read() as session:
        row = service.for_listening(session, actor, recording_id, export=download)
    path = web.store.file_of(row)
    action = Action.recording_exported if download else Action.recording_listened
    write_once(web.db, actor, action, f"recording:{recording_id}")
    name = f"recording-{recording_id}{path.suffix}" if download else ""
    media = "audio/wav" if path.suffix == ".wav" else "application/octet-stream"
    return file_response(request, path, media, etag=row.sha256, filename=name)


@router.post("/{recording_id}/hold", operation_id="hold_recording")
def hold_recording(recording_id: Id, body: Hold, actor: ActorDep, web: WebDep) -> RecordingOut:
    """Keep a recording from being deleted, or let it go again."""
    with web.db.session() as session:
        return RecordingOut(**recording_json(service.set_hold(session, actor, recording_id, body.hold)))
