"""REST: the list of today, its editions, and a new list tried on a text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field

from app.clock import local_day, utc_now
from app.editions.service import Edition, editions, make, may_read
from app.editions.shapes import EditionIn, EditionOut, said
from app.errors import BadInput
from app.http.context import ActorDep, WebDep
from app.http.schema import Answer, Body
from app.phrases import reading
from app.phrases.editing import PHRASES_FORM, faults_of, with_codes
from app.phrases.matching import Matcher, pieces
from app.phrases.model import Kind, Phrase, Where, spoken_in
from app.text import clean

router = APIRouter(prefix="/api/phrases", tags=["phrases"])

LONGEST_TRIED = 4_000
Text = Annotated[str, Field(max_length=400)]
Words = Annotated[list[Text], Field(max_length=100)]


class PhraseIn(Body):
    """Something that is listened for; `code` "" for a new one."""

    code: Annotated[str, Field(max_length=24)] = ""
    kind: Kind
    language: Annotated[str, Field(max_length=8)]
    zh: Text
    en: Text
    variants: Words
    where: Where = Where.anywhere
    seconds: Annotated[int, Field(ge=-1_000_000, le=1_000_000)] = 0
    unless: Words = Field(default=[])
    say: Text = ""

    def phrase(self) -> Phrase:
        """As it is listened for."""
        facts: dict[str, Any] = {name: clean(getattr(self, name), 400) for name in ("zh", "en", "say")}
        facts |= {"where": self.where, "seconds": self.seconds}
        variants, unless = (tuple(clean(one, 400) for one in given) for given in (self.variants, self.unless))
        return Phrase(self.code, self.kind, self.language, variants=variants, unless=unless, **facts)


class PhrasesIn(EditionIn):
    """A new edition of the list."""

    phrases: list[PhraseIn] = Field(max_length=200)


class TryIn(Body):
    """A list, and what somebody might say."""

    phrases: list[PhraseIn] = Field(max_length=200)
    language: Annotated[str, Field(max_length=8)]
    text: Annotated[str, Field(max_length=LONGEST_TRIED)]


class PhraseOut(Answer):
    """Something that is listened for."""

    code: str
    kind: Kind
    language: str
    zh: str
    en: str
    variants: list[str]
    where: Where
    seconds: int
    unless: list[str]
    say: str


class InForceOut(Answer):
    """The list of today."""

    edition: int
    phrases: list[PhraseOut]


class PhrasesEditionOut(EditionOut):
    """An edition of the list."""

    phrases: list[PhraseOut]


class PieceOut(Answer):
    """A piece of a text; `code` is what was found there, "" for the rest."""

    text: str
    code: str = ""
    kind: Kind | None = None
    name: list[str] = Field(default=[])
    near: bool = False


class TriedOut(Answer):
    """A text in pieces, and the required phrases that are not in it, by their names."""

    pieces: list[PieceOut]
    missing: list[list[str]]


@router.get("", operation_id="phrases")
def phrases(actor: ActorDep, web: WebDep) -> InForceOut:
    """The list of today."""
    with web.db.read() as session:
        number, found = reading.in_force(session, actor, web.settings.zone)
    return InForceOut(edition=number, phrases=[_out(one) for one in found])


@router.get("/editions", operation_id="phrase_editions")
def phrase_editions(actor: ActorDep, web: WebDep) -> list[PhrasesEditionOut]:
    """Every edition of the list, newest first."""
    with web.db.read() as session:
        return _editions(editions(session, actor, PHRASES_FORM), _today(web))


@router.post("/editions", operation_id="make_phrases", status_code=201)
def make_phrases(body: PhrasesIn, actor: ActorDep, web: WebDep) -> list[PhrasesEditionOut]:
    """A new edition of the list. 409 with the newest one, and how it differs from the one that the editor saw."""
    fresh = [one.phrase() for one in body.phrases]
    with web.db.session() as session:
        made = make(session, actor, PHRASES_FORM, body.after, body.since, body.note, fresh, web.settings.zone)
        return _editions(made, _today(web))


@router.post("/try", operation_id="try_phrases")
def try_phrases(body: TryIn, actor: ActorDep) -> TriedOut:
    """What a list would find in a text; keeps nothing."""
    may_read(actor)
    fresh = with_codes([one.phrase() for one in body.phrases])
    if wrong := faults_of(fresh):
        raise BadInput(fields=wrong)
    sought = spoken_in(fresh, body.language)
    found = pieces(clean(body.text, LONGEST_TRIED, lines=True), Matcher(sought))
    heard = {one.hit.phrase.code for one in found if one.hit}
    return TriedOut(
        pieces=[
            PieceOut(text=one.text)
            if one.hit is None
            else PieceOut(
                text=one.text,
                code=one.hit.phrase.code,
                kind=one.hit.phrase.kind,
                name=[one.hit.phrase.zh, one.hit.phrase.en],
                near=one.hit.near,
            )
            for one in found
        ],
        missing=[[one.zh, one.en] for one in sought if one.kind is Kind.required and one.code not in heard],
    )


def _today(web: Any) -> date:
    return local_day(utc_now(), web.settings.zone)


def _editions(known: Sequence[Edition[Sequence[Phrase]]], today: date) -> list[PhrasesEditionOut]:
    return [PhrasesEditionOut(**said(one, known, today), phrases=[_out(it) for it in one.content]) for one in known]


def _out(one: Phrase) -> PhraseOut:
    return PhraseOut(**{**vars(one), "variants": list(one.variants), "unless": list(one.unless)})
