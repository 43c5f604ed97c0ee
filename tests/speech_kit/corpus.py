"""What the network learns from: sentences of the words and of foreign speech, said in many manners, labelled exactly.

espeak-ng tells where each phone begins, so nothing needs to be aligned. Every function here runs in a process of its
own (see `espeak`), and gives the same for the same seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tests.speech_kit.espeak import RATE as ESPEAK_RATE
from tests.speech_kit.espeak import Espeak, Manner, Said
from tests.speech_kit.features import RATE, STEP, WINDOW, Sound, mfcc, resampled
from tests.speech_kit.words import FOREIGN, WORDS

SILENCE, STRANGE = "sil", "spn"
LINE_RATE = 8000
VARIANTS = ("", "m1", "m2", "m3", "m5", "m7", "f1", "f2", "f3", "f4")
CLOSURE_S = 0.06  # a silence within a word that is shorter belongs to the phone that it leads to
SHORTEST_S = 0.05  # the network judges every 30 ms: what is shorter could fall between
LONG_S = 0.09  # a phone that is longer has a beginning and an end of its own
SENTENCES = 40


@dataclass(frozen=True)
class Lexicon:
    """The phones of each word, and which phones are long."""

    phones: dict[str, tuple[str, ...]]
    long: frozenset[str]

    @property
    def states(self) -> list[tuple[str, int]]:
        """What the network tells apart, in its order: (phone, first or second part)."""
        names = sorted({name for phones in self.phones.values() for name in phones})
        parts = [(name, part) for name in names for part in range(1 + (name in self.long))]
        return [(SILENCE, 0), (STRANGE, 0), *parts]


@dataclass(frozen=True)
class Task:
    """One process's share."""

    tools: Path
    lexicon: Lexicon
    seed: int


@dataclass(frozen=True)
class Shown:
    """Features of one sentence, and the state of each frame."""

    rows: npt.NDArray[np.float32]
    states: npt.NDArray[np.int16]


def pieces(said: Said) -> list[tuple[int, int, str]]:
    """(from, to, phone) of a sentence without a gap; a short silence before a phone is a part of it."""
    marks = [*said.phones, (len(said.samples), "")]
    made: list[tuple[int, int, str]] = []
    for (start, name), (end, _) in pairwise(marks):
        if end <= start:
            continue
        before = made[-1] if made else None
        if name and before and not before[2] and len(made) > 1 and before[1] - before[0] < CLOSURE_S * ESPEAK_RATE:
            start = made.pop()[0]
        made.append((start, end, name))
    return made


def lexicon(tools: Path) -> Lexicon:
    """How the words are said, by the voice itself. Raises ValueError for two words that sound the same."""
    voice = Espeak(tools)
    phones: dict[str, tuple[str, ...]] = {}
    lengths: dict[str, list[int]] = {}
    for word, pinyin in WORDS.items():
        said = [one for one in pieces(voice.say(pinyin, Manner())) if one[2]]
        phones[word] = tuple(name for _, _, name in said)
        for start, end, name in said:
            lengths.setdefault(name, []).append(end - start)
    if len(set(phones.values())) < len(phones):
        raise ValueError("two words sound the same")
    long = {name for name, all_ in lengths.items() if np.mean(all_) >= LONG_S * ESPEAK_RATE}
    return Lexicon(phones, frozenset(long))


def sentences(task: Task) -> list[Shown]:
    """A share of the corpus."""
    voice, chance = Espeak(task.tools), np.random.default_rng(task.seed)
    numbers = {state: at for at, state in enumerate(task.lexicon.states)}
    made = []
    for _ in range(SENTENCES):
        foreign = chance.random() < 0.25
        if foreign:
            syllables = str(chance.choice(FOREIGN)).split()
            begin = int(chance.integers(0, len(syllables) - 3))
            text = " ".join(syllables[begin : begin + int(chance.integers(3, 12))])
        else:
            chosen = chance.choice(list(WORDS), int(chance.integers(1, 9)))
            text = "".join(WORDS[str(word)] + str(chance.choice((" ", " ", ", "))) for word in chosen)
        manner = Manner(
            str(chance.choice(VARIANTS)),
            int(chance.integers(115, 200)),
            int(chance.integers(30, 70)),
            int(chance.integers(30, 70)),
            int(chance.choice((0, 0, 2, 6))),
        )
        said = voice.say(text, manner)
        if len(said.samples):
            made.append(_shown(said, foreign, numbers, task.lexicon, chance))
    return made


def on_the_line(sound: Sound, chance: np.random.Generator) -> Sound:
    """As it comes out of a telephone: quieter or shouted, with noise; half of them at a telephone's rate."""
    gain = float(10 ** chance.uniform(-1.3, 0.5))
    heard = np.clip(sound * gain, -1, 1)
    level = float(np.sqrt(np.mean(heard**2)) + 1e-6)
    noise = level * 10 ** (-chance.uniform(12, 45) / 20)
    return (heard + chance.normal(0, noise, len(heard))).astype(np.float32)


def _shown(
    said: Said, foreign: bool, numbers: dict[tuple[str, int], int], words: Lexicon, chance: np.random.Generator
) -> Shown:
    before, after = (int(RATE * chance.uniform(0.1, 0.5)) for _ in range(2))
    sound = resampled(said.samples, ESPEAK_RATE, RATE)
    if chance.random() < 0.5:
        sound = resampled(resampled(said.samples, ESPEAK_RATE, LINE_RATE), LINE_RATE, RATE)
    rows = mfcc(on_the_line(np.concatenate([np.zeros(before), sound, np.zeros(after)]).astype(np.float32), chance))
    states = np.zeros(len(rows), np.int16)
    ends = 0.0
    for start, end, name in pieces(said):
        # A phone that began late, because the one before was too short, may last into the next.
        begin = max(start / ESPEAK_RATE, ends)
        ends = max(end / ESPEAK_RATE, begin + SHORTEST_S) if name else end / ESPEAK_RATE
        if not name or ends <= begin:
            ends = max(ends, begin)
            continue
        if foreign or name not in {one for one, _ in numbers}:
            parts = [(begin, ends, numbers[STRANGE, 0])]
        elif name in words.long:
            middle = (begin + ends) / 2
            parts = [(begin, middle, numbers[name, 0]), (middle, ends, numbers[name, 1])]
        else:
            parts = [(begin, ends, numbers[name, 0])]
        for since, until, state in parts:
            states[_frame(before, since) : _frame(before, until)] = state
    return Shown(rows, states)


def _frame(before: int, second: float) -> int:
    """The first frame whose middle is not before that second of the sentence."""
    return max(0, int(np.ceil((before + second * RATE - WINDOW / 2) / STEP)))
