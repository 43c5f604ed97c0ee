"""Hold, consultation, transfer, three-way: the steps for every situation, and that whoever leaves the rest stay."""

from __future__ import annotations

import pytest

from app.errors import Refused
from cti_bridge import rooms
from cti_bridge.asterisk import Action
from cti_bridge.model import Call, Leg, LegState, Phase, Role, Telephony, talks_with

SITUATIONS = {
    "plain talk": (Phase.talk, False, False, None),
    "held, agent waits": (Phase.held, False, False, None),
    "in the room": (Phase.room, True, True, None),
    "consulting, third rings": (Phase.held, False, True, LegState.ringing),
    "consulting": (Phase.held, False, True, LegState.up),
    "three-way": (Phase.room, True, True, LegState.up),
    "three-way, third rings": (Phase.room, True, True, LegState.ringing),
    "swapped": (Phase.room, True, True, LegState.up),  # with the citizen, while the third party hears music
}


def call(situation: str, *, outbound: bool = False, talked: bool = True) -> Call:
    phase, citizen_in, agent_in, third = SITUATIONS[situation]
    one = Call("c1", "PJSIP/trunk-1", phase, outbound=outbound, agent_id="1001", priority=10, talked=talked)
    t = Telephony(calls={"c1": one})
    t.attach(one, Leg("PJSIP/trunk-1", "c1", Role.citizen, state=LegState.up, in_room=citizen_in))
    t.attach(one, Leg("PJSIP/1001-2", "c2", Role.agent, "1001", state=LegState.up, in_room=agent_in))
    if third is not None:
        up = third is LegState.up
        held = situation == "swapped"
        t.attach(one, Leg("Local/110@x;1", "third-1", Role.third, "", "110", third, in_room=up and not held, held=held))
    return one


def said(steps: list[Action]) -> list[str]:
    """Steps in short: who goes where."""
    out = []
    names = {"PJSIP/trunk-1": "citizen", "PJSIP/1001-2": "agent", "Local/110@x;1": "third"}
    for step in steps:
        who = names.get(str(step.get("Channel")), "?")
        if step["Action"] == "Redirect":
            out.append(f"{who}→{step['Context']}")
            if "ExtraChannel" in step:
                out.append(f"{names[str(step['ExtraChannel'])]}→{step['ExtraContext']}")
        elif step["Action"] == "Hangup":
            out.append(f"{who} out")
    return out


