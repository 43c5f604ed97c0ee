"""Hold, three-way talks and transfers: the legs of a call in its room, and what happens when nobody directs them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.calls.test_dialplan_offer import Waiting
from tests.peers import audio
from tests.peers.agi import ends_with
from tests.peers.baresip import BaresipPhone
from tests.peers.hotline import AsteriskUnderTest
from tests.peers.network import PublicNetwork
from tests.peers.prompts import MUSIC_HZ, PROMPT_HZ

PhoneMaker = Callable[..., BaresipPhone]


class Talking(Waiting):
    """A caller (440 Hz) in a talk with agent 1001 (880 Hz)."""

    def __init__(self, hotline: AsteriskUnderTest, network: PublicNetwork, agent: BaresipPhone) -> None:
        super().__init__(hotline, network)
        self.agent = agent
        hotline.offer(self.channel, agent.account.agent_id)
        self.agent_channel = self.event("AcdAnswered")["AgentChannel"]
        self.line.wait_hears(880)
        agent.wait_hears(440)

    def hold(self) -> None:
        self.hotline.redirect(self.channel, "acd-held", self.agent_channel, "acd-agent-wait")
        self.hotline.wait_context(self.agent_channel, "acd-agent-wait")

    def resume(self) -> None:
        for channel in (self.channel, self.agent_channel):
            self.hotline.manager.set_variable(channel, "HOTLINE_ROOM", f"room-{self.call}")
        self.hotline.redirect(self.channel, "acd-room", self.agent_channel, "acd-room")

    def add_third(self, number: str) -> None:
        self.hotline.manager.action(
            "Originate",
            Channel=f"Local/{number}@acd-outbound/n",
            Context="acd-room",
            Exten="s",
            Priority="1",
            Variable=[
                f"HOTLINE_ROOM=room-{self.call}",
                f"HOTLINE_PEER_CALL={self.call}",
                "HOTLINE_LEG=third",
                "HOTLINE_AGENT=1001",
            ],
            Async="true",
        )


@pytest.fixture
def hotline(asterisk_under_test: AsteriskUnderTest) -> AsteriskUnderTest:
    asterisk_under_test.backend.scripts["voice_menu"] = ends_with(NEXT="queue")
    asterisk_under_test.backend.start()
    return asterisk_under_test


@pytest.fixture
def talk(hotline: AsteriskUnderTest, public_network: PublicNetwork, phone: PhoneMaker) -> Talking:
    return Talking(hotline, public_network, phone("1001"))


def test_a_caller_on_hold_hears_music_and_the_agent_nothing_of_the_caller(talk: Talking) -> None:
    talk.hold()
    talk.hotline.wait_phase(talk.channel, "held")
    talk.line.wait_hears(MUSIC_HZ, since=talk.line.heard_s())
    talk.line.wait(1)
    assert not audio.has_tone(talk.agent.heard_files()[-1], 440, -0.6)
    talk.resume()
    talk.hotline.wait_phase(talk.channel, "room")
    talk.line.wait_hears(880, since=talk.line.heard_s())
    talk.agent.wait_hears(440)
    talk.line.hang_up()
    talk.agent.wait_idle()
    talk.hotline.wait_no_channels()


def test_hold_and_resume_many_times_leave_every_recording_whole(talk: Talking) -> None:
    for _turn in range(4):
        since = talk.line.heard_s()
        talk.hold()
        talk.line.wait_hears(MUSIC_HZ, since=since)
        since = talk.line.heard_s()
        talk.resume()
        talk.line.wait_hears(880, since=since)
        talk.agent.wait_hears(440)
        talk.line.wait(1)
    talk.line.hang_up()
    talk.hotline.wait_no_channels()
    for segment in (1, 2):
        said, heard = talk.hotline.legs(talk.call, segment)
        # The sentence with the staff number is no part of it; between two rooms both are quiet for a moment.
        assert audio.tone_seconds(said, 440) > 0.75 * audio.duration(said), f"segment {segment}: citizen"
        assert audio.tone_seconds(heard, 880) > 0.75 * audio.duration(heard), f"segment {segment}: agent"
        assert audio.has_tone(said, 440, -0.5)
        assert audio.has_tone(heard, 880, -0.5)
    assert audio.duration(talk.hotline.legs(talk.call, 2)[0]) > 4


def test_a_third_party_joins_and_stays_when_the_agent_leaves(talk: Talking, public_network: PublicNetwork) -> None:
    public_network.answers("84110000", then=lambda line: line.tone(700))
    talk.add_third("84110000")
    third = public_network.wait_incoming()
    third.wait_answered()
    talk.resume()
    talk.line.wait_hears(700, since=talk.line.heard_s())
    talk.line.wait_hears(880, since=talk.line.heard_s())
    third.wait_hears(440)
    third.wait_hears(880)
    talk.agent.hang_up()
    talk.agent.wait_idle()
    since = third.heard_s()
    third.wait_hears(440, since=since + 0.5)
    assert talk.line.hears(700)
    talk.line.hang_up()
    third.wait_ended(8)
    talk.hotline.wait_no_channels()


def test_a_citizen_left_alone_in_a_room_is_taken_care_of_without_the_core(talk: Talking) -> None:
    talk.hold()
    talk.hotline.wait_phase(talk.channel, "held")
    talk.resume()
    talk.hotline.wait_phase(talk.channel, "room")
    talk.line.wait_hears(880, since=talk.line.heard_s())
    talk.agent.hang_up()
    since = talk.line.heard_s()
    talk.event("AcdAlone", Agent="1001")
    talk.line.wait_hears(MUSIC_HZ, since=since)
    talk.line.wait_hears(PROMPT_HZ["apology"], since=since, timeout=9)
    talk.event("HotlineFailsafe", From="room")
    talk.line.hang_up()


def test_the_core_has_five_seconds_to_send_a_citizen_who_is_alone_to_the_survey(talk: Talking) -> None:
    talk.hotline.backend.scripts["satisfaction"] = ends_with(RATING="4")
    talk.hold()
    talk.hotline.wait_phase(talk.channel, "held")
    talk.resume()
    talk.hotline.wait_phase(talk.channel, "room")
    talk.line.wait_hears(880, since=talk.line.heard_s())
    talk.agent.hang_up()
    talk.event("AcdAlone")
    talk.hotline.redirect(talk.channel, "hotline-survey")
    talk.event("HotlineRating", Agent="1001", Rating="4")
    talk.line.wait_ended()


def test_the_agents_telephone_is_free_when_the_caller_on_hold_hangs_up(talk: Talking) -> None:
    talk.hold()
    talk.hotline.wait_phase(talk.channel, "held")
    talk.line.hang_up()
    talk.agent.wait_idle(6)
    talk.hotline.wait_no_channels()


def test_an_agent_alone_in_the_room_is_free_when_the_citizen_hangs_up(talk: Talking) -> None:
    talk.hold()
    talk.hotline.wait_phase(talk.channel, "held")
    talk.resume()
    talk.line.wait_hears(880, since=talk.line.heard_s() + 0.5)
    talk.line.hang_up()
    talk.agent.wait_idle(4)
    talk.hotline.wait_no_channels()


@pytest.mark.timeout(120)
def test_who_was_held_when_the_core_died_finds_the_agent_again_without_it(talk: Talking) -> None:
    talk.hold()
    talk.hotline.wait_phase(talk.channel, "held")
    talk.hotline.beat(age_s=3600)
    since = talk.line.heard_s()
    talk.hotline.wait_phase(talk.channel, "room", timeout=25)
    talk.line.wait_hears(880, since=since, timeout=8)
    talk.agent.wait_hears(440)
    talk.line.hang_up()
    talk.agent.wait_idle()


def test_from_the_room_back_to_the_queue_and_to_another_agent(talk: Talking, phone: PhoneMaker) -> None:
    other = phone("1002", tone_hz=950)
    talk.hold()
    talk.hotline.wait_phase(talk.channel, "held")
    talk.resume()
    talk.line.wait_hears(880, since=talk.line.heard_s())
    talk.hotline.redirect(talk.channel, "acd-hold")
    again = talk.event("AcdJoin", Attempt="2")
    assert again["Joined"] == talk.joined
    talk.hotline.offer(talk.channel, "1002", offer_id="o2")
    talk.line.wait_hears(950, since=talk.line.heard_s())
    other.wait_hears(440)
    talk.line.wait(1)
    assert talk.variable("HOTLINE_AGENT") == "1002"
    other.hang_up()
    talk.line.wait_ended()
    said, heard = talk.hotline.legs(talk.call, 3)
    assert audio.tone_seconds(said, 440) > 0.7
    assert audio.tone_seconds(heard, 950) > 0.7
    talk.agent.hang_up()
    talk.hotline.wait_no_channels()
