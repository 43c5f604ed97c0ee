"""How Asterisk's events change the picture of calls and telephones: a table from event name to rule, pure.

`reduce(telephony, event, now_ms)` brings the picture up to date and returns what has changed. Events may come twice or
after a resync has already told the same: then nothing changes. The dialplan's own events (UserEvent) say what a call
means; the channel events say which legs exist.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cti_bridge.model import (
    TALKING,
    Alone,
    Answered,
    Call,
    CallEnded,
    CallStarted,
    Change,
    InFailsafeQueue,
    Joined,
    KeyPressed,
    Leg,
    LegEnded,
    LegState,
    MembersChanged,
    MenuEnded,
    OfferEnded,
    OriginateFailed,
    OutboundEnded,
    Phase,
    PhaseChanged,
    Phone,
    PhoneSeen,
    Rated,
    Ringing,
    Role,
    Telephony,
    agent_of,
    endpoint_of,
    number_or,
    skills_of,
)

Event = Mapping[str, Any]
Rule = Callable[[Telephony, Event, int], list[Change]]

UNREACHABLE = frozenset({"UNAVAILABLE", "INVALID", "UNKNOWN"})
IN_USE = frozenset({"INUSE", "BUSY", "RINGING", "RINGINUSE", "ONHOLD"})
FAILSAFE_QUEUE = "hotline-failsafe"


def reduce(telephony: Telephony, event: Event, now_ms: int) -> list[Change]:
    """Apply one event; unknown events and events of channels that are no concern of ours change nothing."""
    name = text(event, "Event")
    rule = _USER_RULES.get(text(event, "UserEvent")) if name == "UserEvent" else _RULES.get(name)
    return rule(telephony, event, now_ms) if rule else []


def text(event: Event, key: str) -> str:
    """A header's value; where a user event repeats a header of its channel (Language, Priority), its own value."""
    value = event.get(key, "")
    return str(value[-1]) if isinstance(value, list) else str(value)


# ------------------------------------------------------------------------------------------- the dialplan's own words


def _citizen_call(t: Telephony, event: Event, now_ms: int) -> Call:
    """The call a user event of the citizen's channel speaks of, made if it is new."""
    call_id = text(event, "Call")
    call = t.calls.get(call_id)
    if call is None:
        call = t.calls[call_id] = Call(call_id, started_ms=number_or(text(event, "Started")) or now_ms)
    if call_id not in call.legs and text(event, "Uniqueid") == call_id and call.ended_ms is None:
        call.channel = text(event, "Channel")
        t.attach(call, Leg(call.channel, call_id, Role.citizen, "", call.number, LegState.up, now_ms))
    for name in ("number", "name", "line", "queue", "path"):
        value = text(event, name.capitalize())
        if value:
            setattr(call, name, value)
    leg = call.legs.get(call_id)
    if leg is not None and not call.outbound:
        leg.number = call.number
    return call


def _start(t: Telephony, event: Event, now_ms: int) -> list[Change]:
    known = text(event, "Call") in t.calls
    call = _citizen_call(t, event, now_ms)
    return [] if known else [CallStarted(call.call_id)]


def _menu_end(t: Telephony, event: Event, now_ms: int) -> list[Change]:
    call = _citizen_call(t, event, now_ms)
    call.language = text(event, "Lang") or text(event, "Language") or call.language
    return [MenuEnded(call.call_id, text(event, "Next"))]


def _join(t: Telephony, event: Event, now_ms: int) -> list[Change]:
    known = text(event, "Call") in t.calls
    call = _citizen_call(t, event, now_ms)
    call.language = text(event, "Lang") or text(event, "Language") or call.language
    call.priority = number_or(text(event, "Prio") or text(event, "Priority"), call.priority)
    call.skills = skills_of(text(event, "Skills"))
    call.joined_ms = call.joined_ms or number_or(text(event, "Joined")) or now_ms
    call.attempt = number_or(text(event, "Attempt"))
    call.phase = Phase.hold
    call.offer_id, call.talked = "", False
    return [*([] if known else [CallStarted(call.call_id)]), Joined(call.call_id)]


def _answered(t: Telephony, event: Event, now_ms: int) -> list[Change]:
    """The talk begins. The telephone was picked up seconds ago, before the staff number was said (see `_new_state`)."""
    call = t.calls.get(text(event, "Call"))
    if call is None or call.ended_ms is not None:
        return []
    agent_id, unique_id, channel = text(event, "Agent"), text(event, "Uniqueid"), text(event, "AgentChannel")
    leg = call.legs.get(unique_id) or t.attach(call, Leg(channel, unique_id, Role.agent, since_ms=now_ms))
    leg.agent_id, leg.role = agent_id, Role.agent
    call.recording = text(event, "Rec") or call.recording
    if call.recording:
        call.recordings.add(call.recording)
    begins, call.talked = not call.talked, True
    changes = _picked_up(call, leg, text(event, "OfferId"), now_ms)
    return changes or ([MembersChanged(call.call_id)] if begins else [])  # the page waits for the sentence's end


