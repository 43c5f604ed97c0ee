"""Sounds that are computed, not spoken: signals with a fixed meaning, and the hold music's raw material."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from . import audio

Wave = npt.NDArray[np.float64]


def sine(hz: float, seconds: float, level: float) -> Wave:
    """A sine with 8 ms ramps at both ends so that it starts and stops without a click."""
    count = round(seconds * audio.RATE)
    wave = level * np.sin(2 * np.pi * hz * np.arange(count) / audio.RATE)
    ramp = min(round(0.008 * audio.RATE), count // 2)
    edge = 0.5 - 0.5 * np.cos(np.pi * np.arange(ramp) / max(ramp, 1))
    wave[:ramp] *= edge
    wave[count - ramp :] *= edge[::-1]
    return np.asarray(wave, dtype=np.float64)


def gap(seconds: float) -> Wave:
    """Silence."""
    return np.zeros(round(seconds * audio.RATE))


def warning() -> Wave:
    """To the agent before an unclear emergency: three quick pairs, high then higher, like no ringing tone."""
    pair = np.concatenate([sine(1400, 0.09, 0.45), sine(2060, 0.09, 0.45), gap(0.06)])
    return np.concatenate([pair, pair, pair, gap(0.1)])


def beep() -> Wave:
    """Before a recording starts."""
    return np.concatenate([gap(0.05), sine(1000, 0.28, 0.35), gap(0.02)])


def pause() -> Wave:
    """A breath between groups of digits."""
    return gap(0.28)


TONES: dict[str, Callable[[], Wave]] = {"warning_tone": warning, "beep": beep, "pause": pause}
"""Prompt id → what computes it."""


def samples(name: str) -> audio.Samples:
    """The tone `name` ready to be written. Raises KeyError if there is none of that name."""
    return audio.from_float(TONES[name]())
