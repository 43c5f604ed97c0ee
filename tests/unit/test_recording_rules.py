"""Recordings by themselves: wave forms, and what may be written down as said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.audio import write_wav
from app.errors import BadInput
from recordings import peaks
from recordings.lines import LONGEST_LINE, Channel, Line, checked
from recordings.peaks import KEPT, PER_SECOND, measured, peaks_of

RATE = 8000


def tone(seconds: float, loud: int) -> np.ndarray:
    return (loud * np.sin(2 * np.pi * 440 * np.arange(int(seconds * RATE)) / RATE)).astype(np.int16)


def talk(seconds: float = 10.0) -> np.ndarray:
    """The citizen speaks in the first half, the agent in the second and half as loud."""
    samples = np.zeros((int(seconds * RATE), 2), np.int16)
    half = len(samples) // 2
    samples[:half, 0] = tone(seconds, 32767)[:half]
    samples[half:, 1] = tone(seconds, 16000)[: len(samples) - half]
    return samples


def test_the_wave_form_is_the_loudest_of_each_step_on_each_side():
    found = measured(talk(), RATE)
    left, right = np.frombuffer(found.left, np.uint8), np.frombuffer(found.right, np.uint8)
    assert len(left) == len(right) == 10 * PER_SECOND
    assert left[:40].min() == 255
    assert not left[40:].any()
    assert not right[:40].any()
    assert set(right[40:]) == {125}


def test_nothing_is_lost_at_the_ends_of_what_a_sample_can_say():
    samples = np.zeros((1500, 2), np.int16)
    samples[0, 0], samples[1400, 1] = -32768, 1  # the least number has no positive twin; a step that is not whole
    found = measured(samples, RATE)
    assert list(found.left) == [255, 0]
    assert list(found.right) == [0, 1]
    assert measured(samples[:0], RATE).left == b""


def test_it_is_kept_beside_the_file_and_made_again_when_it_is_damaged(tmp_path: Path):
    file = tmp_path / "h-1-1.abc.wav"
    write_wav(file, talk(2), RATE)
    first = peaks_of(file)
    kept = file.with_suffix(KEPT)
    whole = kept.read_bytes()
    file.write_bytes(b"")
    assert peaks_of(file) == first, "it is not measured twice"
    write_wav(file, talk(2), RATE)
    for damaged in (b"", whole[:-1], b"x" * len(whole)):
        kept.write_bytes(damaged)
        assert peaks_of(file) == first
        assert kept.read_bytes() == whole


def test_nothing_is_kept_of_a_file_that_is_deleted_while_it_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    file = tmp_path / "h.wav"
    write_wav(file, talk(2), RATE)

    def deleted(samples: np.ndarray, rate: int) -> peaks.Peaks:
        file.unlink()
        return measured(samples, rate)

    monkeypatch.setattr(peaks, "measured", deleted)
    assert peaks_of(file).left
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("data", [b"", b"\x01" * 5000, b"RIFF    WAVEfmt "])
def test_what_is_no_sound_has_no_wave_form(tmp_path: Path, data: bytes):
    file = tmp_path / "h.raw"
    file.write_bytes(data)
    with pytest.raises(BadInput):
        peaks_of(file)


def test_a_talk_of_half_an_hour_has_a_wave_form_of_its_whole_length(tmp_path: Path):
    """How long that takes is measured by tests/bench/wave.py."""
    file = tmp_path / "long.wav"
    write_wav(file, np.tile(talk(60), (30, 1)), RATE)
    assert len(peaks_of(file).left) == 30 * 60 * PER_SECOND


def line(**changes: object) -> Line:
    return Line(**{"channel": Channel.agent, "start_ms": 0, "end_ms": 900, "text": "您好", **changes})  # type: ignore[arg-type]


def test_lines_are_put_in_order_and_made_harmless():
    said = checked(
        [line(start_ms=500, text=" 我\x00家\n停水 "), line(channel=Channel.citizen), line(text="\u202e")], 1000
    )
    assert [(one.start_ms, one.channel.value, one.text) for one in said] == [
        (0, "citizen", "您好"),
        (500, "agent", "我家 停水"),
    ]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"start_ms": 1000}, "start_ms"),
        ({"end_ms": 9_000}, "start_ms"),
        ({"start_ms": -1}, "start_ms"),
        ({"text": "x" * (LONGEST_LINE + 1)}, "text"),
        ({"confidence": 1.5}, "confidence"),
        ({"words": (("您好", 0, 901),)}, "words"),
    ],
)
def test_what_cannot_be_a_line_is_named(changes: dict[str, object], field: str):
    with pytest.raises(BadInput) as caught:
        checked([line(), line(**changes)], 1000)
    assert set(caught.value.fields) == {f"lines.1.{field}"}


def test_nobody_says_so_much():
    with pytest.raises(BadInput):
        checked([line()] * 5_001, 1000)
