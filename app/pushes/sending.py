"""Sending what waits: each address by itself and in order, so that a slow or dead one holds up nobody.

Everything runs on a thread with an event loop of its own, away from telephones and pages. An address that does not take
something rests, longer each time; meanwhile its jobs wait, and none of a call's events overtakes an earlier one.
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import delete, exists, select, update
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from app.agents.service import agent_names
from app.alarms.service import clear_alarm, open_subjects, raise_alarm
from app.calls.service import confidential_ids
from app.calls.tables import Call
from app.citizens.service import match_all
from app.clock import utc_now
from app.db import Database
from app.errors import HotlineError
from app.machines.model import Scope
from app.machines.service import in_force
from app.machines.tables import MachineAccount
from app.outgoing import LEASE, Away, DeliveryState, Refused
from app.pushes import reach
from app.pushes.model import KEPT, PATIENCE, PushEvent, Told, body_of, cause_of, form, signature, too_old
from app.pushes.noting import listening
from app.pushes.tables import PushAddress, PushJob
from app.secrets import secret
from app.settings import Settings

log = structlog.get_logger(__name__)

LOOK_S = 0.5
AT_ONCE = 50  # with PATIENCE_S for each still within a LEASE
AT_ONCE_FORGOTTEN = 2_000
FAILURES_TOLD = 5  # so many in a row, and somebody is told
WAITING = DeliveryState.waiting.value
ALARM = "pushes_not_sent"

Post = Callable[[str, bytes, Mapping[str, str], Sequence[str]], Awaitable[None]]


@dataclass(frozen=True)
class Ready:
    """One job with its words, ready to go."""

    job_id: int
    url: str
    body: bytes
    secret: str  # "" where pushes are not signed


@dataclass(frozen=True)
class Outcome:
    """What came of one try."""

    state: DeliveryState
    fault: str = ""


def secret_name(address_id: int) -> str:
    """What the key is called with which an address' pushes are signed."""
    return f"push_{address_id}"


class PushSender:
    """See the module's text. `post`, `now` and `chance` are the network, the clock and the dice."""

    def __init__(
        self,
        db: Database,
        settings: Settings,
        *,
        post: Post = reach.post,
        now: Callable[[], datetime] = utc_now,
        chance: Callable[[], float] = random.random,
        look_s: float = LOOK_S,
    ) -> None:
        self._db, self._settings, self._post, self._now = db, settings, post, now
        self._chance, self._look_s = chance, look_s
        self._failures: dict[int, int] = {}
        self._rests: dict[int, datetime] = {}
        self._in_hand: dict[int, asyncio.Task[None]] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="pushes", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, timeout: float = 8.0) -> None:
        """Let what is on its way arrive, and end."""
        self._stopping.set()
        self._thread.join(timeout)

    async def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                await self.look()
            except Exception as error:  # a locked database, a full disk: what waits is found again
                log.warning("pushes could not be looked for; it is tried again", problem=type(error).__name__)
            await asyncio.to_thread(self._stopping.wait, self._look_s)
        await asyncio.gather(*self._in_hand.values(), return_exceptions=True)

    async def look(self) -> None:
        """Begin with every address that has something to send, does not rest and is not in hand."""
        now = self._now()
        for address_id in await asyncio.to_thread(due, self._db, now):
            if address_id not in self._in_hand and self._rests.get(address_id, now) <= now:
                self._in_hand[address_id] = asyncio.create_task(self._serve(address_id), name=f"push-{address_id}")

    async def settled(self) -> None:
        """Until nothing is on its way."""
        await asyncio.gather(*self._in_hand.values(), return_exceptions=True)

    async def _serve(self, address_id: int) -> None:
        """Some of the address' jobs, one after another, until one does not get through."""
        try:
            ready = await asyncio.to_thread(claim, self._db, self._settings, address_id, self._now())
            outcomes: dict[int, Outcome] = {}
            for one in ready:
                outcomes[one.job_id] = outcome = await self._offer(one)
                if outcome.state is DeliveryState.waiting:
                    break
            left = [one.job_id for one in ready if one.job_id not in outcomes]
            if ready:
                await asyncio.to_thread(write_down, self._db, outcomes, left, self._now(), self._chance())
                await asyncio.to_thread(self._sum_up, address_id, outcomes)
        except HotlineError as error:
            log.warning("pushes wait for the database", address=address_id, problem=error.code)
        except Exception:
            log.exception("pushes could not be sent; they are tried again", address=address_id)
        finally:
            self._in_hand.pop(address_id, None)

    async def _offer(self, one: Ready) -> Outcome:
        at_s = round(self._now().timestamp())
        headers = {"X-Hotline-Delivery": str(one.job_id), "X-Hotline-Timestamp": str(at_s)}
        if one.secret:
            headers["X-Hotline-Signature"] = signature(one.secret, at_s, one.body)
        try:
            await self._post(one.url, one.body, headers, self._settings.push_networks)
        except Refused as error:
            return Outcome(DeliveryState.refused, str(error))
        except Away as error:
            return Outcome(DeliveryState.waiting, str(error))
        return Outcome(DeliveryState.sent)

    def _sum_up(self, address_id: int, outcomes: Mapping[int, Outcome]) -> None:
        fault = next((one.fault for one in outcomes.values() if one.state is DeliveryState.waiting), "")
        taken = any(one.state is DeliveryState.sent for one in outcomes.values())
        if taken or not fault:
            if self._failures.pop(address_id, 0) or taken:
                clear_alarm(self._db, ALARM, subject=str(address_id))
            self._rests.pop(address_id, None)
        if not fault:
            return
        failures = self._failures[address_id] = self._failures.get(address_id, 0) + 1
        self._rests[address_id] = self._now() + PATIENCE.pause(failures, self._chance())
        log.warning("a push was not taken; the address rests", address=address_id, fault=fault, failures=failures)
        if failures >= FAILURES_TOLD:
            raise_alarm(self._db, ALARM, {"fault": fault}, subject=str(address_id), now=self._now())


