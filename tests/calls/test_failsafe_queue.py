"""The queue's heart stops: Asterisk's own queue of the agents who are signed in, then the voicemail."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.peers import audio
from tests.peers.agi import ends_with
from tests.peers.baresip import BaresipPhone
from tests.peers.fixtures import Exchange
from tests.peers.hotline import AsteriskUnderTest
from tests.peers.network import PublicNetwork
from tests.peers.prompts import MUSIC_HZ, PROMPT_HZ
from tests.peers.waiting import wait_until

CITIZEN = "13900139000"
PhoneMaker = Callable[..., BaresipPhone]


@pytest.fixture
def hotline(asterisk_under_test: AsteriskUnderTest) -> Iterator[AsteriskUnderTest]:
    """A hotline whose menu leads to the queue at once, and whose own queue is empty afterwards."""
    asterisk_under_test.backend.scripts["voice_menu"] = ends_with(NEXT="queue", LANG="zh", PATH="welcome>person")
    asterisk_under_test.backend.start()
    yield asterisk_under_test
    manager = asterisk_under_test.manager
    for member in manager.list_action("QueueStatus", "QueueStatusComplete", Queue="hotline-failsafe"):
        if member.get("Event") == "QueueMember":
            manager.action("QueueRemove", Queue="hotline-failsafe", Interface=member["Location"])


def test_a_caller_of_a_queue_whose_heart_stopped_reaches_an_agent_who_is_signed_in(
    hotline: AsteriskUnderTest, public_network: PublicNetwork, phone: PhoneMaker
) -> None:
    mark = hotline.manager.mark()
    agent = phone("1001")
    hotline.sign_in_failsafe("1001")
    hotline.beat(age_s=3600)
    citizen = public_network.call(CITIZEN).wait_answered()
    citizen.tone(440)
    call = hotline.wait_call(CITIZEN, mark)["Call"]
    citizen.wait_hears(PROMPT_HZ["apology"])
    hotline.manager.wait_event("HotlineFailsafe", after=mark, Call=call, Cause="acd-stale", From="hold")
    citizen.wait_hears(880)
    agent.wait_hears(440)
    answered = hotline.manager.wait_event("AcdAnswered", after=mark, Call=call, Agent="1001", OfferId="failsafe")
    channel = answered["AgentChannel"]
    assert hotline.manager.variable(channel, "HOTLINE_PEER_CALL") == call
    citizen.wait(2)
    agent.hang_up()
    hotline.manager.wait_event("AcdOfferEnd", after=mark, Call=call, Status="ANSWER", Agent="1001")
    citizen.wait_hears(PROMPT_HZ["goodbye"])
    citizen.wait_ended()
    said, heard = hotline.legs(call)
    assert audio.tone_seconds(said, 440) >= 1.5
    assert audio.tone_seconds(heard, 880) >= 1.5


def test_without_an_answer_one_key_leads_to_the_voicemail(
    hotline: AsteriskUnderTest, public_network: PublicNetwork, phone: PhoneMaker
) -> None:
    mark = hotline.manager.mark()
    agent = phone("1001", answer="manual")
    hotline.sign_in_failsafe("1001")
    hotline.beat(age_s=3600)
    citizen = public_network.call(CITIZEN).wait_answered()
    call = hotline.wait_call(CITIZEN, mark)["Call"]
    agent.wait_ringing()
    citizen.press("1")
    citizen.wait_hears(PROMPT_HZ["record_after_tone"])
    citizen.tone(440)
    citizen.wait(1.5)
    citizen.hang_up()
    assert hotline.sidecar(hotline.settings.paths.voicemail_spool, call)["status"] == "hangup"
    agent.wait_idle()


def test_with_nobody_signed_in_the_voicemail_follows_the_apology(
    hotline: AsteriskUnderTest, public_network: PublicNetwork
) -> None:
    hotline.beat(age_s=3600)
    citizen = public_network.call(CITIZEN).wait_answered()
    citizen.wait_hears(PROMPT_HZ["apology"])
    citizen.wait_hears(PROMPT_HZ["all_busy_voicemail"], timeout=4)
    citizen.hang_up()


def test_a_heart_that_beats_keeps_callers_in_the_queue_and_one_that_stops_does_not(
    hotline: AsteriskUnderTest, public_network: PublicNetwork
) -> None:
    mark = hotline.manager.mark()
    citizen = public_network.call(CITIZEN).wait_answered()
    citizen.wait_hears(MUSIC_HZ)
    citizen.wait(5)
    assert citizen.hears(MUSIC_HZ)
    hotline.beat(age_s=hotline.settings.beat_stale_s + 1)
    citizen.wait_hears(PROMPT_HZ["apology"], timeout=5)
    hotline.manager.wait_event("HotlineFailsafe", after=mark, Cause="acd-stale")
    citizen.hang_up()


def test_a_core_that_returns_takes_the_waiting_caller_back_with_the_first_join_time(
    hotline: AsteriskUnderTest, public_network: PublicNetwork, phone: PhoneMaker
) -> None:
    mark = hotline.manager.mark()
    agent = phone("1001", answer="manual")
    hotline.sign_in_failsafe("1001")
    citizen = public_network.call(CITIZEN).wait_answered()
    start = hotline.wait_call(CITIZEN, mark)
    first = hotline.manager.wait_event("AcdJoin", after=mark, Call=start["Call"])
    hotline.beat(age_s=3600)
    agent.wait_ringing()
    hotline.beat()
    hotline.redirect(start["Channel"], "acd-hold")
    again = hotline.manager.wait_event("AcdJoin", after=mark, Call=start["Call"], Attempt="2")
    assert again["Joined"] == first["Joined"]
    assert (again["Queue"], again["Lang"], again["Path"]) == ("general", "zh", "welcome>person")
    agent.wait_idle()
    citizen.wait_hears(MUSIC_HZ, since=citizen.heard_s())
    citizen.hang_up()


def test_agents_stay_signed_in_to_asterisks_queue_when_asterisk_restarts(
    exchange: Exchange, hotline: AsteriskUnderTest, public_network: PublicNetwork, phone: PhoneMaker
) -> None:
    hotline.sign_in_failsafe("1002")
    hotline.restart()
    phone("1002")
    mark = hotline.manager.mark()
    # Nobody has set a heartbeat since the restart: to the dialplan that is an old one.
    citizen = public_network.call(CITIZEN).wait_answered()
    hotline.wait_call(CITIZEN, mark)
    citizen.wait_hears(PROMPT_HZ["apology"])
    citizen.wait_hears(880)
    citizen.hang_up()


def test_a_paused_agent_is_not_rung_by_asterisks_queue(
    hotline: AsteriskUnderTest, public_network: PublicNetwork, phone: PhoneMaker
) -> None:
    resting, working = phone("1001", answer="manual"), phone("1002", answer="manual")
    for agent_id in ("1001", "1002"):
        hotline.sign_in_failsafe(agent_id)
    hotline.manager.action("QueuePause", Queue="hotline-failsafe", Interface="PJSIP/1001", Paused="true")
    hotline.beat(age_s=3600)
    citizen = public_network.call(CITIZEN).wait_answered()
    working.wait_ringing()
    assert not [event for event in resting.events if event["type"] == "CALL_INCOMING"]
    citizen.hang_up()
    wait_until(lambda: any(e["type"] == "CALL_CLOSED" for e in working.events), 5, "telephone stops ringing")
