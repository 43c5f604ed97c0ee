"""Where an action goes, and what a channel of another node is called: the rules, without a socket."""

from __future__ import annotations

from typing import Any

import pytest

from cti_bridge.ami import LinkState
from cti_bridge.channel_events import RULES
from cti_bridge.model import Phone, Role, Telephony, agent_of, split
from cti_bridge.nodes import Nodes
from cti_bridge.snapshot import picture
from tests.bridge_kit.rig import channel, rows

NOW = 1_795_521_600_000


class Line:
    """A session that notes what it was asked."""

    state, problem = LinkState.up, ""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    async def pipeline(self, actions: list[Any], *, timeout: float | None = None) -> list[Any]:
        self.asked += actions
        return list(actions)

    async def list_action(self, name: str, *, timeout: float | None = None, **headers: Any) -> list[Any]:
        return []

    async def start(self) -> None: ...

    async def stop(self) -> None: ...


def nodes() -> tuple[Nodes, Line, Line]:
    own, other = Line(), Line()
    return Nodes({"hotline1": own, "hotline2": other}), own, other


@pytest.mark.parametrize(
    ("handle", "node"),
    [
        ("hotline1-1795.7", "hotline1"),
        ("hotline2-1795.7", "hotline2"),
        ("third-hotline2-1795.7-123", "hotline2"),
        ("agent-hotline1-cb12.0-99", "hotline1"),
        ("hotline2:PJSIP/trunk-00000001", "hotline2"),
        ("PJSIP/trunk-00000001", "hotline1"),
        ("hotline9-1795.7", "hotline1"),  # of a node that has been taken away
        ("", "hotline1"),
    ],
)
def test_an_id_or_a_name_says_where_it_is(handle: str, node: str) -> None:
    assert nodes()[0].of(handle) == node


async def test_actions_go_to_the_node_of_their_channel_by_its_name_there_and_are_answered_in_order() -> None:
    both, own, other = nodes()
    actions: list[Any] = [
        {"Action": "Hangup", "Channel": "PJSIP/trunk-00000001"},
        {"Action": "Redirect", "Channel": "hotline2:PJSIP/a-1", "ExtraChannel": "hotline2:PJSIP/b-2"},
        {"Action": "Originate", "Channel": "PJSIP/1001", "ChannelId": "third-hotline2-1.7-5"},
        {"Action": "Setvar", "Channel": "hotline1-1.7", "Variable": "x", "Value": "1"},
    ]
    answers: list[Any] = await both.pipeline(actions)
    assert [one["Action"] for one in own.asked] == ["Hangup", "Setvar"]
    assert other.asked[0] == {"Action": "Redirect", "Channel": "PJSIP/a-1", "ExtraChannel": "PJSIP/b-2"}
    assert [one["Action"] for one in other.asked] == ["Redirect", "Originate"]
    assert [one["Action"] for one in answers] == [one["Action"] for one in actions]


def test_names_of_further_nodes_carry_the_node_and_those_of_our_own_do_not() -> None:
    both, _, _ = nodes()
    event: Any = {"Event": "DialBegin", "Channel": "PJSIP/trunk-1", "DestChannel": ["x", "PJSIP/1001-2"], "Call": "a"}
    assert both.named("hotline1", [dict(event)]) == [event]  # type: ignore[list-item]
    (named,) = both.named("hotline2", [dict(event)])  # type: ignore[list-item]
    assert (named["Channel"], named["DestChannel"]) == ("hotline2:PJSIP/trunk-1", "hotline2:PJSIP/1001-2")
    assert named["Call"] == "a"
    assert split(named["DestChannel"]) == ("hotline2", "PJSIP/1001-2")
    assert agent_of("hotline2:PJSIP/1001-0000002a") == "1001"


def test_a_telephone_is_where_it_is_registered_and_lost_with_that_node_only() -> None:
    t = Telephony()
    for device, state in (("PJSIP/1001", "UNAVAILABLE"), ("hotline2:PJSIP/1001", "INUSE")):
        RULES["DeviceStateChange"](t, {"Device": device, "State": state}, NOW)
    assert t.phones["1001"] == Phone("1001", True, True, "hotline2")
    assert t.where("1001") == "hotline2"
    assert t.lost_sight("hotline2") == [Phone("1001", False, False)]
    t.saw(Phone("1001", True, False))
    t.saw(Phone("1001", True, False, "hotline2"))
    assert (t.where("1001", ""), t.where("1001", "hotline2"), t.where("9999", "hotline2")) == (
        "",
        "hotline2",
        "hotline2",
    )
    assert t.lost_sight("hotline2") == [], "it is here as well"


def test_a_colleague_behind_the_line_to_another_node_is_still_a_colleague_after_a_restart() -> None:
    call = "hotline1-1.7"
    marks = {"PEER_CALL": call, "LEG": "third"}
    t = picture(
        rows(
            channel(call, CALL=call, PHASE="room", AGENT="1001", TALKED="1"),
            channel("third-1", name="Local/1002@acd-outbound-00000001;1", application="ConfBridge(r", **marks),
            channel("third-1x", name="Local/1002@acd-outbound-00000001;2", application="Dial(", **marks),
            channel("hotline1-1.9", name="PJSIP/node-hotline2-00000003", application="AppDial(", **marks),
        ),
        [],
        NOW,
    )
    (third,) = t.calls[call].thirds
    assert (third.agent_id, third.number, third.role) == ("1002", "1002", Role.third)
