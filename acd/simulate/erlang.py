"""What queueing theory says about seats: Erlang B, C and A.

Calls come at random (Poisson) and take exponentially long; n agents; times in seconds, `rate` in calls a second.
Erlang B: who finds no agent free is lost. Erlang C: who finds none waits for ever. Erlang A (Palm; Garnett, Mandelbaum
and Reiman 2002): who finds none waits, and gives up after an exponentially distributed patience. The offered load in
erlangs is `rate` times the mean handling time (talk and wrap-up): the number of agents that it keeps busy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, inf, isinf, log

_MOST_AGENTS = 100_000
_SMALLEST_TERM = 1e-15
_LARGE = 1e150
_STEPS = 400  # of Simpson's rule


@dataclass(frozen=True, slots=True)
class Performance:
    """Shares are 0 to 1, times are seconds.

    `waits`: P(a caller has to wait). `service_level`: P(answered within the target) over all callers. `abandons`:
    P(a caller gives up). `mean_wait_s`: over all callers, those who give up included. `occupancy`: the share of their
    time in which agents handle calls.
    """

    waits: float
    service_level: float
    abandons: float
    mean_wait_s: float
    occupancy: float


def erlang_b(load: float, agents: int) -> float:
    """P(all agents are busy) when nobody waits. `load` in erlangs, 0 or more. Raises ValueError for less."""
    _check(load, agents)
    if load == 0:
        return 0.0 if agents else 1.0
    inverse = _inverse_b(load, agents)
    return 0.0 if isinf(inverse) else 1 / inverse


def erlang_c(rate: float, handling_s: float, agents: int, target_s: float = 0.0) -> Performance:
    """Everybody waits as long as it takes. With too few agents the line grows without end: everybody waits for ever."""
    load = rate * handling_s
    _check(load, agents)
    if load == 0 and agents:
        return Performance(0.0, 1.0, 0.0, 0.0, 0.0)
    if load >= agents:
        return Performance(1.0, 0.0, 0.0, inf, 1.0)
    lost = erlang_b(load, agents)
    occupancy = load / agents
    waits = lost / (1 - occupancy * (1 - lost))
    spare = (agents - load) / handling_s  # departures beyond arrivals, a second
    return Performance(waits, 1 - waits * exp(-spare * target_s), 0.0, waits / spare, occupancy)


def erlang_a(rate: float, handling_s: float, agents: int, patience_s: float, target_s: float = 0.0) -> Performance:
    """Callers give up after `patience_s` on average. An infinite patience is Erlang C."""
    if isinf(patience_s):
        return erlang_c(rate, handling_s, agents, target_s)
    load = rate * handling_s
    _check(load, agents)
    if patience_s <= 0:
        raise ValueError("patience must be more than 0 seconds")
    if load == 0:
        served = 1.0 if agents else 0.0
        return Performance(1 - served, served, 1 - served, 0.0, 0.0)
    if agents == 0:
        return Performance(1.0, 0.0, 1.0, patience_s, 0.0)
    leaving, serving = 1 / patience_s, agents / handling_s
    # Weights of the states: some agent is `free`; all are `busy` and nobody waits; `term`: with `place` waiting.
    busy = term = line = 1.0
    free = _inverse_b(load, agents) - 1
    if isinf(free):
        return Performance(0.0, 1.0, 0.0, 0.0, load / agents)
    in_line, place = 0.0, 0
    while term > (free + line) * _SMALLEST_TERM or rate > serving + place * leaving:
        place += 1
        term *= rate / (serving + place * leaving)
        line += term
        in_line += place * term
        if line > _LARGE:
            free, busy, term, line, in_line = (value / _LARGE for value in (free, busy, term, line, in_line))
    whole = free + line
    abandons = in_line / whole * leaving / rate
    waits = line / whole
    answered_at_once = 1 - waits
    in_time = answered_at_once
    if busy / whole > 0:  # too small for a number when hardly anybody is ever served at once
        in_time += serving * _integral(_answered_at(rate, serving, leaving, log(busy / whole)), target_s)
    return Performance(
        waits, min(in_time, 1 - abandons), abandons, abandons * patience_s, load * (1 - abandons) / agents
    )


def agents_needed(
    rate: float,
    handling_s: float,
    patience_s: float = inf,
    *,
    target_s: float = 15.0,
    service_level: float = 0.0,
    connected: float = 0.0,
) -> int:
    """The fewest agents with which at least these shares of all callers are answered within the target, or at all.

    Raises ValueError for a share that no number of agents reaches (1 or more).
    """
    if not (0 <= service_level < 1 and 0 <= connected < 1):
        raise ValueError("a share that is to be reached lies between 0 and 1")
    if rate == 0:
        return 0

    def enough(agents: int) -> bool:
        got = erlang_a(rate, handling_s, agents, patience_s, target_s)
        served = not isinf(got.mean_wait_s)
        return served and got.service_level >= service_level and 1 - got.abandons >= connected

    high = 1
    while not enough(high):
        high *= 2
        if high > _MOST_AGENTS:
            raise ValueError(f"more than {_MOST_AGENTS} agents")
    low = high // 2  # not enough
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _check(load: float, agents: int) -> None:
    if load < 0 or agents < 0:
        raise ValueError("load and agents cannot be less than 0")


def _inverse_b(load: float, agents: int) -> float:
    """1 ÷ Erlang B by its recursion, which does not lose digits; infinite when nobody is ever turned away."""
    inverse = 1.0
    for number in range(1, agents + 1):
        inverse = 1 + number / load * inverse
    return inverse


def _answered_at(rate: float, serving: float, leaving: float, log_busy: float) -> Callable[[float], float]:
    """Density ÷ `serving` of being answered after just `t` seconds of waiting.

    Who finds j waiting is answered after j + 1 departures, at rates serving, serving + leaving, … The sum over j of
    P(j waiting) times that density closes to one exponential function.
    """

    def density(t: float) -> float:
        gone = (1 - exp(-leaving * t)) / leaving
        return exp(log_busy + rate * gone - (serving + leaving) * t)

    return density


def _integral(function: Callable[[float], float], end: float) -> float:
    """From 0 to `end`, by Simpson's rule."""
    if end <= 0:
        return 0.0
    step = end / _STEPS
    inner = sum((4 if number % 2 else 2) * function(number * step) for number in range(1, _STEPS))
    return (function(0.0) + inner + function(end)) * step / 3
