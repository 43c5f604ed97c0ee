"""What Asterisk's own events say of a queue, whichever it is: who waits, who is busy, and how long it took to ring.

Three events of one manager line, with Asterisk's own timestamps, and nothing that either queue says of itself:

- `UserEvent` BenchJoin, the step of the dialplan right before the queue: a caller joins,
- `Newstate` Ringing of an agent's channel: the phone has answered the INVITE with 180,
- `Hangup` of a channel: a phone is free again, or a caller has given up.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

FILTERS = ("Event: Newstate.*ChannelStateDesc: Ringing", "Event: Hangup..Privilege", "UserEvent: BenchJoin")
"""Regular expressions of AMI's `Filter`: nothing else is even sent to the watcher."""
_PHONE = re.compile(r"PJSIP/(\d+)-")


@dataclass
class Times:
    """Milliseconds until a phone rang."""

    join_to_ring: list[float] = field(default_factory=list)
    """From joining, for callers who joined while more agents were free than callers waited."""
    free_to_ring: list[float] = field(default_factory=list)
    """From an agent's hang-up until that agent's phone rings again, while more callers waited than agents were free."""
    joined: int = 0
    rung: int = 0
    """Callers for whom a phone rang."""


class Floor:
    """The agents of one session and the callers before them."""

    def __init__(self, agents: set[str]) -> None:
        self.agents = agents
        self.busy: dict[str, str] = {}  # agent → unique id of the channel that rings or talks
        self.waiting: dict[str, float] = {}  # caller → when they joined
        self.present: set[str] = set()  # callers who have joined and not hung up
        self.times = Times()
        self._served_at_once: set[str] = set()
        self._needed: dict[str, float] = {}  # agent → since when they are free although callers wait

    def begin(self) -> None:
        """From here on times count anew; of who is waiting or free already nothing is counted."""
        self.times = Times()
        self._served_at_once.clear()
        self._needed.clear()

    def event(self, event: Mapping[str, str]) -> None:
        """One event of Asterisk, in the order in which they come."""
        at, channel = float(event["Timestamp"]), event.get("Channel", "")
        phone = _PHONE.match(channel)
        if event["Event"] == "UserEvent":
            self._join(event["Uniqueid"], at)
        elif event["Event"] == "Hangup":
            self._gone(phone[1] if phone else "", event["Uniqueid"], at)
        elif phone and phone[1] in self.agents:
            self._ring(phone[1], event["Uniqueid"], event["Linkedid"], at)

    def _free(self) -> int:
        return len(self.agents) - len(self.busy)

    def _join(self, caller: str, at: float) -> None:
        if self._free() > len(self.waiting):
            self._served_at_once.add(caller)
        self.waiting[caller] = at
        self.present.add(caller)
        self.times.joined += 1

    def _ring(self, agent: str, channel: str, caller: str, at: float) -> None:
        self.busy[agent] = channel
        if (joined := self.waiting.pop(caller, None)) is not None:
            self.times.rung += 1
            if caller in self._served_at_once:
                self.times.join_to_ring.append(1000 * (at - joined))
        if (since := self._needed.pop(agent, None)) is not None:
            self.times.free_to_ring.append(1000 * (at - since))
        self._look()

    def _gone(self, agent: str, channel: str, at: float) -> None:
        if agent and self.busy.get(agent) == channel:
            if len(self.waiting) > self._free():
                self._needed[agent] = at
            del self.busy[agent]
        else:
            self.waiting.pop(channel, None)
            self.present.discard(channel)
            self._look()

    def _look(self) -> None:
        """Nobody waits any more: an agent who is free now is not late."""
        if not self.waiting:
            self._needed.clear()
