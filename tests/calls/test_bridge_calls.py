"""The bridge on real Asterisk with real telephones: pops, places, rooms and restarts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.bridge_kit.core import CoreProcess, seed
from tests.bridge_kit.page import CommandRefused, Page
from tests.peers.agi import ends_with
from tests.peers.baresip import BaresipPhone
from tests.peers.fixtures import Exchange
from tests.peers.hotline import AGENTS, AsteriskUnderTest
from tests.peers.network import Line, PublicNetwork
from tests.peers.waiting import wait_until

PhoneMaker = Callable[..., BaresipPhone]
OpenPage = Callable[..., Page]


@pytest.fixture(scope="module")
def core_process(exchange: Exchange, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CoreProcess]:
    exchange.hotline.settings = exchange.hotline.settings.model_copy(update={"wrapup_s": 5, "offer_timeout_s": 8})
    settings = exchange.hotline.settings
    # The network came up after our Asterisk had asked for it the first time; the next time would be in half a minute.
    exchange.hotline.manager.action("PJSIPQualify", Endpoint="trunk")
    seed(settings, {account.agent_id: account.name for account in AGENTS})
    core = CoreProcess(settings, tmp_path_factory.mktemp("core") / "core.log")
    core.start()
    yield core
    core.stop()


@pytest.fixture
def hotline(asterisk_under_test: AsteriskUnderTest) -> AsteriskUnderTest:
    """Asterisk whose voice menu sends every caller straight to a person."""
    asterisk_under_test.backend.scripts["voice_menu"] = ends_with(NEXT="queue")
    asterisk_under_test.backend.scripts["satisfaction"] = ends_with()
    asterisk_under_test.backend.start()
    return asterisk_under_test


@pytest.fixture
def page(core_process: CoreProcess) -> Iterator[OpenPage]:
    """`page("1001")` opens an agent's page; all agents are signed out afterwards."""
    opened: list[Page] = []

    def open_page(name: str, **kind: object) -> Page:
        one = Page(core_process.base, name, **kind)  # type: ignore[arg-type]
        opened.append(one)
        return one

    yield open_page
    for one in opened:
        if one.name != "watch" and one.closed is None:
            one.command("agent.sign_out")
    for one in opened:
        one.close()


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


def talking(
    hotline: AsteriskUnderTest, network: PublicNetwork, agent: Page, number: str, hz: int = 440
) -> tuple[Line, str]:
    """A citizen who plays `hz` in a talk with this agent, whose telephone answers by itself; (line, call id)."""
    mark = agent.mark()
    citizen = network.call(number).wait_answered()
    citizen.tone(hz)
    answered = agent.wait("call.answered", after=mark)
    citizen.wait_hears(880)
    return citizen, answered.data["call_id"]


def test_hold_gives_music_and_resume_gives_the_talk_back_and_both_are_recorded(
    hotline: AsteriskUnderTest, public_network: PublicNetwork, phone: PhoneMaker, page: OpenPage
) -> None:
    desk = phone("1001")
    agent = page("1001").ready()
    citizen, call_id = talking(hotline, public_network, agent, "13900000004")
    agent.command("call.hold")
    agent.command("call.hold")  # a double click
    agent.wait("call.held", call_id=call_id)
    citizen.wait_hears(620)  # the music
    assert not citizen.hears(880)
    agent.command("call.resume")
    agent.wait("call.resumed", call_id=call_id)
    citizen.wait_hears(880, since=citizen.heard_s())
    desk.wait_hears(440)
    agent.command("call.hangup")
    agent.wait("call.ended", call_id=call_id)
    agent.wait_state("wrap_up")
    citizen.wait_ended()


def test_three_way_everybody_hears_everybody_and_whoever_leaves_the_rest_stay(
    hotline: AsteriskUnderTest, public_network: PublicNetwork, phone: PhoneMaker, page: OpenPage
) -> None:
    desk = phone("1001")
    unit_lines: list[Line] = []

    def unit(line: Line) -> None:
        unit_lines.append(line)
        line.tone(700)

    public_network.answers("02155551234", then=unit)
    agent = page("1001").ready()
    citizen, call_id = talking(hotline, public_network, agent, "13900000005")
    agent.command("call.conference", to="021-5555-1234")
    citizen.wait_hears(700)
    citizen.wait_hears(880)
    desk.wait_hears(440)
    desk.wait_hears(700)
    unit_lines[0].wait_hears(440)
    unit_lines[0].wait_hears(880)
    agent.until(
        lambda: [m["state"] for m in agent.all("call.room")[-1].data["members"]] == ["up"] * 3, "three members up"
    )
    agent.command("call.hangup")
    agent.wait("call.ended", call_id=call_id)
    since = citizen.heard_s()
    citizen.wait_hears(700, since=since)
    unit_lines[0].hang_up()
    citizen.wait_ended()


