"""Text to telephone sound. `Speaker` is the port; espeak-ng followed by sox is what ships."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from .catalogue import Phrase

SOX_FORMAT = ("-r", "8000", "-c", "1", "-b", "16", "-e", "signed-integer")
# Silence at both ends goes, so that digits follow one another at a speaking pace; then one level for all sentences:
# the compressor lifts quiet vowels, the normaliser leaves 3 dB of head-room.
_TRIM = ("silence", "1", "0.01", "0.5%", "reverse", "silence", "1", "0.01", "0.5%", "reverse")
_LEVEL = ("compand", "0.005,0.15", "6:-60,-50,-30,-16,0,-6", "0", "-60", "0.005", "gain", "-n", "-3")
_PAD = ("pad", "0.02", "0.07")
EFFECTS = (*_TRIM, *_LEVEL, *_PAD)


class SpeechError(Exception):
    """Text that could not be made into sound; says which step failed and what it printed."""


class Speaker(Protocol):
    """Makes 8 kHz 16-bit mono wav files from phrases."""

    @property
    def identity(self) -> str:
        """Changes whenever the same phrase would sound different."""

    def speak(self, phrase: Phrase, target: Path) -> None:
        """Writes `phrase` to `target`, overwriting it. Raises SpeechError."""


@dataclass(frozen=True)
class EspeakSpeaker:
    """espeak-ng → sox. Free, offline and small; robotic, so every sentence can be replaced by a recording."""

    espeak: Path | str | Sequence[str]
    sox: Path | str | Sequence[str]
    timeout_s: float = 20.0
    identity: str = field(init=False, default="")

    def __post_init__(self) -> None:
        version = self._run([*_argv(self.espeak), "--version"]).decode(errors="replace").split("Data at")[0].strip()
        object.__setattr__(self, "identity", f"{version}|{' '.join((*SOX_FORMAT, *EFFECTS))}")

    def speak(self, phrase: Phrase, target: Path) -> None:
        """Promises of Speaker.speak."""
        # The text goes in by standard input: as an argument a text that starts with '-' would be an option.
        spoken = self._run(
            [*_argv(self.espeak), "-v", phrase.voice, "-s", str(phrase.words_per_minute), "--stdin", "--stdout"],
            phrase.aloud.encode(),
        )
        self._run(
            [*_argv(self.sox), "-V1", "-t", "wav", "--ignore-length", "-", *SOX_FORMAT, str(target), *EFFECTS], spoken
        )

    def convert(self, source: Path, target: Path, pace: float = 1.0) -> None:
        """Writes any sound file that sox can read (a studio recording) to `target` in telephone format, at `pace` of
        its own speed."""
        slower = () if pace == 1.0 else ("tempo", "-s", f"{pace}")
        self._run([*_argv(self.sox), "-V1", str(source), *SOX_FORMAT, str(target), *slower, "gain", "-n", "-3"])

    def _run(self, argv: list[str], given: bytes = b"") -> bytes:
        name = Path(argv[0]).name
        try:
            done = subprocess.run(argv, input=given, capture_output=True, timeout=self.timeout_s)
        except OSError as error:
            raise SpeechError(f"{name} can't be started: {error}; `make setup` brings it in") from error
        except subprocess.TimeoutExpired as error:
            raise SpeechError(f"{name} gave no answer within {self.timeout_s:.0f} s") from error
        if done.returncode:
            raise SpeechError(
                f"{name} failed: {done.stderr.decode(errors='replace').strip()[-300:] or done.returncode}"
            )
        return done.stdout


def _argv(program: Path | str | Sequence[str]) -> list[str]:
    return [str(program)] if isinstance(program, str | Path) else list(program)
