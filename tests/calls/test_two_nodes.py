"""Two real Asterisks and one core: one line of callers, agents of either for callers of either, and one that dies."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.nodes import Node
from asterisk_conf import instance
from tests.bridge_kit.core import CoreProcess, seed
from tests.bridge_kit.page import OpenPage, Page, board
from tests.bridge_kit.recorded import stored
from tests.drills._proxy import Relay
from tests.peers import audio
from tests.peers.agi import ends_with
from tests.peers.baresip import BaresipPhone
from tests.peers.fixtures import desk_phones
from tests.peers.hotline import AGENTS, AsteriskUnderTest
from tests.peers.network import Line, PublicNetwork
from tests.peers.prompts import MUSIC_HZ
from tests.peers.waiting import wait_until

pytest_plugins = ["tests.bridge_kit.fixtures"]

SECOND = "second"
SILENCE_S = 6  # after which a telephone that sends nothing has died; 20 in earnest
ADDRESSES = ("127.0.0.6", "127.0.0.7")  # telephones are at 127.0.0.1: whoever comes from these is the other node


class TwoNodes:
    """Both nodes, the public network, and the wire on which the core talks to the second."""

    def __init__(self, folder: Path) -> None:
        self.first = AsteriskUnderTest(folder / "first", sip_host=ADDRESSES[0], wrapup_s=5, offer_timeout_s=8)
        ours = self.first.settings
        (folder / SECOND).mkdir()
        for shared in ("secrets", "spool"):
            (folder / "first" / shared).mkdir(parents=True)
            (folder / SECOND / shared).symlink_to(folder / "first" / shared)
        self.second = AsteriskUnderTest(
            folder / SECOND,
            node=SECOND,
            sip_host=ADDRESSES[1],
            agi_port=ours.agi_port,
            nodes=[Node(name=ours.node, sip=f"{ADDRESSES[0]}:{ours.sip_port}")],
        )
        theirs = self.second.settings
        self.wire = Relay((theirs.ami_host, theirs.ami_port)).__enter__()
        other = Node(
            name=SECOND, sip=f"{ADDRESSES[1]}:{theirs.sip_port}", ami_host="127.0.0.1", ami_port=self.wire.port
        )
        self.first.settings = ours.model_copy(update={"nodes": [other]})
        self.network = PublicNetwork(folder / "network", self.first.settings, further=[theirs])
        for node in (self.first, self.second):
            node.settings = node.settings.model_copy(update={"trunk_out": self.network.address})

    def start(self) -> None:
        self.network.start()
        for node in (self.first, self.second):
            node.start()
            node.beat()
        self.first.backend.scripts |= {"voice_menu": ends_with(NEXT="queue"), "satisfaction": ends_with()}
        self.first.backend.start()
        self.meet()

    def meet(self) -> None:
        """Until each node knows that the other one is there."""
        for node, other in ((self.first, self.second), (self.second, self.first)):
            name = f"node-{other.settings.node}"
            node.manager.action("PJSIPQualify", Endpoint=name)
            node.manager.action("PJSIPQualify", Endpoint="trunk")
            wait_until(
                lambda node=node, name=name: node.manager.variable("", f"DEVICE_STATE(PJSIP/{name})") == "NOT_INUSE",
                10,
                f"{name} reachable",
            )

    def call(self, number: str, node: AsteriskUnderTest) -> Line:
        """A citizen's call reaches this node."""
        via = SECOND if node is self.second else "hotline"
        return self.network.call(number, via=via).wait_answered()

    def stop(self) -> None:
        self.wire.__exit__()
        for part in (self.network, self.first, self.second):
            part.stop()


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoNodes]:
    nodes = TwoNodes(tmp_path_factory.mktemp("t"))
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(instance, "PHONE_SILENCE_S", SILENCE_S)
            nodes.start()
        yield nodes
    finally:
        nodes.stop()


@pytest.fixture(scope="module")
def core_process(two: TwoNodes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CoreProcess]:
    seed(two.first.settings, {account.agent_id: account.name for account in AGENTS})
    core = CoreProcess(two.first.settings, tmp_path_factory.mktemp("core") / "core.log")
    core.start()
    yield core
    core.stop()


@pytest.fixture
def desk(two: TwoNodes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., BaresipPhone]]:
    """`desk("1001", two.second)`: an agent's telephone, registered at that node. No channel is left afterwards."""
    with desk_phones(tmp_path_factory) as make:
        yield lambda agent_id, node, **kind: make(node, agent_id, **kind)
    for node in (two.first, two.second):
        for channel in node.manager.channels():
            node.manager.send("Hangup", Channel=channel["Channel"])
        node.wait_no_channels()


