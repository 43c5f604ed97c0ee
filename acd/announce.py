"""What is a caller told about position and wait? A range that never rises.

Where the wait comes from is a setting: `acd.prediction`, or the rule of the first release, place × handling time ÷
agents: the wait for the k-th place while c agents work is that of k departures, each after (handling time ÷ c) on
average: k·h/c, give or take its standard deviation h/c·√k.
"""

from __future__ import annotations

from math import ceil, isqrt

from acd.callbacks import offer_callback
from acd.config import Prediction
from acd.floor import Floor
from acd.model import Announce, CallState, Reason, ReasonCode, WaitPredicted
from acd.outlook import Outlook, foretell
from acd.prediction import predict
from acd.records import Call, Forecast

_MIN_EVERY_S = 5
_ANEW_AFTER = 10  # a part of the wait, in which it is taken to pass as foretold
_ANEW_AFTER_MOST = 2  # the same, where what was worked out of the line is good for so long, too
_ANEW_AFTER_STILL = 16  # the same, in which it is taken not to change
_LEFT_AT_LEAST = 0.5  # of what would be left if the wait passed as foretold
# Read so often that they stand here: to look a member up in its enum takes ten times as long as a name of the module.
_WAITING = CallState.WAITING
_PLACES = Prediction.PLACES
_FLOW = Prediction.FLOW


def announce(floor: Floor, call_id: str) -> None:
    """Tell the caller where they are, and set the next time to do so."""
    call = floor.calls.get(call_id)
    if call is None or call.key is None:
        return
    every_s = floor.lines[call.queue].config.announce_every_s
    due = floor.clock.tau + (every_s if every_s > _MIN_EVERY_S else _MIN_EVERY_S) * 1000
    call.announce_timer = floor.timers.set(due, "announce", call_id)
    if call.state is _WAITING:
        floor.out.append(_words(floor, call))


def _words(floor: Floor, call: Call) -> Announce:
    position = floor.position(call)
    low, high = wait_range(floor, call, position)
    if call.said is not None:
        said_position, said_low, said_high = call.said
        position = position if position < said_position else said_position
        low = said_low if low is None or (said_low is not None and said_low < low) else low
        high = said_high if high is None or (said_high is not None and said_high < high) else high
    call.said = (position, low, high)
    return Announce(call.call_id, position, low, high)


def wait_range(floor: Floor, call: Call, position: int) -> tuple[int | None, int | None]:
    """Seconds from and to. None and None while nobody works who could serve this caller."""
    if floor.config.prediction is _PLACES:
        return _by_places(floor, call, position)
    tau, staffed = floor.clock.tau, 0 if call.demand is None else call.demand.staffed
    last = call.foretold
    if last is not None and tau < last.until and staffed == last.staffed:
        return _left(floor, last, position)
    flow = floor.config.prediction is _FLOW
    wait = foretell(floor, call, position) if flow else predict(floor, call, position)
    if wait is None:
        return None, None
    until = tau + _good_ms(floor, call, wait.high_s * 1000, flow)
    call.foretold = Forecast(tau, until, staffed, position, wait.low_s, wait.high_s)
    if not call.predicted:
        call.predicted = True
        floor.out.append(WaitPredicted(call.call_id, wait.low_s, wait.middle_s, wait.high_s, position, wait.agents))
        _ask_who_will_wait_long(floor, call, wait.middle_s)
    return wait.low_s, wait.high_s


def _good_ms(floor: Floor, call: Call, wait_ms: int, flow: bool) -> int:
    """For how long a forecast holds. Two hours do not change in 45 seconds: until a part of them has passed."""
    good_ms = wait_ms // (_ANEW_AFTER if flow else _ANEW_AFTER_STILL)
    seen = None if call.demand is None else call.demand.profile
    if floor.foretells_seldom and isinstance(seen, Outlook):
        good_ms = max(good_ms, min(wait_ms // _ANEW_AFTER_MOST, seen.good_until - seen.made))
    return good_ms


def _left(floor: Floor, last: Forecast, position: int) -> tuple[int, int]:
    """What is left of a wait that was foretold a while ago: from and to, in seconds.

    How far the line has really gone on tells more than the time that has passed. But where others ahead need other
    agents, the line may go on while this caller's wait gets no shorter.
    """
    if floor.config.prediction is not _FLOW:
        return last.low_s, last.high_s
    if not floor.foretells_seldom:
        passed_s = (floor.clock.tau - last.at) // 1000
        low_s, high_s = last.low_s - passed_s, last.high_s - passed_s
        return low_s if low_s > 0 else 0, high_s if high_s > 0 else 0
    places_left = (position - 0.5) / (last.position - 0.5)
    passed = (floor.clock.tau - last.at) / 1000
    low = max(last.low_s * places_left, (last.low_s - passed) * _LEFT_AT_LEAST)
    high = max(last.high_s * places_left, (last.high_s - passed) * _LEFT_AT_LEAST)
    return int(low), ceil(high)


def _ask_who_will_wait_long(floor: Floor, call: Call, middle_s: int) -> None:
    rules = floor.lines[call.queue].config.callback
    limit = None if rules is None else rules.offer_predicted_s
    if limit is not None and middle_s >= limit and floor.link_up:
        offer_callback(floor, call, Reason(ReasonCode.LONG_WAIT_FORETOLD, {"wait_s": middle_s, "limit_s": limit}))


def _by_places(floor: Floor, call: Call, position: int) -> tuple[int | None, int | None]:
    line, demand = floor.lines[call.queue], call.demand
    assert demand is not None
    assert call.key is not None
    if demand.staffed <= 0:
        return None, None
    in_demand = demand.waiting.rank(call.key) + 1
    whole, own = (position, max(1, line.staffed)), (in_demand, demand.staffed)
    places, agents = max(whole, own, key=lambda pair: pair[0] / pair[1])
    mean = places * line.handling_ms // agents
    spread = line.handling_ms * isqrt(places * 1_000_000) // (agents * 1000)
    return max(0, mean - spread) // 1000, -(-(mean + spread) // 1000)
