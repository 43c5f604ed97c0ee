"""`Services` without a database: for tests, benches and trying scripts by hand."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from .services import Announcement, CaseProgress, Receipt, Standing, VoiceSetup


@dataclass
class MemoryServices:
    """Answers from its own fields and remembers what it was given. `before` runs first in every method (to be slow,
    or to raise)."""

    setup: VoiceSetup
    open: bool = True
    at: datetime | None = None
    flags: dict[str, frozenset[str]] = field(default_factory=dict)
    announced: dict[str, list[Announcement]] = field(default_factory=dict)
    cases: dict[tuple[str, str], CaseProgress] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    voicemails: list[dict[str, object]] = field(default_factory=list)
    faxes: list[dict[str, object]] = field(default_factory=list)
    callbacks: list[tuple[str, str, str]] = field(default_factory=list)
    standings: list[Standing] = field(default_factory=list)
    flags_at_once: bool = False
    before: Callable[[str], None] = lambda name: None
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _numbers: dict[str, str] = field(default_factory=dict, repr=False)

    def now(self) -> datetime:
        return self.at or datetime.now(UTC)

    def is_open(self, at: datetime) -> bool:
        self.before("is_open")
        return self.open

    def active_announcements(self, at: datetime, lang: str) -> Sequence[Announcement]:
        self.before("active_announcements")
        return self.announced.get(lang, [])

    def case_progress(self, case_number: str, caller_number: str) -> CaseProgress | None:
        self.before("case_progress")
        return self.cases.get((case_number, caller_number))

    def take_voicemail(self, sidecar: Path) -> Receipt:
        self.before("take_voicemail")
        return self._take(sidecar, self.voicemails)

    def take_fax(self, sidecar: Path) -> Receipt:
        self.before("take_fax")
        return self._take(sidecar, self.faxes)

    def _take(self, sidecar: Path, into: list[dict[str, object]]) -> Receipt:
        facts = json.loads(sidecar.read_text())
        with self._lock:
            if facts["call"] not in self._numbers:
                self._numbers[facts["call"]] = f"{self.now():%Y%m%d}-{len(self._numbers) + 1:06d}"
                into.append(facts)
            if facts["status"] in ("silent", "empty", "failed"):
                return Receipt("", "dropped")
            return Receipt(self._numbers[facts["call"]], "taken")

    def register_callback(self, call_id: str, number: str, language: str, standing: Standing) -> bool:
        self.before("register_callback")
        with self._lock:
            if all(known != number for _, known, _ in self.callbacks):
                self.callbacks.append((call_id, number, language))
                self.standings.append(standing)
        return True

    def flags_for(self, number: str) -> frozenset[str]:
        self.before("flags_for")
        return self.flags.get(number, frozenset())

    def unit_number(self, code: str) -> str | None:
        self.before("unit_number")
        return self.units.get(code)