Desk = Callable[..., BaresipPhone]


def in_line(watch: Page) -> list[str]:
    """The calls of all who wait, first in line first."""
    return [one["call_id"] for one in board(watch)["waiting"]]


def waits(two: TwoNodes, watch: Page, number: str, node: AsteriskUnderTest) -> Line:
    """One more citizen waits, at this node."""
    before = len(in_line(watch))
    citizen = two.call(number, node)
    watch.until(lambda: len(in_line(watch)) == before + 1, "one more waits")
    return citizen


def next_popped(agent: Page, after: int) -> str:
    """The call that the agent is offered next and answers."""
    call_id: str = agent.wait("call.pop", after=after).data["call_id"]
    agent.wait("call.answered", after=after, call_id=call_id)
    return call_id


@pytest.mark.parametrize("at", ["first", SECOND])
def test_a_citizen_at_one_node_talks_with_an_agent_whose_telephone_is_at_the_other(
    two: TwoNodes, core_process: CoreProcess, desk: Desk, page: OpenPage, at: str
) -> None:
    here, there = (two.first, two.second) if at == "first" else (two.second, two.first)
    telephone = desk("1001", there, answer="manual")
    agent = page("1001").ready()
    citizen = two.call("13900000001", here)
    call_id = agent.wait("call.pop").data["call_id"]
    assert call_id.startswith(f"{here.settings.node}-")
    telephone.wait_ringing()
    assert agent.wait("call.ringing").data["call_id"] == call_id
    telephone.pick_up()
    agent.wait("call.answered", call_id=call_id)
    citizen.tone(440)
    citizen.wait_hears(880)
    telephone.wait_hears(440)
    since = citizen.heard_s()
    agent.command("call.hold")
    citizen.wait_hears(MUSIC_HZ, since=since)
    since = citizen.heard_s()
    agent.command("call.resume")
    citizen.wait_hears(880, since=since)
    agent.command("call.hangup")
    telephone.wait_idle()
    assert citizen.wait_ended() == 16
    agent.wait_state("wrap_up")
    agent.command("wrapup.done")
    for recording in stored(two.first, call_id, 2):
        assert audio.tone_seconds(recording, 440, channel=0) >= 0.4, f"{recording.name}: the citizen"
        assert audio.tone_seconds(recording, 880, channel=1) >= 0.4, f"{recording.name}: the agent"


def test_a_telephone_at_the_other_node_that_is_not_answered_refused_or_dies_costs_the_citizen_no_place(
    two: TwoNodes, core_process: CoreProcess, desk: Desk, page: OpenPage
) -> None:
    telephone = desk("1001", two.second, answer="manual")
    agent = page("1001").ready()
    citizen = two.call("13900000002", two.first)
    call_id = agent.wait("call.pop").data["call_id"]
    telephone.wait_ringing()
    telephone.reject()
    assert agent.wait("call.offer_ended", call_id=call_id).data["why"] == "busy"
    assert agent.wait_state("not_ready")["not_ready_reason"] == "phone_busy"
    mark, rung = agent.mark(), telephone.mark()
    agent.command("agent.not_ready", reason="break")  # what is pressed twice within two seconds is done once
    agent.command("agent.ready")
    agent.wait("call.pop", after=mark, call_id=call_id)
    telephone.wait_ringing(after=rung)
    telephone.pick_up()
    agent.wait("call.answered", after=mark, call_id=call_id)
    citizen.wait_hears(880)
    second = desk("1002", two.first)
    other = page("1002").ready()
    telephone.kill()
    assert other.wait("call.pop", timeout=20).data["call_id"] == call_id, "no wish to hang up: another agent"
    other.wait("call.answered", call_id=call_id)
    citizen.hang_up()
    second.wait_idle()


