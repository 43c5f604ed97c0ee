"""Background work: what lies in a spool becomes a row, what is late is chased, what has outlived its retention goes.

Every job is derived from files and tables, so a job that was lost with a killed process is simply found again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from app.clock import utc_now
from app.db import Database
from app.settings import Settings

if TYPE_CHECKING:
    from app.speech.recognizer import Recognizer

log = structlog.get_logger(__name__)


@dataclass
class Job:
    """One recurring piece of work; `run` returns how many things it did."""

    name: str
    every_s: float
    run: Callable[[], int]
    due: float = 0.0
    failing_since: float | None = None


class Worker:
    """Runs the jobs one after another on a thread, so that a slow disk never holds up the event loop."""

    def __init__(self, jobs: list[Job]) -> None:
        self._jobs = jobs
        self._task: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()

    def start(self) -> None:
        """Begin; must be called from a running event loop."""
        self._task = asyncio.create_task(self._loop(), name="worker")

    async def stop(self) -> None:
        """Let the job in hand finish and end."""
        self._stopping.set()
        if self._task is not None:
            await self._task

    async def _loop(self) -> None:
        while not self._stopping.is_set():
            await asyncio.to_thread(self.run_due, time.monotonic())
            pause = max(0.05, min(job.due for job in self._jobs) - time.monotonic()) if self._jobs else 1.0
            try:
                async with asyncio.timeout(pause):
                    await self._stopping.wait()
            except TimeoutError:
                continue

    def run_due(self, now: float) -> None:
        """Run every job that is due at the monotonic time `now`; a failing job is logged once and tried again."""
        for job in self._jobs:
            if job.due > now:
                continue
            try:
                done = job.run()
            except Exception:
                if job.failing_since is None:
                    job.failing_since = now
                    log.exception("background job failed; it is tried again", job=job.name)
            else:
                if job.failing_since is not None:
                    log.info("background job works again", job=job.name, after_s=round(now - job.failing_since))
                    job.failing_since = None
                if done:
                    log.info("background job done", job=job.name, count=done)
            job.due = now + job.every_s


def shipped_jobs(settings: Settings, database: Database) -> list[Job]:
    """The jobs of a running hotline that need nothing from outside."""
    from app import spool
    from app.campaigns.gathering import gather
    from app.certificates.service import watch as watch_certificates
    from app.chasing import sweep
    from app.destinations import Destinations
    from app.flows.file import lay_down
    from app.knowledge.asking import ask_units
    from app.number_audits import attempts, corrections, rounds
    from app.number_audits import intake as audit_calls
    from app.prompting import forget_texts
    from app.pushes.sending import forget_old, settle_alarms
    from app.selfservice import messages, surveys
    from recordings.retention import prune

    return [
        Job("take in spooled messages", 2.0, lambda: spool.scan(database, settings)),
        Job("tell of urgent matters again", 5.0, lambda: sweep.call_again(database, utc_now())),
        Job("chase what is late", 15.0, lambda: sweep.chase_missed(database, settings, utc_now())),
        Job("warn of what is nearly late", 15.0, lambda: sweep.warn_near(database, utc_now())),
        Job("chase again", 60.0, lambda: sweep.climb(database, settings, utc_now())),
        Job("take up what was on account", 60.0, lambda: sweep.take_up(database, utc_now())),
        Job("ask units about their articles", 600.0, lambda: ask_units(database, settings.zone, utc_now())),
        Job("settle provisional ends", 600.0, lambda: sweep.settle_ends(database, settings, utc_now())),
        Job("look at certificates", 24 * 3600.0, lambda: watch_certificates(database, settings, utc_now())),
        Job("take in calls of number audits", 2.0, lambda: audit_calls.scan(database, settings, utc_now())),
        Job("give up lost calls of number audits", 15.0, lambda: attempts.lose(database, settings, utc_now())),
        Job("close number audits that are over", 20.0, lambda: rounds.close_finished(database, settings, utc_now())),
        Job("open cases for dead numbers", 5.0, lambda: corrections.open_missing(database, settings, utc_now())),
        Job("lay down the published menu", 15.0, lambda: lay_down(database, settings)),
        Job("settle alarms of pushes", 60.0, lambda: settle_alarms(database, utc_now())),
        Job("ask by SMS about calls", 60.0, lambda: surveys.ask_by_sms(database, settings, utc_now())),
        Job("ask by call-back about calls", 60.0, lambda: gather(database, Destinations.of(settings), utc_now())),
        Job("forget texts that nobody hears", 24 * 3600.0, lambda: forget_texts(settings)),
        Job("forget old messages and tries", 3600.0, lambda: messages.forget(database, utc_now())),
        Job("forget old pushes", 3600.0, lambda: forget_old(database, utc_now())),
        Job("delete what has outlived its retention", 3600.0, lambda: prune(database, settings)),
    ]


def outgoing_jobs(settings: Settings, database: Database) -> list[Job]:
    """What waits for servers of others, and so runs beside the rest: a mail server that hangs holds nobody else up."""
    from app.campaigns.messages import send_due
    from app.notices.channels import ports
    from app.notices.post import send_waiting
    from app.selfservice import messages

    ways = ports(settings)
    return [
        Job("send notices", 5.0, lambda: send_waiting(database, settings, ways, utc_now())),
        Job("send messages of campaigns", 5.0, lambda: send_due(database, settings, ways, utc_now())),
        Job("send messages to citizens", 2.0, lambda: messages.send_waiting(database, ways, utc_now())),
    ]


def speech_jobs(settings: Settings, database: Database, recognizer: Recognizer) -> list[Job]:
    """Writing down what was said, which takes long and so has a thread of its own."""
    from app.speech.writing import Writer

    writer = Writer(database, settings, recognizer)
    return [
        Job("look at speech models", 60.0, writer.settle),
        Job("write down what was said", 2.0, writer.run),
    ]
