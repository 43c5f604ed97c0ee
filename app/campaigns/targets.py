"""Who is on a campaign's list: from a table or from a selection of cases, each tried before it is written.

A number is on a list once. Who may not be called is not put on it at all, and is looked at again before each attempt.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlmodel import Session, col

from app import sheets
from app.actor import Actor
from app.audit.model import Action
from app.audit.service import write
from app.auth.model import Permission
from app.bringing_in import bring_in
from app.campaigns.model import ASKED_FOR, LANGUAGES, MOST_TARGETS, CampaignState, Channel, Kind, TargetState
from app.campaigns.tables import Campaign, CampaignTarget
from app.cases.queries import first_cases
from app.cases.tables import Case
from app.citizens.service import match_all
from app.clock import iso, utc_now
from app.consents import service as consents
from app.consents.model import About, How, Said
from app.db import Database, found
from app.destinations import Destinations
from app.errors import Refused
from app.paging import Leaf, Page, equal, page_of
from app.sheets import Outcome
from app.text import masked_number, normal_number

_MAIL = re.compile(r"[^\s@<>,;\"]{1,64}@[0-9A-Za-z.-]{1,55}")
_LANGUAGE = {"普通话": "zh", "粤语": "yue", "英语": "en"}
_CHANNEL = {"电话": Channel.phone, "短信": Channel.sms, "邮件": Channel.email}


def _number(text: str) -> str:
    number = normal_number(text)
    if len(number.lstrip("+")) < 3:
        raise ValueError("须为电话号码 (a telephone number)")
    return number


def _language(text: str) -> str:
    language = _LANGUAGE.get(text, text)
    if language not in LANGUAGES:
        raise ValueError("须为：" + "、".join(_LANGUAGE) + " (one of these)")
    return language


def _channel(text: str) -> str:
    if text in _CHANNEL:
        return _CHANNEL[text].value
    if text in {one.value for one in Channel}:
        return text
    raise ValueError("须为：" + "、".join(_CHANNEL) + " (one of these)")


def _mail(text: str) -> str:
    if not _MAIL.fullmatch(text):
        raise ValueError("须为邮箱地址 (an e-mail address)")
    return text


COLUMNS = (
    sheets.Column("电话", "number", required=True, needed=True, most=40, read=_number),
    sheets.Column("语言", "language", read=_language, empty="zh"),
    sheets.Column("方式", "channel", read=_channel),
    sheets.Column("邮箱", "email", most=120, read=_mail),
    sheets.Column("同意", "consent", read=sheets.yes, empty=False),  # they have said yes to this kind of campaign
)
FORBIDDEN = {
    "do_not_call": "已登记不再呼叫 (said: do not call me)",
    "no_consent": "没有登记同意 (no consent is noted)",
    "not_allowed": "该号码不在可呼叫范围内 (may not be called)",
    "no_address": "没有邮箱地址 (no e-mail address)",
}


@dataclass(frozen=True)
class Person:
    """Somebody to be put on a list; `row` is the table's, 0 for one who comes from a case."""

    number: str
    language: str = "zh"
    channel: str = ""
    email: str = ""
    case_id: int | None = None
    consent: bool = False
    row: int = 0


@dataclass
class FromCases:
    """What a selection of cases gives, or would give."""

    found: int = 0
    added: int = 0
    known: int = 0  # on the list already, or named by several of the cases
    without_number: int = 0
    left_out: dict[str, int] | None = None
    written: bool = False


def forbids(
    session: Session, kind: Kind, destinations: Destinations, people: Collection[Person], channel: Channel
) -> dict[str, str]:
    """Number → why nothing may go out to it for this; those for whom nothing forbids it are missing."""
    numbers = {one.number for one in people}
    why = dict.fromkeys((one for one in numbers if not destinations.may_call_back(one)), "not_allowed")
    why |= {one.number: "no_address" for one in people if (one.channel or channel) == Channel.email and not one.email}
    if kind not in ASKED_FOR:
        said_yes = {one.number for one in people if one.consent}
        lacking = consents.lacking_consent(session, numbers - said_yes, About(kind.value))
        why |= dict.fromkeys(lacking, "no_consent")
    return why | dict.fromkeys(consents.stopped(session, numbers), "do_not_call")


