"""How long will this caller wait? From what every agent who can serve them is doing at this moment.

An average of the waits of those answered lately (as Asterisk's app_queue keeps it) knows neither how many are in line
now nor who works. Here instead:

1. *When does each agent become free?* An agent in wrap-up: when it ends. An agent in a talk that has lasted t: the mean
   of what talks longer than t lasted beyond t, from the last 128 handlings (talk and wrap-up) of that queue; a talk
   that is long already is not expected to end soon just because the average talk would have.
2. *How many are served before?* The callers of the same demand ahead, and of every other demand that competes for these
   agents the part that falls to them and stands ahead, but no more than the agents they share can serve by then; also
   those who will still overtake this caller, if it goes on as in the last quarter of an hour.
3. *When have that many been served?* Each agent serves somebody when free and then one every mean handling time; how
   much happens around the moment of becoming free follows from how much handling times vary (renewal theory: an agent
   seen at any moment has served t ÷ mean after time t on average, and so it must come out here). The mean is
   winsorised: the largest few count as the next smaller, so one forgotten call spoils nothing.

The range is that of a gamma distribution with this mean. Its spread is that of so many departures, and of what is not
known for sure: the mean itself, and the others' share. It should hold eight of ten times; `acd.calibration.calibration`
says whether it does.

A journal must replay to the same bytes on every machine: only operations whose result IEEE 754 fixes are used, and
`fsum`, for `sum` adds floats differently from one version of Python to the next.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate, chain, compress
from math import fsum, sqrt
from operator import itemgetter, mul
from typing import TYPE_CHECKING, NamedTuple

from acd.record import record
from acd.records import Agent, Call, Demand, Line, Shared
from acd.states import AgentState
from acd.tables import BEING_OFFERED, IN_TALK
from acd.values import clamped

if TYPE_CHECKING:
    from acd.floor import Floor
    from acd.outlook import Outlook

_SHORTEST_MS = 5_000
_LONGEST_MS = 3_600_000
_SAMPLE = 128
_WINSORISED = 64  # one in so many
_PRIOR = 8  # the expected handling time counts as much as so many real ones
_FEW = 5  # with fewer talks longer than this one, nothing is known of how they end
_ANSWER_MS = 5_000  # from an offer to the talk
_PROFILE_MS = (1_000, 30_000)  # how old a profile may be, at least and at most
_PROFILE_EACH_MS = 200  # so much older for every demand there is: five a second are made anew, however many there are
_LEARN_EVERY = 8  # of many handlings known, so many more change little
_MOST_AGENTS = 64  # of more agents so many are looked at and stand for all
_LOOKED_AT = 8  # agents whose other demands are looked at
_Z = 1.2816  # the tenth and the ninetieth percentile
_OVERTAKING_MS = 900_000
_MOST_OVERTAKERS = 128
_MOST_OVERTAKING = 0.8
_MOST_RIVALS = 4
_PRIORITY = itemgetter(1)  # of one who overtook
_ROUNDS = 2
_OVERTAKING_UNSURE = 0.5
_SHARE_UNSURE = 0.25  # how far the share of other demands' callers may be off, as for those who overtake


@record(frozen=True, slots=True)
class Wait:
    """Seconds from now: the range and its middle, and how many agents they rest on."""

    low_s: int
    middle_s: int
    high_s: int
    agents: int


# ---------------------------------------------------------------------------------------------- what handling takes


@dataclass(slots=True)
class Handling:
    """The last handlings of a queue (ms), and what follows from them."""

    recent: list[int]
    ordered: list[int]
    beyond: list[int]  # sums of `ordered` from each place to the end
    mean_ms: int
    variation: float  # standard deviation ÷ mean

    @classmethod
    def of(cls, recent: list[int], expected_ms: int) -> Handling:
        ordered = sorted(recent)
        kept = len(ordered) - len(ordered) // _WINSORISED
        winsorised = ordered[:kept] + [ordered[kept - 1]] * (len(ordered) - kept) if ordered else []
        count = len(winsorised) + _PRIOR
        mean = (sum(winsorised) + _PRIOR * expected_ms) / count
        # As long as little is known, talks are taken to vary as an exponential distribution does.
        square = (fsum((took - mean) * (took - mean) for took in winsorised) + _PRIOR * mean * mean) / count
        beyond = [*accumulate(reversed(ordered))][::-1]
        return cls(recent, ordered, beyond, max(1, int(mean)), sqrt(square) / mean if mean else 1.0)

    def remaining_ms(self, lasted_ms: list[int]) -> list[int]:
        """What handlings that have lasted so long are each expected to last on."""
        ordered, beyond, count = self.ordered, self.beyond, len(self.ordered)
        known = count - _FEW  # up to here enough are longer
        places = [bisect_right(ordered, lasted) for lasted in lasted_ms]
        return [
            beyond[at] // (count - at) - lasted if at <= known else self._end(lasted)
            for at, lasted in zip(places, lasted_ms, strict=True)
        ]

    def _end(self, lasted_ms: int) -> int:
        return self.mean_ms if not self.ordered or lasted_ms < self.mean_ms else self.mean_ms // 2


def learn(line: Line, took_ms: int) -> None:
    """A handling has come to its end."""
    took = clamped(took_ms, _SHORTEST_MS, _LONGEST_MS)
    line.handling_ms += (took - line.handling_ms) // 16
    line.recent.append(took)
    if len(line.recent) > _SAMPLE:
        del line.recent[0]
    line.learned += 1
    if len(line.recent) < _SAMPLE // 4 or line.learned % _LEARN_EVERY == 0:
        line.handling = None


def handling(line: Line, expected_ms: int) -> Handling:
    if line.handling is None:
        line.handling = Handling.of(line.recent, expected_ms)
    return line.handling


def note_place(floor: Floor, call: Call, line: Line) -> None:
    """A new caller took a place: if they overtook anybody, that is remembered for a quarter of an hour."""
    if call.key is not None and line.order.last() != call.key:
        line.overtakers.append((floor.clock.tau, call.priority))
        line.overtaking = None
        if len(line.overtakers) > _MOST_OVERTAKERS:
            line.overtakers.popleft()


# ---------------------------------------------------------------------------------------------- who becomes free when


class Course(NamedTuple):
    """How many callers are served as time goes on: piecewise linear, with a bend wherever an agent becomes free."""

    moments: list[int]  # of the bends
    served: list[float]  # at each bend
    base: list[float]  # between a bend and the next: served = base + slope × time
    slope: list[float]

    def left(self, departures: float, since: int) -> float:
        """Milliseconds until so many have been served, `since` milliseconds after the beginning."""
        at = bisect_right(self.served, departures)
        slope = self.slope[at]
        if not slope or departures <= 0:
            return 0.0
        left = (departures - self.base[at]) / slope - since
        return left if left > 0 else 0.0

    def until(self, moment: int) -> float:
        """How many have been served by then."""
        at = bisect_right(self.moments, moment)
        return self.base[at] + self.slope[at] * moment


def _course(free: list[int], mean_ms: int, variation: float, weight: float) -> Course:
    """Each agent is expected to serve `jump` callers up to the moment of becoming free, and then one in `mean_ms`.
    Every one of them stands for `weight` agents."""
    jump, every = (1 + _square(min(1.0, variation))) / 2 * weight, weight / mean_ms
    chance = [jump / (moment or 1) for moment in free]
    base = [*accumulate([jump - moment * every for moment in free], initial=0.0)]
    rates = accumulate([every - one for one in chance], initial=fsum(chance))
    slope = [next(rates), *[rate if rate > every else every for rate in rates]]
    served = [at_once + rate * moment for moment, at_once, rate in zip(free, base[1:], slope[1:], strict=True)]
    return Course(free, served, base, slope)


@dataclass(slots=True)
class Profile:
    """When the agents of a demand become free, and who else waits for them."""

    made: int  # tau
    good_until: int  # tau
    agents: int
    mean_ms: int
    course: Course
    rivals: list[tuple[float, float]]  # of each competing demand: agents shared, and callers for each of its agents
    all_rivals: float
    took: Handling
    overtakers: list[tuple[int, float]]  # priority, and how many of it overtake somebody in a millisecond
    last_part: float  # the part of a departure that does not belong to the last place
    above: dict[int, tuple[list[tuple[int, float]], float]] = field(default_factory=dict)  # see `_above`


def profile(floor: Floor, demand: Demand) -> Profile | None:
    """The demand's present profile; None while nobody works who could serve it."""
    last, tau = demand.profile, floor.clock.tau
    if isinstance(last, Profile) and tau < last.good_until:
        return last
    line = floor.lines[demand.key.queue]
    took = handling(line, floor.config.expected_handling_s * 1000)
    serving = serving_of(floor, demand)
    if not serving:
        demand.profile = None
        return None
    looked_at = serving[:: -(-len(serving) // _MOST_AGENTS)]
    free = _free(tau, looked_at, took)
    course = _course(free, took.mean_ms, took.variation, len(serving) / len(looked_at))
    age = max(took.mean_ms * demand.waiting.size // len(serving) // 50, len(floor.demands) * _PROFILE_EACH_MS)
    good = tau + min(max(age, _PROFILE_MS[0]), _PROFILE_MS[1])
    rivals = rivals_of(demand, serving)
    every_rival = fsum(agents * each for agents, each in rivals)
    overtakers = overtakers_of(line, tau, demand.staffed)
    last_part = (1 - _square(min(1.0, took.variation))) / 2
    demand.profile = Profile(
        tau, good, len(serving), took.mean_ms, course, rivals, every_rival, took, overtakers, last_part
    )
    return demand.profile


def serving_of(floor: Floor, demand: Demand) -> list[Agent]:
    """Who will take another call when the present one is done."""
    everybody = [*demand.agents.values()]
    if demand.staffed == len(everybody) and demand.agents.keys().isdisjoint(floor.with_wish):
        return everybody
    return [agent for agent in everybody if agent.counted_staffed and agent.next_state is None]


def _free(tau: int, agents: Sequence[Agent], took: Handling) -> list[int]:
    """In how many milliseconds each of these agents is expected to be free, the next first."""
    free = took.remaining_ms(
        [tau - agent.work_started for agent in agents if agent.state in IN_TALK and agent.work_started is not None]
    )
    if len(free) < len(agents):
        free += [
            _soon_free(tau, agent, took) for agent in agents if agent.state not in IN_TALK or agent.work_started is None
        ]
    free.sort()
    return free


def _soon_free(tau: int, agent: Agent, took: Handling) -> int:
    """As `_free`, for an agent who is in no talk."""
    if agent.state is AgentState.WRAP_UP and agent.wrapup_timer is not None:
        return max(0, agent.wrapup_timer[0] - tau)
    if agent.state in BEING_OFFERED:
        return took.mean_ms + _ANSWER_MS
    return took.mean_ms // 2 if agent.in_use or agent.outside else 0


def rivals_of(demand: Demand, serving: Sequence[Agent]) -> list[tuple[float, float]]:
    """Which other demands compete for these agents? Looked at for some of the agents and scaled up; of many demands the
    strongest are kept and the others put together."""
    shared = _shared(demand, serving)
    agents, each = shared.agents, [other.pressure for other in shared.others]
    if not all(each):
        agents, each = [*compress(agents, each)], [*filter(None, each)]
    if len(agents) <= _MOST_RIVALS:
        return [*zip(agents, each, strict=True)]
    rivals, strength, others = [], [*map(mul, agents, each)], agents.copy()
    for _ in range(_MOST_RIVALS):
        strongest = strength.index(max(strength))
        rivals.append((agents[strongest], each[strongest]))
        strength[strongest] = others[strongest] = 0.0
    together = fsum(others)
    return [*rivals, (together, fsum(strength) / together)]


def _shared(demand: Demand, serving: Sequence[Agent]) -> Shared:
    """The demands that share these agents. Who serves what changes seldom, so it is kept for the next time."""
    looked_at = serving[:: -(-len(serving) // _LOOKED_AT)]
    links, known = [agent.links for agent in looked_at], demand.shared
    if known is None or known[:3] != (len(serving), looked_at, links):
        scale = len(serving) / len(looked_at)
        counts = Counter(chain.from_iterable([agent.demands for agent in looked_at]))
        counts.pop(demand, None)
        agents = [count * scale for count in counts.values()]
        known = demand.shared = Shared(len(serving), looked_at, links, [*counts], agents)
    return known


def overtakers_of(line: Line, tau: int, staffed: int) -> list[tuple[int, float]]:
    """By priority, how many a millisecond overtake somebody and fall to these agents."""
    while line.overtakers and tau - line.overtakers[0][0] >= _OVERTAKING_MS:
        line.overtakers.popleft()
        line.overtaking = None
    if not line.overtakers:
        return []
    # Of more than are remembered, those remembered tell how fast they come.
    over_ms = _OVERTAKING_MS if len(line.overtakers) < _MOST_OVERTAKERS else max(1, tau - line.overtakers[0][0])
    share = min(1.0, staffed / max(1, line.staffed)) / over_ms
    if line.overtaking is None:
        line.overtaking = [*Counter(map(_PRIORITY, line.overtakers)).items()]
    return [(priority, count * share) for priority, count in line.overtaking]


# ---------------------------------------------------------------------------------------------------- the prediction


def predict(floor: Floor, call: Call, position: int) -> Wait | None:
    """The wait of a caller at this place in line; None while nobody works who could serve them."""
    demand, line = call.demand, floor.lines[call.queue]
    if demand is None or call.key is None:
        return None
    seen = profile(floor, demand)
    if seen is None:
        return None
    own, left, since = demand.waiting.rank(call.key) + 1, seen.course.left, floor.clock.tau - seen.made
    # Who was served since the profile was made is not in line any more; half a departure belongs to the last place.
    own_from_made = own + seen.course.until(since) - seen.last_part
    share_ahead = (position - 1) / (line.order.size - 1) if line.order.size > 1 else 0.0
    others = seen.all_rivals * share_ahead
    middle = left(own_from_made + others, since)
    for _ in range(_ROUNDS if others else 0):
        most = middle / seen.took.mean_ms
        others = fsum(
            [agents * (ahead if (ahead := each * share_ahead) < most else most) for agents, each in seen.rivals]
        )
        middle = left(own_from_made + others, since)
    places, overtaking = own + others, 0.0
    if seen.overtakers:
        overtaking = will_overtake(floor, call, seen, middle)
    if overtaking:
        places += overtaking
        middle = left(own_from_made + others + overtaking, since)
    spread = _spread_ms(seen, middle, places, others, overtaking)
    low, half, high = _percentiles(middle, spread)
    return Wait(int(low) // 1000, int(half) // 1000, -(-int(high) // 1000), seen.agents)


def _spread_ms(seen: Profile, middle: float, places: float, others: float, overtaking: float) -> float:
    """How far off the middle may be: by the chance of so many departures, and by what is only estimated."""
    took, agents = seen.took, seen.agents
    one_ms, variation = took.mean_ms / agents, took.variation
    # Many agents in their first call look like chance, whatever one of them does; later the variation of each shows.
    first = (agents - 1) / (agents - 1 + places)
    varied = places * (first + (1 - first) * (variation * variation))
    unsure_mean = _square(middle * variation) / (len(took.recent) + _PRIOR)
    unsure_others, unsure_overtaking = others * _SHARE_UNSURE, overtaking * _OVERTAKING_UNSURE
    unsure_places = unsure_others * unsure_others + unsure_overtaking * unsure_overtaking
    return sqrt(one_ms * one_ms * (varied + unsure_places) + unsure_mean)


def _square(value: float) -> float:
    return value * value


def _above(seen: Profile | Outlook, priority: int) -> tuple[list[tuple[int, float]], float]:
    """Those who overtake callers of this priority, and the share of the agents' time that they leave. The same for all
    callers of this priority as long as the profile holds, and so kept there."""
    above = [(other, rate) for other, rate in seen.overtakers if other > priority]
    busy = fsum([rate for _, rate in above]) * seen.mean_ms / seen.agents
    seen.above[priority] = (above, 1 - min(busy, _MOST_OVERTAKING))
    return seen.above[priority]


def will_overtake(floor: Floor, call: Call, seen: Profile | Outlook, wait_ms: float) -> float:
    """How many will come within the wait and stand ahead. With ageing, a point of priority overtakes only those who
    have waited no longer than the point is worth."""
    above, left = seen.above.get(call.priority) or _above(seen, call.priority)
    if not above:
        return 0.0
    per_minute = floor.config.ageing_per_minute
    longer_ms = wait_ms / left  # who overtakes lets others overtake meanwhile
    more = 0.0
    for priority, rate in above:
        open_ms = longer_ms
        if per_minute > 0 and priority < floor.config.emergency_priority:
            worth_ms = (priority - call.priority) * 60_000 // per_minute
            left_ms = worth_ms - (floor.clock.wall - call.joined)
            if left_ms < longer_ms:
                open_ms = left_ms if left_ms > 0 else 0
        more += rate * open_ms
    return more


def _percentiles(mean: float, spread: float) -> tuple[float, float, float]:
    """The 10th, 50th and 90th percentile of a gamma distribution, by Wilson and Hilferty's cube."""
    if mean <= 0:
        return 0.0, 0.0, _Z * spread
    shape = max(0.5, _square(mean / max(spread, 1.0)))
    step = 1 / (9 * shape)
    half, off = 1 - step, _Z * sqrt(step)
    low, high = max(0.0, half - off), half + off
    return mean * low * low * low, mean * half * half * half, mean * high * high * high
