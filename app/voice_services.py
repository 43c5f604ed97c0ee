"""What voice scripts ask of the domain, answered from the database (agi_scripts.services.Services).

Every method may raise or be slow when the database is; the scripts guard each of them with a deadline and know what
to say to the caller without an answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from agi_scripts.services import Announcement, CaseProgress, Receipt, Standing, VoiceSetup
from app.announcements.service import active, text_for
from app.callbacks.model import Place
from app.callbacks.service import request
from app.calls.model import CallFacts
from app.cases.queries import by_number_for_caller
from app.cases.states import CaseState
from app.cases.tables import Case
from app.cases.words import SPOKEN
from app.citizens.service import flags_by_number
from app.clock import from_ms
from app.db import Database
from app.errors import BadInput
from app.faxes import service as faxes
from app.hours.service import is_open
from app.settings import Settings
from app.tools import tool
from app.units.answering import number_at
from app.voicemails import service as voicemails


class VoiceServices:
    """Safe to use from every call's thread."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings, self._db = settings, database
        self.setup = VoiceSetup.from_settings(settings, tool)

    def now(self) -> datetime:
        """The present, aware."""
        return datetime.now(UTC)

    def is_open(self, at: datetime) -> bool:
        """True if people are at work at `at` (T1)."""
        return is_open(self._db, at, self._settings).open

    def active_announcements(self, at: datetime, lang: str) -> Sequence[Announcement]:
        """Surge announcements, most urgent first (T14)."""
        with self._db.read() as session:
            said = [Announcement(str(row.id), text_for(row, lang)) for row in active(session, at)]
        return [announcement for announcement in said if announcement.text]

    def case_progress(self, case_number: str, caller_number: str) -> CaseProgress | None:
        """The caller's own case; a case of anybody else does not exist for them (T3)."""
        with self._db.read() as session:
            case = by_number_for_caller(session, case_number, caller_number)
            if case is None:
                return None
            stands = session.get(Case, case.merged_into_id) if case.merged_into_id is not None else None
            state = CaseState((stands or case).state)
            return CaseProgress(case.number, SPOKEN[state], (stands or case).updated_at)

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

    def unit_number(self, code: str) -> str | None:
        """From the directory of units, by their hours (K2); codes of other than digits cannot be keyed in."""
        with self._db.read() as session:
            return number_at(session, code, self.now(), self._settings.zone)
