"""REST: calls."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from sqlalchemy import select
from sqlmodel import col

from app.actor import Actor
from app.calls import parts, service
from app.calls.model import CallOutcome
from app.calls.views import call_rows
from app.cases.access import sees_citizen
from app.cases.history import events_of
from app.cases.tables import Case
from app.cases.views import event_json
from app.clock import iso
from app.http.context import ActorDep, Web, WebDep
from app.http.errors import language_of
from app.http.schema import Answer, CallId, DatedListing, Number, PageOf, StaffNumber, Word
from app.http.shapes import CallRow, RecordingOut
from recordings.service import of_call
from recordings.store import recording_json

router = APIRouter(prefix="/api/calls", tags=["calls"])


class CallEventOut(Answer):
    """Something that happened in the call or to its case."""

    at: str
    event: str
    detail: dict[str, Any] | None


class ThirdOut(Answer):
    """Somebody who was rung for the talk; `segment` is the recording in which they are heard with the citizen."""

    number: str
    unit_id: int | None
    unit_name: str
    kind: str
    by_agent: str
    dialled_at: str
    joined_at: str | None
    left_at: str | None
    outcome: str | None
    segment: int | None


class PauseOut(Answer):
    """A part of the talk that was not recorded; `until` is null while it goes on."""

    since: str
    until: str | None
    by_agent: str
    ended_by: str | None


class FullCall(CallRow):
    """A call with what happened, why, and its recordings."""

    events: list[CallEventOut]
    explain: list[str]
    recordings: list[RecordingOut]  # type: ignore[assignment]  # in lists only their number
    thirds: list[ThirdOut]
    pauses: list[PauseOut]


class CallFilter(DatedListing):
    """Which calls."""

    outcome: CallOutcome | None = None
    agent: StaffNumber = ""
    language: Literal["", "zh", "yue", "en"] = ""


class CallSearch(CallFilter):
    """Which calls, also by what tells of the caller."""

    q: Word = ""
    number: Number = ""


@router.get("", operation_id="list_calls")
def list_calls(actor: ActorDep, web: WebDep, filters: Annotated[CallFilter, Query()]) -> PageOf[CallRow]:
    """Calls, newest first."""
    return _listed(actor, web, filters)


@router.post("/search", operation_id="search_calls")
def search_calls(body: CallSearch, actor: ActorDep, web: WebDep) -> PageOf[CallRow]:
    """Calls, newest first, also by number, call id, case number or staff number."""
    return _listed(actor, web, body)


def _listed(actor: Actor, web: Web, filters: CallFilter) -> PageOf[CallRow]:
    with web.db.read() as session:
        page = service.list_calls(session, actor, web.settings.zone, **filters.wanted(), leaf=filters.leaf)
        return PageOf.of(page, [CallRow(**row) for row in call_rows(session, actor, page.items)])


@router.get("/{call_id}", operation_id="get_call")
def get_call(call_id: CallId, request: Request, actor: ActorDep, web: WebDep) -> FullCall:
    """One call."""
    with web.db.read() as session:
        call = service.get_call(session, actor, call_id)
        row = call_rows(session, actor, [call])[0]
        recordings = [recording_json(item) for item in of_call(session, actor, call_id)]
        clear = actor.sees_personal(confidential=bool(service.confidential_ids(session, [call])), owner=call.agent_id)
        thirds, pauses = parts.thirds_json(session, call_id, clear=clear), parts.pauses_json(session, call_id)
        happened: list[dict[str, Any]] = []
        for name in ("started_at", "joined_at", "offered_at", "answered_at", "ended_at"):
            if (moment := getattr(call, name)) is not None:
                happened.append({"at": iso(moment), "event": name.removesuffix("_at"), "detail": None})
        for case in session.execute(select(Case).where(col(Case.call_id) == call_id)).scalars():
            clear = sees_citizen(session, actor, case)
            for event in events_of(session, case.id or 0):
                line = event_json(event, case, clear=clear)
                detail = {"case_id": case.id, "case_number": case.number, **(line["detail"] or {})}
                happened.append({"at": line["at"], "event": f"case.{line['event']}", "detail": detail})
    happened.sort(key=lambda item: str(item["at"]))
    return FullCall(
        **{key: value for key, value in row.items() if key != "recordings"},
        events=[CallEventOut(**item) for item in happened],
        explain=web.explain(call_id, language_of(request)),
        recordings=[RecordingOut(**item) for item in recordings],
        thirds=[ThirdOut(**item) for item in thirds],
        pauses=[PauseOut(**item) for item in pauses],
    )
