"""The backend is dead, dies, freezes or is full: the caller hears an apology and then a person or the voicemail."""

from __future__ import annotations

import pytest

from tests.peers import audio
from tests.peers.agi import AgiChannel, dies_after, ends_with
from tests.peers.hotline import AsteriskUnderTest
from tests.peers.network import PublicNetwork
from tests.peers.prompts import MUSIC_HZ, PROMPT_HZ

CITIZEN = "13800138000"


def test_an_unreachable_backend_ends_in_a_voicemail_with_what_was_said(
    asterisk_under_test: AsteriskUnderTest, public_network: PublicNetwork
) -> None:
    hotline, mark = asterisk_under_test, asterisk_under_test.manager.mark()
    citizen = public_network.call(CITIZEN).wait_answered()
    call = hotline.wait_call(CITIZEN, mark)["Call"]
    citizen.wait_hears(PROMPT_HZ["apology"])
    citizen.wait_hears(PROMPT_HZ["all_busy_voicemail"])
    citizen.wait_hears(PROMPT_HZ["record_after_tone"])
    hotline.manager.wait_event("HotlineFailsafe", after=mark, Call=call, Cause="agi-failed", From="menu")
    citizen.tone(440)
    citizen.wait(3)
    citizen.press("#")
    citizen.wait_hears(PROMPT_HZ["thanks_goodbye"])
    assert citizen.wait_ended() == 16

    spool = hotline.settings.paths.voicemail_spool
    note = hotline.sidecar(spool, call)
    assert note["kind"] == "voicemail"
    assert (note["call"], note["number"], note["line"], note["status"]) == (call, CITIZEN, "12345", "complete")
    sound = spool / f"{call}.wav"
    assert audio.tone_seconds(sound, 440) >= 2
    assert abs(note["duration"] - audio.duration(sound)) <= 1
    hotline.manager.wait_event("HotlineVoicemail", after=mark, Call=call, Status="complete", File=str(sound))
    hotline.manager.wait_event("HotlineEnd", after=mark, Call=call, Phase="voicemail", Number=CITIZEN)


def test_who_hangs_up_in_the_middle_of_a_voicemail_has_left_one(
    asterisk_under_test: AsteriskUnderTest, public_network: PublicNetwork
) -> None:
    hotline, mark = asterisk_under_test, asterisk_under_test.manager.mark()
    citizen = public_network.call(CITIZEN).wait_answered()
    call = hotline.wait_call(CITIZEN, mark)["Call"]
    citizen.wait_hears(PROMPT_HZ["record_after_tone"])
    citizen.tone(440)
    citizen.wait(2)
    citizen.hang_up()
    spool = hotline.settings.paths.voicemail_spool
    assert hotline.sidecar(spool, call)["status"] == "hangup"
    assert audio.tone_seconds(spool / f"{call}.wav", 440) >= 1
    names = [event["UserEvent"] for event in hotline.manager.user_events(call)]
    hotline.wait_no_channels()
    names = [event["UserEvent"] for event in hotline.manager.user_events(call)]
    assert names[-2:] == ["HotlineVoicemail", "HotlineEnd"]


def test_a_backend_that_dies_in_the_middle_of_the_menu_is_noticed_although_asterisk_calls_it_success(
    asterisk_under_test: AsteriskUnderTest, public_network: PublicNetwork
) -> None:
    hotline, mark = asterisk_under_test, asterisk_under_test.manager.mark()
    prompt = hotline.settings.paths.prompts / "zh" / "recording_notice"
    hotline.backend.scripts["voice_menu"] = dies_after(str(prompt))
    hotline.backend.start()
    citizen = public_network.call(CITIZEN).wait_answered()
    citizen.wait_hears(PROMPT_HZ["recording_notice"])
    citizen.wait_hears(PROMPT_HZ["apology"])
    hotline.manager.wait_event("HotlineFailsafe", after=mark, Cause="agi-died", From="menu")
    citizen.wait_hears(PROMPT_HZ["record_after_tone"])
    citizen.hang_up()


def test_callers_of_a_frozen_backend_hear_the_apology_as_soon_as_it_is_killed(
    asterisk_under_test: AsteriskUnderTest, public_network: PublicNetwork
) -> None:
    hotline, mark = asterisk_under_test, asterisk_under_test.manager.mark()
    hotline.backend.scripts["voice_menu"] = hotline.backend.silent
    hotline.backend.start()
    citizen = public_network.call(CITIZEN).wait_answered()
    hotline.wait_call(CITIZEN, mark)
    citizen.wait(1)
    assert not citizen.hears(PROMPT_HZ["apology"])
    hotline.backend.stop()
    citizen.wait_hears(PROMPT_HZ["apology"], timeout=3)
    hotline.manager.wait_event("HotlineFailsafe", after=mark, Cause="agi-died")
    citizen.hang_up()


