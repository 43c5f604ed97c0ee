"""Nuisance rules: who may set and end them, who sees whose number, and what the queue is told of them.

Rules hold for a number, never in an emergency (the queue engine sees to that). Setting and ending is audited; a rule
that was ended can only be followed by another one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import case, or_, select
from sqlmodel import Session, col

from app.actor import Actor
from app.audit.model import Action
from app.audit.service import write
from app.auth.model import Permission
from app.auth.service import display_names
from app.calls.service import find
from app.calls.tables import Call
from app.citizens.service import match_all
from app.citizens.tables import Citizen, CitizenNumber
from app.clock import iso, utc_now
from app.db import found
from app.errors import BadInput, Refused
from app.nuisance.model import EARLIER_SHOWN, LONGEST_WHY, NuisanceAction, NuisanceState, faults, state_of
from app.nuisance.tables import NuisanceRule
from app.paging import Leaf, Page, page_of
from app.text import clean, masked_number, normal_number


@dataclass(frozen=True)
class Known:
    """What showing rules needs to know besides them: people's names, and which numbers' citizens are confidential."""

    names: Mapping[int, str]
    confidential: Collection[str]


def set_rule(
    session: Session,
    actor: Actor,
    action: NuisanceAction,
    until: datetime,
    why: str,
    *,
    number: str = "",
    call_id: str = "",
    value: int = 0,
    now: datetime | None = None,
) -> NuisanceRule:
    """A rule about `number`, or about whoever called in `call_id`, in force within seconds.

    Raises Forbidden, BadInput (fields number, value, until, why).
    """
    actor.require(Permission.nuisance_write)
    now, why = now or utc_now(), clean(why, LONGEST_WHY)
    about = _number_of(session, actor, call_id) if call_id else normal_number(number)
    wrong = faults(action, value, until, why, now)
    if len(about.lstrip("+")) < 3:
        wrong["number"] = "须为来电号码，未显示号码的来电不能设限 (a number that calls)"
    if wrong:
        raise BadInput(fields=wrong)
    row = NuisanceRule(
        number=about,
        call_id=clean(call_id, 64),
        action=action.value,
        value=value,
        why=why,
        until=until,
        created_by=actor.user_id,
        created_at=now,
    )
    session.add(row)
    session.flush()
    detail = {"action": row.action, "value": value, "until": iso(until)}
    write(session, actor, Action.nuisance_set, f"nuisance:{row.id}", detail, now=now)
    return row


def end_rule(session: Session, actor: Actor, rule_id: int, why: str, *, now: datetime | None = None) -> NuisanceRule:
    """The rule ends before its time, within seconds; ending it again changes nothing.

    Raises Forbidden, NotFound, BadInput (field why), Refused for one whose time is over.
    """
    actor.require(Permission.nuisance_write)
    now, why = now or utc_now(), clean(why, LONGEST_WHY)
    row = found(session, NuisanceRule, rule_id, lock=True)
    state = state_of(row.until, row.ended_at, now)
    if state is NuisanceState.ended:
        return row
    if state is NuisanceState.expired:
        raise Refused("这条规则已到期。", "The time of this rule is over already.", code="wrong_state")
    if not why:
        raise BadInput(fields={"why": "须写明原因 (say why)"})
    row.ended_at, row.ended_by, row.end_why = now, actor.user_id, why
    write(session, actor, Action.nuisance_ended, f"nuisance:{row.id}", now=now)
    return row


def list_rules(
    session: Session,
    actor: Actor,
    *,
    state: str = "",
    number: str = "",
    leaf: Leaf | None = None,
    now: datetime | None = None,
) -> Page[NuisanceRule]:
    """Rules: those in force first, what ends first before the others; then the past ones, newest first.

    A search by number finds nothing that the asker may not know of. Raises Forbidden.
    """
    actor.require(Permission.rules_read)
    now = now or utc_now()
    active = col(NuisanceRule.ended_at).is_(None) & (col(NuisanceRule.until) > now)
    statement = select(NuisanceRule)
    if number:
        statement = statement.where(col(NuisanceRule.number) == normal_number(number), _may_be_sought(actor))
    match state:
        case NuisanceState.active:
            statement = statement.where(active)
        case NuisanceState.ended:
            statement = statement.where(col(NuisanceRule.ended_at).is_not(None))
        case NuisanceState.expired:
            statement = statement.where(col(NuisanceRule.ended_at).is_(None), col(NuisanceRule.until) <= now)
    soonest = case((active, col(NuisanceRule.until)), else_=None)
    return page_of(session, statement.order_by(active.desc(), soonest, col(NuisanceRule.id).desc()), leaf)


def known_of(session: Session, rows: Sequence[NuisanceRule]) -> Known:
    """What showing these rules needs: two statements, however many there are."""
    users = {user for row in rows for user in (row.created_by, row.ended_by) if user is not None}
    citizens = match_all(session, {row.number for row in rows})
    return Known(
        display_names(session, users), {number for number, citizen in citizens.items() if citizen.confidential}
    )


def as_json(actor: Actor, row: NuisanceRule, known: Known, now: datetime) -> dict[str, Any]:
    """One rule as the asker may see it."""
    clear = actor.sees_personal(confidential=row.number in known.confidential, owner=None)
    return {
        "id": row.id,
        "number": row.number if clear else masked_number(row.number),
        "call_id": row.call_id,
        "action": row.action,
        "value": row.value,
        "why": row.why,
        "state": state_of(row.until, row.ended_at, now).value,
        "until": iso(row.until),
        "created_at": iso(row.created_at),
        "created_by_name": known.names.get(row.created_by or 0),
        "ended_at": iso(row.ended_at),
        "ended_by_name": known.names.get(row.ended_by or 0),
        "end_why": row.end_why,
    }


def for_the_queue(session: Session, now: datetime) -> Sequence[NuisanceRule]:
    """The rules in force, and those that somebody has ended lately."""
    in_force = col(NuisanceRule.ended_at).is_(None) & (col(NuisanceRule.until) > now)
    lately = col(NuisanceRule.ended_at) > now - EARLIER_SHOWN
    statement = select(NuisanceRule).where(or_(in_force, lately)).order_by(col(NuisanceRule.id))
    return session.execute(statement).scalars().all()


def _number_of(session: Session, actor: Actor, call_id: str) -> str:
    """The number that called; "" for a withheld one, and for a call that there is not."""
    actor.require(Permission.calls_read)
    call: Call | None = find(session, call_id)
    return "" if call is None or call.direction != "in" else call.number


def _may_be_sought(actor: Actor) -> Any:
    """The condition that leaves out rules whose caller the asker may not learn of by searching."""
    if not actor.may(Permission.personal_read):
        return False
    if actor.may(Permission.confidential_read):
        return True
    secret = (
        select(col(CitizenNumber.number))
        .join(Citizen, col(CitizenNumber.citizen_id) == col(Citizen.id))
        .where(col(Citizen.confidential).is_(True))
    )
    return col(NuisanceRule.number).not_in(secret)
