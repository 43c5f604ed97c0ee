"""Assignments, replies and what may be done next, as the pages read them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from app.actor import Actor
from app.assignments import check, working
from app.assignments.acting import children_of, works_of
from app.assignments.inbox import known_of
from app.assignments.tables import Assignment, Recusal, Reply
from app.assignments.taking_back import may_be_taken_back
from app.auth.service import display_names
from app.cases import access
from app.cases.loop import items_of
from app.cases.parties import case_acts, work_acts
from app.cases.states import CaseAct
from app.cases.tables import Case
from app.clock import iso, utc_now
from app.followups.service import follow_ups_of
from app.followups.tables import FollowUp, FollowUpTask
from app.reply_templates.reading import named_sources
from app.units.tables import Unit


def unit_names(session: Session, ids: Collection[int | None]) -> dict[int, str]:
    """The short names of these units."""
    wanted = {one for one in ids if one is not None}
    rows = session.execute(select(col(Unit.id), col(Unit.short_name)).where(col(Unit.id).in_(wanted))).all()
    return {ident or 0: name for ident, name in rows}


def work_row(work: Assignment, units: Mapping[int, str]) -> dict[str, Any]:
    """The short form, for lists."""
    return {
        "id": work.id,
        "case_id": work.case_id,
        "unit_id": work.unit_id,
        "unit": units.get(work.unit_id, ""),
        "parent_id": work.parent_id,
        "lead": work.lead,
        "way": work.way,
        "state": work.state,
        "round": work.round,
        "returns": work.returns,
        "version": work.version,
        "due_at": iso(work.due_at),
        "given_at": iso(work.given_at),
        "signed_at": iso(work.signed_at),
        "replied_at": iso(work.replied_at),
    }


def work_json(session: Session, actor: Actor, case: Case, work: Assignment) -> dict[str, Any]:
    """One assignment whole: what is asked, every round's reply, what is below it, and what the asker can do."""
    clear = access.sees_citizen(session, actor, case)
    below = known_of(session, actor, work.case_id, children_of(session, work))
    units = unit_names(session, [work.unit_id, *(one.unit_id for one in below)])
    replies = [
        {**_reply(one, case, clear=clear), "sources": named_sources(session, one.template_source)}
        for one in working.replies_of(session, work.id or 0)
    ]
    present = working.reply_of(session, work)
    return {
        **work_row(work, units),
        "instructions": access.plain(work.instructions, case, clear=clear),
        "items": items_json(session, case, clear=clear),
        "papers": [{"id": key, "name": name} for key, name in working.asked(session, case).papers.items()],
        "replies": replies,
        "warnings": warnings_json(check.warnings(working.written(present), **names_in_letter(session, case, work)))
        if present is not None
        else [],
        "below": [work_row(one, units) for one in below],
        "acts": [act.value for act in work_acts(session, actor, work)],
    }


def loop_json(session: Session, actor: Actor, case: Case) -> dict[str, Any]:
    """What a case's page shows of the loop: items, units, call-backs, and what the asker can do."""
    clear = access.sees_citizen(session, actor, case)
    works = known_of(session, actor, case.id or 0, works_of(session, case.id or 0))
    units = unit_names(session, [case.about_unit_id, case.to_unit_id, *(work.unit_id for work in works)])
    tries = follow_ups_of(session, case.id or 0)
    names = display_names(session, [one.by for one in tries])
    task = session.get(FollowUpTask, case.id)
    acts = case_acts(session, actor, case)
    if CaseAct.taken_back in acts and not may_be_taken_back(session, case, utc_now()):
        acts.remove(CaseAct.taken_back)
    return {
        "acts": [act.value for act in acts],
        "items": items_json(session, case, clear=clear),
        "about_unit": units.get(case.about_unit_id or 0),
        "to_unit": units.get(case.to_unit_id or 0),
        "works": [
            {**work_row(work, units), "acts": [act.value for act in work_acts(session, actor, work)]} for work in works
        ],
        "tries": [_try(one, case, names, clear=clear) for one in tries],
        "merged_into": _known(session, actor, case.merged_into_id),
        "repeat_of": _known(session, actor, case.repeat_of_id),
        "twins": [_short(one) for one in _twins(session, actor, case)],
        "redo_proposed": task is not None and not task.open and case.state == "to_follow_up",
    }


def items_json(session: Session, case: Case, *, clear: bool) -> list[dict[str, Any]]:
    """What the citizen asks for."""
    return [
        {"id": str(item.id), "text": access.plain(item.text, case, clear=clear)}
        for item in items_of(session, case.id or 0)
    ]


def recusals_json(session: Session, rows: Collection[Recusal]) -> list[dict[str, Any]]:
    """Who is kept from a case, with names."""
    units = unit_names(session, [one.unit_id for one in rows])
    names = display_names(session, [*(one.user_id for one in rows), *(one.by for one in rows)])
    return [
        {
            "id": one.id,
            "user_id": one.user_id,
            "unit_id": one.unit_id,
            "name": units.get(one.unit_id or 0) or names.get(one.user_id or 0, ""),
            "why": one.why,
            "at": iso(one.at),
            "by": names.get(one.by or 0, ""),
        }
        for one in rows
    ]


def _reply(reply: Reply, case: Case, *, clear: bool) -> dict[str, Any]:
    shown = working.reply_json(reply)
    if clear:
        return shown
    return {
        key: access.plain(value, case, clear=False)
        if isinstance(value, str)
        else {name: access.plain(str(text), case, clear=False) for name, text in value.items()}
        if isinstance(value, Mapping)
        else value
        for key, value in shown.items()
    }


def warnings_json(found: Iterable[check.Remark]) -> list[dict[str, str]]:
    """What is weak in a reply."""
    return [{"where": one.where, "zh": one.zh, "en": one.en} for one in found]


def names_in_letter(session: Session, case: Case, work: Assignment) -> dict[str, Any]:
    """What a letter has to name: the case, and the unit by either of its names."""
    unit = session.get(Unit, work.unit_id)
    return {"number": case.number, "units": {unit.name, unit.short_name} if unit is not None else ()}


def _try(one: FollowUp, case: Case, names: Mapping[int, str], *, clear: bool) -> dict[str, Any]:
    return {
        "at": iso(one.at),
        "by": names.get(one.by or 0, ""),
        "call_id": one.call_id,
        "round": one.round,
        "reached": one.reached,
        "satisfaction": one.satisfaction,
        "solved": one.solved,
        "contacted_in_time": one.contacted_in_time,
        "true_to_reality": one.true_to_reality,
        "note": access.plain(one.note, case, clear=clear),
        "propose_redo": one.propose_redo,
    }


def _twins(session: Session, actor: Actor, case: Case) -> list[Case]:
    merged = select(Case).where(col(Case.merged_into_id) == case.id, access.visible(actor))
    return list(session.execute(merged.order_by(col(Case.id))).scalars())


def _known(session: Session, actor: Actor, case_id: int | None) -> dict[str, Any] | None:
    other = access.known(session, actor, case_id)
    return _short(other) if other is not None else None


def _short(case: Case) -> dict[str, Any]:
    return {"id": case.id, "number": case.number, "state": case.state}