def test_warm_transfer_to_a_colleague_who_sees_the_card_and_keeps_the_citizen(
    hotline: AsteriskUnderTest, public_network: PublicNetwork, phone: PhoneMaker, page: OpenPage
) -> None:
    phone("1001")
    colleague_phone = phone("1002", tone_hz=1000)
    agent, colleague = page("1001").ready(), page("1002")
    colleague.command("agent.sign_in")
    citizen, call_id = talking(hotline, public_network, agent, "13900000006")
    agent.command("call.consult", to="1002")
    card = colleague.wait("call.card", call_id=call_id)
    assert card.data["card"]["number"] == "13900000006"
    citizen.wait_hears(620)
    colleague_phone.wait_hears(880)
    agent.command("call.complete_transfer")
    agent.wait("call.ended", call_id=call_id)
    agent.wait_state("wrap_up")
    colleague.wait_state("talking")
    citizen.wait_hears(1000, since=citizen.heard_s())
    colleague_phone.wait_hears(440)
    # The call is the colleague's now, and so is its control.
    colleague.command("call.hold", 10.0, call_id=call_id)
    citizen.wait_hears(620, since=citizen.heard_s())
    colleague.command("call.resume", 10.0, call_id=call_id)
    with pytest.raises(CommandRefused):
        agent.command("call.hold", 10.0, call_id=call_id)
    colleague.command("call.hangup", 10.0, call_id=call_id)
    citizen.wait_ended()
    colleague.wait_state("wrap_up")


def test_a_consultation_that_is_cancelled_or_not_answered_gives_the_citizen_back(
    hotline: AsteriskUnderTest, public_network: PublicNetwork, phone: PhoneMaker, page: OpenPage
) -> None:
    phone("1001")
    public_network.refuses("02155550000", 17)
    agent = page("1001").ready()
    citizen, call_id = talking(hotline, public_network, agent, "13900000007")
    agent.command("call.consult", to="02155550000")
    notice = agent.wait("notice", code="not_reached")
    assert notice.data["number"] == "02155550000"
    citizen.wait_hears(620)
    agent.command("call.cancel_consult")
    citizen.wait_hears(880, since=citizen.heard_s())
    citizen.hang_up()
    agent.wait("call.ended", call_id=call_id)


def test_a_telephone_that_dies_in_a_room_costs_the_citizen_no_place(
    hotline: AsteriskUnderTest, public_network: PublicNetwork, phone: PhoneMaker, page: OpenPage
) -> None:
    desk, rescue = phone("1001"), phone("1002", answer="manual")
    agent, other = page("1001").ready(), page("1002")
    other.command("agent.sign_in")
    citizen, call_id = talking(hotline, public_network, agent, "13900000008")
    agent.command("call.hold")
    citizen.wait_hears(620)
    hotline.manager.action("Hangup", Channel=hotline_leg(hotline, "1001"), Cause="44")
    desk.wait_idle()
    other.command("agent.ready")
    pop = other.wait("call.pop", call_id=call_id)
    assert pop.data["card"]["number"] == "13900000008"
    rescue.wait_ringing()
    citizen.hang_up()


def hotline_leg(hotline: AsteriskUnderTest, endpoint: str) -> str:
    """The channel of a telephone."""
    return next(c["Channel"] for c in hotline.manager.channels() if c["Channel"].startswith(f"PJSIP/{endpoint}-"))


def test_blind_transfer_sends_the_citizen_on_and_frees_the_agent(
    hotline: AsteriskUnderTest, public_network: PublicNetwork, phone: PhoneMaker, page: OpenPage
) -> None:
    phone("1001")
    public_network.answers("110", then=lambda line: line.tone(700))
    agent = page("1001").ready()
    citizen, call_id = talking(hotline, public_network, agent, "13900000009")
    agent.command("call.transfer_blind", to="110")
    agent.wait("call.ended", call_id=call_id)
    agent.wait_state("wrap_up")
    citizen.wait_hears(700)
    citizen.hang_up()


