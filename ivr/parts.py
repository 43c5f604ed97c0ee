"""A long text in parts that one can listen to: cut where a reader would breathe, with a question after each."""

from __future__ import annotations

import re
import unicodedata

LONGEST_PART = 100
"""About 25 s of speech; read slowly still well below the longest prompt (ivr/prompts.py)."""
MOST_PARTS = 200
"""More than any text of the hotline has."""
WIDE, NARROW = 3, 1
"""A Chinese character takes as long to say as about three letters: lengths are counted in thirds of a character."""
_SENTENCE = re.compile(r"(?<=[。！？!?；;\n])|(?<=[.])(?=\s)")
_CLAUSE = re.compile(r"(?<=[，,、：:])")
_WORD = re.compile(r"(?<=\s)")


def parts(text: str, longest: int = LONGEST_PART) -> list[str]:
    """`text` in its order, in pieces of at most `longest` characters (of a script like Chinese; three times as many
    letters), cut behind sentences if that will do, else behind clauses, words, or anywhere.

    A piece that has nothing to be said in it, as "……", is left out; [] for a text that has nothing at all.
    """
    limit = max(1, longest) * WIDE
    pieces: list[str] = []
    for piece in _cut(text.replace("\t", " "), limit, (_SENTENCE, _CLAUSE, _WORD)):
        if pieces and _length(pieces[-1]) + _length(piece) <= limit:
            pieces[-1] += piece
        else:
            pieces.append(piece)
    spoken = [" ".join(piece.split()) for piece in pieces]
    return [piece for piece in spoken if is_spoken(piece)]


def is_spoken(text: str) -> bool:
    """Whether a voice would say anything: there is a letter, a character or a digit in it."""
    return any(unicodedata.category(character)[0] in "LN" for character in text)


def _cut(text: str, limit: int, ways: tuple[re.Pattern[str], ...]) -> list[str]:
    if _length(text) <= limit:
        return [text] if text else []
    if not ways:
        return _anywhere(text, limit)
    found: list[str] = []
    for piece in ways[0].split(text):
        found += _cut(piece, limit, ways[1:])
    return found


def _anywhere(text: str, limit: int) -> list[str]:
    found, piece, length = [], "", 0
    for character in text:
        size = _length(character)
        if piece and length + size > limit:
            found.append(piece)
            piece, length = "", 0
        piece, length = piece + character, length + size
    return [*found, piece] if piece else found


def _length(text: str) -> int:
    return sum(WIDE if unicodedata.east_asian_width(character) in "WF" else NARROW for character in text)
