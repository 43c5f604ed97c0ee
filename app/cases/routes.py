"""REST: cases."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query
from pydantic import Field

from app.actor import Actor
from app.calls.service import find
from app.calls.views import call_rows
from app.cases import access, loop, service
from app.cases.duplicates import candidates
from app.cases.earlier import earlier_json
from app.cases.likeness import Matter
from app.cases.model import CaseType, Source
from app.cases.states import CaseState
from app.cases.tables import Case
from app.cases.views import attachments, candidate_json, case_json, cases_json, event_json, others_in
from app.citizens.service import as_json
from app.citizens.tables import Citizen
from app.clock import iso, utc_now
from app.http.context import ActorDep, Web, WebDep
from app.http.schema import MOST, Answer, Body, DatedListing, Id, Number, PageOf, StaffNumber, Version, Word
from app.http.shapes import CallRow, CitizenOut
from app.text import clean

router = APIRouter(prefix="/api/cases", tags=["cases"])


class Fields(Body):
    """What an agent fills in; only what changed is sent."""

    type: CaseType | Literal[""] | None = None
    title: str | None = Field(default=None, max_length=400)
    content: str | None = Field(default=None, max_length=20_200)
    answer: str | None = Field(default=None, max_length=20_200)
    answer_source: str | None = Field(default=None, max_length=120)
    proposed_unit: str | None = Field(default=None, max_length=32)
    caller_name: str | None = Field(default=None, max_length=200)
    caller_number: str | None = Field(default=None, max_length=200)
    area: str | None = Field(default=None, max_length=200)
    address: str | None = Field(default=None, max_length=400)
    confidential: bool | None = None

    def given(self) -> dict[str, Any]:
        """Only what was sent; null empties a text."""
        values = self.model_dump(exclude_unset=True, mode="json")
        if values.get("confidential", True) is None:
            del values["confidential"]
        return {key: "" if value is None else value for key, value in values.items()}


class Edit(Body):
    """An edit of the version that the editor saw."""

    version: Version
    fields: Fields = Field(default_factory=Fields)


class Reason(Body):
    """Why."""

    version: Version
    reason: str = Field(max_length=500)


class OnlyVersion(Body):
    """The version that the asker saw."""

    version: Version


class ManualCase(Body):
    """A case opened by hand; `call_id` when it belongs to a call."""

    fields: Fields = Field(default_factory=Fields)
    call_id: str | None = Field(default=None, pattern=r"^[A-Za-z0-9.-]{1,64}$")


class CaseFilter(DatedListing):
    """Which cases."""

    state: CaseState | None = None
    type: CaseType | None = None
    source: Source | None = None
    agent: StaffNumber = ""


class CaseSearch(CaseFilter):
    """Which cases, also by what tells of the citizen."""

    q: Word = ""
    number: Number = ""


class Saved(Answer):
    """The version that the next edit must name."""

    version: int
    updated_at: str


class CaseOut(Answer):
    """A case; in lists without content and answer. `masked`: the citizen is hidden from the asker."""

    id: int
    number: str
    type: str | None
    state: str
    version: int
    call_id: str | None
    source: str
    agent_id: str | None
    agent_name: str | None
    section: str | None
    repeats: int
    way: str | None
    urgency: str
    due_at: str | None
    ended_at: str | None
    created_at: str
    updated_at: str
    registered_at: str | None
    masked: bool
    fields: dict[str, str | bool]


class Typed(Body):
    """What has been typed of a matter so far; `case_id` is the draft itself."""

    number: Number = ""
    title: str = Field(default="", max_length=400)
    content: str = Field(default="", max_length=20_200)
    address: str = Field(default="", max_length=400)
    case_id: int | None = Field(default=None, ge=1, le=MOST)


class ReasonOut(Answer):
    """Why a case may be the same matter: `number`, `place`, or `words` with a likeness from 0 to 1."""

    why: str
    zh: str
    en: str
    likeness: float


class CaseShort(Answer):
    """A case on a card. `repeats`: how often the same matter had been ended before."""

    id: int
    number: str
    type: str | None
    state: str
    title: str
    created_at: str
    area: str
    repeats: int


class CandidateOut(CaseShort):
    """A case that may be the same matter."""

    reasons: list[ReasonOut]


class Attachment(Answer):
    """A voicemail or a fax of the case."""

    kind: str
    id: int


class FullCase(CaseOut):
    """A case with what belongs to it."""

    citizen: CitizenOut | None
    call: CallRow | None
    attachments: list[Attachment]


class ShortCall(Answer):
    """A call on a card."""

    call_id: str
    started_at: str | None
    outcome: str | None
    talk_s: int | None
    agent_name: str | None


class Earlier(Answer):
    """Cases of the same citizen that somebody waits for, the newest of all, and the newest calls."""

    open_cases: list[CaseShort]
    last_cases: list[CaseShort]
    last_calls: list[ShortCall]


class EventOut(Answer):
    """One line of the history."""

    at: str
    actor: str
    actor_name: str
    event: str
    from_state: str | None
    to_state: str
    detail: dict[str, Any] | None


@router.get("", operation_id="list_cases")
def list_cases(actor: ActorDep, web: WebDep, filters: Annotated[CaseFilter, Query()]) -> PageOf[CaseOut]:
    """Cases, newest first."""
    return _listed(actor, web, filters)


@router.post("/search", operation_id="search_cases")
def search_cases(body: CaseSearch, actor: ActorDep, web: WebDep) -> PageOf[CaseOut]:
    """Cases, newest first, also by the caller's number or name, the case number, or words of title and content."""
    return _listed(actor, web, body)


