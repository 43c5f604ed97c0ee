"""REST: a person's notices, and where they are told of them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from sqlmodel import Session

from app.clock import iso
from app.http.context import ActorDep, WebDep
from app.http.schema import MOST, Answer, Body, Id, Listing, PageOf
from app.notices import inbox
from app.notices.model import Channel, NoticeKind
from app.notices.tables import Notice, NoticeContact, NoticeDelivery
from app.notices.told import at_hand, told_of
from app.notices.words import text
from app.outgoing import DeliveryState
from app.settings import Settings

router = APIRouter(prefix="/api/notices", tags=["notices"])


KEPT = {"id", "step", "case_id", "number", "assignment_id", "article_id", "review_id", "unit_id"}


class NoticesAsked(Listing):
    """Which notices are wanted."""

    unread: bool = False


class DeliveryOut(Answer):
    """What came of a notice by one channel."""

    channel: Channel
    state: DeliveryState
    tries: int
    done_at: str | None


class NoticeOut(Answer):
    """A notice: a case's number, its title without personal words, a unit and a time; or of no case, but an article
    of the knowledge base, or the review of a talk."""

    id: int
    kind: NoticeKind
    step: str
    case_id: int | None
    number: str
    title: str
    assignment_id: int | None
    article_id: int | None
    review_id: int | None
    unit_id: int | None
    unit: str
    due_at: str | None
    at: str
    read_at: str | None
    text: str
    text_en: str
    sent: list[DeliveryOut]


class UnreadOut(Answer):
    """How many are unread, counted no further than a thousand."""

    unread: int
    urgent: int


class UpTo(Body):
    """The newest notice that the reader has seen."""

    up_to: int = Field(ge=1, le=MOST)


class ContactIn(Body):
    """Where somebody is told; empty: not by that channel."""

    email: str = Field(max_length=120)
    mobile: str = Field(max_length=32)


class ContactOut(Answer):
    """Where somebody is told, and which channels the office has."""

    email: str
    mobile: str
    channels: list[Channel]


@router.get("", operation_id="list_notices")
def list_notices(actor: ActorDep, web: WebDep, asked: Annotated[NoticesAsked, Query()]) -> PageOf[NoticeOut]:
    """The asker's notices, newest first."""
    with web.db.read() as session:
        page = inbox.notices(session, actor, unread=asked.unread, leaf=asked.leaf)
        sent = inbox.deliveries_of(session, [one.id or 0 for one in page.items])
        _at_hand = at_hand(session, page.items)
        rows = [_out(session, web.settings, one, sent.get(one.id or 0, [])) for one in page.items]
        return PageOf.of(page, rows)


@router.get("/unread", operation_id="unread_notices")
def unread_notices(actor: ActorDep, web: WebDep) -> UnreadOut:
    """How many are unread."""
    with web.db.read() as session:
        return UnreadOut(**inbox.unread(session, actor))


@router.post("/{notice_id}/read", operation_id="read_notice")
def read_notice(notice_id: Id, actor: ActorDep, web: WebDep) -> UnreadOut:
    """The asker has read it."""
    with web.db.session() as session:
        inbox.read(session, actor, notice_id)
        session.flush()
        return UnreadOut(**inbox.unread(session, actor))


@router.post("/read", operation_id="read_notices")
def read_notices(body: UpTo, actor: ActorDep, web: WebDep) -> UnreadOut:
    """The asker has read all up to that one."""
    with web.db.session() as session:
        inbox.read_all(session, actor, body.up_to)
        return UnreadOut(**inbox.unread(session, actor))


@router.get("/contact", operation_id="get_own_contact")
def get_own_contact(actor: ActorDep, web: WebDep) -> ContactOut:
    """Where the asker is told."""
    with web.db.read() as session:
        return _contact(web.settings, inbox.contact_of(session, actor))


@router.put("/contact", operation_id="set_own_contact")
def set_own_contact(body: ContactIn, actor: ActorDep, web: WebDep) -> ContactOut:
    """Say where the asker wants to be told."""
    with web.db.session() as session:
        return _contact(web.settings, inbox.set_contact(session, actor, body.email, body.mobile))


@router.get("/contacts/{user_id}", operation_id="get_contact")
def get_contact(user_id: Id, actor: ActorDep, web: WebDep) -> ContactOut:
    """Where somebody else is told; for whoever manages accounts."""
    with web.db.read() as session:
        return _contact(web.settings, inbox.contact_of(session, actor, user_id))


@router.put("/contacts/{user_id}", operation_id="set_contact")
def set_contact(user_id: Id, body: ContactIn, actor: ActorDep, web: WebDep) -> ContactOut:
    """Say where somebody else is told; for whoever manages accounts."""
    with web.db.session() as session:
        return _contact(web.settings, inbox.set_contact(session, actor, body.email, body.mobile, user_id=user_id))


def _contact(settings: Settings, row: NoticeContact) -> ContactOut:
    has = {Channel.email: settings.smtp_host, Channel.sms: settings.sms_url}
    return ContactOut(email=row.email, mobile=row.mobile, channels=[one for one in Channel if has[one]])


def _out(session: Session, settings: Settings, notice: Notice, sent: list[NoticeDelivery]) -> NoticeOut:
    told = told_of(session, notice)
    return NoticeOut(
        **notice.model_dump(include=KEPT),
        title=told.title,
        kind=told.kind,
        unit=told.unit,
        due_at=iso(told.due_at),
        at=iso(notice.at) or "",
        read_at=iso(notice.read_at),
        text=text(told, settings.zone),
        text_en=text(told, settings.zone, "en"),
        sent=[
            DeliveryOut(
                channel=Channel(one.channel),
                state=DeliveryState(one.state),
                tries=one.tries,
                done_at=iso(one.done_at),
            )
            for one in sent
        ],
    )
