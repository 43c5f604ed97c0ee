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
and so is 3; how many stand ahead is counted anew for every forecast. To work out 1 and 2 takes by far the longest, and
they change the least: where there are many demands, they hold three times as long as 3, at most two minutes.

What is told is a range around the median, for that is what is least far off. It should hold eight of ten times;
`acd.calibration.calibration` says whether it does.

A journal must replay to the same bytes on every machine: only operations whose result IEEE 754 fixes are used, and
`fsum`, for `sum` adds floats differently from one version of Python to the next.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import fsum, inf, sqrt
from typing import TYPE_CHECKING

from acd.flow import Flow, flow_of
from acd.patience import Survival
from acd.prediction import Wait, overtakers_of, rivals_of, serving_of, will_overtake
from acd.records import Agent, Call, Demand
from acd.values import clamped

if TYPE_CHECKING:
    from acd.floor import Floor

_GOOD_MS = (1_000, 40_000)  # how old what is known of rivals may be, at least and at most
_EACH_MS = 300  # so much older for every demand there is: three a second are made anew, however many there are
_GOOD_PART = 100  # of a wait, a profile may be so old
_COURSE_LASTS = 3  # times as long, where there are many demands, as what is known of rivals
_CHANGED_PART = 20  # of the agents: with so many more or fewer at work, the course is not good any more
_MARGIN = 1.25  # places behind the last one for which the profile is still worked out
_MOST_STEPS = 64
_FEWEST_LEFT = 0.02  # of those at one place in line: so few are still there at the least
# The median of the moment at which so many have left lies behind the moment at which on average one less has: by two
# thirds of a place where each leaves by chance, by half a place where all are sure to.
_LAST_PLACE = 0.6
_LEAST = 1e-9  # places by which the line goes on in a step, for there is always a next place
_ROUNDS = 2
_Z = 1.2816  # the ninetieth percentile
_SHARE_UNSURE = 0.25  # how far off the share of other demands' callers may be
_OVERTAKING_UNSURE = 0.5
_UNSURE = 0.08  # how far off the pace of agents and callers may be


# ------------------------------------------------------------------------------------------------- how the line goes on


