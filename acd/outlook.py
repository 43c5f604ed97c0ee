"""How long will this caller wait? From how agents become free and how callers ahead give up.

An average of the waits of those answered lately (as Asterisk's app_queue keeps it) tells of those who joined long ago.
Here instead the queue as it stands is played on, in the mean:

1. *How many times will an agent become free by then?* Every agent who can serve the caller is in some state for some
   time: in a talk, in wrap-up, being offered somebody. `acd.freeing` says from what was measured when such talks and
   wrap-ups end, and what comes after. Who will take no more calls does not count, unless others who are on a break are
   expected back meanwhile.
2. *How many ahead will give up?* The line goes on by one place whenever an agent becomes free, and faster by those who
   have left by then. `acd.patience` says how many of those who have waited so long are still there so much later.
3. *Who else is served before?* Callers of other needs who compete for the same agents and those who will probably still
   overtake, as `acd.prediction` reckons them.

1 and 2 are worked out once for all callers of a demand, as the moment at which the line has gone on by so many places,
and hold for some seconds. What is told is a range around the median, for that is what is least far off. It should hold
eight of ten times; `acd.calibration.calibration` says whether it does.

A journal must replay to the same bytes on every machine: only operations whose result IEEE 754 fixes are used, and
`fsum`, for `sum` adds floats differently from one version of Python to the next.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from itertools import accumulate
from math import fsum, sqrt
from typing import TYPE_CHECKING

from acd.freeing import CELLS, Rhythm, spread_out
from acd.patience import Survival
from acd.prediction import Wait, overtakers_of, rivals_of, will_overtake
from acd.records import Call, Demand
from acd.states import AgentState
from acd.tables import BEING_OFFERED, IN_TALK

if TYPE_CHECKING:
    from acd.floor import Floor

_GOOD_MS = (1_000, 40_000)  # how old a profile may be, at least and at most
_EACH_MS = 300  # so much older for every demand there is: three a second are made anew, however many there are
_GOOD_PART = 100  # of a wait, a profile may be so old
_MOST_AGENTS = 200  # of more agents so many are looked at and stand for all
_MARGIN = 1.25  # places behind the last one for which the profile is still worked out
_LONGER = 1.4  # beyond the grid every step is so much longer than the one before
_MOST_STEPS = 64
_FEWEST_LEFT = 0.02  # of those at one place in line: so few are still there at the least
# The median of the moment at which so many have left lies behind the moment at which on average one less has: by two
# thirds of a place where each leaves by chance, by half a place where all are sure to.
_LAST_PLACE = 0.6
_ROUNDS = 2
_Z = 1.2816  # the ninetieth percentile
_SHARE_UNSURE = 0.25  # how far off the share of other demands' callers may be
_OVERTAKING_UNSURE = 0.5
_UNSURE = 0.08  # how far off the pace of agents and callers may be


# ------------------------------------------------------------------------------------------------- how the line goes on


@dataclass(slots=True)
class Outlook:
    """How the line of one demand goes on from the moment `made` (tau): `places[n]` gone on `moments[n]` ms later, give
    or take the square root of `spread[n]` places. `pace` is that at the end, in places a millisecond."""

    made: int
    good_until: int
    agents: int
    mean_ms: int
    ring_ms: int
    ring_spread_ms: float
    moments: list[float]
    places: list[float]
    spread: list[float]
    pace: float
    leaving: float  # a millisecond: the share of those in line who give up
    rivals: list[tuple[float, float]]  # of each competing demand: agents shared, and callers for each of its agents
    all_rivals: float
    overtakers: list[tuple[int, float]]  # priority, and how many of it overtake somebody in a millisecond
    above: dict[int, tuple[list[tuple[int, float]], float]] = field(default_factory=dict)  # by priority

    def when(self, place: float) -> float:
        """Milliseconds after `made` until the line has gone on by so many places."""
        at = bisect_left(self.places, place)
        if at == len(self.places):
            return self.moments[-1] + (place - self.places[-1]) / self.pace
        if at == 0:
            return 0.0
        before = self.places[at - 1]
        part = (place - before) / (self.places[at] - before)
        return self.moments[at - 1] + part * (self.moments[at] - self.moments[at - 1])

    def until(self, ms: float) -> float:
        """By how many places the line has gone on."""
        at = bisect_right(self.moments, ms)
        if at == len(self.moments):
            return self.places[-1] + (ms - self.moments[-1]) * self.pace
        begin = self.moments[at - 1]
        part = (ms - begin) / (self.moments[at] - begin)
        return self.places[at - 1] + part * (self.places[at] - self.places[at - 1])

    def spread_ms(self, place: float, ms: float, unsure_places: float) -> float:
        """The standard deviation of the moment at which the line has gone on by so many places, expected after `ms`."""
        at = min(bisect_right(self.moments, ms), len(self.moments) - 1)
        begin = self.moments[at - 1]
        part = min(1.0, (ms - begin) / (self.moments[at] - begin))
        varied = self.spread[at - 1] + part * (self.spread[at] - self.spread[at - 1])
        # Of the chance in so many departures and in the one that serves the caller.
        off = sqrt(varied * (place + 1 - _LAST_PLACE) / place + unsure_places)
        later = self.when(place + off)
        off_ms = (later - self.when(place - off)) / 2 if place > off else later - ms
        return sqrt(_square(off_ms) + _square(_UNSURE * ms) + _square(self.ring_spread_ms))


def outlook(floor: Floor, demand: Demand) -> Outlook | None:
    """The demand's present outlook; None while nobody works who will serve it."""
    last, tau = demand.profile, floor.clock.tau
    if isinstance(last, Outlook) and tau < last.good_until:
        return last
    line = floor.lines[demand.key.queue]
    limit_s = floor.config.wrapup_s if line.config.wrapup_s is None else line.config.wrapup_s
    rhythm = line.work.rhythm(floor.config.expected_handling_s * 1000, limit_s * 1000)
    serving = [agent for agent in demand.agents.values() if agent.counted_staffed and agent.next_state is None]
    if not serving:
        demand.profile = None
        return None
    busy = _busy(floor, demand, rhythm)
    rivals = rivals_of(demand, serving)
    all_rivals = fsum(agents * each for agents, each in rivals)
    survival = line.patience.survival()
    waiting = demand.waiting.size
    ages = _ages(floor, demand)
    moments, places, spread = _go_on(busy, rhythm, survival, ages, waiting, (waiting + all_rivals) * _MARGIN + 8)
    age = max(int(rhythm.mean_ms) * waiting // len(serving) // _GOOD_PART, len(floor.demands) * _EACH_MS)
    good_until = tau + min(max(age, _GOOD_MS[0]), _GOOD_MS[1])
    pace = (places[-1] - places[-2]) / (moments[-1] - moments[-2])
    middle = (ages[0] + ages[1]) / 2
    leaving = 1 / max(_FEWEST_LEFT, survival.at(middle + 1_000) / survival.at(middle))
    demand.profile = Outlook(
        tau, good_until, len(serving), int(rhythm.mean_ms), rhythm.ring_ms, rhythm.ring_spread_ms, moments, places,
        spread, pace, (leaving - 1) / 1_000, rivals, all_rivals, overtakers_of(line, tau, demand.staffed),
    )  # fmt: skip
    return demand.profile


def _ages(floor: Floor, demand: Demand) -> tuple[int, int]:
    """For how long the first and the last in line have waited (ms)."""
    first, last = demand.waiting.first(), demand.waiting.last()
    if first is None or last is None:
        return 0, 0
    wall = floor.clock.wall
    oldest, newest = wall - floor.calls[first[3]].joined, wall - floor.calls[last[3]].joined
    return max(oldest, newest), min(oldest, newest)


@dataclass(frozen=True, slots=True)
class Busy:
    """How many times agents become free in each cell, and of how many of them it is not chance."""

    flow: list[float]
    spread: list[float]  # the variance of how many times up to the end of each cell
    pace: float  # a millisecond, beyond the grid


def _busy(floor: Floor, demand: Demand, rhythm: Rhythm) -> Busy:
    """What the agents of a demand are doing, played on."""
    everybody = list(demand.agents.values())
    looked_at = everybody[:: -(-len(everybody) // _MOST_AGENTS)]
    weight = len(everybody) / len(looked_at)
    talks: dict[int, int] = {}  # by cells since it began
    wrapups: dict[int, int] = {}
    free = [0.0] * CELLS
    away: list[int] = []  # for how long
    tau, cell_ms = floor.clock.tau, rhythm.cell_ms
    half = cell_ms // 2
    for agent in looked_at:
        state = agent.state
        if not agent.counted_staffed:
            if state is AgentState.NOT_READY:
                away.append(tau - agent.entered)
        elif agent.next_state is not None:
            continue
        elif state in IN_TALK:
            began = tau if agent.work_started is None else agent.work_started
            cell = (tau - began + half) // cell_ms
            talks[cell] = talks.get(cell, 0) + 1
        elif state is AgentState.WRAP_UP:
            left = 0 if agent.wrapup_timer is None else max(0, agent.wrapup_timer[0] - tau)
            if left <= rhythm.wrapup.mean_ms:
                free[min(left // cell_ms, CELLS - 1)] += 1
            else:
                cell = (tau - agent.entered + half) // cell_ms
                wrapups[cell] = wrapups.get(cell, 0) + 1
        elif state in BEING_OFFERED:
            talks[0] = talks.get(0, 0) + 1
        elif agent.in_use or agent.outside:
            cell = int(rhythm.talk.mean_ms) // cell_ms
            talks[cell] = talks.get(cell, 0) + 1
        else:
            free[0] += 1
    from_talk = spread_out(rhythm.talk.ends(talks), rhythm.after_talk)
    from_wrapup = rhythm.wrapup.ends(wrapups)
    first = [a + b + c for a, b, c in zip(from_talk, from_wrapup, free, strict=True)]
    flow = spread_out(first, rhythm.ever_after)
    spread = _variance(from_talk, from_wrapup, flow, sum(talks.values()), sum(wrapups.values()), weight)
    working = sum(talks.values()) + sum(wrapups.values()) + fsum(free)
    back = floor.breaks.back(away, cell_ms)
    pace = working / rhythm.mean_ms + fsum(back) / (CELLS * cell_ms)
    return Busy([(one + more) * weight for one, more in zip(flow, back, strict=True)], spread, pace * weight)


def _variance(
    from_talk: list[float], from_wrapup: list[float], flow: list[float], talks: int, wrapups: int, weight: float
) -> list[float]:
    """Of how many times agents became free up to each cell's end. Who is sure to be free by then varies no more."""
    spread = []
    for talked, wrapped, every in zip(accumulate(from_talk), accumulate(from_wrapup), accumulate(flow), strict=True):
        sure = (talked * talked / talks if talks else 0.0) + (wrapped * wrapped / wrapups if wrapups else 0.0)
        spread.append(max(0.0, every - sure) * weight)
    return spread


def _go_on(
    busy: Busy, rhythm: Rhythm, survival: Survival, ages: tuple[int, int], waiting: int, enough: float
) -> tuple[list[float], list[float], list[float]]:
    """Moments, places by which the line has gone on, and their variance, until `enough` places.

    At place x of the line stood somebody who had waited a; so much later, only a share of such callers is still there,
    and the line goes on over that place so much faster.
    """
    oldest, newest = ages
    each = (oldest - newest) / max(1, waiting)
    moments, places, spread = [0.0], [0.0], [0.0]
    moment, place, step, served, on_grid = 0.0, 0.0, float(rhythm.cell_ms), 0.0, 0.0
    for number in range(_MOST_STEPS):
        if number < CELLS:
            more, varied = busy.flow[number], busy.spread[number]
        else:
            step *= _LONGER
            more = busy.pace * step
            varied = busy.spread[-1] + served - on_grid
        age = max(0.0, oldest - each * place)
        still = max(_FEWEST_LEFT, survival.at(age + moment + step / 2) / survival.at(age))
        moment += step
        served += more
        if number == CELLS - 1:
            on_grid = served
        place += max(more / still, 1e-9)
        moments.append(moment)
        places.append(place)
        spread.append(varied / (still * still) + place - served)
        if place >= enough:
            break
    return moments, places, spread


# ------------------------------------------------------------------------------------------------------ the prediction


def foretell(floor: Floor, call: Call, position: int) -> Wait | None:
    """The wait of a caller at this place in line; None while nobody works who could serve them."""
    demand, line = call.demand, floor.lines[call.queue]
    if demand is None or call.key is None:
        return None
    seen = outlook(floor, demand)
    if seen is None:
        return None
    ahead, since = demand.waiting.rank(call.key), floor.clock.tau - seen.made
    # Where the line stood when the outlook was made, some have left since.
    own = seen.until(since) + ahead * (1 + seen.leaving * since) + _LAST_PLACE
    share_ahead = (position - 1) / max(1, line.order.size - 1)
    others = seen.all_rivals * share_ahead
    turn = seen.when(own + others)
    for _ in range(_ROUNDS if others else 0):
        most = max(0.0, turn - since) / seen.mean_ms
        others = fsum(
            [
                agents * (ahead_each if (ahead_each := each * share_ahead) < most else most)
                for agents, each in seen.rivals
            ]
        )
        turn = seen.when(own + others)
    overtaking = 0.0
    if seen.overtakers:
        overtaking = will_overtake(floor, call, seen, max(0.0, turn - since))
        turn = seen.when(own + others + overtaking) if overtaking else turn
    unsure = _square(others * _SHARE_UNSURE) + _square(overtaking * _OVERTAKING_UNSURE)
    middle = max(0.0, turn - since) + seen.ring_ms
    low, high = _range(middle, seen.spread_ms(own + others + overtaking, turn, unsure))
    return Wait(int(low) // 1000, int(middle) // 1000, -(-int(high) // 1000), seen.agents)


def _range(median: float, spread: float) -> tuple[float, float]:
    """The 10th and 90th percentile of a gamma distribution with this median and standard deviation, by Wilson and
    Hilferty's cube."""
    mean = median + _square(spread) / (3 * median + 1)  # nearly
    step = _square(spread / mean) / 9
    half, off = 1 - step, _Z * sqrt(step)
    low, high = max(0.0, 1 - off / half), 1 + off / half
    return median * low * low * low, median * high * high * high


def _square(value: float) -> float:
    return value * value
