"""`Services` without a database: for tests, benches and trying scripts by hand."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from .services import (
    Announcement,
    AnswerTitle,
    CaseProgress,
    CaseResult,
    Receipt,
    SpokenAnswer,
    Standing,
    UnitLine,
    VoiceSetup,
)


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
    codes: dict[str, str] = field(default_factory=dict)
    results: dict[str, CaseResult] = field(default_factory=dict)
    units: dict[str, UnitLine] = field(default_factory=dict)
    answers: dict[str, list[SpokenAnswer]] = field(default_factory=dict)
    """By public number, in each language that there is, its own first."""
    topics: dict[str, list[str]] = field(default_factory=dict)
    messages: list[tuple[str, str, str, str]] = field(default_factory=list)
    ratings: list[tuple[str, int]] = field(default_factory=list)
    """Of cases by number, of calls by the caller's number."""
    reopened: list[str] = field(default_factory=list)
    asked_by_sms: set[str] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)
    voicemails: list[dict[str, object]] = field(default_factory=list)
    faxes: list[dict[str, object]] = field(default_factory=list)
    callbacks: list[tuple[str, str, str]] = field(default_factory=list)
    standings: list[Standing] = field(default_factory=list)
    menu_troubles: list[str] = field(default_factory=list)
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

    def case_progress(self, case_number: str, caller_number: str, code: str = "") -> CaseProgress | None:
        self.before("case_progress")
        return self._case(case_number, caller_number, code)

    def _case(self, case_number: str, caller_number: str, code: str) -> CaseProgress | None:
        if code and self.codes.get(case_number) == code:
            return next((case for (number, _), case in self.cases.items() if number == case_number), None)
        return self.cases.get((case_number, caller_number))

    def case_result(self, case_number: str, caller_number: str, code: str = "") -> CaseResult | None:
        self.before("case_result")
        return self.results.get(case_number) if self._case(case_number, caller_number, code) else None

    def rate_case(self, case_number: str, caller_number: str, code: str, level: int, call_id: str) -> str:
        self.before("rate_case")
        found = self._case(case_number, caller_number, code)
        if found is None or not found.settled:
            return "refused"
        if case_number in (number for number, _ in self.ratings):
            return "kept_before"
        self.ratings.append((case_number, level))
        return "kept"

    def reopen_case(self, case_number: str, caller_number: str, code: str, call_id: str) -> str:
        self.before("reopen_case")
        if self._case(case_number, caller_number, code) is None:
            return "refused"
        if case_number in self.reopened:
            return "too_late"
        self.reopened.append(case_number)
        return "reopened"

    def rate_call(self, caller_number: str, level: int) -> bool:
        self.before("rate_call")
        if caller_number not in self.asked_by_sms:
            return False
        self.asked_by_sms.remove(caller_number)
        self.ratings.append((caller_number, level))
        return True

    def survey_asked(self, call_id: str) -> bool:
        self.before("survey_asked")
        with self._lock:
            new = call_id not in self.asked
            self.asked.add(call_id)
        return new

    def answers_of_topic(self, topic: str, languages: Sequence[str]) -> Sequence[AnswerTitle]:
        self.before("answers_of_topic")
        found = [self._in(code, languages) for code in self.topics.get(topic, [])]
        return [AnswerTitle(one.code, one.title, one.language) for one in found if one and one.language in languages]

    def answer(self, code: str, languages: Sequence[str]) -> SpokenAnswer | None:
        self.before("answer")
        return self._in(code, languages)

    def _in(self, code: str, languages: Sequence[str]) -> SpokenAnswer | None:
        there = self.answers.get(code, [])
        wanted = (one for language in languages for one in there if one.language == language)
        return next(wanted, there[0] if there else None)

    def send_answer(self, code: str, language: str, call_id: str, number: str) -> str:
        self.before("send_answer")
        if not number.startswith("1"):
            return "impossible"
        if any(call == call_id for _, _, call, _ in self.messages):
            return "sent_before"
        self.messages.append((code, language, call_id, number))
        return "sent"

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

    def unit(self, code: str) -> UnitLine | None:
        self.before("unit")
        return self.units.get(code)

    def menu_trouble(self, trouble: str) -> None:
        self.before("menu_trouble")
        self.menu_troubles.append(trouble)
