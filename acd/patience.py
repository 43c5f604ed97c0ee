"""How long do callers of a queue keep waiting before they leave unanswered? Learned from who left and who did not.

The risk of leaving differs with how long somebody has waited, so it is kept apart for spells of waiting: the time that
callers spent in each spell, and how many left within it (the actuarial estimate of a survival curve). What holds a
caller no longer (hanging up, being sent on, choosing a call-back) is all the same here: the place is given up. As long
as little is known of a spell, it is drawn towards the risk in all of them together, and that towards nobody leaving.

Only operations whose result IEEE 754 fixes: a journal must replay to the same bytes on every machine.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field

_EDGES_MS = tuple(1_000 * edge for edge in (0, 15, 30, 60, 90, 120, 180, 240, 360, 480, 720, 960))
_SPELLS = len(_EDGES_MS)
_REMEMBERED_MS = 2_000 * _EDGES_MS[1]  # then the past counts half: about the last 2,000 callers are remembered
_FAITH_MS = 600_000  # waiting that a spell must have seen to count as much as all spells together
_PRIOR_MS = 900_000  # waiting without anybody leaving that is taken for granted
_RENEW_EVERY = 16


@dataclass(frozen=True, slots=True)
class Survival:
    """The share of callers who are still in line after so long."""

    shares: tuple[float, ...]  # at the edges
    slopes: tuple[float, ...]  # a millisecond, within each spell
    last_risk: float  # a millisecond, after the last edge

    def at(self, waited_ms: float) -> float:
        """1 to 0, at 0 ms and more."""
        spell = bisect_right(_EDGES_MS, waited_ms) - 1
        later_ms = waited_ms - _EDGES_MS[spell]
        if spell == _SPELLS - 1:
            return self.shares[spell] / (1 + self.last_risk * later_ms)
        return self.shares[spell] + self.slopes[spell] * later_ms


@dataclass(slots=True)
class Patience:
    """What has been seen of the callers of one queue."""

    spent_ms: list[int] = field(default_factory=lambda: [0] * _SPELLS)
    gone: list[int] = field(default_factory=lambda: [0] * _SPELLS)
    _seen: int = 0
    _survival: Survival | None = None

    def learn(self, waited_ms: int, *, gave_up: bool) -> None:
        """A caller is out of line: served, or gone without."""
        waited_ms = max(0, waited_ms)
        last = bisect_right(_EDGES_MS, waited_ms) - 1
        for spell in range(last):
            self.spent_ms[spell] += _EDGES_MS[spell + 1] - _EDGES_MS[spell]
        self.spent_ms[last] += waited_ms - _EDGES_MS[last]
        self.gone[last] += gave_up
        if self.spent_ms[0] > _REMEMBERED_MS:
            self.spent_ms = [spent // 2 for spent in self.spent_ms]
            self.gone = [gone // 2 for gone in self.gone]
        self._seen += 1
        if self._seen % _RENEW_EVERY == 0:
            self._survival = None

    def survival(self) -> Survival:
        if self._survival is None:
            self._survival = self._estimate()
        return self._survival

    def _estimate(self) -> Survival:
        everywhere = sum(self.gone) / (sum(self.spent_ms) + _PRIOR_MS)
        known = zip(self.spent_ms, self.gone, strict=True)
        risks = [(gone + everywhere * _FAITH_MS) / (spent + _FAITH_MS) for spent, gone in known]
        shares, slopes = [1.0], []
        for spell in range(_SPELLS - 1):
            width = _EDGES_MS[spell + 1] - _EDGES_MS[spell]
            half = risks[spell] * width / 2
            shares.append(shares[-1] * max(0.05, (1 - half) / (1 + half)))
            slopes.append((shares[-1] - shares[-2]) / width)
        return Survival(tuple(shares), tuple(slopes), risks[-1])
