"""The voice scripts against a scripted Asterisk: what callers hear, what is set, and what happens when they hang up."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agi_scripts import shared
from agi_scripts.callback import TRIES
from agi_scripts.errors import CommandTimeout, Hangup
from agi_scripts.guarded import AGEING_S, FRESH_S, MOST_UNANSWERED, SLOW_S, Guarded, Unanswered
from agi_scripts.memory_services import MemoryServices
from agi_scripts.safe_agi import SafeAgi
from agi_scripts.services import Announcement, CaseProgress, Standing, UnitLine, VoiceSetup
from agi_scripts.sounds import Sounds
from tests.unit.agi_fake_asterisk import CALL, HANG_UP, NUMBER, Broken, FakeAsterisk, write_tone
from tests.unit.agi_world import World, heard, speaking_home

CASE = "20261124-000123"
TYPED = "20261124000123#"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return speaking_home(tmp_path_factory.mktemp("home"))


@pytest.fixture
def world(home: Path, tmp_path: Path) -> World:
    return World(home, tmp_path / "spool")


# -- voice_menu ------------------------------------------------------------------------------------------------------


def test_a_call_takes_one_command_a_question_and_one_for_the_outcome(world: World) -> None:
    asterisk = world.call("voice_menu", "1", "0")
    assert [command[0] for command in asterisk.commands] == ["GET DATA", "GET DATA", "EXEC"]
    assert asterisk.set_together[0][-1] == "HOTLINE_DONE"
    assert asterisk.variables["HOTLINE_NEXT"] == "queue"
    assert asterisk.variables["HOTLINE_DONE"] == "1"
    assert world.raised is None


def test_keys_typed_ahead_answer_the_questions_to_come(world: World) -> None:
    asterisk = world.call("voice_menu", "22" + TYPED, "")
    assert asterisk.variables["HOTLINE_LANG"] == "yue"
    assert "case_progress" in asterisk.variables["HOTLINE_PATH"]


def test_the_outcome_reaches_the_dialplan_with_commas_and_all(world: World) -> None:
    asterisk = world.call("voice_menu", "2", "0")
    assert asterisk.variables["HOTLINE_SKILLS"] == "yue:1"
    asterisk = world.call("voice_menu", "9", "1", "1", "0", "1")
    assert asterisk.variables["HOTLINE_TRANSFER_TO"] == "110"


def test_an_elderly_caller_is_recognised_by_number(world: World) -> None:
    world.services.flags[NUMBER] = frozenset({"elderly", "language:yue"})
    asterisk = world.call("voice_menu")
    assert [command[0] for command in asterisk.commands] == ["EXEC"]
    assert asterisk.variables["HOTLINE_PRIORITY"] == "10"
    assert asterisk.variables["HOTLINE_LANG"] == "yue"


def test_the_last_sentence_is_left_to_the_dialplan(world: World) -> None:
    asterisk = world.call("voice_menu", "3", "0")
    assert asterisk.variables["HOTLINE_THEN_SAY"].endswith("/en/to_a_person")
    assert "to_a_person" not in heard(asterisk)


def test_a_sentence_whose_file_the_dialplan_would_misread_is_said_by_the_script(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agi_scripts.conversation.PLAIN_PATH", re.compile(r"never"))
    asterisk = world.call("voice_menu", "1", "0")
    assert "HOTLINE_THEN_SAY" not in asterisk.variables
    assert heard(asterisk)[-1] == "to_a_person"


def test_what_is_known_at_once_is_asked_on_the_callers_own_thread(world: World) -> None:
    world.services.flags_at_once = True
    world.services.flags[NUMBER] = frozenset({"elderly"})
    threads: list[int] = []
    world.services.before = lambda what: threads.append(threading.get_ident()) if what == "flags_for" else None
    assert world.guarded.flags_for(NUMBER) == {"elderly"}
    assert threads == [threading.get_ident()]


def test_a_look_that_took_long_is_watched_from_then_on(world: World) -> None:
    now, threads = [1000.0], []
    world.services.flags_at_once = True
    world.guarded = Guarded(world.services, lambda: now[0])

    def slow(what: str) -> None:
        threads.append(threading.get_ident())
        now[0] += SLOW_S

    world.services.before = slow
    world.guarded.flags_for(NUMBER)
    world.guarded.flags_for(NUMBER)
    now[0] += FRESH_S
    world.guarded.flags_for(NUMBER)
    here = threading.get_ident()
    assert [thread == here for thread in threads] == [True, False, True]


def test_a_look_that_fails_costs_the_caller_nothing(world: World) -> None:
    def fail(what: str) -> None:
        if what == "flags_for":
            raise RuntimeError("database is locked")

    world.services.flags_at_once = True
    world.services.before = fail
    assert world.call("voice_menu", "1", "0").variables["HOTLINE_NEXT"] == "queue"


def test_a_withheld_number_is_nobody_we_know(world: World) -> None:
    asked: list[str] = []
    world.services.before = asked.append
    world.call("voice_menu", "0", env={"agi_callerid": "unknown"})
    assert "flags_for" not in asked


def test_progress_is_told_to_the_phone_that_filed_the_case(world: World) -> None:
    world.services.cases[CASE, NUMBER] = CaseProgress(CASE, "handling", datetime(2026, 11, 23, 1, 30, tzinfo=UTC))
    asterisk = world.call("voice_menu", "1", "2", TYPED, "")
    assert asterisk.variables["HOTLINE_PATH"].endswith("case_progress>case_told>queue")
    asterisk = world.call("voice_menu", "1", "2", TYPED, "", env={"agi_callerid": "13900000000"})
    assert asterisk.variables["HOTLINE_PATH"].endswith("case_progress>case_not_found>queue")


def test_announcements_are_spoken_or_played_before_the_menu(world: World, tmp_path: Path) -> None:
    recorded = tmp_path / "burst.wav"
    write_tone(recorded, 0.1)
    world.services.announced["zh"] = [Announcement("a", file=recorded), Announcement("b", text="  ")]
    asterisk = world.call("voice_menu", "1", "0")
    assert heard(asterisk)[1] == "joined"
    world.services.announced["en"] = [Announcement("c", text="no program here can speak this")]
    asterisk = world.call("voice_menu", "3", "0")
    assert heard(asterisk)[1] == "main_menu"


@pytest.mark.parametrize("position", range(1, 6))
def test_a_caller_who_hangs_up_at_any_point_ends_the_script(world: World, position: int) -> None:
    asterisk = world.call("voice_menu", "1", "2", TYPED, "", hang_up_at=position)
    assert isinstance(world.raised, Hangup)
    assert "HOTLINE_DONE" not in asterisk.variables


def test_a_caller_who_hangs_up_instead_of_pressing_a_key_ends_the_script(world: World) -> None:
    world.call("voice_menu", "1", HANG_UP)
    assert isinstance(world.raised, Hangup)


def test_prompts_that_are_missing_cost_words_not_calls(world: World) -> None:
    asterisk = world.call("voice_menu", "1", "0", missing_sounds=("main_menu",))
    assert asterisk.variables["HOTLINE_NEXT"] == "queue"
    assert world.raised is None


def test_without_any_prompt_the_menu_still_works(tmp_path: Path) -> None:
    world = World(tmp_path / "nowhere", tmp_path / "spool")
    asterisk = world.call("voice_menu", "1", "2", "2026", "1124000123#", "")
    assert asterisk.variables["HOTLINE_DONE"] == "1"


KEYS = st.text("0123456789*#", max_size=4)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=st.lists(st.one_of(KEYS, st.just(HANG_UP)), max_size=30), open_=st.booleans(), elderly=st.booleans())
def test_whatever_callers_press_every_script_ends(world: World, moves: list[str], open_: bool, elderly: bool) -> None:
    world.services.open = open_
    world.services.flags[NUMBER] = frozenset({"elderly"} if elderly else ())
    world.guarded._remembered.clear()
    for script in ("voice_menu", "case_status", "satisfaction", "unit_transfer", "callback"):
        asterisk = world.call(script, *moves)
        if world.raised is not None:
            assert isinstance(world.raised, Hangup)
            assert HANG_UP in moves
        elif script != "callback":
            assert asterisk.variables["HOTLINE_DONE"] == "1"
        assert len(asterisk.commands) < 200


# -- a domain that is slow or broken ---------------------------------------------------------------------------------


def slow(world: World, *methods: str) -> threading.Event:
    """Makes methods of the domain hang until the returned event is set."""
    free = threading.Event()

    def before(name: str) -> None:
        if name in methods:
            free.wait(10)

    world.services.before = before
    return free


def hanging(world: World) -> tuple[threading.Event, list[str]]:
    """Makes the whole domain hang until the event is set; the list is of what it is asked."""
    asked: list[str] = []
    free = slow(world, "is_open")
    hang = world.services.before
    world.services.before = lambda name: (asked.append(name), hang(name))[1]
    return free, asked


def broken(name: str) -> None:
    raise RuntimeError(f"{name}: database is locked")


def test_a_broken_domain_costs_nobody_a_person(world: World) -> None:
    world.services.before = broken
    asterisk = world.call("voice_menu", "1", "0")
    assert asterisk.variables["HOTLINE_NEXT"] == "queue"
    assert world.raised is None


@pytest.mark.parametrize(("hour_utc", "next_"), [(2, "queue"), (15, "voicemail")])
def test_without_the_calendar_the_configured_hours_count(world: World, hour_utc: int, next_: str) -> None:
    world.services.before = broken
    world.services.at = datetime(2026, 11, 24, hour_utc, 0, tzinfo=UTC)
    asterisk = world.call("voice_menu", "1", "", "")
    assert asterisk.variables["HOTLINE_NEXT"] == next_


def test_a_case_that_is_not_found_in_time_leads_to_a_person(world: World, home: Path, tmp_path: Path) -> None:
    world = World(home, tmp_path / "spool2", deadline_s=0.2)
    free = slow(world, "case_progress")
    asterisk = world.call("voice_menu", "1", "2", TYPED)
    free.set()
    assert asterisk.variables["HOTLINE_PATH"].endswith("case_unavailable>queue")
    assert "please_wait" in heard(asterisk)


def test_keys_pressed_while_the_domain_thinks_are_kept(world: World) -> None:
    world.services.cases[CASE, NUMBER] = CaseProgress(CASE, "closed")
    free = slow(world, "case_progress")
    threading.Timer(0.15, free.set).start()
    asterisk = world.call("voice_menu", "1", "2", TYPED, "0")
    assert asterisk.variables["HOTLINE_PATH"].endswith("case_told>queue")


def test_questions_to_a_domain_that_hangs_do_not_pile_up(world: World) -> None:
    free = slow(world, "unit")
    for _ in range(MOST_UNANSWERED):
        world.guarded.start("unit", lambda: world.services.unit("1"))
    with pytest.raises(Unanswered):
        world.guarded.start("unit", lambda: world.services.unit("1"))
    free.set()


def test_what_every_call_asks_is_asked_once_in_a_while(home: Path, tmp_path: Path) -> None:
    world = World(home, tmp_path / "spool")
    now = [100.0]
    world.guarded = Guarded(world.services, lambda: now[0])
    asked: list[str] = []
    world.services.before = asked.append
    for _ in range(10):
        assert world.guarded.is_open()
    assert asked == ["is_open"]
    now[0] += 6
    world.services.open = False
    assert not world.guarded.is_open()
    world.services.before = broken
    world.services.open = True
    now[0] += 6
    assert not world.guarded.is_open(), "the last answer counts while there is no new one"


def test_an_ageing_answer_is_asked_for_anew_by_one_call_and_awaited_by_none(home: Path, tmp_path: Path) -> None:
    world = World(home, tmp_path / "spool")
    now = [100.0]
    world.guarded = Guarded(world.services, lambda: now[0])
    assert world.guarded.is_open()
    world.services.open = False
    free, asked = hanging(world)
    now[0] += AGEING_S + 0.5
    assert [world.guarded.is_open() for _ in range(20)] == [True] * 20
    free.set()
    end = time.monotonic() + 5
    while world.guarded.is_open() and time.monotonic() < end:
        time.sleep(0.001)
    assert not world.guarded.is_open()
    assert asked == ["is_open"]


def test_calls_that_find_no_fresh_answer_wait_for_the_same_one(home: Path, tmp_path: Path) -> None:
    world = World(home, tmp_path / "spool")
    free, asked = hanging(world)
    with ThreadPoolExecutor(8) as callers:
        answers = [callers.submit(world.guarded.is_open) for _ in range(8)]
        while not asked:
            time.sleep(0.001)
        free.set()
        assert all(answer.result(5) for answer in answers)
    assert asked == ["is_open"]


def test_an_answer_that_never_comes_is_not_asked_for_a_second_time(home: Path, tmp_path: Path) -> None:
    world = World(home, tmp_path / "spool")
    now = [100.0]
    world.guarded = Guarded(world.services, lambda: now[0])
    assert world.guarded.is_open()
    free, asked = hanging(world)
    for _ in range(3):
        now[0] += FRESH_S + 0.1
        assert world.guarded.is_open(), "the last answer counts"
    assert asked == ["is_open"]
    free.set()


# -- satisfaction ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", "12345")
def test_each_of_five_levels_is_noted(world: World, level: str) -> None:
    asterisk = world.call("satisfaction", level)
    assert asterisk.variables["HOTLINE_RATING"] == level
    assert asterisk.variables["HOTLINE_DONE"] == "1"


def test_a_wrong_key_is_asked_again_and_three_are_enough(world: World) -> None:
    assert world.call("satisfaction", "9", "0", "2").variables["HOTLINE_RATING"] == "2"
    assert "HOTLINE_RATING" not in world.call("satisfaction", "9", "0", "7", "2").variables
    assert "HOTLINE_RATING" not in world.call("satisfaction", "").variables


def test_a_caller_who_rates_and_hangs_up_has_rated(world: World) -> None:
    asterisk = world.call("satisfaction", "1", hang_up_at=4)
    assert asterisk.variables["HOTLINE_RATING"] == "1"


def test_each_language_is_asked_in_its_own_words(world: World) -> None:
    for language, folder in (("yue", "yue"), ("en", "en"), ("tlh", "zh"), ("", "zh")):
        asterisk = world.call("satisfaction", "1", variables={"HOTLINE_LANG": language})
        assert all(f"/{folder}/" in file for file in asterisk.played if "/joined/" not in file)


# -- call-back -------------------------------------------------------------------------------------------------------


def test_a_call_back_is_registered_for_the_number_that_calls(world: World) -> None:
    asterisk = world.call("callback", "1")
    assert world.services.callbacks == [(CALL, NUMBER, "zh")]
    assert asterisk.variables["HOTLINE_DONE"] == "1"


def test_silence_confirms_no_number_and_the_caller_waits_on(world: World) -> None:
    asterisk = world.call("callback", "")
    assert world.services.callbacks == []
    assert heard(asterisk).count("joined") == TRIES
    assert "HOTLINE_DONE" not in asterisk.variables


def test_a_call_back_is_registered_with_the_callers_place_and_needs(world: World) -> None:
    place = {"QUEUE": "social", "JOINED": "1795521600000", "PLACE_MS": "1795521500000", "SKILLS": "yue:3,water:1"}
    world.call(
        "callback",
        "1",
        variables={"HOTLINE_NUMBER": NUMBER} | {f"HOTLINE_{name}": value for name, value in place.items()},
    )
    assert world.services.standings == [Standing("social", 1795521500000, {"yue": 3, "water": 1}, 0)]


def test_a_caller_who_never_stood_in_line_asks_with_no_place_and_nonsense_is_none(world: World) -> None:
    variables = {
        "HOTLINE_NUMBER": NUMBER,
        "HOTLINE_JOINED": "soon",
        "HOTLINE_SKILLS": "yue:9,:3,en",
        "HOTLINE_PRIORITY": "many",
    }
    world.call("callback", "1", variables=variables)
    assert world.services.standings == [Standing("", 0, {}, 0)]


def test_another_number_may_be_given(world: World) -> None:
    world.call("callback", "2", "12#", "02087654321#", "1")
    assert world.services.callbacks == [(CALL, "02087654321", "zh")]


@pytest.mark.parametrize("keyed", ["16887788#", "110#", "0085291234567#", "4008123123#"])
def test_a_number_that_may_not_be_called_is_told_at_once_and_another_may_be_given(world: World, keyed: str) -> None:
    asterisk = world.call("callback", "2", keyed, "02087654321#", "1")
    assert world.services.callbacks == [(CALL, "02087654321", "zh")]
    said = heard(asterisk)
    assert said.count("joined") == 3 + 1, "the number that calls, what is wrong, the other number, and the goodbye"


def test_a_caller_from_abroad_is_asked_for_a_number_that_may_be_called_back(world: World) -> None:
    asterisk = world.call("callback", "13912345678#", "1", variables={"HOTLINE_NUMBER": "+442071838750"})
    assert "callback_number_refused" in heard(asterisk)
    assert world.services.callbacks == [(CALL, "13912345678", "zh")]


def test_who_keys_in_only_numbers_that_may_not_be_called_back_waits_on(world: World) -> None:
    asterisk = world.call("callback", "2", *["16887788#"] * TRIES)
    assert world.services.callbacks == []
    assert "callback_failed" in heard(asterisk)
    assert "HOTLINE_DONE" not in asterisk.variables


def test_a_withheld_number_is_asked_for(world: World) -> None:
    variables = {"HOTLINE_LANG": "en", "HOTLINE_NUMBER": ""}
    world.call("callback", "13912345678#", "1", variables=variables, env={"agi_callerid": "unknown"})
    assert world.services.callbacks == [(CALL, "13912345678", "en")]


def test_a_call_back_that_is_not_registered_is_not_promised(world: World) -> None:
    world.services.before = broken
    asterisk = world.call("callback", "1")
    assert "HOTLINE_DONE" not in asterisk.variables
    assert "callback_failed" in heard(asterisk)
    assert "callback_registered" not in heard(asterisk)


def test_a_call_back_that_fails_at_night_becomes_a_voicemail(world: World) -> None:
    world.services.open = False
    world.services.before = lambda name: broken(name) if name == "register_callback" else None
    asterisk = world.call("callback", "1")
    assert ["SET CONTEXT", "hotline-voicemail"] in asterisk.commands


# -- units and cases -------------------------------------------------------------------------------------------------


def test_a_unit_is_reached_by_its_code(world: World) -> None:
    world.services.units["301"] = UnitLine("水务局", "02087654321")
    asterisk = world.call("unit_transfer", "301#", "1")
    assert (asterisk.variables["HOTLINE_NEXT"], asterisk.variables["HOTLINE_TRANSFER_TO"]) == (
        "transfer",
        "02087654321",
    )
    asterisk = world.call("unit_transfer", "1", env={"agi_arg_1": "301"})
    assert asterisk.variables["HOTLINE_NEXT"] == "transfer"
    asterisk = world.call("unit_transfer", "999#", "*#")
    assert asterisk.variables["HOTLINE_NEXT"] == "queue"


def test_a_directory_entry_that_is_no_number_is_not_dialled(world: World) -> None:
    world.services.units["301"] = UnitLine("水务局", "110&PJSIP/evil")
    asterisk = world.call("unit_transfer", "301#", "301#", "301#")
    assert "HOTLINE_TRANSFER_TO" not in asterisk.variables


def test_case_status_as_a_line_of_its_own(world: World) -> None:
    world.services.cases[CASE, NUMBER] = CaseProgress(CASE, "closed")
    asterisk = world.call("case_status", "123#", TYPED, "1", "2", TYPED, "0")
    assert asterisk.variables["HOTLINE_NEXT"] == "queue"
    assert asterisk.variables["HOTLINE_DONE"] == "1"


# -- sounds ----------------------------------------------------------------------------------------------------------


def test_what_is_joined_for_one_caller_is_removed_afterwards(world: World, home: Path) -> None:
    world.services.cases[CASE, NUMBER] = CaseProgress(CASE, "closed")
    asterisk = world.call("voice_menu", "1", "2", TYPED, "")
    assert any("/passing-" in file for file in asterisk.played)
    assert not list((home / "prompts/joined").glob("passing-*"))


def test_what_is_joined_for_everybody_is_made_once(world: World, home: Path) -> None:
    first = world.call("voice_menu", "0").played[0]
    second = world.call("voice_menu", "0").played[0]
    assert first == second
    assert Path(f"{first}.wav").exists()


def test_prompts_built_anew_are_heard_without_a_restart(home: Path, tmp_path: Path) -> None:
    sounds = Sounds(VoiceSetup(home, lambda name: name, tmp_path, tmp_path))
    before, _ = sounds.file("zh", ("greeting", "recording_notice"))
    path = home / "prompts/zh/greeting.wav"
    path.unlink()
    write_tone(path, 0.5)
    (home / "prompts/.manifest.json").write_text("{}")
    sounds._looked = 0.0
    after, _ = sounds.file("zh", ("greeting", "recording_notice"))
    assert after != before


# -- the connection to Asterisk breaks -------------------------------------------------------------------------------


@pytest.mark.parametrize("script", ["voice_menu", "satisfaction", "callback", "case_status"])
def test_a_broken_connection_ends_every_script(world: World, script: str) -> None:
    world.call(script, Broken())
    assert isinstance(world.raised, Hangup | CommandTimeout)


def test_values_of_the_call_are_read_in_one_question_and_filtered(home: Path) -> None:
    seen: dict[str, str] = {}

    def script(agi: SafeAgi, services: Guarded) -> None:
        seen.update(shared.call_variables(agi, "LANG", "NUMBER", "AGENT"))

    run: Callable[..., Any] = FakeAsterisk(variables={"HOTLINE_LANG": "zh\t", "HOTLINE_NUMBER": "1;drop 2"}).run
    assert run(script, Guarded(MemoryServices(VoiceSetup(home, lambda name: name, home, home)))) is None
    assert seen == {"LANG": "zh", "NUMBER": "1drop2", "AGENT": ""}