PAIR_HOLD = ["citizen→acd-held", "agent→acd-agent-wait"]
PAIR_ROOM = ["citizen→acd-room", "agent→acd-room"]
TABLE: dict[str, dict[str, list[str] | str]] = {
    "hold": {
        "plain talk": PAIR_HOLD,
        "held, agent waits": [],
        "in the room": PAIR_HOLD,
        "consulting, third rings": [],
        "consulting": [],
        "three-way": ["citizen→acd-held"],
        "three-way, third rings": PAIR_HOLD,
        "swapped": ["citizen→acd-held", "third→acd-room"],
    },
    "resume": {
        "plain talk": [],
        "held, agent waits": PAIR_ROOM,
        "in the room": [],
        "consulting, third rings": ["citizen→acd-room"],
        "consulting": ["citizen→acd-room"],
        "three-way": [],
        "three-way, third rings": [],
        "swapped": ["third→acd-room"],
    },
    "consult": {
        "plain talk": ["citizen→acd-held", "agent→acd-room"],
        "held, agent waits": ["agent→acd-room"],
        "in the room": ["citizen→acd-held", "agent→acd-room"],
        "consulting, third rings": "third_there",
        "consulting": "third_there",
        "three-way": "third_there",
        "three-way, third rings": "third_there",
        "swapped": "third_there",
    },
    "conference": {
        "plain talk": PAIR_ROOM,
        "held, agent waits": PAIR_ROOM,
        "in the room": [],
        "consulting, third rings": "third_there",
        "consulting": "third_there",
        "three-way": "third_there",
        "three-way, third rings": "third_there",
        "swapped": "third_there",
    },
    "complete": {
        "plain talk": "third_not_there",
        "held, agent waits": "third_not_there",
        "in the room": "third_not_there",
        "consulting, third rings": "third_not_there",
        "consulting": ["citizen→acd-room"],
        "three-way": [],
        "three-way, third rings": "third_not_there",
        "swapped": ["third→acd-room"],
    },
    "cancel": {
        "plain talk": [],
        "held, agent waits": PAIR_ROOM,
        "in the room": [],
        "consulting, third rings": ["third out", "citizen→acd-room"],
        "consulting": ["third out", "citizen→acd-room"],
        "three-way": ["third out"],
        "three-way, third rings": ["third out"],
        "swapped": ["third out"],
    },
    "blind": {
        "plain talk": ["citizen→hotline-transfer"],
        "held, agent waits": ["citizen→hotline-transfer", "agent out"],
        "in the room": ["citizen→hotline-transfer", "agent out"],
        "consulting, third rings": ["citizen→hotline-transfer", "third out", "agent out"],
        "consulting": ["citizen→hotline-transfer", "third out", "agent out"],
        "three-way": ["citizen→hotline-transfer", "third out", "agent out"],
        "three-way, third rings": ["citizen→hotline-transfer", "third out", "agent out"],
        "swapped": ["citizen→hotline-transfer", "third out", "agent out"],
    },
    "swap": {
        "plain talk": "third_not_there",
        "held, agent waits": "third_not_there",
        "in the room": "third_not_there",
        "consulting, third rings": "third_not_there",
        "consulting": ["third→acd-third-held", "citizen→acd-room"],
        "three-way": "no_consult",
        "three-way, third rings": "third_not_there",
        "swapped": ["citizen→acd-held", "third→acd-room"],
    },
    "emergency": {
        "plain talk": PAIR_ROOM,
        "held, agent waits": PAIR_ROOM,
        "in the room": [],
        "consulting, third rings": ["citizen→acd-room"],
        "consulting": ["citizen→acd-room"],
        "three-way": [],
        "three-way, third rings": [],
        "swapped": [],
    },
}


def do(verb: str, one: Call) -> list[Action]:
    if verb == "complete":
        rooms.legs(one, "1001")
        return rooms.complete(one)
    if verb == "blind":
        return rooms.blind(one, "1001", "110")
    if verb == "emergency":
        return rooms.conference(one, "1001", "119")
    result: list[Action] = getattr(rooms, verb)(one, "1001")
    return result


@pytest.mark.parametrize("situation", SITUATIONS)
@pytest.mark.parametrize("verb", TABLE)
def test_every_verb_in_every_situation(verb: str, situation: str) -> None:
    expected = TABLE[verb][situation]
    if isinstance(expected, str):
        with pytest.raises(Refused) as caught:
            do(verb, call(situation))
        assert caught.value.code == expected
    else:
        assert said(do(verb, call(situation))) == expected


@pytest.mark.parametrize("verb", TABLE)
def test_nobody_acts_on_a_call_that_is_not_theirs_or_not_yet_a_talk(verb: str) -> None:
    for other in (call("plain talk", talked=False), call("plain talk")):
        if other.talked:
            other.agent_id = "1002"
            next(leg for leg in other.legs.values() if leg.role is Role.agent).agent_id = "1002"
        with pytest.raises(Refused) as caught:
            do(verb, other)
        assert caught.value.code == "no_talk"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, True),
        ({"phase": Phase.connect, "agent_id": ""}, True),  # as a snapshot knows it
        ({"talked": True}, False),
        ({"outbound": True}, True),
        ({"outbound": True, "phase": Phase.outbound}, False),  # the citizen's telephone still rings
        ({"phase": Phase.hold}, False),
    ],
)
def test_a_talk_is_about_to_begin_only_for_who_has_picked_up(change: dict[str, object], expected: bool) -> None:
    one = call("plain talk", talked=False)
    for name, value in change.items():
        setattr(one, name, value)
    assert rooms.connecting(one, "1001") is expected
    assert not rooms.connecting(one, "1002")


@pytest.mark.parametrize("phase", [Phase.menu, Phase.hold, Phase.connect, Phase.survey, Phase.ended, Phase.voicemail])
def test_outside_a_talk_nothing_can_be_done(phase: Phase) -> None:
    one = call("plain talk")
    one.phase = phase
    with pytest.raises(Refused):
        rooms.hold(one, "1001")