def _picked_up(call: Call, leg: Leg, offer_id: str, now_ms: int) -> list[Change]:
    again = call.phase in TALKING and call.agent_id == leg.agent_id and leg.state is LegState.up
    leg.state = LegState.up
    if again:
        return []
    call.phase, call.agent_id = Phase.talk, leg.agent_id
    call.answered_ms = call.answered_ms or now_ms
    return [Answered(call.call_id, leg.agent_id, offer_id, leg.channel), MembersChanged(call.call_id)]


def _offer_end(t: Telephony, event: Event, now_ms: int) -> list[Change]:
    call = t.calls.get(text(event, "Call"))
    if call is None:
        return []
    status = text(event, "Status")
    if status == "ANSWER":
        call.phase = Phase.survey
    return [
        OfferEnded(
            call.call_id,
            text(event, "Agent"),
            text(event, "OfferId"),
            status,
            number_or(text(event, "Cause")),
        )
    ]


def _key(t: Telephony, event: Event, now_ms: int) -> list[Change]:
    call = t.calls.get(text(event, "Call"))
    return [KeyPressed(call.call_id, text(event, "Key"))] if call else []


def _failsafe(t: Telephony, event: Event, now_ms: int) -> list[Change]:
    return _moved(_citizen_call(t, event, now_ms), Phase.failsafe, text(event, "Cause"))


def _alone(t: Telephony, event: Event, now_ms: int) -> list[Change]:
    call = t.calls.get(text(event, "Call"))
    return [Alone(call.call_id, text(event, "Agent") or call.agent_id)] if call else []


def _rating(t: Telephony, event: Event, now_ms: int) -> list[Change]:
    call = t.calls.get(text(event, "Call"))
    rating = number_or(text(event, "Rating"), -1)
    return [Rated(call.call_id, text(event, "Agent") or call.agent_id, rating)] if call and rating >= 0 else []


def _voicemail(t: Telephony, event: Event, now_ms: int) -> list[Change]:
    call = t.calls.get(text(event, "Call"))
    return _moved(call, Phase.voicemail, text(event, "Status")) if call else []


def _fax(t: Telephony, event: Event, now_ms: int) -> list[Change]:
    return _moved(_citizen_call(t, event, now_ms), Phase.fax, text(event, "Status"))


def _transfer(t: Telephony, event: Event, now_ms: int) -> list[Change]:
    call = _citizen_call(t, event, now_ms)
    if recording := text(event, "Rec"):
        call.recordings.add(recording)
    return _moved(call, Phase.transfer, text(event, "To"))


def _transfer_end(t: Telephony, event: Event, now_ms: int) -> list[Change]:
    call = t.calls.get(text(event, "Call"))
    if call is None:
        return []
    status, cause = text(event, "Status"), number_or(text(event, "Cause"))
    return [OutboundEnded(call.call_id, call.agent_id, text(event, "To"), status, cause)]


def _moved(call: Call, phase: Phase, detail: str) -> list[Change]:
    call.phase = phase
    return [PhaseChanged(call.call_id, phase, detail)]


def _end(t: Telephony, event: Event, now_ms: int) -> list[Change]:
    call = t.calls.get(text(event, "Call"))
    if call is not None and call.ended_ms is None:
        call.ended_ms = now_ms
    return []


def _outbound(t: Telephony, event: Event, now_ms: int) -> list[Change]:
    """Somebody of ours dials. Within a citizen's call it is a third party, otherwise a call of its own begins."""
    call_id, unique_id = text(event, "Call"), text(event, "Uniqueid")
    if call_id in t.calls and not t.calls[call_id].outbound:
        return []
    if call_id != unique_id and call_id not in t.calls:
        return []
    known = call_id in t.calls
    call = t.calls.setdefault(call_id, Call(call_id, phase=Phase.outbound, outbound=True, started_ms=now_ms))
    call.channel, call.agent_id = text(event, "Channel"), text(event, "Agent")
    call.number = text(event, "Number") or call.number
    if recording := text(event, "Rec"):
        call.recording = recording
        call.recordings.add(recording)
    if unique_id not in call.legs:
        t.attach(call, Leg(call.channel, unique_id, Role.agent, call.agent_id, "", LegState.up, now_ms))
    call.legs[unique_id].state = LegState.up
    return [MembersChanged(call_id)] if known else [CallStarted(call_id), MembersChanged(call_id)]


def _outbound_end(t: Telephony, event: Event, now_ms: int) -> list[Change]:
    call = t.calls.get(text(event, "Call"))
    if call is None:
        return []
    return [
        OutboundEnded(
            call.call_id,
            text(event, "Agent"),
            text(event, "Number"),
            text(event, "Status"),
            number_or(text(event, "Cause")),
        )
    ]


# -------------------------------------------------------------------------------------------------------- the channels


