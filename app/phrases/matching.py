"""Where phrases stand in what was said. Pure; time grows with the words alone, however many phrases there are.

Both sides pass through the same plain form (width, case, simplified characters, digits however they are written, no
hesitation), so that 好了，好了，就这样了 is one phrase. What stands there exactly comes first. A recogniser mishears:
a phrase of NEAR_FROM units or more is also found with one unit lost, added or taken for another, as `near`; never if
that unit makes another sentence of it (管不了, 管得了). From which length that helps was measured for each kind:
tests/unit/test_phrase_measures.py prints the figures. No sound of words is compared, and nobody writes patterns: there
are the words alone.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from app.phrases.model import Kind, Phrase
from app.search.tokens import Token, units

NEAR_FROM: Mapping[Kind, int] = {Kind.forbidden: 7, Kind.required: 5}
EXACTLY: Mapping[Kind, int] = {}
LONGEST = 40  # units of a variant
TELLING = frozenset("不没未无别非勿莫休得能可会要还冇唔仲")
"""Characters that turn a sentence round: one of them lost or misheard says something else."""
_TELLING_WORDS = frozenset({"not", "no", "never", "cannot", "can", "don", "t", "won", "will"})
_NUMERALS = ("零〇", "一幺", "二", "三", "四", "五", "六", "七", "八", "九")
_DIGITS = {old: str(digit) for digit, olds in enumerate(_NUMERALS) for old in olds}
_WRITTEN = _DIGITS | dict(zip("講關係來", "讲关系来", strict=True))  # what no search needs, an ear does
_HESITATION = frozenset({"嗯", "呃", "诶", "uh", "um", "er", "erm"})
Said = Sequence[str | None]
"""Units in the order in which they were said; None parts what does not belong together."""


def plain_tokens(text: str) -> list[Token]:
    """A text as the matcher sees it, each unit with its place there."""
    return [replace(one, text=_WRITTEN.get(one.text, one.text)) for one in units(text) if one.text not in _HESITATION]


def plain_units(text: str) -> list[str]:
    """The same without the places."""
    return [one.text for one in plain_tokens(text)]


@dataclass(frozen=True)
class Hit:
    """A phrase that was found: from the unit `first` to the unit `last`, both of them in it."""

    phrase: Phrase
    variant: str
    first: int
    last: int
    near: bool = False


@dataclass(frozen=True)
class _Whole:
    phrase: int
    variant: str


@dataclass(frozen=True)
class _Excuse:
    phrase: int


@dataclass(frozen=True)
class _Half:
    """One half of a variant: where it stands, the other half may stand with one fault."""

    phrase: int
    variant: str
    rest: tuple[str, ...]
    left: bool


_Sought = _Whole | _Excuse | _Half


class Matcher:
    """Looks for these phrases. Made once, it may be used by many at once."""

    def __init__(self, phrases: Sequence[Phrase], near_from: Mapping[Kind, int] = NEAR_FROM) -> None:
        self._phrases = list(phrases)
        self._words = _Words()
        for at, phrase in enumerate(self._phrases):
            for variant in phrase.variants:
                pattern = tuple(plain_units(variant))[:LONGEST]
                self._words.add(pattern, _Whole(at, variant))
                if len(pattern) >= near_from.get(phrase.kind, LONGEST + 1):
                    half = len(pattern) // 2
                    self._words.add(pattern[:half], _Half(at, variant, pattern[half:], left=True))
                    self._words.add(pattern[half:], _Half(at, variant, pattern[:half][::-1], left=False))
            for excuse in phrase.unless:
                self._words.add(tuple(plain_units(excuse))[:LONGEST], _Excuse(at))
        self._words.close()

    def hits(self, said: Said) -> list[Hit]:
        """Every phrase in what was said, in its order. Of several variants in one place the exact one, then the longest
        one counts, and it counts once."""
        found: dict[int, list[Hit]] = defaultdict(list)
        excused: dict[int, dict[int, int]] = defaultdict(dict)
        for first, last, what in self._words.found_in(said):
            if isinstance(what, _Excuse):
                ends = excused[what.phrase]
                ends[last] = min(first, ends.get(last, first))
            elif isinstance(what, _Whole):
                found[what.phrase].append(Hit(self._phrases[what.phrase], what.variant, first, last))
            elif (near := self._near(said, first, last, what)) is not None:
                found[what.phrase].append(near)
        kept = [hit for at, hits in found.items() for hit in _once(hits, excused[at])]
        return sorted(kept, key=lambda hit: (hit.first, hit.last, hit.phrase.code))

    def _near(self, said: Said, first: int, last: int, half: _Half) -> Hit | None:
        if half.left:
            more = _with_one_fault(half.rest, lambda n: said[last + 1 + n] if last + 1 + n < len(said) else None)
            return (
                None if more is None else Hit(self._phrases[half.phrase], half.variant, first, last + more, near=True)
            )
        more = _with_one_fault(half.rest, lambda n: said[first - 1 - n] if first - 1 - n >= 0 else None)
        return None if more is None else Hit(self._phrases[half.phrase], half.variant, first - more, last, near=True)


def _with_one_fault(wanted: Sequence[str], heard: Callable[[int], str | None]) -> int | None:
    """How many units were heard for what is wanted, with exactly one fault; None for more faults, or none."""
    at = next((n for n, one in enumerate(wanted) if heard(n) != one), None)
    if at is None:
        return None
    lost, got = wanted[at], heard(at)

    def goes_on(pattern: Sequence[str], begin: int) -> bool:
        return all(heard(begin + n) == one for n, one in enumerate(pattern))

    if got is not None and not _tells(lost) and not _tells(got) and goes_on(wanted[at + 1 :], at + 1):
        return len(wanted)  # taken for another
    if not _tells(lost) and at + 1 < len(wanted) and goes_on(wanted[at + 1 :], at):
        return len(wanted) - 1  # lost
    if got is not None and not _tells(got) and goes_on(wanted[at:], at + 1):
        return len(wanted) + 1  # one too many
    return None


def _tells(unit: str) -> bool:
    return unit in TELLING or unit in _TELLING_WORDS or unit.isdigit()


def _once(hits: list[Hit], excused: dict[int, int]) -> list[Hit]:
    """The hits of one phrase without those that are excused and without what overlaps a better one."""
    kept: list[Hit] = []
    for hit in sorted(hits, key=lambda one: (one.first, one.last)):
        ends = range(hit.last, hit.last + LONGEST)
        if any(excused.get(end, hit.first + 1) <= hit.first for end in ends):
            continue
        if kept and hit.first <= kept[-1].last:
            kept[-1] = min(kept[-1], hit, key=lambda one: (one.near, one.first - one.last, one.first))
        else:
            kept.append(hit)
    return kept


class _Words:
    """Many patterns looked for at once (Aho and Corasick, 1975): each unit of a text is looked at once."""

    def __init__(self) -> None:
        self._next: list[dict[str, int]] = [{}]
        self._ends: list[list[tuple[int, _Sought]]] = [[]]
        self._fail: list[int] = [0]
        self._more: list[int] = [0]  # the nearest shorter pattern that ends where this one does

    def add(self, pattern: tuple[str, ...], what: _Sought) -> None:
        """Look for this as well; nothing is found by an empty one."""
        if not pattern:
            return
        node = 0
        for unit in pattern:
            known = self._next[node].get(unit)
            if known is None:
                known = self._next[node][unit] = len(self._next)
                self._next.append({})
                self._ends.append([])
                self._fail.append(0)
                self._more.append(0)
            node = known
        self._ends[node].append((len(pattern), what))

    def close(self) -> None:
        """Everything has been added."""
        waiting = deque(self._next[0].values())
        while waiting:
            node = waiting.popleft()
            for unit, after in self._next[node].items():
                waiting.append(after)
                fail = self._fail[node]
                while fail and unit not in self._next[fail]:
                    fail = self._fail[fail]
                self._fail[after] = self._next[fail].get(unit, 0)
                fail = self._fail[after]
                self._more[after] = fail if self._ends[fail] else self._more[fail]

    def found_in(self, said: Said) -> Iterator[tuple[int, int, _Sought]]:
        """The first and the last unit of each pattern that stands there, and what it was added for."""
        node = 0
        for at, unit in enumerate(said):
            if unit is None:
                node = 0
                continue
            while node and unit not in self._next[node]:
                node = self._fail[node]
            node = self._next[node].get(unit, 0)
            end = node if self._ends[node] else self._more[node]
            while end:
                for length, what in self._ends[end]:
                    yield at - length + 1, at, what
                end = self._more[end]


@dataclass(frozen=True)
class Piece:
    """A piece of a text that is shown; `hit` is what was found there, None for the rest."""

    text: str
    hit: Hit | None = None


def pieces(text: str, matcher: Matcher) -> list[Piece]:
    """A text in pieces, what was found told from the rest; together they are the text."""
    tokens = plain_tokens(text)
    made: list[Piece] = []
    at = 0
    for hit in matcher.hits([one.text for one in tokens]):
        start, end = tokens[hit.first].start, tokens[hit.last].end
        if start < at:
            continue  # it overlaps the one before
        made += [Piece(text[at:start])] if start > at else []
        made.append(Piece(text[start:end], hit))
        at = end
    return [*made, Piece(text[at:])] if at < len(text) else made
