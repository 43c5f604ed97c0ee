"""An outside system's websocket (docs/cti.md): as a page's, but it says hello with its agents and acts for them.

A system is no page: no call waits for it, and an agent whose last page has gone has none because of it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import structlog
from starlette.websockets import WebSocket

from app.errors import BadInput, HotlineError, NotFound, Unauthenticated
from app.machines.model import EVERYBODY, Machine, Scope
from cti_bridge.client import ClientSocket
from cti_bridge.commands import failure
from cti_bridge.hub import encode
from cti_bridge.machines import Machines, passes_by
from cti_bridge.views import agent_view

if TYPE_CHECKING:
    from cti_bridge.bridge import Bridge

log = structlog.get_logger(__name__)

LONGEST_LIST = 500


class MachineSocket(ClientSocket):
    """See the module's text. `token` and `address` are asked about again at every command."""

    def __init__(self, socket: WebSocket, machine: Machine, bridge: Bridge, token: str, address: str) -> None:
        super().__init__(socket, machine.actor, bridge.hub, bridge, self._still_good)
        self._machine, self._bridge, self._token, self._address = machine, bridge, token, address
        self._machines: Machines = bridge.machines
        self._as_agent = ""
        self._greeted = False

    async def _still_good(self) -> bool:
        try:
            now = await self._machines.enter(self._token, self._address)
        except Unauthenticated:
            return False
        except HotlineError as error:
            return passes_by(error)
        return now.scopes == self._machine.scopes and now.agents == self._machine.agents

    def _hello(self, frame: dict[str, Any]) -> None:
        if self._greeted:
            return self._no("bad_frame", "hello has been said")
        agents, as_agent = frame.get("agents") or [], frame.get("as_agent") or ""
        named = isinstance(agents, list) and len(agents) <= LONGEST_LIST and all(isinstance(one, str) for one in agents)
        if not named or not isinstance(as_agent, str):
            return self._no("bad_frame", "agents is a list of staff numbers, as_agent one of them")
        if not self._machine.may(Scope.calls_read):
            return self.close(4403, "this account may not read calls")
        try:
            for one in [*agents, *([as_agent] if as_agent else [])]:
                self._machine.require_agent(one)
        except NotFound:
            return self.close(4403, "an agent that is not this account's")
        if not self._bridge.feeds.room_for(self._machine, frozenset(agents)):
            return self.close(1013, "this account follows too many sets of agents: try again in ten minutes")
        self._greeted, self._as_agent = True, as_agent
        task = asyncio.create_task(self._greet(frozenset(agents), frame.get("resume")), name="machine-hello")
        self._commands.add(task)
        task.add_done_callback(self._commands.discard)
        return None

    def _said_hello(self) -> bool:
        return self._greeted  # the snapshot may take a while longer

    async def _greet(self, wanted: frozenset[str], resume: Any) -> None:
        domain = self._bridge.domain
        agents = sorted(wanted) or self._machines.agents_of(self._machine)
        try:
            for one in sorted(wanted) or [EVERYBODY]:
                await asyncio.to_thread(domain.audit_machine, self._machine, "read", one)
            await self._machines.learn([call.call_id for one in agents for call in self._bridge.calls_of(one)])
        except Exception as error:
            if not isinstance(error, HotlineError):
                log.error("a hello could not be answered", machine=self._machine.machine_id, exc_info=error)
            return self.close(1013, "the database is busy, try again")
        if self._closing is not None:
            return None  # gone meanwhile
        # From here to the end nothing else happens: what is missed, or the snapshot, goes first.
        stream = self._bridge.feeds.of(self._machine, wanted).stream
        missed: list[str] | None = None
        if isinstance(resume, dict):
            epoch, seq = resume.get("epoch"), resume.get("seq")
            if isinstance(epoch, str) and isinstance(seq, int) and not isinstance(seq, bool):
                missed = stream.missed(epoch, seq)
        if missed is None:
            data = encode(
                {
                    "agents": [agent_view(self._bridge.core, one) for one in agents],
                    "calls": self._machines.views(self._machine, agents),
                    "server_ms": self._desk.now_ms(),
                }
            )
            missed = [f'{{"type":"snapshot","epoch":"{stream.epoch}","seq":{stream.seq},"data":{data}}}']
        for text in missed:
            self.send(text)
        self._stream = stream
        self._hub.join(stream.key, self)
        return self.send(f'{{"type":"ping","server_ms":{self._desk.now_ms()}}}')

    def _command(self, frame: dict[str, Any]) -> None:
        args = frame.get("args")
        if isinstance(args, dict) and "as_agent" in frame:  # beside the args on the wire, among them on the way
            frame = {**frame, "args": {**args, "as_agent": frame["as_agent"]}}
        elif args is None and "as_agent" in frame:
            frame = {**frame, "args": {"as_agent": frame["as_agent"]}}
        return super()._command(frame)

    async def _carry_out(self, ident: str, name: str, args: dict[str, Any]) -> None:
        agent_id = args.pop("as_agent", self._as_agent)
        try:
            if not isinstance(agent_id, str) or not agent_id:
                raise BadInput(fields={"as_agent": "请指明坐席 (name the agent)"})
            machine = await self._machines.enter(self._token, self._address)
            data = await self._machines.act(machine, agent_id, name, args)
        except Unauthenticated:
            self.close(4401, "the token is not good any more")
        except Exception as error:
            self.send(encode({"type": "result", "id": ident, "ok": False, "error": failure(error, name)}))
        else:
            self._nonsense = 0
            self.send(encode({"type": "result", "id": ident, "ok": True, "data": data}))