@dataclass(slots=True)
class Outlook:
    """How the line of one demand goes on from the moment `made` (tau): `places[n]` gone on `moments[n]` ms later, give
    or take the square root of `spread[n]` places. Played on as far as it is asked for, at most to `enough` places;
    beyond, the line goes on at a steady `pace`."""

    made: int
    good_until: int
    staffed: int
    agents: int
    mean_ms: int
    ring_ms: int
    ring_spread_ms: float
    flow: Flow
    survival: Survival
    oldest_ms: int  # for how long the first in line had waited
    younger_ms: float  # by so much less each next one
    enough: float
    leaving: float  # a millisecond: the share of those in line who give up
    # Good until then: of each competing demand the agents shared, and how many callers it has for each of its agents;
    # the most of these, infinite where forecasts do not go by it; and by priority how many overtake in a millisecond.
    rivals_until: int = 0
    rivals: list[tuple[float, float]] = field(default_factory=list)
    all_rivals: float = 0.0
    steepest: float = inf
    overtakers: list[tuple[int, float]] = field(default_factory=list)
    above: dict[int, tuple[list[tuple[int, float]], float]] = field(default_factory=dict)  # by priority
    moments: list[float] = field(default_factory=lambda: [0.0])
    places: list[float] = field(default_factory=lambda: [0.0])
    spread: list[float] = field(default_factory=lambda: [0.0])
    pace: float = 0.0  # places a millisecond; known when all is played
    all_played: bool = False

    def _play_on(self) -> None:
        """Some steps more.

        At place x of the line stood somebody who had waited a; so much later, only a share of such callers is still
        there, and the line goes on over that place so much faster.
        """
        moments, places, spread, survives = self.moments, self.places, self.spread, self.survival.at
        oldest, younger, moment, place = self.oldest_ms, self.younger_ms, moments[-1], places[-1]
        for step_ms, free, ever_free, variance in self.flow.steps():
            age = oldest - younger * place
            if age < 0:
                age = 0.0
            still = survives(age + moment + step_ms / 2) / survives(age)
            if still < _FEWEST_LEFT:
                still = _FEWEST_LEFT
            more = free / still
            moment += step_ms
            place += more if more > _LEAST else _LEAST
            moments.append(moment)
            places.append(place)
            spread.append(variance / (still * still) + place - ever_free)
            if place >= self.enough or len(moments) > _MOST_STEPS:
                self.all_played = True
                self.pace = (places[-1] - places[-2]) / (moments[-1] - moments[-2])
                break

    def _play_until(self, ms: float) -> None:
        while ms >= self.moments[-1] and not self.all_played:
            self._play_on()

    def when(self, place: float) -> float:
        """Milliseconds after `made` until the line has gone on by so many places."""
        places, moments = self.places, self.moments
        while place > places[-1] and not self.all_played:
            self._play_on()
        if place > places[-1]:
            return moments[-1] + (place - places[-1]) / self.pace
        at = bisect_left(places, place)
        if at == 0:
            return 0.0
        before, begin = places[at - 1], moments[at - 1]
        return begin + (place - before) / (places[at] - before) * (moments[at] - begin)

    def until(self, ms: float) -> float:
        """By how many places the line has gone on."""
        places, moments = self.places, self.moments
        if ms >= moments[-1]:
            self._play_until(ms)
        at = bisect_right(moments, ms)
        if at == len(moments):
            return places[-1] + (ms - moments[-1]) * self.pace
        before, begin = places[at - 1], moments[at - 1]
        return before + (ms - begin) / (moments[at] - begin) * (places[at] - before)

    def spread_ms(self, place: float, ms: float, unsure_places: float) -> float:
        """The standard deviation of the moment at which the line has gone on by so many places, expected after `ms`."""
        moments, spread = self.moments, self.spread
        if ms >= moments[-1]:
            self._play_until(ms)
        at = bisect_right(moments, ms)
        if at == len(moments):
            at -= 1
        begin = moments[at - 1]
        part = (ms - begin) / (moments[at] - begin)
        varied = spread[at - 1] + (part if part < 1.0 else 1.0) * (spread[at] - spread[at - 1])
        # Of the chance in so many departures and in the one that serves the caller.
        off = sqrt(varied * (place + 1 - _LAST_PLACE) / place + unsure_places)
        later = self.when(place + off)
        off_ms = (later - self.when(place - off)) / 2 if place > off else later - ms
        unsure_ms, ring_ms = _UNSURE * ms, self.ring_spread_ms
        return sqrt(off_ms * off_ms + unsure_ms * unsure_ms + ring_ms * ring_ms)


def outlook(floor: Floor, demand: Demand) -> Outlook | None:
    """The demand's present outlook; None while nobody works who will serve it."""
    last, tau = demand.profile, floor.clock.tau
    if isinstance(last, Outlook) and tau < last.good_until and _about_as_many(demand.staffed, last.staffed):
        if tau >= last.rivals_until:
            _know_rivals(floor, demand, last, serving_of(floor, demand))
        return last
    line = floor.lines[demand.key.queue]
    limit_s = floor.config.wrapup_s if line.config.wrapup_s is None else line.config.wrapup_s
    rhythm = line.work.rhythm(floor.config.expected_handling_s * 1000, limit_s * 1000)
    serving = serving_of(floor, demand)
    if not serving:
        demand.profile = None
        return None
    survival, waiting = line.patience.survival(), demand.waiting.size
    oldest, newest = _ages(floor, demand)
    middle = (oldest + newest) / 2
    leaving = 1 / max(_FEWEST_LEFT, survival.at(middle + 1_000) / survival.at(middle))
    demand.profile = seen = Outlook(
        made=tau,
        good_until=tau,
        staffed=demand.staffed,
        agents=len(serving),
        mean_ms=int(rhythm.mean_ms),
        ring_ms=rhythm.ring_ms,
        ring_spread_ms=rhythm.ring_spread_ms,
        flow=flow_of(floor, demand, rhythm),
        survival=survival,
        oldest_ms=oldest,
        younger_ms=(oldest - newest) / max(1, waiting),
        enough=0.0,
        leaving=(leaving - 1) / 1_000,
    )
    _know_rivals(floor, demand, seen, serving)
    seen.enough = (waiting + seen.all_rivals) * _MARGIN + 8
    seen.good_until = tau + _good_ms(floor, demand, seen, _COURSE_LASTS if floor.foretells_seldom else 1)
    return seen


