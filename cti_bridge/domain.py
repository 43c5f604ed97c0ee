"""The application's domain behind the bridge's narrow door (`ports.Domain`): translation only, no rule of its own."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import bindparam, select
from sqlmodel import col

from acd.calibration import Foretold
from app.actor import SYSTEM, Actor
from app.agents.service import actor_for, list_agents, set_endpoint
from app.alerts import service as alerts
from app.alerts.model import AlertKind, AlertRule
from app.alerts.watching import Alert
from app.announcements import counting as announcements
from app.audit.model import Action
from app.audit.service import write, write_once
from app.auth.model import Permission
from app.auth.sessions import session_user
from app.callbacks import line
from app.callbacks import service as callbacks
from app.callbacks.model import AttemptOutcome, CallbackState, LineStep
from app.callbacks.tables import Callback
from app.calls import parts
from app.calls.model import CallFacts
from app.calls.service import confidential_ids, find, last_agent_of, merge, merge_all
from app.calls.tables import Call
from app.calls.views import call_rows
from app.campaigns import calling
from app.campaigns.model import OpenAttempt, Order, Work
from app.cases.tables import Case
from app.citizens.service import flags_by_number
from app.clock import from_ms, local_day, to_ms, utc_now
from app.consents import service as consents
from app.db import Database
from app.destinations import Destinations
from app.errors import Forbidden, NotFound
from app.machines.door import Door
from app.machines.model import Machine, Scope
from app.nuisance import service as nuisance
from app.nuisance.tables import NuisanceRule
from app.number_audits import attempts as audit_attempts
from app.number_audits import dialling as audit_dialling
from app.phrases.model import Phrase, spoken_in
from app.phrases.service import edition_on, phrases_by
from app.pop import build_card, store_drafts
from app.pushes.noting import note as note_pushes
from app.roster.watch import SeatWatch
from app.settings import Settings
from app.staffing.service import note_presence
from app.text import normal_number
from cti_bridge.ports import (
    AgentRecord,
    CallerKnown,
    CallForMachines,
    CallSeen,
    LineCallback,
    NuisanceSeen,
    TakenCallback,
)
from recordings.store import Store

_DRAFT: Any = select(
    col(Case.id).label("case_id"), col(Case.number).label("case_number"), col(Case.version), col(Case.state)
).where(col(Case.opened_for) == bindparam("opened_for"))
_TIMES = frozenset(
    {"started_at", "joined_at", "offered_at", "answered_at", "ended_at", "foretold_at"}
    | {"dialled_at", "left_at", "since", "due", "until"}
)


def _typed(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Plain JSON facts with aware UTC times."""
    return {
        name: from_ms(int(value)) if name in _TIMES and value is not None else value for name, value in facts.items()
    }


def _call_facts(call: Mapping[str, Any]) -> CallFacts:
    return CallFacts(**{name: value for name, value in _typed(call).items() if name != "waited_s"})


