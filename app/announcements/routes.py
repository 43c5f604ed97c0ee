"""REST: surge announcements."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import AwareDatetime, Field, field_validator
from sqlmodel import Session

from app.actor import Actor
from app.announcements import counting, service
from app.announcements.model import LONGEST_TEXT, AnnouncementState, cleaned, said_in
from app.announcements.shapes import CallersOut
from app.announcements.tables import Announcement
from app.auth.model import Permission
from app.clock import iso, utc_now
from app.errors import BadInput
from app.http.context import ActorDep, Web, WebDep
from app.http.files import file_response
from app.http.schema import Answer, Body, Id, Version, countable
from app.text import clean

MOST_TEXTS = 8  # as many languages as a menu may have

router = APIRouter(prefix="/api/announcements", tags=["announcements"])


class AnnouncementIn(Body):
    """What callers are to hear, and when."""

    texts: dict[str, str] = Field(max_length=MOST_TEXTS)
    active_from: AwareDatetime
    active_until: AwareDatetime
    area: str = Field(default="", max_length=64)
    priority: int = Field(default=0, ge=-100, le=100)

    @field_validator("active_from", "active_until")
    @classmethod
    def _countable(cls, moment: datetime) -> datetime:
        return countable(moment)


class AnnouncementEdit(AnnouncementIn):
    """The whole announcement as it is to be, and the version that the editor saw."""

    version: Version


class Spoken(Body):
    """A text to listen to before anybody else does."""

    language: str = Field(pattern="^[a-z]{2,3}$")
    text: str = Field(min_length=1, max_length=LONGEST_TEXT)


class HourOut(CallersOut):
    """The same of one hour."""

    hour: str


class VoiceOut(Answer):
    """A language that callers choose in the menu; see `app.announcements.model.Voice`."""

    language: str
    speaks: bool
    reads: list[str]


class AnnouncementOut(Answer):
    """A surge announcement; `heard` says whether callers hear it: of many at once only the most urgent."""

    id: int
    texts: dict[str, str]
    prompt: str
    area: str
    priority: int
    active_from: str
    active_until: str
    state: AnnouncementState
    active: bool
    heard: bool
    callers: CallersOut
    version: int
    created_at: str
    created_by_name: str | None
    updated_at: str | None
    updated_by_name: str | None


class AnnouncementFilter(Body):
    """Which announcements."""

    state: AnnouncementState | None = None


@router.get("", operation_id="list_announcements")
def list_announcements(
    actor: ActorDep, web: WebDep, filters: Annotated[AnnouncementFilter, Query()]
) -> list[AnnouncementOut]:
    """What is on, what is coming, and the latest of what is past."""
    now = utc_now()
    with web.db.read() as session:
        rows = service.list_all(session, actor, state=filters.state or "", now=now)
        heard = service.heard_now(session, now)
        sums = counting.sums(session, [row.id or 0 for row in rows])
        return [AnnouncementOut(**service.as_json(session, row, now=now, heard=heard, sums=sums)) for row in rows]


@router.get("/languages", operation_id="list_announcement_languages")
def list_announcement_languages(actor: ActorDep, web: WebDep) -> list[VoiceOut]:
    """The languages of the voice menu, in the order of their keys."""
    actor.require(Permission.wallboard_read)
    return [VoiceOut(language=one.language, speaks=one.speaks, reads=list(one.reads)) for one in web.voices()]


@router.get("/{announcement_id}/hours", operation_id="list_announcement_hours")
def list_announcement_hours(announcement_id: Id, actor: ActorDep, web: WebDep) -> list[HourOut]:
    """Who heard it in each hour and what they did then, the latest hour first."""
    with web.db.read() as session:
        rows = counting.by_hour(session, actor, announcement_id)
    return [HourOut(hour=iso(hour) or "", **told.as_json()) for hour, told in rows]


@router.post("", operation_id="create_announcement", status_code=201)
def create_announcement(body: AnnouncementIn, actor: ActorDep, web: WebDep) -> AnnouncementOut:
    """Announce something."""
    _speak(web, actor, body.texts)
    with web.db.session() as session:
        return _out(session, service.create(session, actor, **body.model_dump(), voices=web.voices()))


@router.patch("/{announcement_id}", operation_id="change_announcement")
def change_announcement(announcement_id: Id, body: AnnouncementEdit, actor: ActorDep, web: WebDep) -> AnnouncementOut:
    """Change it; 409 with what is stored when somebody else has changed it since."""
    _speak(web, actor, body.texts)
    with web.db.session() as session:
        row = service.change(session, actor, announcement_id, **body.model_dump(), voices=web.voices())
        return _out(session, row)


@router.post("/{announcement_id}/end", operation_id="end_announcement")
def end_announcement(announcement_id: Id, actor: ActorDep, web: WebDep) -> AnnouncementOut:
    """Stop playing it now; callers who come some seconds later do not hear it any more."""
    with web.db.session() as session:
        return _out(session, service.end(session, actor, announcement_id))


@router.post(
    "/spoken",
    operation_id="speak_announcement",
    response_class=Response,
    responses={200: {"content": {"audio/wav": {}}}, 206: {"content": {"audio/wav": {}}}, 416: {}},
)
def speak_announcement(body: Spoken, request: Request, actor: ActorDep, web: WebDep) -> Response:
    """A text as callers would hear it; nothing is announced or stored."""
    actor.require(Permission.announcements_write)
    text = clean(body.text, LONGEST_TEXT)
    if not text:
        raise BadInput(fields={"text": "填写内容 (no words)"})
    if body.language not in [one.language for one in web.voices() if one.speaks]:
        raise BadInput(fields={"language": "这种语言没有合成语音 (no voice speaks this language)"})
    sound = web.speak(text, body.language)
    with web.db.session() as session:
        service.note_listened(session, actor, body.language, text)
    return file_response(request, sound, "audio/wav", etag=sound.stem)


def _speak(web: Web, actor: Actor, texts: dict[str, str]) -> None:
    """What callers of each language will hear is spoken before it is published: the first of them does not wait for
    it, and what no voice can say (signs alone) is published to nobody. Raises Forbidden, Refused."""
    actor.require(Permission.announcements_write)
    kept = cleaned(texts)
    if all(len(text) <= LONGEST_TEXT for text in kept.values()):
        for voice in web.voices():
            if text := said_in(kept, voice):
                web.speak(text, voice.language)


def _out(session: Session, row: Announcement) -> AnnouncementOut:
    return AnnouncementOut(**service.as_json(session, row, now=utc_now()))
