"""The whole picture at once: calls and telephones rebuilt from Asterisk's answer to `Status` and `DeviceStateList`.

Everything needed to go on stands in channel variables (docs/adr/0001), so this works after any restart of ours and
after a lost AMI session. Pure: rows in, picture out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cti_bridge.channel_events import meet, phone_state
from cti_bridge.event import text
from cti_bridge.model import (
    BETWEEN,
    TALKING,
    Call,
    Leg,
    LegState,
    Phase,
    Role,
    Spy,
    SpyMode,
    Telephony,
    agent_of,
    attempt_of,
    endpoint_of,
    number_or,
    pause_of,
    phase_of,
    promise_of,
    skills_of,
    spy_mode,
)

VARIABLES = (
    "HOTLINE_CALL",
    "HOTLINE_NUMBER",
    "HOTLINE_NAME",
    "HOTLINE_LINE",
    "HOTLINE_STARTED",
    "HOTLINE_PHASE",
    "HOTLINE_LANG",
    "HOTLINE_QUEUE",
    "HOTLINE_SKILLS",
    "HOTLINE_PRIORITY",
    "HOTLINE_PATH",
    "HOTLINE_JOINED",
    "HOTLINE_ATTEMPT",
    "HOTLINE_PLACE_MS",
    "HOTLINE_ANSWERED",
    "HOTLINE_AGENT",
    "HOTLINE_OFFER_AGENT",
    "HOTLINE_OFFER_ID",
    "HOTLINE_REC",
    "HOTLINE_TALKED",
    "HOTLINE_WARN",
    "HOTLINE_CASE",
    "HOTLINE_PEER_CALL",
    "HOTLINE_FOR_CALL",
    "HOTLINE_LEG",
    "HOTLINE_OUT_CALL",
    "HOTLINE_CALLBACK",
    "HOTLINE_KEPT_AGENT",
    "HOTLINE_TO",
    "HOTLINE_DIALS",
    "HOTLINE_PAUSE",
    "HOTLINE_HELP",
    "HOTLINE_MUTED",
    "HOTLINE_THIRD",
    "HOTLINE_MET",
    "HOTLINE_HELD",
    "HOTLINE_SPY_CALL",
    "HOTLINE_SPY_BY",
    "HOTLINE_SPY_AGENT",
    "HOTLINE_SPY_LEG",
    "HOTLINE_SPY_MODE",
)

_LOCAL = re.compile(r"(?:[a-z0-9]{1,32}:)?Local/([0-9+*#]{1,32})@acd-outbound-[0-9a-f]+;([12])")


@dataclass(frozen=True, slots=True)
class Channel:
    """One row of `Status`."""

    name: str
    unique_id: str
    linked_id: str
    state: str
    application: str
    data: str
    bridge: str
    seconds: int
    variables: Mapping[str, str]

    def var(self, name: str) -> str:
        """A channel variable, "" when it is not set."""
        return self.variables.get(f"HOTLINE_{name}", "")


def channel(row: Mapping[str, Any]) -> Channel:
    """A row of `Status` in our terms."""
    raw = row.get("Variable", [])
    pairs = (one.partition("=") for one in (raw if isinstance(raw, list) else [raw]))
    variables = {name: value for name, _, value in pairs if value not in ("", "(null)")}
    return Channel(
        text(row, "Channel"),
        text(row, "Uniqueid"),
        text(row, "Linkedid"),
        text(row, "ChannelStateDesc"),
        text(row, "Application"),
        text(row, "Data"),
        text(row, "BridgeID"),
        number_or(text(row, "Seconds")),
        variables,
    )


def picture(status: Iterable[Mapping[str, Any]], devices: Iterable[Mapping[str, Any]], now_ms: int) -> Telephony:
    """Calls and telephones as they are now."""
    t = Telephony()
    channels = [channel(row) for row in status]
    for one in channels:
        if one.var("CALL") == one.unique_id:
            _adopt_citizen(t, one, now_ms)
    for one in channels:
        if _dials(one) and one.unique_id not in t.calls:
            _adopt_outbound(t, one, channels, now_ms)
    for one in channels:
        call_id, since = one.var("PEER_CALL"), now_ms - one.seconds * 1000
        waits = one.var("LEG") == "agent" and promise_of(call_id) and one.application != "ConfBridge"
        if waits and call_id not in t.calls:
            # An agent whose telephone rings for a call-back, or who waits: the citizen has no channel (any more).
            t.calls[call_id] = Call(call_id, phase=Phase.callback, number=one.var("TO"), started_ms=since)
    for one in channels:
        call = t.calls.get(one.var("PEER_CALL"))
        if call is not None and one.unique_id not in t.by_channel:
            _adopt_other(t, call, one, channels, now_ms)
    offered = {one.unique_id: one.var("OFFER_AGENT") for one in channels}
    for one in channels:
        call = t.calls.get(one.var("FOR_CALL"))
        if call is None or one.unique_id in t.by_channel:
            continue
        # A telephone that rings; it gets its marks when it is picked up. One at another node has that node's name.
        relayed = endpoint_of(one.name).startswith(BETWEEN)
        if agent_id := offered.get(call.call_id, "") if relayed else agent_of(one.name):
            since = now_ms - one.seconds * 1000
            t.attach(call, Leg(one.name, one.unique_id, Role.agent, agent_id, "", _leg_state(one), since))
    for one in channels:
        if one.var("SPY_CALL"):
            _adopt_spy(t, one)
    for call in t.calls.values():
        _complete(call, now_ms)
    for device in devices:
        phone = phone_state(text(device, "Device"), text(device, "State"))
        if phone is not None:
            t.saw(phone)
    return t


def _adopt_spy(t: Telephony, one: Channel) -> None:
    t.spies[one.unique_id] = Spy(
        one.unique_id,
        one.var("SPY_BY"),
        one.var("SPY_CALL"),
        one.var("SPY_AGENT"),
        one.var("SPY_LEG"),
        spy_mode(one.var("SPY_MODE")) or SpyMode.listen,
        one.name,
        one.state == "Up",
        one.application == "ConfBridge",
    )


def _leg_state(one: Channel) -> LegState:
    return {"Up": LegState.up, "Ringing": LegState.ringing}.get(one.state, LegState.dialing)


def _adopt_citizen(t: Telephony, one: Channel, now_ms: int) -> None:
    call = Call(
        one.unique_id,
        one.name,
        phase=phase_of(one.var("PHASE"), Phase.menu),
        number=one.var("NUMBER"),
        name=one.var("NAME"),
        line=one.var("LINE"),
        language=one.var("LANG") or "zh",
        queue=one.var("QUEUE") or "general",
        skills=skills_of(one.var("SKILLS")),
        priority=number_or(one.var("PRIORITY")),
        path=one.var("PATH"),
        started_ms=number_or(one.var("STARTED")) or now_ms - one.seconds * 1000,
        joined_ms=number_or(one.var("JOINED")),
        attempt=number_or(one.var("ATTEMPT")),
        place_ms=number_or(one.var("PLACE_MS")),
        answered_ms=number_or(one.var("ANSWERED")) or None,
        agent_id=one.var("AGENT"),
        offer_id=one.var("OFFER_ID"),
        warn=one.var("WARN") == "1",
        case_number=one.var("CASE"),
        recording=one.var("REC"),
        talked=one.var("TALKED") == "1",
        pause=pause_of(one.var("PAUSE")),
        help_ms=number_or(one.var("HELP")) or None,
        kept_agent=one.var("KEPT_AGENT"),
    )
    t.calls[call.call_id] = call
    in_room = one.application == "ConfBridge"
    since = call.started_ms
    state = _leg_state(one) if call.phase in (Phase.callback, Phase.campaign) else LegState.up
    t.attach(call, Leg(one.name, one.unique_id, Role.citizen, "", call.number, state, since, in_room))


def _dials(one: Channel) -> bool:
    """Whether a call of ours begins with this channel, also while the agent's own telephone still rings."""
    own = one.var("OUT_CALL") or (one.unique_id if one.var("DIALS") == "1" else "")
    return own == one.unique_id and one.var("LEG") != "third"


