"""Which callers a surge announcement was enough for: what the voice menu notes, and what is told from it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from agi_scripts.services import Announcement
from app.announcements.hearing import Heard, Hearing, hearings, parse
from app.announcements.model import SHIPPED_VOICES, Voice, faults, said_in
from tests.unit.agi_fake_asterisk import HANG_UP, write_tone
from tests.unit.agi_world import World, speaking_home

BEGAN = 1_795_680_000_000
LONG, SECOND = 8_000, 13_000
ALL = {"answered": "person", "abandoned": "person", "voicemail": "person", "callback": "person", "failsafe": "person",
       "transferred": "person", "fax": "alone", "failed": "early"}  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return speaking_home(tmp_path_factory.mktemp("home"))


@pytest.fixture
def world(home: Path, tmp_path: Path) -> World:
    world = World(home, tmp_path / "spool")
    for name, seconds in (("burst", 0.5), ("metro", 1.0)):
        write_tone(tmp_path / f"{name}.wav", seconds)
    both = [Announcement("12", file=tmp_path / "burst.wav"), Announcement("7", file=tmp_path / "metro.wav")]
    world.services.announced["zh"] = both
    return world


def told(world: World, *moves: str) -> str:
    return world.call("voice_menu", *moves).variables.get("HOTLINE_NEWS", "")


def after(reached_ms: int, outcome: str = "self_service", cause: str = "16", left_ms: int | None = None) -> str:
    """What a caller of one announcement of eight seconds did, who was there for so long."""
    heard = Heard({12: LONG}, BEGAN, None if left_ms is None else BEGAN + left_ms)
    return hearings(heard, BEGAN + reached_ms, outcome, cause)[12].after.value


# -- the rule --------------------------------------------------------------------------------------------------------


def test_who_heard_it_out_and_hung_up_in_the_menu_is_satisfied_and_nobody_else() -> None:
    assert after(LONG + 4_000) == "satisfied"
    assert after(LONG - 400) == "satisfied", "its last half second is a pause"
    assert after(LONG + 4_000, cause="0") == "satisfied", "a BYE that gives no reason"
    for early in (0, 300, 999, 4_000, LONG - 600):
        assert after(early) == "early"
    assert after(LONG + 4_000, cause="44") == "early", "the line broke"
    assert after(LONG + 9_000, left_ms=LONG + 2_000) == "alone", "went on by a key, and hung up elsewhere"
    assert after(LONG + 9_000, left_ms=1_000) == "alone"
    for outcome, instead in ALL.items():
        assert after(LONG + 60_000, outcome) == instead


def test_a_very_short_announcement_satisfies_nobody_who_hangs_up_at_once() -> None:
    heard = Heard({1: 600}, BEGAN)
    assert hearings(heard, BEGAN + 900, "self_service", "16")[1] == Hearing(False, "early")
    assert hearings(heard, BEGAN + 2_100, "self_service", "16")[1] == Hearing(True, "satisfied")


def test_of_two_announcements_the_last_one_heard_out_counts_and_the_caller_once() -> None:
    both = Heard({12: LONG, 7: SECOND}, BEGAN)
    found = {at: hearings(both, BEGAN + at, "self_service", "16") for at in (2_000, 9_000, 14_000)}
    assert [{one: hearing.after.value for one, hearing in found[at].items()} for at in found] == [
        {0: "early", 12: "early", 7: "early"},
        {0: "satisfied", 12: "satisfied", 7: "early"},
        {0: "satisfied", 12: "alone", 7: "satisfied"},
    ]
    assert {one: hearing.whole for one, hearing in found[9_000].items()} == {0: True, 12: True, 7: False}


@pytest.mark.parametrize(
    "text",
    ["", "12:8000", "12:8000>17", "x:1>1795680000000", "12:8000>1795680000000>", "12:8000>1795680000000>1>2",
     "12:8000." * 9 + "1:1>1795680000000", "12:99999999999>1795680000000", "\n12:8000>1795680000000"],
)  # fmt: skip
def test_what_is_no_note_of_ours_is_nothing(text: str) -> None:
    assert parse(text) is None


# -- what the voice menu notes ---------------------------------------------------------------------------------------


def test_the_menu_notes_what_is_played_from_when_and_when_the_caller_went_on(world: World) -> None:
    before = time.time_ns() // 1_000_000
    heard = parse(told(world, "1", HANG_UP))
    assert heard is not None
    assert heard.ends_ms == {12: 500, 7: 1_620}
    assert heard.left_ms is None
    assert before <= heard.began_ms <= time.time_ns() // 1_000_000
    went_on = parse(told(world, "1", "0"))
    assert went_on is not None
    assert went_on.left_ms is not None
    assert went_on.left_ms >= went_on.began_ms
    silent = parse(told(world, "1", ""))
    assert silent is not None
    assert silent.left_ms is not None, "who says nothing waits for a person"


def test_who_typed_ahead_has_heard_nothing_and_a_second_hearing_is_not_noted(world: World) -> None:
    ahead = parse(told(world, "10"))
    assert ahead is not None
    assert hearings(ahead, ahead.began_ms + 60_000, "answered", "16") == {}
    asterisk = world.call("voice_menu", "1", "4", "8", "6", "1", "8", "0")
    assert [names for names in asterisk.set_together if "HOTLINE_NEWS" in names] == [["HOTLINE_NEWS"]] * 2


def test_without_announcements_nothing_more_is_asked_of_asterisk(world: World) -> None:
    world.services.announced.clear()
    asterisk = world.call("voice_menu", "1", "0")
    assert [command[0] for command in asterisk.commands] == ["GET DATA", "GET DATA", "EXEC"]


# -- languages -------------------------------------------------------------------------------------------------------


def test_each_language_of_the_menu_hears_its_own_text_one_that_it_reads_or_nothing() -> None:
    voices = (*SHIPPED_VOICES, Voice("za", speaks=False), Voice("qaa", reads=("en", "zh")))
    texts = {"zh": "停水", "en": "No water", "za": "…"}
    assert [said_in(texts, voice) for voice in voices] == ["停水", "停水", "No water", "", "No water"]
    assert said_in({"zh": "停水"}, voices[2]) == ""


def test_a_text_may_be_in_any_language_of_the_menu_that_has_a_voice() -> None:
    from datetime import UTC, datetime, timedelta

    now = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
    voices = (*SHIPPED_VOICES, Voice("qaa"), Voice("za", speaks=False))
    times = (now, now + timedelta(hours=1), now)
    assert faults({"zh": "x", "qaa": "y"}, *times, voices) == {}
    assert set(faults({"zh": "x", "za": "y"}, *times, voices)) == {"texts"}
    assert set(faults({"zh": "x", "qaa": "y"}, *times)) == {"texts"}
