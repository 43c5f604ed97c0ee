"""Self-service by phone against a scripted Asterisk: what is looked up, read, sent, rated; where the caller ends."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agi_scripts.errors import Hangup
from agi_scripts.services import CaseProgress, CaseResult, SpokenAnswer, UnitLine
from agi_scripts.sounds import Sounds
from ivr import flow as flow_module
from ivr.model import Menu, Number
from ivr.parts import parts
from tests.unit.agi_fake_asterisk import CALL, HANG_UP, NUMBER, FakeAsterisk, write_tone
from tests.unit.agi_world import World, speaking_home

CASE, TYPED = "20261124-000123", "20261124000123#"
SHORT = "停水前二十四小时公布。请先储水。"
LONG = "".join(f"第{number}段由供水公司公布，请按通知储水。" for number in range(1, 281))
LATER = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return speaking_home(tmp_path_factory.mktemp("home"))


@pytest.fixture
def read(home: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, bool, bool]]:
    """What was read aloud that is in no catalogue: (text, voice, slowly, kept for nobody)."""
    said: list[tuple[str, str, bool, bool]] = []

    def spoken(self: Sounds, text: str, language: str, *, slowly: bool = False, passing: bool = False) -> str:
        said.append((text, language, slowly, passing))
        return str(home / "tone")

    monkeypatch.setattr(Sounds, "spoken", spoken)
    return said


@pytest.fixture
def world(home: Path, tmp_path: Path, read: list[tuple[str, str, bool, bool]]) -> World:
    world = World(home, tmp_path / "spool")
    world.services.answers = {
        "101": [SpokenAnswer("101", "停水", SHORT, LONG), SpokenAnswer("101", "Water", "Store water.", "", "en")],
        "102": [SpokenAnswer("102", "停电", "先看邻居家有没有电。")],
    }
    world.services.topics = {"notice": ["101", "102"]}
    world.services.units = {
        "12": UnitLine("市水务局", "02155551234", True, ((540, 720), (810, 1050))),
        "13": UnitLine("市城管局", "02155550000", False, ((540, 1050),)),
        "14": UnitLine("市文旅局", "", False, ((540, 1050),)),
    }
    settled = CaseProgress(CASE, "closed", LATER, settled=True)
    world.services.cases[CASE, NUMBER] = settled
    world.services.results[CASE] = CaseResult("已经修好。")
    return world


def path(asterisk: FakeAsterisk) -> str:
    return asterisk.variables["HOTLINE_PATH"]


def texts(read: list[tuple[str, str, bool, bool]]) -> list[str]:
    return [text for text, _, _, _ in read]


def test_an_answer_is_found_by_topic_and_read_and_its_title_is_said(world: World, read: list) -> None:
    asterisk = world.call("voice_menu", "1", "4", "1", "4", "2", "0")
    assert texts(read) == ["停水", "停电", "先看邻居家有没有电。", "停电"]
    assert path(asterisk).endswith("topics>topic_answers>topic_choice>answer_chosen>read>reading_end>queue")


def test_a_key_for_a_title_that_was_not_offered_finds_nothing(world: World, read: list) -> None:
    asterisk = world.call("voice_menu", "1", "4", "1", "4", "5", "0")
    assert path(asterisk).endswith("answer_chosen>answer_gone>queue")


def test_more_than_five_titles_come_in_turns_and_begin_anew(world: World, read: list) -> None:
    for code in range(103, 109):
        world.services.answers[str(code)] = [SpokenAnswer(str(code), f"题{code}", "答。")]
    world.services.topics["guide"] = [str(code) for code in range(102, 109)]
    world.call("voice_menu", "1", "4", "1", "2", "7", "2", "")
    assert texts(read)[:7] == ["停电", "题103", "题104", "题105", "题106", "题107", "题108"]
    assert texts(read)[7] == "答。"
    read.clear()
    world.call("voice_menu", "1", "4", "1", "2", "7", "7", "")
    assert texts(read)[7:9] == ["停电", "题103"]


def test_an_answer_of_5000_characters_is_heard_to_its_end_with_a_question_after_every_part(
    world: World, read: list
) -> None:
    pieces = parts(LONG)
    assert len(LONG) > 5000
    asterisk = world.call("voice_menu", "1", "4", "2", "101#", "6", *["1"] * (len(pieces) - 1), "0")
    assert [text for text in texts(read) if text not in ("停水", SHORT)] == pieces
    assert "".join(pieces) == LONG
    assert path(asterisk).endswith("read>reading_end>queue")


def test_the_way_out_is_there_at_every_part(world: World, read: list) -> None:
    for parts_heard in (0, 3, 9):
        asterisk = world.call("voice_menu", "1", "4", "2", "101#", "6", *["1"] * parts_heard, "0")
        assert path(asterisk).endswith("read>reading_more>queue"), parts_heard
        read.clear()


def test_parts_are_heard_again_slower_and_backwards(world: World, read: list) -> None:
    world.call("voice_menu", "1", "4", "2", "101#", "6", "1", "2", "3", "4", "4", "")
    whole = [(text, slowly) for text, _, slowly, _ in read if text not in ("停水", SHORT)]
    first, second = whole[0][0], whole[1][0]
    assert first != second
    assert whole == [(first, False), (second, False), (second, False), (second, True), (first, True), (first, True)]


def test_a_caller_hears_their_own_language_or_that_there_is_none(world: World, read: list) -> None:
    world.call("voice_menu", "3", "4", "2", "101#", "0")
    assert ("Store water.", "en", False, False) in read
    read.clear()
    asterisk = world.call("voice_menu", "3", "4", "2", "102#", "0")
    assert path(asterisk).endswith("answer_numbered>answer_foreign>queue")
    assert not read
    world.call("voice_menu", "3", "4", "2", "102#", "1", "0")
    assert read[0][:2] == ("先看邻居家有没有电。", "zh")
    read.clear()
    world.call("voice_menu", "2", "4", "2", "102#", "0")
    assert read[0][:2] == ("先看邻居家有没有电。", "yue"), "written Chinese is read aloud in Cantonese"
    asterisk = world.call("voice_menu", "3", "4", "1", "1", "0")
    assert path(asterisk).endswith("topic_answers>topic_none>queue")


def test_what_is_withdrawn_while_it_is_heard_is_not_read_on(world: World, read: list) -> None:
    def withdrawn(what: str) -> None:
        if what == "answer" and read:
            world.services.answers.clear()

    world.services.before = withdrawn
    asterisk = world.call("voice_menu", "1", "4", "2", "101#", "2", "0")
    assert path(asterisk).endswith("read>answer_gone>queue")


def test_a_recording_of_that_version_is_heard_instead_of_the_voice(
    world: World, read: list, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = home / "studio" / "zh"
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"answer_101_{version}_{part}.wav" for version, part in ((1, 1), (1, 2), (2, 1))]
    for file in files[:2]:
        file.hardlink_to(home / "tone.wav")
    played: list[tuple[str, bool]] = []
    monkeypatch.setattr(
        Sounds,
        "recording",
        lambda self, source, *, slowly=False: played.append((source.stem, slowly)) or str(source.with_suffix("")),
    )
    asterisk = world.call("voice_menu", "1", "4", "2", "101#", "1", "3", "0")
    assert played == [("answer_101_1_1", False), ("answer_101_1_2", False), ("answer_101_1_2", True)]
    assert path(asterisk).endswith("reading_more>read>reading_end>read>reading_end>queue")
    world.services.answers["101"] = [SpokenAnswer("101", "停水", "新的说法。", version=2)]
    world.call("voice_menu", "1", "4", "2", "101#", "0")
    assert ("新的说法。", "zh", False, False) in read, "other words want another recording"
    for file in files:
        file.unlink(missing_ok=True)


@pytest.mark.parametrize("content", [b"", b"RIFF", b"\0" * 5000])
def test_a_recording_that_cannot_be_played_is_read_by_the_voice(
    world: World, read: list, home: Path, content: bytes
) -> None:
    file = home / "studio" / "zh" / "answer_101_1_1.wav"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    text = world.services.answers["101"][0].phone
    asterisk = world.call("voice_menu", "1", "4", "2", "101#", "0")
    file.unlink()
    assert "case_unavailable" not in path(asterisk)
    assert [said[0] for said in read if said[0] in text]


def test_an_answer_is_sent_once_a_call_and_only_after_consent(world: World, read: list) -> None:
    asterisk = world.call("voice_menu", "1", "4", "2", "101#", "5", "2", "0")
    assert world.services.messages == []
    assert path(asterisk).endswith("reading_end>sms_consent>after_sms>queue")
    world.call("voice_menu", "1", "4", "2", "101#", "5", "1", "2", "5", "1", "0")
    assert world.services.messages == [("101", "zh", CALL, NUMBER)]


def test_silence_is_no_consent(world: World, read: list) -> None:
    world.call("voice_menu", "1", "4", "2", "101#", "5", "")
    assert world.services.messages == []


@pytest.mark.parametrize(
    ("code", "key", "next_", "number", "ends"),
    [
        ("12", "1", "transfer", "02155551234", "unit>unit_open>to_unit"),
        ("13", "1", "transfer", "02155550000", "unit>unit_open>to_unit"),
        ("12", "0", "queue", "", "unit_open>queue"),
        ("12", "", "queue", "", "unit_open>queue"),
        ("14", "1", "voicemail", "", "unit>unit_closed>voicemail"),
        ("14", "0", "queue", "", "unit_closed>queue"),
        ("99", "0", "queue", "", "unit>unit_unknown>queue"),
    ],
)
def test_a_unit_is_put_through_or_its_hours_are_told(
    world: World, read: list, code: str, key: str, next_: str, number: str, ends: str
) -> None:
    asterisk = world.call("voice_menu", "1", "5", f"{code}#", key)
    assert asterisk.variables["HOTLINE_NEXT"] == next_
    assert asterisk.variables.get("HOTLINE_TRANSFER_TO", "") == number
    assert asterisk.variables.get("HOTLINE_DIRECTORY", "") == ("1" if number else "")
    assert path(asterisk).endswith(ends)


def test_the_units_name_is_chinese_whoever_asks(world: World, read: list) -> None:
    world.call("voice_menu", "3", "5", "12#", "0")
    assert read == [("市水务局", "zh", False, False)]


def test_the_result_of_ones_own_case_is_read_and_kept_for_nobody(world: World, read: list) -> None:
    asterisk = world.call("voice_menu", "1", "2", TYPED, "3", "0")
    assert read == [("已经修好。", "zh", False, True)]
    assert path(asterisk).endswith("case_settled>case_result>read_result>result_end>queue")


@pytest.mark.parametrize(
    ("result", "ends"),
    [(CaseResult(withheld=True), "case_result>case_after>queue"), (CaseResult("……"), "case_result>case_after>queue")],
)
def test_what_is_confidential_or_nothing_is_not_read(world: World, read: list, result: CaseResult, ends: str) -> None:
    world.services.results[CASE] = result
    assert path(world.call("voice_menu", "1", "2", TYPED, "3", "0")).endswith(ends)
    assert read == []


def test_ones_own_case_is_rated_once_and_done_again_once(world: World, read: list) -> None:
    asterisk = world.call("voice_menu", "1", "2", TYPED, "4", "2", "2", TYPED, "4", "5", "0")
    assert world.services.ratings == [(CASE, 2)]
    assert path(asterisk).endswith("case_rate>case_rated>case_after>queue")
    world.call("voice_menu", "1", "2", TYPED, "5", "8", "0")
    assert world.services.reopened == []
    world.call("voice_menu", "1", "2", TYPED, "5", "1", "2", TYPED, "5", "1", "0")
    assert world.services.reopened == [CASE]


def test_from_another_telephone_the_code_opens_the_case(world: World, read: list) -> None:
    world.services.cases = {(CASE, "13911112222"): CaseProgress(CASE, "closed", LATER, settled=True)}
    world.services.codes[CASE] = "04204204"
    asterisk = world.call("voice_menu", "1", "2", TYPED, "3", "11111111#", "3", "04204204#", "0")
    assert path(asterisk).endswith("case_not_found>case_code>case_progress>case_settled>queue")
    asterisk = world.call("voice_menu", "1", "2", TYPED, "2", TYPED, "0")
    assert path(asterisk).endswith("case_progress>case_not_found>queue"), "a code is forgotten with its case"


def test_whoever_asked_in_vain_too_often_is_told_so(world: World, read: list) -> None:
    world.services.cases[CASE, NUMBER] = CaseProgress("", "", locked=True)
    assert path(world.call("voice_menu", "1", "2", TYPED, "")).endswith("case_progress>case_locked>queue")
    assert world.call("case_status", TYPED, "0").variables["HOTLINE_NEXT"] == "queue"


def test_a_call_that_an_sms_asked_about_is_rated(world: World, read: list) -> None:
    world.services.asked_by_sms.add(NUMBER)
    world.call("voice_menu", "1", "6", "1", "0")
    asterisk = world.call("voice_menu", "1", "6", "2", "0")
    assert world.services.ratings == [(NUMBER, 1)]
    assert path(asterisk).endswith("call_rate>call_rated>call_rate_after>queue")


def test_nobody_is_asked_twice_about_one_call(world: World, read: list) -> None:
    assert world.call("satisfaction", "2").variables["HOTLINE_RATING"] == "2"
    again = world.call("satisfaction", "5")
    assert "HOTLINE_RATING" not in again.variables
    assert again.variables["HOTLINE_DONE"] == "1"


WAYS: dict[str, list[str]] = {
    "welcome": [],
    "main": ["1"],
    "case_number": ["1", "2"],
    "case_settled": ["1", "2", TYPED],
    "case_not_found": ["1", "2", "20261124000999#"],
    "case_code": ["1", "2", "20261124000999#", "3"],
    "result_end": ["1", "2", TYPED, "3"],
    "result_foreign": ["3", "2", TYPED, "3"],
    "case_rate": ["1", "2", TYPED, "4"],
    "case_reopen": ["1", "2", TYPED, "5"],
    "case_after": ["1", "2", TYPED, "4", "1"],
    "answers": ["1", "4"],
    "topics": ["1", "4", "1"],
    "topic_choice": ["1", "4", "1", "4"],
    "topic_none": ["1", "4", "1", "3"],
    "answer_number": ["1", "4", "2"],
    "answer_foreign": ["3", "4", "2", "102#"],
    "answer_gone": ["1", "4", "2", "999#"],
    "reading_more": ["1", "4", "2", "101#", "6"],
    "reading_end": ["1", "4", "2", "101#"],
    "sms_consent": ["1", "4", "2", "101#", "5"],
    "after_sms": ["1", "4", "2", "101#", "5", "2"],
    "unit_code": ["1", "5"],
    "unit_open": ["1", "5", "12#"],
    "unit_closed": ["1", "5", "14#"],
    "unit_unknown": ["1", "5", "99#"],
    "call_rate": ["1", "6"],
    "call_rate_after": ["1", "6", "1"],
}
ELSEWHERE = {
    "closed", "case_told", "case_locked", "case_unavailable", "result_more", "emergency", "confirm_110", "confirm_119",
    "confirm_120", "confirm_122",
}  # fmt: skip


def test_the_table_of_ways_names_every_question_of_the_shipped_flow() -> None:
    questions = {node.id for node in flow_module.shipped().nodes.values() if isinstance(node, Menu | Number)}
    assert questions - ELSEWHERE == set(WAYS)


@pytest.mark.parametrize("question", WAYS)
def test_hanging_up_silence_and_a_storm_of_keys_at_every_question(world: World, read: list, question: str) -> None:
    """Hanging up ends the script and nothing else; silence reaches a person; no storm of keys is too long."""
    way = WAYS[question]
    before = (len(world.services.messages), len(world.services.reopened), len(world.services.ratings))
    asterisk = world.call("voice_menu", *way, HANG_UP)
    assert isinstance(world.raised, Hangup)
    assert "HOTLINE_DONE" not in asterisk.variables
    asterisk = world.call("voice_menu", *way, "")
    assert asterisk.variables["HOTLINE_NEXT"] == "queue"
    assert f">{question}>queue" in f">{path(asterisk)}", path(asterisk)
    for storm in ("0" * 200, "#*" * 100, "7" * 200, "*" * 200, "123456789*0#" * 30):
        asterisk = world.call("voice_menu", *way, storm)
        assert asterisk.variables["HOTLINE_DONE"] == "1", storm[:12]
    if question not in ("case_after", "call_rate_after"):
        assert before == (0, 0, 0)
    assert len(world.services.messages) <= 1


def test_keys_before_the_question_are_answers_to_the_questions_to_come(world: World, read: list) -> None:
    asterisk = world.call("voice_menu", "142101#0", "")
    assert path(asterisk).endswith("answer_numbered>read>reading_end>queue")


def test_a_domain_that_does_not_answer_gives_the_caller_to_a_person(world: World, read: list) -> None:
    held = threading.Event()
    world.services.setup = replace(world.services.setup, deadline_s=0.2)
    world.services.before = lambda what: held.wait(5) if what in ("answer", "unit", "answers_of_topic") else None
    world.guarded.setup = world.services.setup
    try:
        for way in (["1", "4", "2", "101#"], ["1", "4", "1", "1"], ["1", "5", "12#"]):
            asterisk = world.call("voice_menu", *way, "", "")
            assert asterisk.variables["HOTLINE_NEXT"] == "queue", way
    finally:
        held.set()


def test_what_is_said_of_ones_own_case_is_gone_when_it_has_been_heard(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "agi_scripts.sounds.speak_into", lambda target, *text, slowly: write_tone(target_in(target), 0.05)
    )
    sounds = Sounds(World(home, tmp_path / "spool").services.setup)
    said = sounds.spoken("王小明家的水管修好了。", "zh", passing=True)
    assert said is not None
    file, passing = sounds.file("zh", (said, "result_end_menu"))
    assert file is not None
    assert passing
    assert not Path(f"{said}.wav").exists()
    sounds.discard(file)
    assert not Path(f"{file}.wav").exists()
    left = sounds.spoken("另一家的水管。", "zh", passing=True)
    Sounds(sounds.setup)
    assert not Path(f"{left}.wav").exists(), "what a killed process had made goes at the next start"


def target_in(target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    return target
