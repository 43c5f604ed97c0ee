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
    """The voice menu; None is the shipped one."""
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
    """Where a case stands; `updated_at` is aware. `state` is the domain's name of the state."""

    case_number: str
    state: str
    updated_at: datetime | None = None


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

    def case_progress(self, case_number: str, caller_number: str) -> CaseProgress | None:
        """The case if it was filed from `caller_number`; None if there is none or it belongs to another (T3)."""

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

    def unit_number(self, code: str) -> str | None:
        """The telephone number of the unit with that code, or None (T3)."""


def _clock(text: str) -> time:
    return time(0) if text in ("24:00", "0") else time.fromisoformat(text)