def _about_as_many(staffed: int, before: int) -> bool:
    return (staffed - before if staffed > before else before - staffed) * _CHANGED_PART <= before


def _know_rivals(floor: Floor, demand: Demand, seen: Outlook, serving: Sequence[Agent]) -> None:
    """Look anew at who else is served before callers of this demand, and for how long to rely on it."""
    tau, line = floor.clock.tau, floor.lines[demand.key.queue]
    if serving:
        seen.rivals = rivals_of(demand, serving)
        seen.all_rivals = fsum([agents * each for agents, each in seen.rivals])
        seen.overtakers, seen.above = overtakers_of(line, tau, demand.staffed), {}
        if floor.foretells_seldom:
            seen.steepest = max([each for _, each in seen.rivals], default=0.0)
    seen.rivals_until = tau + _good_ms(floor, demand, seen, 1)


def _good_ms(floor: Floor, demand: Demand, seen: Outlook, times: int) -> int:
    part = seen.mean_ms * demand.waiting.size // seen.agents // _GOOD_PART
    each = len(floor.demands) * _EACH_MS
    return clamped(max(part, each * times), _GOOD_MS[0], _GOOD_MS[1] * times)


def _ages(floor: Floor, demand: Demand) -> tuple[int, int]:
    """For how long the first and the last in line have waited (ms)."""
    first, last = demand.waiting.first(), demand.waiting.last()
    if first is None or last is None:
        return 0, 0
    wall = floor.clock.wall
    oldest, newest = wall - floor.calls[first[3]].joined, wall - floor.calls[last[3]].joined
    return max(oldest, newest), min(oldest, newest)


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
    behind = line.order.size - 1
    share_ahead = (position - 1) / (behind if behind > 1 else 1)
    others = seen.all_rivals * share_ahead
    turn = seen.when(own + others)
    wait = turn - since if turn > since else 0.0
    most = wait / seen.mean_ms  # for each agent shared, so many of a rival's callers are served before at the most
    for _ in range(_ROUNDS if others and seen.steepest * share_ahead > most else 0):
        fewer = fsum(
            [
                agents * (ahead_each if (ahead_each := each * share_ahead) < most else most)
                for agents, each in seen.rivals
            ]
        )
        if fewer == others:
            break
        others = fewer
        turn = seen.when(own + others)
        wait = turn - since if turn > since else 0.0
        most = wait / seen.mean_ms
    overtaking = 0.0
    if seen.overtakers:
        overtaking = will_overtake(floor, call, seen, wait)
        if overtaking:
            turn = seen.when(own + others + overtaking)
            wait = turn - since if turn > since else 0.0
    unsure_others, unsure_overtaking = others * _SHARE_UNSURE, overtaking * _OVERTAKING_UNSURE
    unsure = unsure_others * unsure_others + unsure_overtaking * unsure_overtaking
    middle = wait + seen.ring_ms
    low, high = _range(middle, seen.spread_ms(own + others + overtaking, turn, unsure))
    return Wait(int(low) // 1000, int(middle) // 1000, -(-int(high) // 1000), seen.agents)


def _range(median: float, spread: float) -> tuple[float, float]:
    """The 10th and 90th percentile of a gamma distribution with this median and standard deviation, by Wilson and
    Hilferty's cube."""
    mean = median + spread * spread / (3 * median + 1)  # nearly
    varies = spread / mean
    step = varies * varies / 9
    off = _Z * sqrt(step) / (1 - step)
    low, high = 1 - off if off < 1 else 0.0, 1 + off
    return median * low * low * low, median * high * high * high