def blank(actor: Actor) -> bytes:
    """An empty table with the heads that are read. Raises Forbidden."""
    actor.require(Permission.campaigns_write)
    return sheets.write([column.head for column in COLUMNS], [])


def from_table(
    db: Database,
    actor: Actor,
    campaign_id: int,
    data: bytes,
    destinations: Destinations,
    *,
    dry_run: bool,
    now: datetime | None = None,
) -> Outcome:
    """Numbers from a table; faults are named by row, and so is who may not be called.

    Raises Forbidden, NotFound, Refused.
    """
    actor.require(Permission.campaigns_write)
    now = now or utc_now()
    sheet = sheets.read(data, COLUMNS, most_rows=MOST_TARGETS)
    people: dict[str, Person] = {}
    for line in sheet.lines:
        number = line.values.get("number")
        if number in people:
            sheet.fault(line.row, "number", "这个号码在表里出现了两次 (this number is there twice)")
        elif number:
            people[number] = Person(**{**line.values, "row": line.row})
    with db.read() as session:
        campaign = _open(session, campaign_id)
        why = forbids(session, Kind(campaign.kind), destinations, people.values(), Channel(campaign.channel))
        known = _known(session, campaign_id, people)
    for number, reason in why.items():
        sheet.fault(people[number].row, "number", FORBIDDEN[reason])
    new = [one for one in people.values() if one.number not in known]
    outcome = Outcome(faults=sheet.told, unchanged=len(people) - len(new))
    if outcome.faults or dry_run:
        outcome.created = [masked_number(one.number) for one in new]
        return outcome
    about = None if Kind(campaign.kind) in ASKED_FOR else About(campaign.kind)
    outcome.created = _add(db, actor, campaign_id, new, now, about)
    outcome.written = True
    return outcome


def from_cases(
    db: Database,
    actor: Actor,
    campaign_id: int,
    filters: Mapping[str, Any],
    destinations: Destinations,
    zone: ZoneInfo,
    *,
    dry_run: bool,
    now: datetime | None = None,
) -> FromCases:
    """The callers of the cases that a search finds, as far as the asker may know of them and see their numbers.

    Raises Forbidden, NotFound, Refused.
    """
    actor.require(Permission.campaigns_write)
    now, told = now or utc_now(), FromCases(left_out={})
    people: dict[str, Person] = {}
    with db.read() as session:
        campaign = _open(session, campaign_id)
        for case, confidential in first_cases(session, actor, zone, MOST_TARGETS, **filters):
            told.found += 1
            number = normal_number(case.caller_number)
            if len(number) < 3 or not actor.sees_personal(confidential=confidential, owner=case.agent_id):
                told.without_number += 1
            elif number in people:
                told.known += 1
            else:
                people[number] = Person(number, case.language, case_id=case.id)
        why = forbids(session, Kind(campaign.kind), destinations, people.values(), Channel(campaign.channel))
        known = _known(session, campaign_id, people)
    for number in why.keys() - known:
        assert told.left_out is not None
        told.left_out[why[number]] = told.left_out.get(why[number], 0) + 1
    new = [one for one in people.values() if one.number not in known and one.number not in why]
    told.known += len(known)
    told.added = len(new) if dry_run else len(_add(db, actor, campaign_id, new, now))
    told.written = not dry_run
    return told


def list_targets(
    session: Session, actor: Actor, campaign_id: int, *, state: str = "", outcome: str = "", leaf: Leaf | None = None
) -> Page[CampaignTarget]:
    """A campaign's list, what happened last comes first. Raises Forbidden, NotFound."""
    actor.require(Permission.campaigns_read)
    found(session, Campaign, campaign_id)
    of = select(CampaignTarget).where(col(CampaignTarget.campaign_id) == campaign_id)
    of = of.order_by(col(CampaignTarget.ended_at).desc().nulls_last(), col(CampaignTarget.id))
    return page_of(session, equal(of, {CampaignTarget.state: state, CampaignTarget.outcome: outcome}), leaf)


