"""REST: the directory of units, changing the network, who works where, tables, and which unit a matter is for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, UploadFile
from fastapi.responses import Response
from pydantic import Field
from sqlmodel import Session

from app.clock import iso
from app.http.context import ActorDep, WebDep
from app.http.schema import MOST, Answer, Body, Id, Version
from app.http.tables import CSV, TableOutcome, table
from app.units import exchange, members, queries, service, suggestions, views
from app.units.fields import MOST_PHONES, Phone
from app.units.model import LONGEST_NAME, LONGEST_TEXT, MOST_WORDS, MemberRole, PhoneKind, UnitKind
from app.units.tables import Unit

router = APIRouter(prefix="/api/units", tags=["units"])
MemberId = Annotated[int, Path(ge=1, le=MOST)]
UnitId = Annotated[int, Field(ge=1, le=MOST)]
Words = Annotated[list[Annotated[str, Field(max_length=200)]], Field(max_length=MOST_WORDS)]


class PhoneJson(Body):
    """A telephone number of a unit."""

    kind: PhoneKind
    number: str = Field(max_length=40)
    note: str = Field(default="", max_length=60)


class UnitBody(Body):
    """A unit as it is to be, but for its place."""

    code: str = Field(max_length=40)
    name: str = Field(max_length=LONGEST_NAME)
    short_name: str = Field(default="", max_length=LONGEST_NAME)
    kind: UnitKind
    duties: str = Field(default="", max_length=LONGEST_TEXT)
    topics: Words = Field(default_factory=list)
    keywords: Words = Field(default_factory=list)
    areas: Words = Field(default_factory=list)
    address: str = Field(default="", max_length=200)
    office_hours: str = Field(default="", max_length=120)
    hours_note: str = Field(default="", max_length=100)
    phones: list[PhoneJson] = Field(default_factory=list, max_length=MOST_PHONES)

    def values(self) -> Mapping[str, Any]:
        """What the use cases take."""
        return self.model_dump(exclude={"phones", "version", "parent_id"})

    def numbers(self) -> list[Phone]:
        """The telephones as the use cases take them."""
        return [Phone(phone.kind, phone.number, phone.note) for phone in self.phones]


class UnitIn(UnitBody):
    """A new unit and below which one it stands; null for the centre and for neighbours."""

    parent_id: UnitId | None = None


class UnitEdit(UnitBody):
    """The whole unit as it is to be, and the version that the editor saw."""

    version: Version


class OfVersion(Body):
    """The version that the editor saw."""

    version: Version


class Move(OfVersion):
    """Below which unit it is to stand."""

    parent_id: UnitId


class MemberIn(Body):
    """Who is to work in a unit, as what."""

    user_id: UnitId
    role: MemberRole


class Matter(Body):
    """The words of a matter, and below which unit the right one is sought (null: whom the centre may ask)."""

    text: str = Field(max_length=LONGEST_TEXT)
    below: UnitId | None = None


class UnitRow(Answer):
    """A unit of the tree; `level` is null for neighbours."""

    id: int
    code: str
    name: str
    short_name: str
    kind: UnitKind
    level: int | None
    parent_id: int | None
    active: bool


class PhoneOut(Answer):
    """A telephone number of a unit."""

    kind: PhoneKind
    number: str
    note: str


class UnitOut(UnitRow):
    """A unit in full; `path` are the units above it, the highest first."""

    path: list[UnitRow]
    duties: str
    topics: list[str]
    keywords: list[str]
    areas: list[str]
    address: str
    office_hours: str
    hours_note: str
    phones: list[PhoneOut]
    version: int
    updated_at: str
    updated_by_name: str | None


class HindranceOut(Answer):
    """Something that keeps a unit from being closed, in words."""

    what: str
    count: int
    told: str


class MemberOut(Answer):
    """Somebody who works in a unit; `until` is null while they do."""

    id: int
    user_id: int
    account: str
    display_name: str
    role: MemberRole
    since: str
    until: str | None


class CandidateOut(Answer):
    """Somebody who could be put into a unit, as what, and in how many they are."""

    user_id: int
    account: str
    display_name: str
    roles: list[MemberRole]
    units: int


class SuggestionOut(Answer):
    """A unit that the matter may be for, and the words of the matter that decided."""

    unit: UnitRow
    words: list[str]


class TreeFilter(Body):
    """Which units: those that work, or those that are closed as well."""

    closed: bool = False


class UnitSearch(TreeFilter):
    """Those of them whose name, code or initials fit `q`."""

    q: str = Field(default="", max_length=60)


@router.get("", operation_id="list_units")
def list_units(actor: ActorDep, web: WebDep, filters: Annotated[TreeFilter, Query()]) -> list[UnitRow]:
    """The network, parents before children."""
    with web.db.read() as session:
        return [UnitRow(**views.row_json(unit)) for unit in queries.tree(session, actor, closed=filters.closed)]


@router.post("/search", operation_id="search_units")
def search_units(body: UnitSearch, actor: ActorDep, web: WebDep) -> list[UnitRow]:
    """What fits the words, the closest first; nothing for no words."""
    with web.db.read() as session:
        found = queries.search(session, actor, body.q, closed=body.closed)
        return [UnitRow(**views.row_json(unit)) for unit in found]


@router.post("", operation_id="create_unit", status_code=201)
def create_unit(body: UnitIn, actor: ActorDep, web: WebDep) -> UnitOut:
    """A new unit."""
    with web.db.session() as session:
        made = service.create(session, actor, body.values(), body.numbers(), parent_id=body.parent_id)
        return _out(session, made)


@router.get("/candidates", operation_id="list_unit_candidates")
def list_unit_candidates(actor: ActorDep, web: WebDep) -> list[CandidateOut]:
    """Whose account has a unit's role, those without any unit first."""
    with web.db.read() as session:
        return [
            CandidateOut(
                user_id=one.user.id or 0,
                account=one.user.name,
                display_name=one.user.display_name,
                roles=list(one.roles),
                units=one.units,
            )
            for one in members.candidates(session, actor)
        ]


