"""REST: what was said, as suggestions for the card. What a talk's page sends travels in a body and is kept nowhere."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from app.audit.service import write_once
from app.clock import utc_now
from app.http.context import ActorDep, WebDep
from app.http.schema import MOST, Answer, Body, Id
from app.understanding import service
from app.understanding.model import Kind, Said, Suggestion

router = APIRouter(prefix="/api", tags=["understanding"])

MOST_WORDS, LONGEST_WORDS = 200, 500
_SOUNDS = {"voicemail": "/api/voicemails/{id}/audio", "recording": "/api/recordings/{id}/audio"}


class WordsIn(Body):
    """Something that the citizen said, `start_ms` within that segment of the recording."""

    segment: int = Field(ge=0, le=1_000)
    start_ms: int = Field(ge=0, le=MOST)
    text: str = Field(max_length=LONGEST_WORDS)


class TalkIn(Body):
    """What the citizen has said so far in a talk that goes on."""

    said: Annotated[list[WordsIn], Field(max_length=MOST_WORDS)]


class SuggestionOut(Answer):
    """A value that a person may take over: `quote` is what was said, from `start_ms` to `end_ms` of the sound at
    `audio_url` (null: not to be heard yet). `source` is voicemail:ID, recording:ID or live:SEGMENT; `label` is what
    people call a unit's code."""

    kind: Kind
    value: str
    label: str
    quote: str
    start_ms: int | None
    end_ms: int | None
    confidence: float
    source: str
    audio_url: str | None


@router.get("/cases/{case_id}/suggestions", operation_id="case_suggestions")
def case_suggestions(case_id: Id, actor: ActorDep, web: WebDep) -> list[SuggestionOut]:
    """What may be taken over into a case from its messages and talks, as far as the asker may hear them. Audited as
    reading these is."""
    with web.db.read() as session:
        told = service.of_case(session, actor, case_id, web.settings.zone)
    for action, subject in told.was_read:
        write_once(web.db, actor, action, subject)
    return [_out(one) for one in told.suggestions]


@router.post("/suggestions", operation_id="suggest_from_words")
def suggest_from_words(body: TalkIn, actor: ActorDep, web: WebDep) -> list[SuggestionOut]:
    """What may be taken over from the words of a talk that goes on. Nothing of them is stored."""
    said: dict[int, list[Said]] = {}
    for one in body.said:
        said.setdefault(one.segment, []).append(Said(one.text, one.start_ms))
    at = utc_now().astimezone(web.settings.zone)
    with web.db.read() as session:
        return [_out(one) for one in service.of_words(session, actor, said, at)]


def _out(one: Suggestion) -> SuggestionOut:
    kind, _, ident = one.source.partition(":")
    sound = _SOUNDS.get(kind)
    return SuggestionOut(
        kind=one.kind,
        value=one.value,
        label=one.label,
        quote=one.quote,
        start_ms=one.start_ms,
        end_ms=one.end_ms,
        confidence=one.confidence,
        source=one.source,
        audio_url=sound.format(id=ident) if sound else None,
    )
