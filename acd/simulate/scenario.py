"""What a simulated day is made of: who calls when, how long things take, how patient people are, who is at work.

A scenario is data (`scenarios/*.yaml`, checked against `scenarios/schema.json`). `build` makes one from a document that
has passed the schema; `faults` says what a schema cannot. Durations are seconds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import exp, inf, log, sqrt
from pathlib import Path
from random import Random
from statistics import NormalDist
from typing import Any

from acd.config import QueueConfig

FOLDER = Path(__file__).parent / "scenarios"
SCHEMA: dict[str, Any] = json.loads((FOLDER / "schema.json").read_text(encoding="utf-8"))
SLOT_S = 1_800

Roster = tuple[int, ...]  # agents rostered in each half-hour from opening to closing
Trail = tuple[str | int, ...]
_NORMAL = NormalDist()


class Shape(StrEnum):
    CONSTANT = "constant"
    EXPONENTIAL = "exponential"
    LOGNORMAL = "lognormal"
    ENDLESS = "endless"  # of patience: nobody gives up


@dataclass(frozen=True, slots=True)
class Spell:
    """How long something takes. `spread` is standard deviation ÷ mean, of the lognormal only."""

    shape: Shape
    mean_s: float = inf
    spread: float = 1.0

    def draw_ms(self, random: Random) -> int | None:
        """Milliseconds, None for ever. One number is taken from `random` whatever the shape."""
        chance = random.random()
        match self.shape:
            case Shape.EXPONENTIAL:
                return round(-log(1 - chance) * self.mean_s * 1000)
            case Shape.LOGNORMAL:
                variance = log(1 + self.spread**2)
                normal = _NORMAL.inv_cdf(max(chance, 1e-12))
                return round(exp(log(self.mean_s) - variance / 2 + sqrt(variance) * normal) * 1000)
            case Shape.CONSTANT:
                return round(self.mean_s * 1000)
            case _:
                return None


NONE = Spell(Shape.CONSTANT, 0.0)


@dataclass(frozen=True, slots=True)
class Redial:
    """What somebody does who gave up: call again with this chance, after `after`, `most` times in all."""

    chance: float = 0.0
    after: Spell = NONE
    most: int = 1


@dataclass(frozen=True, slots=True)
class Kind:
    """Callers who need the same, or agents who can do the same, and which share of all they are."""

    share: float
    skills: Mapping[str, int]
    queue: str = "general"
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Target:
    """Shares of all calls of a half-hour, 0 to 1; None: no such promise."""

    connected: float | None = None
    in_time: float | None = None
    within_s: int = 15


@dataclass(frozen=True, slots=True)
class Scenario:
    """`calls`: citizens who call for the first time that day, spread over half-hours by `profile`'s weights.

    `shrinkage`: the share of their rostered time in which agents are away (breaks, training, illness). `shift_slots`:
    how many half-hours a shift may last; empty when any half-hour may be staffed by itself.
    """

    name: str
    title: Mapping[str, str]
    opens_slot: int  # half-hours since midnight
    calls: int
    profile: tuple[float, ...]
    talk: Spell
    wrapup: Spell
    ring: Spell
    patience: Spell
    redial: Redial
    shrinkage: float
    roster: Roster
    shift_slots: tuple[int, ...]
    callers: tuple[Kind, ...]
    crew: tuple[Kind, ...]
    queues: tuple[QueueConfig, ...]
    target: Target

    @property
    def slots(self) -> int:
        """Half-hours from opening to closing."""
        return len(self.profile)

    @property
    def handling_s(self) -> float:
        """What one call costs an agent on average: ringing, talk and wrap-up."""
        return self.ring.mean_s + self.talk.mean_s + self.wrapup.mean_s

    def slot_name(self, slot: int) -> str:
        """The half-hour's beginning, `08:30`."""
        minutes = (self.opens_slot + slot) * 30
        return f"{minutes // 60:02}:{minutes % 60:02}"

    def calls_in(self, slot: int) -> float:
        """First calls expected in a half-hour."""
        return self.calls * self.profile[slot] / sum(self.profile)

    def load(self, slot: int) -> float:
        """Erlangs that first calls bring in a half-hour."""
        return self.calls_in(slot) * self.handling_s / SLOT_S