def _adopt_outbound(t: Telephony, one: Channel, channels: list[Channel], now_ms: int) -> None:
    agent_id = one.var("AGENT") or agent_of(one.name)
    since = now_ms - one.seconds * 1000
    call = Call(
        one.unique_id,
        one.name,
        Phase.outbound,
        outbound=True,
        number=one.var("TO"),
        started_ms=since,
        agent_id=agent_id,
        recording=one.var("REC"),
        attempt_of=attempt_of(one.var("CALLBACK")),
        pause=pause_of(one.var("PAUSE")),
        help_ms=number_or(one.var("HELP")) or None,
    )
    t.calls[call.call_id] = call
    own = t.attach(call, Leg(one.name, one.unique_id, Role.agent, agent_id, "", _leg_state(one), since))
    own.muted_ms = number_or(one.var("MUTED")) or None
    for other in channels:
        if other.linked_id != one.linked_id or other.unique_id == one.unique_id:
            continue
        if other.application != "AppDial" or other.var("PEER_CALL"):
            continue
        began = now_ms - other.seconds * 1000
        leg = Leg(
            other.name, other.unique_id, Role.citizen, agent_of(other.name), call.number, _leg_state(other), began
        )
        t.attach(call, leg)
        call.dialled = True
        if other.bridge and other.bridge == one.bridge:
            call.phase, call.answered_ms, call.talked = Phase.talk, began, True


