"""How tests recognise a prompt in what a caller heard: a slipped frame does not hide it, another prompt is not it."""

from __future__ import annotations

import numpy as np

from tests.calls.voice_world import SURE, Wave, likeness
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


def test_another_prompt_is_not_taken_for_it() -> None:
    assert likeness(speech(4, 9.0), speech(1, 4.5))[0] < 0.4
    assert likeness(np.zeros(9 * audio.RATE), speech(1, 4.5))[0] < 0.1
    assert likeness(speech(4, 1.0), speech(1, 4.5))[0] == 0.0
