"""Leaving a message on a real call: the file holds what was said, and the caller hears the number of the case."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agi_scripts.voicemail import FIRST_LOOK_S
from asterisk_conf.instance import VOICEMAIL_FIRST_LOOK_S
from ivr import audio as telephone_audio
from ivr import spoken
from tests.calls.voice_world import Voice, build_real_prompts, wait_heard, was_heard
from tests.peers import audio
from tests.peers.fixtures import Exchange
from tests.peers.hotline import AsteriskUnderTest
from tests.peers.network import Line, PublicNetwork
from tests.peers.raw_sip import RawCaller
from tests.peers.waiting import wait_until

CITIZEN = "13800138000"


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    pair = Exchange(tmp_path_factory.mktemp("x"))
    build_real_prompts(pair.hotline.settings.home)
    try:
        pair.start()
        yield pair
    finally:
        pair.stop()


class Caller:
    """A citizen who has reached the voicemail after hours, with the tone heard."""

    def __init__(self, hotline: AsteriskUnderTest, network: PublicNetwork, voice: Voice) -> None:
        voice.services.open = False
        self.hotline, self.voice = hotline, voice
        since = len(hotline.manager.events)
        self.line: Line = network.call(CITIZEN).wait_answered()
        self.call: str = hotline.wait_call(CITIZEN, since)["Call"]
        self.line.press("11")
        self.heard_at = 0.0
        self.wait_beep()

    @property
    def spool(self) -> Path:
        return self.hotline.settings.paths.voicemail_spool

    @property
    def sound(self) -> Path:
        return self.spool / f"{self.call}.wav"

    def sidecar(self) -> dict[str, Any]:
        return self.hotline.sidecar(self.spool, self.call)

    def wait(self, prompt: str, timeout: float = 20) -> None:
        self.heard_at = wait_heard(self.line.heard, self.voice.prompt("zh", prompt), self.heard_at, timeout)

    def wait_beep(self) -> None:
        self.wait("beep")
        wait_until(self.sound.exists, 5, "the recording has begun")

    def speak(self, hz: int = 440, seconds: float = 3) -> None:
        self.line.tone(hz)
        self.line.wait(seconds)
        self.line.quiet()


def redirect(hotline: AsteriskUnderTest, channel: str, context: str, extension: str = "s") -> None:
    """Sends the caller there, once Asterisk has answered."""
    wait_until(lambda: hotline.manager.variable(channel, "CHANNEL(state)") == "Up", 5, "answered")
    hotline.manager.action("Redirect", Channel=channel, Context=context, Exten=extension, Priority="1")


def silent_caller(
    hotline: AsteriskUnderTest, number: str, context: str, extension: str = "s"
) -> tuple[RawCaller, dict[str, str]]:
    """A caller whose line never sends a frame of sound, in that context; and their HotlineStart event."""
    since = hotline.manager.mark()
    caller = RawCaller(
        hotline.settings.sip_host, hotline.settings.sip_port, "12345", f"<sip:{number}@city.example>".encode()
    )
    assert caller.call() == 200
    start = hotline.wait_call(number, since)
    redirect(hotline, start["Channel"], context, extension)
    return caller, start


@pytest.fixture
def voice(asterisk_under_test: AsteriskUnderTest) -> Iterator[Voice]:
    with Voice(asterisk_under_test.settings).running() as voice:
        yield voice


@pytest.fixture
def caller(asterisk_under_test: AsteriskUnderTest, public_network: PublicNetwork, voice: Voice) -> Caller:
    return Caller(asterisk_under_test, public_network, voice)


def test_a_message_holds_what_was_said_and_the_caller_hears_the_case_number(caller: Caller, tmp_path: Path) -> None:
    caller.speak(440)
    caller.line.press("#")
    caller.wait("voicemail_review")
    caller.line.press("1")
    caller.wait("voicemail_case_number", 30)
    number = caller.voice.services._numbers[caller.call]
    digits = [caller.voice.prompt("zh", prompt) for prompt in spoken.case_number(number)]
    telephone_audio.write(tmp_path / "number.wav", telephone_audio.join(digits))
    wait_heard(caller.line.heard, tmp_path / "number.wav", timeout=25)
    assert caller.sidecar()["status"] == "complete"
    assert audio.tone_seconds(caller.sound, 440) > 2
    assert audio.tone_level(caller.sound, 440) > -30
    event = caller.hotline.manager.wait_event("HotlineVoicemail", 5, Call=caller.call)
    assert event["Status"] == "complete"
    assert caller.line.wait_ended(30) == 16


def test_a_message_can_be_heard_and_recorded_anew(caller: Caller) -> None:
    caller.speak(440)
    caller.line.press("#")
    caller.wait("voicemail_review")
    caller.line.press("2")
    caller.line.wait_hears(440, since=caller.heard_at)
    caller.wait("voicemail_review")
    caller.line.press("3")
    caller.wait_beep()
    caller.speak(880, 2)
    caller.line.press("#")
    caller.wait("voicemail_review")
    caller.line.press("1")
    assert caller.sidecar()["status"] == "complete"
    assert audio.tone_seconds(caller.sound, 880) > 1
    assert not audio.has_tone(caller.sound, 440)


def test_hanging_up_in_the_middle_of_speaking_keeps_what_was_said(caller: Caller) -> None:
    caller.speak(440, 2)
    caller.line.hang_up()
    sidecar = caller.sidecar()
    assert sidecar["status"] == "hangup"
    assert sidecar["duration"] >= 1
    assert audio.tone_seconds(caller.sound, 440) > 1
    wait_until(lambda: caller.voice.services.voicemails, 5, "the message was taken in")


def test_hanging_up_while_asked_keeps_the_message(caller: Caller) -> None:
    caller.speak()
    caller.line.press("#")
    caller.wait("voicemail_review")
    caller.line.hang_up()
    assert caller.sidecar()["status"] == "complete"
    wait_until(lambda: caller.voice.services.voicemails, 5, "the message was taken in")


def test_silence_ends_a_recording_and_is_told(caller: Caller, tmp_path: Path) -> None:
    quiet = audio.write_silence(tmp_path / "quiet.wav", 30)
    caller.line.do(lambda channel: channel.exec("Playback", str(quiet.with_suffix(""))), timeout=None)
    caller.wait("voicemail_empty", 30)
    caller.line.hang_up()
    assert caller.sidecar()["status"] in ("silent", "empty")


def test_a_long_message_is_one_sound_without_a_gap(caller: Caller) -> None:
    caller.speak(440, FIRST_LOOK_S + 5)
    caller.line.press("#")
    caller.wait("voicemail_review", 30)
    caller.line.press("1")
    assert caller.sidecar()["status"] == "complete"
    steps = audio.tone_times(caller.sound, 440)
    assert len(steps) * 0.2 > FIRST_LOOK_S + 3
    assert steps[-1] - steps[0] == pytest.approx((len(steps) - 1) * 0.2), "no step without the tone in between"


def test_a_line_that_sends_no_sound_ends_soon_and_a_caller_who_waits_on_such_a_line_is_left_alone(
    asterisk_under_test: AsteriskUnderTest, public_network: PublicNetwork, voice: Voice
) -> None:
    hotline = asterisk_under_test
    waiting, waits = silent_caller(hotline, "13811110001", "acd-hold")
    leaving, leaves = silent_caller(hotline, "13811110002", "hotline-voicemail")
    ended = hotline.manager.wait_event("HotlineEnd", 90, Call=leaves["Call"])
    assert ended["Cause"] == "16", "said goodbye to, not cut"
    assert hotline.sidecar(hotline.settings.paths.voicemail_spool, leaves["Call"])["status"] == "empty"
    assert hotline.manager.variable(waits["Channel"], "HOTLINE_PHASE") == "hold"
    for one in (waiting, leaving):
        one.hang_up()


def test_without_the_backend_a_long_message_is_one_sound_without_a_gap_and_a_line_without_sound_ends_unthanked(
    asterisk_under_test: AsteriskUnderTest, public_network: PublicNetwork
) -> None:
    hotline = asterisk_under_test
    leaving, leaves = silent_caller(hotline, "13811110003", "hotline-voicemail", "record")
    since = hotline.manager.mark()
    line = public_network.call(CITIZEN).wait_answered()
    start = hotline.wait_call(CITIZEN, since)
    redirect(hotline, start["Channel"], "hotline-voicemail", "record")
    sound = hotline.settings.paths.voicemail_spool / f"{start['Call']}.wav"
    wait_until(sound.exists, 20, "the recording has begun")
    line.tone(440)
    line.wait(VOICEMAIL_FIRST_LOOK_S + 6)
    line.press("#")
    assert hotline.sidecar(sound.parent, start["Call"])["status"] == "complete"
    steps = audio.tone_times(sound, 440)
    assert len(steps) * 0.2 > VOICEMAIL_FIRST_LOOK_S + 2
    assert steps[-1] - steps[0] == pytest.approx((len(steps) - 1) * 0.2), "no step without the tone in between"

    left = hotline.manager.wait_event("HotlineVoicemail", 20, Call=leaves["Call"])
    assert (left["Status"], left["Duration"]) == ("complete", "0")
    hotline.manager.wait_event("HotlineEnd", 30, Call=leaves["Call"])
    leaving.hang_up()


def test_while_the_domain_is_stuck_the_message_is_kept_and_the_caller_told_so(caller: Caller) -> None:
    free = threading.Event()
    caller.voice.services.before = lambda name: free.wait(30) and None
    caller.speak()
    caller.line.press("#")
    caller.wait("voicemail_review")
    caller.line.press("1")
    caller.wait("voicemail_will_handle", 30)
    assert json.loads((caller.spool / f"{caller.call}.json").read_text())["status"] == "complete"
    assert not was_heard(caller.line.heard, caller.voice.prompt("zh", "voicemail_case_number"))
    free.set()


def test_when_the_disk_takes_nothing_the_caller_is_not_told_that_it_is_kept(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller.speak()

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    caller.line.press("#")
    caller.wait("voicemail_review")
    caller.line.press("1")
    caller.wait("voicemail_failed", 30)
    assert not was_heard(caller.line.heard, caller.voice.prompt("zh", "voicemail_will_handle"))
    assert not caller.voice.services.voicemails
