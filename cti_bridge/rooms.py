"""How a talk is held, joined by a third, handed over: from the picture of a call to the steps on Asterisk, pure.

A plain talk is a bridge of two. With the first hold, consultation or third party the legs move into the call's
conference room (docs/adr/0006): whoever leaves, the others stay. Each plan either gives steps or says why not.
"""

from __future__ import annotations

from cti_bridge.asterisk import Action, hangup, redirect, redirect_pair, setvar
from cti_bridge.model import TALKING, Call, Leg, LegState, Phase, Role
from cti_bridge.refusals import no_talk, refused

ROOM = "acd-room"
HELD = "acd-held"
WAIT = "acd-agent-wait"


def legs(call: Call, agent_id: str) -> tuple[Leg, Leg]:
    """(citizen, agent) of a talk that this agent has. Raises Refused when there is none."""
    citizen, agent = call.leg(Role.citizen), call.agent_leg
    if call.phase not in TALKING or citizen is None or agent is None or agent.agent_id != agent_id:
        raise no_talk()
    if agent.state is not LegState.up or not call.talked:
        raise no_talk()  # picked up, but the staff number is still being said
    return citizen, agent


def connecting(call: Call, agent_id: str) -> bool:
    """Whether the talk begins in a moment: the agent has picked up and the staff number is still being said, or a
    citizen whom we called has just answered."""
    agent = call.leg(Role.agent)
    return (
        call.phase in (Phase.connect, Phase.talk, Phase.room)
        and not call.talked
        and call.citizen_here
        and agent is not None
        and agent.agent_id == agent_id
        and agent.state is LegState.up
    )


def third(call: Call, *, up: bool = False) -> Leg | None:
    """The third party, if there is one (and has answered)."""
    return next((leg for leg in call.thirds if not up or leg.state is LegState.up), None)


def _into_room(call: Call, *channels: str) -> list[Action]:
    out = [setvar(channel, "HOTLINE_ROOM", f"room-{call.call_id}") for channel in channels]
    if call.outbound and (citizen := call.leg(Role.citizen)) is not None and citizen.channel in channels:
        # A citizen whom we called has none of the marks of one who called us.
        out.append(setvar(citizen.channel, "HOTLINE_CALL", call.call_id))
    return out


def hold(call: Call, agent_id: str) -> list[Action]:
    """Citizen to music. The agent waits, or goes on talking with a third party who is in the room."""
    citizen, agent = legs(call, agent_id)
    if call.phase is Phase.held:
        return []
    if third(call, up=True) is not None:
        return [redirect(citizen.channel, HELD)]
    marks = _into_room(call, citizen.channel, agent.channel)
    return [*marks, redirect_pair(citizen.channel, HELD, agent.channel, WAIT)]


def resume(call: Call, agent_id: str) -> list[Action]:
    """Citizen and agent talk again; a third party in the room is then with both."""
    citizen, agent = legs(call, agent_id)
    if call.phase is not Phase.held:
        return []
    marks = _into_room(call, citizen.channel, agent.channel)
    if agent.in_room:
        return [*marks, redirect(citizen.channel, ROOM)]
    return [*marks, redirect_pair(citizen.channel, ROOM, agent.channel, ROOM)]


def consult(call: Call, agent_id: str) -> list[Action]:
    """Citizen to music, agent into the room, where the third party will be."""
    citizen, agent = legs(call, agent_id)
    _free_for_third(call)
    marks = _into_room(call, citizen.channel, agent.channel)
    if call.phase is not Phase.held:
        return [*marks, redirect_pair(citizen.channel, HELD, agent.channel, ROOM)]
    return [] if agent.in_room else [*marks, redirect(agent.channel, ROOM)]


def conference(call: Call, agent_id: str) -> list[Action]:
    """Citizen and agent into the room, where the third party will join them."""
    citizen, agent = legs(call, agent_id)
    _free_for_third(call)
    if call.phase is Phase.room and agent.in_room:
        return []
    marks = _into_room(call, citizen.channel, agent.channel)
    if call.phase is Phase.held and agent.in_room:
        return [*marks, redirect(citizen.channel, ROOM)]
    return [*marks, redirect_pair(citizen.channel, ROOM, agent.channel, ROOM)]


def complete(call: Call) -> list[Action]:
    """Citizen to the third party; the agent may go once they have met."""
    citizen = call.leg(Role.citizen)
    if citizen is None or third(call, up=True) is None:
        raise refused("third_not_there", "对方尚未接听,不能转接。", "The other party has not answered yet.")
    return [] if citizen.in_room else [*_into_room(call, citizen.channel), redirect(citizen.channel, ROOM)]


def cancel(call: Call, agent_id: str) -> list[Action]:
    """Third party out, citizen and agent talk again."""
    legs(call, agent_id)
    gone = [hangup(leg.handle) for leg in call.thirds]
    return [*gone, *resume(call, agent_id)]


def blind(call: Call, agent_id: str, to: str) -> list[Action]:
    """Citizen to the number, agent out."""
    citizen, agent = legs(call, agent_id)
    if call.outbound:
        raise refused(
            "not_for_outbound", "呼出的通话请使用咨询转接。", "A call that we made can only be transferred warm."
        )
    steps = [
        setvar(citizen.channel, "HOTLINE_TRANSFER_TO", to),
        setvar(citizen.channel, "HOTLINE_TRANSFER_BY", agent_id),
        redirect(citizen.channel, "hotline-transfer"),
    ]
    # In a plain bridge the agent's leg ends by itself when the citizen leaves it.
    return [*steps, *([] if call.phase is Phase.talk else [hangup(agent.channel)])]


def _free_for_third(call: Call) -> None:
    if third(call) is not None:
        raise refused("third_there", "已有第三方在通话中,请先结束。", "There is a third party already.")


# -------------------------------------------------------------------------- when somebody leaves (UX 22: the rest stay)


def after_agent_left(call: Call, *, by_wish: bool, say: str = "") -> tuple[str, list[Action]]:
    """What becomes of a citizen whose agent is gone from hold or room: (what, steps).

    With a third party who has answered the two talk on. Otherwise by the agent's wish the talk is over (survey), and
    after a failure the citizen is served again before others.
    """
    citizen = call.leg(Role.citizen)
    if citizen is None:
        return "nothing", []
    if any(leg.state is LegState.up for leg in call.legs.values() if leg is not citizen):
        if citizen.in_room:
            return "joined", []
        return "joined", [*_into_room(call, citizen.channel), redirect(citizen.channel, ROOM)]
    gone = [hangup(leg.handle) for leg in call.thirds]
    if call.phase is Phase.room and citizen.in_room:
        return "nothing", gone  # the room itself tells when the citizen is alone in it
    return ("over", [*gone, *over(call)]) if by_wish else ("again", [*gone, *again(call, say)])


def over(call: Call) -> list[Action]:
    """The talk is over: a citizen who called may rate it, one whom we called is let go."""
    citizen = call.leg(Role.citizen)
    if citizen is None:
        return []
    return [hangup(citizen.channel)] if call.outbound else [redirect(citizen.channel, "hotline-survey")]


def again(call: Call, say: str = "") -> list[Action]:
    """The agent's telephone died: back into the queue with the place kept, before the others."""
    citizen = call.leg(Role.citizen)
    if citizen is None:
        return []
    if call.outbound:
        return [hangup(citizen.channel)]
    return [
        setvar(citizen.channel, "HOTLINE_PRIORITY", call.priority + 50),
        *([setvar(citizen.channel, "HOTLINE_SAY", say)] if say else []),
        redirect(citizen.channel, "acd-hold"),
    ]