def test_a_room_is_named_after_its_call_and_a_citizen_whom_we_called_is_marked_as_one() -> None:
    steps = rooms.hold(call("plain talk", outbound=True), "1001")
    marks = {(step["Channel"], step["Variable"]): step["Value"] for step in steps if step["Action"] == "Setvar"}
    assert marks[("PJSIP/trunk-1", "HOTLINE_ROOM")] == "room-c1"
    assert marks[("PJSIP/1001-2", "HOTLINE_ROOM")] == "room-c1"
    assert marks[("PJSIP/trunk-1", "HOTLINE_CALL")] == "c1"


@pytest.mark.parametrize(
    ("situation", "by_wish", "what", "steps"),
    [
        ("held, agent waits", True, "over", ["citizen→hotline-survey"]),
        ("held, agent waits", False, "again", ["citizen→acd-hold"]),
        ("in the room", True, "nothing", []),  # the room tells when the citizen is alone in it
        ("consulting, third rings", True, "over", ["third out", "citizen→hotline-survey"]),
        ("consulting, third rings", False, "again", ["third out", "citizen→acd-hold"]),
        ("consulting", True, "joined", ["citizen→acd-room"]),
        ("consulting", False, "joined", ["citizen→acd-room"]),
        ("three-way", True, "joined", []),
        ("three-way, third rings", True, "nothing", ["third out"]),
        ("swapped", True, "joined", ["citizen→acd-room", "third→acd-room"]),  # the room has let the citizen go
        ("swapped", False, "joined", ["citizen→acd-room", "third→acd-room"]),
    ],
)
def test_when_the_agent_leaves_the_others_stay_connected(
    situation: str, by_wish: bool, what: str, steps: list[str]
) -> None:
    one = call(situation)
    del one.legs["c2"]
    result, actions = rooms.after_agent_left(one, by_wish=by_wish)
    assert (result, said(actions)) == (what, steps)


def test_a_citizen_whose_agents_telephone_died_is_served_before_the_others() -> None:
    steps = rooms.again(call("held, agent waits"), "/prompts/zh/hold_returning")
    assert [(s["Variable"], s["Value"]) for s in steps if s["Action"] == "Setvar"] == [
        ("HOTLINE_PRIORITY", 60),
        ("HOTLINE_SAY", "/prompts/zh/hold_returning"),
    ]


def test_a_citizen_whom_we_called_is_let_go_instead_of_queued() -> None:
    assert said(rooms.again(call("held, agent waits", outbound=True))) == ["citizen out"]
    assert said(rooms.over(call("in the room", outbound=True))) == ["citizen out"]


def test_without_a_citizen_there_is_nothing_to_do() -> None:
    one = call("consulting")
    del one.legs["c1"]
    assert rooms.after_agent_left(one, by_wish=True) == ("nothing", [])
    assert rooms.over(one) == []
    assert rooms.again(one) == []


def test_the_same_emergency_line_is_rung_once() -> None:
    with pytest.raises(Refused) as caught:
        rooms.conference(call("three-way"), "1001", "110")
    assert caught.value.code == "third_there"


@pytest.mark.parametrize(
    ("situation", "whom"),
    [
        ("plain talk", "citizen"),
        ("held, agent waits", "citizen"),
        ("consulting, third rings", "third"),
        ("consulting", "third"),
        ("three-way, third rings", "citizen"),
        ("three-way", "all"),
        ("swapped", "citizen"),
    ],
)
def test_a_page_is_told_with_whom_its_agent_talks(situation: str, whom: str) -> None:
    assert talks_with(call(situation)) == whom


def test_a_citizen_whom_we_called_is_recorded_in_the_room_in_a_segment_of_its_own() -> None:
    steps = rooms.conference(call("plain talk", outbound=True), "1001")
    marks = {(step["Channel"], step["Variable"]): step["Value"] for step in steps if step["Action"] == "Setvar"}
    assert marks[("PJSIP/trunk-1", "HOTLINE_SEGMENT")] == 1
    assert marks[("PJSIP/trunk-1", "HOTLINE_TALKED")] == 1, "the first was on our side's channel"
    again = rooms.resume(call("held, agent waits", outbound=True), "1001")
    assert "HOTLINE_SEGMENT" not in [step.get("Variable") for step in again], "it goes on counting by itself"
