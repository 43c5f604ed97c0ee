"""What channels, rooms, queues and telephones do: which legs a call has, and who talks. Pure rules, one per event."""

from __future__ import annotations

from cti_bridge.changes import (
    AgentWaits,
    Answered,
    CallEnded,
    Change,
    InFailsafeQueue,
    LegEnded,
    MembersChanged,
    OriginateFailed,
    PhoneSeen,
    Ringing,
    SpyChanged,
    ThirdLeft,
)
from cti_bridge.event import Event, Rule, picked_up, text
from cti_bridge.model import (
    BETWEEN,
    TALKING,
    Call,
    Leg,
    LegState,
    Phase,
    Phone,
    Role,
    Telephony,
    agent_of,
    endpoint_of,
    number_or,
    split,
)

UNREACHABLE = frozenset({"UNAVAILABLE", "INVALID", "UNKNOWN"})
IN_USE = frozenset({"INUSE", "BUSY", "RINGING", "RINGINUSE", "ONHOLD"})
FAILSAFE_QUEUE = "hotline-failsafe"


def _dial_begin(t: Telephony, event: Event, now_ms: int) -> list[Change]:
    source, dest = text(event, "Uniqueid"), text(event, "DestUniqueid")
    if (spy := t.spies.get(dest)) is not None:
        spy.channel = text(event, "DestChannel")
    if (dialled := t.call_of(dest)) is not None:
        dialled.legs[dest].channel = text(event, "DestChannel")  # a leg of our own making gets its name
    call = t.call_of(source)
    if call is None or not dest or dest in call.legs:
        return []
    channel, agent_id = text(event, "DestChannel"), _agent_dialled(event)
    if call.outbound:
        role, number, call.dialled = Role.citizen, call.number, True
    elif call.phase is Phase.transfer:
        role, number = Role.third, text(event, "DialString").split("@")[0]
    elif source == call.call_id:
        role, number = Role.agent, ""
        # In the failsafe Asterisk's own queue rings somebody; an offer that is ours also reaches a caller who has just
        # gone there, or has just pressed the key for a message.
        ours = text(event, "Context") == "acd-connect" and call.phase in (Phase.failsafe, Phase.voicemail)
        call.phase = Phase.connect if call.phase is Phase.hold or ours else call.phase
    else:
        return []  # the far side of a third party's leg, which is a leg already
    leg = t.attach(call, Leg(channel, dest, role, agent_id, number, LegState.dialing, now_ms))
    # A quick telephone rings before Asterisk says that it is being dialled.
    return _came_to(call, leg, text(event, "DestChannelStateDesc"), now_ms)


def _agent_dialled(event: Event) -> str:
    """Whose telephone this is; one that is registered at another node is dialled by its name there."""
    channel = text(event, "DestChannel")
    if endpoint_of(channel).startswith(BETWEEN):
        return agent_of(f"PJSIP/{text(event, 'DialString').partition('@')[0]}")
    return agent_of(channel)


def _new_state(t: Telephony, event: Event, now_ms: int) -> list[Change]:
    if (spy := t.spies.get(text(event, "Uniqueid"))) is not None:
        spy.channel = text(event, "Channel")
        up, spy.up = spy.up, spy.up or text(event, "ChannelStateDesc") == "Up"
        return [] if up is spy.up else [SpyChanged(spy)]
    call = t.call_of(text(event, "Uniqueid"))
    if call is None:
        return []
    leg = call.legs[text(event, "Uniqueid")]
    leg.channel = leg.channel or text(event, "Channel")
    return _came_to(call, leg, text(event, "ChannelStateDesc"), now_ms)


def _came_to(call: Call, leg: Leg, told: str, now_ms: int) -> list[Change]:
    """A leg's channel is in this state."""
    state = {"Ringing": LegState.ringing, "Up": LegState.up}.get(told)
    if state is None or leg.state in (state, LegState.up):
        return []
    if state is LegState.up and call.phase is Phase.connect and leg.role is Role.agent:
        return picked_up(call, leg, call.offer_id, now_ms)
    leg.state = state
    if state is LegState.up:
        leg.joined_ms = leg.joined_ms or now_ms
    if state is LegState.up and call.phase is Phase.callback and leg.role is Role.agent:
        return [AgentWaits(call.call_id, leg.agent_id, leg.channel), MembersChanged(call.call_id)]
    if state is LegState.ringing:
        out: list[Change] = [MembersChanged(call.call_id)]
        return [Ringing(call.call_id, leg.agent_id, call.offer_id), *out] if leg.role is Role.agent else out
    if call.outbound and leg.role is Role.citizen and call.answered_ms is None:
        return _reached(call, leg, now_ms)
    return [MembersChanged(call.call_id)]


def _reached(call: Call, citizen: Leg, now_ms: int) -> list[Change]:
    """Whom we called has answered."""
    call.answered_ms, call.phase = now_ms, Phase.talk
    return [Answered(call.call_id, call.agent_id, "", citizen.channel), MembersChanged(call.call_id)]


def _bridged(t: Telephony, event: Event, now_ms: int) -> list[Change]:
    """Two are connected: only from now on can their talk be put on hold or handed on."""
    call = t.call_of(text(event, "Uniqueid"))
    if call is None or number_or(text(event, "BridgeNumChannels")) < 2:
        return []
    out: list[Change] = []
    if call.outbound and call.answered_ms is None and (citizen := call.leg(Role.citizen)) is not None:
        out = _reached(call, citizen, now_ms)  # known from a snapshot that was taken in the moment of answering
    if call.phase in TALKING and not call.talked:
        call.talked = True
        out.append(MembersChanged(call.call_id))  # the page waits for the end of the sentence with the staff number
    return out


