"""Keeping what is known of calls, and finding them again."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, bindparam, exists, or_, select
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlmodel import Session, col

from app.actor import Actor
from app.auth.model import Permission
from app.calls.counting import ids_of
from app.calls.halfhours import Result
from app.calls.model import EARLIEST, TEXTS, CallFacts, CallOutcome
from app.calls.tables import Call
from app.cases.tables import Case
from app.citizens.service import match_all
from app.citizens.tables import Citizen
from app.clock import utc_now
from app.db import Database, found
from app.errors import BadInput, NotFound
from app.paging import Leaf, Page, equal, like, page_among, page_of, within
from app.text import clean, is_call_id, normal_number

LONGEST_COUNTED = timedelta(days=2)
_FIELDS = frozenset(field.name for field in dataclasses.fields(CallFacts)) - {"call_id"}
_LAST_AGENT = (
    select(col(Call.agent_id))
    .where(
        col(Call.number) == bindparam("wanted"),
        col(Call.started_at) >= bindparam("since"),
        col(Call.answered_at).is_not(None),
        col(Call.agent_id).is_not(None),
    )
    .order_by(col(Call.started_at).desc())  # no limit: a look takes the first row, and few calls are so young
)


def record(db: Database, call_id: str, **facts: Any) -> None:
    """Merge facts into the call, in a transaction of its own; see `merge`. Raises BadInput, Busy."""
    with db.session() as session:
        merge(session, call_id, **facts)


def merge(session: Session, call_id: str, **facts: Any) -> Call:
    """Merge facts into one call; see `merge_all`."""
    return merge_all(session, [(call_id, facts)])[call_id]


def merge_all(session: Session, batch: Sequence[tuple[str, Mapping[str, Any]]]) -> dict[str, Call]:
    """Merge facts into calls, in order, making rows if need be; the same facts again change nothing. The calls by id.

    Later facts win; None never erases; of `started_at`, `joined_at` and `answered_at` the earliest stays. Fields are
    those of `CallFacts`. However many calls there are, three statements read them and their citizens. Raises BadInput
    for an impossible call id or an unknown field.
    """
    for call_id, facts in batch:
        if not is_call_id(call_id):
            raise BadInput(fields={"call_id": "通话编号格式错误 (not a call id)"})
        if unknown := facts.keys() - _FIELDS:
            raise BadInput(fields=dict.fromkeys(sorted(unknown), "未知字段 (unknown)"))
    calls = _rows(session, {call_id: facts.get("started_at") for call_id, facts in batch})
    with session.no_autoflush:
        for call_id, facts in batch:
            _take_over(calls[call_id], facts)
        unmatched = [call for call in calls.values() if call.citizen_id is None and call.number]
        citizens = match_all(session, {call.number for call in unmatched})
        for call in unmatched:
            if (citizen := citizens.get(call.number)) is not None:
                call.citizen_id = citizen.id
    return calls


def _take_over(call: Call, facts: Mapping[str, Any]) -> None:
    for name, value in facts.items():
        if value is None:
            continue
        if name == "number":
            value = normal_number(value)
        elif name in TEXTS:
            value = clean(str(value), TEXTS[name])
        elif name == "outcome":
            value = CallOutcome(value).value
        elif name == "skills":
            value = dict(value)
        if name in EARLIEST and (known := getattr(call, name)) is not None:
            value = min(known, value)
        if getattr(call, name) != value:
            setattr(call, name, value)


def facts_of(call: Call) -> CallFacts:
    """The stored call as facts."""
    values = {name: getattr(call, name) for name in _FIELDS}
    values["outcome"] = CallOutcome(call.outcome) if call.outcome else None
    return CallFacts(call_id=call.call_id, **values)


def find(session: Session, call_id: str) -> Call | None:
    """The call, whoever asks; for parts of the system."""
    return session.get(Call, call_id)


def get_call(session: Session, actor: Actor, call_id: str) -> Call:
    """One call. Raises Forbidden, NotFound."""
    actor.require(Permission.calls_read)
    return found(session, Call, call_id)


def list_calls(
    session: Session,
    actor: Actor,
    zone: ZoneInfo,
    *,
    q: str = "",
    number: str = "",
    outcome: str = "",
    agent: str = "",
    language: str = "",
    from_: date | None = None,
    to: date | None = None,
    result: Result | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    leaf: Leaf | None = None,
) -> Page[Call]:
    """Calls, newest first. `q` is a case number, a call id, a staff number, or the beginning of a caller's number.
    `result` (any that joined, without one) with `since` and `until` gives those that a figure by half-hours counts.

    A search by number never finds a confidential caller for somebody who may not see them: the hit would tell.
    Raises Forbidden, and BadInput for a span that is none or too long.
    """
    actor.require(Permission.calls_read)
    statement = select(Call).order_by(col(Call.started_at).desc(), col(Call.call_id).desc())
    if q := clean(q, 64):
        statement = _searched(statement, actor, q)
    if number:
        statement = statement.where(col(Call.number) == normal_number(number), may_be_sought(actor))
    statement = equal(statement, {Call.outcome: outcome, Call.agent_id: agent, Call.language: language})
    statement = within(statement, Call.started_at, from_, to, zone)
    if result is None and since is None and until is None:
        return page_of(session, statement, leaf)
    return page_among(session, Call, _counted(session, statement, since, until, result or Result.joined), leaf)


def _counted(
    session: Session, calls: Select[Any], since: datetime | None, until: datetime | None, result: Result
) -> list[str]:
    """Raises BadInput for a span that no figure has: what is counted is read to be sorted."""
    if since is None or until is None or not timedelta(0) < until - since <= LONGEST_COUNTED:
        raise BadInput(
            fields={"since": f"请选择不超过 {LONGEST_COUNTED.days} 天的时段 (a span of so many days at most)"}
        )
    return ids_of(session, calls, since, until, result, utc_now())


def of_number(session: Session, number: str, *, limit: int = 5, but: str = "") -> list[Call]:
    """The newest calls from a number; [] for a withheld one. One index look-up."""
    if not number:
        return []
    return list(session.execute(_newest_of(limit), {"of": normal_number(number), "but": but}).scalars())


@cache
def _newest_of(limit: int) -> Any:
    # Made once: every call's card asks this, and to put it together costs more than to ask it.
    statement = select(Call).where(col(Call.number) == bindparam("of"), col(Call.call_id) != bindparam("but"))
    return statement.order_by(col(Call.started_at).desc()).limit(limit)


def last_agent_of(db: Database, number: str, since: datetime) -> str | None:
    """Who spoke with this number last, in a call begun since then; None for nobody and for a withheld number.

    The bridge asks this at every call, so it is a look (`app.looks`).
    """
    if not (wanted := normal_number(number)):
        return None
    # Both databases read this spelling as UTC, SQLite because it is how it stores times.
    row = db.look(_LAST_AGENT, wanted=wanted, since=f"{since.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}")
    return str(row[0]) if row is not None else None


def confidential_ids(session: Session, calls: list[Call]) -> set[str]:
    """Which of these calls belong to a citizen or a case that asked for secrecy."""
    ids = [call.call_id for call in calls]
    citizens = [call.citizen_id for call in calls if call.citizen_id is not None]
    secret = set(
        session.execute(
            select(col(Case.call_id)).where(col(Case.call_id).in_(ids), col(Case.confidential).is_(True))
        ).scalars()
    )
    known = set(
        session.execute(
            select(col(Citizen.id)).where(col(Citizen.id).in_(citizens), col(Citizen.confidential).is_(True))
        ).scalars()
    )
    return {call.call_id for call in calls if call.call_id in secret or call.citizen_id in known}


def may_be_sought(actor: Actor) -> Any:
    """The condition that leaves out calls whose caller the asker may not learn of by searching."""
    if not actor.may(Permission.personal_read):
        return col(Call.agent_id) == (actor.agent_id or "-")
    if actor.may(Permission.confidential_read):
        return True
    return or_(col(Call.agent_id) == (actor.agent_id or "-"), not_secret())


def not_secret() -> Any:
    """The condition for calls of no citizen and of no case that asked for secrecy (`confidential_ids` as a query)."""
    secret_citizens = select(col(Citizen.id)).where(col(Citizen.confidential).is_(True))
    secret_calls = select(col(Case.call_id)).where(col(Case.confidential).is_(True), col(Case.call_id).is_not(None))
    nobodys = col(Call.citizen_id).is_(None)
    return ~col(Call.call_id).in_(secret_calls) & or_(nobodys, ~col(Call.citizen_id).in_(secret_citizens))


def of_secret_call(call_id: Any) -> Any:
    """The same the other way round for rows that name a call: it is one of those. Asked call by call, of those alone
    that are looked at, however many calls there are."""
    return exists().where(col(Call.call_id) == call_id, ~not_secret())


def _searched(statement: Select[Any], actor: Actor, q: str) -> Select[Any]:
    cases = select(col(Case.call_id)).where(col(Case.number) == q, col(Case.call_id).is_not(None))
    kinds = [col(Call.call_id) == q, col(Call.agent_id) == q, col(Call.call_id).in_(cases)]
    if len(digits := normal_number(q)) >= 3:
        kinds.append(col(Call.number).like(like(digits)[1:], escape="\\") & may_be_sought(actor))
    return statement.where(or_(*kinds))


def _rows(session: Session, wanted: Mapping[str, datetime | None]) -> dict[str, Call]:
    """The calls' rows, locked for this transaction; made when missing (two writers at once make one).

    `wanted` is call id → when it began, if that is known.
    """
    found = _locked(session, wanted.keys())
    if missing := wanted.keys() - found.keys():
        insert: Any = insert_postgresql if session.get_bind().dialect.name == "postgresql" else insert_sqlite
        fresh = [Call(call_id=one, started_at=wanted[one] or utc_now()).model_dump() for one in sorted(missing)]
        session.execute(insert(Call).on_conflict_do_nothing(index_elements=["call_id"]), fresh)
        found |= _locked(session, missing)
    if wanted.keys() - found.keys():
        raise NotFound()
    return found


def _locked(session: Session, call_ids: Collection[str]) -> dict[str, Call]:
    # In one order always, so that two writers never wait for each other.
    statement = select(Call).where(col(Call.call_id).in_(call_ids)).order_by(col(Call.call_id)).with_for_update()
    rows = session.execute(statement.execution_options(populate_existing=True)).scalars()
    return {call.call_id: call for call in rows}


def open_calls(db: Database) -> list[CallFacts]:
    """The calls that have no end yet, oldest first: what the bridge must find again after a restart."""
    with db.read() as session:
        statement = select(Call).where(col(Call.ended_at).is_(None)).order_by(col(Call.started_at))
        return [facts_of(call) for call in session.execute(statement).scalars()]
