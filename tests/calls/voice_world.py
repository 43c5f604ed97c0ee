"""Our Asterisk with the real voice scripts and the real prompts, for tests that listen to what a caller hears."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from agi_scripts import shared
from agi_scripts.memory_services import MemoryServices
from agi_scripts.scripts import SCRIPTS
from agi_scripts.server import FastAgiServer, Script
from agi_scripts.services import VoiceSetup
from app.prompting import build_all
from app.settings import REPO, Settings
from app.tools import tool
from tests.peers import audio
from tests.peers.waiting import wait_until

Wave = npt.NDArray[np.float64]
SURE = 0.8
PIECE, SLIP = audio.RATE, audio.RATE // 5


def build_real_prompts(home: Path) -> None:
    """Fills `home` with spoken prompts as an instance does: what another one of this checkout has spoken is copied."""
    report = build_all(Settings(home=home, tools=REPO / ".telephony"))
    assert report.ok, report.faults


class Voice:
    """The voice process of a test, in this process; `services` is its domain."""

    def __init__(
        self,
        settings: Settings,
        max_calls: int = 50,
        services: type[MemoryServices] = MemoryServices,
        scripts: Mapping[str, Script] = SCRIPTS,
    ) -> None:
        self.settings = settings
        self.services = services(VoiceSetup.from_settings(settings, lambda name: tool(name, settings)))
        self.server = FastAgiServer(settings.agi_host, settings.agi_port, scripts, self.services, max_calls)
        shared._sounds.clear()

    @contextlib.contextmanager
    def running(self) -> Iterator[Voice]:
        """Serves for the body."""
        self.server.start()
        try:
            yield self
        finally:
            self.server.stop(0.5)

    def prompt(self, language: str, name: str) -> Path:
        """The file of a prompt."""
        return self.settings.paths.prompts / language / f"{name}.wav"


def likeness(heard: Wave, wanted: Wave) -> tuple[float, float]:
    """How well `wanted` is found in `heard` at its best place: (normalised correlation 0…1, second where it begins).

    A telephone line may drop or stretch a frame in the middle, after which nothing fits the whole any more; so a second
    at a time (half of one, of a short sentence) is compared as well, each within SLIP of where it belongs.
    """
    whole, best = _best(heard, wanted)
    if whole >= SURE or wanted.size < PIECE or heard.size < wanted.size:
        return whole, best / audio.RATE
    found = weight = 0.0
    size = PIECE if wanted.size >= 2 * PIECE else PIECE // 2
    for start in range(0, wanted.size - size + 1, size):
        piece = wanted[start : start + size]
        near = heard[max(0, best + start - SLIP) : best + start + size + SLIP]
        energy = float(np.sum(piece**2))
        found, weight = found + energy * _best(near, piece)[0], weight + energy
    return max(whole, found / weight if weight else 0.0), best / audio.RATE


def _best(heard: Wave, wanted: Wave) -> tuple[float, int]:
    """(normalised correlation, sample where it begins) at the place where `wanted` fits best."""
    if heard.size < wanted.size or not wanted.size:
        return 0.0, 0
    size = 1 << int(np.ceil(np.log2(heard.size + wanted.size)))
    product = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(wanted, size)), size)
    scores = product[: heard.size - wanted.size + 1]
    energy = np.concatenate([[0.0], np.cumsum(heard**2)])
    windows = energy[wanted.size :] - energy[: -wanted.size]
    # Where next to nothing is heard any likeness would be chance.
    floor = max(0.05 * float(np.sum(wanted**2)), 1e-12)
    normal = scores / np.sqrt(np.maximum(windows, floor) * max(float(np.sum(wanted**2)), 1e-12))
    best = int(np.argmax(normal))
    return float(normal[best]), best


def wait_heard(
    heard: Path, prompt: Path, since: float = 0.0, timeout: float = 20.0, alike: float = SURE, every: float = 0.2
) -> float:
    """Until `prompt` has been heard whole after second `since`; returns where it began. The sound is compared, each
    `every` seconds: where many listen at once, that is what a test's processors do."""
    wanted = audio.read(prompt)
    begin = int(since * audio.RATE)

    def look() -> float | None:
        nonlocal begin
        if not heard.exists():
            return None
        new = audio.read(heard)[begin:]
        if new.size < wanted.size:
            return None
        score, at = likeness(new, wanted)
        if score >= alike:
            return begin / audio.RATE + at + 1e-9
        # Nothing in here is it: what comes later can only make something of what was not yet heard to its end.
        begin += max(0, new.size - wanted.size - PIECE)
        return None

    return wait_until(look, timeout, f"hears {prompt.parent.name}/{prompt.stem}", every=every)


def was_heard(heard: Path, prompt: Path, since: float = 0.0, alike: float = SURE) -> bool:
    """Whether `prompt` has been heard whole so far."""
    return likeness(audio.read(heard)[int(since * audio.RATE) :], audio.read(prompt))[0] >= alike
