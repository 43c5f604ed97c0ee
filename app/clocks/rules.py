"""Which limit holds for which matter (C4), as data: what comes with the system, and how a rule is found. Pure.

A rule may leave open the type of case, the urgency and the way of handling; where several fit, what is said about the
urgency comes before what is said about the type, and that before the way of handling.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from app.clocks.limits import Limit, Unit
from app.clocks.model import ClockKind


class Urgency(StrEnum):
    """How soon a matter must be looked at."""

    life = "life"  # 涉及生命财产安全
    utilities = "utilities"  # 水电气暖等公用事业
    general = "general"  # 一般


class Way(StrEnum):
    """How a matter is handled."""

    written = "written"  # 书面交办
    telephone = "telephone"  # 电话交办
    consult = "consult"  # 咨询答复
    coordinated = "coordinated"  # 协调办理
    research = "research"  # 调研和专报


@dataclass(frozen=True)
class Matter:
    """What is known of a matter when a clock begins; "" for a type that is not known yet."""

    case_type: str = ""
    urgency: Urgency = Urgency.general
    way: Way = Way.written


@dataclass(frozen=True)
class Key:
    """For which matters a rule is; "" where anything will do."""

    kind: ClockKind
    case_type: str = ""
    urgency: Urgency | None = None
    way: Way | None = None

    @property
    def told(self) -> str:
        """The key as one word, for the audit."""
        return ".".join((self.kind, self.case_type or "*", self.urgency or "*", self.way or "*"))

    def fits(self, kind: ClockKind, matter: Matter) -> bool:
        """Whether a rule with this key is about `matter`."""
        return (
            self.kind is kind
            and self.case_type in ("", matter.case_type)
            and self.urgency in (None, matter.urgency)
            and self.way in (None, matter.way)
        )

    @property
    def closeness(self) -> tuple[bool, bool, bool]:
        """How much the key says; the greatest that fits wins."""
        return self.urgency is not None, bool(self.case_type), self.way is not None


@dataclass(frozen=True)
class Rule:
    """The limit for some matters."""

    key: Key
    limit: Limit


def _rule(kind: ClockKind, amount: int, unit: Unit, urgency: Urgency | None = None, way: Way | None = None) -> Rule:
    return Rule(Key(kind, urgency=urgency, way=way), Limit(amount, unit))


_K, _U, _W, _D, _H = ClockKind, Urgency, Way, Unit.working_days, Unit.hours
# Dispatch and the three ways of handling: 篇6 第13条. Urgent matters by the wall clock: Beijing's 2 h and 24 h. What no
# rule of the sources names (to sign, to review, to follow up) is ours, short enough to leave the time to the handling.
DEFAULTS: tuple[Rule, ...] = (
    _rule(_K.dispatch, 24, _H),
    _rule(_K.dispatch, 1, _H, _U.life),
    _rule(_K.dispatch, 2, _H, _U.utilities),
    _rule(_K.sign, 1, _D),
    _rule(_K.sign, 1, _H, _U.life),
    _rule(_K.sign, 2, _H, _U.utilities),
    _rule(_K.handle, 7, _D),
    _rule(_K.handle, 7, _D, way=_W.written),
    _rule(_K.handle, 3, _D, way=_W.telephone),
    _rule(_K.handle, 2, _D, way=_W.consult),
    _rule(_K.handle, 2, _H, _U.life),
    _rule(_K.handle, 24, _H, _U.utilities),
    _rule(_K.review, 1, _D),
    _rule(_K.follow_up, 3, _D),
)
del _K, _U, _W, _D, _H


def in_force(own: Iterable[Rule]) -> dict[Key, Rule]:
    """The rules that hold: those that come with the system, changed and added to by the office's own."""
    return {rule.key: rule for rule in (*DEFAULTS, *own)}


def limit_for(rules: Iterable[Rule], kind: ClockKind, matter: Matter) -> Limit:
    """The limit of that step for that matter. There is always one as long as `rules` are `in_force`."""
    return max((one for one in rules if one.key.fits(kind, matter)), key=lambda one: one.key.closeness).limit
