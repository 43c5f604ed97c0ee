"""The door for outside systems: a bearer token is looked up, its use counted, limited and remembered.

One per process: limits are per process, which is the one that holds the calls. Whoever tries tokens is slowed down by
address; a system that is known goes on meanwhile, also from behind the same address. It is entered from many threads.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select
from sqlmodel import col

from app.clock import utc_now
from app.db import Database
from app.errors import Busy, TooMany
from app.machines.model import Buckets, Machine, Scope, comes_from
from app.machines.service import digest, in_force
from app.machines.tables import MachineAccount

log = structlog.get_logger(__name__)

TOUCH = timedelta(minutes=1)
USES = (20.0, 100.0)  # a second, and at once
MISSES = (2.0, 50.0)  # wrong tokens from one address
KNOWN = 256
LONGEST_TOKEN = 100


def bearer(header: str | None) -> str | None:
    """The token of an Authorization header; None when the header speaks of none."""
    kind, _, token = (header or "").strip().partition(" ")
    return token.strip() if kind.casefold() == "bearer" else None


class Door:
    """See the module's text. `now_s` is a clock that never goes back, `now` the time of day."""

    def __init__(self, *, now_s: Callable[[], float] = time.monotonic, now: Callable[[], datetime] = utc_now) -> None:
        self._now_s, self._now = now_s, now
        self._uses, self._misses = Buckets(*USES), Buckets(*MISSES)
        self._known: OrderedDict[str, None] = OrderedDict()  # digests of tokens that were right lately
        self._counting = threading.Lock()  # held for what is counted, never while the database is asked

    def enter(self, db: Database, token: str, address: str) -> Machine | None:
        """Who has this token and may come from there now; None for nobody. Raises TooMany, Busy."""
        key = digest(token)
        with self._counting:
            wait = 0.0 if key in self._known else self._misses.wait(address, self._now_s(), take=False)
        if wait:
            raise TooMany(retry_after=max(1, round(wait)))
        row = self._row(db, key) if len(token) <= LONGEST_TOKEN else None
        now = self._now()
        if row is None or not in_force(row, now) or not comes_from(address, row.sources):
            with self._counting:
                self._known.pop(key, None)
                self._misses.wait(address, self._now_s())
            if row is not None:
                log.warning("a machine account was turned away", machine=row.id)
            return None
        with self._counting:
            self._known[key] = None
            self._known.move_to_end(key)
            if len(self._known) > KNOWN:
                self._known.popitem(last=False)
            wait = self._uses.wait(str(row.id), self._now_s())
        if wait:
            raise TooMany("请求过于频繁，请稍后再试。", "Too many requests.", retry_after=max(1, round(wait)))
        if row.last_used_at is None or now - row.last_used_at > TOUCH or row.last_address != address[:64]:
            _touch(db, row.id or 0, address, now)
        known = {scope.value for scope in Scope}
        scopes = frozenset(Scope(one) for one in row.scopes if one in known)
        return Machine(row.id or 0, row.name, scopes, frozenset(row.agents), address)

    def _row(self, db: Database, key: str) -> MachineAccount | None:
        with db.read() as session:
            found = session.execute(select(MachineAccount).where(col(MachineAccount.token_hash) == key))
            return found.scalar_one_or_none()


def _touch(db: Database, machine_id: int, address: str, now: datetime) -> None:
    """Remember the use; a busy database is no reason to send a system away."""
    try:
        with db.session(wait_s=0.2) as session:
            if (row := session.get(MachineAccount, machine_id)) is not None:
                row.last_used_at, row.last_address = now, address[:64]
                session.add(row)
    except Busy:
        return
