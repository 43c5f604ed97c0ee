"""The voice menu on real calls: what the caller hears is compared, as sound, with what should have been said."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import pytest

from agi_scripts.services import Announcement, CaseProgress
from app.actor import SYSTEM
from app.db import Database
from app.flows import service
from app.flows.file import lay_down
from app.migrations.run import upgrade
from ivr.flow import SHIPPED
from tests.calls.voice_world import Voice, build_real_prompts, wait_heard, was_heard
from tests.peers import audio
from tests.peers.fixtures import Exchange
from tests.peers.hotline import AsteriskUnderTest
from tests.peers.network import Line, PublicNetwork
from tests.peers.waiting import wait_until

T = TypeVar("T")
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


@pytest.fixture
def voice(asterisk_under_test: AsteriskUnderTest) -> Iterator[Voice]:
    with Voice(asterisk_under_test.settings).running() as voice:
        yield voice


def called(hotline: AsteriskUnderTest, network: PublicNetwork, number: str = CITIZEN) -> tuple[Line, dict[str, str]]:
    """An answered call and its HotlineStart event."""
    since = hotline.manager.mark()
    line = network.call(number).wait_answered()
    return line, hotline.wait_call(number, since)


def at_once(what: Callable[..., T], *each: Sequence[object]) -> list[T]:
    """What `what` returns for every citizen, who all call at the same time: (number, one of each of `each`)."""
    numbers = [f"1380013800{index}" for index in range(len(each[0]))]
    with ThreadPoolExecutor(len(numbers)) as citizens:
        return list(citizens.map(what, numbers, *each))


def menu_end(hotline: AsteriskUnderTest, start: dict[str, str], timeout: float = 40) -> dict[str, str]:
    return hotline.manager.wait_event("HotlineMenuEnd", timeout, Call=start["Call"])


def test_a_caller_hears_greeting_notice_and_language_choice_and_silence_reaches_a_person(
    asterisk_under_test: AsteriskUnderTest, public_network: PublicNetwork, voice: Voice
) -> None:
    line, start = called(asterisk_under_test, public_network)
    end = menu_end(asterisk_under_test, start)
    assert (end["Next"], end["Language"], end["Done"]) == ("queue", "zh", "1")
    join = asterisk_under_test.manager.wait_event("AcdJoin", 5, Call=start["Call"])
    assert join["Number"] == CITIZEN
    at = [wait_heard(line.heard, voice.prompt("zh", name), timeout=15) for name in
          ("greeting", "recording_notice", "choose_language", "to_a_person")]  # fmt: skip
    assert at == sorted(at)
    assert at[0] < 2.0, "greeted at once"


def test_a_key_cuts_the_greeting_short_and_the_menu_follows_in_that_language(
    asterisk_under_test: AsteriskUnderTest, public_network: PublicNetwork, voice: Voice
) -> None:
    def choice(number: str, key: str, language: str) -> tuple[str, str]:
        """The language and the skills in which the caller who pressed `key` reaches the queue."""
        line, start = called(asterisk_under_test, public_network, number)
        line.wait(1.0)
        pressed_at = line.heard_s()
        line.press(key)
        began = wait_heard(line.heard, voice.prompt(language, "main_menu"), timeout=40)
        assert began - pressed_at < 1.5, f"barge-in by key {key}"
        assert not was_heard(line.heard, voice.prompt("en", "choose_language"))
        line.press("0")
        spoken = menu_end(asterisk_under_test, start)["Language"]
        return spoken, asterisk_under_test.manager.wait_event("AcdJoin", 5, Call=start["Call"])["Skills"]

    assert at_once(choice, "123", ("zh", "yue", "en")) == [("zh", ""), ("yue", "yue:1"), ("en", "en:1")]


def test_a_menu_that_is_published_is_heard_by_the_next_call_and_disturbs_none_on_its_way(
    asterisk_under_test: AsteriskUnderTest, public_network: PublicNetwork, voice: Voice
) -> None:
    settings = voice.settings
    upgrade(settings.url)
    db = Database(settings.url)
    text = SHIPPED.read_text(encoding="utf-8")
    other = text.replace("say: [main_menu]", "say: [topics_menu]")
    before, began = called(asterisk_under_test, public_network)
    wait_heard(before.heard, voice.prompt("zh", "greeting"))
    service.publish(db, SYSTEM, settings.home, 0, other, "先问要哪一类")
    lay_down(db, settings)
    try:
        before.press("1")
        after, _ = called(asterisk_under_test, public_network, "13800138001")
        wait_heard(after.heard, voice.prompt("zh", "greeting"))
        after.press("1")
        wait_heard(before.heard, voice.prompt("zh", "main_menu"))
        wait_heard(after.heard, voice.prompt("zh", "topics_menu"))
        assert not was_heard(after.heard, voice.prompt("zh", "main_menu"))
        assert not was_heard(before.heard, voice.prompt("zh", "topics_menu"))
        before.press("0")
        assert menu_end(asterisk_under_test, began)["Path"] == "welcome>announcements>main>queue"
    finally:
        service.restore(db, SYSTEM, settings.home, 1, 0)
        lay_down(db, settings)
        db.dispose()


def test_keys_pressed_quickly_one_after_the_other_are_all_used(
    asterisk_under_test: AsteriskUnderTest, public_network: PublicNetwork, voice: Voice
) -> None:
    line, start = called(asterisk_under_test, public_network)
    line.press("9120")
    began = wait_heard(line.heard, voice.prompt("zh", "emergency_confirm_120"))
    assert began < 4
    line.press("0")
    end = menu_end(asterisk_under_test, start)
    assert end["Path"] == "welcome>emergency>confirm_120>unclear_person"
    join = asterisk_under_test.manager.wait_event("AcdJoin", 10, Call=start["Call"])
    assert join["Priority"] == "100"
    assert asterisk_under_test.manager.variable(start["Channel"], "HOTLINE_WARN") == "1"


def test_an_emergency_is_put_through(
    asterisk_under_test: AsteriskUnderTest, public_network: PublicNetwork, voice: Voice
) -> None:
    public_network.answers("110", then=lambda police: police.tone(880))
    line, start = called(asterisk_under_test, public_network)
    line.press("9110")
    wait_heard(line.heard, voice.prompt("zh", "emergency_confirm_110"))
    line.press("1")
    assert menu_end(asterisk_under_test, start)["Next"] == "transfer"
    line.wait_hears(880)


def test_a_surge_announcement_is_heard_before_the_menu(
    asterisk_under_test: AsteriskUnderTest, public_network: PublicNetwork, voice: Voice
) -> None:
    text = "城南水管爆裂，抢修人员已经到场。"
    voice.services.announced["zh"] = [Announcement("burst", text=text)]
    line, _ = called(asterisk_under_test, public_network)
    line.press("1")
    menu_at = wait_heard(line.heard, voice.prompt("zh", "main_menu"), timeout=45)
    from ivr.prompts import speak_text

    spoken = speak_text(text, "zh", voice.services.setup.prompts)
    assert wait_heard(line.heard, spoken, timeout=2) < menu_at


def test_progress_of_ones_own_case_is_told(
    asterisk_under_test: AsteriskUnderTest, public_network: PublicNetwork, voice: Voice
) -> None:
    number = "20261124-000123"
    voice.services.cases[number, CITIZEN] = CaseProgress(number, "handling", datetime(2026, 11, 23, 1, 30, tzinfo=UTC))
    line, start = called(asterisk_under_test, public_network)
    line.press("12")
    line.press("20261124000123#")
    state_at = wait_heard(line.heard, voice.prompt("zh", "state_handling"), timeout=30)
    assert wait_heard(line.heard, voice.prompt("zh", "case_is"), timeout=2) < state_at
    wait_heard(line.heard, voice.prompt("zh", "day_23"))
    line.press("0")
    assert menu_end(asterisk_under_test, start)["Path"].endswith("case_progress>case_told>queue")


def test_an_elderly_caller_meets_no_menu(
    asterisk_under_test: AsteriskUnderTest, public_network: PublicNetwork, voice: Voice
) -> None:
    voice.services.flags[CITIZEN] = frozenset({"elderly"})
    line, start = called(asterisk_under_test, public_network)
    join = asterisk_under_test.manager.wait_event("AcdJoin", 15, Call=start["Call"])
    assert join["Priority"] == "10"
    wait_heard(line.heard, voice.prompt("zh", "elderly_greeting"), timeout=2)


def test_outside_the_hours_a_call_back_can_be_asked_for(
    asterisk_under_test: AsteriskUnderTest, public_network: PublicNetwork, voice: Voice
) -> None:
    voice.services.open = False
    line, start = called(asterisk_under_test, public_network)
    line.press("1")
    wait_heard(line.heard, voice.prompt("zh", "closed_notice"), timeout=30)
    line.press("3")
    wait_heard(line.heard, voice.prompt("zh", "callback_confirm"), timeout=30)
    line.press("1")
    wait_heard(line.heard, voice.prompt("zh", "callback_registered"))
    assert line.wait_ended() == 16
    assert voice.services.callbacks == [(start["Call"], CITIZEN, "zh")]


@pytest.mark.parametrize(
    ("open_", "keys"),
    [(True, ("", "1", "12", "12w20261124000123#", "9", "911", "9110")), (False, ("1", "13"))],
)
def test_hanging_up_at_any_question_leaves_nothing_behind(
    asterisk_under_test: AsteriskUnderTest,
    public_network: PublicNetwork,
    voice: Voice,
    open_: bool,
    keys: tuple[str, ...],
) -> None:
    voice.services.open = open_

    def phase_when_hung_up(number: str, pressed: str) -> str:
        line, start = called(asterisk_under_test, public_network, number)
        if pressed:
            line.press(pressed)
        line.wait(0.3)
        line.hang_up()
        return asterisk_under_test.manager.wait_event("HotlineEnd", 10, Call=start["Call"])["Phase"]

    assert at_once(phase_when_hung_up, keys) == ["menu"] * len(keys)
    wait_until(lambda: voice.server.running == 0, 5, "no script runs any more")
    assert not voice.services.callbacks


def test_a_caller_beyond_the_cap_is_served_by_the_failsafe_at_once(
    asterisk_under_test: AsteriskUnderTest, public_network: PublicNetwork
) -> None:
    with Voice(asterisk_under_test.settings, max_calls=0).running():
        started = time.monotonic()
        _, start = called(asterisk_under_test, public_network)
        failsafe = asterisk_under_test.manager.wait_event("HotlineFailsafe", 10, Call=start["Call"])
        assert failsafe["Cause"] == "overload"
        assert time.monotonic() - started < 5


def test_a_rating_after_the_talk_is_reported(
    asterisk_under_test: AsteriskUnderTest, public_network: PublicNetwork, voice: Voice
) -> None:
    line, start = called(asterisk_under_test, public_network)
    asterisk_under_test.manager.wait_event("HotlineStart", 5, Call=start["Call"])
    line.press("0")
    asterisk_under_test.manager.wait_event("AcdJoin", 15, Call=start["Call"])
    asterisk_under_test.redirect(start["Channel"], "hotline-survey")
    wait_heard(line.heard, voice.prompt("zh", "survey_ask"))
    line.press("2")
    assert asterisk_under_test.manager.wait_event("HotlineRating", 10, Call=start["Call"])["Rating"] == "2"
    wait_heard(line.heard, voice.prompt("zh", "survey_thanks"))
    assert line.wait_ended() == 16


def test_what_is_compared_as_sound_tells_prompts_apart(voice: Voice, tmp_path: Path) -> None:
    """The comparison itself: the same sentence is found after telephone coding, another one is not."""
    rough = audio.read(voice.prompt("zh", "greeting"))
    rough = (rough * 60).round() / 60
    audio.write_samples(tmp_path / "heard.wav", rough)
    assert was_heard(tmp_path / "heard.wav", voice.prompt("zh", "greeting"))
    assert not was_heard(tmp_path / "heard.wav", voice.prompt("zh", "goodbye"))
    assert not was_heard(tmp_path / "heard.wav", voice.prompt("yue", "greeting"))
