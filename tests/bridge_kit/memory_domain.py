"""The domain in memory, as the bridge asks it: for tests of what the bridge tells and does."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.actor import Actor
from app.alerts.model import DEFAULTS, AlertKind, AlertRule
from app.alerts.watching import Alert
from app.auth.model import Role
from app.callbacks.model import AttemptOutcome, LineStep
from app.campaigns.model import OpenAttempt, Order, Work
from app.errors import Busy, Forbidden, Refused
from app.machines.model import Machine
from app.number_audits.dialling import Dial
from app.phrases.model import Phrase, spoken_in
from app.phrases.shipped import SHIPPED
from cti_bridge.ports import (
    AgentRecord,
    CallerKnown,
    CallForMachines,
    CallSeen,
    LineCallback,
    NuisanceSeen,
    TakenCallback,
)


class MemoryDomain:
    """A domain that remembers what it was told. `locked` makes every write fail as a locked database does."""

    def __init__(self, agents: Sequence[str] = ("1001", "1002", "1003")) -> None:
        self.staff = {
            one: AgentRecord(one, f"坐席{one}", {"zh": 5, "yue": 3}, ("general",), one, one == "1001") for one in agents
        }
        self.calls: dict[str, dict[str, Any]] = {}
        self.cards: list[tuple[str, str]] = []
        self.opened: list[tuple[str, str]] = []
        self.drafts: dict[str, int] = {}
        self.recordings: list[tuple[str, int]] = []
        self.callbacks: list[tuple[int, int, str, str]] = []
        self.forgotten: list[set[int]] = []
        self.promises: dict[int, LineCallback] = {}
        self.dialled: list[tuple[int, str, int]] = []
        self.noted: list[tuple[int, str, dict[str, Any]]] = []
        self.audited: list[tuple[str, str, str, str]] = []
        self.actors: dict[str, Actor] = {
            f"token-{one}": Actor(int(one), frozenset({Role.agent}), one, one) for one in self.staff
        }
        self.actors["token-watch"] = Actor(9, frozenset({Role.supervisor}), None, "watch", "王班长")
        self.actors["token-citizen"] = Actor(8, frozenset({Role.citizen}), None, "citizen")
        self.locked = False
        self.slow: threading.Event | None = None
        self.open: list[CallSeen] = []
        self.recent: list[CallSeen] = []
        self.known: dict[str, CallerKnown] = {}
        self.nuisance: list[NuisanceSeen] = []
        self.seats: dict[str, str] = {}  # post → staff number
        self.empty_seats: set[str] = set()
        self.rules_of_alerts: dict[AlertKind, AlertRule] = {}
        self.left_open: list[Alert] = []
        self.alerts: list[dict[str, Any]] = []
        self.acknowledged: dict[str, tuple[str, int]] = {}
        self.presence: dict[int, dict[str, Any]] = {}
        self.units: dict[str, tuple[int, str]] = {}  # number → unit
        self.thirds: dict[str, dict[str, Any]] = {}  # leg → what is known
        self.pauses: list[tuple[str, dict[str, Any]]] = []
        self.closed: list[tuple[str, list[str]]] = []
        self.overseen: list[tuple[str, str, str, str]] = []
        self.secret_calls: set[str] = set()
        self.unwanted: set[str] = set()  # numbers that nobody is to call
        self.campaigns: list[Work] = []
        self.orders: list[Order] = []
        self.settled: list[tuple[str, dict[str, Any]]] = []
        self.open_attempts: list[OpenAttempt] = []
        self.audits_due: list[Dial] = []
        self.auditors: set[str] = set()
        self.audits_released: list[str] = []

    def _write(self) -> None:
        if self.slow is not None:
            self.slow.wait(10)
        if self.locked:
            raise Busy()

    def session_actor(self, token: str) -> Actor | None:
        return self.actors.get(token)

    def machine(self, token: str, address: str) -> Machine | None:
        return None

    def audit_machine(self, machine: Machine, what: str, agent_id: str, call_id: str = "", command: str = "") -> None:
        raise AssertionError("no outside system was let in")

    def call_for_machines(self, call_id: str, number: str) -> CallForMachines:
        return CallForMachines(call_id in self.secret_calls)

    def phrases(self, language: str) -> Sequence[Phrase]:
        return spoken_in(SHIPPED, language)

    def stored_call(self, machine: Machine, call_id: str) -> dict[str, Any]:
        raise AssertionError("no outside system was let in")

    def agents(self) -> Sequence[AgentRecord]:
        return list(self.staff.values())

    def remember_endpoint(self, agent_id: str, endpoint: str) -> None:
        self._write()

    def record(self, facts: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        self._write()
        for call_id, fields in facts:
            self.calls.setdefault(call_id, {}).update({k: v for k, v in fields.items() if v is not None})

    def record_unseen(self, call_id: str, facts: Mapping[str, Any]) -> None:
        if not self.calls.get(call_id, {}).get("ended_at"):
            self.record([(call_id, facts)])

    def open_calls(self, since_ms: int) -> Sequence[CallSeen]:
        return self.open

    def recent_calls(self, since_ms: int) -> Sequence[CallSeen]:
        return self.recent

    def caller(self, number: str, since_ms: int) -> CallerKnown:
        self._write()
        return self.known.get(number, CallerKnown())

    def card(self, call: Mapping[str, Any], agent_id: str) -> dict[str, Any]:
        self._write()
        call_id = str(call["call_id"])
        self.cards.append((call_id, agent_id))
        case = self.drafts.setdefault(call_id, len(self.drafts) + 1)
        return {
            "call_id": call_id,
            "number": call["number"],
            "waited_s": call["waited_s"],
            "draft": {"case_id": case, "case_number": f"20261124-{case:06}", "version": 1, "fields": {}},
        }

    def open_drafts(self, offers: Sequence[tuple[Mapping[str, Any], str]]) -> None:
        self._write()
        for call, agent_id in offers:
            self.opened.append((str(call["call_id"]), agent_id))
            self.drafts.setdefault(str(call["call_id"]), len(self.drafts) + 1)

    def draft(self, call_id: str) -> dict[str, Any] | None:
        case = self.drafts.get(call_id)
        return {"case_id": case, "case_number": f"20261124-{case:06}", "version": 1, "state": "draft"} if case else None

    def adopt_recording(self, call_id: str, segment: int, citizen: Path, heard: Path) -> None:
        self._write()
        self.recordings.append((call_id, segment))
        citizen.unlink(missing_ok=True)
        heard.unlink(missing_ok=True)

    def audit_agent_state(self, actor: Actor, agent_id: str, state: str, reason: str) -> None:
        self._write()
        self.audited.append((actor.name, agent_id, state, reason))

    def audit_oversight(self, actor: Actor, call_id: str, agent_id: str, mode: str) -> None:
        self._write()
        if call_id in self.secret_calls:
            raise Forbidden()
        self.overseen.append((actor.name, call_id, agent_id, mode))

    def unit_of_number(self, number: str) -> tuple[int, str] | None:
        self._write()
        return self.units.get(number)

    def record_third(self, call_id: str, facts: Mapping[str, Any]) -> None:
        self._write()
        if "alive" in facts:
            self.closed.append((call_id, list(facts["alive"])))
            return
        known = self.thirds.setdefault(str(facts["leg"]), {"call_id": call_id})
        known |= {name: value for name, value in facts.items() if value is not None}

    def record_pause(self, call_id: str, facts: Mapping[str, Any]) -> None:
        self._write()
        self.pauses.append((call_id, dict(facts)))

    def nuisance_rules(self, now_ms: int) -> Sequence[NuisanceSeen]:
        self._write()
        return [one for one in self.nuisance if one.ended_by or one.until_ms > now_ms]

    def look_at_seats(self, at_work: Mapping[str, bool], now_ms: int) -> Sequence[str]:
        self._write()
        empty = {post for post, agent_id in self.seats.items() if not at_work.get(agent_id, False)}
        new, self.empty_seats = sorted(empty - self.empty_seats), empty
        return new

    def alert_rules(self) -> Mapping[AlertKind, AlertRule]:
        self._write()
        return {**DEFAULTS, **self.rules_of_alerts}

    def open_alerts(self) -> Sequence[Alert]:
        self._write()
        return self.left_open

    def note_alert(self, told: Mapping[str, Any]) -> None:
        self._write()
        self.alerts.append(dict(told))

    def acknowledge_alert(self, actor: Actor, told: Mapping[str, Any], at_ms: int) -> tuple[str, int]:
        self._write()
        return self.acknowledged.setdefault(str(told["alert_id"]), (actor.display_name, at_ms))

    def note_presence(self, told: Mapping[str, Any]) -> None:
        self._write()
        self.presence[int(told["began_ms"])] = dict(told)

    def take_callback(self, callback_id: int, agent_id: str) -> TakenCallback:
        self._write()
        return TakenCallback("13800000000", 1_795_521_600_000 + callback_id)

    def settle_callback(self, callback_id: int, taken_ms: int, outcome: AttemptOutcome, why: str) -> None:
        self._write()
        self.callbacks.append((callback_id, taken_ms - 1_795_521_600_000, outcome.value, why))

    def line_callbacks(self) -> Sequence[LineCallback]:
        self._write()
        return [one for one in self.promises.values() if one.in_line is not False]

    def dial_callback(self, callback_id: int, agent_id: str, attempt: int) -> None:
        self._write()
        if callback_id not in self.promises or self.promises[callback_id].in_line is False:
            raise Refused("该回拨请求已处理。", "This call-back has been dealt with already.", code="wrong_state")
        self.dialled.append((callback_id, agent_id, attempt))
        self.promises[callback_id] = replace(self.promises[callback_id], dialling=True, attempts=attempt)

    def note_callback(self, callback_id: int, what: LineStep, data: Mapping[str, Any]) -> None:
        self._write()
        self.noted.append((callback_id, what.value, dict(data)))
        if what is LineStep.entered:
            self.promises[callback_id] = replace(
                self.promises[callback_id],
                in_line=True,
                placed_ms=data["placed_ms"],
                priority=data["priority"],
            )
        elif what is LineStep.rests:
            rests = {"dialling": False, "due_ms": data["due_ms"], "attempts": data["attempts"]}
            self.promises[callback_id] = replace(self.promises[callback_id], **rests)
        else:
            self.promises.pop(callback_id, None)

    def settle_forgotten_callbacks(self, alive: Collection[int]) -> None:
        self._write()
        self.forgotten.append(set(alive))

    def never_called(self, number: str) -> bool:
        return number in self.unwanted

    def campaign_work(self) -> Sequence[Work]:
        return self.campaigns

    def begin_campaign_call(self, campaign_id: int, agent_id: str) -> Order | None:
        self._write()
        order = self.orders.pop(0) if self.orders else None
        return replace(order, agent_id=agent_id) if order is not None else None

    def settle_campaign_call(self, call_id: str, told: Mapping[str, Any]) -> None:
        self._write()
        self.settled.append((call_id, dict(told)))
        self.open_attempts = [one for one in self.open_attempts if one.call_id != call_id]

    def open_campaign_calls(self) -> Sequence[OpenAttempt]:
        return self.open_attempts

    def audit_calls(self, now_ms: int, calm: bool) -> tuple[Sequence[Dial], frozenset[str]]:
        self._write()
        dials, self.audits_due = (self.audits_due, []) if calm else ([], self.audits_due)
        return dials, frozenset(self.auditors)

    def release_audit_call(self, call_id: str, now_ms: int) -> None:
        self._write()
        self.audits_released.append(call_id)
