"""From prompt ids to one sound file: a question is played by one command, so that no key falls between two.

Asterisk drops keys that are pressed while it waits for the next AGI command. Everything that is said in one go is
therefore joined into one file first; the joined files of the menu are made once and kept.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import structlog

from app.tools import ToolMissing
from ivr import audio
from ivr.prompts import Store, read_recording, speak_into, speak_text
from ivr.speaker import SpeechError

from .services import Announcement, VoiceSetup

log = structlog.get_logger(__name__)

GAP_S = 0.12
COUNTED = frozenset(("digit", "number", "month", "day", "hour", "minute"))
"""Prompts of which every caller hears others: like a caller's own message, what is joined from them is not kept."""
LOOK_AGAIN_S = 2.0
"""How soon prompts that were built anew are heard."""


class Sounds:
    """The prompt files of one hotline, for any number of threads."""

    def __init__(self, setup: VoiceSetup) -> None:
        self.setup = setup
        self.store = Store(setup.home)
        self._joined = self.store.folder / "joined"
        self._passing = self.store.folder / "passing"
        self._forget_passing()
        self._known: dict[tuple[str, tuple[str, ...]], str | None] = {}
        self._lock = threading.Lock()
        self._looked = 0.0
        self._stamp = self._manifest_stamp()

    def file(self, language: str, prompts: Sequence[str]) -> tuple[str | None, bool]:
        """What Asterisk plays for `prompts` (absolute, without suffix), and whether to `discard` it afterwards.

        None if not one of them has a sound. A prompt that has none is left out and logged: half a sentence and a
        beep-less wait are better than a lost call.
        """
        key = (language, tuple(prompts))
        self._notice_rebuild()
        if key in self._known:
            return self._known[key], False
        passing = self.passes(prompts)
        made = self._make(language, key[1], passing)
        if not passing:
            with self._lock:
                self._known[key] = made
        return made, passing and made is not None

    def passes(self, prompts: Sequence[str]) -> bool:
        """Whether the file of `prompts` is made for one caller, and goes when it has been heard."""
        return len(prompts) > 1 and any(self._is_of_one_call(prompt) for prompt in prompts)

    def _is_of_one_call(self, prompt: str) -> bool:
        own = (f"{self.setup.voicemail_spool}/", f"{self._passing}/", f"{self.store.texts}/")
        return prompt.rpartition("_")[0] in COUNTED or prompt.startswith(own)

    def discard(self, file: str) -> None:
        """Removes a joined file that was made for one caller."""
        path = Path(f"{file}.wav")
        if path.parent == self._joined:
            path.unlink(missing_ok=True)

    def forget(self) -> None:
        """Looks for every file anew: one that was there is gone."""
        with self._lock:
            self._known.clear()

    def announcement(self, announcement: Announcement, language: str) -> str | None:
        """The file of an announcement without suffix: its recording, else its text spoken now (and kept), else None."""
        if announcement.file is not None and announcement.file.is_file() and announcement.file.suffix == ".wav":
            return str(announcement.file.with_suffix(""))
        if not announcement.text.strip():
            return None
        try:
            return str(speak_text(announcement.text, language, self.setup.prompts).with_suffix(""))
        except (SpeechError, audio.AudioError, ToolMissing, KeyError, OSError) as error:
            log.error("announcement can't be spoken", announcement=announcement.id, error=str(error)[:200])
            return None

    def length_ms(self, file: str) -> int:
        """How long a file (absolute, without suffix) is heard; 0 for one that is not there."""
        try:
            return max(0, Path(f"{file}.wav").stat().st_size - audio.WAV_HEADER) * 1000 // (2 * audio.RATE)
        except OSError:
            return 0

    def spoken(self, text: str, language: str, *, slowly: bool = False, passing: bool = False) -> str | None:
        """The file with a text, spoken now (and kept for some time, unless it is `passing`), else None."""
        try:
            if not passing:
                kept = speak_text(text, language, self.setup.prompts, slowly=slowly, for_now=True)
                return str(kept.with_suffix(""))
            target = self._passing / f"{threading.get_ident()}-{time.monotonic_ns()}.wav"
            speak_into(target, text, language, self.setup.prompts, slowly=slowly)
            return str(target.with_suffix(""))
        except (SpeechError, audio.AudioError, ToolMissing, KeyError, OSError) as error:
            log.error("text can't be spoken", language=language, error=type(error).__name__)
            return None

    def recordings(self, name: str, language: str) -> list[Path]:
        """A speaker's recordings of a text in parts, <name>_1.wav, <name>_2.wav, …; [] if there is not the first."""
        found: list[Path] = []
        while (path := self.store.studio / language / f"{name}_{len(found) + 1}.wav").is_file():
            found.append(path)
        return found

    def recording(self, source: Path, *, slowly: bool = False) -> str | None:
        """The file with a recording, else None."""
        try:
            return str(read_recording(source, self.setup.prompts, slowly=slowly).with_suffix(""))
        except (SpeechError, audio.AudioError, ToolMissing, OSError) as error:
            log.error("recording can't be played", recording=source.stem, error=str(error)[:200])
            return None

    def _make(self, language: str, prompts: tuple[str, ...], passing: bool) -> str | None:
        paths = [path for path in (self._path(language, prompt) for prompt in prompts) if path is not None]
        if not paths:
            return None
        if len(paths) == 1:
            return str(paths[0].with_suffix(""))
        stamp = "|".join(f"{path}:{path.stat().st_mtime_ns}:{path.stat().st_size}" for path in paths)
        name = hashlib.sha256(stamp.encode()).hexdigest()[:32]
        if passing:
            name = f"passing-{threading.get_ident()}-{time.monotonic_ns()}"
        target = self._joined / f"{name}.wav"
        if not target.exists():
            try:
                audio.write(target, audio.join(paths, 0.0 if passing else GAP_S))
            except (audio.AudioError, OSError) as error:
                log.error("prompts can't be joined", prompts=list(prompts), error=str(error)[:200])
                return str(paths[0].with_suffix(""))
            finally:
                for path in paths:
                    if path.parent == self._passing:
                        path.unlink(missing_ok=True)
        return str(target.with_suffix(""))

    def _path(self, language: str, prompt: str) -> Path | None:
        code, _, name = prompt.rpartition(":")
        path = Path(f"{prompt}.wav") if prompt.startswith("/") else self.store.path(code or language, name)
        try:
            if path.stat().st_size > 44:
                return path
        except OSError:
            pass
        log.error("prompt has no sound; build the prompts", language=language, prompt=path.stem)
        return None

    def _forget_passing(self) -> None:
        """What a process that was killed had made for its callers goes."""
        for file in self._passing.glob("*.wav"):
            file.unlink(missing_ok=True)

    def _notice_rebuild(self) -> None:
        now = time.monotonic()
        if now - self._looked < LOOK_AGAIN_S:
            return
        self._looked = now
        stamp = self._manifest_stamp()
        if stamp != self._stamp:
            self._stamp = stamp
            self.forget()

    def _manifest_stamp(self) -> int:
        try:
            return self.store.manifest_file.stat().st_mtime_ns
        except OSError:
            return 0
