"""Which unit a matter is for, told from its words. Pure: units and examples are arguments.

Complement naive Bayes (Rennie et al. 2003) over single characters and pairs: no word list of Chinese is needed, "停水"
is a pair like any other. A token speaks for a unit as far as the other units' words do not hold it; a unit's words are
its duties, its keywords, and the matters of its topics that people have labelled. The terms for how common a unit is
and how much it has said are left out: on the learning part of the shipped matters they changed nothing.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

SMOOTHING = 2.0  # pretended occurrences of each token elsewhere
KEYWORD = 4  # a keyword's tokens weigh as much as those of so many examples
MOST_WORDS = 4
_RUN = re.compile(r"[\u3400-\u9fff]+|[a-z0-9]+")


@dataclass(frozen=True)
class UnitWords:
    """What a unit says of itself. `areas` speak for it like keywords."""

    unit_id: int
    duties: str
    keywords: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()


@dataclass(frozen=True)
class Example:
    """A matter in a citizen's words, and what it was about."""

    topic: str
    text: str


@dataclass(frozen=True)
class Guess:
    """A unit that a matter may be for, the likelier the higher its score, and the words that spoke for it."""

    unit_id: int
    score: float
    words: tuple[str, ...]


class Suggester:
    """What has been learned of some units; asked as often as wanted."""

    def __init__(self, units: Sequence[UnitWords], examples: Iterable[Example]) -> None:
        texts: dict[str, list[str]] = defaultdict(list)
        for example in examples:
            texts[example.topic].append(example.text)
        self._units = [unit.unit_id for unit in units]
        held = [_tokens_of(unit, [text for topic in unit.topics for text in texts[topic]]) for unit in units]
        everywhere = sum(held, Counter[str]())
        self._speaks: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for at, tokens in enumerate(held):
            for token, times in tokens.items():
                total = everywhere[token] + SMOOTHING
                self._speaks[token].append((at, math.log(total / (total - times))))

    def suggest(self, text: str, most: int = 3) -> list[Guess]:
        """The likeliest units, the best first; none for words of which nothing has been learned."""
        text = text.lower()
        found = [(token, start) for token, start in _tokens(text) if token in self._speaks]
        scores: dict[int, float] = defaultdict(float)
        for token in dict.fromkeys(token for token, _ in found):
            for at, gain in self._speaks[token]:
                scores[at] += gain
        ranked = sorted(scores, key=lambda at: -scores[at])[:most]
        return [Guess(self._units[at], scores[at], tuple(self._words(text, found, at))) for at in ranked]

    def _words(self, text: str, found: Sequence[tuple[str, int]], at: int) -> list[str]:
        """The parts of the text that spoke most for a unit: pairs that overlap are one word."""
        gains = {token: gain for token, _ in found for where, gain in self._speaks[token] if where == at}
        pairs = [(start, gains[token]) for token, start in found if len(token) > 1 and token in gains]
        spans: list[tuple[int, int, float]] = []
        for start, gain in sorted(pairs):
            if spans and start <= spans[-1][1] - 1:
                spans[-1] = (spans[-1][0], start + 2, spans[-1][2] + gain)
            else:
                spans.append((start, start + 2, gain))
        if not spans:
            spans = [(start, start + len(token), gains[token]) for token, start in found if token in gains]
        best = sorted(spans, key=lambda span: -span[2])
        return list(dict.fromkeys(text[start:end] for start, end, _ in best))[:MOST_WORDS]


def by_keyword(units: Sequence[UnitWords], text: str, most: int = 3) -> list[int]:
    """What is measured against: the units whose keywords the text holds, those with more of it in their words first."""
    held = {unit.unit_id: sum(len(word) for word in unit.keywords if word in text) for unit in units}
    return sorted((unit for unit, length in held.items() if length), key=lambda unit: -held[unit])[:most]


def _tokens_of(unit: UnitWords, texts: Sequence[str]) -> Counter[str]:
    tokens: Counter[str] = Counter()
    for text in (unit.duties, *texts):
        tokens.update({token for token, _ in _tokens(text)})  # once a text: nobody's habit of repeating counts
    for word in (*unit.keywords, *unit.topics, *unit.areas):
        for token, _ in _tokens(word.lower()):
            tokens[token] += KEYWORD
    return tokens


def _tokens(text: str) -> Iterator[tuple[str, int]]:
    """Every character and every pair with its place; numbers and Latin words are whole."""
    for run in _RUN.finditer(text):
        word, start = run[0], run.start()
        if word.isascii():
            yield word, start
            continue
        for at, char in enumerate(word):
            yield char, start + at
            if at + 1 < len(word):
                yield word[at : at + 2], start + at
