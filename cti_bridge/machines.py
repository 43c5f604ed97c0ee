"""What outside systems hear and may ask for (docs/cti.md): the same as agents' pages, cut to what is theirs.

No card of a citizen goes out, only the call and the id of its case; numbers of those who asked for secrecy are masked
unless the account may see them. Whatever an account does is written down before it is done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from app.errors import Forbidden, HotlineError, NotFound, TooMany, Unauthenticated
from app.machines.model import EVERYBODY, Machine, Scope
from app.text import is_call_id, masked_number
from cti_bridge.core import Core
from cti_bridge.model import Call, Role
from cti_bridge.ports import CallForMachines
from cti_bridge.views import agent_view, call_view

if TYPE_CHECKING:
    from cti_bridge.bridge import Bridge

KNOWN_FOR_S = 10.0
MOST_KNOWN = 2_000
COMMANDS = frozenset(
    {
        "agent.sign_in", "agent.sign_out", "agent.ready", "agent.not_ready", "agent.next_state",
        "wrapup.done", "wrapup.extend",
        "call.answer", "call.hold", "call.resume", "call.hangup", "call.dial",
        "call.transfer_blind", "call.consult", "call.complete_transfer", "call.cancel_consult", "call.conference",
        "call.mute", "call.swap", "callback.start",
    }
)  # fmt: skip
"""What an outside system may ask for an agent. Supervisors' commands, and those that need a person's judgement, are
none of them."""

ACTS = {
    "answer": "call.answer",
    "hold": "call.hold",
    "resume": "call.resume",
    "hangup": "call.hangup",
    "transfer": "call.transfer_blind",
    "consult": "call.consult",
    "complete_transfer": "call.complete_transfer",
    "cancel_consult": "call.cancel_consult",
    "conference": "call.conference",
}
"""The acts of the REST door and the commands that they are."""
STATES = {
    "signed_in": "agent.sign_in",
    "signed_out": "agent.sign_out",
    "ready": "agent.ready",
    "not_ready": "agent.not_ready",
}

_NUMBERS = frozenset({"number", "to"})
_UNTOLD = CallForMachines(confidential=True)


class Machines:
    """See the module's text."""

    def __init__(self, bridge: Bridge, core: Core) -> None:
        self._bridge, self._core = bridge, core
        self._known: dict[str, tuple[float, CallForMachines]] = {}

    async def enter(self, token: str, address: str) -> Machine:
        """Who has this token. Raises Unauthenticated, TooMany, Busy."""
        machine = await asyncio.to_thread(self._core.domain.machine, token, address)
        if machine is None:
            raise Unauthenticated(
                "令牌无效、已过期、已撤销，或来源地址不被允许。",
                "The token is unknown, expired, revoked, or not for this address.",
                code="bad_token",
            )
        return machine

    # -- acting -----------------------------------------------------------------------------------------------------

    async def act(self, machine: Machine, agent_id: str, name: str, args: Mapping[str, Any]) -> dict[str, Any]:
        """A command for one of its agents, audited before it is done. Raises HotlineError."""
        actor = machine.acting_for(agent_id)
        if name not in COMMANDS:
            raise Forbidden("外部系统不能使用此命令。", "This is not for machine accounts.", code="not_for_machines")
        call_id = args.get("call_id")
        about = call_id if isinstance(call_id, str) and is_call_id(call_id) else ""
        await asyncio.to_thread(self._core.domain.audit_machine, machine, "acted", agent_id, about, name)
        if name == "agent.sign_in":
            # A shift that an outside system begins needs none of our pages; one with a page keeps needing it.
            endpoint = args.get("endpoint")
            needs_page = self._core.hub.pages(agent_id) > 0
            chosen = endpoint if isinstance(endpoint, str) else None
            return self.cut(
                machine, await self._bridge.commands.sign_in(agent_id, chosen, needs_page=needs_page), _UNTOLD
            )
        data = await self._bridge.command(actor, name, args)
        await self.learn([str(data["call_id"])] if data.get("call_id") else [])
        return self.cut(machine, data, self.known(str(data.get("call_id") or "")))

    # -- reading ----------------------------------------------------------------------------------------------------

    def agents_of(self, machine: Machine) -> list[str]:
        """The agents that it may follow and that the staff list has."""
        return sorted(one for one in self._core.book.records if machine.reaches(one))

    async def agents(self, machine: Machine) -> list[dict[str, Any]]:
        """Its agents as they are now. Raises Forbidden."""
        machine.require(Scope.calls_read)
        await asyncio.to_thread(self._core.domain.audit_machine, machine, "read", EVERYBODY)
        return [agent_view(self._core, one) for one in self.agents_of(machine)]

    async def calls(self, machine: Machine, agent_id: str = "") -> list[dict[str, Any]]:
        """The calls of its agents (or of one of them) that go on. Raises Forbidden, NotFound."""
        machine.require(Scope.calls_read)
        if agent_id:
            machine.require_agent(agent_id)
        wanted = [agent_id] if agent_id else self.agents_of(machine)
        await asyncio.to_thread(self._core.domain.audit_machine, machine, "read", agent_id or EVERYBODY)
        return await self._views(machine, wanted)

    async def call(self, machine: Machine, call_id: str) -> dict[str, Any]:
        """One call: as it goes on, and as it is stored; either may be null. Raises Forbidden, NotFound, Busy."""
        machine.require(Scope.calls_read)
        live = self._core.call(call_id)
        mine = live is not None and any(machine.reaches(one) for one in staff_of(live))
        try:
            stored = await asyncio.to_thread(self._core.domain.stored_call, machine, call_id)
        except NotFound:
            stored = None
        if not mine and stored is None:
            raise NotFound()
        await asyncio.to_thread(self._core.domain.audit_machine, machine, "read", "", call_id)
        await self.learn([call_id] if mine else [])
        now = self._core.call(call_id)
        return {
            "call_id": call_id,
            "live": self.view(machine, now) if mine and now is not None and now.ended_ms is None else None,
            "stored": stored,
        }

    async def _views(self, machine: Machine, agents: list[str]) -> list[dict[str, Any]]:
        await self.learn([call.call_id for one in agents for call in self._bridge.calls_of(one)])
        return self.views(machine, agents)

    def views(self, machine: Machine, agents: list[str]) -> list[dict[str, Any]]:
        """The calls of these agents, by what is known already."""
        calls = {call.call_id: call for one in agents for call in self._bridge.calls_of(one)}
        return [self.view(machine, call) for call in calls.values()]

    def view(self, machine: Machine, call: Call) -> dict[str, Any]:
        """One call as an outside system sees it."""
        about = self.known(call.call_id)
        view = call_view(self._core, call, call.agent_id or "", self._bridge.offer_of(call))
        seen = {**view, "language": call.language}
        return {**self.cut(machine, seen, about), "queue": call.queue, "line": call.line, "case": case_of(about)}

    # -- what may be told -------------------------------------------------------------------------------------------

    async def learn(self, call_ids: list[str], *, anew: bool = False) -> None:
        """Ask what may be told of these calls, also of those asked about just now if `anew`.

        One that cannot be asked about is told as if it were secret.
        """
        now = asyncio.get_running_loop().time()
        for call_id in dict.fromkeys(call_ids):
            known = self._known.get(call_id)
            if known is not None and not anew and now - known[0] < KNOWN_FOR_S:
                continue
            call = self._core.call(call_id)
            number = call.number if call is not None else ""
            try:
                about = await asyncio.to_thread(self._core.domain.call_for_machines, call_id, number)
            except HotlineError:
                self._known.pop(call_id, None)
                continue
            self._known.pop(call_id, None)
            self._known[call_id] = (now, about)
            if len(self._known) > MOST_KNOWN:
                del self._known[next(iter(self._known))]

    def known(self, call_id: str) -> CallForMachines:
        """What may be told of a call, as it was asked last."""
        return self._known.get(call_id, (0.0, _UNTOLD))[1]

    def cut(self, machine: Machine, data: Mapping[str, Any], about: CallForMachines) -> dict[str, Any]:
        """`data` without cards, and with numbers as this system may see them."""
        hide = about.confidential and not machine.may(Scope.confidential_read)
        told: dict[str, Any] = _cut(data, hide)
        return told


def _cut(data: Any, hide: bool) -> Any:
    if isinstance(data, Mapping):
        return {
            key: masked_number(value) if hide and key in _NUMBERS and isinstance(value, str) else _cut(value, hide)
            for key, value in data.items()
            if key not in ("card", "draft")
        }
    if isinstance(data, list | tuple):
        return [_cut(one, hide) for one in data]
    return data


def case_of(about: CallForMachines) -> dict[str, Any] | None:
    """The case of a call, by its id and number alone."""
    return {"id": about.case_id, "number": about.case_number} if about.case_id else None


def staff_of(call: Call) -> set[str]:
    """The agents that have something to do with a call now."""
    legs = {leg.agent_id for leg in call.legs.values() if leg.agent_id and leg.role is not Role.citizen}
    return legs | ({call.agent_id} if call.agent_id else set())


def passes_by(error: HotlineError) -> bool:
    """Whether a system need only try again later."""
    return isinstance(error, TooMany) or error.status == 503
