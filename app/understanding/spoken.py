"""A text and the moments at which its characters were said. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from app.understanding.model import Said

BETWEEN = "，"
"""What stands between two stretches of speech: a rest, also in the middle of a number."""
LONGEST_ALIGNED = 3_000


@dataclass(frozen=True)
class Spoken:
    """`starts` and `ends` hold milliseconds for each character (None: nobody knows), `heard` how sure it is."""

    text: str
    starts: Sequence[int | None]
    ends: Sequence[int | None]
    heard: Sequence[float]

    def span(self, start: int, end: int) -> tuple[int | None, int | None]:
        """From when to when these characters were said."""
        first = next((one for one in self.starts[start:end] if one is not None), None)
        last = next((one for one in reversed(self.ends[start:end]) if one is not None), None)
        return first, last

    def sure(self, start: int, end: int) -> float:
        """How surely these characters were heard: the mean of them."""
        told = self.heard[start:end]
        return sum(told) / len(told) if told else 1.0


def spoken(said: Sequence[Said]) -> Spoken:
    """Stretches of speech as one text, in the order in which they are given."""
    text: list[str] = []
    starts: list[int | None] = []
    ends: list[int | None] = []
    heard: list[float] = []
    for one in said:
        if text:
            text.append(BETWEEN)
            starts.append(None)
            ends.append(None)
            heard.append(one.confidence)
        moments = _moments(one)
        text.append(one.text)
        starts += [start for start, _ in moments]
        ends += [end for _, end in moments]
        heard += [one.confidence] * len(one.text)
    return Spoken("".join(text), starts, ends, heard)


def put_right(by_hand: str, machine: Spoken) -> Spoken:
    """What a person wrote instead, with the moments of what the machine heard, where the two agree. A person is right:
    nothing of it is unsure."""
    count = len(by_hand)
    starts: list[int | None] = [None] * count
    ends: list[int | None] = [None] * count
    if max(count, len(machine.text)) <= LONGEST_ALIGNED:
        for block in SequenceMatcher(None, machine.text, by_hand, autojunk=False).get_matching_blocks():
            for at in range(block.size):
                starts[block.b + at] = machine.starts[block.a + at]
                ends[block.b + at] = machine.ends[block.a + at]
    # What was heard otherwise was said about when what stands before it was.
    last: int | None = next((one for one in machine.starts if one is not None), None)
    for at in range(count):
        if starts[at] is None:
            starts[at] = ends[at] = last
        else:
            last = starts[at]
    return Spoken(by_hand, starts, ends, [1.0] * count)


def _moments(one: Said) -> list[tuple[int | None, int | None]]:
    """For each character; from its word where words are known, else by its place in the stretch."""
    told: list[tuple[int | None, int | None]] = []
    at = 0
    for word, start, end in one.words:
        place = one.text.find(word, at)
        if place < 0:
            continue
        told += [(start, start)] * (place - len(told))
        told += [(start, end)] * len(word)
        at = place + len(word)
    if told:
        return (told + [(told[-1][1], told[-1][1])] * (len(one.text) - len(told)))[: len(one.text)]
    if one.start_ms is None:
        return [(None, None)] * len(one.text)
    span = max(0, (one.end_ms if one.end_ms is not None else one.start_ms) - one.start_ms)
    each = span / max(1, len(one.text))
    return [(round(one.start_ms + each * n), round(one.start_ms + each * (n + 1))) for n in range(len(one.text))]
