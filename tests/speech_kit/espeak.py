"""libespeak-ng by ctypes: the sound of a text, and where in it each word and each phone begins.

To be used in a process of its own: the library keeps the state of what it said before, and the same seed must give the
same sound. `environment` must be in force when that process starts.
"""

from __future__ import annotations

import ctypes
import os
from ctypes.util import find_library
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

RATE = 22050
VOICE = "cmn-latn-pinyin"
_END, _WORD, _PHONE = 0, 1, 7
_SYNCHRONOUS, _OPTIONS = 2, 0x8001  # phones are told of; a fault is no exit()
_WPM, _PITCH, _RANGE, _GAP = 1, 3, 4, 7


class _Id(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique", ctypes.c_uint),
        ("text", ctypes.c_int),
        ("length", ctypes.c_int),
        ("ms", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user", ctypes.c_void_p),
        ("id", _Id),
    )


@dataclass(frozen=True)
class Manner:
    """How something is said: a variant of the voice ("" for its own), words per minute, pitch, range, gap (10 ms)."""

    variant: str = ""
    words_per_minute: int = 150
    pitch: int = 50
    range: int = 50
    gap: int = 0


@dataclass
class Said:
    """Sound at `RATE`, -1..1, with the beginnings (samples) of its syllables and phones; "" is a silence."""

    samples: npt.NDArray[np.float32]
    syllables: list[int] = field(default_factory=list)
    phones: list[tuple[int, str]] = field(default_factory=list)


def library(tools: Path) -> tuple[str, Path | None]:
    """(the library, the folder of its data and of what it needs); the machine's own has no folder of ours."""
    for found in sorted(tools.glob("run/usr/lib/*/libespeak-ng.so.1")):
        return str(found), found.parent
    if name := find_library("espeak-ng"):
        return name, None
    raise FileNotFoundError(f"libespeak-ng is neither in {tools} nor on this machine; `make setup` brings it in")


def environment(tools: Path) -> dict[str, str]:
    """The variables with which a process that speaks must be started."""
    _, folder = library(tools)
    if folder is None:
        return {}
    paths = [str(folder), str(folder / "pulseaudio"), os.environ.get("LD_LIBRARY_PATH", "")]
    return {"LD_LIBRARY_PATH": ":".join(path for path in paths if path)}


class Espeak:
    """The voice. One for a process."""

    def __init__(self, tools: Path) -> None:
        name, folder = library(tools)
        self._lib = ctypes.CDLL(name)
        data = None if folder is None else str(folder).encode()
        if self._lib.espeak_Initialize(_SYNCHRONOUS, 0, data, _OPTIONS) != RATE:
            raise OSError("espeak-ng could not be begun")
        self._parts: list[npt.NDArray[np.int16]] = []
        self._events: list[tuple[int, int, str]] = []
        kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))
        self._callback = kind(self._take)
        self._lib.espeak_SetSynthCallback(self._callback)

    def say(self, text: str, manner: Manner) -> Said:
        """The sound of `text`. Raises OSError for a variant that there is not."""
        self._parts, self._events = [], []
        voice = f"{VOICE}+{manner.variant}" if manner.variant else VOICE
        if self._lib.espeak_SetVoiceByName(voice.encode()):
            raise OSError(f"espeak-ng has no voice {voice}")
        settings = ((_WPM, manner.words_per_minute), (_PITCH, manner.pitch), (_RANGE, manner.range), (_GAP, manner.gap))
        for which, value in settings:
            self._lib.espeak_SetParameter(which, value, 0)
        data = text.encode()
        self._lib.espeak_Synth(data, len(data) + 1, 0, 1, 0, 1, None, None)
        self._lib.espeak_Synchronize()
        sound = np.concatenate(self._parts) if self._parts else np.zeros(0, np.int16)
        said = Said(sound.astype(np.float32) / 32768)
        for event, sample, name in self._events:
            if event == _WORD:
                said.syllables.append(sample)
            else:
                said.phones.append((sample, "" if name.startswith("_") else name))
        return said

    def _take(self, sound: Any, count: int, events: Any) -> int:
        if count > 0:
            self._parts.append(np.ctypeslib.as_array(sound, (count,)).copy())
        at = 0
        while events[at].type != _END:
            one = events[at]
            if one.type in (_WORD, _PHONE):
                self._events.append((one.type, one.sample, one.id.string.decode() if one.type == _PHONE else ""))
            at += 1
        return 0
