"""Which of two cores acts: the rules, without a database or a clock (docs/adr/0010-warm-standby.md).

The core that holds a lock in the database acts, the other stands by. What is seen of the lock moves a core through the
table below. A core may act while it has no reason to believe that the lock has gone: its session with the database
stands, and the database has confirmed the lock within `LEASE_S`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Protocol

LEASE_S = 8.0  # so long may the database be silent; less than the 12 s after which it gives up on a silent core


class State(StrEnum):
    """What a core is to the other one."""

    standby = "standby"
    active = "active"
    unsure = "unsure"  # active, but the database does not answer at the moment
    stopped = "stopped"


class Sight(StrEnum):
    """What is seen of the lock."""

    taken = "taken"  # it was free and is ours now
    refused = "refused"  # another core has it
    away = "away"  # the database cannot be asked
    held = "held"  # the database has just said that it is ours
    silent = "silent"  # no answer yet; the session stands
    ended = "ended"  # the session is over, and the lock with it
    expired = "expired"  # silent for so long that the database may have given the lock away
    displaced = "displaced"  # another core has said to Asterisk that it acts
    stop = "stop"


class Effect(StrEnum):
    """What the core does about it."""

    none = "none"
    begin = "begin"
    end = "end"


class IllegalTransition(RuntimeError):
    """A sight that is impossible in the present state: a mistake in the code that looks."""


ACTING = frozenset({State.active, State.unsure})

TRANSITIONS: Mapping[tuple[State, Sight], tuple[State, Effect]] = {
    (State.standby, Sight.taken): (State.active, Effect.begin),
    (State.standby, Sight.refused): (State.standby, Effect.none),
    (State.standby, Sight.away): (State.standby, Effect.none),
    (State.standby, Sight.stop): (State.stopped, Effect.none),
    (State.active, Sight.held): (State.active, Effect.none),
    (State.active, Sight.silent): (State.unsure, Effect.none),
    (State.active, Sight.ended): (State.standby, Effect.end),
    (State.active, Sight.expired): (State.standby, Effect.end),
    (State.active, Sight.displaced): (State.standby, Effect.end),
    (State.active, Sight.stop): (State.stopped, Effect.end),
    (State.unsure, Sight.held): (State.active, Effect.none),
    (State.unsure, Sight.silent): (State.unsure, Effect.none),
    (State.unsure, Sight.ended): (State.standby, Effect.end),
    (State.unsure, Sight.expired): (State.standby, Effect.end),
    (State.unsure, Sight.displaced): (State.standby, Effect.end),
    (State.unsure, Sight.stop): (State.stopped, Effect.end),
    (State.stopped, Sight.stop): (State.stopped, Effect.none),
}


def step(state: State, sight: Sight) -> tuple[State, Effect]:
    """The next state and what to do. Raises IllegalTransition for a pair that the table does not know."""
    try:
        return TRANSITIONS[state, sight]
    except KeyError:
        raise IllegalTransition(f"{sight} cannot be seen by a core that is {state}") from None


class Lock(Protocol):
    """One core's door to the lock. `take` and `check` may block for some seconds; the others never do."""

    def take(self) -> Sight:
        """Try to get the lock: taken, refused or away."""

    def check(self) -> Sight:
        """Ask whether it is still ours: held, silent or ended. `held` answers a question asked within this call."""

    def ended(self) -> bool:
        """Whether this machine already knows that the session is over; asks nobody."""

    def drop(self) -> None:
        """End the session; the lock is free for others at once. No session is no error."""


class Holder:
    """One core's place in the table. `now_s` is a clock that also runs while the machine sleeps, in seconds."""

    def __init__(self, lock: Lock, now_s: Callable[[], float], *, lease_s: float = LEASE_S) -> None:
        self.lock = lock
        self._now_s, self._lease_s = now_s, lease_s
        self._confirmed_s = 0.0
        self.state = State.standby
        self.last = Sight.away

    def look(self) -> Sight:
        """Ask the database; may block for some seconds, changes only what `may_act` knows of the lease."""
        asked = self._now_s()  # a lock that is ours in the answer was ours when the question had not been sent yet
        sight = self.lock.check() if self.state in ACTING else self.lock.take()
        if sight in (Sight.taken, Sight.held):
            self._confirmed_s = asked
        return Sight.expired if sight is Sight.silent and self._expired() else sight

    def known(self) -> Sight | None:
        """What forbids to act and is known without asking anybody: ended or expired; None if nothing is."""
        if self.lock.ended():
            return Sight.ended
        return Sight.expired if self._expired() else None

    def may_act(self) -> bool:
        """Whether this core may do something to calls at this very moment. Costs a microsecond: ask before each act."""
        return self.state in ACTING and self.known() is None

    def see(self, sight: Sight) -> Effect:
        """Move on. Raises IllegalTransition."""
        self.state, effect = step(self.state, sight)
        self.last = sight
        return effect

    def _expired(self) -> bool:
        return self._now_s() - self._confirmed_s >= self._lease_s
