"""The rules of the alerts (预警): what is watched, when it is bad, when it is good again. Pure; time is an argument.

A rule has two thresholds and two spells: something is raised when its value has been beyond `raise_at` for `for_s`
seconds, and cleared when it has been back at `clear_at` for `clear_s` seconds. What lies between keeps what is. So a
figure that trembles about its threshold is one alert and not twenty.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class AlertKind(StrEnum):
    """What is watched. Of the last five there is one for every agent or disk that it is about."""

    depth = "depth"  # callers in line
    longest_wait = "longest_wait"  # seconds
    none_ready = "none_ready"  # callers in line while nobody is ready
    answered_15s = "answered_15s"  # share over 24 h (GB/T 33358-2016)
    connect_24h = "connect_24h"  # share over 24 h, to be 95 % at least (GB/T 33358-2016)
    long_talk = "long_talk"  # seconds that an agent talks
    long_wrap_up = "long_wrap_up"
    long_not_ready = "long_not_ready"
    desktop_lost = "desktop_lost"  # seconds since the last page of an agent on shift went
    disk = "disk"  # megabytes free where recordings are kept


class Sort(StrEnum):
    """How a value is counted."""

    callers = "callers"
    seconds = "seconds"
    share = "share"  # 0 to 1
    megabytes = "megabytes"


@dataclass(frozen=True, slots=True)
class Shape:
    """What every rule of a kind has in common: its unit, which way is bad, and what a threshold may be.

    `grows`: the value only grows until its subject is gone; then there is no second threshold to set.
    """

    sort: Sort
    low: float
    high: float
    falls: bool = False  # too little is bad
    grows: bool = False


SHAPES: Mapping[AlertKind, Shape] = MappingProxyType(
    {
        AlertKind.depth: Shape(Sort.callers, 1, 1_000),
        AlertKind.longest_wait: Shape(Sort.seconds, 1, 3_600),
        AlertKind.none_ready: Shape(Sort.callers, 1, 1_000),
        AlertKind.answered_15s: Shape(Sort.share, 0, 1, falls=True),
        AlertKind.connect_24h: Shape(Sort.share, 0, 1, falls=True),
        AlertKind.long_talk: Shape(Sort.seconds, 10, 86_400, grows=True),
        AlertKind.long_wrap_up: Shape(Sort.seconds, 10, 86_400, grows=True),
        AlertKind.long_not_ready: Shape(Sort.seconds, 10, 86_400, grows=True),
        AlertKind.desktop_lost: Shape(Sort.seconds, 5, 86_400, grows=True),
        AlertKind.disk: Shape(Sort.megabytes, 1, 10_000_000, falls=True),
    }
)
LONGEST_SPELL_S = 3_600
MOST_CALLS = 100_000


@dataclass(frozen=True, slots=True)
class AlertRule:
    """When one kind of alert is raised and cleared. `least`: shares of fewer calls say nothing."""

    kind: AlertKind
    enabled: bool
    raise_at: float
    clear_at: float
    for_s: int = 0
    clear_s: int = 0
    least: int = 0


DEFAULTS: Mapping[AlertKind, AlertRule] = MappingProxyType(
    {
        rule.kind: rule
        for rule in (
            AlertRule(AlertKind.depth, True, 5, 2, for_s=15, clear_s=15),
            AlertRule(AlertKind.longest_wait, True, 60, 30, for_s=0, clear_s=10),
            AlertRule(AlertKind.none_ready, True, 1, 0, for_s=30, clear_s=10),
            AlertRule(AlertKind.answered_15s, True, 0.80, 0.85, for_s=60, clear_s=60, least=20),
            AlertRule(AlertKind.connect_24h, True, 0.95, 0.955, for_s=60, clear_s=60, least=20),
            AlertRule(AlertKind.long_talk, True, 1_200, 1_200),
            AlertRule(AlertKind.long_wrap_up, True, 180, 180),
            AlertRule(AlertKind.long_not_ready, True, 1_800, 1_800),
            AlertRule(AlertKind.desktop_lost, True, 30, 30),
            AlertRule(AlertKind.disk, True, 1_000, 1_500, for_s=0, clear_s=60),
        )
    }
)


def faults(rule: AlertRule) -> dict[str, str]:
    """What is wrong with a rule, by field, in Chinese and English; {} when it can be used."""
    shape, found = SHAPES[rule.kind], {}
    for name in ("raise_at", "clear_at"):
        value = getattr(rule, name)
        if name == "clear_at" and not shape.falls and value == 0 and not shape.grows:
            continue  # back to nothing at all
        if not shape.low <= value <= shape.high:
            found[name] = f"请填写 {shape.low:g} 至 {shape.high:g} (out of range)"
        elif shape.sort is not Sort.share and value != int(value):
            found[name] = "请填写整数 (a whole number is needed)"
    if found:
        return found
    if shape.grows and rule.clear_at != rule.raise_at:
        found["clear_at"] = "此项不设恢复值 (this kind has one threshold)"
    elif shape.falls and rule.clear_at < rule.raise_at:
        found["clear_at"] = "恢复值不能低于预警值 (below the threshold)"
    elif not shape.falls and rule.clear_at > rule.raise_at:
        found["clear_at"] = "恢复值不能高于预警值 (above the threshold)"
    for name, most in (("for_s", LONGEST_SPELL_S), ("clear_s", LONGEST_SPELL_S), ("least", MOST_CALLS)):
        if not 0 <= getattr(rule, name) <= most:
            found[name] = f"请填写 0 至 {most} (out of range)"
    return found


class Signal(StrEnum):
    """What a look at a value says; `lasted` is time's own word, `off` that of whoever switches a rule off."""

    bad = "bad"
    between = "between"
    good = "good"
    unknown = "unknown"  # nothing can be said: too few calls, or nobody to ask
    lasted = "lasted"
    off = "off"


