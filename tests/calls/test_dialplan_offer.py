"""From the queue to an agent's telephone and back: offers, the talk, its recording, and everything that ends them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.peers import audio
from tests.peers.agi import ends_with
from tests.peers.baresip import BaresipPhone
from tests.peers.hotline import AsteriskUnderTest
from tests.peers.network import Line, PublicNetwork
from tests.peers.prompts import MUSIC_HZ, PROMPT_HZ

CITIZEN = "13700137000"
PhoneMaker = Callable[..., BaresipPhone]


class Waiting:
    """A caller in the queue, sending 440 Hz, with what the core knows of it."""

    def __init__(self, hotline: AsteriskUnderTest, network: PublicNetwork, number: str = CITIZEN) -> None:
        self.hotline = hotline
        self.mark = hotline.manager.mark()
        self.line: Line = network.call(number).wait_answered()
        self.line.tone(440)
        start = hotline.wait_call(number, self.mark)
        self.call, self.channel = start["Call"], start["Channel"]
        self.joined = self.event("AcdJoin")["Joined"]

    def event(self, name: str, timeout: float = 10.0, **values: str) -> dict[str, str]:
        return self.hotline.manager.wait_event(name, timeout, self.mark, Call=self.call, **values)

    def variable(self, name: str) -> str:
        return self.hotline.manager.variable(self.channel, name)


@pytest.fixture
def hotline(asterisk_under_test: AsteriskUnderTest) -> AsteriskUnderTest:
    """A hotline whose menu leads to the queue at once; nobody asks for a rating."""
    asterisk_under_test.backend.scripts["voice_menu"] = ends_with(NEXT="queue", SKILLS="yue:3,water:1", PRIORITY="10")
    asterisk_under_test.backend.start()
    return asterisk_under_test


@pytest.fixture
def caller(hotline: AsteriskUnderTest, public_network: PublicNetwork) -> Waiting:
    return Waiting(hotline, public_network)


def test_citizen_and_agent_hear_each_other_and_both_are_recorded(
    hotline: AsteriskUnderTest, caller: Waiting, phone: PhoneMaker
) -> None:
    agent = phone("1001", answer="manual")
    join = caller.event("AcdJoin", Attempt="1")
    assert (join["Skills"], join["Prio"], join["Lang"], join["Number"]) == ("yue:3,water:1", "10", "zh", CITIZEN)
    hotline.offer(caller.channel, "1001", offer_id="offer-7")
    ringing = agent.wait_ringing()
    assert CITIZEN in ringing["peeruri"]
    caller.line.wait_hears(MUSIC_HZ, since=caller.line.heard_s())
    assert caller.variable("HOTLINE_PHASE") == "connect"
    agent.pick_up()
    answered = caller.event("AcdAnswered", Agent="1001", OfferId="offer-7")
    said_number = caller.line.wait_hears(PROMPT_HZ["staff_number"])
    assert caller.line.wait_hears(880) > said_number
    agent.wait_hears(440)
    assert caller.variable("HOTLINE_PHASE") == "talk"
    assert caller.variable("HOTLINE_AGENT") == "1001"
    assert hotline.manager.variable(answered["AgentChannel"], "HOTLINE_LEG") == "agent"
    caller.line.wait(2)
    agent.hang_up()
    caller.event("AcdOfferEnd", Status="ANSWER", Cause="16", OfferId="offer-7")
    caller.line.wait_hears(PROMPT_HZ["goodbye"])
    caller.line.wait_ended()
    said, heard = hotline.legs(caller.call)
    assert answered["Rec"] + "-r.wav" == str(said)
    assert audio.tone_seconds(said, 440) > 1.8
    assert audio.tone_seconds(heard, 880) > 1.8
    assert audio.tone_level(said, 880) < -60
    assert abs(audio.duration(said) - audio.duration(heard)) < 0.1
    assert not audio.tone_times(heard, MUSIC_HZ), "the wait is not part of the recording"


def test_a_telephone_that_nobody_answers_gives_the_caller_back_with_the_same_place(
    hotline: AsteriskUnderTest, caller: Waiting, phone: PhoneMaker
) -> None:
    agent = phone("1001", answer="manual")
    hotline.offer(caller.channel, "1001", timeout=2)
    agent.wait_ringing()
    caller.event("AcdOfferEnd", Agent="1001", OfferId="o1", Status="NOANSWER")
    assert caller.event("AcdJoin", Attempt="2")["Joined"] == caller.joined
    agent.wait_idle()
    caller.line.wait_hears(MUSIC_HZ, since=caller.line.heard_s())
    caller.line.hang_up()


def test_a_refused_offer_comes_back_at_once_as_busy(
    hotline: AsteriskUnderTest, caller: Waiting, phone: PhoneMaker
) -> None:
    agent = phone("1001", answer="manual")
    hotline.offer(caller.channel, "1001")
    agent.wait_ringing()
    agent.reject()
    assert caller.event("AcdOfferEnd", timeout=3, Agent="1001")["Status"] == "BUSY"
    caller.event("AcdJoin", Attempt="2")
    caller.line.hang_up()


@pytest.mark.parametrize("endpoint", ["1003", "9999", "1001w", "", "1001,1&Local/x@y"])
def test_an_offer_to_a_telephone_that_is_not_there_costs_no_place(
    hotline: AsteriskUnderTest, caller: Waiting, endpoint: str
) -> None:
    hotline.redirect(caller.channel, "acd-connect", exten=f"offer*1003*{endpoint}*20*o1")
    assert caller.event("AcdOfferEnd", timeout=4)["Status"] in ("CHANUNAVAIL", "CONGESTION")
    assert caller.event("AcdJoin", Attempt="2")["Joined"] == caller.joined
    caller.line.hang_up()


def test_the_core_withdraws_an_offer_by_taking_the_caller_back(
    hotline: AsteriskUnderTest, caller: Waiting, phone: PhoneMaker
) -> None:
    agent = phone("1001", answer="manual")
    hotline.offer(caller.channel, "1001")
    agent.wait_ringing()
    hotline.redirect(caller.channel, "acd-hold")
    agent.wait_idle()
    caller.event("AcdJoin", Attempt="2")
    caller.line.hang_up()


def test_an_agent_who_hangs_up_while_the_staff_number_is_said_loses_nobody(
    hotline: AsteriskUnderTest, caller: Waiting, phone: PhoneMaker
) -> None:
    agent = phone("1001", answer="auto")
    hotline.offer(caller.channel, "1001")
    caller.line.wait_hears(PROMPT_HZ["staff_number"])
    agent.hang_up()
    assert caller.event("AcdOfferEnd", Agent="1001", Status="CANCEL")["OfferId"] == "o1"
    again = caller.event("AcdJoin", Attempt="2")
    assert again["Joined"] == caller.joined
    caller.line.wait_hears(MUSIC_HZ, since=caller.line.heard_s())
    caller.line.hang_up()


@pytest.mark.parametrize("moment", ["ringing", "announcement", "talk"])
def test_a_caller_who_hangs_up_frees_the_agents_telephone(
    hotline: AsteriskUnderTest, caller: Waiting, phone: PhoneMaker, moment: str
) -> None:
    agent = phone("1001", answer="manual")
    hotline.offer(caller.channel, "1001")
    agent.wait_ringing()
    if moment != "ringing":
        agent.pick_up()
        caller.line.wait_hears(PROMPT_HZ["staff_number"] if moment == "announcement" else 880)
    caller.line.hang_up()
    agent.wait_idle()
    caller.event("HotlineEnd", Phase="talk" if moment == "talk" else "connect")
    hotline.wait_no_channels()


def test_a_telephone_that_dies_in_the_talk_puts_the_caller_before_the_others(
    hotline: AsteriskUnderTest, caller: Waiting, phone: PhoneMaker
) -> None:
    agent = phone("1001")
    hotline.offer(caller.channel, "1001")
    caller.line.wait_hears(880)
    agent.kill()
    ended = caller.event("AcdOfferEnd", timeout=40, Status="ANSWER")
    assert ended["Cause"] == "27"
    again = caller.event("AcdJoin", Attempt="2")
    assert (again["Prio"], again["Joined"]) == ("60", caller.joined)
    caller.line.hang_up()


def test_an_unclear_emergency_is_marked_by_a_tone_that_only_the_agent_hears(
    hotline: AsteriskUnderTest, caller: Waiting, phone: PhoneMaker
) -> None:
    agent = phone("1001")
    hotline.manager.set_variable(caller.channel, "HOTLINE_WARN", "1")
    hotline.offer(caller.channel, "1001")
    caller.line.wait_hears(880)
    agent.wait_hears(440)
    assert audio.tone_times(agent.heard_files()[-1], PROMPT_HZ["warning_tone"])
    assert not audio.tone_times(caller.line.heard, PROMPT_HZ["warning_tone"])
    caller.line.hang_up()


def test_what_the_queue_wants_said_is_played_once_between_two_pieces_of_music(
    hotline: AsteriskUnderTest, caller: Waiting
) -> None:
    caller.line.wait_hears(MUSIC_HZ)
    words = hotline.settings.paths.prompts / "zh"
    hotline.manager.set_variable(
        caller.channel, "HOTLINE_SAY", f"{words}/you_are_number&{words}/digit_3&{words}/position_suffix"
    )
    at = [caller.line.wait_hears(PROMPT_HZ[name]) for name in ("you_are_number", "digit_3", "position_suffix")]
    assert at == sorted(at)
    caller.line.wait_hears(MUSIC_HZ, since=at[-1] + 0.8)
    caller.line.wait(4)
    assert audio.tone_seconds(caller.line.heard, PROMPT_HZ["you_are_number"]) < 1
    assert caller.variable("HOTLINE_SAY") == ""
    caller.line.hang_up()


def test_key_1_leads_to_the_voicemail_and_key_2_asks_for_a_call_back(
    hotline: AsteriskUnderTest, caller: Waiting
) -> None:
    caller.line.press("2")
    caller.event("AcdKey", Key="2")
    caller.line.press("7")
    caller.line.wait_hears(MUSIC_HZ, since=caller.line.heard_s())
    caller.line.press("1")
    caller.event("AcdKey", Key="1")
    caller.line.wait_hears(PROMPT_HZ["record_after_tone"])
    assert caller.variable("HOTLINE_PHASE") == "voicemail"
    caller.line.hang_up()


def test_the_rating_is_told_to_the_core_with_the_agent_it_is_for(
    hotline: AsteriskUnderTest, caller: Waiting, phone: PhoneMaker
) -> None:
    hotline.backend.scripts["satisfaction"] = ends_with(RATING="5")
    agent = phone("1002")
    hotline.offer(caller.channel, "1002")
    caller.line.wait_hears(880)
    agent.hang_up()
    caller.event("HotlineRating", Agent="1002", Rating="5")
    assert caller.line.wait_ended() == 16
    assert not audio.tone_times(caller.line.heard, PROMPT_HZ["goodbye"]), "the script has said it already"


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_desk_phones_talk_over_every_transport(
    hotline: AsteriskUnderTest, caller: Waiting, phone: PhoneMaker, transport: str
) -> None:
    agent = phone("1001", transport=transport)
    hotline.offer(caller.channel, "1001")
    caller.line.wait_hears(880)
    agent.wait_hears(440)
    caller.line.hang_up()


@pytest.mark.timeout(300)
def test_a_caller_who_is_offered_again_and_again_is_recorded_to_the_end_every_time(
    hotline: AsteriskUnderTest, caller: Waiting, phone: PhoneMaker
) -> None:
    """A stream whose numbers step back after a redirect was once dropped for minutes; half of such talks were mute."""
    agents = {"1001": phone("1001"), "1002": phone("1002", codec="PCMU/8000/1")}
    for turn in range(1, 9):
        agent_id = ("1001", "1002")[turn % 2]
        since, mark = caller.line.heard_s(), hotline.manager.mark()
        hotline.offer(caller.channel, agent_id, offer_id=f"o{turn}")
        caller.line.wait_hears(880, since=since)
        agents[agent_id].wait_hears(440)
        caller.line.wait(1.5)
        hotline.redirect(caller.channel, "acd-hold")
        hotline.manager.wait_event("AcdJoin", after=mark, Call=caller.call, Attempt=str(turn + 1))
        hotline.wait_gone(agent_id, mark)  # the agent's leg closes the recording, and the citizen does not wait for it
        said, heard = hotline.legs(caller.call, turn)
        for leg, hz in ((said, 440), (heard, 880)):
            assert audio.tone_seconds(leg, hz) > audio.duration(leg) - 0.6, f"talk {turn}: {leg.name} fell silent"
            assert audio.has_tone(leg, hz, -0.4), f"talk {turn}: {leg.name} has no sound at its end"
            assert audio.duration(leg) > 1.4
    caller.line.hang_up()
