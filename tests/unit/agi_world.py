"""One hotline for voice scripts in tests: services in memory, spools, and calls played by a scripted Asterisk."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agi_scripts.guarded import Guarded
from agi_scripts.memory_services import MemoryServices
from agi_scripts.scripts import SCRIPTS
from agi_scripts.services import VoiceSetup
from ivr import catalogue
from tests.unit.agi_fake_asterisk import NUMBER, FakeAsterisk, write_tone


def speaking_home(folder: Path) -> Path:
    """The folder as a home in which every prompt has a (very short) sound."""
    words = catalogue.shipped()
    (folder / "prompts").mkdir()
    write_tone(folder / "tone.wav", 0.01)
    for language in words.languages:
        (folder / "prompts" / language).mkdir()
        for prompt in words.ids(language):
            (folder / "prompts" / language / f"{prompt}.wav").hardlink_to(folder / "tone.wav")
    return folder


class World:
    """One hotline: services, spools, and scripts to be run on fake calls."""

    def __init__(self, home: Path, spool: Path, **options: Any) -> None:
        spool.mkdir(exist_ok=True)
        setup = VoiceSetup(
            home, lambda name: f"/nowhere/{name}", spool, spool, deadline_s=options.pop("deadline_s", 1.0)
        )
        self.services = MemoryServices(setup, at=datetime(2026, 11, 24, 2, 0, tzinfo=UTC), **options)
        self.guarded = Guarded(self.services)
        self.spool = spool
        self.raised: BaseException | None = None

    def call(self, script: str, *moves: Any, **options: Any) -> FakeAsterisk:
        options.setdefault("variables", {"HOTLINE_LANG": "zh", "HOTLINE_NUMBER": NUMBER, "HOTLINE_LINE": "12345"})
        asterisk = FakeAsterisk(moves, **options)
        self.raised = asterisk.run(SCRIPTS[script], self.guarded)
        return asterisk


def heard(asterisk: FakeAsterisk) -> list[str]:
    """Names of what was played; joined files appear as "joined"."""
    return ["joined" if "/joined/" in file else Path(file).name for file in asterisk.played]
