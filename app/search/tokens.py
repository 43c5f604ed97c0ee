"""What a text is found by: pairs of Chinese characters, words and numbers of everything else. Pure.

Chinese has no spaces, and a dictionary would not know 停水通告 or this year's subsidy: every two neighbouring
characters are a token, so that a word of two is one look-up. Queries and documents pass through the same runs.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, groupby

from app.search.variants import TO_SIMPLIFIED

MARKS = "abc"
"""Where a token stands: a in the most telling text, b in that or the second, c anywhere. A search for "a停水" is one
for titles with 停水, and costs what any other look-up costs."""

LONGEST_TEXT = 20_000  # characters of one text that are searched
LONGEST_QUERY = 200
LONGEST_WORD = 40
MOST_WANTED = 24
"""Tokens of a query that count; a whole sentence has fewer."""

_CJK = (
    (0x3005, 0x3007),  # 々〆〇
    (0x3041, 0x30FF),  # kana
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xAC00, 0xD7AF),  # hangul
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)
_PERSONAL = re.compile(r"\S+@\S+|[0-9](?:[\s.·-]?[0-9]){4,}[x×]?")


@dataclass(frozen=True)
class Token:
    """One token of a text and where it stands there (`end` excluded)."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Wanted:
    """One token of a query; `begins`: whatever begins so will do (a word being typed, a single character)."""

    text: str
    begins: bool = False

    def fits(self, token: str) -> bool:
        """Whether a document's token answers this."""
        return token.startswith(self.text) if self.begins else token == self.text


@dataclass(frozen=True)
class Part:
    """A piece of a shown text; `found`: it is what was sought."""

    text: str
    found: bool


def tokens(text: str) -> list[Token]:
    """A document's tokens in their order: pairs and the last character of Chinese runs, words of others."""
    made = []
    for run in _runs(text[:LONGEST_TEXT]):
        if run.chinese:
            ends = range(len(run.text))
            made += [Token(run.text[at : at + 2], run.at[at], run.at[min(at + 1, ends[-1])] + 1) for at in ends]
        else:
            made.append(Token(run.text[:LONGEST_WORD], run.at[0], run.at[-1] + 1))
    return made


def characters(text: str) -> frozenset[str]:
    """Every Chinese character of a text, and every word of other letters or digits, in their plain form."""
    found: set[str] = set()
    word: list[str] = []
    for plain, chinese in chain.from_iterable(map(_plain, text[:LONGEST_TEXT])):
        if chinese is False:
            word.append(plain)
            continue
        if chinese:
            found.add(plain)
        if word:
            found.add("".join(word)[:LONGEST_WORD])
            word.clear()
    if word:
        found.add("".join(word)[:LONGEST_WORD])
    return frozenset(found)


def sought(text: str) -> list[Wanted]:
    """A query's tokens, each once, at most MOST_WANTED; [] when there is nothing that could be sought.

    The last word is taken as its beginning, because it may not have been typed to its end.
    """
    text = text[:LONGEST_QUERY]
    wanted: dict[Wanted, None] = {}
    for run in _runs(text):
        if not run.chinese:
            typing = run.at[-1] == len(text) - 1 and len(run.text) > 1
            wanted[Wanted(run.text[:LONGEST_WORD], begins=typing)] = None
        elif len(run.text) == 1:
            wanted[Wanted(run.text, begins=True)] = None
        else:
            wanted |= {Wanted(run.text[at : at + 2]): None for at in range(len(run.text) - 1)}
    return list(wanted)[:MOST_WANTED]


def marked(texts: Sequence[str]) -> list[str]:
    """Every token that a document is indexed by, each once: its texts, the most telling first, at most three.

    Only letters, digits and characters: no index reads anything else into them.
    """
    made: dict[str, None] = {}
    for place, text in zip(range(len(MARKS)), texts, strict=False):
        words = dict.fromkeys(token.text for token in tokens(text))
        for mark in MARKS[place:]:
            made |= dict.fromkeys([mark + word for word in words])
    return list(made)


def parts(text: str, wanted: Sequence[Wanted]) -> list[Part]:
    """The text in pieces, what was sought told from the rest; together they are the text."""
    return _pieces(text, _found(text, wanted))


