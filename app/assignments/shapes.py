"""What the routes of the loop take and give."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, Field

from app.assignments.giving import Gift
from app.assignments.model import LONGEST_ANSWER, LONGEST_INSTRUCTIONS, MOST_UNITS, Contact, Opinion
from app.cases.model import Ground, HandlingWay
from app.clocks.rules import Urgency
from app.followups.model import LONGEST_NOTE, Heard, Reached
from app.http.schema import MOST, Answer, Body, Version, countable
from app.reply_templates.model import LONGEST_SOURCES

UnitId = Annotated[int, Field(ge=1, le=MOST)]
CaseId = Annotated[int, Field(ge=1, le=MOST)]
Moment = Annotated[AwareDatetime, AfterValidator(countable)]
Reason = Annotated[str, Field(max_length=500)]
Text = Annotated[str, Field(max_length=20_200)]
CallRef = Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]{0,64}$")]


class Seen(Body):
    """An act on the version that the asker saw."""

    version: Version


class Why(Seen):
    """… with a reason."""

    reason: Reason = ""


class Told(Seen):
    """… with what the citizen was told."""

    text: Text = ""


class Thought(Seen):
    """… with what the judge thinks of it."""

    opinion: Reason


class ReferTo(Seen):
    """A unit that is to read it."""

    unit_id: UnitId
    remark: Reason = ""


class TransferTo(Told):
    """A unit that settled it on the telephone, in which call."""

    unit_id: UnitId
    call_id: CallRef


class Decline(Seen):
    """Why the hotline may not take it up, and what the caller was told."""

    ground: Ground
    told: Reason


class Submit(Seen):
    """How urgent it is, and which unit is complained about."""

    urgency: Urgency = Urgency.general
    about_unit_id: UnitId | None = None


class Items(Seen):
    """What the citizen asks for, one by one."""

    items: list[Annotated[str, Field(max_length=600)]] = Field(max_length=40)


class GiftJson(Body):
    """A unit and what it is asked."""

    unit_id: UnitId
    lead: bool = False
    instructions: str = Field(default="", max_length=LONGEST_INSTRUCTIONS)


class Down(Seen):
    """To which units."""

    units: list[GiftJson] = Field(min_length=1, max_length=MOST_UNITS)

    def gifts(self) -> list[Gift]:
        """What the use cases take."""
        return [Gift(one.unit_id, one.lead, one.instructions) for one in self.units]


class Dispatch(Down):
    """In which way, how urgent."""

    way: HandlingWay
    urgency: Urgency | None = None


class Redo(Why):
    """Which units do it again; none: the leading one."""

    units: list[UnitId] = Field(default_factory=list, max_length=MOST_UNITS)


class Defer(Why):
    """Until when."""

    until: Moment


class Merge(Seen):
    """Into which case."""

    original: CaseId


class Recuse(Body):
    """Who must have nothing to do with a case, and why."""

    user_id: UnitId | None = None
    unit_id: UnitId | None = None
    reason: Reason


class Lift(Body):
    """Why the interest is none any more."""

    reason: Reason


class RecusalOut(Answer):
    """Somebody who is kept from a case."""

    id: int
    user_id: int | None
    unit_id: int | None
    name: str
    why: str
    at: str
    by: str


class Asked(Seen):
    """What a call-back brought."""

    reached: Reached
    satisfaction: Opinion | None = None
    solved: bool | None = None
    contacted_in_time: bool | None = None
    true_to_reality: bool | None = None
    note: str = Field(default="", max_length=LONGEST_NOTE)
    propose_redo: bool = False
    call_id: CallRef = ""

    def heard(self) -> Heard:
        """What the use case takes."""
        return Heard(**self.model_dump(exclude={"version", "call_id"}))


Answers = Annotated[
    dict[Annotated[str, Field(max_length=40)], Annotated[str, Field(max_length=LONGEST_ANSWER + 200)]],
    Field(max_length=100),
]


class ReplyFields(Body):
    """What is written into a reply; only what was changed is sent."""

    result: Text | None = None
    measures: Text | None = None
    next_step: Text | None = None
    letter: Text | None = None
    answers: Answers | None = None
    papers: Answers | None = None
    contact: Contact | None = None
    contacted_at: Moment | None = None
    opinion: Opinion | None = None
    opinion_why: Reason | None = None
    signed_name: str | None = Field(default=None, max_length=100)
    template_source: str | None = Field(default=None, max_length=LONGEST_SOURCES)

    def given(self) -> dict[str, Any]:
        """Only what was sent; null empties."""
        values = self.model_dump(exclude_unset=True)
        for name, value in values.items():
            if value is None and name != "contacted_at":
                values[name] = {} if name in ("answers", "papers") else ""
            elif name in ("contact", "opinion"):
                values[name] = value.value
        return values


class ReplyDraft(Body):
    """A reply as far as it is written; `version` is the reply's own, 0 before there is one."""

    version: int = Field(ge=0, le=MOST)
    fields: ReplyFields


class Submitted(Seen):
    """A reply that is handed in."""

    reply_version: int = Field(ge=0, le=MOST)
    fields: ReplyFields = Field(default_factory=ReplyFields)


class Approved(Thought):
    """The unit's leader signs; `seal` puts the unit's seal under it."""

    seal: bool


class ActedCase(Answer):
    """Where a case stands after an act, and the version that the next act must name."""

    id: int
    state: str
    version: int
    due_at: str | None


class ActedWork(Answer):
    """Where an assignment and its case stand after an act."""

    id: int
    state: str
    version: int
    due_at: str | None
    case_id: int


class Item(Answer):
    """One of the things that a citizen asks for."""

    id: str
    text: str


class WorkRow(Answer):
    """An assignment in a list."""

    id: int
    case_id: int
    unit_id: int
    unit: str
    parent_id: int | None
    lead: bool
    way: str
    state: str
    round: int
    returns: int
    version: int
    due_at: str | None
    given_at: str
    signed_at: str | None
    replied_at: str | None


class ActedRow(WorkRow):
    """… with what the asker can do."""

    acts: list[str]


class InboxRow(WorkRow):
    """… with what it is about."""

    number: str
    title: str
    type: str | None
    urgency: str
    area: str


class Named(Answer):
    """Something with a name."""

    id: str
    name: str


class Warning_(Answer):
    """What is weak in a reply."""

    where: str
    zh: str
    en: str


class FullWork(ActedRow):
    """An assignment whole."""

    instructions: str
    items: list[Item]
    papers: list[Named]
    replies: list[dict[str, Any]]
    warnings: list[Warning_]
    below: list[WorkRow]
    case: dict[str, Any]


class Try(Answer):
    """A call-back and what it brought."""

    at: str
    by: str
    call_id: str | None
    round: int
    reached: str
    satisfaction: str
    solved: bool | None
    contacted_in_time: bool | None
    true_to_reality: bool | None
    note: str
    propose_redo: bool


class CaseRef(Answer):
    """Another case."""

    id: int
    number: str
    state: str


class Loop(Answer):
    """What a case's page shows of the loop."""

    acts: list[str]
    items: list[Item]
    about_unit: str | None
    to_unit: str | None
    works: list[ActedRow]
    tries: list[Try]
    merged_into: CaseRef | None
    repeat_of: CaseRef | None
    twins: list[CaseRef]
    redo_proposed: bool


class Count(Answer):
    """How much is on a list, and how much of that is late; counted no further than 1,000."""

    all: int
    late: int