def test_a_talk_over_two_nodes_is_handed_to_a_colleague_at_the_other_node_with_and_without_the_first_agent(
    two: TwoNodes, core_process: CoreProcess, desk: Desk, page: OpenPage
) -> None:
    telephone, other = desk("1001", two.second), desk("1002", two.second, tone_hz=700)
    agent = page("1001").ready()
    citizen = two.call("13900000003", two.first)
    call_id = agent.wait("call.answered").data["call_id"]
    citizen.tone(440)
    citizen.wait_hears(880)
    agent.command("call.conference", 10.0, to="1002")
    citizen.wait_hears(700)
    telephone.wait_hears(700)
    other.wait_hears(440)
    assert [one["agent_id"] for one in agent.all("call.room")[-1].data["members"]] == ["", "1001", "1002"]
    since = citizen.heard_s()
    agent.command("call.cancel_consult")
    other.wait_idle()
    citizen.wait_hears(880, since=since)
    asked = other.mark()
    agent.command("call.consult", 10.0, to="1002")
    other.wait_talking(after=asked)
    telephone.wait_hears(700)
    agent.until(lambda: agent.all("call.room")[-1].data["members"][-1]["state"] == "up", "the colleague has answered")
    since = citizen.heard_s()
    agent.command("call.complete_transfer")
    telephone.wait_idle()
    agent.wait("call.ended", call_id=call_id)
    citizen.wait_hears(700, since=since)
    citizen.hang_up()
    other.wait_idle(after=asked)


def test_callers_of_both_nodes_keep_their_order_through_a_cut_line_and_a_killed_core(
    two: TwoNodes, core_process: CoreProcess, desk: Desk, page: OpenPage
) -> None:
    watch = page("watch", streams=("wallboard",))
    nodes = (two.second, two.first, two.second, two.first)
    lines = [waits(two, watch, f"1370000000{n}", node) for n, node in enumerate(nodes)]
    before = in_line(watch)
    assert [one.partition("-")[0] for one in before] == [SECOND, "test", SECOND, "test"]

    two.wire.cut()
    watch.wait("notice", code="node_away", node=SECOND)
    lines.append(waits(two, watch, "13700000004", two.first))
    lines[2].hang_up()
    assert in_line(watch)[:4] == before, "nothing is known of the second node's callers, so they stay"
    mark = watch.mark()
    two.wire.restore()
    watch.wait("notice", after=mark, code="node_back", node=SECOND)
    watch.until(lambda: len(in_line(watch)) == 4, "who hung up meanwhile is gone")
    expected = [*before[:2], before[3], in_line(watch)[-1]]
    assert in_line(watch) == expected

    core_process.kill()
    began = time.monotonic()
    core_process.start()
    watch.reconnect()
    watch.until(lambda: len(in_line(watch)) == 4, "all known again")
    took = time.monotonic() - began
    assert took < 5, f"{took:.1f} s"
    assert in_line(watch) == expected
    desk("1002", two.first)
    agent = page("1002")
    popped = []
    mark = agent.mark()
    agent.command("agent.sign_in")
    agent.command("agent.ready")
    for _ in expected:
        popped.append(next_popped(agent, mark))
        agent.until(lambda: agent.state["state"] == "talking", "the talk")
        mark = agent.mark()
        hang_up_when_talking(agent)
        agent.wait_state("wrap_up")
        agent.command("wrapup.done")
    assert popped == expected, "each once, in the order of joining, whichever node they came to"
    for line in lines:
        line.wait_ended()


def test_a_node_that_dies_takes_its_own_callers_only_and_serves_new_ones_when_it_is_back(
    two: TwoNodes, core_process: CoreProcess, desk: Desk, page: OpenPage
) -> None:
    desk("1001", two.first)
    watch = page("watch", streams=("wallboard",))
    agent = page("1001").ready()
    talker = two.call("13900000041", two.first)
    agent.wait("call.answered")
    talker.wait_hears(880)
    lost = waits(two, watch, "13900000042", two.second)
    kept = waits(two, watch, "13900000043", two.first)
    before = in_line(watch)
    assert two.second.process is not None
    two.second.process.kill()
    watch.wait("notice", code="node_away", node=SECOND)
    assert talker.hears(880), "the other node's talk goes on"
    mark = agent.mark()
    hang_up_when_talking(agent)
    agent.wait_state("wrap_up")
    agent.command("wrapup.done")
    assert next_popped(agent, mark) == before[1], "the other node's caller is served, though another came first"
    kept.wait_hears(880)
    two.second.restart()
    watch.until(lambda: in_line(watch) == [], "whose Asterisk has died is not in line any more", 15)
    kept.hang_up()
    lost.hang_up()
    agent.wait_state("wrap_up")
    agent.command("wrapup.done")
    two.meet()
    mark = agent.mark()
    newcomer = two.call("13900000044", two.second)
    assert next_popped(agent, mark).startswith(f"{SECOND}-")
    newcomer.wait_hears(880)
    newcomer.hang_up()


def hang_up_when_talking(agent: Page) -> None:
    """The agent's wish to end the talk, as soon as the staff number has been said."""
    agent.until(lambda: any(one.data.get("talked") for one in agent.all("call.room")[-1:]), "the talk")
    agent.command("call.hangup")
