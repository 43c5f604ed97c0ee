"""What the fields of a document say, as far as the asker may know it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import cached_property

from sqlalchemy import select
from sqlmodel import Session, col

from app.actor import Actor
from app.assignments import working
from app.assignments.model import REPLY_TEXTS, ReplyState
from app.assignments.tables import Assignment, Reply
from app.auth.service import display_names
from app.cases import access
from app.cases.loop import items_of
from app.cases.model import CaseType, HandlingWay
from app.cases.tables import Case
from app.cases.views import attachments
from app.cases.words import CASE_TYPES
from app.clocks.model import ClockKind
from app.clocks.service import Subject, of_subject
from app.letters import words
from app.letters.templates import Wording, fill_wording
from app.settings import Settings
from app.text import clean
from app.units.model import PhoneKind, UnitKind
from app.units.queries import phones_of
from app.units.tables import Unit

HIDDEN = "（保密）"
LONGEST_LETTER = REPLY_TEXTS["letter"].limit
_LONGEST = 200_000  # characters of a field: more than all items and answers together
_CUT_FIRST = ("measures", "result", "answers", "next_step")


@dataclass(frozen=True)
class Seen:
    """An assignment and its case as one asker sees them at `now`."""

    session: Session
    actor: Actor
    case: Case
    work: Assignment
    settings: Settings
    now: datetime

    @cached_property
    def clear(self) -> bool:
        """Whether the citizen may be named."""
        return access.sees_citizen(self.session, self.actor, self.case)

    @cached_property
    def secret(self) -> bool:
        """Whether the citizen asked for secrecy."""
        return access.is_confidential(self.session, self.case)

    @cached_property
    def unit(self) -> Unit | None:
        """Whose assignment it is."""
        return self.session.get(Unit, self.work.unit_id)

    @property
    def unit_name(self) -> str:
        """The unit's name in full."""
        return self.unit.name if self.unit is not None else ""

    @property
    def unit_code(self) -> str:
        """The unit's code."""
        return self.unit.code if self.unit is not None else ""

    @cached_property
    def items(self) -> Mapping[str, str]:
        """What the citizen asks for, by item."""
        found = items_of(self.session, self.case.id or 0)
        return {str(item.id): self.plain(item.text) for item in found}

    @cached_property
    def papers(self) -> Mapping[str, str]:
        """The case's attachments by what replies call them, in words."""
        found = attachments(self.session, self.case.id or 0)
        return {
            f"{one['kind']}:{one['id']}": f"{words.ATTACHMENTS.get(one['kind'], '附件')}（编号 {one['id']}）"
            for one in found
        }

    def plain(self, text: str) -> str:
        """A text as the asker may read it, without anything that is no text."""
        return clean(access.plain(text, self.case, clear=self.clear), _LONGEST, lines=True)

    def citizen(self) -> dict[str, str]:
        """Name, number and address: in clear, masked, or not at all where the case is confidential."""
        shown = access.shown_fields(self.case, clear=self.clear)
        fields = {"citizen": "caller_name", "phone": "caller_number", "address": "address"}
        if self.secret and not self.clear:
            return dict.fromkeys(fields, HIDDEN)
        return {name: clean(str(shown[field]), _LONGEST) for name, field in fields.items()}


def order_values(seen: Seen) -> dict[str, str]:
    """The fields of a 《受理交办单》."""
    case, work, zone = seen.case, seen.work, seen.settings.zone
    names = display_names(seen.session, [work.given_by])
    return {
        **_common(seen),
        **seen.citizen(),
        "secret": "保密件" if seen.secret else "",
        "type": CASE_TYPES[CaseType(case.type)] if case.type else "",
        "way": words.WAYS.get(work.way, ""),
        "urgency": words.URGENCIES.get(case.urgency, ""),
        "received": words.time(case.registered_at or case.created_at, zone),
        "given": words.time(work.given_at, zone),
        "due": handled_until(seen.session, Subject.assignment(seen.work.id or 0), zone),
        "round": f"第 {work.round} 次" + ("（重办）" if work.round > 1 else ""),
        "giver": _giver(seen),
        "given_by": names.get(work.given_by or 0, ""),
        "role": ("（主办）" if work.lead else "（协办）")
        if work.way == HandlingWay.coordinated and not work.parent_id
        else "",
        "area": seen.plain(case.area),
        "items": words.numbered(seen.items.values()),
        "content": seen.plain(case.content),
        "instructions": seen.plain(work.instructions),
        "attachments": words.numbered(seen.papers.values()) or "无",
        **_reply_values(seen, working.reply_of(seen.session, work)),
    }


