"""What all scripts of one process share, and what every script reads of its call."""

from __future__ import annotations

import re
import threading
from pathlib import Path

from ivr import catalogue

from .safe_agi import SafeAgi
from .services import VoiceSetup
from .sounds import Sounds

_lock = threading.Lock()
_sounds: dict[Path, Sounds] = {}


def sounds_of(setup: VoiceSetup) -> Sounds:
    """The process's one `Sounds` for that home folder."""
    found = _sounds.get(setup.home)
    if found is None:
        with _lock:
            found = _sounds.setdefault(setup.home, Sounds(setup))
    return found


def language_of(setup: VoiceSetup, text: str) -> str:
    """A language that there are prompts for: HOTLINE_LANG, or the first (Mandarin) for anything else."""
    known = catalogue.of_home(setup.home).languages
    return text if text in known else next(iter(known))


def call_variables(agi: SafeAgi, *names: str) -> dict[str, str]:
    """Several HOTLINE_ variables in one question; only characters that such values may have are passed on."""
    answer = agi.evaluate("\t".join(f"${{HOTLINE_{name}}}" for name in names).replace("\t", "|"))
    values = answer.split("|")
    values += [""] * (len(names) - len(values))
    return {name: re.sub(r"[^0-9A-Za-z+*#.,:_-]", "", value) for name, value in zip(names, values, strict=False)}