class AppDomain:
    """See `ports.Domain` for what each function promises."""

    def __init__(self, settings: Settings, db: Database) -> None:
        self._settings, self._db = settings, db
        self._seats = SeatWatch(settings, db)
        self._door = Door()
        self._destinations = Destinations.of(settings)

    def session_actor(self, token: str) -> Actor | None:
        return session_user(self._db, token)

    def machine(self, token: str, address: str) -> Machine | None:
        return self._door.enter(self._db, token, address)

    def audit_machine(self, machine: Machine, what: str, agent_id: str, call_id: str = "", command: str = "") -> None:
        of = f"agent:{agent_id}" if agent_id else f"call:{call_id}"
        if what == "read":
            write_once(self._db, machine.actor, Action.machine_read, f"machine:{machine.machine_id}/{of}")
            return
        detail = {"machine": machine.machine_id, "command": command, **({"call": call_id} if call_id else {})}
        with self._db.session() as session:
            write(session, machine.actor, Action.machine_acted, of, detail)

    def call_for_machines(self, call_id: str, number: str) -> CallForMachines:
        with self._db.read() as session:
            call = session.get(Call, call_id)
            secret = call is not None and bool(confidential_ids(session, [call]))
        secret = secret or "confidential" in flags_by_number(self._db, number)
        case = self.draft(call_id) or {}
        return CallForMachines(secret, case.get("case_id"), case.get("case_number") or "")

    def phrases(self, language: str) -> Sequence[Phrase]:
        with self._db.read() as session:
            number = edition_on(session, local_day(utc_now(), self._settings.zone))
            return spoken_in(phrases_by(session, number), language)

    def stored_call(self, machine: Machine, call_id: str) -> dict[str, Any]:
        machine.require(Scope.calls_read)
        with self._db.read() as session:
            call = session.get(Call, call_id)
            if call is None or not machine.reaches(call.agent_id or ""):
                raise NotFound()
            return call_rows(session, machine.actor, [call])[0]

    def agents(self) -> Sequence[AgentRecord]:
        return [
            AgentRecord(
                agent.agent_id,
                agent.name,
                {str(skill): int(level) for skill, level in agent.skills.items()},
                tuple(agent.queues) or ("general",),
                agent.endpoint,
                agent.may_dial_out,
                agent.off_duty_since is not None,
            )
            for agent in list_agents(self._db)
        ]

    def remember_endpoint(self, agent_id: str, endpoint: str) -> None:
        set_endpoint(self._db, agent_id, endpoint)

    def record(self, facts: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        typed = [(call_id, _typed(fields)) for call_id, fields in facts]
        news = {call_id: str(told) for call_id, fields in typed if (told := fields.pop("news", ""))}
        with self._db.session() as session:
            calls = merge_all(session, typed)
            note_pushes(session, typed, calls, utc_now())
            for call_id in sorted(news):
                announcements.count(session, calls[call_id], news[call_id])

    def record_unseen(self, call_id: str, facts: Mapping[str, Any]) -> None:
        with self._db.session() as session:
            known = find(session, call_id)
            if known is not None and known.ended_at is not None:
                return
            # What the citizen has chosen (a call-back, a message) was stored by the script that took it in.
            chosen = known is not None and known.outcome is not None
            told = {k: v for k, v in _typed(facts).items() if not (chosen and k == "outcome")}
            news, call = str(told.pop("news", "")), merge(session, call_id, **told)
            note_pushes(session, [(call_id, told)], {call_id: call}, utc_now())
            announcements.count(session, call, news)

    def open_calls(self, since_ms: int) -> Sequence[CallSeen]:
        with self._db.read() as session:
            rows = session.execute(
                select(Call).where(col(Call.ended_at).is_(None), col(Call.started_at) >= from_ms(since_ms))
            ).scalars()
            return [_seen(row) for row in rows]

    def recent_calls(self, since_ms: int) -> Sequence[CallSeen]:
        with self._db.read() as session:
            # Whoever was called back is counted by the call in which they asked for it.
            recent = select(Call).where(col(Call.joined_at) >= from_ms(since_ms), col(Call.direction) == "in")
            rows = session.execute(recent).scalars()
            return [_seen(row) for row in rows]

    def caller(self, number: str, since_ms: int) -> CallerKnown:
        return CallerKnown(flags_by_number(self._db, number), last_agent_of(self._db, number, from_ms(since_ms)) or "")

    def card(self, call: Mapping[str, Any], agent_id: str) -> dict[str, Any]:
        return build_card(self._db, _call_facts(call), agent_id, zone=self._settings.zone).to_json()

    def open_drafts(self, offers: Sequence[tuple[Mapping[str, Any], str]]) -> None:
        facts = [(_call_facts(call), agent_id) for call, agent_id in offers]
        store_drafts(self._db, facts, zone=self._settings.zone)

    def draft(self, call_id: str) -> dict[str, Any] | None:
        row = self._db.look(_DRAFT, opened_for=f"call:{call_id}")
        return None if row is None else dict(zip(_DRAFT.selected_columns.keys(), row, strict=True))

    def adopt_recording(self, call_id: str, segment: int, citizen: Path, heard: Path) -> None:
        Store(self._settings, self._db).adopt(call_id, segment, citizen, heard)

    def audit_agent_state(self, actor: Actor, agent_id: str, state: str, reason: str) -> None:
        with self._db.session() as session:
            detail = {"state": state, **({"reason": reason} if reason else {})}
            write(session, actor, Action.agent_overridden, f"agent:{agent_id}", detail)

    def audit_oversight(self, actor: Actor, call_id: str, agent_id: str, mode: str) -> None:
        with self._db.session() as session:
            call = find(session, call_id)
            secret = call is not None and call_id in confidential_ids(session, [call])
            if secret and not actor.may(Permission.confidential_read):
                raise Forbidden()
            write(session, actor, Action.call_monitored, f"call:{call_id}", {"agent": agent_id, "mode": mode})

    def unit_of_number(self, number: str) -> tuple[int, str] | None:
        with self._db.read() as session:
            unit = parts.unit_of_number(session, number)
            return None if unit is None else (unit.id or 0, unit.name)

    def record_third(self, call_id: str, facts: Mapping[str, Any]) -> None:
        if "alive" in facts:
            with self._db.session() as session:
                parts.close_thirds(session, SYSTEM, call_id, facts["alive"], from_ms(int(facts["at"])))
            return
        actor = actor_for(self._db, str(facts["by_agent"]))
        with self._db.session() as session:
            parts.record_third(session, actor, call_id, str(facts["leg"]), _typed(facts))

    def record_pause(self, call_id: str, facts: Mapping[str, Any]) -> None:
        if "over" in facts:
            with self._db.session() as session:
                parts.close_pauses(session, SYSTEM, call_id, from_ms(int(facts["over"])))
            return
        actor = actor_for(self._db, str(facts["by_agent"]))
        with self._db.session() as session:
            parts.record_pause(session, actor, call_id, _typed(facts))

    def nuisance_rules(self, now_ms: int) -> Sequence[NuisanceSeen]:
        with self._db.read() as session:
            return [_rule(row) for row in nuisance.for_the_queue(session, from_ms(now_ms))]

    def look_at_seats(self, at_work: Mapping[str, bool], now_ms: int) -> Sequence[str]:
        return self._seats.look(at_work, from_ms(now_ms))

    def alert_rules(self) -> Mapping[AlertKind, AlertRule]:
        with self._db.read() as session:
            return alerts.rules(session)

    def open_alerts(self) -> Sequence[Alert]:
        with self._db.read() as session:
            return alerts.open_alerts(session)

    def note_alert(self, told: Mapping[str, Any]) -> None:
        with self._db.session() as session:
            alerts.note(session, told)

    def acknowledge_alert(self, actor: Actor, told: Mapping[str, Any], at_ms: int) -> tuple[str, int]:
        with self._db.session() as session:
            return alerts.acknowledge(session, actor, told, at_ms)

    def note_presence(self, told: Mapping[str, Any]) -> None:
        with self._db.session() as session:
            note_presence(session, told)

    def take_callback(self, callback_id: int, agent_id: str) -> TakenCallback:
        row = callbacks.take(self._db, actor_for(self._db, agent_id), callback_id)
        return TakenCallback(normal_number(row.number), to_ms(row.taken_at) if row.taken_at else 0)

    def settle_callback(self, callback_id: int, taken_ms: int, outcome: AttemptOutcome, why: str) -> None:
        callbacks.settle(self._db, callback_id, taken_ms, outcome, why)

    def audit_calls(self, now_ms: int, calm: bool) -> tuple[Sequence[audit_dialling.Dial], frozenset[str]]:
        dials = audit_dialling.take(self._db, self._settings, from_ms(now_ms), calm=calm)
        with self._db.read() as session:
            return dials, audit_dialling.agents_called(session)

    def release_audit_call(self, call_id: str, now_ms: int) -> None:
        audit_attempts.release(self._db, call_id, now=from_ms(now_ms))

    def line_callbacks(self) -> Sequence[LineCallback]:
        with self._db.read() as session:
            return [_in_line(row) for row in line.promised(session)]

    def dial_callback(self, callback_id: int, agent_id: str, attempt: int) -> None:
        line.dial(self._db, callback_id, agent_id, attempt)

    def note_callback(self, callback_id: int, what: LineStep, data: Mapping[str, Any]) -> None:
        line.note(self._db, callback_id, what, data)

    def never_called(self, number: str) -> bool:
        with self._db.read() as session:
            return consents.never_called(session, number)

    def campaign_work(self) -> Sequence[Work]:
        return calling.work(self._db, self._settings, utc_now())

    def begin_campaign_call(self, campaign_id: int, agent_id: str) -> Order | None:
        return calling.begin(self._db, self._settings, self._destinations, campaign_id, agent_id, utc_now())

    def settle_campaign_call(self, call_id: str, told: Mapping[str, Any]) -> None:
        calling.settle(self._db, call_id, told, utc_now())

    def open_campaign_calls(self) -> Sequence[OpenAttempt]:
        return calling.open_attempts(self._db)

    def settle_forgotten_callbacks(self, alive: Collection[int]) -> None:
        callbacks.settle_forgotten(self._db, alive)


def _in_line(row: Callback) -> LineCallback:
    return LineCallback(
        callback_id=row.id or 0,
        number=normal_number(row.number),  # what is dialled is what the rule has seen
        call_id=row.call_id,
        language=row.language,
        queue=row.queue or "general",
        placed_ms=to_ms(row.placed_at or row.requested_at),
        requested_ms=to_ms(row.requested_at),
        priority=row.priority,
        skills=line.skills_of(row),
        attempts=row.attempts,
        due_ms=to_ms(row.due_at) if row.due_at else 0,
        dialling=row.state == CallbackState.dialling.value,
        in_line=row.in_line,
    )


def _rule(row: NuisanceRule) -> NuisanceSeen:
    ended_by = f"user:{row.ended_by or 0}" if row.ended_at else ""
    until_ms, by = to_ms(row.until), f"user:{row.created_by or 0}"
    return NuisanceSeen(str(row.id), row.number, row.action, row.value, until_ms, by, ended_by)


def _seen(row: Call) -> CallSeen:
    return CallSeen(
        row.call_id,
        row.queue or "general",
        to_ms(row.started_at),
        to_ms(row.joined_at) if row.joined_at else None,
        to_ms(row.answered_at) if row.answered_at else None,
        to_ms(row.ended_at) if row.ended_at else None,
        row.agent_id,
        _foretold(row),
    )


def _foretold(row: Call) -> Foretold | None:
    low, middle, high = row.foretold_low_s, row.foretold_middle_s, row.foretold_high_s
    if row.foretold_at is None or low is None or middle is None or high is None:
        return None
    return Foretold(to_ms(row.foretold_at), low, middle, high)
