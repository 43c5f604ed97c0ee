"""Builds the prompts of an instance with the instance's own tools.

What one instance of this checkout has spoken, another need not speak again (a demo beside the real one, every test):
the sounds are kept once more below the tools folder, by the hash of everything that makes them what they are.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from pathlib import Path

import structlog

from app.announcements.model import SHIPPED_VOICES, Voice
from app.errors import Refused
from app.settings import Settings
from app.tools import ToolMissing, tool
from ivr import catalogue, flow, prompts
from ivr.audio import AudioError
from ivr.prompts import Store
from ivr.speaker import SpeechError

log = structlog.get_logger(__name__)

UNHEARD_S = 30 * 24 * 3600.0


def build_all(settings: Settings, progress: Callable[[int, int, str], None] | None = None) -> prompts.Report:
    """Brings prompts and music up to date; see `ivr.prompts.build_prompts`. Raises SpeechError, ToolMissing."""
    store = Store(settings.home)
    shared = settings.tools / "prompt-cache"
    if not store.manifest():
        _copy_missing(shared.glob("*.wav"), store.cache)
    report = prompts.build_prompts(settings, progress, tool=lambda name: tool(name, settings))
    if report.made:
        # Studio recordings belong to one instance; what is synthesised is the same everywhere.
        keys = {key for key in store.manifest().values() if not key.startswith("studio-")}
        _copy_missing((store.cached(key) for key in sorted(keys)), shared)
        for outdated in shared.glob("*.wav"):
            if outdated.stem not in keys:
                outdated.unlink(missing_ok=True)
    return report


def forget_texts(settings: Settings) -> int:
    """What was read to callers and not been heard for a month is spoken anew when somebody wants it again."""
    return prompts.forget_texts(settings.home, UNHEARD_S)


def speak(settings: Settings, text: str, language: str) -> Path:
    """The file with `text` as a caller would hear it; the voice scripts play the same one. Raises Refused."""
    try:
        return prompts.speak_text(
            text, language, prompts.PromptSettings(settings.home, lambda name: tool(name, settings))
        )
    except (SpeechError, AudioError, ToolMissing, OSError) as error:
        log.error("text can't be spoken", error=type(error).__name__, detail=str(error)[:200])
        raise Refused(
            "语音合成没有成功,来电人也会听不到这段文字;请管理员运行 hotline doctor。",
            "The voice failed, so callers would not hear this either. Have an administrator run hotline doctor.",
            code="speech_failed",
        ) from error


def voices(settings: Settings) -> Sequence[Voice]:
    """The languages that callers of this instance choose; those that ship while its menu or a language can't be read.

    Read anew when the menu changes; callers hear a changed one after a restart.
    """
    path = flow.path_in(settings.home)
    try:
        return _voices(settings.home, path, path.stat().st_mtime_ns)
    except (flow.FlowError, OSError) as error:
        log.error("the menu's languages can't be read", error=str(error)[:200])
        return SHIPPED_VOICES


@lru_cache(maxsize=4)
def _voices(home: Path, path: Path, changed_ns: int) -> Sequence[Voice]:
    words = catalogue.of_home(home).languages
    return tuple(
        Voice(code, bool(words[code].voice), words[code].reads) if code in words else Voice(code, speaks=False)
        for code in flow.load(path).languages
    )


def _copy_missing(files: Iterable[Path], folder: Path) -> None:
    """Copies, never links: a file that somebody overwrites in one instance must not change in another.

    Best effort: what can't be copied (a full or read-only disk, a file that has just gone) is spoken anew.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        there = {name.name for name in os.scandir(folder)}
        with tempfile.TemporaryDirectory(dir=folder, prefix=".copy-") as aside:
            for file in files:
                if file.name not in there:
                    half = Path(aside) / file.name
                    shutil.copyfile(file, half)
                    half.replace(folder / file.name)
    except OSError:
        return
