"""What all scripts of one process share, and what every script reads of its call."""

from __future__ import annotations

import re
import threading
from pathlib import Path

from .safe_agi import SafeAgi
from .services import VoiceSetup
from .sounds import Sounds

LANGUAGES = ("zh", "yue", "en")

_lock = threading.Lock()
_sounds: dict[Path, Sounds] = {}


def sounds_of(setup: VoiceSetup) -> Sounds:
    """The process's one `Sounds` for that home folder."""
    found = _sounds.get(setup.home)
    if found is None:
        with _lock:
            found = _sounds.setdefault(setup.home, Sounds(setup))
    return found


def language_of(text: str) -> str:
    """A language that there are prompts for: HOTLINE_LANG, or Mandarin for anything else."""
    return text if text in LANGUAGES else LANGUAGES[0]


def call_variables(agi: SafeAgi, *names: str) -> dict[str, str]:
    """Several HOTLINE_ variables in one question; only characters that such values may have are passed on."""
    answer = agi.evaluate("\t".join(f"${{HOTLINE_{name}}}" for name in names).replace("\t", "|"))
    values = answer.split("|")
    values += [""] * (len(names) - len(values))
    return {name: re.sub(r"[^0-9A-Za-z+*#.,:_-]", "", value) for name, value in zip(names, values, strict=False)}
