"""Telephone sound as arrays: reading, writing, measuring and joining 8 kHz 16-bit mono wav files."""

from __future__ import annotations

import math
import os
import tempfile
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

RATE = 8000
WAV_HEADER = 44
FULL_SCALE = 32768.0
Samples = npt.NDArray[np.int16]


class AudioError(Exception):
    """A sound file that can't be used; the text says which and why."""


@dataclass(frozen=True)
class Level:
    """How loud a stretch of sound is. Decibels are relative to full scale (0 is the loudest possible)."""

    seconds: float
    rms_db: float
    peak_db: float
    loud_seconds: float
    """Time in which a 20 ms frame is above -45 dB: speech, not line noise."""

    @property
    def silent(self) -> bool:
        """True if nobody would hear anything: no more than a tenth of a second above -45 dB."""
        return self.loud_seconds <= 0.1


def read(path: Path) -> Samples:
    """The samples of `path`. Raises AudioError unless it is a readable 8 kHz 16-bit mono wav.

    A file whose writer died has a header that promises too few or too many bytes; what is there is returned.
    """
    try:
        with wave.open(str(path), "rb") as handle:
            shape = (handle.getframerate(), handle.getnchannels(), handle.getsampwidth())
            data = handle.readframes(handle.getnframes())
    except (OSError, EOFError, wave.Error) as error:
        raise AudioError(f"{path}: {error}") from error
    if shape != (RATE, 1, 2):
        raise AudioError(
            f"{path}: {shape[0]} Hz, {shape[1]} channel(s), {shape[2] * 8} bit; 8000 Hz 16-bit mono is needed"
        )
    return np.frombuffer(data[: len(data) // 2 * 2], dtype="<i2").astype(np.int16, copy=False)


def write(path: Path, samples: Samples) -> None:
    """Writes a wav so that `path` is at every moment either absent, the old file or the whole new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=".wav")
    try:
        with os.fdopen(handle, "wb") as raw, wave.open(raw, "wb") as sound:
            sound.setnchannels(1)
            sound.setsampwidth(2)
            sound.setframerate(RATE)
            sound.writeframes(samples.astype("<i2").tobytes())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def measure(samples: Samples) -> Level:
    """Level of `samples`; an empty array is -inf dB and silent."""
    if not samples.size:
        return Level(0.0, -math.inf, -math.inf, 0.0)
    wide = samples.astype(np.float64)
    frame = RATE // 50
    whole = wide[: wide.size // frame * frame].reshape(-1, frame)
    frames = np.sqrt(np.mean(whole**2, axis=1)) if whole.size else np.sqrt(np.mean(wide**2, keepdims=True))
    loud = int(np.count_nonzero(frames > FULL_SCALE * 10 ** (-45 / 20)))
    return Level(
        seconds=samples.size / RATE,
        rms_db=_db(float(np.sqrt(np.mean(wide**2)))),
        peak_db=_db(float(np.max(np.abs(wide)))),
        loud_seconds=loud * frame / RATE,
    )


def silence(seconds: float) -> Samples:
    """That much digital silence."""
    return np.zeros(round(seconds * RATE), dtype=np.int16)


def join(paths: Sequence[Path], gap_s: float = 0.0) -> Samples:
    """The files one after another with `gap_s` between them. Raises AudioError if one can't be read."""
    parts: list[Samples] = []
    for path in paths:
        if parts and gap_s:
            parts.append(silence(gap_s))
        parts.append(read(path))
    return np.concatenate(parts) if parts else silence(0)


def from_float(values: npt.NDArray[np.float64]) -> Samples:
    """-1…1 to 16 bit. Raises AudioError rather than clipping."""
    if values.size and float(np.max(np.abs(values))) > 1.0:
        raise AudioError(f"the sound would clip: peak {float(np.max(np.abs(values))):.2f} of 1.00")
    return np.round(values * 32767.0).astype(np.int16)


def _db(amplitude: float) -> float:
    return 20 * math.log10(amplitude / FULL_SCALE) if amplitude > 0 else -math.inf