def _slot(clock: str) -> int:
    hours, _, minutes = clock.partition(":")
    return int(hours) * 2 + int(minutes) // 30


def _spell(value: Mapping[str, Any] | None) -> Spell:
    if value is None:
        return NONE
    shape = Shape(value["shape"])
    return Spell(shape, inf if shape is Shape.ENDLESS else float(value["mean_s"]), float(value.get("spread", 1.0)))


def _kinds(value: list[Mapping[str, Any]] | None) -> tuple[Kind, ...]:
    return tuple(
        Kind(float(kind["share"]), dict(kind.get("skills", {})), kind.get("queue", "general"), kind.get("priority", 0))
        for kind in value or [{"share": 1.0}]
    )


def _queues(value: Mapping[str, Mapping[str, Any]] | None, callers: tuple[Kind, ...]) -> tuple[QueueConfig, ...]:
    """Nobody overflows unless the scenario says so: the question is what the roster alone can do."""
    given = value or {}
    names = dict.fromkeys([*(kind.queue for kind in callers), *given])
    return tuple(
        QueueConfig(name, **{"overflow_wait_s": None, "overflow_unstaffed_s": None, **given.get(name, {})})
        for name in names
    )


def build(value: Mapping[str, Any]) -> Scenario:
    """The scenario of a document that the schema and `faults` find nothing wrong with."""
    redial = value.get("redial")
    target = value.get("target", {})
    callers = _kinds(value.get("callers"))
    return Scenario(
        name=value["name"],
        title=dict(value["title"]),
        opens_slot=_slot(value["opens"]),
        calls=value["calls"],
        profile=tuple(float(weight) for weight in value["profile"]),
        talk=_spell(value["handling"]["talk"]),
        wrapup=_spell(value["handling"].get("wrapup")),
        ring=_spell(value["handling"].get("ring")),
        patience=_spell(value["patience"]),
        redial=Redial() if redial is None else Redial(redial["chance"], _spell(redial["after"]), redial["most"]),
        shrinkage=float(value.get("shrinkage", 0.0)),
        roster=tuple(value["roster"]),
        shift_slots=tuple(sorted({round(hours * 2) for hours in value.get("shift_hours", [])})),
        callers=callers,
        crew=_kinds(value.get("crew")),
        queues=_queues(value.get("queues"), callers),
        target=Target(target.get("connected"), target.get("in_time"), target.get("within_s", 15)),
    )


def faults(value: Mapping[str, Any]) -> Iterator[tuple[Trail, str]]:
    """Where and what: contradictions between parts that are each all right by themselves."""
    slots = _slot(value["closes"]) - _slot(value["opens"])
    if slots <= 0:
        yield ("closes",), "the hotline must close after it opens"
        return
    for part in ("profile", "roster"):
        if len(value[part]) != slots:
            yield (part,), f"{part}: {len(value[part])} half-hours are given, {slots} lie between opening and closing"
    if sum(value["profile"]) <= 0:
        yield ("profile",), "profile: nobody ever calls"
    for part in ("callers", "crew"):
        whole = sum(kind["share"] for kind in value.get(part, [])) or 1.0
        if abs(whole - 1) > 0.001:
            yield (part,), f"{part}: the shares add up to {whole:g} instead of 1"
    for number, hours in enumerate(value.get("shift_hours", [])):
        if hours * 2 > slots:
            yield ("shift_hours", number), f"a shift of {hours:g} hours is longer than the day"
    best: dict[str, int] = {}
    for kind in value.get("crew", [{}]):
        for skill, level in kind.get("skills", {}).items():
            best[skill] = max(level, best.get(skill, 0))
    for number, kind in enumerate(value.get("callers", [])):
        for skill, level in kind.get("skills", {}).items():
            if best.get(skill, 0) < level:
                yield ("callers", number, "skills", skill), f"nobody in the crew has {skill}:{level}"
