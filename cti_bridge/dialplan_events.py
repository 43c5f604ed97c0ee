"""The dialplan's own words (UserEvent): what a call means. Pure rules, one per event."""

from __future__ import annotations

from cti_bridge.changes import (
    Alone,
    CallStarted,
    CampaignEnded,
    CampaignHeard,
    Change,
    CitizenAnswered,
    Joined,
    KeyPressed,
    MembersChanged,
    MenuEnded,
    OfferEnded,
    OutboundEnded,
    PhaseChanged,
    Rated,
    SegmentBegun,
)
from cti_bridge.channel_events import meet
from cti_bridge.event import Event, Rule, picked_up, text
from cti_bridge.model import Call, Leg, LegState, Phase, Role, Telephony, number_or, skills_of


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
        if not call.channel and text(event, "Uniqueid") == call_id:  # dialled by us: it had no name when we began
            call.channel = leg.channel = text(event, "Channel")
            leg.state = LegState.up
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
    return picked_up(call, leg, text(event, "OfferId"), now_ms)


def _called_back(t: Telephony, event: Event, now_ms: int) -> list[Change]:
    """The citizen of a call-back has answered: from now on it is a call like others."""
    call, agent_id = _citizen_call(t, event, now_ms), text(event, "Agent")
    if call.phase is not Phase.callback or call.ended_ms is not None:
        return []
    if (citizen := call.legs.get(call.call_id)) is not None:
        citizen.state = LegState.up
        citizen.channel = call.channel = text(event, "Channel") or citizen.channel
    call.agent_id, call.phase = agent_id, Phase.room if agent_id else Phase.menu
    if agent_id:
        call.answered_ms = now_ms
    return [CitizenAnswered(call.call_id, agent_id), MembersChanged(call.call_id)]


def _campaign_heard(t: Telephony, event: Event, now_ms: int) -> list[Change]:
    return [CampaignHeard(text(event, "Call"), text(event, "Heard"), text(event, "Why"))]


def _campaign_end(t: Telephony, event: Event, now_ms: int) -> list[Change]:
    call_id, heard, said, answer, wish = (text(event, name) for name in ("Call", "Heard", "Said", "Answer", "Wish"))
    return [CampaignEnded(call_id, heard, said, answer, wish, number_or(text(event, "Cause")))]


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
    call = _citizen_call(t, event, now_ms)
    call.joined_ms = call.joined_ms or number_or(text(event, "Joined")) or now_ms
    return _moved(call, Phase.failsafe, text(event, "Cause"))


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


def _message(t: Telephony, event: Event, now_ms: int) -> list[Change]:
    call = t.calls.get(text(event, "Call"))
    return _moved(call, Phase.voicemail, "") if call else []


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
        call.news = text(event, "News")
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


def _segment(t: Telephony, event: Event, now_ms: int) -> list[Change]:
    """The citizen's line is being recorded, in the room."""
    call = t.calls.get(text(event, "Call"))
    if call is None:
        return []
    if recording := text(event, "Rec"):
        call.recording = recording
        call.recordings.add(recording)
        meet(call)
    return [SegmentBegun(call.call_id, text(event, "Channel"), text(event, "Mix"))]


def _outbound_end(t: Telephony, event: Event, now_ms: int) -> list[Change]:
    call = t.calls.get(text(event, "Call"))
    if call is None:
        return []
    status = text(event, "Status")
    leg = next((one for one in call.thirds if one.number == text(event, "Number") and not one.joined_ms), None)
    if leg is not None and status != "ANSWER":
        leg.failure = status
    return [
        OutboundEnded(
            call.call_id,
            text(event, "Agent"),
            text(event, "Number"),
            status,
            number_or(text(event, "Cause")),
        )
    ]


RULES: dict[str, Rule] = {
    "HotlineStart": _start,
    "HotlineMenuEnd": _menu_end,
    "AcdJoin": _join,
    "AcdAnswered": _answered,
    "AcdCallback": _called_back,
    "CampaignHeard": _campaign_heard,
    "CampaignEnd": _campaign_end,
    "AcdOfferEnd": _offer_end,
    "AcdKey": _key,
    "AcdAlone": _alone,
    "AcdOutbound": _outbound,
    "AcdOutboundEnd": _outbound_end,
    "HotlineSegment": _segment,
    "HotlineFailsafe": _failsafe,
    "HotlineMessage": _message,
    "HotlineVoicemail": _voicemail,
    "HotlineFax": _fax,
    "HotlineTransfer": _transfer,
    "HotlineTransferEnd": _transfer_end,
    "HotlineRating": _rating,
    "HotlineEnd": _end,
}
