"""The bridge on real Asterisk with real telephones: pops, places, restarts, and what is kept of a call."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from app.calls.model import CallFacts
from app.calls.service import facts_of, find
from app.clock import from_ms
from app.db import Database
from tests.bridge_kit.core import CoreProcess
from tests.bridge_kit.page import OpenPage, board, talking
from tests.peers.fixtures import PhoneMaker
from tests.peers.hotline import AsteriskUnderTest
from tests.peers.network import PublicNetwork
from tests.peers.waiting import wait_until

pytest_plugins = ["tests.bridge_kit.fixtures"]


def test_citizen_pops_up_before_the_phone_rings_and_the_agent_wraps_up_after(
    hotline: AsteriskUnderTest, public_network: PublicNetwork, phone: PhoneMaker, page: OpenPage
) -> None:
    desk = phone("1001", answer="manual")
    agent = page("1001").ready()
    citizen = public_network.call("13800138000").wait_answered()
    pop = agent.wait("call.pop")
    assert pop.data["card"]["number"] == "13800138000"
    assert pop.data["card"]["draft"]["case_number"]
    ringing = agent.wait("call.ringing")
    assert pop.at <= ringing.at
    desk.wait_ringing()
    assert not agent.all("call.answered")
    desk.pick_up()
    answered = agent.wait("call.answered", call_id=pop.data["call_id"])
    assert answered.data["at_ms"] <= answered.at * 1000
    agent.wait_state("talking")
    citizen.wait_hears(880)
    citizen.hang_up()
    ended = agent.wait("call.ended", call_id=pop.data["call_id"])
    assert ended.data["draft"]["case_id"] == pop.data["card"]["draft"]["case_id"]
    agent.wait_state("wrap_up")
    agent.command("wrapup.done")
    agent.wait_state("ready")


def test_no_answer_keeps_the_place_and_the_next_agent_is_rung(
    hotline: AsteriskUnderTest, public_network: PublicNetwork, phone: PhoneMaker, page: OpenPage
) -> None:
    first_phone, second_phone = phone("1001", answer="manual"), phone("1002", answer="manual")
    first, second = page("1001").ready(), page("1002").ready()
    earlier = public_network.call("13900000001").wait_answered()
    pop = first.wait("call.pop")
    later = public_network.call("13900000002").wait_answered()
    other = second.wait("call.pop")
    assert pop.data["card"]["number"] == "13900000001"
    assert other.data["card"]["number"] == "13900000002"
    second_phone.wait_ringing()
    second_phone.reject()  # the second agent goes not ready: nobody is left for the later caller
    over = first.wait("call.offer_ended", call_id=pop.data["call_id"])
    assert over.data["why"] == "no_answer"
    state = first.wait_state("not_ready")
    assert state["not_ready_reason"] == "no_answer"
    first_phone.wait_idle()
    mark = second.mark()
    second.command("agent.ready")
    again = second.wait("call.pop", after=mark)
    assert again.data["call_id"] == pop.data["call_id"], "who came first is served first"
    assert again.data["card"]["draft"]["case_id"] == pop.data["card"]["draft"]["case_id"], "one draft per call"
    second_phone.wait_ringing(after=second_phone.mark() - 1)
    second_phone.pick_up()
    second.wait("call.answered", call_id=pop.data["call_id"])
    for line in (earlier, later):
        line.hang_up()


def test_a_page_that_does_not_show_the_pop_is_passed_over_without_ringing(
    hotline: AsteriskUnderTest, public_network: PublicNetwork, phone: PhoneMaker, page: OpenPage
) -> None:
    silent_phone, live_phone = phone("1001", answer="manual"), phone("1002", answer="manual")
    silent = page("1001", acks=False).ready()
    live = page("1002").ready()
    citizen = public_network.call("13900000003").wait_answered()
    pop = silent.wait("call.pop")
    over = silent.wait("call.offer_ended", timeout=3)
    assert over.data["why"] == "desktop_silent"
    assert over.at - pop.at < 1.5
    live.wait("call.pop", timeout=3, call_id=pop.data["call_id"])
    live_phone.wait_ringing()
    with pytest.raises((TimeoutError, AssertionError)):
        silent_phone.wait_ringing(timeout=0.5)
    assert silent.state["not_ready_reason"] != "no_answer", "no missed mark"
    citizen.hang_up()


def test_a_key_while_waiting_leads_to_voicemail_and_frees_the_place(
    hotline: AsteriskUnderTest, public_network: PublicNetwork, page: OpenPage
) -> None:
    watch = page("watch", streams=("wallboard",))
    citizen = public_network.call("13900000011").wait_answered()
    watch.wait("wallboard.figures", depth=1)
    citizen.press("1")
    mark = watch.mark()
    watch.wait("wallboard.figures", after=mark, depth=0)
    citizen.hang_up()


def test_ten_waiting_and_three_talking_survive_a_killed_core_and_are_known_again_in_order(
    hotline: AsteriskUnderTest,
    public_network: PublicNetwork,
    phone: PhoneMaker,
    page: OpenPage,
    core_process: CoreProcess,
) -> None:
    agents = []
    for agent_id in ("1001", "1002", "1003"):
        phone(agent_id)
        agents.append(page(agent_id).ready())
    talkers = [talking(public_network, agent, f"1380000000{n}") for n, agent in enumerate(agents)]
    watch = page("watch", streams=("wallboard",))
    waiting = [public_network.call(f"1370000000{n}").wait_answered() for n in range(10)]
    watch.until(lambda: board(watch)["depth"] == 10, "ten waiting")
    before = [(one["call_id"], one["position"]) for one in board(watch)["waiting"]]

    core_process.kill()
    core_process.start()
    watch.reconnect()  # how soon is measured: `make drill-backend`
    watch.until(lambda: board(watch)["depth"] == 10 and board(watch)["by_state"].get("talking") == 3, "all known", 30)
    assert [(one["call_id"], one["position"]) for one in board(watch)["waiting"]] == before
    for agent, (citizen, call_id) in zip(agents, talkers, strict=True):
        agent.reconnect()
        assert agent.state["state"] == "talking"
        assert [call["call_id"] for call in agent.snapshot["calls"]] == [call_id]
        assert citizen.hears(880)
    agents[0].command("call.hangup")
    agents[0].wait_state("wrap_up")
    mark = agents[0].mark()
    agents[0].command("wrapup.done")
    pop = agents[0].wait("call.pop", after=mark)
    assert pop.data["call_id"] == before[0][0], "the first in line is served first"
    for line in [*waiting, *(citizen for citizen, _ in talkers)]:
        line.hang_up()


def test_calls_that_come_and_go_while_the_core_is_dead_are_in_the_database_afterwards(
    hotline: AsteriskUnderTest,
    public_network: PublicNetwork,
    phone: PhoneMaker,
    page: OpenPage,
    core_process: CoreProcess,
) -> None:
    phone("1001")
    agent = page("1001").ready()
    talker, talk_id = talking(public_network, agent, "13900000031")
    core_process.kill()
    mark = hotline.manager.mark()
    short = public_network.call("13900000032").wait_answered()
    joined = hotline.manager.wait_event("AcdJoin", after=mark, Number="13900000032")
    for line in (short, talker):
        line.hang_up()
    end = hotline.manager.wait_event("HotlineEnd", after=mark, Call=joined["Call"])
    assert end["Number"] == "13900000032"
    hotline.wait_no_channels()
    died_at = datetime.now(UTC)
    core_process.start()
    database = Database(hotline.settings.url)

    def stored(call_id: str) -> CallFacts | None:
        with database.read() as session:
            row = find(session, call_id)
            return facts_of(row) if row is not None and row.ended_at is not None else None

    unseen = wait_until(lambda: stored(joined["Call"]), 10, "the call that nobody saw")
    assert (unseen.number, unseen.outcome) == ("13900000032", "abandoned")
    assert unseen.joined_at == from_ms(int(joined["Joined"]))
    talk = wait_until(lambda: stored(talk_id), 10, "the talk's end")
    assert (talk.outcome, talk.agent_id) == ("answered", "1001")
    assert talk.ended_at is not None
    assert talk.ended_at < died_at, "it ended when it ended, not when the core was back"
    wait_until(lambda: not list(hotline.settings.paths.call_spool.glob("*.json")), 10, "an empty spool")
    agent.reconnect()
    database.dispose()


def test_the_explanation_of_a_call_names_the_decision(
    hotline: AsteriskUnderTest,
    public_network: PublicNetwork,
    phone: PhoneMaker,
    page: OpenPage,
    core_process: CoreProcess,
) -> None:
    phone("1001")
    agent = page("1001").ready()
    citizen, call_id = talking(public_network, agent, "13900000012")
    citizen.hang_up()
    agent.wait("call.ended", call_id=call_id)
    told = httpx.get(f"{core_process.base}/explain/{call_id}").json()
    assert any("1001" in sentence for sentence in told), told


def test_recordings_are_stored_once_the_call_is_over(
    hotline: AsteriskUnderTest, public_network: PublicNetwork, phone: PhoneMaker, page: OpenPage
) -> None:
    phone("1001")
    agent = page("1001").ready()
    citizen, call_id = talking(public_network, agent, "13900000013")
    citizen.hang_up()
    agent.wait("call.ended", call_id=call_id)
    store: Path = hotline.settings.paths.recordings
    wait_until(lambda: list(store.rglob(f"*{call_id}*.wav")), 15, "the recording in the store")
    wait_until(lambda: not list(hotline.settings.paths.record_spool.glob(f"{call_id}*")), 10, "an empty spool")