@router.post("/suggest", operation_id="suggest_unit")
def suggest_unit(body: Matter, actor: ActorDep, web: WebDep) -> list[SuggestionOut]:
    """Which units a matter may be for, the likeliest first; none where no word tells. Nothing is stored."""
    with web.db.read() as session:
        found = suggestions.suggest(session, actor, body.text, below=body.below)
        return [SuggestionOut(unit=UnitRow(**views.row_json(unit)), words=list(words)) for unit, words in found]


@router.get("/export", operation_id="export_units", response_class=Response, responses=CSV)
def export_units(actor: ActorDep, web: WebDep) -> Response:
    """The working units as a table."""
    with web.db.session() as session:
        return table("units", exchange.export_units(session, actor))


@router.get("/export-members", operation_id="export_unit_members", response_class=Response, responses=CSV)
def export_unit_members(actor: ActorDep, web: WebDep) -> Response:
    """Who works where, as a table."""
    with web.db.session() as session:
        return table("unit-members", exchange.export_members(session, actor))


@router.post("/import", operation_id="import_units")
def import_units(file: UploadFile, actor: ActorDep, web: WebDep, dry_run: bool = True) -> TableOutcome:
    """Units from a table: tried only, or written when nothing is wrong with any row."""
    with web.db.session() as session:
        return TableOutcome.of(exchange.import_units(session, actor, file.file.read(), dry_run=dry_run))


@router.post("/import-members", operation_id="import_unit_members")
def import_unit_members(file: UploadFile, actor: ActorDep, web: WebDep, dry_run: bool = True) -> TableOutcome:
    """Members from a table: tried only, or written when nothing is wrong with any row."""
    with web.db.session() as session:
        return TableOutcome.of(exchange.import_members(session, actor, file.file.read(), dry_run=dry_run))


