"""The tests' own ear: what is taken for a tone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.peers import audio


def sound(path: Path, *parts: tuple[float, float]) -> Path:
    """(hz, seconds) one after the other; 0 Hz is silence."""
    pieces = [0.25 * np.sin(2 * np.pi * hz * np.arange(int(audio.RATE * long)) / audio.RATE) for hz, long in parts]
    return audio.write_samples(path, np.concatenate(pieces))


@pytest.mark.parametrize("burst", [0.06, 0.1, 0.3, 0.5, 1.0])
@pytest.mark.parametrize(("played", "sought"), [(450, 440), (440, 450)])
def test_a_piece_of_the_exchanges_tone_is_not_taken_for_the_citizens(
    tmp_path: Path, burst: float, played: float, sought: float
):
    """Tests in which an agent heard nothing but the ringing tone passed, because that was taken for the citizen."""
    file = sound(tmp_path / "ring.wav", (0, 0.3), (played, burst), (0, 0.25))
    for start in (-0.6, -0.5, -0.4, -0.3):
        assert not audio.has_tone(file, sought, start)
    assert audio.tone_times(file, sought) == []
    assert audio.ToneScan(file, sought).first() is None


def test_both_tones_at_once_are_both_heard(tmp_path: Path):
    file = audio.write_tone(tmp_path / "both.wav", (440, 450), 1.0)
    assert audio.has_tone(file, 440, -0.6)
    assert audio.has_tone(file, 450, -0.6)


@pytest.mark.parametrize("hz", [440, 450, 700, 880])
def test_a_tone_is_heard_as_itself(tmp_path: Path, hz: int):
    file = sound(tmp_path / "tone.wav", (0, 0.4), (hz, 1.2))
    assert audio.has_tone(file, hz, -0.6)
    assert audio.tone_seconds(file, hz) >= 1.0
