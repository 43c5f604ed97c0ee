"""What a recogniser is asked and says, without one: grammars, results, confidential parts, the life of a job."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from app.instance.banner import told_of
from app.settings import Settings
from app.speech.model import (
    TRANSITIONS,
    HeardWord,
    JobEvent,
    JobState,
    Utterance,
    grammar_of,
    hushed,
    joined,
    outside,
    utterance_of,
    words_of_partial,
)
from app.speech.models import fault_of
from app.speech.writing import is_silent, line_of
from recordings.lines import Channel, checked


def said(*words: tuple[str, int, int]) -> Utterance:
    return Utterance(tuple(HeardWord(text, start, end, 0.5) for text, start, end in words))


@pytest.mark.parametrize(
    "phrases",
    [[], (), "人工", [""], ["  "], [1], [None], [["人工"]], ["a" * 101], ['人"工'], ["人\\工"], ["[unk]"], ["人\n工"],
     ["人工"] * 201],
)  # fmt: skip
def test_a_grammar_of_which_vosk_would_die_does_not_reach_it(phrases: Any):
    with pytest.raises(ValueError):
        grammar_of(phrases)


@given(st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=8))
def test_whatever_grammar_passes_is_a_list_of_plain_words_without_escapes(phrases: list[str]):
    try:
        made = grammar_of(phrases)
    except ValueError:
        return
    assert json.loads(made)[-1] == "[unk]"
    assert all(isinstance(one, str) and one.strip() for one in json.loads(made))
    assert "\\" not in made


def test_a_grammar_names_each_phrase_once_in_its_own_characters():
    assert grammar_of(["人工", "投诉 建议", "人工"]) == '["人工", "投诉 建议", "[unk]"]'


def test_words_are_written_as_one_writes_them():
    assert joined(["打", "12345", "问", "open", "data", "的"]) == "打12345问open data的"


def test_a_result_becomes_words_with_their_times():
    told = {
        "result": [{"word": "人工", "start": 0.51, "end": 0.9, "conf": 0.8}, {"word": "[unk]", "start": 1, "end": 2}]
    }
    one = utterance_of(json.dumps(told))
    assert one is not None
    assert (one.text, one.start_ms, one.end_ms, one.confidence) == ("人工", 510, 900, 0.8)
    for nothing in (
        "",
        "{",
        "[]",
        '{"text": ""}',
        '{"result": []}',
        '{"result": [{"word": "[unk]", "start": 0, "end": 1}]}',
    ):
        assert utterance_of(nothing) is None
    assert words_of_partial('{"partial": "人工 [unk] 投诉"}') == "人工投诉"
    assert (words_of_partial("{"), words_of_partial("[1]")) == ("", "")


def test_a_confidential_part_is_neither_listened_to_nor_kept():
    sound = np.full(8000 * 10, 500, np.int16)
    quiet = hushed(sound, 8000, [(4_000, 6_000)])
    assert set(np.flatnonzero(quiet == 0) // 8000) == {3, 4, 5, 6}, "a second before and after it, too"
    assert sound.all(), "the sound itself stays as it is"
    assert hushed(sound, 8000, [(20_000, 30_000), (-5_000, -4_000)]) is sound
    heard = [said(("一", 0, 400), ("二", 3_900, 4_100)), said(("三", 5_000, 5_400)), said(("四", 7_000, 7_400))]
    assert [one.text for one in outside(heard, [(4_000, 6_000)])] == ["一", "四"]


def test_a_line_ends_with_its_sound_however_a_recogniser_rounds():
    line = line_of(Channel.citizen, said(("一", 9_800, 10_020), ("二", 10_020, 10_040)), 10_000)
    assert (line.start_ms, line.end_ms, line.words) == (9_800, 10_000, (("一", 9_800, 10_000), ("二", 10_000, 10_000)))
    assert checked([line], 10_000) == [line]


def test_silence_is_found_in_hours_without_hours_of_memory():
    hours = np.broadcast_to(np.zeros(1, np.int16), (8000 * 3600 * 4,))
    assert is_silent(hours[: 8000 * 300], 8000)
    voice = (np.sin(np.arange(8000) / 5) * 9000).astype(np.int16)
    assert not is_silent(np.concatenate([np.zeros(8000 * 90, np.int16), voice]), 8000)


def test_every_pair_of_state_and_event_of_a_job():
    for state, event in itertools.product(JobState, JobEvent):
        after = TRANSITIONS.get((state, event))
        if event is JobEvent.again:
            assert after == (JobState.waiting if state in (JobState.given_up, JobState.off) else None)
        elif state is JobState.waiting:
            assert after is not None
            assert (after is JobState.waiting) == (event is JobEvent.failed)
        else:
            assert after is None, "what has ended stays so until somebody wants it again"


def test_models_are_named_by_language_and_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    made = Settings(home=tmp_path, speech_models={"zh": "models/cn", "yue": "/srv/yue"})
    assert made.speech_folders == {"zh": tmp_path / "models/cn", "yue": Path("/srv/yue")}
    assert Settings(home=tmp_path, speech_models={"zh": "x"}, speech=False).speech_folders == {}
    for name, value in made.environment().items():
        monkeypatch.setenv(name, value)
    assert Settings() == made, "a child process gets the same"
    for wrong in ({"Chinese!": "x"}, {"zh": " "}):
        with pytest.raises(ValidationError):
            Settings(home=tmp_path, speech_models=wrong)


def test_what_is_wrong_with_a_model_is_told_in_words(tmp_path: Path):
    assert "is not there" in fault_of(tmp_path / "nowhere")
    (tmp_path / "file").write_text("")
    assert "is no folder" in fault_of(tmp_path / "file")
    assert "holds no vosk model" in fault_of(tmp_path)
    heart = tmp_path / "vosk-model-small-cn-0.22/am/final.mdl"
    heart.parent.mkdir(parents=True)
    heart.write_text("")
    assert "one folder further down, in vosk-model-small-cn-0.22/" in fault_of(tmp_path)
    model = heart.parent.parent
    assert "incomplete" in fault_of(model)
    (model / "graph").mkdir()
    (model / "graph/HCLG.fst").write_text("")
    assert fault_of(model) == ""
    assert "is written down" in told_of("zh", model)
    assert "calls go on" in told_of("zh", tmp_path / "nowhere")
