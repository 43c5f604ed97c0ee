"""What the bridge needs from the rest of the house, and nothing more: a narrow door that tests can stand in for.

Every function here is blocking (database, files) and is called on a thread. Each may raise `app.errors.Busy` or
`StorageFull`: whoever called tries again later. Facts are plain JSON; times in them are epoch milliseconds.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from acd.calibration import Foretold
from acd.config import EngineConfig
from app.actor import Actor
from app.alerts.model import AlertKind, AlertRule
from app.alerts.watching import Alert
from app.callbacks.model import AttemptOutcome, LineStep
from app.campaigns.model import OpenAttempt, Order, Work
from app.machines.model import Machine
from app.number_audits.dialling import Dial
from app.phrases.model import Phrase


@dataclass(frozen=True, slots=True)
class AgentRecord:
    """An agent as the staff list knows them. `endpoint` is the telephone used last; `off_duty`: no shift may begin."""

    agent_id: str
    name: str = ""
    skills: Mapping[str, int] = field(default_factory=dict)
    queues: tuple[str, ...] = ("general",)
    endpoint: str = ""
    may_dial_out: bool = False
    off_duty: bool = False


@dataclass(frozen=True, slots=True)
class CallSeen:
    """A call as the database has it; None for what has not happened."""

    call_id: str
    queue: str
    started_ms: int
    joined_ms: int | None
    answered_ms: int | None
    ended_ms: int | None
    agent_id: str | None
    foretold: Foretold | None = None


@dataclass(frozen=True, slots=True)
class CallerKnown:
    """What is known of whoever calls. `last_agent` has spoken with them last, "" when nobody has lately."""

    flags: frozenset[str] = frozenset()
    last_agent: str = ""


@dataclass(frozen=True, slots=True)
class NuisanceSeen:
    """A rule about a caller. `action` is `acd.config.NuisanceAction`'s word, `by` and `ended_by` name users by id;
    `ended_by` is "" for a rule in force."""

    rule_id: str
    number: str
    action: str
    value: int
    until_ms: int
    by: str
    ended_by: str = ""


@dataclass(frozen=True, slots=True)
class TakenCallback:
    """A call-back that is an agent's task now. `taken_ms` names the attempt."""

    number: str
    taken_ms: int


@dataclass(frozen=True, slots=True)
class LineCallback:
    """A promise with a place in the queue. `in_line`: whether the queue has it already; None: it has not looked yet.

    `call_id` is the call in which it was asked for. `due_ms`: not to be dialled before, 0 for none.
    """

    callback_id: int
    number: str
    call_id: str
    language: str
    queue: str
    placed_ms: int
    requested_ms: int
    priority: int = 0
    skills: Mapping[str, int] = field(default_factory=dict)
    attempts: int = 0
    due_ms: int = 0
    dialling: bool = False
    in_line: bool | None = None


@dataclass(frozen=True, slots=True)
class CallForMachines:
    """What an outside system must or may know of a call: whether its number is kept secret, and its case."""

    confidential: bool
    case_id: int | None = None
    case_number: str = ""


class UnusableRules(Exception):
    """The rules of the queue cannot be used; the text names every fault and its place."""


class QueueRules(Protocol):
    """Where the rules of the queue come from."""

    def first(self) -> tuple[EngineConfig, str]:
        """The rules to start with, and what is wrong with those that should hold if others had to be taken; or ""."""

    def read(self) -> EngineConfig:
        """The rules as they should hold now. Raises UnusableRules."""

    def stamp(self) -> object:
        """Something that is different once `read` may give others."""


