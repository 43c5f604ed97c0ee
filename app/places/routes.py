"""REST: the city's areas, and places for what is typed of an address (in a body: it may tell of a person)."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import APIRouter
from pydantic import Field

from app.http.context import ActorDep, WebDep
from app.http.schema import Answer, Body
from app.places import service

router = APIRouter(prefix="/api", tags=["places"])


class AreasOut(Answer):
    """The names of the city's areas."""

    areas: list[str]


class Typed(Body):
    """What has been typed of an address, and the area if it is known already."""

    q: str = Field(max_length=400)
    area: str = Field(default="", max_length=200)


class OfferOut(Answer):
    """A road, an estate or a village with its area ("" where that is not known); never a house."""

    address: str
    area: str


@router.get("/areas", operation_id="list_areas")
def list_areas(actor: ActorDep, web: WebDep) -> AreasOut:
    """The city's areas."""
    with web.db.read() as session:
        return AreasOut(areas=service.areas(session, actor))


@router.post("/places/suggest", operation_id="suggest_places")
def suggest_places(body: Typed, actor: ActorDep, web: WebDep) -> list[OfferOut]:
    """Known places for an address that is being typed, those of its area first. Nothing is stored."""
    with web.db.read() as session:
        return [OfferOut(**asdict(one)) for one in service.offers(session, actor, body.q, body.area)]
