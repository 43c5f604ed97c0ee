"""The rules of supervision, without a process or a clock: states, back-off, and when a process counts as frozen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class State(StrEnum):
    """What a supervised process is doing."""

    stopped = "stopped"
    running = "running"
    killed = "killed"  # frozen; SIGKILL was sent, its end is awaited
    waiting = "waiting"  # dead; it is started again when its pause is over
    stopping = "stopping"


class Event(StrEnum):
    """What happens to a supervised process."""

    start = "start"
    exited = "exited"
    frozen = "frozen"
    due = "due"
    stop = "stop"
    overdue = "overdue"


class Effect(StrEnum):
    """What the supervisor does about it."""

    none = "none"
    spawn = "spawn"
    pause = "pause"
    terminate = "terminate"
    kill = "kill"


class IllegalTransition(RuntimeError):
    """An event that means nothing in the present state: a mistake in the supervisor itself."""


TRANSITIONS: Mapping[tuple[State, Event], tuple[State, Effect]] = {
    (State.stopped, Event.start): (State.running, Effect.spawn),
    (State.stopped, Event.stop): (State.stopped, Effect.none),
    (State.running, Event.exited): (State.waiting, Effect.pause),
    (State.running, Event.frozen): (State.killed, Effect.kill),
    (State.running, Event.stop): (State.stopping, Effect.terminate),
    (State.killed, Event.exited): (State.waiting, Effect.pause),
    (State.killed, Event.stop): (State.stopping, Effect.none),
    (State.waiting, Event.due): (State.running, Effect.spawn),
    (State.waiting, Event.stop): (State.stopped, Effect.none),
    (State.stopping, Event.exited): (State.stopped, Effect.none),
    (State.stopping, Event.stop): (State.stopping, Effect.none),
    (State.stopping, Event.overdue): (State.stopping, Effect.kill),
}


def step(state: State, event: Event) -> tuple[State, Effect]:
    """The next state and what to do. Raises IllegalTransition for a pair that the table does not know."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise IllegalTransition(f"{event} means nothing to a process that is {state}") from None


@dataclass(frozen=True)
class Timing:
    """All waits of a supervisor, in seconds."""

    # A backend beats every second; four missed beats and its replacement is under way, so that a caller on a dead
    # line reaches the failsafe within ten seconds.
    beat_stale: float = 4.0
    first_beat_grace: float = 20.0
    most_doublings: int = 3  # of the grace before the first sign
    # Asterisk is asked over its manager line. It carries the calls, so it is given longer before it is replaced.
    probe_every: float = 2.0
    probe_stale: float = 20.0
    probe_grace: float = 60.0
    # The first deaths are answered at once: whatever was said on the line is waiting for the restart.
    pauses: tuple[float, ...] = (0.0, 0.0, 0.0, 1.0, 2.0, 5.0, 10.0, 30.0)
    forget_deaths_after: float = 60.0
    # A spare begins to read when the child has worked for a moment: a start and what people have waited for come first.
    spare_after: float = 3.0
    spare_again: float = 30.0  # after one that died
    tick: float = 0.25


def first_grace(grace: float, in_vain: int, timing: Timing) -> float:
    """Seconds that a process is given for its first sign of life after `in_vain` starts in a row that gave none.

    Twice as long each time: on a machine that has too much to do every start is slow, and to kill it and begin anew
    makes the next one no quicker.
    """
    return grace * 2.0 ** min(in_vain, timing.most_doublings)


def pause_before_restart(deaths: Sequence[float], now: float, timing: Timing) -> float:
    """Seconds to wait before a restart, given when the process died before (the last death is the newest entry).

    Deaths count only within `forget_deaths_after`; a process that keeps dying waits longer each time, never more
    than the last pause.
    """
    recent = sum(1 for died in deaths if now - died <= timing.forget_deaths_after)
    return timing.pauses[min(max(recent - 1, 0), len(timing.pauses) - 1)]


@dataclass
class Watch:
    """Judges whether signs of life keep coming.

    A sign counts when it changes, so neither the wall clock nor its jumps matter. `grace` is granted from the start
    until the first sign, `stale` between any two. Before the first sign the time for which others had the processors
    does not count: a start that has to wait for them is slow, and would be slower if it had to begin anew.
    """

    grace: float
    stale: float
    started: float
    sign: object = None
    changed: float | None = field(default=None)
    queued: float = 0.0  # what the kernel counted at the last look
    waited: float = 0.0  # how much of that is taken off the start

    def look(self, sign: object, now: float) -> None:
        """Notes the present sign of life; None means there has been none yet."""
        if sign is not None and sign != self.sign:
            self.sign, self.changed = sign, now

    def queued_so_far(self, seconds: float, now: float) -> None:
        """Notes for how long the process's threads have waited for a processor since it was started.

        However many wait at once: they cannot have waited for longer than since the start.
        """
        if self.changed is None:
            self.waited = min(self.waited + max(0.0, seconds - self.queued), now - self.started)
        self.queued = seconds

    def excuse(self, seconds: float) -> None:
        """The watcher itself was held up for `seconds`: nobody is blamed for signs that it could not see."""
        self.started += seconds
        if self.changed is not None:
            self.changed += seconds

    def is_frozen(self, now: float) -> bool:
        """True when the signs have stopped, or never came."""
        if self.changed is None:
            return now - self.started - self.waited > self.grace
        return now - self.changed > self.stale
