"""What numbers of the public network sound like when an audit calls them: files of the peer's own making."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from tests.peers.audio import RATE, write_samples
from tests.peers.network import BUSY, NO_ANSWER, UNALLOCATED, Line, PublicNetwork

Behaves = Callable[[PublicNetwork, str, Path], None]


def _tone(seconds: float, hz: float) -> np.ndarray:
    return np.asarray(0.2 * np.sin(2 * np.pi * hz * np.arange(int(RATE * seconds)) / RATE))


def voice(seconds: float) -> np.ndarray:
    """Syllables over a gliding pitch: a voice to an ear, and cheap."""
    t = np.arange(int(RATE * seconds)) / RATE
    pitch = np.cumsum(130 + 40 * np.sin(2 * np.pi * 1.1 * t)) / RATE
    sound = sum(np.sin(2 * np.pi * n * pitch) / n for n in range(1, 18))
    return np.asarray(0.1 * np.clip(np.sin(2 * np.pi * 4 * t) + 0.5, 0, 1) * sound)


def write_all(folder: Path) -> None:
    """The files that `BEHAVIOURS` play."""
    sit = np.concatenate([_tone(0.33, hz) for hz in (950, 1400, 1800)])
    write_samples(folder / "hello.wav", voice(1.5))
    write_samples(folder / "announcement.wav", np.concatenate([sit, np.zeros(RATE // 4), voice(2)]))
    write_samples(folder / "ced.wav", np.concatenate([np.zeros(RATE // 5), _tone(2.6, 2100)]))


def _says(name: str, ring_s: float) -> Behaves:
    def behave(network: PublicNetwork, number: str, folder: Path) -> None:
        def then(line: Line) -> None:
            line.play(folder / f"{name}.wav")
            line.wait(30)

        network.answers(number, ring_s, then)

    return behave


BEHAVIOURS: Mapping[str, Behaves] = {
    "answered": _says("hello", 0.3),
    "vacant": lambda network, number, folder: network.refuses(number, UNALLOCATED),
    "busy": lambda network, number, folder: network.refuses(number, BUSY, 0.3),
    "no_answer": lambda network, number, folder: network.refuses(number, NO_ANSWER, 1.0),
    "unanswered": lambda network, number, folder: network.refuses(number, NO_ANSWER, 60.0),
    "intercepted": _says("announcement", 0.1),
    "fax": _says("ced", 0.5),
    "silent": lambda network, number, folder: network.answers(number, 0.3, lambda line: line.wait(30)),
}
"""What a number does, by what an audit has to find; "unanswered" rings until the caller gives up."""
FOUND = {name: "no_answer" if name == "unanswered" else name for name in BEHAVIOURS}