def as_rows(session: Session, actor: Actor, rows: Sequence[CampaignTarget]) -> list[dict[str, Any]]:
    """Targets as the asker may see them: numbers in clear for few, those of people who asked for secrecy for fewer."""
    secret = secret_numbers(session, rows)
    return [
        {
            "id": row.id,
            "number": shown_number(actor, row, secret),
            "language": row.language,
            "channel": row.channel,
            "case_id": row.case_id,
            "state": row.state,
            "attempts": row.attempts,
            "next_at": iso(row.next_at) if row.state == TargetState.waiting.value else None,
            "outcome": row.outcome,
            "answer": row.answer,
            "person": row.person,
            "why": row.why,
            "ended_at": iso(row.ended_at),
        }
        for row in rows
    ]


def secret_numbers(session: Session, rows: Sequence[CampaignTarget]) -> set[str]:
    """The numbers of those who asked for secrecy, by their own mark or by that of the case they stand for."""
    numbers = {row.number for row in rows}
    known = list(numbers)
    secret: set[str] = set()
    for start in range(0, len(known), 500):
        citizens = match_all(session, known[start : start + 500])
        secret |= {number for number, citizen in citizens.items() if citizen.confidential}
    cases = list({row.case_id for row in rows if row.case_id is not None})
    marked: set[int] = set()
    for start in range(0, len(cases), 500):
        some = col(Case.id).in_(cases[start : start + 500])
        marked |= set(session.execute(select(col(Case.id)).where(some, col(Case.confidential).is_(True))).scalars())
    return secret | {row.number for row in rows if row.case_id in marked}


def shown_number(actor: Actor, row: CampaignTarget, secret: Collection[str]) -> str:
    """The number as the asker may see it."""
    clear = actor.sees_personal(confidential=row.number in secret, owner=None)
    return row.number if clear else masked_number(row.number)


def _open(session: Session, campaign_id: int) -> Campaign:
    """A campaign onto whose list numbers may come. Raises NotFound, Refused."""
    row = found(session, Campaign, campaign_id)
    if row.state == CampaignState.stopped.value:
        raise Refused("这项外呼任务已终止。", "This campaign was stopped.", code="wrong_state")
    return row


def _known(session: Session, campaign_id: int, numbers: Collection[str]) -> set[str]:
    mine, wanted = col(CampaignTarget.campaign_id) == campaign_id, list(numbers)
    known: set[str] = set()
    for start in range(0, len(wanted), 500):
        some = col(CampaignTarget.number).in_(wanted[start : start + 500])
        known |= set(session.execute(select(col(CampaignTarget.number)).where(mine, some)).scalars())
    return known


def _add(
    db: Database, actor: Actor, campaign_id: int, people: Sequence[Person], now: datetime, about: About | None = None
) -> list[str]:
    """Put them on the list; `about`: what those have said yes to of whom the list says so."""

    def add(session: Session, some: Sequence[Person]) -> list[str]:
        found(session, Campaign, campaign_id, lock=True)  # two tables at once: each number is added once
        known = _known(session, campaign_id, [one.number for one in some])
        fresh = [one for one in some if one.number not in known]
        session.add_all(
            CampaignTarget(
                campaign_id=campaign_id,
                number=one.number,
                email=one.email,
                language=one.language if one.language in LANGUAGES else "zh",
                channel=one.channel,
                case_id=one.case_id,
                state=TargetState.waiting.value,
                next_at=now,
                added_by=actor.user_id,
                added_at=now,
            )
            for one in fresh
        )
        for one in fresh:
            if one.consent and about is not None:
                consents.note(session, actor, Said.consent, about, one.number, how=How.table, now=now)
        if fresh:
            detail = {"rows": len(fresh)}
            write(session, actor, Action.campaign_targets, f"campaign:{campaign_id}", detail, now=now)
        return [masked_number(one.number) for one in fresh]

    return bring_in(db, people, add)
