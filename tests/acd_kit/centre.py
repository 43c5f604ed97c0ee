"""A small call centre with real chance in it, to hold what is foretold against what comes.

Calls arrive as a Poisson process whose rate swings over the day, handling times are log-normal, some callers give up.
Everything is drawn from one seeded generator, so a run can be repeated.
"""

from __future__ import annotations

from collections import deque
from heapq import heappop, heappush
from math import log, sqrt
from random import Random

from acd.model import (
    AgentSignedIn,
    CallJoined,
    CallLeft,
    EngineConfig,
    Event,
    Offer,
    OfferAnswered,
    TalkEnded,
    Tick,
    WaitPredicted,
)
from tests.acd_kit.lab import Lab


class Centre:
    """`told` holds, for every caller who was told a wait and then answered: foretold (low, middle, high), what came,
    and what an average of the waits of the last 32 answered would have said, all in seconds."""

    def __init__(self, config: EngineConfig, seed: int, *, mean_s: float = 180, variation: float = 0.7) -> None:
        self.lab = Lab(config)
        self.random = Random(seed)
        self._shape = sqrt(log(1 + variation * variation))
        self._scale = log(mean_s) - self._shape**2 / 2
        self._todo: list[tuple[int, int, Event]] = []
        self._count = 0
        self._predicted: dict[str, tuple[int, WaitPredicted, float]] = {}
        self._joined: dict[str, int] = {}
        self._waits: deque[float] = deque(maxlen=32)
        self.told: list[tuple[WaitPredicted, float, float]] = []

    def staff(self, count: int, **skills: int) -> None:
        for _ in range(count):
            self._count += 1
            self.do(AgentSignedIn(f"{1000 + self._count}", dict(skills), tuple(self.lab.engine._floor.lines), True))

    def calls(self, hours: float, per_hour: float, swing: float = 0.0, **values: object) -> None:
        """Callers come; the rate goes up and down by `swing` of itself within an hour and a half."""
        at, end = 0.0, hours * 3600
        while at < end:
            now = per_hour * (1 + swing * (1 if int(at // 2700) % 2 else -1))
            at += self.random.expovariate(now / 3600)
            self._count += 1
            joined = self.lab.now + int(at * 1000)
            self._later(joined, CallJoined(f"c{self._count}", joined_ms=joined, attempt=1, **values))  # type: ignore[arg-type]

    def _later(self, at_ms: int, event: Event) -> None:
        self._count += 1
        heappush(self._todo, (at_ms, self._count, event))

    def do(self, event: Event) -> None:
        decisions = self.lab.do(event)
        while decisions:
            answers: list[Event] = []
            for decision in decisions:
                if isinstance(decision, Offer):
                    answers.append(OfferAnswered(decision.call_id, decision.agent_id, decision.offer_id))
                    self._answered(decision)
                elif isinstance(decision, WaitPredicted):
                    average = sum(self._waits) / len(self._waits) if self._waits else 0.0
                    self._predicted[decision.call_id] = (self.lab.now, decision, average)
            decisions = self.lab.do(*answers) if answers else []

    def _answered(self, offer: Offer) -> None:
        now = self.lab.now
        self._waits.append((now - self._joined[offer.call_id]) / 1000)
        if offer.call_id in self._predicted:
            at_ms, told, average = self._predicted.pop(offer.call_id)
            waited = (at_ms - self._joined[offer.call_id]) / 1000
            self.told.append((told, (now - at_ms) / 1000, max(0.0, average - waited)))
        ends = now + int(self.random.lognormvariate(self._scale, self._shape) * 1000)
        self._later(ends, TalkEnded(offer.call_id, offer.agent_id))
        self._later(ends, CallLeft(offer.call_id))

    def run(self) -> None:
        """Until nobody is left."""
        while self._todo:
            wake = self.lab.engine.next_wake_ms()
            if wake is not None and wake < self._todo[0][0]:
                self.lab.now = max(self.lab.now, wake)
                self.do(Tick())
                continue
            self.lab.now, _, event = heappop(self._todo)
            if isinstance(event, CallJoined):
                self._joined[event.call_id] = self.lab.now
            self.do(event)

    def coverage(self) -> float:
        return sum(told.low_s <= came <= told.high_s for told, came, _ in self.told) / len(self.told)

    def error_s(self) -> float:
        return sum(abs(told.middle_s - came) for told, came, _ in self.told) / len(self.told)

    def average_error_s(self) -> float:
        """The mean error of foretelling the average wait of those answered last."""
        return sum(abs(average - came) for _, came, average in self.told) / len(self.told)
