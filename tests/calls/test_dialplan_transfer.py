"""Out of the house: emergency lines, permitted and refused destinations, and the way back when nobody is there."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.calls.test_dialplan_offer import CITIZEN, Waiting
from tests.peers import audio, network
from tests.peers.agi import ends_with
from tests.peers.baresip import BaresipPhone
from tests.peers.hotline import AsteriskUnderTest
from tests.peers.network import PublicNetwork
from tests.peers.prompts import MUSIC_HZ, PROMPT_HZ

PhoneMaker = Callable[..., BaresipPhone]


def menu_leads_to(hotline: AsteriskUnderTest, **variables: str) -> None:
    hotline.backend.scripts["voice_menu"] = ends_with(**variables)
    hotline.backend.start()


def test_the_menu_connects_an_emergency_and_records_it(
    asterisk_under_test: AsteriskUnderTest, public_network: PublicNetwork
) -> None:
    hotline, mark = asterisk_under_test, asterisk_under_test.manager.mark()
    menu_leads_to(hotline, NEXT="transfer", TRANSFER_TO="110", PRIORITY="100")
    public_network.answers("110", ring_s=0.5, then=lambda line: line.tone(700))
    citizen = public_network.call(CITIZEN).wait_answered()
    call = hotline.wait_call(CITIZEN, mark)["Call"]
    citizen.tone(440)
    police = public_network.wait_incoming()
    citizen.wait_hears(PROMPT_HZ["transferring"])
    citizen.wait_hears(700)
    police.wait_hears(440)
    citizen.wait(1.5)
    police.hang_up()
    hotline.manager.wait_event("HotlineTransferEnd", after=mark, Call=call, To="110", Status="ANSWER")
    citizen.wait_hears(PROMPT_HZ["goodbye"])
    citizen.wait_ended()
    said, heard = hotline.legs(call)
    assert audio.tone_seconds(said, 440) > 1
    assert audio.tone_seconds(heard, 700) > 1


@pytest.mark.parametrize(
    ("cause", "status"),
    [(network.BUSY, "BUSY"), (network.CONGESTION, "CONGESTION"), (network.UNALLOCATED, "CHANUNAVAIL")],
)
def test_an_emergency_that_does_not_get_through_comes_before_everybody_else(
    asterisk_under_test: AsteriskUnderTest, public_network: PublicNetwork, cause: int, status: str
) -> None:
    hotline, mark = asterisk_under_test, asterisk_under_test.manager.mark()
    menu_leads_to(hotline, NEXT="transfer", TRANSFER_TO="119")
    public_network.refuses("119", cause)
    citizen = public_network.call(CITIZEN).wait_answered()
    call = hotline.wait_call(CITIZEN, mark)["Call"]
    ended = hotline.manager.wait_event("HotlineTransferEnd", after=mark, Call=call)
    assert ended["Status"] in (status, "CONGESTION")
    citizen.wait_hears(PROMPT_HZ["transfer_failed"])
    assert hotline.manager.wait_event("AcdJoin", after=mark, Call=call)["Prio"] == "100"
    citizen.wait_hears(MUSIC_HZ)
    citizen.hang_up()


@pytest.mark.parametrize("target", ["84110000", "", "110119", "110&Local/x", "sip:110@evil"])
def test_a_transfer_that_nobody_permitted_is_refused_and_the_caller_waits_for_a_person(
    asterisk_under_test: AsteriskUnderTest, public_network: PublicNetwork, target: str
) -> None:
    hotline, mark = asterisk_under_test, asterisk_under_test.manager.mark()
    menu_leads_to(hotline, NEXT="transfer", TRANSFER_TO=target)
    for number in ("84110000", "110119", "110"):
        public_network.answers(number)
    citizen = public_network.call(CITIZEN).wait_answered()
    call = hotline.wait_call(CITIZEN, mark)["Call"]
    if target in ("110&Local/x", "sip:110@evil"):
        # What is left after the filter is an emergency line, and that may be called.
        public_network.wait_incoming()
    else:
        citizen.wait_hears(PROMPT_HZ["transfer_failed"])
        hotline.manager.wait_event("AcdJoin", after=mark, Call=call)
        assert public_network.incoming.empty()
    citizen.hang_up()


def test_an_agents_permission_counts_for_a_transfer(
    asterisk_under_test: AsteriskUnderTest, public_network: PublicNetwork
) -> None:
    hotline = asterisk_under_test
    menu_leads_to(hotline, NEXT="queue")
    public_network.answers("84110000", then=lambda line: line.tone(700))
    for agent_id, allowed in (("1002", False), ("1001", True)):
        caller = Waiting(hotline, public_network)
        hotline.manager.set_variable(caller.channel, "HOTLINE_TRANSFER_TO", "84110000")
        hotline.manager.set_variable(caller.channel, "HOTLINE_TRANSFER_BY", agent_id)
        hotline.redirect(caller.channel, "hotline-transfer")
        if allowed:
            caller.line.wait_hears(700)
        else:
            caller.event("AcdJoin", Attempt="2")
        caller.line.hang_up()


def test_a_transfer_to_a_colleague_rings_the_colleagues_telephone(
    asterisk_under_test: AsteriskUnderTest, public_network: PublicNetwork, phone: PhoneMaker
) -> None:
    hotline = asterisk_under_test
    menu_leads_to(hotline, NEXT="queue")
    colleague = phone("1003")
    caller = Waiting(hotline, public_network)
    hotline.manager.set_variable(caller.channel, "HOTLINE_TRANSFER_TO", "1003")
    hotline.redirect(caller.channel, "hotline-transfer")
    caller.line.wait_hears(880)
    colleague.wait_hears(440)
    caller.line.hang_up()


@pytest.mark.parametrize(
    ("agent_id", "number", "allowed"),
    [("1001", "84110000", True), ("1002", "84110000", False), ("1002", "120", True), ("1002", "1201", False)],
)
def test_what_a_telephone_may_dial_depends_on_the_agent_and_the_destination(
    asterisk_under_test: AsteriskUnderTest,
    public_network: PublicNetwork,
    phone: PhoneMaker,
    agent_id: str,
    number: str,
    allowed: bool,
) -> None:
    hotline, mark = asterisk_under_test, asterisk_under_test.manager.mark()
    public_network.answers(number, then=lambda line: line.tone(700))
    agent = phone(agent_id)
    agent.dial(number)
    if allowed:
        outside = public_network.wait_incoming()
        agent.wait_hears(700)
        outside.wait_hears(880)
        begun = hotline.manager.wait_event("AcdOutbound", after=mark, Agent=agent_id, Number=number, Kind="trunk")
        agent.hang_up()
        outside.wait_ended()
        assert audio.tone_seconds(hotline.legs(begun["Call"])[0], 700) > 0.3
    else:
        ended = hotline.manager.wait_event("AcdOutboundEnd", after=mark, Agent=agent_id, Number=number)
        assert ended["Status"] == "REFUSED"
        assert public_network.incoming.empty()
    hotline.wait_no_channels()


def test_agents_call_each_other_and_the_hotline_itself(
    asterisk_under_test: AsteriskUnderTest, public_network: PublicNetwork, phone: PhoneMaker
) -> None:
    hotline, mark = asterisk_under_test, asterisk_under_test.manager.mark()
    menu_leads_to(hotline, NEXT="queue")
    first, second = phone("1001"), phone("1002", tone_hz=950)
    first.dial("1002")
    first.wait_hears(950)
    second.wait_hears(880)
    first.hang_up()
    second.wait_idle()
    first.dial("12345")
    hotline.manager.wait_event("HotlineStart", after=mark, Number="1001")
    first.wait_hears(MUSIC_HZ)
    first.hang_up()
    hotline.wait_no_channels()


def test_click_to_dial_rings_the_agent_first_and_shows_the_hotlines_number_outside(
    asterisk_under_test: AsteriskUnderTest, public_network: PublicNetwork, phone: PhoneMaker
) -> None:
    hotline, mark = asterisk_under_test, asterisk_under_test.manager.mark()
    agent = phone("1001")
    public_network.answers("13912345678", then=lambda line: line.tone(700))
    hotline.manager.action(
        "Originate", Channel="PJSIP/1001", Context="acd-outbound", Exten="13912345678", Priority="1", Async="true"
    )
    outside = public_network.wait_incoming()
    agent.wait_hears(700)
    outside.wait_hears(880)
    hotline.manager.wait_event("AcdOutbound", after=mark, Agent="1001", Number="13912345678")
    outside.hang_up()
    agent.wait_idle()
    hotline.manager.wait_event("AcdOutboundEnd", after=mark, Status="ANSWER")


def test_a_number_that_is_not_ours_is_unallocated(public_network: PublicNetwork) -> None:
    assert public_network.call(CITIZEN, to="99999").wait_ended() == network.UNALLOCATED