def letter_values(seen: Seen, reply: Reply) -> dict[str, str]:
    """The fields of a letter's layout."""
    draft = "" if reply.state == ReplyState.approved.value else "（未审签）"
    return {**_common(seen), "draft": draft, "letter": seen.plain(reply.letter)}


def proposed(seen: Seen, reply: Mapping[str, object], wording: Wording) -> str:
    """A letter's text as it is proposed from what a reply says; no longer than a letter may be."""
    zone, known = seen.settings.zone, reply.get("answers")
    answers = {str(key): seen.plain(str(text)) for key, text in known.items()} if isinstance(known, Mapping) else {}
    texts = {name: seen.plain(str(reply.get(name) or "")) for name in ("measures", "result", "next_step")}
    values = {
        **_common(seen),
        **texts,
        "addressee": words.addressee(clean(seen.case.caller_name, _LONGEST) if seen.clear else ""),
        "type": CASE_TYPES[CaseType(seen.case.type)] if seen.case.type else "",
        "received": words.day(seen.case.registered_at or seen.case.created_at, zone),
        "answers": words.answered(seen.items, answers),
        "phone": telephone_of(seen.session, seen.work.unit_id),
        "handler": seen.plain(str(reply.get("signed_name") or "")),
        "date": words.day(seen.now, zone),
    }
    return _fitted(wording, values)


def handled_until(session: Session, subject: Subject, zone: tzinfo) -> str:
    """The end of its handling, in words; "" where that was never timed."""
    handle = [clock for clock in of_subject(session, subject) if clock.kind == ClockKind.handle.value]
    return words.due(handle[-1].due_at, zone, provisional=handle[-1].provisional) if handle else ""


def telephone_of(session: Session, unit_id: int | None) -> str:
    """The unit's first number for calls; "" without one."""
    phones = phones_of(session, [unit_id]).get(unit_id, []) if unit_id is not None else []
    return next((phone.number for phone in phones if phone.kind is PhoneKind.voice), "")


def _common(seen: Seen) -> dict[str, str]:
    return {
        "hotline": seen.settings.main_number,
        "number": seen.case.number,
        "title": seen.plain(seen.case.title),
        "unit": seen.unit_name,
        "unit_code": seen.unit_code,
        "printed": words.time(seen.now, seen.settings.zone),
    }


def _reply_values(seen: Seen, reply: Reply | None) -> dict[str, str]:
    if reply is None:
        return {}
    zone = seen.settings.zone
    contacted = [words.CONTACTS.get(reply.contact, ""), words.time(reply.contacted_at, zone)]
    opinion = [words.OPINIONS.get(reply.opinion, ""), seen.plain(reply.opinion_why)]
    return {
        "reply_state": "" if reply.state == ReplyState.approved.value else "（未审签）",
        "measures": seen.plain(reply.measures),
        "result": seen.plain(reply.result),
        "answers": words.answered(seen.items, {key: seen.plain(str(text)) for key, text in reply.answers.items()}),
        "papers": words.answered(seen.papers, {key: seen.plain(str(text)) for key, text in reply.papers.items()}),
        "next_step": seen.plain(reply.next_step),
        "contact": "，".join(part for part in contacted if part),
        "opinion": "，".join(part for part in opinion if part),
        "signed_name": clean(reply.signed_name, _LONGEST),
        "signed": words.day(reply.signed_at, zone),
        "leader_opinion": seen.plain(reply.leader_opinion),
        "leader_name": clean(reply.leader_name, _LONGEST),
        "leader_signed": words.day(reply.leader_at, zone),
        "seal": "已在系统内加盖单位印章" if reply.sealed else "",
    }


def _giver(seen: Seen) -> str:
    above = seen.session.get(Assignment, seen.work.parent_id) if seen.work.parent_id is not None else None
    who = col(Unit.id) == above.unit_id if above is not None else col(Unit.kind) == UnitKind.centre.value
    return seen.session.execute(select(col(Unit.name)).where(who)).scalars().first() or ""


def _fitted(wording: Wording, values: Mapping[str, str]) -> str:
    kept = dict(values)
    while (over := len(text := fill_wording(wording, kept)) - LONGEST_LETTER) > 0:
        longest = max(_CUT_FIRST, key=lambda name: len(kept[name]))
        if not kept[longest]:
            return text[:LONGEST_LETTER]
        kept[longest] = kept[longest][: -over - 1] + "…" if len(kept[longest]) > over + 1 else ""
    return text
