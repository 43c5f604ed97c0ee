"""What is in a sound file: tones and their levels, silence, length. Levels are dBFS (0 = full scale sine)."""

from __future__ import annotations

import math
import os
import struct
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

RATE = 8000
SILENCE_DB = -55.0
WINDOW_S = 0.2
# The citizen's tone and the exchange's (ringing, busy) are so close that a piece of one is loud at the other, too.
BESIDE = {440.0: 450.0, 450.0: 440.0}
OUTDONE = 0.9  # of the other's amplitude: less is its skirt
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


@dataclass(frozen=True)
class _Form:
    """How a PCM wav file is laid out: where its samples begin, and how many there are by the file's size."""

    begins: int
    channels: int
    rate: int
    frames: int

    @property
    def frame(self) -> int:
        return 2 * self.channels


def _form(file: BinaryIO, path: Path) -> _Form | None:
    """None as long as there is no header. A growing file's header tells a wrong length, so its size counts."""
    head = file.read(_HEAD)
    at = head.find(b"data", 12)
    if len(head) < 44 or head[:4] != b"RIFF" or at < 0:
        return None
    channels, rate = struct.unpack_from("<HI", head, 22)
    bits = struct.unpack_from("<H", head, 34)[0]
    if bits != 16:
        raise ValueError(f"{path}: {bits} bits a sample; 16 were expected")
    frames = (os.fstat(file.fileno()).st_size - at - 8) // (2 * channels)
    return _Form(at + 8, channels, rate, max(0, frames))


def read(path: Path, channel: int = 0, since: float = 0.0) -> np.ndarray:
    """The samples (-1..1) of a PCM wav file at 8 kHz from `since` seconds on (negative: from the end backwards), also
    of one that is still being written.

    Only what is wanted is read: a line that has been open for minutes is looked at many times a second. Other rates
    are brought to 8 kHz by picking samples, which is good enough to find a tone.
    """
    with path.open("rb") as file:
        form = _form(file, path)
        if form is None:
            return np.zeros(0)
        first = round(since * form.rate)
        first = max(0, form.frames + first) if since < 0 else min(first, form.frames)
        file.seek(form.begins + first * form.frame)
        body = file.read((form.frames - first) * form.frame)
    body = body[: len(body) // form.frame * form.frame]
    samples = np.frombuffer(body, "<i2").reshape(-1, form.channels)[:, min(channel, form.channels - 1)] / 32768
    return samples if form.rate == RATE else samples[:: max(1, round(form.rate / RATE))]


def duration(path: Path) -> float:
    """Seconds of sound in the file."""
    with path.open("rb") as file:
        form = _form(file, path)
        return form.frames / form.rate if form else 0.0


def _window(path: Path, start: float, end: float | None, channel: int) -> np.ndarray:
    if end is not None and start < 0:
        start = max(0.0, duration(path) + start)
    samples = read(path, channel, start)
    return samples if end is None else samples[: max(0, int(end * RATE) - round(start * RATE))]


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
    return _tone_steps(path, hz, threshold_db, channel, since)[0]


def _tone_steps(path: Path, hz: float, threshold_db: float, channel: int, since: float) -> tuple[list[float], float]:
    """(beginnings of the steps with the tone, where the next step will begin)."""
    step = int(RATE * WINDOW_S)
    first = math.ceil(round(since * RATE / step, 6)) * step
    samples = read(path, channel, first / RATE)
    steps = samples[: len(samples) // step * step].reshape(-1, step)
    shape = np.hanning(step)

    def amplitudes(of: float) -> np.ndarray:
        return 2 * np.abs(steps @ (shape * np.exp(-2j * np.pi * of * np.arange(step) / RATE))) / shape.sum()

    here = amplitudes(hz)
    loud = here > 10 ** (threshold_db / 20)
    if hz in BESIDE:
        loud &= here > OUTDONE * amplitudes(BESIDE[hz])
    return [float(first + at * step) / RATE for at in np.flatnonzero(loud)], (first + steps.size) / RATE


class ToneScan:
    """Looks for a tone in a file that grows; what was looked at once is not looked at again."""

    def __init__(self, path: Path, hz: float, threshold_db: float = -35.0, since: float = 0.0) -> None:
        self._path, self._hz, self._threshold_db, self._since = path, hz, threshold_db, since

    def first(self) -> float | None:
        """Where (seconds) the tone begins, None if it has not been heard yet; a file that is not there yet is silent.

        Never 0, which would read as "not yet".
        """
        if not self._path.exists():
            return None
        times, self._since = _tone_steps(self._path, self._hz, self._threshold_db, 0, self._since)
        return times[0] + 1e-6 if times else None


def has_tone(
    path: Path, hz: float, start: float = 0.0, end: float | None = None, threshold_db: float = -35.0, channel: int = 0
) -> bool:
    """Whether the tone stands out between `start` and `end`: loud enough over the whole stretch, and not just the skirt
    of the one beside it."""
    samples = _window(path, start, end, channel)
    here = level_of(samples, hz)
    outdone = hz in BESIDE and here <= level_of(samples, BESIDE[hz]) + 20 * math.log10(OUTDONE)
    return here > threshold_db and not outdone


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
