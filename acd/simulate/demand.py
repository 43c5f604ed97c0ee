"""Who calls on one day, how long each would wait and talk: drawn before the day begins, whatever its roster.

Two rosters can so be compared on the same citizens: what differs between two days is the roster and nothing else.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from itertools import accumulate
from random import Random

from acd.simulate.scenario import SLOT_S, Kind, Scenario

_SLOT_MS = SLOT_S * 1000


@dataclass(slots=True)
class Try:
    """One attempt of one citizen. `at_ms` counts from opening; `patience_ms` None: waits for ever."""

    citizen: int
    number: int  # the citizen's first attempt is 1
    at_ms: int
    kind: Kind
    patience_ms: int | None
    ring_ms: int
    talk_ms: int
    wrapup_ms: int
    again_ms: int | None  # after giving up, calls again so much later; None: never

    @property
    def call_id(self) -> str:
        return f"s{self.citizen}-{self.number}"


class Demand:
    """The first tries of a day in order of time, and every citizen's later ones."""

    def __init__(self, scenario: Scenario, seed: int = 0) -> None:
        self._scenario, self._seed = scenario, seed
        times = self._times()
        random = Random(f"{seed} citizens")
        self.first = [self._try(random, citizen, 1, at_ms) for citizen, at_ms in enumerate(times)]
        self._later: dict[tuple[int, int], Try] = {}

    def _times(self) -> list[int]:
        """Calls come at random: given how many come in a day, each comes in its own moment, whatever the others do."""
        scenario, random = self._scenario, Random(f"{self._seed} arrivals")
        upto = list(accumulate(scenario.profile))
        times = []
        for _ in range(scenario.calls):
            slot = bisect_left(upto, random.random() * upto[-1])
            times.append(round((slot + random.random()) * _SLOT_MS))
        return sorted(times)

    def again(self, last: Try, gave_up_ms: int) -> Try | None:
        """The next attempt of somebody who has just given up, if there is one."""
        if last.again_ms is None:
            return None
        key = (last.citizen, last.number + 1)
        drawn = self._later.get(key)
        if drawn is None:
            random = Random(f"{self._seed} {key}")
            drawn = self._later[key] = self._try(random, *key, 0, last.kind)
        return Try(
            drawn.citizen, drawn.number, gave_up_ms + last.again_ms, drawn.kind, drawn.patience_ms, drawn.ring_ms,
            drawn.talk_ms, drawn.wrapup_ms, drawn.again_ms,
        )  # fmt: skip

    def _try(self, random: Random, citizen: int, number: int, at_ms: int, kind: Kind | None = None) -> Try:
        scenario = self._scenario
        chance = random.random()
        if kind is None:
            upto = accumulate(one.share for one in scenario.callers)
            kind = next(
                (one for one, until in zip(scenario.callers, upto, strict=True) if chance < until), scenario.callers[-1]
            )
        patience_ms = scenario.patience.draw_ms(random)
        ring_ms, talk_ms, wrapup_ms = (
            spell.draw_ms(random) or 0 for spell in (scenario.ring, scenario.talk, scenario.wrapup)
        )
        redials, after_ms = random.random() < scenario.redial.chance, scenario.redial.after.draw_ms(random)
        again_ms = after_ms if redials and number < scenario.redial.most else None
        return Try(citizen, number, at_ms, kind, patience_ms, ring_ms, talk_ms, wrapup_ms, again_ms)
