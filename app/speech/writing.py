"""Writes down what was said: takes a job, has its sound heard, keeps the words in the transaction that ends the job.

What asked for secrecy is never heard by a machine, and of a talk never what was said in a confidential pause. Whatever
goes wrong costs the words of that job; calls know nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from sqlmodel import Session

from app.actor import SYSTEM
from app.alarms.service import clear_alarm, open_subjects, raise_alarm
from app.audio import RATE, VOICE_S, Sound, both_channels, listen, read_wav
from app.calls.tables import Call
from app.clock import utc_now
from app.db import Database
from app.errors import BadInput, HotlineError, NotFound
from app.settings import Settings
from app.speech import jobs
from app.speech.jobs import Job
from app.speech.model import SOURCE, JobEvent, JobKind, JobState, Samples, Utterance, hushed, outside
from app.speech.models import fault_of
from app.speech.recognizer import NotHeard, Recognizer, Trouble
from app.voicemails import texts
from app.voicemails.tables import Voicemail
from recordings import transcripts
from recordings.lines import Channel, Line
from recordings.meanwhile import paused
from recordings.service import is_secret
from recordings.store import Store
from recordings.tables import Recording

log = structlog.get_logger(__name__)

ALARM = "speech_model"
PIECE_S = 5.0  # of sound, for each question: so long an answer may take is told in seconds of sound
AT_ONCE = 20
CALL_RUNS = timedelta(seconds=30)
FORGOTTEN = timedelta(hours=6)  # a call that is not over by then is one whose end nobody saw
OWN_TROUBLE = timedelta(seconds=30)
Spans = Sequence[tuple[int, int]]


@dataclass(frozen=True)
class Wanted:
    """What a job is about, as far as the database knows: the sound's file and the parts that nobody hears."""

    file: Path
    pauses: Spans = ()
    duration_ms: int = 0


class Ended(Exception):
    """Nothing is to be heard; the job ends so."""

    def __init__(self, event: JobEvent) -> None:
        super().__init__(event.value)
        self.event = event


class NotYet(Exception):
    """The job is looked at again after `rest`."""

    def __init__(self, rest: timedelta) -> None:
        super().__init__(str(rest))
        self.rest = rest