class Domain(Protocol):
    """The application's domain as the bridge uses it."""

    def session_actor(self, token: str) -> Actor | None:
        """Who is signed in with this session cookie."""

    def machine(self, token: str, address: str) -> Machine | None:
        """Which outside system has this token and may come from there. Raises TooMany."""

    def audit_machine(self, machine: Machine, what: str, agent_id: str, call_id: str = "", command: str = "") -> None:
        """Write down that an outside system "read" or "acted"; reading the same again within minutes is one entry."""

    def call_for_machines(self, call_id: str, number: str) -> CallForMachines:
        """What may be told of a call to those who may not know secret numbers."""

    def phrases(self, language: str) -> Sequence[Phrase]:
        """What agents are to say in that language and never say, by the list of today."""

    def stored_call(self, machine: Machine, call_id: str) -> dict[str, Any]:
        """A call as the database has it, as this system may see it. Raises NotFound."""

    def agents(self) -> Sequence[AgentRecord]:
        """Everybody who takes calls."""

    def remember_endpoint(self, agent_id: str, endpoint: str) -> None:
        """The telephone that the agent has chosen."""

    def record(self, facts: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        """Merge facts into calls, in order, all or none; doing it twice does no harm."""

    def record_unseen(self, call_id: str, facts: Mapping[str, Any]) -> None:
        """Merge what is known of a call whose end nobody heard; one that has its end already is not touched."""

    def open_calls(self, since_ms: int) -> Sequence[CallSeen]:
        """The calls begun since then that have no end."""

    def recent_calls(self, since_ms: int) -> Sequence[CallSeen]:
        """The calls that have wanted a person since then."""

    def caller(self, number: str, since_ms: int) -> CallerKnown:
        """Who has this number, and which agent has spoken with them last, since then. Asked at every call."""

    def card(self, call: Mapping[str, Any], agent_id: str) -> dict[str, Any]:
        """The card of a call as JSON, its draft case stored; the same draft however often it is asked for."""

    def open_drafts(self, offers: Sequence[tuple[Mapping[str, Any], str]]) -> None:
        """Store draft cases as `card` does, all or none, for agents who have no page to show a card on."""

    def draft(self, call_id: str) -> dict[str, Any] | None:
        """The call's case as the page wants it after the talk: case_id, case_number, version, state."""

    def adopt_recording(self, call_id: str, segment: int, citizen: Path, heard: Path) -> None:
        """Take one recorded segment into the store; one that was taken already changes nothing."""

    def audit_agent_state(self, actor: Actor, agent_id: str, state: str, reason: str) -> None:
        """Write down that this person sets the state of that agent."""

    def audit_oversight(self, actor: Actor, call_id: str, agent_id: str, mode: str) -> None:
        """Write down that this person listens in on that agent's talk, or takes part in it. Raises Forbidden where the
        citizen asked for secrecy and this person may not know them."""

    def unit_of_number(self, number: str) -> tuple[int, str] | None:
        """The unit that answers at this number: its id and its name."""

    def record_third(self, call_id: str, facts: Mapping[str, Any]) -> None:
        """Merge what is known of a third party of a call (`leg`), or close all but those that are `alive`."""

    def record_pause(self, call_id: str, facts: Mapping[str, Any]) -> None:
        """Merge what is known of a confidential pause, or close what is open when it was `over`."""

    def nuisance_rules(self, now_ms: int) -> Sequence[NuisanceSeen]:
        """The rules about callers that are in force, and those that somebody has ended lately."""

    def look_at_seats(self, at_work: Mapping[str, bool], now_ms: int) -> Sequence[str]:
        """Who is at the telephones (by staff number) against the duty roster: the posts that have become empty since
        the last look. Alarms are raised and cleared with it."""

    def alert_rules(self) -> Mapping[AlertKind, AlertRule]:
        """The rules of the alerts in force, one of every kind."""

    def open_alerts(self) -> Sequence[Alert]:
        """The alerts that have no end, the oldest first."""

    def note_alert(self, told: Mapping[str, Any]) -> None:
        """An alert was raised, or (`cleared_ms`) is over; told twice it changes nothing."""

    def acknowledge_alert(self, actor: Actor, told: Mapping[str, Any], at_ms: int) -> tuple[str, int]:
        """This person knows of the alert; the name of who was first, and when. Audited."""

    def note_presence(self, told: Mapping[str, Any]) -> None:
        """Who was at the telephones in a half-hour, as far as it was seen; told again it takes the place."""

    def take_callback(self, callback_id: int, agent_id: str) -> TakenCallback:
        """The call-back becomes this agent's task. Raises NotFound or Refused."""

    def settle_callback(self, callback_id: int, taken_ms: int, outcome: AttemptOutcome, why: str) -> None:
        """How the attempt went; one that was dealt with already changes nothing."""

    def audit_calls(self, now_ms: int, calm: bool) -> tuple[Sequence[Dial], frozenset[str]]:
        """The calls of number audits to place now, written down as dialled (none unless it is `calm`); and the auditors
        whose telephones are in such a call."""

    def release_audit_call(self, call_id: str, now_ms: int) -> None:
        """A call that `audit_calls` gave could not be placed: nobody was rung."""

    def line_callbacks(self) -> Sequence[LineCallback]:
        """The open promises with a place that the queue has or may have, the first in line first."""

    def dial_callback(self, callback_id: int, agent_id: str, attempt: int) -> None:
        """The queue is about to dial; nobody else may from now on. Raises NotFound or Refused: it may not either."""

    def note_callback(self, callback_id: int, what: LineStep, data: Mapping[str, Any]) -> None:
        """What became of a promise in line; told twice it changes nothing."""

    def never_called(self, number: str) -> bool:
        """Whether the person has said that nobody of the hotline is to call them."""

    def campaign_work(self) -> Sequence[Work]:
        """The campaigns that may call now and have somebody to call, the most urgent first."""

    def begin_campaign_call(self, campaign_id: int, agent_id: str) -> Order | None:
        """Write the next attempt of a campaign, before anybody is dialled; None when nobody is to be called."""

    def settle_campaign_call(self, call_id: str, told: Mapping[str, Any]) -> None:
        """How a campaign's call ended; told twice it changes nothing."""

    def open_campaign_calls(self) -> Sequence[OpenAttempt]:
        """The attempts whose end nobody has told."""

    def settle_forgotten_callbacks(self, alive: Collection[int]) -> None:
        """Settle, from the calls that are known, the attempts that nobody told of; those `alive` still go on."""
