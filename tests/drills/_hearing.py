"""What a party heard: where a prompt begins in a recording, and how long a tone was away."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.peers import audio

PROBE_S = 1.2
ALIKE = 0.6


def prompt_at(heard: Path, prompt: Path, since: float = 0.0) -> float | None:
    """Seconds into `heard` at which `prompt` begins (first place at or after `since`), None if it is not in it.

    The first 1.2 s of speech are looked for by normalised correlation, which a telephone codec and the volume do not
    disturb. Both files are 8 kHz.
    """
    voice = audio.read(prompt)
    loud = np.flatnonzero(np.abs(voice) > 0.02)
    if not len(loud):
        raise ValueError(f"{prompt} is silent")
    lead = int(loud[0])
    return _found(audio.read(heard), voice[lead : lead + int(PROBE_S * audio.RATE)], lead, since)


def _found(heard: np.ndarray, probe: np.ndarray, lead: int, since: float) -> float | None:
    start = int(since * audio.RATE)
    heard = heard[start:]
    places = len(heard) - len(probe) + 1
    if places < 1:
        return None
    size = 1 << (len(heard) + len(probe) - 1).bit_length()
    spectrum = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(probe, size))
    product = np.fft.irfft(spectrum, size)[:places]
    sums = np.concatenate(([0.0], np.cumsum(heard**2)))
    energy = sums[len(probe) :] - sums[: -len(probe)]
    alike = product / (np.sqrt(np.maximum(energy, 1e-6)) * np.sqrt(np.sum(probe**2)))
    hits = np.flatnonzero(alike > ALIKE)
    if not len(hits):
        return None
    # The best place within the neighbourhood of the first hit.
    near = hits[hits < hits[0] + audio.RATE // 10]
    best = int(near[np.argmax(alike[near])])
    return (start + best - lead) / audio.RATE


def longest_gap(heard: Path, hz: float, start: float, end: float | None = None) -> float:
    """The longest stretch in seconds (steps of 0.2 s) between `start` and `end` without the tone."""
    length = audio.duration(heard) if end is None else end
    last, longest = start, 0.0
    for at in audio.tone_times(heard, hz):
        if at < start:
            continue
        if at >= length:
            break
        longest = max(longest, at - last)
        last = at + audio.WINDOW_S
    return max(longest, length - audio.WINDOW_S - last, 0.0)