def _listed(actor: Actor, web: Web, filters: CaseFilter) -> PageOf[CaseOut]:
    with web.db.read() as session:
        page = service.list_cases(session, actor, web.settings.zone, **filters.wanted(), leaf=filters.leaf)
        return PageOf.of(page, [CaseOut(**row) for row in cases_json(session, actor, page.items)])


@router.post("/duplicates", operation_id="find_duplicates")
def find_duplicates(body: Typed, actor: ActorDep, web: WebDep) -> list[CandidateOut]:
    """Cases of the last 90 days that may be the matter which is being typed, with the reasons; at most five."""
    matter = Matter(clean(body.title, 200), clean(body.content, 20_000, lines=True), clean(body.address, 200))
    with web.db.read() as session:
        found = candidates(session, actor, matter, body.number, utc_now(), but=body.case_id)
        return [CandidateOut(**candidate_json(session, actor, one)) for one in found]


@router.post("", operation_id="create_case", status_code=201)
def create_case(
    body: ManualCase,
    actor: ActorDep,
    web: WebDep,
    idempotency_key: Annotated[str | None, Header(max_length=80)] = None,
) -> FullCase:
    """Open a case by hand. The same Idempotency-Key gives the same case."""
    with web.db.session() as session:
        case = service.create_manual(
            session,
            actor,
            body.fields.given(),
            call_id=body.call_id,
            idempotency_key=idempotency_key,
            zone=web.settings.zone,
        )
        case_id = case.id or 0
    return _full(web, actor, case_id)


@router.get("/{case_id}", operation_id="get_case")
def get_case(case_id: Id, actor: ActorDep, web: WebDep) -> FullCase:
    """One case with citizen, call and attachments."""
    return _full(web, actor, case_id)


@router.patch("/{case_id}", operation_id="save_case")
def save_case(case_id: Id, body: Edit, actor: ActorDep, web: WebDep) -> Saved:
    """Save an edit; 409 with the stored case when somebody else has saved since."""
    with web.db.session() as session:
        case = service.amend_or_autosave(session, actor, case_id, body.fields.given(), body.version)
        return Saved(version=case.version, updated_at=iso(case.updated_at) or "")


@router.post("/{case_id}/register", operation_id="register_case")
def register_case(case_id: Id, body: Edit, actor: ActorDep, web: WebDep) -> FullCase:
    """Register a draft with the last edits; a double click makes one case."""
    with web.db.session() as session:
        service.register(session, actor, case_id, body.fields.given(), body.version)
    return _full(web, actor, case_id)


@router.post("/{case_id}/answer-at-once", operation_id="answer_case_at_once")
def answer_case_at_once(case_id: Id, body: Edit, actor: ActorDep, web: WebDep) -> FullCase:
    """当即答复 from a draft: registered with the last edits and ended by its answer; a double click is one act."""
    with web.db.session() as session:
        loop.answer_at_once(session, actor, case_id, body.fields.given(), body.version)
    return _full(web, actor, case_id)


@router.get("/{case_id}/earlier", operation_id="earlier_of_case")
def earlier_of_case(case_id: Id, actor: ActorDep, web: WebDep) -> Earlier:
    """What the same citizen brought before, for whoever sees who it is; what somebody waits for comes first."""
    with web.db.read() as session:
        case = service.get_case(session, actor, case_id)
        return Earlier(**earlier_json(session, actor, case))


@router.post("/{case_id}/discard", operation_id="discard_case")
def discard_case(case_id: Id, body: Reason, actor: ActorDep, web: WebDep) -> FullCase:
    """Put a draft aside, saying why."""
    with web.db.session() as session:
        service.discard(session, actor, case_id, body.version, body.reason)
    return _full(web, actor, case_id)


@router.post("/{case_id}/restore", operation_id="restore_case")
def restore_case(case_id: Id, body: OnlyVersion, actor: ActorDep, web: WebDep) -> FullCase:
    """Take a discarded draft up again."""
    with web.db.session() as session:
        service.restore(session, actor, case_id, body.version)
    return _full(web, actor, case_id)


@router.get("/{case_id}/events", operation_id="case_events")
def case_events(case_id: Id, actor: ActorDep, web: WebDep) -> list[EventOut]:
    """The case's history, oldest first."""
    with web.db.read() as session:
        case = service.get_case(session, actor, case_id)
        clear = access.sees_citizen(session, actor, case)
        events = service.case_events(session, actor, case_id)
        others = others_in(session, actor, events)
        return [EventOut(**event_json(event, case, clear=clear, others=others)) for event in events]


def _full(web: Web, actor: Any, case_id: int) -> FullCase:
    with web.db.read() as session:
        case: Case = service.get_case(session, actor, case_id)
        citizen = session.get(Citizen, case.citizen_id) if case.citizen_id is not None else None
        call = find(session, case.call_id) if case.call_id else None
        clear = access.sees_citizen(session, actor, case)
        return FullCase(
            **case_json(session, actor, case),
            citizen=CitizenOut(**as_json(session, actor, citizen, owner=case.agent_id if clear else None))
            if citizen
            else None,
            call=CallRow(**call_rows(session, actor, [call])[0]) if call else None,
            attachments=[Attachment(**item) for item in attachments(session, case_id)],
        )
