"""What agents said in a talk, laid against the list: what was said where, and what was not said. Pure.

A talk is what one agent had of a call: its recordings in their order. Moments are milliseconds of a recording. Where it
cannot be known whether something was said (a part is not written down, was paused, somebody else went on with the
call, it was too short for anything) nothing is said to be missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from app.phrases.matching import Hit, Matcher, plain_units
from app.phrases.model import Kind, Phrase, State, Where

JOINED_MS = 1_500  # so far apart two lines may be and still be one sentence
LEAST_MS = 20_000  # of a shorter talk nothing is missed
MOST_UNITS = 120_000  # of a talk of hours
Spans = Sequence[tuple[int, int]]


@dataclass(frozen=True)
class Spoken:
    """A line of the agent's side. `words` are (word, start_ms, end_ms), where whoever wrote it down knew."""

    text: str
    start_ms: int
    end_ms: int
    words: Sequence[tuple[str, int, int]] = ()


@dataclass(frozen=True)
class Part:
    """One recording of a talk. `told`: it is written down; `paused` and `shared` are parts that were confidential, and
    in which a third party was on the agent's side."""

    recording: int
    duration_ms: int
    lines: Sequence[Spoken] = ()
    told: bool = True
    paused: Spans = ()
    shared: Spans = ()


@dataclass(frozen=True)
class Found:
    """A phrase in a talk. `shared`: a third party may have said it."""

    recording: int
    phrase: Phrase
    state: State
    at_ms: int
    variant: str = ""
    near: bool = False
    shared: bool = False


@dataclass(frozen=True)
class _Place:
    """A hit and where in its talk it stands."""

    part: int
    at_ms: int
    hit: Hit


@dataclass
class Heard:
    """Units in the order in which they were said, each with its moment."""

    units: list[str | None] = field(default_factory=list)
    moments: list[int] = field(default_factory=list)

    def add(self, line: Spoken, last_ms: int | None) -> None:
        """What was said next; the line before ended at `last_ms`."""
        if last_ms is not None and line.start_ms - last_ms > JOINED_MS:
            self.units.append(None)
            self.moments.append(line.start_ms)
        for unit, at in timed(line):
            self.units.append(unit)
            self.moments.append(at)


def heard(lines: Sequence[Spoken]) -> Heard:
    """These lines as the matcher wants them, at most MOST_UNITS."""
    made, last = Heard(), None
    for line in lines:
        made.add(line, last)
        last = line.end_ms
        if len(made.units) > MOST_UNITS:
            break
    return made


def timed(line: Spoken) -> list[tuple[str, int]]:
    """The units of a line with their moments: those of its words, else spread over the line."""
    plain = plain_units(line.text)
    of_words = [pair for word, start, end in line.words for pair in _spread(plain_units(word), start, end)]
    if [unit for unit, _ in of_words] == plain:
        return of_words
    return _spread(plain, line.start_ms, line.end_ms)


def found_in(
    parts: Sequence[Part], phrases: Sequence[Phrase], *, expected: bool = True, goes_on: bool = False
) -> list[Found]:
    """What was found in a talk, by its recordings, then by time.

    `phrases` are those of its language. `expected`: somebody who was called is to hear the required ones. `goes_on`:
    the call went on with somebody else, so that nobody took leave.
    """
    places = _places(parts, Matcher(phrases))
    found = [_said(parts, one) for one in places if one.hit.phrase.kind is Kind.forbidden]
    for phrase in phrases:
        if phrase.kind is Kind.required:
            known = _knowable(parts, phrase, expected=expected, goes_on=goes_on)
            found += _required(parts, phrase, [one for one in places if one.hit.phrase is phrase], known=known)
    order = {part.recording: n for n, part in enumerate(parts)}
    return sorted(found, key=lambda one: (order[one.recording], one.at_ms, one.phrase.code))


def _places(parts: Sequence[Part], matcher: Matcher) -> list[_Place]:
    places = []
    for n, part in enumerate(parts):
        said = heard(part.lines)
        places += [_Place(n, said.moments[hit.first], hit) for hit in matcher.hits(said.units)]
    return places


def _said(parts: Sequence[Part], place: _Place, state: State = State.said) -> Found:
    part, hit = parts[place.part], place.hit
    shared = _touches(part.shared, place.at_ms, place.at_ms)
    return Found(part.recording, hit.phrase, state, place.at_ms, hit.variant, hit.near, shared)


def _required(parts: Sequence[Part], phrase: Phrase, places: Sequence[_Place], *, known: bool) -> list[Found]:
    """The first place where it belongs (of the end the last), else whether it is missing."""
    right = [one for one in places if _belongs(parts, phrase, one)]
    if right:
        return [_said(parts, right[-1] if phrase.where is Where.end else right[0])]
    if not known:
        return []
    if places:
        return [_said(parts, places[-1] if phrase.where is Where.end else places[0], State.elsewhere)]
    part = parts[-1] if phrase.where is Where.end else parts[0]
    at_ms = max(0, part.duration_ms - phrase.seconds * 1000) if phrase.where is Where.end else 0
    return [Found(part.recording, phrase, State.missing, at_ms)]


def _belongs(parts: Sequence[Part], phrase: Phrase, place: _Place) -> bool:
    if phrase.where is Where.begin:
        return place.part == 0 and place.at_ms < phrase.seconds * 1000
    if phrase.where is Where.end:
        after = sum(part.duration_ms for part in parts[place.part :]) - place.at_ms
        return after <= phrase.seconds * 1000
    return True


def _knowable(parts: Sequence[Part], phrase: Phrase, *, expected: bool, goes_on: bool) -> bool:
    """Whether it can be said that a required phrase is missing."""
    if not expected or not parts or not all(part.told for part in parts):
        return False
    if sum(part.duration_ms for part in parts) < LEAST_MS or not any(part.lines for part in parts):
        return False
    if any(sum(len(line.text) for line in part.lines) > MOST_UNITS for part in parts):
        return False  # not read to its end
    if phrase.where is Where.begin:
        return not _touches(parts[0].paused, 0, phrase.seconds * 1000)
    if phrase.where is Where.end:
        last = parts[-1]
        return not goes_on and not _touches(last.paused, last.duration_ms - phrase.seconds * 1000, last.duration_ms)
    return not any(part.paused for part in parts)


def _touches(spans: Spans, start: int, end: int) -> bool:
    return any(since <= end and until >= start for since, until in spans)


def _spread(units: Sequence[str], start: int, end: int) -> list[tuple[str, int]]:
    return [(unit, start + (end - start) * n // len(units)) for n, unit in enumerate(units)]
