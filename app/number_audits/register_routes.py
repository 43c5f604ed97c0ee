"""REST: the register of published numbers."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, UploadFile
from fastapi.responses import Response
from pydantic import Field
from sqlmodel import Session

from app.actor import Actor
from app.http.context import ActorDep, Web, WebDep
from app.http.schema import MOST, Answer, Body, Id, Listing, PageOf, Version, Word
from app.http.tables import CSV, TableOutcome
from app.http.tables import table as as_file
from app.number_audits import judging, register
from app.number_audits.model import LONGEST_AREA, LONGEST_PLACE
from app.number_audits.tables import PublishedNumber

router = APIRouter(prefix="/api/published-numbers", tags=["number audits"])


class NumberFilter(Listing):
    """Which published numbers."""

    unit_id: int | None = Field(default=None, ge=1, le=MOST)


class NumberSearch(NumberFilter):
    """Which published numbers, also by words: `q` is digits of the number or a part of its unit's name."""

    q: Word = ""
    area: str = Field(default="", max_length=LONGEST_AREA)


class NumberOut(Answer):
    """A number that a unit has published."""

    id: int
    number: str
    unit_id: int
    unit_name: str
    area: str
    place: str
    office_hours: str
    active: bool
    version: int


class NumberEdit(Body):
    """Where and for when it is published, and whether it is."""

    version: Version
    area: str = Field(max_length=4 * LONGEST_AREA)
    place: str = Field(max_length=4 * LONGEST_PLACE)
    office_hours: str = Field(max_length=200)
    active: bool


class TakenOver(Answer):
    """How many numbers were taken over."""

    created: int


class AreaCount(Answer):
    """How many numbers in use an area has."""

    area: str
    count: int


@router.get("", operation_id="list_published_numbers")
def list_numbers(actor: ActorDep, web: WebDep, filters: Annotated[NumberFilter, Query()]) -> PageOf[NumberOut]:
    """The register."""
    return _listed(actor, web, filters)


@router.post("/search", operation_id="search_published_numbers")
def search_numbers(body: NumberSearch, actor: ActorDep, web: WebDep) -> PageOf[NumberOut]:
    """The register, also by words."""
    return _listed(actor, web, body)


def _listed(actor: Actor, web: Web, filters: NumberFilter) -> PageOf[NumberOut]:
    with web.db.read() as session:
        page = register.listed(session, actor, **filters.wanted(), leaf=filters.leaf)
        names = judging.unit_names(session, {row.unit_id for row in page.items})
        return PageOf.of(page, [_out(row, names) for row in page.items])


@router.get("/areas", operation_id="list_published_areas")
def list_areas(actor: ActorDep, web: WebDep) -> list[AreaCount]:
    """The areas of numbers in use."""
    with web.db.read() as session:
        return [AreaCount(area=area, count=count) for area, count in register.areas(session, actor)]


@router.get("/export", operation_id="export_published_numbers", response_class=Response, responses=CSV)
def export_numbers(actor: ActorDep, web: WebDep) -> Response:
    """The register as a table."""
    with web.db.session() as session:
        return as_file("published-numbers", register.export(session, actor))


@router.post("/import", operation_id="import_published_numbers")
def import_numbers(file: UploadFile, actor: ActorDep, web: WebDep, dry_run: bool = True) -> TableOutcome:
    """Numbers from a table: tried only, or written when nothing is wrong with any row."""
    data = file.file.read()
    with web.db.session() as session:
        return TableOutcome.of(register.bring_in(session, actor, data, web.settings, dry_run=dry_run))


@router.post("/from-units", operation_id="take_over_unit_numbers")
def take_over(actor: ActorDep, web: WebDep) -> TakenOver:
    """Take over what the directory of units has and the register has not."""
    with web.db.session() as session:
        return TakenOver(created=register.take_over(session, actor, web.settings))


@router.patch("/{published_id}", operation_id="change_published_number")
def change_number(published_id: Id, body: NumberEdit, actor: ActorDep, web: WebDep) -> NumberOut:
    """Change it."""
    values = body.model_dump(exclude={"version"})
    with web.db.session() as session:
        row = register.change(session, actor, published_id, body.version, values)
        return _one(session, row)


def _one(session: Session, row: PublishedNumber) -> NumberOut:
    return _out(row, judging.unit_names(session, {row.unit_id}))


def _out(row: PublishedNumber, names: dict[int, str]) -> NumberOut:
    return NumberOut(
        id=row.id or 0,
        number=row.number,
        unit_id=row.unit_id,
        unit_name=names.get(row.unit_id, ""),
        area=row.area,
        place=row.place,
        office_hours=row.office_hours,
        active=row.active,
        version=row.version,
    )
