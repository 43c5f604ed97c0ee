"""REST: lists of reviews, how many wait, and drawing talks."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import field_validator

from app.http.context import ActorDep, WebDep
from app.http.schema import Answer, Body, Listing, PageOf, StaffNumber
from app.quality import drawing, service
from app.quality.shapes import ReviewRow, rows_of
from app.quality.states import ReviewState

router = APIRouter(prefix="/api/quality", tags=["quality"])


class ReviewFilter(Listing):
    """Which reviews."""

    box: Literal["", "mine", "own", "appeals"] = ""
    agent: StaffNumber = ""
    state: ReviewState | None = None


class Week(Body):
    """A day of the week of which talks are drawn. By which seed is nobody's to choose who draws: it would be choosing
    the talks."""

    day: date

    @field_validator("day")
    @classmethod
    def _countable(cls, value: date) -> date:
        if not 2000 <= value.year <= 2200:
            raise ValueError("out of range")
        return value


class DrawnOut(Answer):
    """How many were drawn, and for which reasons."""

    drawn: int
    reasons: dict[str, int]


@router.get("/reviews", operation_id="list_reviews")
def list_reviews(actor: ActorDep, web: WebDep, filters: Annotated[ReviewFilter, Query()]) -> PageOf[ReviewRow]:
    """Reviews that the asker may know of, newest first."""
    with web.db.read() as session:
        page = service.reviews(session, actor, **filters.wanted(), leaf=filters.leaf)
        return PageOf.of(page, [ReviewRow(**row) for row in rows_of(session, page.items)])


@router.get("/waiting", operation_id="waiting_reviews")
def waiting(actor: ActorDep, web: WebDep) -> dict[str, int]:
    """How many wait for the asker, by box."""
    with web.db.read() as session:
        return dict(service.waiting(session, actor))


@router.post("/draws", operation_id="draw_reviews")
def draw_reviews(body: Week, actor: ActorDep, web: WebDep) -> DrawnOut:
    """Fill the asker's list from the talks of a week."""
    with web.db.session() as session:
        made = drawing.fill(session, actor, body.day, web.settings.zone)
    return DrawnOut(drawn=len(made), reasons=Counter(one.reason for one in made))
