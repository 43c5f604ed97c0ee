"""Call control for outside systems that have no websocket (docs/cti.md): `/api/cti`, with a bearer token only.

Thin: every act is a command of `commands`. Like `/ws` these doors are where the calls are, in the core that acts.
"""

# Annotations are not put off here: FastAPI has to find the dependency, which is made for each bridge.

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field

from app.errors import Busy, NotFound, Unauthenticated
from app.http.context import address_of
from app.http.schema import Body, CallId
from app.machines.door import bearer
from app.machines.model import Machine
from cti_bridge.machines import ACTS, STATES, Machines

if TYPE_CHECKING:
    from cti_bridge.bridge import Bridge

Staff = Annotated[str, Field(pattern=r"^[0-9]{2,8}$")]
Destination = Annotated[str, Field(min_length=1, max_length=40)]


class DialIn(Body):
    """Whose telephone rings, and who is dialled then."""

    agent_id: Staff
    number: Destination


class ActIn(Body):
    """For whom; `to` (a number or staff number) for transfer, consult and conference."""

    agent_id: Staff
    to: Destination | None = None


class StateIn(Body):
    """What the agent is from now on; `reason` for not_ready, `endpoint` for signed_in."""

    state: Literal["signed_in", "signed_out", "ready", "not_ready"]
    reason: str | None = Field(default=None, max_length=32)
    endpoint: str | None = Field(default=None, max_length=16)


@dataclass(frozen=True)
class Caller:
    """An outside system at these doors."""

    machine: Machine
    machines: Machines


def make_rest(bridge_of: "Callable[[], Bridge | None]") -> APIRouter:
    """The routes of the bridge that `bridge_of` gives at the moment."""
    router = APIRouter(prefix="/api/cti", tags=["outside systems"])

    async def caller(request: Request) -> Caller:
        token = bearer(request.headers.get("authorization"))
        if not token:
            raise Unauthenticated("需要令牌。", "A bearer token is needed.", code="bad_token")
        bridge = bridge_of()
        if bridge is None:
            raise Busy("本机处于备用状态，请稍后再试。", "This core stands by: try again.", code="standby")
        machine = await bridge.machines.enter(token, address_of(request))
        request.state.actor = machine.actor
        return Caller(machine, bridge.machines)

    Asking = Annotated[Caller, Depends(caller)]

    @router.get("/agents", operation_id="cti_agents")
    async def agents(asking: Asking) -> list[dict[str, Any]]:
        """The account's agents as they are now."""
        return await asking.machines.agents(asking.machine)

    @router.post("/agents/{agent_id}/state", operation_id="cti_agent_state")
    async def set_state(agent_id: str, body: StateIn, asking: Asking) -> dict[str, Any]:
        """Begin or end an agent's shift, or say whether they are ready."""
        more = {"reason": body.reason, "endpoint": body.endpoint}
        args = {name: value for name, value in more.items() if value is not None}
        return await asking.machines.act(asking.machine, agent_id, STATES[body.state], args)

    @router.get("/calls", operation_id="cti_calls")
    async def calls(
        asking: Asking, agent_id: Annotated[str, Query(pattern=r"^[0-9]{0,8}$")] = ""
    ) -> list[dict[str, Any]]:
        """The calls of its agents that go on."""
        return await asking.machines.calls(asking.machine, agent_id)

    @router.post("/calls", operation_id="cti_dial", status_code=201)
    async def dial(body: DialIn, asking: Asking, response: Response) -> dict[str, Any]:
        """Dial for an agent: the agent's telephone rings, then the number is dialled."""
        made = await asking.machines.act(asking.machine, body.agent_id, "call.dial", {"number": body.number})
        response.headers["Location"] = f"/api/cti/calls/{made['call_id']}"
        return made

    @router.get("/calls/{call_id}", operation_id="cti_call")
    async def call(call_id: CallId, asking: Asking) -> dict[str, Any]:
        """One call: as it goes on, and as it is stored."""
        return await asking.machines.call(asking.machine, call_id)

    @router.post("/calls/{call_id}/{act}", operation_id="cti_act")
    async def do(call_id: CallId, act: str, body: ActIn, asking: Asking) -> dict[str, Any]:
        """answer, hold, resume, hangup, transfer, consult, complete_transfer, cancel_consult, conference."""
        if act not in ACTS:
            raise NotFound()
        args = {"call_id": call_id, **({"to": body.to} if body.to is not None else {})}
        return await asking.machines.act(asking.machine, body.agent_id, ACTS[act], args)

    return router
