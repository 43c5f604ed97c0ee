"""Prompts: texts of all languages, how numbers and times are said, and how they become files."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr import audio, catalogue, music, numerals, prompts, spoken, tones
from ivr.catalogue import Phrase
from ivr.marked_yaml import DataFileError
from ivr.prompts import PromptSettings, build_prompts
from ivr.speaker import SpeechError

WORDS = catalogue.shipped()
FEW = ("greeting", "goodbye", "please_wait")
SMALL = catalogue.Catalogue(
    {
        code: replace(language, prompts={prompt: language.prompts[prompt] for prompt in FEW})
        for code, language in WORDS.languages.items()
    },
    WORDS.tones,
    {"number": range(3)},
)
NEEDED_BY_THE_DIALPLAN = (
    "apology all_busy_voicemail record_after_tone thanks_goodbye goodbye staff_number at_your_service you_are_number "
    "position_suffix wait_about minutes less_than_a_minute hold_menu callback_registered transferring transfer_failed "
    "emergency_notice warning_tone hold_returning recording_notice digit_0 digit_1 digit_2 digit_3 digit_4 digit_5 "
    "digit_6 digit_7 digit_8 digit_9 number_0 number_99"
).split()


# -- the catalogue ---------------------------------------------------------------------------------------------------


def test_every_language_has_every_prompt() -> None:
    ids = {code: set(WORDS.ids(code)) for code in WORDS.languages}
    assert ids["zh"] == ids["yue"] == ids["en"]


@pytest.mark.parametrize("prompt", NEEDED_BY_THE_DIALPLAN)
@pytest.mark.parametrize("language", ["zh", "yue", "en"])
def test_the_dialplan_finds_its_prompts(language: str, prompt: str) -> None:
    assert WORDS.has(language, prompt)


def test_every_prompt_has_a_recipe() -> None:
    for language in WORDS.languages:
        for prompt in WORDS.ids(language):
            assert WORDS.recipe(language, prompt).text


def test_an_unknown_prompt_is_named() -> None:
    with pytest.raises(KeyError, match="'nonsense' is missing in language 'yue'"):
        WORDS.recipe("yue", "nonsense")
    assert not WORDS.has("zh", "number_100")
    assert not WORDS.has("tlh", "greeting")


def test_names_that_are_numbers_are_read_digit_by_digit() -> None:
    phrase = WORDS.recipe("zh", "emergency_notice").phrases[0]
    assert "幺幺零、幺幺九、幺二零或幺二二" in phrase.aloud
    assert "110" in phrase.text
    assert not any(digit in WORDS.recipe("zh", "greeting").phrases[0].aloud for digit in "0123456789")


def test_each_language_offers_itself_in_its_own_voice_whatever_is_spoken() -> None:
    for language in WORDS.languages:
        offered = [WORDS.recipe(language, f"{code}:choose_language").phrases[0].voice for code in WORDS.languages]
        assert offered == ["cmn-latn-pinyin", "yue", "en"]


def test_small_numbers_in_a_text_are_read_as_numbers_and_longer_ones_digit_by_digit() -> None:
    assert numerals.aloud("24小时内，2026年3月1日，拨打12345，3.5%，05号，8:30", "zh") == (
        "二十四小时内，2026年三月一日，拨打12345，3.5%，05号，8:30"
    )
    assert numerals.aloud("within 24 hours", "en") == "within 24 hours"


def test_no_forbidden_phrase_is_in_a_prompt() -> None:
    for language in WORDS.languages.values():
        for text in language.prompts.values():
            assert not any(word in text for word in ("快点说", "再说一遍", "我们会处理", "什么态度", "讲短点"))


def test_a_fault_in_the_catalogue_is_named_with_its_line(tmp_path: Path) -> None:
    for file in catalogue.FOLDER.glob("*.yaml"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "en.yaml").write_text("language: en\nvoice: en\nprompts:\n  greeting: ''\n", encoding="utf-8")
    with pytest.raises(DataFileError, match=r"en\.yaml: line 4, column 3"):
        catalogue.load(tmp_path)
    (tmp_path / "en.yaml").write_text("language: fr\nvoice: en\nprompts:\n  greeting: hello\n", encoding="utf-8")
    with pytest.raises(DataFileError, match="line 1, column 1: must be 'en'"):
        catalogue.load(tmp_path)


# -- numbers and times -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("number", "text"), [(0, "零"), (10, "十"), (12, "十二"), (20, "二十"), (99, "九十九")])
def test_numbers_in_chinese(number: int, text: str) -> None:
    assert numerals.chinese(number) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1, "first"),
        (2, "second"),
        (3, "third"),
        (12, "twelfth"),
        (20, "twentieth"),
        (21, "twenty first"),
        (31, "thirty first"),
    ],
)
def test_days_in_english(number: int, text: str) -> None:
    assert numerals.english_ordinal(number) == text


def test_two_oclock_is_liang() -> None:
    assert numerals.WORDS["zh"]["hour"](2) == "两点"
    assert numerals.WORDS["zh"]["hour"](12) == "十二点"


@given(st.integers(min_value=-1000, max_value=1000))
def test_counts_always_have_a_prompt(number: int) -> None:
    assert WORDS.has("zh", spoken.count(number))


def test_a_case_number_is_read_in_breaths() -> None:
    said = spoken.case_number("20261124-000123")
    assert "".join("|" if prompt == "pause" else prompt[-1] for prompt in said) == "2026|1124|000|123"


def test_a_phone_number_is_read_in_fours_from_its_end() -> None:
    said = spoken.phone_number("13812345678")
    assert "".join("|" if prompt == "pause" else prompt[-1] for prompt in said) == "138|1234|5678"


@given(st.datetimes(), st.sampled_from(["zh", "yue", "en"]))
def test_every_moment_can_be_said(at: datetime, language: str) -> None:
    assert all(WORDS.has(language, prompt) for prompt in spoken.moment(at, language))


def test_midnight_and_noon() -> None:
    assert spoken.moment(datetime(2026, 11, 24, 0, 5, tzinfo=UTC), "zh")[2:] == ("morning", "hour_12", "minute_5")
    assert spoken.moment(datetime(2026, 11, 24, 12, 0, tzinfo=UTC), "zh")[2:] == ("afternoon", "hour_12", "sharp")
    assert spoken.moment(datetime(2026, 11, 24, 13, 30, tzinfo=UTC), "en") == (
        "month_11", "day_24", "hour_1", "minute_30", "afternoon",
    )  # fmt: skip


def test_a_state_that_has_no_prompt_is_one_that_is_being_handled() -> None:
    assert spoken.state("closed") == "state_closed"
    assert spoken.state("brand_new_state") == "state_handling"


# -- tones and music -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in tones.TONES if name != "pause"])
def test_tones_are_heard_and_do_not_clip(name: str) -> None:
    level = audio.measure(tones.samples(name))
    assert -25 < level.rms_db < -3
    assert level.peak_db < -0.5


def test_the_hold_music_is_soft_does_not_clip_and_loops_without_a_click() -> None:
    for tune in music.TUNES:
        samples = music.play(tune)
        level = audio.measure(samples)
        assert 30 < level.seconds < 90
        assert level.peak_db == pytest.approx(-9, abs=0.1)
        assert -30 < level.rms_db < -18
        assert level.loud_seconds / level.seconds > 0.8
        assert abs(int(samples[0])) < 50
        assert abs(int(samples[-1])) < 50


def test_sound_that_would_clip_is_refused() -> None:
    with pytest.raises(audio.AudioError, match="clip"):
        audio.from_float(np.array([0.0, 1.5]))


# -- wav files -------------------------------------------------------------------------------------------------------


def test_a_wav_comes_back_as_it_was_written(tmp_path: Path) -> None:
    samples = tones.samples("beep")
    audio.write(tmp_path / "x.wav", samples)
    assert np.array_equal(audio.read(tmp_path / "x.wav"), samples)
    assert not list(tmp_path.glob(".*"))


def test_files_that_are_no_telephone_sound_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    with pytest.raises(audio.AudioError):
        audio.read(path)
    path.write_bytes(b"RIFF")
    with pytest.raises(audio.AudioError):
        audio.read(path)
    audio.write(path, tones.samples("beep"))
    path.write_bytes(path.read_bytes().replace((8000).to_bytes(4, "little"), (44100).to_bytes(4, "little")))
    with pytest.raises(audio.AudioError, match="44100 Hz"):
        audio.read(path)


def test_a_recording_cut_off_in_the_middle_gives_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    audio.write(path, np.full(8000, 1000, dtype=np.int16))
    path.write_bytes(path.read_bytes()[: 44 + 8001])
    assert audio.read(path).size == 4000


def test_silence_is_told_from_speech() -> None:
    assert audio.measure(audio.silence(3)).silent
    assert audio.measure(audio.silence(0)).silent
    noise = np.random.default_rng(1).normal(0, 60, 8000).astype(np.int16)
    assert audio.measure(noise).silent
    assert not audio.measure(np.concatenate([noise, tones.samples("beep")])).silent


# -- building --------------------------------------------------------------------------------------------------------


@dataclass
class ToneSpeaker:
    """Speaks every phrase as a tone as long as its text."""

    identity: str = "tone 1"
    spoken: list[str] = field(default_factory=list)
    fails_on: str = "\0"
    silent_on: str = "\0"
    lock: threading.Lock = field(default_factory=threading.Lock)

    def speak(self, phrase: Phrase, target: Path) -> None:
        with self.lock:
            self.spoken.append(phrase.aloud)
        if self.fails_on in phrase.aloud:
            raise SpeechError("the voice is hoarse")
        if self.silent_on in phrase.aloud:
            audio.write(target, audio.silence(1))
        else:
            audio.write(target, audio.from_float(tones.sine(300 + len(phrase.aloud), 0.2, 0.5)))


def settings_for(home: Path) -> PromptSettings:
    return PromptSettings(home, lambda name: name)


def test_everything_is_built_once_and_then_kept(tmp_path: Path) -> None:
    speaker = ToneSpeaker()
    steps: list[tuple[int, int]] = []
    report = build_prompts(
        settings_for(tmp_path), lambda done, total, _: steps.append((done, total)), words=SMALL, speaker=speaker
    )
    assert report.ok
    assert report.total == sum(len(list(SMALL.ids(code))) for code in SMALL.languages)
    assert steps == sorted(steps)
    assert steps[-1] == (report.total, report.total)
    assert list(prompts.missing_files(tmp_path, SMALL)) == []
    assert len(list((tmp_path / "music").glob("*.wav"))) == len(music.TUNES)
    count = len(speaker.spoken)
    assert list(prompts.missing_files(tmp_path, WORDS)) != []
    again = build_prompts(settings_for(tmp_path), words=SMALL, speaker=speaker)
    assert len(speaker.spoken) == count
    assert (again.made, again.kept) == (0, again.total)


def test_only_what_changed_is_made_again(tmp_path: Path) -> None:
    speaker = ToneSpeaker()
    build_prompts(settings_for(tmp_path), words=SMALL, speaker=speaker)
    before = (tmp_path / "prompts/zh/greeting.wav").read_bytes()
    speaker.spoken.clear()
    zh = SMALL.languages["zh"]
    other = replace(zh, prompts={**zh.prompts, "greeting": "喂，您好！"})
    words = replace(SMALL, languages={**SMALL.languages, "zh": other})
    report = build_prompts(settings_for(tmp_path), speaker=speaker, words=words)
    assert speaker.spoken == ["喂，您好！"]
    assert report.made == 1
    assert (tmp_path / "prompts/zh/greeting.wav").read_bytes() != before


def test_another_voice_makes_everything_anew(tmp_path: Path) -> None:
    build_prompts(settings_for(tmp_path), words=SMALL, speaker=ToneSpeaker())
    second = ToneSpeaker("tone 2")
    build_prompts(settings_for(tmp_path), words=SMALL, speaker=second)
    assert len(set(second.spoken)) == 3 * len(FEW) + 2 * 3, "two of the languages share their numerals"


def test_a_prompt_that_left_the_catalogue_leaves_the_folder(tmp_path: Path) -> None:
    build_prompts(settings_for(tmp_path), words=SMALL, speaker=ToneSpeaker())
    less = replace(SMALL, series={})
    build_prompts(settings_for(tmp_path), speaker=ToneSpeaker(), words=less)
    assert not (tmp_path / "prompts/zh/number_2.wav").exists()
    assert (tmp_path / "prompts/zh/greeting.wav").exists()


def test_a_deleted_file_comes_back_from_the_cache(tmp_path: Path) -> None:
    speaker = ToneSpeaker()
    build_prompts(settings_for(tmp_path), words=SMALL, speaker=speaker)
    count = len(speaker.spoken)
    (tmp_path / "prompts/en/goodbye.wav").unlink()
    build_prompts(settings_for(tmp_path), words=SMALL, speaker=speaker)
    assert (tmp_path / "prompts/en/goodbye.wav").exists()
    assert len(speaker.spoken) == count


def test_a_studio_recording_takes_the_voices_place_until_it_is_removed(tmp_path: Path) -> None:
    studio = tmp_path / "studio/zh/greeting.wav"
    audio.write(studio, tones.samples("warning_tone"))
    report = build_prompts(settings_for(tmp_path), words=SMALL, speaker=ToneSpeaker())
    assert (report.studio, report.ok) == (1, True)
    built = tmp_path / "prompts/zh/greeting.wav"
    assert np.array_equal(audio.read(built), tones.samples("warning_tone"))
    studio.unlink()
    build_prompts(settings_for(tmp_path), words=SMALL, speaker=ToneSpeaker())
    assert not np.array_equal(audio.read(built), tones.samples("warning_tone"))


@pytest.mark.parametrize("content", [b"", b"no sound", b"RIFF\x00\x00\x00\x00WAVE"])
def test_a_broken_studio_recording_is_reported_and_the_voice_speaks(tmp_path: Path, content: bytes) -> None:
    studio = tmp_path / "studio/zh/greeting.wav"
    studio.parent.mkdir(parents=True)
    studio.write_bytes(content)
    report = build_prompts(settings_for(tmp_path), words=SMALL, speaker=ToneSpeaker())
    assert report.ok
    assert [str(fault) for fault in report.faults if "zh/greeting: studio recording not used" in str(fault)]
    assert (tmp_path / "prompts/zh/greeting.wav").exists()


def test_a_silent_studio_recording_is_not_used(tmp_path: Path) -> None:
    audio.write(tmp_path / "studio/zh/greeting.wav", audio.silence(2))
    report = build_prompts(settings_for(tmp_path), words=SMALL, speaker=ToneSpeaker())
    assert ["nothing is heard" in fault.text for fault in report.faults] == [True]


def test_a_sentence_that_fails_is_reported_and_the_rest_is_built(tmp_path: Path) -> None:
    report = build_prompts(settings_for(tmp_path), words=SMALL, speaker=ToneSpeaker(fails_on="再见"))
    assert not report.ok
    assert {str(fault) for fault in report.faults if fault.prompt == "goodbye"} == {"zh/goodbye: the voice is hoarse"}
    assert (tmp_path / "prompts/zh/greeting.wav").exists()


def test_speech_that_nobody_would_hear_is_a_fault(tmp_path: Path) -> None:
    report = build_prompts(settings_for(tmp_path), words=SMALL, speaker=ToneSpeaker(silent_on="再见"))
    assert not report.ok
    assert any("nothing is heard" in fault.text for fault in report.faults)


def test_a_failed_change_keeps_the_sentence_that_was_there(tmp_path: Path) -> None:
    build_prompts(settings_for(tmp_path), words=SMALL, speaker=ToneSpeaker())
    build_prompts(settings_for(tmp_path), words=SMALL, speaker=ToneSpeaker("tone 2", fails_on="再见"))
    assert (tmp_path / "prompts/zh/goodbye.wav").exists()


def test_an_announcement_is_spoken_once(tmp_path: Path) -> None:
    speaker = ToneSpeaker()
    first = prompts.speak_text("城南停水。", "zh", settings_for(tmp_path), speaker)
    second = prompts.speak_text("城南停水。", "zh", settings_for(tmp_path), speaker)
    assert first == second
    assert speaker.spoken == ["城南停水。"]
    assert not audio.measure(audio.read(first)).silent


def test_a_broken_manifest_is_no_reason_to_fail(tmp_path: Path) -> None:
    build_prompts(settings_for(tmp_path), words=SMALL, speaker=ToneSpeaker())
    for content in ("{", "[]", "", "\x00"):
        (tmp_path / "prompts/.manifest.json").write_text(content)
        assert build_prompts(settings_for(tmp_path), words=SMALL, speaker=ToneSpeaker()).ok


def test_what_was_read_to_callers_goes_when_nobody_has_heard_it_for_some_time(tmp_path: Path) -> None:
    speaker = ToneSpeaker()
    kept = prompts.speak_text("城南停水。", "zh", settings_for(tmp_path), speaker)
    part = prompts.speak_text("请先储水。", "zh", settings_for(tmp_path), speaker, for_now=True)
    assert prompts.speak_text("请先储水。", "zh", settings_for(tmp_path), speaker, for_now=True) == part
    assert len(speaker.spoken) == 2
    assert prompts.forget_texts(tmp_path, 60.0) == 0
    assert prompts.forget_texts(tmp_path, -60.0) == 1
    assert kept.exists()
    assert not part.exists()