def _room_join(t: Telephony, event: Event, now_ms: int) -> list[Change]:
    call_id = text(event, "Conference").removeprefix("room-")
    call, unique_id = t.calls.get(call_id), text(event, "Uniqueid")
    if call is None:
        return []
    if (spy := t.spies.get(unique_id)) is not None:
        spy.in_room = True
        return []
    leg = call.legs.get(unique_id)
    if leg is None:
        channel = text(event, "Channel")
        leg = t.attach(call, Leg(channel, unique_id, Role.third, agent_of(channel), "", LegState.up, now_ms))
    leg.in_room, leg.state, leg.held = True, LegState.up, False
    leg.joined_ms = leg.joined_ms or now_ms
    if leg.role is Role.citizen:
        call.phase, call.talked = Phase.room, True
    meet(call)
    return [MembersChanged(call_id)]


def meet(call: Call) -> None:
    """Third parties who are in the room with the citizen are in the recording that is being made there."""
    citizen = call.leg(Role.citizen)
    if citizen is not None and citizen.in_room:
        for leg in call.thirds:
            leg.segment = leg.segment or (call.segment if leg.in_room else 0)


def _room_leave(t: Telephony, event: Event, now_ms: int) -> list[Change]:
    if (spy := t.spies.get(text(event, "Uniqueid"))) is not None:
        spy.in_room = False
        return []
    call = t.call_of(text(event, "Uniqueid"))
    if call is None:
        return []
    leg = call.legs[text(event, "Uniqueid")]
    leg.in_room = False
    return [MembersChanged(call.call_id)]


def _hangup(t: Telephony, event: Event, now_ms: int) -> list[Change]:
    if (spy := t.spies.pop(text(event, "Uniqueid"), None)) is not None:
        return [SpyChanged(spy, gone=True)]
    found = t.detach(text(event, "Uniqueid"))
    if found is None:
        return []
    call, leg = found
    cause = number_or(text(event, "Cause"))
    out: list[Change] = [ThirdLeft(call.call_id, leg)] if leg.kind else []
    out.append(LegEnded(call.call_id, leg.role, leg.agent_id, leg.number, cause))
    # An attempt to call a citizen back is not the call: that begins with the citizen's answer. Nor is a campaign's.
    attempt = call.phase in (Phase.callback, Phase.campaign)
    ends = not attempt and (leg.unique_id == call.call_id or (call.outbound and not call.legs))
    if ends:
        call.ended_ms = call.ended_ms or now_ms
        out.append(CallEnded(call.call_id, cause, call.phase))
        call.phase = Phase.ended
    else:
        out.append(MembersChanged(call.call_id))
    return out


def _rename(t: Telephony, event: Event, now_ms: int) -> list[Change]:
    call = t.call_of(text(event, "Uniqueid"))
    if call is not None:
        leg = call.legs[text(event, "Uniqueid")]
        t.names.pop(leg.channel, None)
        leg.channel = text(event, "Newname")
        t.names[leg.channel] = leg.unique_id
        if leg.unique_id == call.call_id:
            call.channel = leg.channel
    return []


def _originated(t: Telephony, event: Event, now_ms: int) -> list[Change]:
    if text(event, "Response") == "Success":
        return []
    unique_id = text(event, "Uniqueid")
    if (spy := t.spies.pop(unique_id, None)) is not None:
        return [SpyChanged(spy, gone=True)]
    asked = t.call_of(unique_id)
    if asked is not None and asked.phase in (Phase.callback, Phase.campaign) and asked.legs[unique_id].channel:
        return []  # the end of its channel says why, and comes in the same moment
    found = t.detach(unique_id)
    if found is None:
        return []
    call, leg = found
    reason = text(event, "Reason")
    leg.failure = leg.failure or {"3": "NOANSWER", "5": "BUSY"}.get(reason, "CHANUNAVAIL")
    out: list[Change] = [ThirdLeft(call.call_id, leg)] if leg.kind else []
    out.append(OriginateFailed(call.call_id, unique_id, leg.role, leg.agent_id, leg.number, reason))
    if call.outbound and not call.legs:
        call.ended_ms = now_ms
        out.append(CallEnded(call.call_id, 0, call.phase))
        call.phase = Phase.ended
    return out


def _queue_join(t: Telephony, event: Event, now_ms: int) -> list[Change]:
    call = t.calls.get(text(event, "Uniqueid"))
    return [InFailsafeQueue(call.call_id)] if call and text(event, "Queue") == FAILSAFE_QUEUE else []


def phone_state(device: str, state: str) -> Phone | None:
    """The telephone behind a device state; None for devices that are no agent's telephone."""
    if not agent_of(device):
        return None
    return Phone(endpoint_of(device), state not in UNREACHABLE, state in IN_USE, split(device)[0])


def _device(t: Telephony, event: Event, now_ms: int) -> list[Change]:
    phone = phone_state(text(event, "Device"), text(event, "State"))
    return [PhoneSeen(t.phones[phone.endpoint])] if phone is not None and t.saw(phone) else []


RULES: dict[str, Rule] = {
    "DialBegin": _dial_begin,
    "Newstate": _new_state,
    "BridgeEnter": _bridged,
    "ConfbridgeJoin": _room_join,
    "ConfbridgeLeave": _room_leave,
    "Hangup": _hangup,
    "Rename": _rename,
    "OriginateResponse": _originated,
    "QueueCallerJoin": _queue_join,
    "DeviceStateChange": _device,
}
