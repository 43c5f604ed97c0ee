"""Hold music of our own: a slow pentatonic melody on plucked strings over a soft drone. Nobody's rights but ours."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import audio
from .tones import Wave

BEAT_S = 0.62
VERSION = 1


@dataclass(frozen=True)
class Tune:
    """Notes are (semitones above the root, beats), None for a rest; `bass` is one root per bar of four beats."""

    name: str
    root_hz: float
    notes: tuple[tuple[int | None, float], ...]
    bass: tuple[int, ...]


# Gong mode: 0 2 4 7 9. Phrases end on 0 or 7; leaps are followed by steps; nothing above 1 kHz so that narrow
# telephone lines carry it whole.
MORNING_RIVER = Tune(
    "morning_river",
    261.63,
    (
        (4, 2), (7, 1), (9, 1), (7, 2), (4, 2), (2, 1), (4, 1), (2, 1), (0, 1), (2, 4),
        (4, 2), (7, 1), (9, 1), (12, 2), (9, 2), (7, 1), (9, 1), (7, 1), (4, 1), (7, 4),
        (9, 1.5), (7, 0.5), (4, 1), (7, 1), (4, 2), (2, 2), (0, 1), (2, 1), (4, 1), (2, 1), (0, 4),
        (None, 2), (7, 1), (4, 1), (2, 2), (4, 2), (0, 2), (2, 1), (-3, 1), (0, 4),
    ),
    (0, 0, -3, -5, 0, 0, -5, -5, -3, -3, 0, 0, 0, -5, -3, 0),
)  # fmt: skip
TEA_TERRACE = Tune(
    "tea_terrace",
    220.0,
    (
        (7, 1), (9, 1), (12, 2), (9, 1), (7, 1), (4, 2), (7, 1), (4, 1), (2, 2), (4, 4),
        (4, 1), (7, 1), (9, 2), (7, 1), (4, 1), (2, 2), (4, 1), (2, 1), (0, 2), (2, 4),
        (0, 1), (2, 1), (4, 2), (7, 1), (9, 1), (7, 2), (12, 1.5), (9, 0.5), (7, 2), (9, 4),
        (7, 1), (4, 1), (2, 2), (4, 1), (2, 1), (0, 2), (2, 1), (0, 1), (-3, 2), (0, 4),
    ),
    (0, 0, -5, -3, 0, -3, -5, -5, -3, 0, 0, -3, 0, -5, -5, 0),
)  # fmt: skip
TUNES = (MORNING_RIVER, TEA_TERRACE)


def pluck(hz: float, seconds: float, level: float) -> Wave:
    """One string: harmonics that die the faster the higher they are, below 3.4 kHz."""
    time = np.arange(round(seconds * audio.RATE)) / audio.RATE
    wave = np.zeros_like(time)
    for harmonic, weight in ((1, 1.0), (2, 0.42), (3, 0.18), (4, 0.08), (5, 0.04)):
        if hz * harmonic < 3300:
            wave += weight * np.exp(-time * (1.3 + 0.9 * harmonic)) * np.sin(2 * np.pi * hz * harmonic * time)
    attack = min(round(0.012 * audio.RATE), wave.size)
    wave[:attack] *= np.linspace(0, 1, attack)
    return level * wave


def play(tune: Tune) -> audio.Samples:
    """The whole tune, its end fading to silence so that it loops without a click. About a minute; peak -9 dB."""
    beats = sum(length for _, length in tune.notes)
    total = round((beats * BEAT_S + 3.0) * audio.RATE)
    mix = np.zeros(total)

    def add(at_beat: float, wave: Wave) -> None:
        start = round(at_beat * BEAT_S * audio.RATE)
        end = min(start + wave.size, total)
        mix[start:end] += wave[: end - start]

    at = 0.0
    for step, length in tune.notes:
        if step is not None:
            add(at, pluck(tune.root_hz * 2 ** (step / 12), 2.6, 0.5))
        at += length
    for bar, step in enumerate(tune.bass):
        low = tune.root_hz * 2 ** (step / 12 - (0 if tune.root_hz < 240 else 1))
        add(bar * beats / len(tune.bass), pluck(low, 3.2, 0.3))
        add((bar + 0.5) * beats / len(tune.bass), pluck(low * 1.5, 2.4, 0.12))
    fade = round(1.5 * audio.RATE)
    mix[-fade:] *= np.linspace(1, 0, fade)
    mix *= 10 ** (-9 / 20) / float(np.max(np.abs(mix)))
    return audio.from_float(mix)


def build(folder: Path) -> list[Path]:
    """Writes every tune into `folder` unless this version of it is already there; returns the files."""
    made = []
    for tune in TUNES:
        path = folder / f"{tune.name}-{VERSION}.wav"
        if not path.exists():
            audio.write(path, play(tune))
        made.append(path)
    for old in folder.glob("*-*.wav"):
        if old not in made and old.stem.rsplit("-", 1)[0] in {tune.name for tune in TUNES}:
            old.unlink(missing_ok=True)
    return made
