"""What voice scripts ask of the domain, answered from the database (agi_scripts.services.Services).

Every method may raise or be slow when the database is; the scripts guard each of them with a deadline and know what
to say to the caller without an answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from agi_scripts.services import (
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
from app.alarms.service import clear_alarm, raise_alarm
from app.announcements.service import active, text_for
from app.callbacks.model import Place
from app.callbacks.service import request
from app.calls.model import CallFacts
from app.cases.states import CaseState
from app.cases.tables import Case
from app.cases.words import SPOKEN
from app.citizens.service import flags_by_number
from app.clock import from_ms, local_day
from app.db import Database, found
from app.errors import BadInput
from app.faxes import service as faxes
from app.hours.service import is_open
from app.knowledge import by_phone
from app.prompting import voices
from app.selfservice import cases, messages, surveys
from app.selfservice.model import SETTLED
from app.settings import Settings
from app.tools import tool
from app.units.answering import line_at
from app.voicemails import service as voicemails


class VoiceServices:
    """Safe to use from every call's thread."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings, self._db = settings, database
        self.setup = VoiceSetup.from_settings(settings, tool)
        self._voices = voices(settings)

    def now(self) -> datetime:
        """The present, aware."""
        return datetime.now(UTC)

    def is_open(self, at: datetime) -> bool:
        """True if people are at work at `at` (T1)."""
        return is_open(self._db, at, self._settings).open

    def active_announcements(self, at: datetime, lang: str) -> Sequence[Announcement]:
        """Surge announcements, most urgent first (T14)."""
        with self._db.read() as session:
            said = [Announcement(str(row.id), text_for(row, lang, self._voices)) for row in active(session, at)]
        return [announcement for announcement in said if announcement.text]

    def case_progress(self, case_number: str, caller_number: str, code: str = "") -> CaseProgress | None:
        """The caller's own case; a case of anybody else does not exist for them (T3)."""
        own = self._own(case_number, caller_number, code)
        if own.locked:
            return CaseProgress("", "", locked=True)
        if own.case is None or own.stands is None:
            return None
        state = CaseState(own.stands.state)
        settled = state in SETTLED and own.stands is own.case
        return CaseProgress(own.case.number, SPOKEN[state], own.stands.updated_at, settled)

    def case_result(self, case_number: str, caller_number: str, code: str = "") -> CaseResult | None:
        """What came of the caller's own case."""
        own = self._own(case_number, caller_number, code)
        if own.case is None:
            return None
        with self._db.read() as session:
            text = cases.result_of(session, found(session, Case, own.case.id or 0))
        return CaseResult(withheld=True) if text is None else CaseResult(text)

    def rate_case(self, case_number: str, caller_number: str, code: str, level: int, call_id: str) -> str:
        """The caller's own case is rated (T12)."""
        claim = cases.Claim(case_number, caller_number, code)
        return cases.rate(self._db, self._settings, claim, level, call_id=call_id).value

    def reopen_case(self, case_number: str, caller_number: str, code: str, call_id: str) -> str:
        """The caller's own case is done again."""
        claim = cases.Claim(case_number, caller_number, code)
        return cases.reopen(self._db, self._settings, claim, call_id=call_id).value

    def rate_call(self, caller_number: str, level: int) -> bool:
        """The answer of whoever was asked by SMS."""
        return surveys.rate_call(self._db, caller_number, level)

    def survey_asked(self, call_id: str) -> bool:
        """The question at the end of a call; nobody hears it twice."""
        return surveys.asked_by_keys(self._db, call_id)

    def answers_of_topic(self, topic: str, languages: Sequence[str]) -> Sequence[AnswerTitle]:
        """What may be heard of a topic in these languages."""
        with self._db.read() as session:
            rows = by_phone.titles(session, topic, languages, self._today())
        return [AnswerTitle(one.code, one.title, one.language) for one in rows]

    def answer(self, code: str, languages: Sequence[str]) -> SpokenAnswer | None:
        """What may be heard under that number."""
        with self._db.read() as session:
            one = by_phone.answer(session, code, languages, self._today())
        if one is None:
            return None
        return SpokenAnswer(one.code, one.title, one.phone, one.letter, one.language, one.version)

    def send_answer(self, code: str, language: str, call_id: str, number: str) -> str:
        """By SMS, to a caller who has agreed."""
        return messages.send_answer(self._db, self._settings, code, language, call_id, number).value

    def take_voicemail(self, sidecar: Path) -> Receipt:
        """From the spool into a draft case; idempotent by call id (T10)."""
        taken = voicemails.take_in(self._db, self._settings, sidecar)
        return Receipt(taken.case_number or "", taken.status)

    def take_fax(self, sidecar: Path) -> Receipt:
        """As take_voicemail (T11)."""
        taken = faxes.take_in(self._db, self._settings, sidecar)
        return Receipt(taken.case_number or "", taken.status)

    def register_callback(self, call_id: str, number: str, language: str, standing: Standing) -> bool:
        """True when we will call `number`; False when there is none, or none that may be called back."""
        facts = CallFacts(call_id, number=number, language=language)
        since = from_ms(standing.since_ms) if standing.since_ms else None
        place = Place(standing.queue, since, standing.skills, standing.priority)
        try:
            request(
                self._db, facts, self.setup.destinations, place=place, most_attempts=self._settings.callback_attempts
            )
        except BadInput:
            return False
        return True

    @property
    def flags_at_once(self) -> bool:
        """True with SQLite: asking a file ends in time, asking a server may not."""
        return self._db.looks_end_in_time

    def flags_for(self, number: str) -> frozenset[str]:
        """What is stored about the citizen who has this number."""
        return flags_by_number(self._db, number)

    def unit(self, code: str) -> UnitLine | None:
        """From the directory of units, by their hours (K2); codes of other than digits cannot be keyed in.

        Only a number that the dialplan will dial for a caller is one.
        """
        with self._db.read() as session:
            line = line_at(session, code, self.now(), self._settings.zone, self._may_dial)
        return UnitLine(line.name, line.number, line.at_work, line.hours) if line is not None else None

    def menu_trouble(self, trouble: str) -> None:
        """An alarm until another menu was taken in."""
        if trouble:
            raise_alarm(self._db, "menu_unusable", {"file": trouble}, subject=self._settings.node)
        else:
            clear_alarm(self._db, "menu_unusable", subject=self._settings.node)

    def _may_dial(self, number: str) -> bool:
        allowed = self.setup.destinations
        return allowed.may_call_back(number) or allowed.may_dial(number)

    def _own(self, case_number: str, caller_number: str, code: str) -> cases.Own:
        return cases.own_case(self._db, self._settings, cases.Claim(case_number, caller_number, code))

    def _today(self) -> date:
        return local_day(self.now(), self._settings.zone)