def test_click_to_dial_rings_the_agent_then_the_number_and_no_call_is_offered_meanwhile(
    hotline: AsteriskUnderTest, public_network: PublicNetwork, phone: PhoneMaker, page: OpenPage
) -> None:
    phone("1001")
    public_network.answers("13811112222", then=lambda line: line.tone(700))
    agent = page("1001").ready()
    first = agent.command("call.dial", number="138 1111 2222")
    again = agent.command("call.dial", number="138 1111 2222")
    assert first == again, "a double click dials once"
    agent.wait("call.answered", call_id=first["call_id"])
    assert agent.state["busy_outside"]
    agent.command("call.hold")
    agent.command("call.resume")
    agent.command("call.hangup")
    agent.wait("call.ended", call_id=first["call_id"])
    agent.until(lambda: not agent.state["busy_outside"], "to be free again")


def test_an_agent_without_permission_cannot_dial_or_touch_others_calls(
    hotline: AsteriskUnderTest, public_network: PublicNetwork, phone: PhoneMaker, page: OpenPage
) -> None:
    phone("1001")
    phone("1002")
    agent, other = page("1001").ready(), page("1002")
    other.command("agent.sign_in")
    with pytest.raises(CommandRefused, match="not_permitted"):
        other.command("call.dial", number="13811112222")
    citizen, call_id = talking(hotline, public_network, agent, "13900000010")
    for name in ("call.hold", "call.hangup"):
        with pytest.raises(CommandRefused, match="not_found"):
            other.command(name, 10.0, call_id=call_id)
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


def test_ten_waiting_and_three_talking_survive_a_killed_core_and_are_known_again_in_five_seconds(
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
    talkers = [talking(hotline, public_network, agent, f"1380000000{n}") for n, agent in enumerate(agents)]
    watch = page("watch", streams=("wallboard",))
    waiting = [public_network.call(f"1370000000{n}").wait_answered() for n in range(10)]
    watch.until(lambda: watch.all("wallboard.figures")[-1:] and board(watch)["depth"] == 10, "ten waiting")
    before = [(one["call_id"], one["position"]) for one in board(watch)["waiting"]]

    core_process.kill()
    began = time.monotonic()
    core_process.start()
    watch.reconnect()
    watch.until(lambda: board(watch)["depth"] == 10 and board(watch)["by_state"].get("talking") == 3, "all known", 8)
    took = time.monotonic() - began
    assert took < 5, f"{took:.1f} s"
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


def board(watch: Page) -> dict[str, object]:
    """The newest wallboard."""
    told = watch.all("wallboard.figures")
    newest: dict[str, object] = told[-1].data if told else watch.snapshot.get("wallboard") or {}
    return newest


def test_the_explanation_of_a_call_names_the_decision(
    hotline: AsteriskUnderTest,
    public_network: PublicNetwork,
    phone: PhoneMaker,
    page: OpenPage,
    core_process: CoreProcess,
) -> None:
    phone("1001")
    agent = page("1001").ready()
    citizen, call_id = talking(hotline, public_network, agent, "13900000012")
    citizen.hang_up()
    agent.wait("call.ended", call_id=call_id)
    told = httpx.get(f"{core_process.base}/explain/{call_id}").json()
    assert any("1001" in sentence for sentence in told), told


def test_recordings_are_stored_once_the_call_is_over(
    hotline: AsteriskUnderTest, public_network: PublicNetwork, phone: PhoneMaker, page: OpenPage
) -> None:
    phone("1001")
    agent = page("1001").ready()
    citizen, call_id = talking(hotline, public_network, agent, "13900000013")
    citizen.hang_up()
    agent.wait("call.ended", call_id=call_id)
    store: Path = hotline.settings.paths.recordings
    wait_until(lambda: list(store.rglob(f"*{call_id}*.wav")), 15, "the recording in the store")
    wait_until(lambda: not list(hotline.settings.paths.record_spool.glob(f"{call_id}*")), 10, "an empty spool")
