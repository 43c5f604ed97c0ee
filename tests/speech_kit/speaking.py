"""Sentences for the tiny model, said by the voice that ships, as telephone sound; how much of one was understood."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np

from app.audio import read_wav
from app.settings import Settings
from app.speech.model import Samples, Utterance, joined
from app.speech.recognizer import Recognizer
from app.tools import tool
from ivr.catalogue import Phrase
from ivr.speaker import EspeakSpeaker
from tests.speech_kit.espeak import VOICE
from tests.speech_kit.words import DIGITS

RATE = 8000
VARIANTS = ("", "f1", "m3", "f4", "m7")


class Teller:
    """Says things; each file is made once."""

    def __init__(self, folder: Path) -> None:
        settings = Settings()
        self._folder = folder
        self._voice = EspeakSpeaker(tool("espeak-ng", settings), tool("sox", settings))

    def wav(self, text: str, variant: str = "", words_per_minute: int = 150) -> Path:
        """The file with `text`, 8 kHz mono."""
        voice = f"{VOICE}+{variant}" if variant else VOICE
        file = self._folder / f"{abs(hash((text, voice, words_per_minute)))}.wav"
        if not file.exists():
            self._voice.speak(Phrase(voice, words_per_minute, text, text), file)
        return file

    def sound(self, text: str, variant: str = "", words_per_minute: int = 150) -> Samples:
        """The samples of it, with a little silence around."""
        quiet = np.zeros(RATE // 2, np.int16)
        return np.concatenate([quiet, read_wav(self.wav(text, variant, words_per_minute)).samples, quiet])


def digits(count: int, chance: random.Random) -> str:
    """So many digits as they are said on the telephone: in groups of three and four."""
    drawn = [chance.choice(list(DIGITS)) for _ in range(count)]
    return "，".join("".join(drawn[at : at + 4]) for at in range(0, count, 4))


def bare(text: str) -> str:
    """The words alone."""
    return "".join(char for char in text if char not in "，。 \n")


def wrong(wanted: str, heard: str) -> int:
    """How many characters must be changed, left out or put in to make one of the other."""
    row = list(range(len(heard) + 1))
    for at, char in enumerate(wanted, 1):
        before, row[0] = row[0], at
        for to, other in enumerate(heard, 1):
            before, row[to] = row[to], min(before + (char != other), row[to] + 1, row[to - 1] + 1)
    return row[-1]


def hear(recognizer: Recognizer, sound: Samples, grammar: tuple[str, ...] = (), rate: int = RATE) -> list[Utterance]:
    """Everything that was said in it."""
    hearing = recognizer.open(rate, "zh", grammar)
    said: list[Utterance] = []
    for at in range(0, len(sound), rate * 5):
        said += hearing.feed(sound[at : at + rate * 5]).said
    return [*said, *hearing.finish().said]


def text_of(said: list[Utterance]) -> str:
    """As one text."""
    return joined(one.text for one in said)