def test_who_hangs_up_on_a_frozen_backend_leaves_no_channel(
    asterisk_under_test: AsteriskUnderTest, public_network: PublicNetwork
) -> None:
    hotline, mark = asterisk_under_test, asterisk_under_test.manager.mark()
    hotline.backend.scripts["voice_menu"] = hotline.backend.silent
    hotline.backend.start()
    citizen = public_network.call(CITIZEN).wait_answered()
    call = hotline.wait_call(CITIZEN, mark)["Call"]
    citizen.hang_up()
    hotline.manager.wait_event("HotlineEnd", after=mark, Call=call, Phase="menu")
    hotline.wait_no_channels()


def test_a_full_backend_says_so_and_its_callers_are_taken_care_of(
    asterisk_under_test: AsteriskUnderTest, public_network: PublicNetwork
) -> None:
    hotline, mark = asterisk_under_test, asterisk_under_test.manager.mark()

    def full(channel: AgiChannel) -> None:
        channel.set("HOTLINE_REFUSED", "overload")

    hotline.backend.scripts["voice_menu"] = full
    hotline.backend.start()
    citizen = public_network.call(CITIZEN).wait_answered()
    hotline.manager.wait_event("HotlineFailsafe", after=mark, Cause="overload")
    citizen.wait_hears(PROMPT_HZ["apology"])
    citizen.hang_up()


@pytest.mark.parametrize("outcome", ["", "sideways", "que ue"])
def test_an_outcome_that_nobody_knows_ends_with_a_person_or_the_voicemail(
    asterisk_under_test: AsteriskUnderTest, public_network: PublicNetwork, outcome: str
) -> None:
    hotline = asterisk_under_test
    hotline.backend.scripts["voice_menu"] = ends_with(NEXT=outcome)
    hotline.backend.start()
    citizen = public_network.call(CITIZEN).wait_answered()
    if outcome == "que ue":
        citizen.wait_hears(MUSIC_HZ)
    else:
        citizen.wait_hears(PROMPT_HZ["apology"])
    citizen.hang_up()


def test_a_voicemail_script_that_dies_is_replaced_by_the_dialplans_own(
    asterisk_under_test: AsteriskUnderTest, public_network: PublicNetwork
) -> None:
    hotline, mark = asterisk_under_test, asterisk_under_test.manager.mark()
    hotline.backend.scripts["voice_menu"] = ends_with(NEXT="voicemail")
    hotline.backend.start()
    citizen = public_network.call(CITIZEN).wait_answered()
    call = hotline.wait_call(CITIZEN, mark)["Call"]
    citizen.wait_hears(PROMPT_HZ["record_after_tone"])
    assert hotline.backend.visits == ["voice_menu", "voicemail"]
    citizen.tone(440)
    citizen.wait(1.5)
    citizen.hang_up()
    assert hotline.sidecar(hotline.settings.paths.voicemail_spool, call)["kind"] == "voicemail"


def test_a_voicemail_that_cannot_be_written_is_not_thanked_for(
    asterisk_under_test: AsteriskUnderTest, public_network: PublicNetwork
) -> None:
    hotline, mark = asterisk_under_test, asterisk_under_test.manager.mark()
    spool = hotline.settings.paths.voicemail_spool
    aside = spool.with_name("elsewhere")
    spool.rename(aside)
    spool.write_text("")  # a file where the folder should be: nothing can be written below it
    try:
        citizen = public_network.call(CITIZEN).wait_answered()
        call = hotline.wait_call(CITIZEN, mark)["Call"]
        citizen.wait_hears(PROMPT_HZ["record_after_tone"])
        since = citizen.heard_s()
        citizen.wait_hears(PROMPT_HZ["apology"], since=since)
        citizen.wait_hears(PROMPT_HZ["goodbye"], since=since)
        citizen.wait_ended()
        assert not audio.tone_times(citizen.heard, PROMPT_HZ["thanks_goodbye"])
        hotline.manager.wait_event("HotlineVoicemail", after=mark, Call=call, Status="error")
    finally:
        spool.unlink()
        aside.rename(spool)
