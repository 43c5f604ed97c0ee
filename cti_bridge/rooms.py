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
THIRD_HELD = "acd-third-held"
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


def held_thirds(call: Call) -> list[Leg]:
    """Third parties who hear music while agent and citizen talk."""
    return [leg for leg in call.thirds if leg.held]


def _into_room(call: Call, *channels: str) -> list[Action]:
    out = [setvar(channel, "HOTLINE_ROOM", f"room-{call.call_id}") for channel in channels]
    if call.outbound and (citizen := call.leg(Role.citizen)) is not None and citizen.channel in channels:
        # A citizen whom we called has none of the marks of one who called us. Their first segment is on our side's
        # channel (see acd-outbound); what is recorded of them in the room is the second.
        out.append(setvar(citizen.channel, "HOTLINE_CALL", call.call_id))
        if call.phase is Phase.talk:
            out += [setvar(citizen.channel, "HOTLINE_SEGMENT", 1), setvar(citizen.channel, "HOTLINE_TALKED", 1)]
    return out


def _with_all(call: Call) -> list[Action]:
    """Third parties out of the music, into the room."""
    held, citizen = held_thirds(call), call.leg(Role.citizen)
    marks = [setvar(citizen.channel, "HOTLINE_THIRD_HELD", "")] if held and citizen is not None else []
    return [*marks, *(redirect(leg.handle, ROOM) for leg in held)]


def hold(call: Call, agent_id: str) -> list[Action]:
    """Citizen to music. The agent waits, or talks with a third party."""
    citizen, agent = legs(call, agent_id)
    if call.phase is Phase.held:
        return []
    if third(call, up=True) is not None:
        return [redirect(citizen.channel, HELD), *_with_all(call)]
    marks = _into_room(call, citizen.channel, agent.channel)
    return [*marks, redirect_pair(citizen.channel, HELD, agent.channel, WAIT)]


def resume(call: Call, agent_id: str) -> list[Action]:
    """Citizen and agent talk again; a third party is then with both."""
    citizen, agent = legs(call, agent_id)
    if call.phase is not Phase.held:
        return _with_all(call)
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


def swap(call: Call, agent_id: str) -> list[Action]:
    """In a consultation: the citizen and the third party change places between the room and the music."""
    citizen, _agent = legs(call, agent_id)
    there = [leg for leg in call.thirds if leg.state is LegState.up]
    if not there:
        raise refused("third_not_there", "对方尚未接听,不能切换。", "The other party has not answered yet.")
    if call.phase is Phase.held:
        # The dialplan would close a room in which the citizen leaves the agent alone.
        marks = [*_into_room(call, citizen.channel), setvar(citizen.channel, "HOTLINE_THIRD_HELD", there[0].unique_id)]
        return [*(redirect(leg.handle, THIRD_HELD) for leg in there), *marks, redirect(citizen.channel, ROOM)]
    if held_thirds(call):
        return [redirect(citizen.channel, HELD), *_with_all(call)]
    raise refused("no_consult", "三方通话中不能切换。", "In a talk of three there is nobody to change to.")


def conference(call: Call, agent_id: str, emergency: str = "") -> list[Action]:
    """Citizen and agent into the room, where the third party will join them; an emergency line joins whoever is there.

    `emergency` is its number.
    """
    citizen, agent = legs(call, agent_id)
    if not emergency or any(leg.number == emergency for leg in call.thirds):
        _free_for_third(call)
    if call.phase is Phase.room and agent.in_room:
        return []
    if call.phase is Phase.held and agent.in_room:
        return [*_into_room(call, citizen.channel, agent.channel), redirect(citizen.channel, ROOM)]
    return gather(call, agent_id)


def gather(call: Call, agent_id: str) -> list[Action]:
    """A talk of two goes into the room, where somebody else can join it."""
    citizen, agent = legs(call, agent_id)
    marks = _into_room(call, citizen.channel, agent.channel)
    return [*marks, redirect_pair(citizen.channel, ROOM, agent.channel, ROOM)]


def complete(call: Call) -> list[Action]:
    """Citizen to the third party; the agent may go once they have met."""
    citizen = call.leg(Role.citizen)
    if citizen is None or third(call, up=True) is None:
        raise refused("third_not_there", "对方尚未接听,不能转接。", "The other party has not answered yet.")
    into = [] if citizen.in_room else [*_into_room(call, citizen.channel), redirect(citizen.channel, ROOM)]
    return [*into, *_with_all(call)]


def met(call: Call) -> bool:
    """Whether the citizen and every third party who has answered are in the room."""
    citizen = call.leg(Role.citizen)
    there = [leg for leg in call.thirds if leg.state is LegState.up]
    return citizen is not None and citizen.in_room and all(leg.in_room for leg in there)


def cancel(call: Call, agent_id: str) -> list[Action]:
    """Third party out, citizen and agent talk again."""
    legs(call, agent_id)
    gone = [hangup(leg.handle) for leg in call.thirds]
    return [*gone, *(resume(call, agent_id) if call.phase is Phase.held else [])]


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
        *(hangup(leg.handle) for leg in call.thirds),
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
        # A citizen whom the agent has left alone in the room is out of it in the same moment.
        if citizen.in_room and not held_thirds(call):
            return "joined", []
        return "joined", together(call)
    gone = [hangup(leg.handle) for leg in call.thirds]
    if call.phase is Phase.room and citizen.in_room:
        return "nothing", gone  # the room itself tells when the citizen is alone in it
    return ("over", [*gone, *over(call)]) if by_wish else ("again", [*gone, *again(call, say)])


def together(call: Call) -> list[Action]:
    """Everybody who is still there into the room."""
    citizen = call.leg(Role.citizen)
    into = [] if citizen is None else [*_into_room(call, citizen.channel), redirect(citizen.channel, ROOM)]
    return [*into, *_with_all(call)]


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
