"""Telephone audio: read what can be read, tell a message from silence."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.audio import Sound, listen, read_wav, stereo, write_wav
from app.errors import BadInput
from app.faxes.tiff import count_pages
from recordings.chain import Link

RATE = 8000


def noise(level: float, seconds: float = 3.0) -> np.ndarray:
    return np.random.default_rng(7).normal(0, level * 32768, int(seconds * RATE)).astype(np.int16)


def tone(level: float, seconds: float = 3.0, hz: int = 440) -> np.ndarray:
    t = np.arange(int(seconds * RATE)) / RATE
    return (level * 32767 * np.sin(2 * np.pi * hz * t)).astype(np.int16)


@pytest.mark.parametrize(
    ("samples", "silent"),
    [
        (np.zeros(24000, np.int16), True),
        (np.full(24000, 3000, np.int16), True),  # a direct-current offset
        (noise(0.001), True),
        (noise(0.001) + np.concatenate([tone(0.1, 0.2), np.zeros(22400, np.int16)]), True),  # one click
        (tone(0.1), False),
        (tone(0.01), False),
        (noise(0.0005) + np.concatenate([np.zeros(8000, np.int16), tone(0.003, 2.0)]), False),  # a far voice
    ],
)
def test_a_message_is_told_from_silence(samples: np.ndarray, silent: bool):
    assert listen(Sound(samples, RATE)).is_silent is silent


def test_written_sound_is_read_back_sample_by_sample(tmp_path: Path):
    samples = tone(0.5, 1.0)
    write_wav(tmp_path / "a.wav", samples, RATE)
    sound = read_wav(tmp_path / "a.wav")
    assert np.array_equal(sound.samples, samples)
    assert (sound.duration_s, sound.repaired) == (1.0, False)
    other, rate = soundfile.read(tmp_path / "a.wav", dtype="int16")
    assert rate == RATE
    assert np.array_equal(other, samples)


@pytest.mark.parametrize("subtype", ["ALAW", "ULAW"])
def test_companded_sound_is_read_too(tmp_path: Path, subtype: str):
    samples = tone(0.5, 1.0)
    soundfile.write(tmp_path / "a.wav", samples, RATE, subtype=subtype, format="WAV")
    sound = read_wav(tmp_path / "a.wav")
    assert len(sound.samples) == RATE
    assert np.abs(sound.samples.astype(int) - samples).max() < 2000


@pytest.mark.parametrize("said", [0, 0xFFFFFFFF, 999_999])
def test_a_header_that_lies_about_the_length_is_not_believed(tmp_path: Path, said: int):
    path = tmp_path / "a.wav"
    write_wav(path, tone(0.5, 1.0), RATE)
    data = bytearray(path.read_bytes())
    data[40:44] = struct.pack("<I", said)
    path.write_bytes(data)
    sound = read_wav(path)
    assert (len(sound.samples), sound.repaired) == (RATE, True)


def test_a_file_cut_in_the_middle_of_a_sample_is_read_up_to_it(tmp_path: Path):
    path = tmp_path / "a.wav"
    write_wav(path, tone(0.5, 1.0), RATE)
    path.write_bytes(path.read_bytes()[:1001])
    sound = read_wav(path)
    assert (len(sound.samples), sound.repaired) == ((1001 - 44) // 2, True)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.booleans())
def test_no_bytes_break_the_reader(tmp_path: Path, data: bytes, with_header: bool):
    path = tmp_path / "a.wav"
    path.write_bytes((b"RIFF\0\0\0\0WAVE" if with_header else b"") + data)
    try:
        listen(read_wav(path))
    except BadInput:
        pass


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300), st.sampled_from([b"", b"II*\0", b"MM\0*", b"II*\0\x08\0\0\0"]))
def test_no_bytes_break_the_page_counter(data: bytes, head: bytes):
    assert 0 <= count_pages(head + data) <= 500


def test_a_page_list_that_bites_its_tail_ends():
    data = b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", 1) + b"\0" * 12 + struct.pack("<I", 8)
    assert count_pages(data) == 1


def test_stereo_puts_the_citizen_left_and_fills_the_shorter_side():
    mixed, rate = stereo(Sound(np.ones(4, np.int16), RATE), Sound(np.full(2, 2, np.int16), RATE))
    assert rate == RATE
    assert mixed.tolist() == [[1, 2], [1, 2], [1, 0], [1, 0]]
    with pytest.raises(BadInput):
        stereo(None, None)
    with pytest.raises(BadInput):
        stereo(Sound(np.ones(4, np.int16), RATE), Sound(np.ones(4, np.int16), 16000))


def test_every_fact_of_a_link_changes_its_hash():
    base = Link(1, "h-1", 1, "1001", "2026-11-24T01:00:00.000+00:00", 1000, "a.wav", 44, "00", "", "")
    changed = {"seq": 2, "call_id": "h-2", "segment": 2, "agent_id": None, "started_at": "x", "duration_ms": 1}
    changed |= {"path": "b.wav", "bytes": 45, "sha256": "01", "partial": "x", "previous": "y"}
    digests = {base.digest()} | {
        type(base)(**{**base.__dict__, name: value}).digest() for name, value in changed.items()
    }
    assert len(digests) == len(changed) + 1