def due(db: Database, now: datetime) -> list[int]:
    """The addresses that have something to send."""
    waiting = (col(PushJob.state) == WAITING) & (col(PushJob.next_at) <= now)
    with db.read() as session:
        return list(session.execute(select(col(PushJob.address_id)).where(waiting).distinct()).scalars())


def claim(db: Database, settings: Settings, address_id: int, now: datetime) -> list[Ready]:
    """Some jobs of an address, oldest first, leased; those for which it is too late are settled.

    A job waits for the earlier ones of its call, also for those that another process has in hand.
    """
    with db.session() as session:
        address = session.get(PushAddress, address_id, with_for_update={"skip_locked": True})
        if address is None:
            return []  # another worker has it
        machine = session.get_one(MachineAccount, address.machine_id)
        mine = (col(PushJob.address_id) == address_id) & (col(PushJob.state) == WAITING)
        if not address.active or not in_force(machine, now) or Scope.push.value not in machine.scopes:
            session.execute(update(PushJob).where(mine).values(state=DeliveryState.off.value, done_at=now))
            return []
        old = mine & (col(PushJob.since) < now - PATIENCE.whole)
        session.execute(update(PushJob).where(old).values(state=DeliveryState.given_up.value, done_at=now))
        rows = _next(session, address_id, now)
        words = _words(session, settings, rows, secrets_too=Scope.confidential_read.value in machine.scopes)
        key = secret(settings, secret_name(address_id)) if address.signed else ""
        ready = []
        for row in rows:
            row.next_at, row.tries = now + LEASE, row.tries + 1
            if (told := words.get(row.id or 0)) is None:  # the call is not kept any more
                row.state, row.done_at = DeliveryState.off.value, now
            else:
                ready.append(Ready(row.id or 0, address.url, body_of(form(PushEvent(row.event), told)), key))
            session.add(row)
        return ready


