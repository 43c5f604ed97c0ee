"""Facts on their way into the database: written to the journal first, then applied in order by threads of their own.

Promises: putting a fact never waits for the database or the disk; facts of one lane are applied in the order they were
put; a database that is locked or a disk that is full is tried again until it works, and nothing is lost by a crash in
between, because what the journal holds beyond its last "applied" mark is applied again after a restart (applying twice
must do no harm). A fact that can never be applied is put aside in `refused-*.jsonl`, and the next one goes on.
"""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog

from app.errors import Busy, StorageFull
from cti_bridge.journal_file import JournalFile, newest_first

log = structlog.get_logger(__name__)

PREFIX = "facts"
MOST_AT_ONCE = 30  # a short transaction: the card that an agent waits for must get in between
GATHER_S = 0.1
APART_S = 0.5
RETRY_S = (0.1, 0.25, 0.5, 1.0)


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that became true. `kind` chooses who applies it; `data` is plain JSON."""

    n: int
    at_ms: int
    kind: str
    key: str
    data: Mapping[str, Any] = field(default_factory=dict)

    def line(self) -> str:
        """As the journal keeps it."""
        body = {"n": self.n, "at": self.at_ms, "kind": self.kind, "key": self.key, "data": dict(self.data)}
        return _JSON.encode(body)


# Made once: `json.dumps` with settings of its own makes an encoder every time.
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
Apply = Callable[[list[Fact]], None]
"""Applies some facts of one lane, all or none. Raises Busy or StorageFull to be called again with the same facts."""


class Lane:
    """One ordered queue with its thread."""

    def __init__(
        self, name: str, apply: Apply, applied: Callable[[str, int], None], refuse: Callable[[Fact, str], None]
    ):
        self.name = name
        self._apply, self._applied, self._refuse = apply, applied, refuse
        self._waiting: deque[Fact] = deque()
        self._changed = threading.Condition()
        self._stopping = False
        self._idle = False
        self._began = 0.0  # the last transaction, by the monotonic clock
        self.trouble = ""
        self._busy = False
        self._thread = threading.Thread(target=self._work, name=f"facts-{name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def put(self, facts: Iterable[Fact]) -> None:
        with self._changed:
            self._waiting.extend(facts)
            if self._idle:  # else the thread looks by itself when it has gathered enough
                self._changed.notify()

    def stop(self, timeout: float) -> None:
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join(timeout)

    @property
    def depth(self) -> int:
        """Facts not yet applied."""
        return len(self._waiting)

    def idle(self, timeout: float) -> bool:
        """Wait until nothing is left to apply; whether that came to be."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting and not self._busy, timeout)

    def _work(self) -> None:
        failures = 0
        while True:
            with self._changed:
                self._idle = True
                self._changed.wait_for(lambda: self._waiting or self._stopping)
                self._idle = False
                if not self._waiting:
                    return
                if not self._stopping and failures == 0 and len(self._waiting) < MOST_AT_ONCE:
                    # Facts come in bursts (offered, ringing, answered): together they cost one transaction, and the
                    # card that is being made at this moment finds the database free. Transactions keep a distance,
                    # because each costs far more than a fact in it.
                    rest = max(GATHER_S, self._began + APART_S - time.monotonic())
                    self._changed.wait_for(lambda: self._stopping, rest)
                self._began = time.monotonic()
                batch = [self._waiting[i] for i in range(min(MOST_AT_ONCE, len(self._waiting)))]
                self._busy = True
            done = self._try(batch)
            with self._changed:
                for _ in range(done):
                    self._waiting.popleft()
                self._busy = False
                self._changed.notify_all()
                if done:
                    failures = 0
                elif self._stopping:
                    return
                else:
                    self._changed.wait_for(lambda: self._stopping, RETRY_S[min(failures, len(RETRY_S) - 1)])
                    failures += 1
            if done:
                self._applied(self.name, batch[done - 1].n)

    def _try(self, batch: list[Fact]) -> int:
        """How many facts of the batch are settled now."""
        try:
            self._apply(batch)
        except (Busy, StorageFull) as error:
            self._say(error.code)
            return 0
        except Exception as error:
            if len(batch) > 1:
                return self._try(batch[:1])  # find the one that does not fit
            log.exception("a fact cannot be applied and is put aside", kind=batch[0].kind, n=batch[0].n)
            self._refuse(batch[0], repr(error))
        self._say("")
        return len(batch)

    def _say(self, trouble: str) -> None:
        if trouble != self.trouble:
            self.trouble = trouble
            if trouble:
                log.warning("facts wait for the database", lane=self.name, trouble=trouble, waiting=len(self._waiting))
            else:
                log.info("facts are being applied again", lane=self.name)


