"""The sentence that a caller hears before the talk: staff number and "at your service", one file per agent.

Asterisk plays one file to both sides while it connects them, so the words are joined beforehand (工号播报, 篇6).
"""

from __future__ import annotations

import os
import wave
from collections.abc import Iterable
from pathlib import Path

from app.languages import languages_of
from app.settings import Settings


def folder(settings: Settings) -> Path:
    """Where the joined sentences lie: <language>/<staff number>.wav."""
    return settings.paths.asterisk / "lib" / "staff"


def join_sentences(settings: Settings, agent_ids: Iterable[str]) -> list[Path]:
    """Makes what is missing or older than its words; returns the files made.

    A language whose words are not there yet (prompts not built) is left out: the dialplan then connects without
    the sentence.
    """
    made = []
    ids = list(agent_ids)
    for language in languages_of(settings.home):
        words = settings.paths.prompts / language
        target_folder = folder(settings) / language
        target_folder.mkdir(parents=True, exist_ok=True)
        for agent_id in ids:
            parts = [words / f"{name}.wav" for name in _words(agent_id)]
            target = target_folder / f"{agent_id}.wav"
            if not all(part.exists() for part in parts) or _fresh(target, parts):
                continue
            if _join(parts, target):
                made.append(target)
    return made


def _words(agent_id: str) -> list[str]:
    return ["staff_number", *(f"digit_{digit}" for digit in agent_id), "at_your_service"]


def _fresh(target: Path, parts: list[Path]) -> bool:
    return target.exists() and target.stat().st_mtime_ns > max(part.stat().st_mtime_ns for part in parts)


def _join(parts: list[Path], target: Path) -> bool:
    frames = []
    for part in parts:
        try:
            with wave.open(str(part), "rb") as sound:
                if (sound.getframerate(), sound.getsampwidth(), sound.getnchannels()) != (8000, 2, 1):
                    return False
                frames.append(sound.readframes(sound.getnframes()))
        except (wave.Error, EOFError):
            return False
    aside = target.with_suffix(f".{os.getpid()}.part")
    with wave.open(str(aside), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(b"".join(frames))
    os.replace(aside, target)
    return True
