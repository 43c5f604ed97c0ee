"""A language more is a folder of prompts and a word in the flow (docs/languages.md): one that nobody speaks."""

from __future__ import annotations

import wave
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from agi_scripts.services import VoiceSetup
from agi_scripts.shared import language_of
from app.languages import languages_of
from ivr import audio, catalogue, prompts, verifier
from ivr import flow as flow_module
from ivr.catalogue import Phrase
from ivr.interpreter import Ask, Facts, Fetched, Finish, Keys, begin, step
from ivr.marked_yaml import DataFileError
from tests.unit.agi_fake_asterisk import write_tone

CODE = "qaa"
"""Of the codes that ISO 639 keeps for private use."""


class Tone:
    """A voice that is quick: a tone instead of words."""

    identity = "tone"

    def __init__(self) -> None:
        self.said: list[Phrase] = []

    def speak(self, phrase: Phrase, target: Path) -> None:
        self.said.append(phrase)
        write_tone(target, 0.2)


def invented(home: Path, **changes: object) -> Path:
    """The folder of the invented language: English words backwards."""
    english = catalogue.shipped().languages["en"]
    folder = home / catalogue.OWN_FOLDER / CODE
    folder.mkdir(parents=True)
    value = {
        "language": CODE,
        "voice": "eo",
        "prompts": {name: text[::-1].strip() or "?" for name, text in english.prompts.items()},
        "series": {"number": [f"n{number}" for number in range(100)]},
        **changes,
    }
    (folder / catalogue.OWN_FILE).write_text(yaml.safe_dump(value, allow_unicode=True), encoding="utf-8")
    return folder


def few(words: catalogue.Catalogue) -> catalogue.Catalogue:
    """English and the invented language with few prompts: to build them all would only take longer."""
    names = ("greeting", "main_menu", "digit_2", "digit_3", "digit_4", "choose_language")
    some = {
        code: replace(words.languages[code], prompts={name: words.languages[code].prompts[name] for name in names})
        for code in ("en", CODE)
    }
    return catalogue.Catalogue(some, ("pause",), {"number": range(42, 45)})


def own_flow(home: Path) -> flow_module.Flow:
    """The one line: the flow's list of languages, with one more."""
    text = flow_module.SHIPPED.read_text(encoding="utf-8")
    assert text.count("languages: [zh, yue, en]") == 1
    (home / flow_module.OWN).write_text(text.replace("[zh, yue, en]", f"[zh, yue, en, {CODE}]"), encoding="utf-8")
    return flow_module.load(flow_module.path_in(home))


def test_a_language_is_a_folder_of_prompts_and_a_word_in_the_flow(tmp_path: Path) -> None:
    assert flow_module.path_in(tmp_path) == flow_module.SHIPPED
    folder = invented(tmp_path)
    write_tone(folder / "greeting.wav", 0.7)
    words = catalogue.of_home(tmp_path)
    flow = own_flow(tmp_path)
    assert verifier.verify(flow, words) == []

    state, actions = begin(flow, Facts())
    assert isinstance(actions[-1], Ask)
    assert actions[-1].prompts[-2:] == (f"{CODE}:choose_language", f"{CODE}:number_4")
    state, actions = step(flow, state, Keys("4"))
    state, actions = step(flow, state, Fetched("none"))
    assert actions[-1].language == CODE
    state, actions = step(flow, state, Keys("0"))
    assert isinstance(actions[-1], Finish)
    variables = actions[-1].variables
    assert (variables["HOTLINE_LANG"], variables["HOTLINE_SKILLS"]) == (CODE, f"{CODE}:1")


def test_its_prompts_are_built_its_recordings_come_first_and_what_has_no_word_is_said_digit_by_digit(
    tmp_path: Path,
) -> None:
    folder = invented(tmp_path, series={})
    write_tone(folder / "greeting.wav", 0.7)
    voice = Tone()
    words = few(catalogue.load(more=tmp_path / catalogue.OWN_FOLDER))
    report = prompts.build_prompts(prompts.PromptSettings(tmp_path, lambda name: name), words=words, speaker=voice)
    assert report.ok, report.faults[:3]
    built = tmp_path / "prompts" / CODE
    with wave.open(str(built / "greeting.wav")) as sound:
        assert sound.getnframes() / audio.RATE == pytest.approx(0.7, abs=0.01)
    assert {one.stem for one in built.glob("*.wav")} == {
        one.stem for one in (tmp_path / "prompts" / "en").glob("*.wav")
    }
    assert [one.text for one in words.recipe(CODE, "number_42").phrases] == ["ruof", "owt"]
    assert list(prompts.missing_files(tmp_path, words)) == []


def test_a_language_without_a_voice_has_what_is_recorded_and_the_verifier_names_the_rest(tmp_path: Path) -> None:
    folder = invented(tmp_path, voice="", series={})
    for name in ("greeting", "choose_language", "number_4"):
        write_tone(folder / f"{name}.wav", 0.2)
    words = catalogue.load(more=tmp_path / catalogue.OWN_FOLDER)
    assert words.has(CODE, "greeting")
    assert words.has("zh", f"{CODE}:number_4")
    assert not words.has(CODE, "number_5")
    found = verifier.verify(own_flow(tmp_path), words)
    assert {one.code for one in found} == {"missing-prompt"}
    assert any("'main_menu'" in one.text and CODE in one.text for one in found)


def test_a_prompt_that_it_lacks_keeps_the_flow_from_going_live(tmp_path: Path) -> None:
    english = dict(catalogue.shipped().languages["en"].prompts)
    del english["reading_more_menu"]
    invented(tmp_path, prompts=english)
    words = catalogue.load(more=tmp_path / catalogue.OWN_FOLDER)
    [finding] = verifier.verify(own_flow(tmp_path), words)
    assert (finding.node, finding.code) == ("reading_more", "missing-prompt")
    assert verifier.main(tmp_path / flow_module.OWN, words) == 1


def test_a_file_that_names_another_language_is_said_so_with_its_line(tmp_path: Path) -> None:
    invented(tmp_path, language="qab")
    with pytest.raises(DataFileError, match="must be 'qaa', the folder's name"):
        catalogue.load(more=tmp_path / catalogue.OWN_FOLDER)


def test_scripts_and_dialplan_know_it(tmp_path: Path) -> None:
    invented(tmp_path)
    assert languages_of(tmp_path) == ("zh", "yue", "en", CODE)
    setup = VoiceSetup(tmp_path, lambda name: name, tmp_path, tmp_path)
    assert language_of(setup, CODE) == CODE
    assert language_of(setup, "tlh") == "zh"


def test_more_languages_than_keys_are_refused(tmp_path: Path) -> None:
    text = flow_module.SHIPPED.read_text(encoding="utf-8")
    many = ", ".join(f"qa{letter}" for letter in "abcdefghi")
    (tmp_path / "flow.yaml").write_text(text.replace("[zh, yue, en]", f"[{many}]"), encoding="utf-8")
    with pytest.raises(flow_module.FlowError, match="more than 8 languages"):
        flow_module.load(tmp_path / "flow.yaml")
