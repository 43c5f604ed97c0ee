"""What is in a sound file: tones and their levels, silence, length. Levels are dBFS (0 = full scale sine)."""

from __future__ import annotations

import math
import struct
import wave
from pathlib import Path

import numpy as np

RATE = 8000
SILENCE_DB = -55.0
WINDOW_S = 0.2
_HEAD = 4096  # of a file: its header lies within


def write_tone(path: Path, hz: float | tuple[float, ...], seconds: float, level_db: float = -12.0) -> Path:
    """Writes a tone (or several at once) as 8 kHz 16-bit mono; returns the path."""
    tones = hz if isinstance(hz, tuple) else (hz,)
    at = np.arange(int(RATE * seconds)) / RATE
    amplitude = 10 ** (level_db / 20) / len(tones)
    wave_form = sum(amplitude * np.sin(2 * np.pi * tone * at) for tone in tones)
    return write_samples(path, np.asarray(wave_form))


def write_silence(path: Path, seconds: float) -> Path:
    """Writes digital silence."""
    return write_samples(path, np.zeros(int(RATE * seconds)))


def write_samples(path: Path, samples: np.ndarray) -> Path:
    """Writes samples of -1..1 as 8 kHz 16-bit mono."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return path


def read(path: Path, channel: int = 0, since: float = 0.0) -> np.ndarray:
    """The samples (-1..1) of a PCM wav file at 8 kHz from `since` seconds on, also of one that is still being written.

    Other rates are brought to 8 kHz by picking samples, which is good enough to find a tone.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
        if len(head) < 44 or head[:4] != b"RIFF":
            return np.zeros(0)
        channels, rate = struct.unpack_from("<HI", head, 22)
        bits = struct.unpack_from("<H", head, 34)[0]
        if bits != 16:
            raise ValueError(f"{path}: {bits} bits a sample; 16 were expected")
        frame = 2 * channels
        # The header's length is wrong while a file grows: everything behind the data mark counts. Only what is wanted
        # is read: a line that has been open for minutes is looked at many times a second.
        at = head.find(b"data", 12)
        file.seek(at + 8 + round(since * rate) * frame)
        body = file.read() if at >= 0 else b""
    body = body[: len(body) // frame * frame]
    samples = np.frombuffer(body, "<i2").reshape(-1, channels)[:, min(channel, channels - 1)] / 32768
    return samples if rate == RATE else samples[:: max(1, round(rate / RATE))]


def duration(path: Path) -> float:
    """Seconds of sound in the file."""
    return len(read(path)) / RATE


def _window(path: Path, start: float, end: float | None, channel: int) -> np.ndarray:
    samples = read(path, channel)
    first = int(start * RATE) if start >= 0 else max(0, len(samples) + int(start * RATE))
    last = len(samples) if end is None else int(end * RATE)
    return samples[first:last]


def level_of(samples: np.ndarray, hz: float) -> float:
    """Level of one tone within samples."""
    if len(samples) < RATE // 50:
        return -120.0
    shaped = np.hanning(len(samples))
    at = np.arange(len(samples)) / RATE
    amplitude = 2 * abs(np.dot(samples * shaped, np.exp(-2j * np.pi * hz * at))) / shaped.sum()
    return float(20 * np.log10(max(amplitude, 1e-6)))


def tone_level(path: Path, hz: float, start: float = 0.0, end: float | None = None, channel: int = 0) -> float:
    """dBFS of the tone `hz` between `start` and `end` seconds (negative start: from the end backwards)."""
    return level_of(_window(path, start, end, channel), hz)


def rms_level(path: Path, start: float = 0.0, end: float | None = None, channel: int = 0) -> float:
    """dBFS of everything between `start` and `end` seconds."""
    samples = _window(path, start, end, channel)
    if not len(samples):
        return -120.0
    return float(20 * np.log10(max(np.sqrt(np.mean(samples**2)) * np.sqrt(2), 1e-6)))


def tone_seconds(path: Path, hz: float, threshold_db: float = -35.0, channel: int = 0) -> float:
    """How long the tone is heard in the file, in steps of 0.2 s."""
    return sum(1 for _at in tone_times(path, hz, threshold_db, channel)) * WINDOW_S


def tone_times(path: Path, hz: float, threshold_db: float = -35.0, channel: int = 0, since: float = 0.0) -> list[float]:
    """The beginnings (seconds) of those steps of 0.2 s in which the tone is heard, from `since` on."""
    step = int(RATE * WINDOW_S)
    first = math.ceil(since * RATE / step) * step
    samples = read(path, channel, first / RATE)
    steps = range(0, len(samples) - step + 1, step)
    return [(first + at) / RATE for at in steps if level_of(samples[at : at + step], hz) > threshold_db]


def has_tone(
    path: Path, hz: float, start: float = 0.0, end: float | None = None, threshold_db: float = -35.0, channel: int = 0
) -> bool:
    """Whether the tone stands out between `start` and `end`: loud enough over the whole stretch."""
    return tone_level(path, hz, start, end, channel) > threshold_db


def is_silent(path: Path, start: float = 0.0, end: float | None = None, channel: int = 0) -> bool:
    """Whether nothing is heard between `start` and `end`."""
    return rms_level(path, start, end, channel) < SILENCE_DB


def longest_silence(path: Path, start: float = 0.0, channel: int = 0) -> float:
    """Seconds of the longest stretch without sound from `start` on, in steps of 0.2 s."""
    samples = _window(path, start, None, channel)
    step = int(RATE * WINDOW_S)
    longest = current = 0
    for at in range(0, len(samples) - step + 1, step):
        part = samples[at : at + step]
        quiet = 20 * np.log10(max(np.sqrt(np.mean(part**2)) * np.sqrt(2), 1e-6)) < SILENCE_DB
        current = current + 1 if quiet else 0
        longest = max(longest, current)
    return longest * WINDOW_S