def _adopt_other(t: Telephony, call: Call, one: Channel, channels: list[Channel], now_ms: int) -> None:
    since = now_ms - one.seconds * 1000
    local = _LOCAL.fullmatch(one.name)
    if one.var("LEG") == "agent":
        agent_id = one.var("AGENT") or agent_of(one.name)
        leg = Leg(one.name, one.unique_id, Role.agent, agent_id, "", _leg_state(one), since)
    elif local is not None:
        # A third party is dialled through a Local channel: its first half is the party in the room.
        if local[2] == "2":
            return
        leg = Leg(
            one.name, one.unique_id, Role.third, _colleague(call, local[1], channels), local[1], _leg_state(one), since
        )
    elif any(o.var("PEER_CALL") == call.call_id and _LOCAL.fullmatch(o.name) for o in channels):
        return  # the far end of that Local channel
    else:
        leg = Leg(one.name, one.unique_id, Role.third, agent_of(one.name), one.var("TO"), _leg_state(one), since)
    leg.in_room = one.application == "ConfBridge"
    leg.muted_ms = number_or(one.var("MUTED")) or None
    if leg.role is Role.third:
        leg.kind, leg.by_agent, leg.held = one.var("THIRD"), one.var("AGENT"), one.var("HELD") == "1"
        leg.joined_ms = number_or(one.var("MET")) or None
    t.attach(call, leg)


def _colleague(call: Call, number: str, channels: list[Channel]) -> str:
    """The number if it is a colleague's: their telephone is here, or behind the line to another node."""
    theirs = (agent_of(one.name) == number or _to_another_node(call, one) for one in channels)
    return number if any(theirs) else ""


def _to_another_node(call: Call, one: Channel) -> bool:
    return one.var("PEER_CALL") == call.call_id and endpoint_of(one.name).startswith(BETWEEN)


def _complete(call: Call, now_ms: int) -> None:
    """What no variable says: since when they talk."""
    if call.recording:
        call.recordings.add(call.recording)
        meet(call)
    leg = call.agent_leg
    if call.phase in TALKING and call.answered_ms is None:
        call.answered_ms = leg.since_ms if leg is not None else now_ms
    if call.phase is Phase.connect:
        call.agent_id = ""


def carry_over(old: Telephony, new: Telephony) -> list[Call]:
    """Put what only we knew (exact times, earlier recordings) into the new picture; the calls that are gone."""
    for call in new.calls.values():
        before = old.calls.get(call.call_id)
        if before is None:
            continue
        call.answered_ms = before.answered_ms or call.answered_ms
        call.recordings |= before.recordings
        call.flags, call.last_agent, call.asked = before.flags, before.last_agent, before.asked
        call.place_ms = before.place_ms or call.place_ms
        call.held_ms, call.held_since_ms, call.marks_told = before.held_ms, before.held_since_ms, before.marks_told
        for unique_id, leg in call.legs.items():
            known = before.legs.get(unique_id)
            if known is not None:
                leg.number, leg.agent_id = known.number or leg.number, known.agent_id or leg.agent_id
                leg.since_ms = known.since_ms
                leg.joined_ms, leg.segment = known.joined_ms or leg.joined_ms, known.segment or leg.segment
                leg.kind, leg.by_agent = known.kind or leg.kind, known.by_agent or leg.by_agent
                leg.unit_id, leg.unit_name, leg.failure = known.unit_id, known.unit_name, known.failure
    return [call for call_id, call in old.calls.items() if call_id not in new.calls]