def _dial_begin(t: Telephony, event: Event, now_ms: int) -> list[Change]:
    source, dest = text(event, "Uniqueid"), text(event, "DestUniqueid")
    if (dialled := t.call_of(dest)) is not None:
        dialled.legs[dest].channel = text(event, "DestChannel")  # a leg of our own making gets its name
    call = t.call_of(source)
    if call is None or not dest or dest in call.legs:
        return []
    channel = text(event, "DestChannel")
    if call.outbound:
        role, agent_id, number = Role.citizen, agent_of(channel), call.number
    elif call.phase is Phase.transfer:
        role, agent_id, number = Role.third, agent_of(channel), text(event, "DialString").split("@")[0]
    elif source == call.call_id:
        role, agent_id, number = Role.agent, agent_of(channel), ""
        call.phase = Phase.connect if call.phase is Phase.hold else call.phase
    else:
        return []  # the far side of a third party's leg, which is a leg already
    t.attach(call, Leg(channel, dest, role, agent_id, number, LegState.dialing, now_ms))
    return []


def _new_state(t: Telephony, event: Event, now_ms: int) -> list[Change]:
    call = t.call_of(text(event, "Uniqueid"))
    if call is None:
        return []
    leg = call.legs[text(event, "Uniqueid")]
    leg.channel = leg.channel or text(event, "Channel")
    state = {"Ringing": LegState.ringing, "Up": LegState.up}.get(text(event, "ChannelStateDesc"))
    if state is None or leg.state in (state, LegState.up):
        return []
    if state is LegState.up and call.phase is Phase.connect and leg.role is Role.agent:
        return _picked_up(call, leg, call.offer_id, now_ms)
    leg.state = state
    if state is LegState.ringing:
        out: list[Change] = [MembersChanged(call.call_id)]
        return [Ringing(call.call_id, leg.agent_id, call.offer_id), *out] if leg.role is Role.agent else out
    if call.outbound and leg.role is Role.citizen and call.answered_ms is None:
        call.answered_ms, call.phase, call.talked = now_ms, Phase.talk, True
        return [Answered(call.call_id, call.agent_id, "", leg.channel), MembersChanged(call.call_id)]
    return [MembersChanged(call.call_id)]


def _room_join(t: Telephony, event: Event, now_ms: int) -> list[Change]:
    call_id = text(event, "Conference").removeprefix("room-")
    call, unique_id = t.calls.get(call_id), text(event, "Uniqueid")
    if call is None:
        return []
    leg = call.legs.get(unique_id)
    if leg is None:
        channel = text(event, "Channel")
        leg = t.attach(call, Leg(channel, unique_id, Role.third, agent_of(channel), "", LegState.up, now_ms))
    leg.in_room, leg.state = True, LegState.up
    if leg.role is Role.citizen:
        call.phase = Phase.room
    return [MembersChanged(call_id)]


def _room_leave(t: Telephony, event: Event, now_ms: int) -> list[Change]:
    call = t.call_of(text(event, "Uniqueid"))
    if call is None:
        return []
    leg = call.legs[text(event, "Uniqueid")]
    leg.in_room = False
    return [MembersChanged(call.call_id)]


def _hangup(t: Telephony, event: Event, now_ms: int) -> list[Change]:
    found = t.detach(text(event, "Uniqueid"))
    if found is None:
        return []
    call, leg = found
    cause = number_or(text(event, "Cause"))
    out: list[Change] = [LegEnded(call.call_id, leg.role, leg.agent_id, leg.number, cause)]
    ends = leg.unique_id == call.call_id or (call.outbound and not call.legs)
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
    found = t.detach(unique_id)
    if found is None:
        return []
    call, leg = found
    out: list[Change] = [
        OriginateFailed(call.call_id, unique_id, leg.role, leg.agent_id, leg.number, text(event, "Reason"))
    ]
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
    return Phone(endpoint_of(device), state not in UNREACHABLE, state in IN_USE)


def _device(t: Telephony, event: Event, now_ms: int) -> list[Change]:
    phone = phone_state(text(event, "Device"), text(event, "State"))
    if phone is None or t.phones.get(phone.endpoint) == phone:
        return []
    t.phones[phone.endpoint] = phone
    return [PhoneSeen(phone)]


_USER_RULES: dict[str, Rule] = {
    "HotlineStart": _start,
    "HotlineMenuEnd": _menu_end,
    "AcdJoin": _join,
    "AcdAnswered": _answered,
    "AcdOfferEnd": _offer_end,
    "AcdKey": _key,
    "AcdAlone": _alone,
    "AcdOutbound": _outbound,
    "AcdOutboundEnd": _outbound_end,
    "HotlineFailsafe": _failsafe,
    "HotlineVoicemail": _voicemail,
    "HotlineFax": _fax,
    "HotlineTransfer": _transfer,
    "HotlineTransferEnd": _transfer_end,
    "HotlineRating": _rating,
    "HotlineEnd": _end,
}

_RULES: dict[str, Rule] = {
    "DialBegin": _dial_begin,
    "Newstate": _new_state,
    "ConfbridgeJoin": _room_join,
    "ConfbridgeLeave": _room_leave,
    "Hangup": _hangup,
    "Rename": _rename,
    "OriginateResponse": _originated,
    "QueueCallerJoin": _queue_join,
    "DeviceStateChange": _device,
}

# What the link should deliver; everything else is dropped unread.
WANTED = frozenset(_RULES) | {"UserEvent"}
