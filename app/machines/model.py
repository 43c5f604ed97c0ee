"""What an outside system may do (ADR 0021). Pure.

A machine account is no person: it has no roles and no cookie, only what an administrator has allowed it, for the agents
that were named.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum

from app.actor import Actor
from app.auth.model import Permission
from app.errors import BadInput, Forbidden, NotFound

EVERYBODY = "*"
"""In the list of agents: all there are, also those to come."""
PREFIX = "hl_"
LONGEST_LIFE = timedelta(days=3 * 366)
MOST_SOURCES, MOST_AGENTS = 20, 500
NAME = re.compile(r"[\w.()·-][\w .()·-]{0,39}")
STAFF_NUMBER = re.compile(r"[0-9]{2,8}")


class Scope(StrEnum):
    """One thing that an outside system may be allowed."""

    calls_read = "calls.read"  # follow the calls of its agents, and read what is stored of them
    calls_control = "calls.control"  # dial, answer, hold, hang up, transfer, shift and state, for its agents
    push = "push"  # is told of every call at its own address
    confidential_read = "confidential.read"  # also the numbers of those who asked for secrecy (篇6 第19条)


P = Permission
GRANTS: Mapping[Scope, frozenset[Permission]] = {
    Scope.calls_read: frozenset({P.calls_read, P.personal_read}),
    Scope.calls_control: frozenset(),
    Scope.push: frozenset(),
    Scope.confidential_read: frozenset({P.confidential_read}),
}
"""What a scope is worth where persons are asked for permissions."""
ACTING = frozenset({P.calls_handle})
del P


@dataclass(frozen=True)
class Machine:
    """An outside system at the door. `agents` are staff numbers, or EVERYBODY; `address` is where it came from."""

    machine_id: int
    name: str
    scopes: frozenset[Scope] = frozenset()
    agents: frozenset[str] = field(default_factory=frozenset)
    address: str = ""

    def may(self, scope: Scope) -> bool:
        """Whether this is allowed."""
        return scope in self.scopes

    def require(self, scope: Scope) -> None:
        """Raises Forbidden unless this is allowed."""
        if not self.may(scope):
            raise Forbidden(
                "此外部系统没有该项权限。", "This machine account lacks the scope.", extra={"scope": scope.value}
            )

    def reaches(self, agent_id: str) -> bool:
        """Whether this agent is one of its own."""
        return EVERYBODY in self.agents or agent_id in self.agents

    def require_agent(self, agent_id: str) -> None:
        """Raises NotFound: nobody learns which staff numbers there are by trying."""
        if not STAFF_NUMBER.fullmatch(agent_id) or not self.reaches(agent_id):
            raise NotFound("没有这个工号。", "There is no such staff number.")

    @property
    def actor(self) -> Actor:
        """As the rest of the house asks who reads."""
        granted = frozenset().union(*(GRANTS[scope] for scope in self.scopes))
        return Actor(
            user_id=None,
            name=f"machine:{self.name}",
            display_name=self.name,
            address=self.address,
            granted=granted,
            machine_id=self.machine_id,
        )

    def acting_for(self, agent_id: str) -> Actor:
        """The actor of a command for one of its agents. Raises Forbidden, NotFound."""
        self.require(Scope.calls_control)
        self.require_agent(agent_id)
        actor = self.actor
        return replace(actor, agent_id=agent_id, granted=actor.granted | ACTING)


def networks(sources: Iterable[str]) -> list[str]:
    """Addresses and networks in one spelling. Raises BadInput (sources)."""
    found = []
    for one in sources:
        try:
            found.append(str(ipaddress.ip_network(one.strip(), strict=False)))
        except ValueError:
            raise BadInput(fields={"sources": "请填写 IP 地址或网段，如 10.1.2.0/24 (addresses or networks)"}) from None
    return list(dict.fromkeys(found))[:MOST_SOURCES]


def comes_from(address: str, sources: Iterable[str]) -> bool:
    """Whether it may come from there; no sources: from anywhere."""
    allowed = list(sources)
    if not allowed:
        return True
    try:
        given = ipaddress.ip_address(address)
    except ValueError:
        return False
    plain = getattr(given, "ipv4_mapped", None) or given
    return any(plain in ipaddress.ip_network(one) for one in allowed)


class Buckets:
    """How often each key may do something: `burst` at once, then `rate` a second. At most `most` keys are remembered.

    `now_s` in every call is a clock that never goes back.
    """

    def __init__(self, rate: float, burst: float, most: int = 4096) -> None:
        self.rate, self.burst, self._most = rate, burst, most
        self._left: dict[str, tuple[float, float]] = {}  # key → (what is left, when that was)

    def wait(self, key: str, now_s: float, *, take: bool = True) -> float:
        """0 when it may be done now, and it is counted if `take`; else in how many seconds it may."""
        left, at = self._left.pop(key, (self.burst, now_s))
        left = min(self.burst, left + (now_s - at) * self.rate)
        allowed = left >= 1
        self._left[key] = (left - 1 if allowed and take else left, now_s)  # the one used last stands last
        if len(self._left) > self._most:
            del self._left[next(iter(self._left))]
        return 0.0 if allowed else (1 - left) / self.rate