def _next(session: Session, address_id: int, now: datetime) -> list[PushJob]:
    earlier = aliased(PushJob)
    blocked = exists().where(
        col(earlier.address_id) == address_id,
        col(earlier.call_id) == col(PushJob.call_id),
        col(earlier.id) < col(PushJob.id),
        col(earlier.state) == WAITING,
        col(earlier.next_at) > now,
    )
    statement = (
        select(PushJob)
        .where(col(PushJob.address_id) == address_id, col(PushJob.state) == WAITING, col(PushJob.next_at) <= now)
        .where(~blocked)
        .order_by(col(PushJob.id))
        .limit(AT_ONCE)
    )
    return list(session.execute(statement).scalars())


def _words(session: Session, settings: Settings, rows: Sequence[PushJob], *, secrets_too: bool) -> dict[int, Told]:
    """What each job says, by the rules about numbers that hold now."""
    ids = {row.call_id for row in rows}
    calls = list(session.execute(select(Call).where(col(Call.call_id).in_(ids))).scalars()) if ids else []
    hidden = set() if secrets_too else _hidden(session, calls)
    by_id = {call.call_id: call for call in calls}
    names = agent_names(session, {row.agent_id for row in rows} | {call.agent_id or "" for call in calls} - {""})
    found = {}
    for row in rows:
        call = by_id.get(row.call_id)
        if call is None:
            continue
        inbound = call.direction != "out"
        answered = call.answered_at is not None
        agent_id = row.agent_id or ((call.agent_id or "") if answered or not inbound else "")
        found[row.id or 0] = Told(
            call_id=call.call_id,
            inbound=inbound,
            number="" if call.call_id in hidden else call.number,
            line=call.line or settings.main_number,
            queue=call.queue if inbound else "",
            agent_id=agent_id if answered else "",
            agent_name=names.get(agent_id, "") if row.event == PushEvent.answer.value or not inbound else "",
            cause=cause_of(call.outcome, call.cause, answered=answered),
        )
    return found


def _hidden(session: Session, calls: list[Call]) -> set[str]:
    """Which of these calls are of somebody in secret: also of one who became known after the call's last fact."""
    known = match_all(session, {call.number for call in calls if call.number})
    secret = {number for number, citizen in known.items() if citizen.confidential}
    return confidential_ids(session, calls) | {call.call_id for call in calls if call.number in secret}


def write_down(
    db: Database, outcomes: Mapping[int, Outcome], left: Sequence[int], now: datetime, spread: float
) -> None:
    """What came of the tries; `left` were claimed and not tried."""
    with db.session() as session:
        for job_id in (*outcomes, *left):
            row = session.get(PushJob, job_id, with_for_update=True)
            if row is None or row.state != WAITING:
                continue
            outcome = outcomes.get(job_id)
            if outcome is None:
                row.tries, row.next_at = row.tries - 1, now
            else:
                row.state, row.fault = outcome.state.value, outcome.fault[:40]
                if outcome.state is DeliveryState.waiting:
                    row.next_at = now + PATIENCE.pause(row.tries, spread)
                    if too_old(row.since, now):
                        row.state = DeliveryState.given_up.value
            if row.state != WAITING:
                row.done_at = now
            session.add(row)


def settle_alarms(db: Database, now: datetime) -> int:
    """An address that is told nothing any more needs nobody to look after it; how many alarms that ends."""
    with db.read() as session:
        told = open_subjects(session, ALARM)
        over = told - {str(one.id) for one in listening(session, now)} if told else set()
    for subject in over:
        clear_alarm(db, ALARM, subject=subject, now=now)
    return len(over)


def forget_old(db: Database, now: datetime, *, kept: timedelta = KEPT) -> int:
    """Settled jobs that nobody looks at any more go, some in each transaction; how many."""
    gone = 0
    some = select(col(PushJob.id)).where(col(PushJob.done_at) < now - kept).limit(AT_ONCE_FORGOTTEN)
    while True:
        with db.session() as session:
            ids = list(session.execute(some).scalars())
            session.execute(delete(PushJob).where(col(PushJob.id).in_(ids)))
        gone += len(ids)
        if len(ids) < AT_ONCE_FORGOTTEN:
            return gone
