"""REST: the duty roster, who takes turns, hand-overs."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query, UploadFile
from fastapi.responses import Response
from pydantic import Field

from app.auth.service import display_names
from app.clock import iso, local_day, utc_now
from app.errors import BadInput
from app.http.context import ActorDep, WebDep
from app.http.schema import MOST, Answer, Body
from app.http.tables import CSV, TableOutcome, table
from app.roster import exchange, service
from app.roster.tables import DutyTurn

router = APIRouter(prefix="/api/roster", tags=["roster"])
Post = Annotated[str, Path(pattern=r"^(leader|office|[a-z]{1,12}-[0-9]{1,2})$")]
UserId = Annotated[int, Field(ge=1, le=MOST)]
FIRST, LAST = date(2000, 1, 1), date(2199, 12, 31)


class Span(Body):
    """Which days, both included."""

    from_: date = Field(alias="from", ge=FIRST, le=LAST)
    to: date = Field(ge=FIRST, le=LAST)


class Put(Body):
    """Who stands there; null: nobody. `version` is 0 where nobody did."""

    user_id: UserId | None
    version: int = Field(ge=0, le=MOST)
    note: str = Field(default="", max_length=400)


class People(Body):
    """Who takes turns, in this order."""

    user_ids: list[UserId] = Field(max_length=200)


class Left(Body):
    """What the next one must know."""

    text: str = Field(max_length=service.LONGEST_HAND_OVER + 200)


class TurnOut(Answer):
    """One person's duty on one day."""

    day: date
    post: str
    user_id: int
    name: str
    note: str
    version: int


class DayOut(Answer):
    """A day: whether offices work."""

    day: date
    working: bool


class FaultOut(Answer):
    """What is wrong with a day: empty, twice, not_theirs."""

    day: date
    post: str
    why: str


class Person(Answer):
    """Somebody who takes turns."""

    user_id: int
    name: str


class RosterOut(Answer):
    """Some days of the roster."""

    days: list[DayOut]
    sections: list[str]
    people: dict[str, list[Person]]
    turns: list[TurnOut]
    faults: list[FaultOut]


class HandOverOut(Answer):
    """What was handed over."""

    id: int
    day: date
    post: str
    by: str
    at: str
    text: str


class Changed(Answer):
    """How many turns were set."""

    turns: int


def _turn(row: DutyTurn, names: dict[int, str]) -> TurnOut:
    kept = row.model_dump(include={"day", "post", "user_id", "note", "version"})
    return TurnOut(name=names.get(row.user_id, ""), **kept)


@router.get("", operation_id="get_roster")
def get_roster(
    actor: ActorDep,
    web: WebDep,
    from_: Annotated[date | None, Query(alias="from", ge=FIRST, le=LAST)] = None,
    to: Annotated[date | None, Query(ge=FIRST, le=LAST)] = None,
) -> RosterOut:
    """The roster from a day (today) to another (four weeks on)."""
    first = from_ or local_day(utc_now(), web.settings.zone)
    with web.db.read() as session:
        seen = service.roster(session, actor, first, to or first + timedelta(days=27))
        names = display_names(
            session, [*(row.user_id for row in seen.turns), *(one for some in seen.people.values() for one in some)]
        )
        return RosterOut(
            days=[DayOut(day=day, working=working) for day, working in seen.days],
            sections=seen.sections,
            people={
                post: [Person(user_id=one, name=names.get(one, "")) for one in some]
                for post, some in seen.people.items()
            },
            turns=[_turn(row, names) for row in seen.turns],
            faults=[FaultOut(day=one.day, post=one.post, why=one.why) for one in seen.faults],
        )


@router.get("/export", operation_id="export_roster", response_class=Response, responses=CSV)
def export_roster(
    actor: ActorDep,
    web: WebDep,
    from_: Annotated[date | None, Query(alias="from", ge=FIRST, le=LAST)] = None,
    to: Annotated[date | None, Query(ge=FIRST, le=LAST)] = None,
) -> Response:
    """The turns from a day (today) to another (four weeks on), as a table."""
    first = from_ or local_day(utc_now(), web.settings.zone)
    with web.db.session() as session:
        return table("roster", exchange.export_turns(session, actor, first, to or first + timedelta(days=27)))


@router.post("/import", operation_id="import_roster")
def import_roster(file: UploadFile, actor: ActorDep, web: WebDep, dry_run: bool = True) -> TableOutcome:
    """Turns from a table: tried only, or written when nothing is wrong with any row."""
    with web.db.session() as session:
        return TableOutcome.of(exchange.import_turns(session, actor, file.file.read(), dry_run=dry_run))


@router.get("/candidates", operation_id="list_duty_candidates")
def list_duty_candidates(actor: ActorDep, web: WebDep) -> list[Person]:
    """Everybody of the centre who could take turns."""
    with web.db.read() as session:
        return [Person(user_id=one.id or 0, name=one.display_name) for one in service.candidates(session, actor)]


@router.post("/plan", operation_id="plan_roster")
def plan_roster(body: Span, actor: ActorDep, web: WebDep) -> Changed:
    """Fill what is empty by turns; what is set stays."""
    with web.db.session() as session:
        return Changed(turns=len(service.plan(session, actor, body.from_, body.to)))


@router.put("/days/{day}/{post}", operation_id="set_duty")
def set_duty(day: date, post: Post, body: Put, actor: ActorDep, web: WebDep) -> TurnOut | None:
    """Somebody stands at that post on that day, or nobody."""
    if not FIRST <= day <= LAST:
        raise BadInput(fields={"day": "日期超出范围 (out of range)"})
    with web.db.session() as session:
        row = service.put(session, actor, day, post, body.user_id, body.version, note=body.note)
        return None if row is None else _turn(row, display_names(session, [row.user_id]))


@router.put("/posts/{post}", operation_id="set_duty_people")
def set_duty_people(post: Post, body: People, actor: ActorDep, web: WebDep) -> Changed:
    """Who takes turns at a post."""
    with web.db.session() as session:
        return Changed(turns=len(service.set_people(session, actor, post, body.user_ids)))


@router.get("/hand-overs", operation_id="list_hand_overs")
def list_hand_overs(
    actor: ActorDep,
    web: WebDep,
    from_: Annotated[date, Query(alias="from", ge=FIRST, le=LAST)],
    to: Annotated[date, Query(ge=FIRST, le=LAST)],
) -> list[HandOverOut]:
    """What was handed over on these days, newest first."""
    with web.db.read() as session:
        rows = service.hand_overs(session, actor, from_, to)
        names = display_names(session, [row.by for row in rows])
        return [
            HandOverOut(
                id=row.id or 0, day=row.day, post=row.post, by=names.get(row.by or 0, ""), at=iso(row.at) or "",
                text=row.text,
            )
            for row in rows
        ]  # fmt: skip


@router.post("/posts/{post}/hand-over", operation_id="hand_over", status_code=204)
def hand_over(post: Post, body: Left, actor: ActorDep, web: WebDep) -> None:
    """What the next one must know."""
    with web.db.session() as session:
        service.hand_over(session, actor, web.settings, post, body.text)
