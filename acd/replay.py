"""Would the engine decide the same again? A day's journal fed to a fresh engine, compared byte for byte.

An engine's life may have begun on an earlier day: lines from its header on are fed, and only what lies within the day
is compared. A line torn by a crash and decisions that a crash kept from being written are forgiven where a life ends,
and counted; anywhere else they are damage.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from acd.engine import Engine
from acd.journal import DECISIONS, JournalError, decode, encode
from acd.model import Event


@dataclass(frozen=True, slots=True)
class Line:
    """One line and where it stands, as `acd-20261125.jsonl:17`."""

    place: str
    text: str


@dataclass(frozen=True, slots=True)
class Difference:
    """The first event after which the decisions differ. `at`: the first decision that does, from 0."""

    place: str
    now_ms: int
    event: str
    at: int
    written: tuple[str, ...]
    decided: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Damage:
    """A line that cannot be read, or an event before any header."""

    place: str
    why: str


@dataclass(slots=True)
class Replay:
    """`same` only if every decision of the day was compared and none differed."""

    lives: int = 0
    events: int = 0
    decisions: int = 0
    torn: int = 0  # lines at the end of a life
    unwritten: int = 0  # decisions that the end of a life kept from being written
    difference: Difference | None = None
    damage: Damage | None = None

    @property
    def same(self) -> bool:
        return self.difference is None and self.damage is None


@dataclass(slots=True)
class _Step:
    place: str
    now_ms: int
    event: Event
    decided: list[str]
    written: list[str] = field(default_factory=list)


class _Replayer:
    def __init__(self, since_ms: int, until_ms: int) -> None:
        self.result = Replay()
        self._since_ms, self._until_ms = since_ms, until_ms
        self._engine: Engine | None = None
        self._step: _Step | None = None
        self._torn: Damage | None = None

    def take(self, line: Line) -> None:
        try:
            now_ms, item = decode(line.text)
        except JournalError as error:
            if self._torn is not None:
                self.result.damage = self._torn
            self._torn = Damage(line.place, str(error))
            return
        if isinstance(item, tuple):
            self.end_of_life()
            self._engine = Engine(*item)
            self.result.lives += now_ms < self._until_ms
            return
        if self._torn is not None:
            self.result.damage = self._torn
        elif type(item) in _DECISIONS:
            if self._step is not None:
                self._step.written.append(line.text)
        elif self._engine is None:
            self.result.damage = Damage(line.place, "an event before any header: the journal begins in the middle")
        else:
            self._compare()
            event: Event = item  # type: ignore[assignment]
            decided = [encode(decision, now_ms) for decision in self._engine.handle(event, now_ms)]
            self._step = _Step(line.place, now_ms, event, decided)

    def end_of_life(self) -> None:
        """The engine stopped here: what a crash may have left undone is forgiven."""
        if self._torn is not None:
            self.result.torn += 1
            self._torn = None
        step = self._step
        if step is not None and self._within(step) and step.written == step.decided[: len(step.written)]:
            self.result.unwritten += len(step.decided) - len(step.written)
            step.decided = step.decided[: len(step.written)]
        self._compare()

    def _within(self, step: _Step) -> bool:
        return self._since_ms <= step.now_ms < self._until_ms

    def _compare(self) -> None:
        step, self._step = self._step, None
        if step is None or not self._within(step):
            return
        self.result.events += 1
        self.result.decisions += len(step.written)
        if step.written != step.decided:
            pairs = enumerate(zip(step.written, step.decided, strict=False))
            shorter = min(len(step.written), len(step.decided))
            at = next((number for number, (old, new) in pairs if old != new), shorter)
            self.result.difference = Difference(
                step.place, step.now_ms, type(step.event).__name__, at, tuple(step.written), tuple(step.decided)
            )


_DECISIONS = frozenset(DECISIONS.values())


def replay(lines: Iterable[Line], since_ms: int = 0, until_ms: int = 10**15) -> Replay:
    """Feed and compare until the first difference or damage. Never raises on what a journal may hold."""
    replayer = _Replayer(since_ms, until_ms)
    for line in lines:
        replayer.take(line)
        if not replayer.result.same:
            return replayer.result
    replayer.end_of_life()
    return replayer.result
