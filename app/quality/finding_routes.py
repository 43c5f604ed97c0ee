"""REST: talks in which phrases were found, looked through again, and taken on for review."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from app.agents.service import agent_names
from app.audit.model import Action
from app.audit.service import write
from app.clock import iso
from app.http.context import ActorDep, WebDep
from app.http.schema import Answer, Body, DatedListing, PageOf, StaffNumber
from app.phrases import reading, service
from app.phrases.reading import TalkFound
from app.quality import findings
from app.quality.shapes import HintOut, hint_out
from app.quality.states import ReviewState
from app.quality.tables import QualityReview

router = APIRouter(prefix="/api/quality", tags=["quality"])


class FindingFilter(DatedListing):
    """Which talks."""

    what: Literal["", "forbidden", "perhaps", "missing"] = ""
    agent: StaffNumber = ""
    code: Annotated[str, Field(max_length=24, pattern=r"^([a-z][a-z0-9_]*)?$")] = ""


class TalkKey(Body):
    """An agent's part in a call."""

    call_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]{1,64}$")]
    agent_id: Annotated[str, Field(pattern=r"^[0-9]{2,8}$")]


class TalkOut(Answer):
    """A talk in which something was found; `review` and `state` are null where the asker knows of none. Never the words
    of the talk: those are read where it is heard."""

    call_id: str
    agent_id: str
    agent_name: str
    started_at: str
    findings: list[HintOut]
    review: int | None
    mine: bool
    state: ReviewState | None


class CountOut(Answer):
    """How much was found."""

    found: int


class PickedOut(Answer):
    """The review that it became."""

    review: int


@router.get("/findings", operation_id="phrase_findings")
def list_findings(actor: ActorDep, web: WebDep, filters: Annotated[FindingFilter, Query()]) -> PageOf[TalkOut]:
    """The talks that the asker may hear in which something was found, newest first. Audited as a search is."""
    with web.db.read() as session:
        page = reading.talks(
            session,
            actor,
            web.settings.zone,
            what=filters.what,
            agent=filters.agent,
            code=filters.code,
            start=filters.from_,
            end=filters.to,
            leaf=filters.leaf,
        )
        reviews = findings.reviews_of(session, actor, page.items)
        names = agent_names(session, {one.agent_id for one in page.items})
        items = [_talk(one, names, reviews.get((one.call_id, one.agent_id)), actor.user_id) for one in page.items]
    if page.items:
        with web.db.session() as session:
            write(session, actor, Action.transcripts_searched, "phrases", {"shown": len(page.items)})
    return PageOf.of(page, items)


@router.post("/findings/again", operation_id="find_phrases_again")
def find_again(body: TalkKey, actor: ActorDep, web: WebDep) -> CountOut:
    """Look through a talk by the list of today."""
    with web.db.session() as session:
        return CountOut(found=service.look_again(session, actor, body.call_id, body.agent_id))


@router.post("/picks", operation_id="pick_talk", status_code=201)
def pick_talk(body: TalkKey, actor: ActorDep, web: WebDep) -> PickedOut:
    """Take a talk on for review in which something was found."""
    with web.db.session() as session:
        made = findings.pick(session, actor, body.call_id, body.agent_id, web.settings.zone)
        return PickedOut(review=made.id or 0)


def _talk(one: TalkFound, names: dict[str, str], review: QualityReview | None, user_id: int | None) -> TalkOut:
    return TalkOut(
        call_id=one.call_id,
        agent_id=one.agent_id,
        agent_name=names.get(one.agent_id, ""),
        started_at=iso(one.started_at) or "",
        findings=[hint_out(it) for it in one.findings],
        review=None if review is None else review.id,
        mine=review is not None and review.reviewer_id == user_id,
        state=None if review is None else ReviewState(review.state),
    )
