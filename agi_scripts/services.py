"""What scripts ask of the rest of the system. `app/voice_services.py` answers with the database; tests with a fake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from app.destinations import Destinations
from ivr.prompts import PromptSettings, ToolLookup


@dataclass(frozen=True)
class VoiceSetup:
    """Where the scripts find and leave files, and the hours to go by when nobody can be asked."""

    home: Path
    tool: ToolLookup
    voicemail_spool: Path
    fax_spool: Path
    opens: time = time(8)
    closes: time = time(22)
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Asia/Shanghai"))
    node: str = "hotline1"
    flow: Path | None = None
    """A voice menu to be walked whatever else there is; None: the one that holds in `home` (ivr.flow.path_in)."""
    longest_message_s: int = 180
    deadline_s: float = 3.0
    """How long a caller waits in silence for the domain before going on without it."""
    destinations: Destinations = field(default_factory=Destinations)
    """Which numbers may be called back."""

    @classmethod
    def from_settings(cls, settings: Any, tool: ToolLookup) -> VoiceSetup:
        """The set-up that `app.settings.Settings` describes; `tool` is `app.tools.tool`."""
        return cls(
            home=settings.home,
            tool=tool,
            voicemail_spool=settings.paths.voicemail_spool,
            fax_spool=settings.paths.fax_spool,
            opens=_clock(settings.opens),
            closes=_clock(settings.closes),
            zone=ZoneInfo(settings.timezone),
            node=settings.node,
            destinations=Destinations.of(settings),
        )

    @property
    def prompts(self) -> PromptSettings:
        """For ivr.prompts."""
        return PromptSettings(self.home, self.tool)


@dataclass(frozen=True)
class Announcement:
    """A message for a surge (T14): its text in the asked language, or a recorded file (absolute, with suffix)."""

    id: str
    text: str = ""
    file: Path | None = None


@dataclass(frozen=True)
class CaseProgress:
    """Where a case stands; `updated_at` is aware. `state` is the domain's name of the state.

    `settled`: it is over, so that its result, a rating and a reopening may be asked for. `locked`: too much was asked
    in vain from this telephone or about this case, and nothing is told.
    """

    case_number: str
    state: str
    updated_at: datetime | None = None
    settled: bool = False
    locked: bool = False


@dataclass(frozen=True)
class CaseResult:
    """What came of a case, in words that may be spoken; `withheld`: none may, for it is confidential."""

    text: str = ""
    language: str = "zh"
    withheld: bool = False


@dataclass(frozen=True)
class AnswerTitle:
    """An answer that callers may hear, by its public number."""

    code: str
    title: str
    language: str = "zh"


@dataclass(frozen=True)
class SpokenAnswer:
    """An answer as it is read: `phone` is short, `letter` may have thousands of characters, or none. `version` counts
    its wordings."""

    code: str
    title: str
    phone: str
    letter: str = ""
    language: str = "zh"
    version: int = 1


@dataclass(frozen=True)
class UnitLine:
    """A unit's line now: `number` is "" where nobody can be reached, `hours` spans of minutes after midnight on working
    days (none: not known), `at_work` whether it is within them."""

    name: str
    number: str = ""
    at_work: bool = True
    hours: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Receipt:
    """What became of a message or fax that was taken in; `case_number` is "" if it became no case."""

    case_number: str
    status: str


@dataclass(frozen=True)
class Standing:
    """Where a caller stands in the queue (epoch milliseconds of their place, 0: nowhere yet) and whom they need."""

    queue: str = ""
    since_ms: int = 0
    skills: Mapping[str, int] = field(default_factory=dict)
    priority: int = 0


class Services(Protocol):
    """The domain as seen from a call. Every method may be slow or raise: scripts call it through `guarded`."""

    @property
    def setup(self) -> VoiceSetup: ...

    def now(self) -> datetime:
        """The present, aware."""

    def is_open(self, at: datetime) -> bool:
        """True if people are at work at `at` (T1)."""

    def active_announcements(self, at: datetime, lang: str) -> Sequence[Announcement]:
        """The announcements of that moment, most urgent first."""

    def case_progress(self, case_number: str, caller_number: str, code: str = "") -> CaseProgress | None:
        """The case if it was filed from `caller_number` or `code` is its code; else None, as for one that there is not
        (T3). What is asked in vain counts."""

    def case_result(self, case_number: str, caller_number: str, code: str = "") -> CaseResult | None:
        """What came of that case; None if it is not the caller's, or nothing did yet."""

    def rate_case(self, case_number: str, caller_number: str, code: str, level: int, call_id: str) -> str:
        """Rates the result, 1 (very satisfied) to 5: kept, kept_before or refused."""

    def reopen_case(self, case_number: str, caller_number: str, code: str, call_id: str) -> str:
        """Has it done again: reopened, too_late or refused."""

    def rate_call(self, caller_number: str, level: int) -> bool:
        """Rates the latest call about which this telephone was asked by SMS; False if there is none."""

    def survey_asked(self, call_id: str) -> bool:
        """Notes that the caller is asked now how satisfied they were; False if they were asked before."""

    def answers_of_topic(self, topic: str, languages: Sequence[str]) -> Sequence[AnswerTitle]:
        """The answers of a topic that there are in one of these languages (the best first), most wanted first."""

    def answer(self, code: str, languages: Sequence[str]) -> SpokenAnswer | None:
        """The answer of that public number, in the first of these languages in which there is one, else in its own;
        None unless it is published, for everybody and not expired."""

    def send_answer(self, code: str, language: str, call_id: str, number: str) -> str:
        """Sends it by SMS to a caller who has agreed: sent, sent_before (in this call) or impossible."""

    def take_voicemail(self, sidecar: Path) -> Receipt:
        """Takes a voicemail from the spool into the domain; idempotent by call id (T10)."""

    def take_fax(self, sidecar: Path) -> Receipt:
        """As take_voicemail, for a fax (T11)."""

    def register_callback(self, call_id: str, number: str, language: str, standing: Standing) -> bool:
        """Registers that `number` wants to be called back, keeping the caller's place; True also if it already was."""

    @property
    def flags_at_once(self) -> bool:
        """Whether `flags_for` always returns or raises within a second, so that no thread has to watch over it."""

    def flags_for(self, number: str) -> frozenset[str]:
        """What is known about the citizen of `number`: `elderly`, `language:yue`, …"""

    def unit(self, code: str) -> UnitLine | None:
        """The line of the unit with that code, or None (T3)."""

    def menu_trouble(self, trouble: str) -> None:
        """The voice menu that should hold can't be used, so the last good one is walked; "" once it can."""


def _clock(text: str) -> time:
    return time(0) if text in ("24:00", "0") else time.fromisoformat(text)
