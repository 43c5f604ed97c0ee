"""A person's own notices, and where they want to be told of them outside of the pages."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from sqlalchemy import exists, func, select, update
from sqlmodel import Session, col

from app.actor import Actor
from app.audit.model import Action
from app.audit.service import write
from app.auth.model import Permission
from app.auth.tables import User
from app.cases.access import not_recused
from app.cases.tables import Case
from app.clock import utc_now
from app.db import found
from app.errors import BadInput, Forbidden, NotFound
from app.notices.model import OF_QUALITY, NoticeKind
from app.notices.tables import Notice, NoticeContact, NoticeDelivery
from app.paging import Leaf, Page, page_of
from app.text import clean, normal_number

MOST_COUNTED = 1_000
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,50}[A-Za-z0-9])?")
_MOBILE = re.compile(r"1[3-9][0-9]{9}")


def notices(session: Session, actor: Actor, *, unread: bool = False, leaf: Leaf | None = None) -> Page[Notice]:
    """The asker's own, newest first, without those of cases from which they are kept by now, of units they left, or of
    what is not theirs to do any more."""
    statement = select(Notice).where(_own(actor)).order_by(col(Notice.id).desc())
    return page_of(session, statement.where(col(Notice.read_at).is_(None)) if unread else statement, leaf)


def unread(session: Session, actor: Actor) -> dict[str, int]:
    """How many the asker has not read (no further than MOST_COUNTED), and how many of these are urgent."""
    mine = select(col(Notice.kind)).where(_own(actor), col(Notice.read_at).is_(None))
    some = mine.limit(MOST_COUNTED).subquery()
    rows = session.execute(select(some.c.kind, func.count()).group_by(some.c.kind)).all()
    by_kind = dict(rows)
    return {"unread": sum(by_kind.values()), "urgent": by_kind.get(NoticeKind.urgent.value, 0)}


def read(session: Session, actor: Actor, notice_id: int, *, now: datetime | None = None) -> Notice:
    """The asker has read it; reading it again changes nothing. Raises NotFound for another's."""
    notice = found(session, Notice, notice_id)
    if notice.user_id != actor.user_id:
        raise NotFound()
    if notice.read_at is None:
        notice.read_at = now or utc_now()
        session.add(notice)
    return notice


def read_all(session: Session, actor: Actor, up_to: int, *, now: datetime | None = None) -> int:
    """The asker has read all up to this one (what came since they looked stays unread). How many that were."""
    mine = (col(Notice.user_id) == _person(actor)) & col(Notice.read_at).is_(None) & (col(Notice.id) <= up_to)
    done = session.execute(update(Notice).where(mine).values(read_at=now or utc_now()).returning(col(Notice.id)))
    return len(done.all())


def deliveries_of(session: Session, notice_ids: list[int]) -> dict[int, list[NoticeDelivery]]:
    """What came of these notices by each channel."""
    statement = select(NoticeDelivery).where(col(NoticeDelivery.notice_id).in_(notice_ids))
    rows: dict[int, list[NoticeDelivery]] = {}
    for row in session.execute(statement.order_by(col(NoticeDelivery.id))).scalars() if notice_ids else ():
        rows.setdefault(row.notice_id, []).append(row)
    return rows


def contact_of(session: Session, actor: Actor, user_id: int | None = None) -> NoticeContact:
    """Where somebody is told: the asker themselves, or anybody for whoever manages accounts. Raises Forbidden."""
    wanted = _whose(session, actor, user_id)
    return session.get(NoticeContact, wanted) or NoticeContact(user_id=wanted, updated_at=utc_now())


def set_contact(
    session: Session, actor: Actor, email: str, mobile: str, *, user_id: int | None = None, now: datetime | None = None
) -> NoticeContact:
    """Say where; "" for a channel that is not wanted. Audited. Raises Forbidden, NotFound, BadInput (email, mobile)."""
    wanted, now = _whose(session, actor, user_id), now or utc_now()
    email, mobile = clean(email, 120), normal_number(mobile)
    wrong = {}
    if email and not _EMAIL.fullmatch(email):
        wrong["email"] = "邮箱地址格式不正确 (no e-mail address)"
    if mobile and not _MOBILE.fullmatch(mobile):
        wrong["mobile"] = "须为 11 位手机号码 (a mobile number of 11 digits)"
    if wrong:
        raise BadInput(fields=wrong)
    row = session.get(NoticeContact, wanted, with_for_update=True) or NoticeContact(user_id=wanted, updated_at=now)
    row.email, row.mobile, row.updated_by, row.updated_at = email, mobile, actor.user_id, now
    session.add(row)
    detail = {"email": bool(email), "mobile": bool(mobile)}
    write(session, actor, Action.contact_changed, f"user:{wanted}", detail, now=now)
    return row


def _own(actor: Actor) -> Any:
    told = exists().where(col(Case.id) == col(Notice.case_id), not_recused(actor))
    of_unit = col(Notice.case_id).is_(None) & col(Notice.unit_id).in_(actor.unit_ids)
    kinds = [kind.value for kind, some in OF_QUALITY.items() if any(actor.may(one) for one in some)]
    of_work = col(Notice.case_id).is_(None) & col(Notice.unit_id).is_(None) & col(Notice.kind).in_(kinds)
    return (col(Notice.user_id) == _person(actor)) & (told | of_unit | of_work)


def _whose(session: Session, actor: Actor, user_id: int | None) -> int:
    if user_id is None or user_id == actor.user_id:
        return _person(actor)
    actor.require(Permission.users_manage)
    return found(session, User, user_id).id or 0


def _person(actor: Actor) -> int:
    if actor.user_id is None:
        raise Forbidden()
    return actor.user_id
