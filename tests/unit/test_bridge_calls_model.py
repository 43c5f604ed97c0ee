"""How Asterisk's events become the picture of calls, event by event, and the same picture from a snapshot."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from cti_bridge.calls import reduce
from cti_bridge.changes import (
    AgentWaits,
    Alone,
    Answered,
    CallEnded,
    CallStarted,
    Change,
    CitizenAnswered,
    InFailsafeQueue,
    Joined,
    LegEnded,
    MembersChanged,
    OfferEnded,
    OriginateFailed,
    PhaseChanged,
    PhoneSeen,
    Ringing,
)
from cti_bridge.model import (
    Call,
    Leg,
    LegState,
    Phase,
    Phone,
    Role,
    Telephony,
    agent_of,
    callback_call,
    endpoint_of,
    members,
    promise_of,
    skills_of,
)
from cti_bridge.snapshot import carry_over, picture
from cti_bridge.takeback import alone_in_failsafe
from tests.bridge_kit.rig import channel, ringing, rows

CALL = "hotline1-1795484407.0"
LEG = "hotline1-1795484407.1"
CITIZEN = "PJSIP/trunk-00000000"
AGENT = "PJSIP/1001-00000001"
NOW = 1_795_484_407_000


def user(name: str, **fields: object) -> dict[str, Any]:
    base = {"Event": "UserEvent", "UserEvent": name, "Channel": CITIZEN, "Uniqueid": CALL, "Call": CALL}
    return {**base, **fields}


START = user("HotlineStart", Number="13800138000", Name="张三", Line="12345", Started=str(NOW))
JOIN = user("AcdJoin", Number="13800138000", Queue="general", Lang="yue", Language=["zh", "yue"], Skills="yue:3,water",
            Prio="10", Priority=["10", "10"], Path="welcome>person", Joined=str(NOW + 5), Attempt="1")  # fmt: skip
DIAL = {"Event": "DialBegin", "Channel": CITIZEN, "Uniqueid": CALL, "DestChannel": AGENT, "DestUniqueid": LEG}
RING = {"Event": "Newstate", "Channel": AGENT, "Uniqueid": LEG, "ChannelStateDesc": "Ringing"}
UP = {"Event": "Newstate", "Channel": AGENT, "Uniqueid": LEG, "ChannelStateDesc": "Up"}
ANSWERED = user(
    "AcdAnswered", Channel=AGENT, Uniqueid=LEG, Agent="1001", OfferId="o1", AgentChannel=AGENT, Rec="/r/x-1"
)
OFFER_END = user("AcdOfferEnd", Agent="1001", OfferId="o1", Status="ANSWER", Cause="16")
HANGUP_LEG = {"Event": "Hangup", "Uniqueid": LEG, "Cause": "16"}
END = user("HotlineEnd", Cause="16", Phase="survey")
HANGUP = {"Event": "Hangup", "Uniqueid": CALL, "Cause": "16"}


def play(*events: dict[str, Any], telephony: Telephony | None = None) -> tuple[Telephony, list[Change]]:
    t = telephony or Telephony()
    return t, list(itertools.chain.from_iterable(reduce(t, event, NOW + n) for n, event in enumerate(events)))


def test_a_whole_call_tells_each_thing_once() -> None:
    t, changes = play(START, JOIN)
    t.calls[CALL].offer_id = "o1"
    _, more = play(DIAL, RING, UP, ANSWERED, OFFER_END, HANGUP_LEG, END, HANGUP, telephony=t)
    kinds = [type(change) for change in [*changes, *more] if not isinstance(change, MembersChanged)]
    assert kinds == [CallStarted, Joined, Ringing, Answered, OfferEnded, LegEnded, LegEnded, CallEnded]
    call = t.calls[CALL]
    assert (call.language, call.priority, call.skills) == ("yue", 10, {"yue": 3, "water": 1})
    assert call.joined_ms == NOW + 5
    assert call.recordings == {"/r/x-1"}
    assert call.legs == {}


def test_the_telephone_counts_as_answered_when_it_is_picked_up_not_when_the_staff_number_is_said() -> None:
    t, _ = play(START, JOIN)
    t.calls[CALL].offer_id = "o1"
    _, at_pick_up = play(DIAL, RING, UP, telephony=t)
    assert Answered(CALL, "1001", "o1", AGENT) in at_pick_up
    assert not t.calls[CALL].talked
    _, at_talk = play(ANSWERED, telephony=t)
    assert not any(isinstance(change, Answered) for change in at_talk)


def test_a_talk_can_be_acted_upon_when_both_are_in_the_bridge_and_not_before() -> None:
    t, _ = play(START, JOIN, DIAL, RING, UP, ANSWERED)
    enter = {"Event": "BridgeEnter", "Channel": CITIZEN, "Uniqueid": CALL, "BridgeNumChannels": "1"}
    play(enter, telephony=t)
    assert not t.calls[CALL].talked
    _, at_talk = play({**enter, "Channel": AGENT, "Uniqueid": LEG, "BridgeNumChannels": "2"}, telephony=t)
    assert t.calls[CALL].talked
    assert at_talk == [MembersChanged(CALL)]  # the page is told that the sentence is over


def test_a_telephone_that_rings_before_it_is_said_to_be_dialled_is_told_all_the_same() -> None:
    t, _ = play(START, JOIN)
    t.calls[CALL].offer_id = "o1"
    _, changes = play(RING, {**DIAL, "DestChannelStateDesc": "Ringing"}, telephony=t)
    assert Ringing(CALL, "1001", "o1") in changes
    _, changes = play(RING, UP, telephony=t)
    assert not any(isinstance(change, Ringing) for change in changes)
    t, _ = play(START, JOIN)
    _, changes = play(UP, {**DIAL, "DestChannelStateDesc": "Up"}, telephony=t)
    assert any(isinstance(change, Answered) for change in changes)


@pytest.mark.parametrize("twice", [START, JOIN, DIAL, RING, UP, ANSWERED, HANGUP_LEG, HANGUP])
def test_an_event_that_comes_twice_changes_nothing_the_second_time(twice: dict[str, Any]) -> None:
    before = [START, JOIN, DIAL, RING, UP, ANSWERED, HANGUP_LEG, HANGUP]
    t, _ = play(*before[: before.index(twice) + 1])
    state = repr(t)
    _, changes = play(twice, telephony=t)
    if twice is JOIN:
        assert changes == [Joined(CALL)]  # the queue itself knows a repeated attempt
    else:
        assert changes == []
    assert repr(t).replace(str(NOW), "") == state.replace(str(NOW), "")


def test_events_of_unknown_channels_and_names_change_nothing() -> None:
    t, changes = play(
        DIAL,
        RING,
        HANGUP,
        ANSWERED,
        OFFER_END,
        {"Event": "Nonsense"},
        {},
        user("AcdKey", Key="1"),
        {"Event": "UserEvent"},
    )
    assert changes == []
    assert t.calls == {}


def test_a_caller_who_joins_again_keeps_the_first_join_time() -> None:
    t, _ = play(START, JOIN, {**JOIN, "Joined": str(NOW + 99_999), "Attempt": "2"})
    assert t.calls[CALL].joined_ms == NOW + 5
    assert t.calls[CALL].attempt == 2


def test_a_room_has_members_and_says_when_the_citizen_is_alone() -> None:
    t, _ = play(START, JOIN, DIAL, UP, ANSWERED)
    room = {"Event": "ConfbridgeJoin", "Conference": f"room-{CALL}"}
    third = {**room, "Channel": "Local/110@acd-outbound-00000001;1", "Uniqueid": "third-1"}
    _, changes = play({**room, "Uniqueid": CALL}, {**room, "Uniqueid": LEG}, third, telephony=t)
    assert all(isinstance(change, MembersChanged) for change in changes)
    call = t.calls[CALL]
    assert call.phase is Phase.room
    assert [(m["role"], m["state"]) for m in members(call)] == [("citizen", "up"), ("agent", "up"), ("third", "up")]
    leave = {"Event": "ConfbridgeLeave", "Conference": f"room-{CALL}", "Uniqueid": LEG}
    _, gone = play(
        leave, {"Event": "Hangup", "Uniqueid": LEG, "Cause": "44"}, user("AcdAlone", Agent="1001"), telephony=t
    )
    assert LegEnded(CALL, Role.agent, "1001", "", 44) in gone
    assert Alone(CALL, "1001") in gone


def test_a_call_that_we_dial_is_answered_when_the_citizen_is() -> None:
    agent = {"Channel": "PJSIP/1001-00000005", "Uniqueid": "out-1"}
    t, started = play(
        {"Event": "UserEvent", "UserEvent": "AcdOutbound", "Call": "out-1", "Agent": "1001", "Number": "139", **agent}
    )
    assert started[0] == CallStarted("out-1")
    far = {"DestChannel": "PJSIP/trunk-00000006", "DestUniqueid": "out-2"}
    up = {"Event": "Newstate", "Uniqueid": "out-2", "ChannelStateDesc": "Up"}
    _, changes = play({"Event": "DialBegin", **agent, **far}, up, telephony=t)
    assert Answered("out-1", "1001", "", "PJSIP/trunk-00000006") in changes
    _, ended = play(
        {"Event": "Hangup", "Uniqueid": "out-2", "Cause": "16"}, {"Event": "Hangup", "Uniqueid": "out-1"}, telephony=t
    )
    assert isinstance(ended[-1], CallEnded)


def test_a_call_of_ours_that_was_adopted_in_the_moment_of_answering_is_answered_when_both_are_in_the_bridge() -> None:
    ours = channel("n-3.1", name="PJSIP/1001-00000001", application="Dial", OUT_CALL="n-3.1", AGENT="1001", TO="139")
    far = [("Linkedid", "n-3.1") if key == "Linkedid" else (key, value) for key, value in
           channel("n-3.2", name="PJSIP/trunk-00000002", application="AppDial((Outgoing Line)")]  # fmt: skip
    t = picture(rows(ours, far), [], NOW)
    assert t.calls["n-3.1"].phase is Phase.outbound
    enter = {"Event": "BridgeEnter", "Uniqueid": "n-3.2", "BridgeNumChannels": "2"}
    _, changes = play(enter, telephony=t)
    assert Answered("n-3.1", "1001", "", "PJSIP/trunk-00000002") in changes
    assert play(enter, telephony=t)[1] == []
    assert t.calls["n-3.1"].talked


def test_a_third_party_who_never_comes_up_is_told() -> None:
    t, _ = play(START, JOIN)
    call = t.calls[CALL]
    from cti_bridge.model import Leg

    t.attach(call, Leg("", "third-9", Role.third, "", "110", LegState.dialing))
    _, changes = play(
        {"Event": "OriginateResponse", "Response": "Failure", "Uniqueid": "third-9", "Reason": "5"}, telephony=t
    )
    assert changes == [OriginateFailed(CALL, "third-9", Role.third, "", "110", "5")]


@pytest.mark.parametrize(
    ("state", "phone"),
    [
        ("NOT_INUSE", Phone("1001w", True, False)),
        ("INUSE", Phone("1001w", True, True)),
        ("RINGING", Phone("1001w", True, True)),
        ("BUSY", Phone("1001w", True, True)),
        ("UNAVAILABLE", Phone("1001w", False, False)),
        ("UNKNOWN", Phone("1001w", False, False)),
        ("INVALID", Phone("1001w", False, False)),
    ],
)
def test_device_states_become_telephones(state: str, phone: Phone) -> None:
    event = {"Event": "DeviceStateChange", "Device": "PJSIP/1001w", "State": state}
    t, changes = play(event)
    assert changes == [PhoneSeen(phone)]
    assert play(event, telephony=t)[1] == []


@pytest.mark.parametrize(
    "device", ["PJSIP/trunk", "Local/110@acd-outbound", "Queue:hotline-failsafe_avail", "confbridge:room-x"]
)
def test_other_devices_are_no_telephones(device: str) -> None:
    assert play({"Event": "DeviceStateChange", "Device": device, "State": "INUSE"})[1] == []


def test_only_our_failsafe_queue_counts() -> None:
    t, _ = play(START)
    assert play({"Event": "QueueCallerJoin", "Queue": "other", "Uniqueid": CALL}, telephony=t)[1] == []
    _, changes = play({"Event": "QueueCallerJoin", "Queue": "hotline-failsafe", "Uniqueid": CALL}, telephony=t)
    assert changes == [InFailsafeQueue(CALL)]


def test_a_caller_in_the_failsafe_is_in_an_offer_only_when_it_is_our_dialling() -> None:
    failsafe = user("HotlineFailsafe", Cause="acd-stale", From="hold", Joined=str(NOW + 5))
    t, _ = play(START, failsafe, {**DIAL, "Context": "hotline-failsafe"}, RING)
    assert t.calls[CALL].phase is Phase.failsafe
    assert t.calls[CALL].joined_ms == NOW + 5
    for before in (failsafe, user("HotlineMessage")):
        t, _ = play(START, before, {**DIAL, "Context": "acd-connect"}, RING)
        assert t.calls[CALL].phase is Phase.connect


def test_a_caller_who_is_asked_for_a_message_has_left_the_failsafe() -> None:
    t, changes = play(START, user("HotlineFailsafe", Cause="agi-died", From="menu"), user("HotlineMessage"))
    assert changes[-1] == PhaseChanged(CALL, Phase.voicemail)
    assert t.calls[CALL].phase is Phase.voicemail


@pytest.mark.parametrize(
    ("name", "endpoint", "agent"),
    [
        ("PJSIP/1001-0000abcd", "1001", "1001"),
        ("PJSIP/1001w-0000abcd", "1001w", "1001"),
        ("PJSIP/trunk-00000001", "trunk", ""),
        ("PJSIP/1001", "1001", "1001"),
        ("Local/1001@acd-outbound-00000001;1", "", ""),
        ("", "", ""),
        ("PJSIP/../etc", "", ""),
    ],
)
def test_channel_names_tell_whose_telephone_it_is(name: str, endpoint: str, agent: str) -> None:
    assert endpoint_of(name) == endpoint
    assert agent_of(name) == agent


@pytest.mark.parametrize(
    ("text", "skills"),
    [("", {}), ("yue:3,water:1", {"yue": 3, "water": 1}), ("yue", {"yue": 1}), ("a:9", {"a": 5}), ("a:0", {"a": 1}),
     (",,:,x y:2", {}), ("a:-1", {"a": 1}), ("a:" + "9" * 5000, {"a": 1})],
)  # fmt: skip
def test_skills_from_a_variable_are_read_as_far_as_they_make_sense(text: str, skills: dict[str, int]) -> None:
    assert skills_of(text) == skills


# ------------------------------------------------------------------------------------------------------- snapshots


def test_a_snapshot_knows_waiting_talking_held_and_joined_parties() -> None:
    leg = {"PEER_CALL": "n-1.2", "LEG": "agent", "AGENT": "1001"}
    third = {"PEER_CALL": "n-1.2", "LEG": "third", "AGENT": "1001"}
    t = picture(
        rows(
            channel(
                "n-1.1",
                CALL="n-1.1",
                PHASE="hold",
                NUMBER="139",
                JOINED="1000",
                ATTEMPT="3",
                SKILLS="yue:2",
                PRIORITY="100",
            ),
            channel(
                "n-1.2",
                CALL="n-1.2",
                PHASE="room",
                AGENT="1001",
                TALKED="1",
                JOINED="900",
                application="ConfBridge(room-n-1.2",
            ),
            channel("n-1.3", name="PJSIP/1001-00000003", application="ConfBridge(room-n-1.2", **leg),
            channel("n-1.4", name="Local/1002@acd-outbound-00000001;1", application="ConfBridge(room-n-1.2", **third),
            channel("n-1.5", name="Local/1002@acd-outbound-00000001;2", application="Dial(PJSIP/1002", **third),
            channel(
                "n-1.6",
                name="PJSIP/1002-00000004",
                application="AppDial((Outgoing Line)",
                PEER_CALL="n-1.2",
                LEG="third",
            ),
            channel("n-1.7", CALL="n-1.7", PHASE="failsafe", application="Queue(hotline-failsafe,,,,180", JOINED="800"),
            channel("n-1.8", name="PJSIP/trunk-0000ffff"),
            channel("n-1.9", CALL="n-1.9", PHASE="failsafe", application="Queue(hotline-failsafe", FOR_CALL="n-1.9"),
            ringing("n-1.10", "PJSIP/1003-00000009", FOR_CALL="n-1.9"),
        ),
        [{"Device": "PJSIP/1001", "State": "INUSE"}, {"Device": "PJSIP/trunk", "State": "INUSE"}],
        NOW,
    )
    assert set(t.calls) == {"n-1.1", "n-1.2", "n-1.7", "n-1.9"}
    waiting = t.calls["n-1.1"]
    assert (waiting.phase, waiting.joined_ms, waiting.attempt, waiting.skills) == (Phase.hold, 1000, 3, {"yue": 2})
    talk = t.calls["n-1.2"]
    assert talk.answered_ms == NOW - 60_000
    assert [(leg.role, leg.agent_id, leg.in_room) for leg in talk.legs.values()] == [
        (Role.citizen, "", True),
        (Role.agent, "1001", True),
        (Role.third, "1002", True),
    ]
    assert alone_in_failsafe(t.calls["n-1.7"])
    assert t.calls["n-1.7"].joined_ms == 800
    rung = t.calls["n-1.9"]
    assert not alone_in_failsafe(rung)
    assert [(leg.role, leg.agent_id, leg.state) for leg in rung.legs.values()][1:] == [
        (Role.agent, "1003", LegState.ringing)
    ]
    assert t.phones == {"1001": Phone("1001", True, True)}


def test_a_snapshot_knows_calls_that_we_dialled() -> None:
    ours = channel(
        "n-2.1",
        name="PJSIP/1001-00000001",
        application="Dial(PJSIP/139@trunk",
        OUT_CALL="n-2.1",
        AGENT="1001",
        TO="139",
    )
    far = [("Linkedid", "n-2.1") if key == "Linkedid" else (key, value) for key, value in
           channel("n-2.2", name="PJSIP/trunk-00000002", application="AppDial((Outgoing Line)")]  # fmt: skip
    bridged = [[(k, "b1") if k == "BridgeID" else (k, v) for k, v in one] for one in (ours, far)]
    t = picture(rows(*bridged), [], NOW)
    call = t.calls["n-2.1"]
    assert call.outbound
    assert call.number == "139"
    assert call.phase is Phase.talk
    assert [leg.role for leg in call.legs.values()] == [Role.agent, Role.citizen]


def test_after_a_cut_line_exact_times_are_kept_and_what_is_gone_is_named() -> None:
    old, _ = play(START, JOIN, DIAL, UP, ANSWERED)
    other = user("HotlineStart", Call="n-9.9", Uniqueid="n-9.9", Number="1")
    play(other, telephony=old)
    old.calls[CALL].held_ms = 7_000
    new = picture(rows(channel(CALL, CALL=CALL, PHASE="talk", AGENT="1001", TALKED="1")), [], NOW + 500_000)
    gone = carry_over(old, new)
    assert [call.call_id for call in gone] == ["n-9.9"]
    assert new.calls[CALL].answered_ms == old.calls[CALL].answered_ms
    assert new.calls[CALL].recordings == {"/r/x-1"}
    assert new.calls[CALL].held_ms == 7_000


def test_hostile_values_in_variables_are_only_values() -> None:
    t = picture(
        rows(
            channel("n-1.1", CALL="n-1.1", PHASE="rm -rf", NUMBER="a=b=c", JOINED="9" * 40, PRIORITY="x", ATTEMPT="-")
        ),
        [],
        NOW,
    )
    call = t.calls["n-1.1"]
    assert call.phase is Phase.menu
    assert call.number == "a=b=c"
    assert call.joined_ms == 0
    assert call.priority == 0


BACK = callback_call("hotline1", 7)


def calling_back(*events: dict[str, Any]) -> tuple[Telephony, list[Change]]:
    """The queue calls a citizen back: the agent's leg and the citizen's are set up, then these events come."""
    t = Telephony()
    call = t.calls[BACK] = Call(BACK, phase=Phase.callback, number="13800138000")
    t.attach(call, Leg("", LEG, Role.agent, "1001"))
    t.attach(call, Leg("", BACK, Role.citizen, "", "13800138000"))
    return play(*events, telephony=t)


def test_the_id_of_a_call_back_is_the_beginning_of_no_other_one() -> None:
    """Asterisk took hotline1-cb1 and hotline1-cb1.a5 for one channel ("already in use")."""
    ids = [callback_call("hotline1", promise) for promise in range(1, 200)]
    assert [one for one in ids for other in ids if one != other and other.startswith(one)] == []
    assert [promise_of(one) for one in ids] == list(range(1, 200))
    assert promise_of(CALL) == 0


def test_an_agent_who_picks_up_for_a_call_back_waits_and_has_no_talk_yet() -> None:
    t, told = calling_back(RING, UP)
    assert [type(one) for one in told] == [Ringing, MembersChanged, AgentWaits, MembersChanged]
    assert (t.calls[BACK].phase, t.calls[BACK].answered_ms) == (Phase.callback, None)


def test_the_end_of_an_attempt_is_not_the_end_of_the_call() -> None:
    busy = {"Event": "Hangup", "Uniqueid": BACK, "Cause": "17"}
    t, told = calling_back(
        {"Event": "Newstate", "Uniqueid": BACK, "Channel": CITIZEN, "ChannelStateDesc": "Ringing"}, busy
    )
    assert [one for one in told if isinstance(one, LegEnded | CallEnded)] == [
        LegEnded(BACK, Role.citizen, "", "13800138000", 17)
    ]
    assert t.calls[BACK].ended_ms is None


def test_a_failed_origination_waits_for_the_end_of_its_channel_which_says_why() -> None:
    begun = {"Event": "DialBegin", "DestChannel": CITIZEN, "DestUniqueid": BACK}
    failed = {"Event": "OriginateResponse", "Response": "Failure", "Uniqueid": BACK, "Reason": "5"}
    assert calling_back(begun, failed)[1] == []
    assert [type(one) for one in calling_back(failed)[1]] == [OriginateFailed]


def test_a_citizen_who_answers_makes_a_call_of_it_with_or_without_an_agent() -> None:
    answer = user("AcdCallback", Uniqueid=BACK, Call=BACK, Number="13800138000", Agent="1001")
    t, told = calling_back(answer, answer)
    assert [one for one in told if isinstance(one, CitizenAnswered)] == [CitizenAnswered(BACK, "1001")], "once"
    assert (t.calls[BACK].phase, t.calls[BACK].answered_ms) == (Phase.room, NOW)
    t, told = calling_back({**answer, "Agent": ""})
    assert (t.calls[BACK].phase, t.calls[BACK].answered_ms) == (Phase.menu, None)


def test_a_snapshot_knows_who_is_being_called_back_and_who_waits_for_them() -> None:
    citizen = channel(BACK, name=CITIZEN, CALL=BACK, PHASE="callback", NUMBER="13800138000")
    citizen = [(key, "Ringing" if key == "ChannelStateDesc" else value) for key, value in citizen]
    agent = channel(LEG, name=AGENT, LEG="agent", PEER_CALL=BACK, AGENT="1001", TO="13800138000")
    call = picture(rows(citizen, agent), [], NOW).calls[BACK]
    assert (call.phase, call.promise) == (Phase.callback, 7)
    assert [(leg.role, leg.state) for leg in call.legs.values()] == [
        (Role.citizen, LegState.ringing),
        (Role.agent, LegState.up),
    ]
    alone = picture(rows(agent), [], NOW).calls[BACK]
    assert (alone.phase, alone.number, alone.citizen_here) == (Phase.callback, "13800138000", False)


def test_a_telephone_that_rings_at_another_node_is_found_again_by_the_offer() -> None:
    t = picture(
        rows(
            channel(
                "n-1.1",
                CALL="n-1.1",
                PHASE="connect",
                application="Dial(PJSIP/1002@node-m",
                OFFER_AGENT="1002",
                OFFER_ID="o1",
            ),
            ringing("n-1.2", "PJSIP/node-m-00000002", FOR_CALL="n-1.1"),
        ),
        [],
        NOW,
    )
    legs = t.calls["n-1.1"].legs.values()
    assert [(leg.role, leg.agent_id, leg.state) for leg in legs if leg.role is Role.agent] == [
        (Role.agent, "1002", LegState.ringing)
    ]