class Writer:
    """Works on the queue. `now` is the clock."""

    def __init__(
        self, db: Database, settings: Settings, recognizer: Recognizer, now: Callable[[], datetime] = utc_now
    ) -> None:
        self._db, self._settings, self._recognizer, self._now = db, settings, recognizer, now
        self._looked_at: set[str] = set()
        self._told: set[str] = set()

    def run(self) -> int:
        """Do what is due, at most a few jobs; how many were ended. A language whose model has trouble is left out."""
        ended, silent = 0, set[str]()
        for _ in range(AT_ONCE):
            job = jobs.take(self._db, self._now(), without=silent)
            if job is None:
                break
            try:
                ended += self.do(job)
            except NotHeard as why:
                jobs.put_back(self._db, job, self._now(), OWN_TROUBLE)
                if why.trouble is Trouble.stopping:
                    break
                silent.add(job.language)
            except HotlineError:
                raise  # the database is busy, or the disk full: later
            except Exception:  # whatever it is, it is this job's, and the next one may do well
                log.exception("words could not be kept", job=job.id)
                jobs.fail(self._db, job, "error", self._now())
        return ended

    def do(self, job: Job) -> int:
        """One job; 1 if it ended. Raises NotHeard for a trouble that has nothing to do with its sound."""
        try:
            done = self._write_down(job)
        except Ended as why:
            with self._db.session() as session:
                jobs.end(session, job, why.event, self._now())
            return 1
        except NotYet as why:
            jobs.put_back(self._db, job, self._now(), why.rest)
            return 0
        except NotHeard as why:
            if why.trouble is Trouble.no_model:
                with self._db.session() as session:
                    jobs.end(session, job, JobEvent.unspoken, self._now(), why.trouble.value)
                return 1
            self._tell(job.language, why)
            if not why.sound_is_to_blame:
                raise
            state = jobs.fail(self._db, job, why.trouble.value, self._now())
            log.warning("words not heard", job=job.id, kind=job.kind.value, why=why.trouble.value, state=state)
            return int(state is JobState.given_up)
        clear_alarm(self._db, ALARM, subject=job.language)
        log.info("words written down", job=job.id, kind=job.kind.value, subject=job.subject_id, lines=done)
        return 1

    def settle(self) -> int:
        """Look at every model once after the start, and again while there is an alarm about it; forget old jobs."""
        with self._db.read() as session:
            alarmed = open_subjects(session, ALARM)
        for language in alarmed - set(self._recognizer.languages):
            clear_alarm(self._db, ALARM, subject=language)
        for language in self._recognizer.languages:
            if language in alarmed or language not in self._looked_at:
                self._looked_at.add(language)
                self._look_at_model(language)
        return jobs.forget_old(self._db, self._now())

    def _look_at_model(self, language: str) -> None:
        try:
            self._recognizer.open(RATE, language).drop()
        except NotHeard as why:
            self._tell(language, why)
        else:
            clear_alarm(self._db, ALARM, subject=language)

    def _tell(self, language: str, why: NotHeard) -> None:
        if why.trouble is not Trouble.bad_model:
            return
        if raise_alarm(self._db, ALARM, {"language": language}, subject=language) and language not in self._told:
            self._told.add(language)
            folder = self._settings.speech_folders.get(language)
            log.error(
                "this speech model can't be used; nothing is written down in its language, calls go on",
                language=language,
                folder=str(folder),
                problem=fault_of(folder) if folder else why.detail,
                remedy="hotline speech doctor",
            )

    # -- one job -----------------------------------------------------------------------------------------------------

    def _write_down(self, job: Job) -> int:
        recording = job.kind is JobKind.recording
        look, keep = (self._recording, self._keep_recording) if recording else (self._voicemail, self._keep_voicemail)
        with self._db.read() as session:
            wanted = look(session, job)
        try:
            sides = self._sides(job, wanted)
        except (BadInput, FileNotFoundError):
            raise Ended(JobEvent.lost) from None
        said = {
            channel: outside(
                self._hear(job, hushed(sound.samples, sound.rate, wanted.pauses), sound.rate), wanted.pauses
            )
            for channel, sound in sides.items()
        }
        with self._db.session() as session:
            look(session, job)  # secrecy may have been asked for meanwhile, or the sound be gone
            count = keep(session, job, wanted, said)
            jobs.end(session, job, JobEvent.written, self._now())
        return count

    def _sides(self, job: Job, wanted: Wanted) -> dict[Channel, Sound]:
        if job.kind is JobKind.voicemail:
            return {Channel.citizen: read_wav(wanted.file)}
        samples, rate = both_channels(wanted.file)
        return {channel: Sound(samples[:, at], rate) for at, channel in enumerate((Channel.citizen, Channel.agent))}

    def _hear(self, job: Job, samples: Samples, rate: int) -> list[Utterance]:
        """What was said in it; nobody is asked about silence. Says now and then that the job is still in hand."""
        if is_silent(samples, rate):
            return []
        hearing = self._recognizer.open(rate, job.language)
        said: list[Utterance] = []
        held, step = self._now(), int(PIECE_S * rate)
        try:
            for at in range(0, len(samples), step):
                said += hearing.feed(samples[at : at + step]).said
                if self._now() - held > jobs.LEASE / 4:
                    held = self._now()
                    jobs.hold(self._db, job, held)
            return [*said, *hearing.finish().said]
        except BaseException:
            hearing.drop()
            raise

    def _recording(self, session: Session, job: Job) -> Wanted:
        row = session.get(Recording, job.subject_id)
        if row is None or row.expired_at is not None:
            raise Ended(JobEvent.lost)
        if transcripts.is_told(session, row.seq):
            raise Ended(JobEvent.written)  # somebody did it by hand
        call = session.get(Call, row.call_id)
        if call is not None:
            # Until the agent has finished the case it may still become a confidential one.
            over = call.ended_at and call.ended_at + timedelta(seconds=self._settings.wrapup_s)
            if over is None and self._now() < row.adopted_at + FORGOTTEN:
                raise NotYet(CALL_RUNS)
            if over is not None and over > self._now():
                raise NotYet(over - self._now())
        if is_secret(session, row.call_id):
            raise Ended(JobEvent.secret)
        spans = paused(session, row)
        try:
            file = Store(self._settings, self._db).file_of(row)
        except NotFound:
            raise Ended(JobEvent.lost) from None
        return Wanted(file, spans, row.duration_ms)

    def _keep_recording(self, session: Session, job: Job, wanted: Wanted, said: dict[Channel, list[Utterance]]) -> int:
        lines = [
            line_of(channel, one, wanted.duration_ms)
            for channel, utterances in said.items()
            for one in utterances
            if one.start_ms <= wanted.duration_ms
        ]
        return transcripts.put(session, SYSTEM, job.subject_id, SOURCE, lines, now=self._now())

    def _voicemail(self, session: Session, job: Job) -> Wanted:
        row = session.get(Voicemail, job.subject_id)
        if row is None or row.expired_at is not None or not row.path:
            raise Ended(JobEvent.lost)
        if texts.is_secret(session, row):
            raise Ended(JobEvent.secret)
        return Wanted(self._settings.home / row.path)

    def _keep_voicemail(self, session: Session, job: Job, wanted: Wanted, said: dict[Channel, list[Utterance]]) -> int:
        row = session.get(Voicemail, job.subject_id)
        if row is None:
            raise Ended(JobEvent.lost)
        texts.keep_heard(session, row, said[Channel.citizen], self._now())
        return len(said[Channel.citizen])


def is_silent(samples: Samples, rate: int) -> bool:
    """Whether nobody speaks in it, looked at minute by minute: a talk of hours is not taken into memory at once."""
    voiced, minute = 0.0, 60 * rate
    for at in range(0, len(samples), minute):
        voiced += listen(Sound(samples[at : at + minute], rate)).voiced_s
        if voiced >= VOICE_S:
            return False
    return True


def line_of(channel: Channel, said: Utterance, duration_ms: int) -> Line:
    """An utterance as a line of a transcript; what a recogniser rounded up ends with the sound."""

    def within(moment: int) -> int:
        return min(moment, duration_ms)

    words = tuple((word.text, within(word.start_ms), within(word.end_ms)) for word in said.words)
    return Line(
        channel,
        within(said.start_ms),
        within(said.end_ms),
        said.text,
        words=words,
        confidence=round(said.confidence, 3),
    )