class FactWriter:
    """Journal and lanes together. `lanes` maps a lane's name to who applies it, `lane_of` a kind to its lane."""

    def __init__(
        self,
        folder: Path,
        clock: Callable[[], int],
        lanes: Mapping[str, Apply],
        lane_of: Mapping[str, str],
        *,
        on_trouble: Callable[[str], None] | None = None,
    ) -> None:
        self._folder, self._clock, self._lane_of = folder, clock, dict(lane_of)
        self._journal = JournalFile(folder, PREFIX, clock, on_trouble=on_trouble)
        self._refused = JournalFile(folder, "refused", clock)
        self._lanes = {name: Lane(name, apply, self._mark, self._refuse) for name, apply in lanes.items()}
        self._lock = threading.Lock()
        self._n = 0
        self._marks: dict[str, int] = {}

    def start(self) -> int:
        """Begin applying, first what an earlier life left behind; how many facts that was."""
        left, self._n, self._marks = unapplied(self._folder, self._lane_of)
        for fact in left:
            self._lanes[self._lane_of[fact.kind]].put([fact])
        for lane in self._lanes.values():
            lane.start()
        return len(left)

    def put(self, kind: str, key: str, data: Mapping[str, Any]) -> int:
        """Note a fact. Never blocks, from any thread. Returns its number."""
        lane = self._lanes[self._lane_of[kind]]
        with self._lock:
            self._n += 1
            fact = Fact(self._n, self._clock(), kind, key, data)
            self._journal.append(fact.line())
            lane.put([fact])
        return fact.n

    def waiting(self) -> dict[str, int]:
        """How many facts each lane still has to apply."""
        return {name: lane.depth for name, lane in self._lanes.items()}

    def troubles(self) -> dict[str, str]:
        """What keeps facts from the disk or the database, by part; empty when all is well."""
        found = {name: lane.trouble for name, lane in self._lanes.items() if lane.trouble}
        return {**found, "journal": self._journal.trouble} if self._journal.trouble else found

    def settle(self, timeout: float = 10.0) -> bool:
        """Wait until everything is applied and on the disk; whether it is."""
        return all(lane.idle(timeout) for lane in self._lanes.values()) and self._journal.flush(timeout)

    def stop(self, timeout: float = 2.0) -> None:
        """Apply what can be applied now; the rest stays in the journal for the next start."""
        for lane in self._lanes.values():
            lane.stop(timeout)
        self._journal.close(timeout)
        self._refused.close(timeout)

    def _mark(self, lane: str, n: int) -> None:
        with self._lock:
            self._marks[lane] = n
            self._journal.append(_JSON.encode({"applied": self._marks}))

    def _refuse(self, fact: Fact, why: str) -> None:
        self._refused.append(json.dumps({"why": why, "fact": json.loads(fact.line())}, ensure_ascii=False))


def unapplied(folder: Path, lane_of: Mapping[str, str]) -> tuple[list[Fact], int, dict[str, int]]:
    """What the journal holds beyond its last marks, oldest first; the highest number used; the marks."""
    found: list[Fact] = []
    marks: dict[str, int] | None = None
    highest = 0
    for line in newest_first(folder, PREFIX):
        try:
            body = json.loads(line)
            if "applied" in body:
                if marks is None:
                    marks = {str(lane): int(n) for lane, n in body["applied"].items()}
                    highest = max([highest, *marks.values()])
                continue
            fact = Fact(int(body["n"]), int(body["at"]), str(body["kind"]), str(body["key"]), dict(body["data"]))
        except (ValueError, KeyError, TypeError, AttributeError):
            continue  # torn by a crash
        highest = max(highest, fact.n)
        lane = lane_of.get(fact.kind)
        if lane is not None and fact.n > (marks or {}).get(lane, 0):
            found.append(fact)
        if marks is not None and set(marks) >= set(lane_of.values()) and fact.n <= min(marks.values()):
            break
    return sorted(found, key=lambda fact: fact.n), highest, marks or {}
