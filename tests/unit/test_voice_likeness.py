"""How tests recognise a prompt in what a caller heard: a slipped frame does not hide it, another prompt is not it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.calls import voice_world
from tests.calls.voice_world import SURE, Wave, likeness, wait_heard
from tests.peers import audio


def speech(seed: int, seconds: float) -> Wave:
    """Noise that rises and falls as speech does."""
    size = int(seconds * audio.RATE)
    noise = np.random.default_rng(seed).standard_normal(size)
    return noise * (1.1 + np.sin(np.arange(size) * 2 * np.pi * 3 / audio.RATE)) * 0.1


def test_a_prompt_is_found_where_it_begins() -> None:
    prompt = speech(1, 4.5)
    heard = np.concatenate([speech(2, 1.5), prompt, speech(3, 1.0)])
    score, at = likeness(heard, prompt)
    assert score > SURE
    assert abs(at - 1.5) < 0.001


def test_frames_lost_or_doubled_on_the_way_do_not_hide_a_prompt() -> None:
    prompt = speech(1, 4.5)
    frame = audio.RATE // 50
    lost = np.concatenate([prompt[:12_000], prompt[12_000 + frame : 24_000], prompt[24_000 - 2 * frame :]])
    assert likeness(np.concatenate([speech(2, 1.0), lost]), prompt)[0] > SURE


def test_a_frame_lost_in_the_middle_does_not_hide_a_short_sentence_either() -> None:
    sentence, frame = speech(1, 1.75), audio.RATE // 50
    lost = np.concatenate([sentence[:7_000], sentence[7_000 + frame :]])
    assert likeness(np.concatenate([speech(2, 1.0), lost, speech(3, 1.0)]), sentence)[0] > 0.7
    assert likeness(speech(4, 9.0), sentence)[0] < 0.4


def test_another_prompt_is_not_taken_for_it() -> None:
    assert likeness(speech(4, 9.0), speech(1, 4.5))[0] < 0.4
    assert likeness(np.zeros(9 * audio.RATE), speech(1, 4.5))[0] < 0.1
    assert likeness(speech(4, 1.0), speech(1, 4.5))[0] == 0.0


Call = Callable[[Wave], Path]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """`call(sound)`: a file that grows by so much of `sound` from one look to the next, without waiting for it."""

    def place(sound: Wave) -> Path:
        file = tmp_path / "heard.wav"

        def ask(look: Callable[[], float | None], timeout: float, what: str, every: float) -> float:
            for end in range(0, sound.size + 1, int(audio.RATE * every)):
                audio.write_samples(file, sound[:end])
                if (found := look()) is not None:
                    return found
            raise AssertionError(what)

        monkeypatch.setattr(voice_world, "wait_until", ask)
        return file

    return place


@pytest.fixture
def prompt(tmp_path: Path) -> Callable[[Wave], Path]:
    """`prompt(sound)`: the file of it."""
    return lambda sound: audio.write_samples(tmp_path / "prompt.wav", sound)


@pytest.mark.parametrize("seconds", [0.3, 3.0])
@pytest.mark.parametrize("begins", [0.0, 0.7, 4.33])
def test_a_prompt_is_found_where_it_begins_in_however_many_looks(
    call: Call, prompt: Callable[[Wave], Path], seconds: float, begins: float
) -> None:
    wanted = speech(1, seconds)
    heard = call(np.concatenate([speech(2, begins), wanted, speech(3, 1.0)]))
    assert wait_heard(heard, prompt(wanted)) == pytest.approx(begins, abs=0.001)


def test_a_prompt_with_a_lost_frame_is_found_in_a_call_that_goes_on(call: Call, prompt: Callable[[Wave], Path]) -> None:
    wanted = speech(1, 4.5)
    lost = np.concatenate([wanted[:20_000], wanted[20_000 + audio.RATE // 50 :]])
    heard = call(np.concatenate([speech(2, 4.0), lost, speech(3, 1.0)]))
    assert wait_heard(heard, prompt(wanted)) == pytest.approx(4.0, abs=0.05)


def test_what_was_said_before_the_second_asked_for_does_not_count(call: Call, prompt: Callable[[Wave], Path]) -> None:
    wanted = speech(1, 1.0)
    heard = call(np.concatenate([wanted, speech(2, 3.0), wanted, speech(3, 1.0)]))
    assert wait_heard(heard, prompt(wanted), since=0.5) == pytest.approx(4.0, abs=0.001)


def test_a_prompt_that_is_never_said_is_not_heard(call: Call, prompt: Callable[[Wave], Path]) -> None:
    with pytest.raises(AssertionError, match="hears"):
        wait_heard(call(speech(2, 6.0)), prompt(speech(1, 2.0)))
