"""Was this prompt heard? Finds a known sound inside a recording."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

RATE = 8000
Samples = npt.NDArray[np.float64]


def likeness(recording: Samples, sound: Samples, part_s: float = 1.5) -> float:
    """0 to 1: how well the best place in `recording` matches the first `part_s` seconds of `sound` (both 8 kHz).

    Normalised cross-correlation; a prompt that went through a telephone codec gives more than 0.9, speech of other
    words less than 0.4.
    """
    part = _without_lead(sound)[: int(part_s * RATE)]
    if len(part) < RATE // 4 or len(recording) < len(part):
        return 0.0
    part = part - part.mean()
    recording = recording - recording.mean()
    size = 1 << (len(recording) + len(part)).bit_length()
    spectrum = np.fft.rfft(recording, size) * np.conj(np.fft.rfft(part, size))
    products = np.fft.irfft(spectrum, size)[: len(recording) - len(part) + 1]
    energy = np.concatenate(([0.0], np.cumsum(recording**2)))
    window = energy[len(part) :] - energy[: len(energy) - len(part)]
    floor = max(float(energy[-1]) * 1e-6, 1e-9)
    norm = np.sqrt(np.maximum(window, floor) * float(np.sum(part**2)))
    return float(np.clip(np.max(products / norm), 0.0, 1.0)) if norm.size else 0.0


def is_silent(recording: Samples) -> bool:
    """True if nothing louder than line noise (-50 dB of full scale, averaged) is in it."""
    return recording.size == 0 or float(np.sqrt(np.mean(recording**2))) < 0.003


def _without_lead(sound: Samples) -> Samples:
    """The sound from where it becomes loud: silence at the start would match any other silence."""
    loud = np.flatnonzero(np.abs(sound) > 0.05 * float(np.max(np.abs(sound), initial=0.0)))
    return sound[loud[0] :] if loud.size else sound[:0]