@router.get("/{unit_id}", operation_id="get_unit")
def get_unit(unit_id: Id, actor: ActorDep, web: WebDep) -> UnitOut:
    """One unit."""
    with web.db.read() as session:
        return _out(session, queries.get(session, actor, unit_id))


@router.patch("/{unit_id}", operation_id="change_unit")
def change_unit(unit_id: Id, body: UnitEdit, actor: ActorDep, web: WebDep) -> UnitOut:
    """Change it; 409 with what is stored when somebody else has changed it since."""
    with web.db.session() as session:
        return _out(session, service.change(session, actor, unit_id, body.version, body.values(), body.numbers()))


@router.post("/{unit_id}/move", operation_id="move_unit")
def move_unit(unit_id: Id, body: Move, actor: ActorDep, web: WebDep) -> UnitOut:
    """Put it, with everything below it, below another unit."""
    with web.db.session() as session:
        return _out(session, service.move(session, actor, unit_id, body.version, body.parent_id))


@router.get("/{unit_id}/hindrances", operation_id="list_unit_hindrances")
def list_unit_hindrances(unit_id: Id, actor: ActorDep, web: WebDep) -> list[HindranceOut]:
    """What keeps it from being closed."""
    with web.db.read() as session:
        hinders = service.hindering(session, actor, unit_id, web.unit_work)
        return [HindranceOut(what=one.what, count=one.count, told=one.told) for one in hinders]


@router.post("/{unit_id}/close", operation_id="close_unit")
def close_unit(unit_id: Id, body: OfVersion, actor: ActorDep, web: WebDep) -> UnitOut:
    """It takes no more work; 409 with what hinders."""
    with web.db.session() as session:
        return _out(session, service.close(session, actor, unit_id, body.version, web.unit_work))


@router.post("/{unit_id}/reopen", operation_id="reopen_unit")
def reopen_unit(unit_id: Id, body: OfVersion, actor: ActorDep, web: WebDep) -> UnitOut:
    """It works again, where it stood."""
    with web.db.session() as session:
        return _out(session, service.reopen(session, actor, unit_id, body.version))


@router.get("/{unit_id}/members", operation_id="list_unit_members")
def list_unit_members(unit_id: Id, actor: ActorDep, web: WebDep, past: bool = False) -> list[MemberOut]:
    """Who works in it; with `past` also who did."""
    with web.db.read() as session:
        return [_member(one) for one in members.listed(session, actor, unit_id, past=past)]


@router.post("/{unit_id}/members", operation_id="add_unit_member", status_code=201)
def add_unit_member(unit_id: Id, body: MemberIn, actor: ActorDep, web: WebDep) -> list[MemberOut]:
    """Somebody works in it from now on; all who do."""
    with web.db.session() as session:
        members.add(session, actor, unit_id, body.user_id, body.role)
        return [_member(one) for one in members.listed(session, actor, unit_id)]


@router.post("/{unit_id}/members/{member_id}/end", operation_id="end_unit_member")
def end_unit_member(unit_id: Id, member_id: MemberId, actor: ActorDep, web: WebDep) -> list[MemberOut]:
    """Somebody works in it no more; all who still do."""
    with web.db.session() as session:
        members.end(session, actor, unit_id, member_id)
        session.flush()
        return [_member(one) for one in members.listed(session, actor, unit_id)]


def _out(session: Session, unit: Unit) -> UnitOut:
    session.flush()
    return UnitOut(**views.unit_json(session, unit))


def _member(one: members.Member) -> MemberOut:
    return MemberOut(
        id=one.row.id or 0,
        user_id=one.row.user_id,
        account=one.user.name,
        display_name=one.user.display_name,
        role=MemberRole(one.row.role),
        since=iso(one.row.since) or "",
        until=iso(one.row.until),
    )
