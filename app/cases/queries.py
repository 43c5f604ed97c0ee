"""Finding cases: by id, by list, by citizen, by the number a caller keys in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import date
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, bindparam, or_, select
from sqlmodel import Session, col

from app.actor import Actor
from app.auth.model import Permission
from app.cases import access
from app.cases.finding import Newest, may_be_sought, narrowed, read_by_time
from app.cases.history import events_of
from app.cases.model import parse_number
from app.cases.states import CASE_DONE, CaseState
from app.cases.tables import CASE_INDEX, Case, CaseEvent
from app.citizens.tables import CitizenNumber
from app.clock import utc_now
from app.paging import Leaf, Page, equal, page_of, within
from app.search.index import index_of
from app.text import clean, normal_number


def get_case(session: Session, actor: Actor, case_id: int) -> Case:
    """One case. Raises Forbidden, NotFound (also for other people's drafts)."""
    return access.require_visible(session, actor, session.get(Case, case_id))


def case_events(session: Session, actor: Actor, case_id: int) -> list[CaseEvent]:
    """A case's history; a unit reads of other units no more than that they have it. Raises what `get_case` raises.

    Who was kept from it, and why, is for those who may keep somebody from a case, and for auditors.
    """
    get_case(session, actor, case_id)
    lines = events_of(session, case_id)
    if actor.may(Permission.cases_read):
        judges = actor.may(Permission.cases_recuse) or actor.may(Permission.audit_read)
        return lines if judges else [one for one in lines if one.event not in access.RECUSALS]
    mine = access.works_seen(session, actor, case_id)
    return [one for one in lines if access.unit_reads(one, mine)]


def list_cases(
    session: Session, actor: Actor, zone: ZoneInfo, *, leaf: Leaf | None = None, **filters: Any
) -> Page[Case]:
    """A page of what `_sought` seeks with these filters. Raises Forbidden."""
    newest, asking = _sought(session, actor, zone, **filters)
    with asking:
        if filters.get("to") or not read_by_time(session, clean(filters.get("q", ""), 100)):
            return page_of(session, newest(()), leaf)
        latest = Newest(newest, utc_now())
        return page_of(session, latest.first(), leaf, latest.wider)


def first_cases(session: Session, actor: Actor, zone: ZoneInfo, most: int, **filters: Any) -> list[tuple[Case, bool]]:
    """The first `most` of what `list_cases` lists, each with whether it is confidential, by one statement."""
    newest, asking = _sought(session, actor, zone, **filters)
    with asking:
        rows = session.execute(newest(()).add_columns(access.confidential()).limit(most)).all()
    return [(case, bool(confidential)) for case, confidential in rows]


def _sought(
    session: Session,
    actor: Actor,
    zone: ZoneInfo,
    *,
    q: str = "",
    state: str = "",
    type: str = "",
    source: str = "",
    agent: str = "",
    number: str = "",
    from_: date | None = None,
    to: date | None = None,
) -> tuple[Callable[[Sequence[str]], Select[Any]], AbstractContextManager[None]]:
    """Cases the asker may know of, newest first; `q` is a case number or how one begins, or words of registered ones.

    A search by number or name never finds a citizen that the asker may not see. The statement is made for the tags
    of the time that words are looked for in, () for all; what comes second holds while it is asked. Raises Forbidden.
    """
    statement = select(Case).where(access.visible(actor)).order_by(col(Case.created_at).desc(), col(Case.id).desc())
    asking: AbstractContextManager[None] = nullcontext()
    q = clean(q, 100)
    if q:
        asking = index_of(CASE_INDEX, session).asking(session)
    if number:
        statement = statement.where(col(Case.caller_number) == normal_number(number), may_be_sought(actor))
    statement = equal(statement, {Case.state: state, Case.type: type, Case.source: source, Case.agent_id: agent})
    statement = within(statement, Case.created_at, from_, to, zone)
    return lambda times: narrowed(session, actor, statement, q, times) if q else statement, asking


def of_citizen(
    session: Session, number: str, citizen_id: int | None, *, limit: int, but: str = ""
) -> tuple[list[Case], list[Case]]:
    """The newest cases of a citizen or a number, and the newest of these that somebody still has to do something about.

    Without the case opened for call `but`. Index look-ups only, and no second round for whoever has few cases.
    """
    of = {"caller_number": normal_number(number), "citizen_id": citizen_id}
    wanted = {column: value for column, value in of.items() if value not in ("", None)}
    newest, there_are_more = _newest_of(session, wanted, False, limit, but)
    if there_are_more:
        return newest, _newest_of(session, wanted, True, limit, but)[0]
    return newest, [case for case in newest if case.state in _WAITED_FOR]


def _newest_of(
    session: Session, wanted: Mapping[str, Any], only_open: bool, limit: int, but: str
) -> tuple[list[Case], bool]:
    found: dict[int, Case] = {}
    full = False
    for column, value in wanted.items():  # one index each; an OR would cost PostgreSQL a worse plan
        cases = session.execute(_newest(column, only_open, limit), {"of": value, "but": but}).scalars().all()
        found |= {case.id or 0: case for case in cases}
        full = full or len(cases) == limit
    in_order = sorted(found.values(), key=lambda case: (case.created_at, case.id or 0), reverse=True)
    return in_order[:limit], full or len(in_order) > limit


# Registered, and somebody is still to do something about it.
_WAITED_FOR = tuple(sorted(state.value for state in set(CaseState) - CASE_DONE - {CaseState.draft}))


@cache
def _newest(column: str, only_open: bool, limit: int) -> Any:
    # Made once: every call's card asks this, and to put it together costs more than to ask it.
    state = col(Case.state)
    kept = state.in_(_WAITED_FOR) if only_open else state != CaseState.discarded.value
    another = or_(col(Case.call_id).is_(None), col(Case.call_id) != bindparam("but"))
    statement = select(Case).where(getattr(Case, column) == bindparam("of"), kept, another)
    return statement.order_by(col(Case.created_at).desc()).limit(limit)


def by_number_for_caller(session: Session, number: str, caller_number: str) -> Case | None:
    """The case with this number if it was filed from this telephone or belongs to its owner (T3); else None.

    None says the same for "no such case" and "not yours": a caller can't probe for numbers.
    """
    wanted, caller = parse_number(number), normal_number(caller_number)
    if wanted is None or not caller:
        return None
    case: Case | None = session.execute(select(Case).where(col(Case.number) == wanted)).scalar_one_or_none()
    if case is None:
        return None
    if case.caller_number == caller:
        return case
    owner = session.get(CitizenNumber, caller)
    return case if owner is not None and owner.citizen_id == case.citizen_id else None
