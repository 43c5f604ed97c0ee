"""Two Asterisk nodes under one core: one line of callers, and a node that is away takes nobody else with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cti_bridge.bridge import Bridge
from cti_bridge.mandate import Mandate
from cti_bridge.model import Phase, Role
from cti_bridge.ports import CallSeen, LineCallback
from tests.bridge_kit.fake_ami import Fields, listed, ok
from tests.bridge_kit.rig import PlayedAsterisk, ms, offer_of
from tests.bridge_kit.two_nodes import SECOND, TwoNodes, holding, value
from tests.integration.test_bridge_callback_line import Given


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[TwoNodes]:
    """1001's telephone is registered at the first node, 1002's at the second."""
    rig = await TwoNodes(tmp_path / "home").start()
    yield rig
    await rig.stop()


def joins(node: PlayedAsterisk, joined_ms: int, number: str = "13800000001") -> str:
    """A caller reaches this node and waits since then."""
    call = node.citizen(number, joined_ms)
    node.join(call, number, joined_ms)
    return call


async def line(two: TwoNodes, *nodes: PlayedAsterisk) -> list[str]:
    """Callers who joined one second after the other, long ago, at these nodes; their calls."""
    began, calls = ms() - 60_000, []
    for number, node in enumerate(nodes):
        calls.append(joins(node, began + number * 1000, f"1380000000{number}"))
        await two.until(lambda: calls[-1] in two.waiting(), "the caller waits")
    return calls


async def answered(two: TwoNodes, node: PlayedAsterisk, call: str, agent_id: str, by: str = "") -> str:
    """The offer of this call is answered; the leg."""
    await two.until(lambda: two.bridge.offers.of_call(call), "an offer")
    run = two.bridge.offers.of_call(call)
    assert run is not None
    leg = node.rings(call, agent_id, by)
    channel = f"PJSIP/{by or agent_id}-{int(leg.rpartition('.')[2]):08x}"
    node.event("Newstate", Channel=channel, Uniqueid=leg, ChannelStateDesc="Up")
    node.user_event("AcdAnswered", call, channel, leg, Agent=agent_id, OfferId=run.offer.offer_id,
                    AgentChannel=channel, Rec=f"/x/{call}-1")  # fmt: skip
    for number, unique_id in enumerate((call, leg), start=1):
        node.event("BridgeEnter", Uniqueid=unique_id, Channel="x", BridgeNumChannels=number)
    await two.until(lambda: two.state(agent_id) == "talking", "the talk")
    return leg


def seen(call_id: str) -> CallSeen:
    """A call that has no end in the database."""
    return CallSeen(call_id, "general", ms() - 60_000, ms() - 60_000, None, None, None)


# ---------------------------------------------------------------------------------------------- who is told what


async def test_an_agent_whose_telephone_is_at_another_node_is_dialled_there(two: TwoNodes) -> None:
    await two.ready("1002")
    call = joins(two.asterisk, ms())
    (redirect,) = await two.redirects("acd-connect")
    assert redirect["Channel"] == two.asterisk.name_of(call)
    assert offer_of(redirect).endpoint == "1002@node-second"
    assert not two.second.got("Redirect")


async def test_a_caller_of_the_second_node_is_offered_there_by_the_name_that_the_channel_has_there(
    two: TwoNodes,
) -> None:
    await two.ready("1002")
    call = joins(two.second, ms())
    await two.second.arrival("Redirect")
    assert two.second.got("Redirect")[0]["Channel"] == two.second.name_of(call)
    assert offer_of(two.second.got("Redirect")[0]).endpoint == "1002"
    assert not two.asterisk.got("Redirect")


async def test_a_telephone_that_is_registered_at_both_nodes_is_rung_at_the_callers(two: TwoNodes) -> None:
    two.second.phone("1001")
    await two.ready("1001")
    joins(two.second, ms())
    await two.second.arrival("Redirect")
    assert offer_of(two.second.got("Redirect")[0]).endpoint == "1001"


async def test_channels_of_one_name_at_two_nodes_are_two(two: TwoNodes) -> None:
    here, there = await line(two, two.asterisk, two.second)
    assert two.asterisk.name_of(here) == two.second.name_of(there)
    two.asterisk.hangs_up(here)
    await two.until(lambda: two.waiting() == [there], "only the other one waits")
    await two.bridge.sign_in("1002")
    await two.second.arrival("Redirect")
    assert two.offered() == [(SECOND, there)]


async def test_a_talk_with_a_telephone_at_another_node_is_held_and_ended_at_the_callers(two: TwoNodes) -> None:
    await two.ready("1002")
    call = joins(two.asterisk, ms())
    leg = await answered(two, two.asterisk, call, "1002", by="node-second")
    agent = two.bridge.core.telephony.calls[call].agent_leg
    assert agent is not None
    assert (agent.agent_id, agent.role) == ("1002", Role.agent)
    await two.bridge.control.hold("1002", call)
    (held,) = await two.redirects("acd-held")
    assert (held["Channel"], held["ExtraChannel"]) == (two.asterisk.name_of(call), agent.channel)
    await two.bridge.control.hang_up("1002", call)
    assert two.asterisk.got("Hangup")[0]["Channel"] == agent.channel
    two.asterisk.hangs_up(leg)
    await two.until(lambda: two.state("1002") == "wrap_up", "wrap-up")
    assert not two.second.got("Hangup")
    assert not two.second.got("Redirect")


async def test_click_to_dial_begins_at_the_node_of_the_telephone(two: TwoNodes) -> None:
    await two.ready("1002")
    agent = two.bridge.core.book.get("1002")
    assert agent is not None
    dialled = await two.bridge.core.spawn(two.bridge.commands._dialling.dial(agent, "110"), "dial")
    (action,) = two.second.got("Originate")
    assert action["Channel"] == "PJSIP/1002"
    assert action["ChannelId"] == dialled["call_id"]
    assert dialled["call_id"].startswith("second-")
    assert not two.asterisk.got("Originate")


async def test_heartbeat_and_failsafe_queue_are_kept_at_every_node(two: TwoNodes) -> None:
    await two.ready("1001", "1002")
    for node in (two.asterisk, two.second):
        assert value(node, "HOTLINE_BEAT")
        await two.until(lambda node=node: set(node.queue) == {"PJSIP/1001", "PJSIP/1002"}, "all agents are members")


# ------------------------------------------------------------------------------------------------ one order


async def test_callers_of_both_nodes_wait_in_one_line_and_are_served_in_the_order_of_joining(two: TwoNodes) -> None:
    calls = await line(two, two.second, two.asterisk, two.second, two.asterisk)
    assert two.waiting() == calls
    await two.bridge.sign_in("1001")
    for call in calls:
        node = two.second if call.startswith(SECOND) else two.asterisk
        await two.until(lambda call=call: two.offered()[-1:] and call in [one for _, one in two.offered()], "an offer")
        assert sorted(one for _, one in two.offered()) == sorted(calls[: calls.index(call) + 1]), "one after the other"
        leg = await answered(two, node, call, "1001", by="" if node is two.asterisk else "node-hotline1")
        node.hangs_up(call)
        node.hangs_up(leg)
        await two.until(lambda: two.state("1001") == "wrap_up", "the talk is over")
        await two.bridge.commands._wrapup_done("1001", {})


async def test_after_a_killed_core_the_callers_of_both_nodes_come_into_line_as_one(two: TwoNodes) -> None:
    await two.ready("1001")
    await two.bridge.stop()
    began = ms() - 60_000
    early, late = f"{two.second.node}.71", f"{two.asterisk.node}.72"
    two.second.channels = {early: holding(early, began)}
    two.asterisk.channels = {late: holding(late, began + 1000)}
    asked: list[Fields] = []
    two.second.on("Status", lambda action: asked.append(action))  # it takes its time
    starting = asyncio.create_task(two.start_bridge())
    await two.until(lambda: asked, "the second node is asked")
    await two.asterisk.arrival("Status", 2)
    await asyncio.sleep(0.3)  # the first node's answer has long been there
    assert two.offered() == [], "nobody is offered before somebody who may have waited longer"
    rows = [[("Event", "Status"), *row] for row in two.second.channels.values()]
    two.second.raw(listed(asked[0], rows, "Status"))
    await starting
    await two.until(lambda: two.offered(), "an offer")
    assert two.offered() == [(SECOND, early)]
    assert two.waiting() == [early, late]
    assert [one.joined_ms for one in two.bridge.engine.snapshot().waiting] == [began, began + 1000]


async def test_a_start_does_not_wait_for_a_node_that_is_not_there(two: TwoNodes) -> None:
    await two.ready("1001")
    await two.bridge.stop()
    await two.second.stop()
    call = f"{two.asterisk.node}.72"
    two.asterisk.channels = {call: holding(call, ms() - 1000)}
    async with asyncio.timeout(2.0):
        await two.start_bridge()
        await two.until(lambda: two.offered(), "an offer")
    assert two.bridge.health()["asterisk"] == "ok"
    assert two.bridge.health()["asterisk_second"] != "ok"
    assert not two.bridge.healthy()


# ------------------------------------------------------------------------------------------------ a node is away


async def test_callers_of_a_node_that_is_away_keep_their_places_and_the_others_are_served(two: TwoNodes) -> None:
    calls = await line(two, two.second, two.asterisk, two.second)
    await two.away(two.second)
    assert two.waiting() == calls, "nobody is lost"
    await two.bridge.sign_in("1001")
    await two.until(lambda: two.offered(), "an offer")
    assert two.offered() == [("hotline1", calls[1])]
    await answered(two, two.asterisk, calls[1], "1001")
    assert two.waiting() == [calls[0], calls[2]]
    assert not [one for one in two.domain.calls.values() if one.get("ended_at")], "nobody's call has ended"


async def test_a_node_that_is_back_brings_its_callers_at_their_places_once(two: TwoNodes) -> None:
    calls = await line(two, two.second, two.asterisk, two.second)
    joined = {one.call_id: one.joined_ms for one in two.bridge.engine.snapshot().waiting}
    await two.away(two.second)
    two.asterisk.hangs_up(calls[1])
    late = joins(two.asterisk, ms(), "13900000009")
    await two.until(lambda: two.waiting() == [calls[0], calls[2], late], "one left, one more")
    two.second.channels = {call: holding(call, joined[call]) for call in (calls[0], calls[2])}
    await two.back(two.second)
    assert two.waiting() == [calls[0], calls[2], late]
    assert {one.call_id: one.joined_ms for one in two.bridge.engine.snapshot().waiting}.items() <= {
        **joined,
        late: two.bridge.core.telephony.calls[late].joined_ms,
    }.items()
    await two.bridge.sign_in("1001")
    await two.until(lambda: two.offered(), "an offer")
    assert two.offered() == [(SECOND, calls[0])]


async def test_who_hung_up_at_a_node_that_was_away_is_gone_when_it_is_back_and_nobody_else(two: TwoNodes) -> None:
    calls = await line(two, two.second, two.asterisk, two.second)
    await two.away(two.second)
    two.second.channels = {calls[2]: holding(calls[2], ms() - 58_000)}
    await two.back(two.second)
    await two.until(lambda: two.waiting() == calls[1:], "the one who is gone")
    await two.until(lambda: two.domain.calls[calls[0]].get("ended_at"), "the end in the database")
    assert not two.domain.calls[calls[1]].get("ended_at"), "the other node has not even been asked about that one"


async def test_an_agent_whose_telephone_is_at_a_node_that_is_away_cannot_be_rung_until_it_is_back(
    two: TwoNodes,
) -> None:
    await two.ready("1001", "1002")
    await two.away(two.second)
    agent = two.bridge.core.book.get("1002")
    assert agent is not None
    assert agent.unreachable
    assert two.bridge.phone_registered("1002") is False
    assert two.bridge.phone_registered("1001") is True
    await two.back(two.second)
    await two.until(lambda: not agent.unreachable, "the telephone again")
    assert agent.state == "ready"


async def test_an_offer_that_has_not_rung_yet_is_called_off_with_its_node_and_the_agent_serves_the_next(
    two: TwoNodes,
) -> None:
    await two.ready("1001")
    two.second.on("Redirect", lambda _action: None)  # it hangs in this very moment
    first = joins(two.second, ms() - 5000)
    await two.second.arrival("Redirect")
    second = joins(two.asterisk, ms())
    await two.until(lambda: second in two.waiting(), "one more waits")
    await two.away(two.second)
    assert first in two.waiting()
    await two.until(lambda: ("hotline1", second) in two.offered(), "the next caller is served", 10)


async def test_a_telephone_that_rings_for_a_caller_of_a_node_that_is_away_rings_on_and_the_talk_is_found(
    two: TwoNodes,
) -> None:
    await two.ready("1001")
    call = joins(two.second, ms() - 5000)
    await two.second.arrival("Redirect")
    two.second.rings(call, "1001", by="node-hotline1")
    await two.until(lambda: two.bridge.core.telephony.calls[call].phase is Phase.connect, "it rings")
    await two.away(two.second)
    assert two.state("1001") == "offered"
    leg = f"{two.second.node}.90"
    two.second.channels = {
        call: holding(call, ms() - 5000, "talk", AGENT="1001", TALKED="1", ANSWERED=str(ms())),
        leg: holding(leg, 0, "", PEER_CALL=call, LEG="agent", AGENT="1001"),
    }
    await two.back(two.second)
    await two.until(lambda: two.state("1001") == "talking", "the talk")
    assert two.offered() == [(SECOND, call)], "offered once"


async def test_a_call_of_a_node_not_seen_yet_is_not_closed_in_the_database(tmp_path: Path) -> None:
    rig = TwoNodes(tmp_path / "home")
    rig.domain.open = [seen("test-1.1"), seen("second-1.1")]
    await rig.second.start()
    await rig.second.stop()
    await rig.start_without_the_second()
    await rig.until(lambda: rig.domain.calls.get("test-1.1", {}).get("ended_at"), "our own forgotten call is closed")
    assert "second-1.1" not in rig.domain.calls
    assert rig.domain.forgotten == [], "an attempt to call back may go on there"
    await rig.back(rig.second)
    await rig.until(lambda: rig.domain.calls.get("second-1.1", {}).get("ended_at"), "the other, once it was asked")
    await rig.until(lambda: rig.domain.forgotten, "and the attempts")
    await rig.bridge.stop()
    await rig.asterisk.stop()
    await rig.second.stop()


async def test_call_backs_rest_while_the_node_that_dials_is_away_and_the_other_nodes_callers_are_served(
    tmp_path: Path,
) -> None:
    rig = TwoNodes(tmp_path / "home", trunk_out="127.0.0.2:5060")
    rig.rules = Given()
    values = {"placed_ms": ms() - 60_000, "requested_ms": ms() - 60_000, "in_line": True}
    rig.domain.promises[7] = LineCallback(7, "13900139000", "hotline1-1.1", "zh", "general", **values)  # type: ignore[arg-type]
    await rig.start()
    await rig.until(lambda: rig.waiting() == ["hotline1-cb7.0"], "the promise in line")
    await rig.away(rig.asterisk)
    await rig.bridge.sign_in("1002")
    call = joins(rig.second, ms())
    await rig.until(lambda: rig.offered() == [(SECOND, call)], "the caller is served")
    assert rig.bridge.engine.snapshot().waiting[0].call_id == call
    assert not rig.asterisk.got("Originate")
    assert rig.domain.dialled == [], "no attempt is counted"
    await rig.stop()


async def test_a_core_that_takes_over_says_so_at_every_node_and_hears_another_ones_word_at_any(two: TwoNodes) -> None:
    await two.bridge.stop()
    displaced: list[bool] = []
    mandate = Mandate(lambda: True, lambda: displaced.append(True), settle_s=0.05)
    early, late = f"{two.second.node}.71", f"{two.asterisk.node}.72"
    two.second.channels = {early: holding(early, ms() - 60_000)}
    two.asterisk.channels = {late: holding(late, ms() - 59_000)}
    two.bridge = Bridge(two.settings, domain=two.domain, mandate=mandate)
    await two.bridge.start()
    await two.until(lambda: two.waiting() == [early, late], "both nodes' callers in one order")
    for node in (two.asterisk, two.second):
        (word,) = node.got("UserEvent")
        assert word["UserEvent"] == "HotlineCore"
        assert node.actions.index(word) < node.actions.index(node.got("Status")[-1]), "before the channels are read"
    assert not displaced
    two.second.event("UserEvent", UserEvent="HotlineCore", Core="another")
    await two.until(lambda: displaced, "this core hears that it is not the one any more")


async def test_an_asterisk_with_another_name_is_no_node_of_ours_and_says_what_to_change(two: TwoNodes) -> None:
    await two.away(two.second)
    two.second.on("CoreSettings", lambda action: ok(action, SystemName="hotline7"))
    await two.second.start()
    await two.until(lambda: "hotline7" in two.bridge.health()["asterisk_second"], "the fault in words")
    assert SECOND not in two.bridge.core.nodes.known
    two.second.on("CoreSettings", lambda action: ok(action, SystemName=SECOND))
    await two.until(lambda: two.bridge.health()["asterisk_second"] == "ok", "the right name")