def judge(rule: AlertRule, value: float | None) -> Signal:
    """What a value means under a rule; None is a value that cannot be had."""
    if not rule.enabled:
        return Signal.off
    if value is None:
        return Signal.unknown
    if SHAPES[rule.kind].falls:
        return Signal.bad if value < rule.raise_at else Signal.good if value >= rule.clear_at else Signal.between
    return Signal.bad if value >= rule.raise_at else Signal.good if value <= rule.clear_at else Signal.between


class Phase(StrEnum):
    """How far one watched thing has come."""

    quiet = "quiet"
    rising = "rising"  # bad, but not long enough
    raised = "raised"
    falling = "falling"  # raised; good, but not long enough


class Effect(StrEnum):
    """What a step leads to."""

    none = ""
    raise_ = "raise"
    clear = "clear"


P, S, E = Phase, Signal, Effect
STEPS: Mapping[tuple[Phase, Signal], tuple[Phase, Effect]] = MappingProxyType(
    {
        (P.quiet, S.bad): (P.rising, E.none),
        (P.quiet, S.between): (P.quiet, E.none),
        (P.quiet, S.good): (P.quiet, E.none),
        (P.quiet, S.unknown): (P.quiet, E.none),
        (P.quiet, S.lasted): (P.quiet, E.none),
        (P.quiet, S.off): (P.quiet, E.none),
        (P.rising, S.bad): (P.rising, E.none),
        (P.rising, S.between): (P.quiet, E.none),
        (P.rising, S.good): (P.quiet, E.none),
        (P.rising, S.unknown): (P.quiet, E.none),
        (P.rising, S.lasted): (P.raised, E.raise_),
        (P.rising, S.off): (P.quiet, E.none),
        (P.raised, S.bad): (P.raised, E.none),
        (P.raised, S.between): (P.raised, E.none),
        (P.raised, S.good): (P.falling, E.none),
        (P.raised, S.unknown): (P.raised, E.none),
        (P.raised, S.lasted): (P.raised, E.none),
        (P.raised, S.off): (P.quiet, E.clear),
        (P.falling, S.bad): (P.raised, E.none),
        (P.falling, S.between): (P.raised, E.none),
        (P.falling, S.good): (P.falling, E.none),
        (P.falling, S.unknown): (P.raised, E.none),
        (P.falling, S.lasted): (P.quiet, E.clear),
        (P.falling, S.off): (P.quiet, E.clear),
    }
)
del P, S, E
