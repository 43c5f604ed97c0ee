"""When do agents become free? From how long talks and wrap-ups of a queue have lasted, on a grid of cells of time.

An agent who has talked for t will end as those talks ended that lasted longer than t, then wrap up as wrap-ups are, be
offered the next caller at once, and so on (renewal theory). In which cell a talk or a wrap-up at hand will end is a
slice of what was counted; what follows after it is the same for everybody and worked out once.

A journal must replay to the same bytes on every machine: only operations whose result IEEE 754 fixes are used, and
`fsum`, for `sum` adds floats differently from one version of Python to the next.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from math import fsum, sqrt
from operator import mul

from acd.values import clamped

CELLS = 24
_A_CYCLE = 15  # cells for one mean handling, so that the grid holds 1.6 of them
# What has lasted for so many cells is as what has lasted for the one named here: not every cell need be told apart.
_ALIKE = (*range(8), *(cell // 2 * 2 for cell in range(8, 24)), *(cell // 4 * 4 for cell in range(24, 72)))
_ELAPSED = len(_ALIKE)
_SHORTEST_MS, _LONGEST_MS = 5_000, 3_600_000
_SAMPLE = 512
_RINGS = 64
_BREAKS = 32
_RENEW_EVERY = 32
_WINSORISED = 256  # one in so many, and one of few
_FEW = 5  # with fewer that lasted longer, nothing is known of how they end
_RING_MS = 5_000
# Before much is known talks are taken to vary as an exponential distribution does: means of its eighths.
_EIGHTHS = (0.0653, 0.2086, 0.3761, 0.5774, 0.8301, 1.1699, 1.6931, 3.0794)
_WRAPUP_SHARE = 4  # of the expected handling at most so much is wrap-up


# Of spans that are alike: how many there are now for each that was counted, and the cell that they have come to.
Ends = list[tuple[float, int]]
Delay = list[tuple[int, float]]  # cells, and the chance that it takes so many; what never happens is left out


@dataclass(frozen=True, slots=True)
class Spans:
    """What was counted of talks, or of wrap-ups. `lasted[n]`: how many lasted n cells and more; `ended[n]`: how many
    ended within cell n, a whole number; `lumps`: the chance to last n cells, each span shared out between the cells
    next to it."""

    mean_ms: float
    lasted: list[int]
    ended: list[float]
    lumps: list[float]
    alike: tuple[int, ...]  # by cells since the beginning: the cell from which it is known how such spans end

    def ends(self, counts: Mapping[int, int]) -> Ends:
        """When they will end, of whom there are so many by cells since they began."""
        together: dict[int, int] = {}
        last = self.alike[-1]
        for cell, count in counts.items():
            alike = self.alike[cell] if cell < _ELAPSED else last
            together[alike] = together.get(alike, 0) + count
        return [(count / (self.lasted[cell] or 1), cell) for cell, count in together.items()]

    def ending(self, ends: Ends, begin: int, end: int) -> list[float]:
        """How many of these spans end in each cell from now on, from one cell to another."""
        ended, many = self.ended, []
        for cell in range(begin, end):
            ending = 0.0
            for each, now in ends:
                ending += each * ended[now + cell]
            many.append(ending)
        return many


def _winsorised(ordered: list[int]) -> list[int]:
    """The longest few count as the next shorter, so that one forgotten call spoils nothing."""
    kept = len(ordered) - max(len(ordered) // _WINSORISED, len(ordered) >= _SAMPLE // 16)
    return ordered[:kept] + [ordered[kept - 1]] * (len(ordered) - kept)


def _spans(ordered: list[int], cell_ms: int) -> Spans:
    """Counted from spans in ascending order (ms), at least one."""
    count = len(ordered)
    upto = [bisect_left(ordered, cell * cell_ms) for cell in range(_ELAPSED + CELLS + 1)]
    lasted = [count - before for before in upto]
    ended = [float(before - after) for before, after in pairwise(lasted)]
    sums = [0, *accumulate(ordered)]
    lumps = [0.0] * (CELLS + 1)
    for cell in range(CELLS):
        if ended[cell]:
            beyond = (sums[upto[cell + 1]] - sums[upto[cell]]) / cell_ms - ended[cell] * cell
            lumps[cell] += (ended[cell] - beyond) / count
            lumps[cell + 1] += beyond / count
    oldest = max([cell for cell in range(_ELAPSED) if lasted[cell] >= _FEW], default=0)
    alike = tuple([cell if cell < oldest else oldest for cell in _ALIKE])
    return Spans(sums[-1] / count, lasted, ended, lumps[:CELLS], alike)


def _delay(chances: Sequence[float]) -> Delay:
    return [(cell, chance) for cell, chance in enumerate(chances) if chance]


def _delayed(flow: Sequence[float], delay: Delay) -> list[float]:
    """The flow after a delay: their convolution, as far as the flow is known."""
    late_by = [[0.0] * late + [one * chance for one in flow] for late, chance in delay]
    if len(late_by) == 1:
        return late_by[0][: len(flow)]
    return [*map(fsum, zip(*late_by, strict=False))][: len(flow)]


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How agents of a queue work: what one profile of a demand after the other is worked out from."""

    cell_ms: int
    ring_ms: int
    ring_spread_ms: float  # standard deviation
    mean_ms: float  # from one offer to the next, of an agent who is never idle
    talk: Spans
    wrapup: Spans
    after_talk: Delay  # the wrap-up
    ever_after: list[float]  # by cell: becoming free now (1 in the first cell), and again and again

    @classmethod
    def of(
        cls, talks: Sequence[int], wrapups: Sequence[int], rings: Sequence[int], expected_ms: int, limit_ms: int
    ) -> Rhythm:
        """`limit_ms`: when a wrap-up ends by itself; with `expected_ms` what is taken for granted at first."""
        wrapup_ms = min(limit_ms, expected_ms // _WRAPUP_SHARE)
        talk_ms = max(_SHORTEST_MS, expected_ms - wrapup_ms)
        talked = _winsorised(sorted([*talks, *(int(part * talk_ms) for part in _EIGHTHS)]))
        wrapped = _winsorised(sorted([*wrapups, *[wrapup_ms] * len(_EIGHTHS)]))
        ring_ms = sum(rings) // len(rings) if rings else _RING_MS
        ring_spread_ms = (
            sqrt(fsum((took - ring_ms) * (took - ring_ms) for took in rings) / len(rings)) if rings else 0.0
        )
        mean_ms = ring_ms + sum(talked) / len(talked) + sum(wrapped) / len(wrapped)
        cell_ms = max(1, int(mean_ms) // _A_CYCLE)
        talk, wrapup = _spans(talked, cell_ms), _spans(wrapped, cell_ms)
        after_talk = _delay(wrapup.lumps)
        ring, part = divmod(ring_ms, cell_ms)
        late = part / cell_ms
        rung = [(ring, 1 - late), (ring + 1, late)]
        cycle = _delayed(_delayed(talk.lumps, after_talk), rung)
        cycle[1] += cycle[0]
        again = [1.0]
        for cell in range(1, CELLS):
            again.append(fsum(map(mul, again, cycle[cell:0:-1])))
        return cls(cell_ms, ring_ms, ring_spread_ms, mean_ms, talk, wrapup, after_talk, again)

    def wrap_up(self, flow: Sequence[float]) -> list[float]:
        """When those become free whose talks end so, by cell."""
        return _delayed(flow, self.after_talk)


@dataclass(slots=True)
class Work:
    """How long talks, wrap-ups and ringing of a queue have lasted lately (ms)."""

    talks: deque[int] = field(default_factory=lambda: deque(maxlen=_SAMPLE))
    wrapups: deque[int] = field(default_factory=lambda: deque(maxlen=_SAMPLE))
    rings: deque[int] = field(default_factory=lambda: deque(maxlen=_RINGS))
    _learned: int = 0
    _rhythm: Rhythm | None = None

    def talked(self, took_ms: int) -> None:
        self.talks.append(clamped(took_ms, _SHORTEST_MS, _LONGEST_MS))
        self._learned += 1
        if self._learned <= _RENEW_EVERY or self._learned % _RENEW_EVERY == 0:
            self._rhythm = None

    def wrapped_up(self, took_ms: int) -> None:
        self.wrapups.append(clamped(took_ms, 0, _LONGEST_MS))

    def rang(self, took_ms: int) -> None:
        self.rings.append(clamped(took_ms, 0, _LONGEST_MS))

    def rhythm(self, expected_ms: int, limit_ms: int) -> Rhythm:
        if self._rhythm is None:
            self._rhythm = Rhythm.of(self.talks, self.wrapups, self.rings, expected_ms, limit_ms)
        return self._rhythm


@dataclass(slots=True)
class Breaks:
    """How long agents have lately been not ready before they came back (ms), and whether it was known beforehand that
    they would go: said while they still had a call, or only when it was over."""

    recent: deque[int] = field(default_factory=deque)
    ordered: list[int] = field(default_factory=list)
    said: deque[bool] = field(default_factory=lambda: deque(maxlen=_BREAKS))

    def learn(self, took_ms: int) -> None:
        self.recent.append(took_ms)
        insort(self.ordered, took_ms)
        if len(self.recent) > _BREAKS:
            del self.ordered[bisect_left(self.ordered, self.recent.popleft())]

    def back(self, elapsed_ms: Sequence[int], cell_ms: int) -> list[float]:
        """How many of those who have been away for so long come back in each cell and stand in for others.

        Others will go meanwhile. Those who have said so are not counted among the agents who serve, so whoever comes
        back takes the place of one of them; where nobody says so beforehand, everybody is counted already.
        """
        flow = [0.0] * CELLS
        share = sum(self.said) / len(self.said) if self.said else 0.0
        for elapsed in elapsed_ms if share else ():
            over = bisect_right(self.ordered, elapsed)
            longer = len(self.ordered) - over
            if longer >= _FEW:
                within = bisect_left(self.ordered, elapsed + CELLS * cell_ms)
                for took in self.ordered[over:within]:
                    flow[(took - elapsed) // cell_ms] += share / longer
        return flow