def excerpt(text: str, wanted: Sequence[Wanted], length: int = 90) -> list[Part]:
    """At most `length` characters of the text, in pieces: where most of what was sought stands close together."""
    whole = " ".join(text.split())
    found = _found(whole, wanted)
    best, start, inside = -1, 0, sum(found[:length])
    for at in range(max(1, len(whole) - length + 1)):
        if inside > best:
            best, start = inside, at
        if at + length < len(whole):
            inside += found[at + length] - found[at]
    if best > 0:  # some words before the first that was found, so that it can be read
        start = max(0, min(found.index(True, start) - 12, len(whole) - length))
    end = start + length
    before, after = "…" if start else "", "…" if end < len(whole) else ""
    marks = [False] * len(before) + found[start:end] + [False] * len(after)
    return _pieces(before + whole[start:end] + after, marks)


def _found(text: str, wanted: Sequence[Wanted]) -> list[bool]:
    """For each character whether it belongs to what was sought."""
    found = [False] * len(text)
    for run in _runs(text[:LONGEST_TEXT]):
        for one in wanted:
            for start, end in run.places(one):
                first, last = run.at[start], run.at[end - 1]
                found[first : last + 1] = [True] * (last + 1 - first)
    return found


def _pieces(text: str, found: Sequence[bool]) -> list[Part]:
    made: list[Part] = []
    start = 0
    for at in range(1, len(text) + 1):
        if at == len(text) or found[at] != found[start]:
            made.append(Part(text[start:at], found[start]))
            start = at
    return made


def impersonal(text: str) -> str:
    """The text without numbers of five digits or more (telephones, identity cards, accounts) and mail addresses."""
    flat = "".join(plain for char in text[:LONGEST_QUERY] for plain, _ in _plain(char))
    return " ".join(_PERSONAL.sub(" ", flat).split())


def key_of(text: str) -> str:
    """The same for searches that mean the same: their runs, normalised, in order; "" for nothing that can be sought."""
    return " ".join(run.text for run in _runs(text[:LONGEST_QUERY]))[:LONGEST_QUERY]


def folded(text: str) -> str:
    """The letters, digits and characters of a text in their plain form, without whatever parts them."""
    return "".join(run.text for run in _runs(text[:LONGEST_TEXT]))


def units(text: str) -> list[Token]:
    """A text as what is heard one after the other, in plain form: single Chinese characters and digits, whole words."""
    made: list[Token] = []
    for run in _runs(text[:LONGEST_TEXT]):
        kinds = ("" if run.chinese or char.isdigit() else "word" for char in run.text)
        for kind, group in groupby(zip(run.text, run.at, kinds, strict=True), lambda one: one[2]):
            chars = list(group)
            if kind:
                made.append(Token("".join(char for char, _, _ in chars), chars[0][1], chars[-1][1] + 1))
            else:
                made += [Token(char, at, at + 1) for char, at, _ in chars]
    return made


@dataclass(frozen=True)
class _Run:
    """Neighbouring characters of one kind, normalised; `at` says where each comes from."""

    text: str
    at: Sequence[int]
    chinese: bool

    def places(self, wanted: Wanted) -> Iterator[tuple[int, int]]:
        """Where in the run a token stands that answers this. Whoever seeks the beginning of a word, or one character,
        is shown that, not the whole token by which it was found."""
        if not self.chinese:
            if wanted.fits(self.text[:LONGEST_WORD]):
                yield 0, len(wanted.text)
            return
        at = self.text.find(wanted.text)
        while at >= 0:
            yield at, at + len(wanted.text)
            at = self.text.find(wanted.text, at + 1)


def _runs(text: str) -> Iterator[_Run]:
    letters: list[str] = []
    places: list[int] = []
    kind: bool | None = None
    for at, char in enumerate(text):
        for plain, now in _plain(char):
            if now is not kind and letters:
                yield _Run("".join(letters), places, bool(kind))
                letters, places = [], []
            kind = now
            if kind is not None:
                letters.append(plain)
                places.append(at)
    if letters:
        yield _Run("".join(letters), places, bool(kind))


@lru_cache(maxsize=16_384)
def _plain(char: str) -> Sequence[tuple[str, bool | None]]:
    """A character in its plain form (width, case, simplified), which may be several; True for Chinese ones, False for
    other letters and digits, None for what parts them."""
    made = []
    for plain in unicodedata.normalize("NFKC", char).casefold().translate(TO_SIMPLIFIED):
        chinese = any(first <= ord(plain) <= last for first, last in _CJK)
        made.append((plain, chinese if chinese or plain.isalnum() else None))
    return made
