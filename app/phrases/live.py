"""Hints while a talk goes on, from the words that are being recognised: to the agent alone, kept nowhere. Pure.

A forbidden phrase is told when its words are final, and only if they stand there exactly; the same one not again within
a minute. A required one is missed when the beginning of the talk is over without it, and at the end when the citizen
takes leave: nobody else knows that an end is near. What was said in a confidential pause counts as said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.phrases.matching import EXACTLY, LONGEST, Matcher, plain_units
from app.phrases.model import Kind, Phrase, Where
from app.phrases.talks import JOINED_MS, LEAST_MS

GRACE_MS = 2_000  # beyond the beginning, and after a leave: who is just saying it is not reminded
AFTER_LEAVE_MS = 4_000
AGAIN_MS = 60_000
UNIT_MS = 200  # a unit of speech, where nobody knows when a line ended
AGENT = "agent"


class Told(StrEnum):
    """What a hint says of its phrase."""

    said = "said"  # a forbidden one was
    missing = "missing"  # a required one was not, so far
    heard = "heard"  # … and was then


@dataclass(frozen=True)
class Hint:
    """Something to tell an agent; `at_ms` within that segment."""

    phrase: Phrase
    told: Told
    segment: int
    at_ms: int


@dataclass(frozen=True)
class _Moment:
    segment: int
    at_ms: int

    def before(self, other: _Moment) -> int:
        """By how many milliseconds, as far as is known: segments before are taken as long ago."""
        return other.at_ms - self.at_ms if self.segment == other.segment else max(other.at_ms, LEAST_MS)


class Watch:
    """One talk. `greets`: somebody who called is to be greeted, from the first segment on."""

    def __init__(self, phrases: Sequence[Phrase], farewells: Sequence[str], *, greets: bool) -> None:
        self._required = [one for one in phrases if one.kind is Kind.required] if greets else []
        self._matcher = Matcher(phrases, near_from=EXACTLY)
        leave = Phrase("leave", Kind.required, "", "", "", tuple(farewells))
        self._leaves = Matcher([leave], near_from=EXACTLY)
        self._tail: list[str | None] = []
        self._ended: _Moment | None = None
        self._heard: dict[str, _Moment] = {}
        self._told: dict[str, _Moment] = {}
        self._missed: set[str] = set()
        self._made_good: set[str] = set()
        self._leave: _Moment | None = None

    def words(self, side: str, segment: int, start_ms: int, text: str, final: bool) -> list[Hint]:
        """Something was said, or (not `final`) seems to be."""
        here = _Moment(segment, start_ms)
        said: list[str | None] = [*plain_units(text)]
        if side != AGENT:
            if self._leave is None and self._leaves.hits(said) and (segment > 1 or start_ms >= LEAST_MS):
                self._leave = here
            return []
        if not final:
            return self._required_in(said, 0, here)
        if self._ended is None or self._ended.segment != segment or start_ms - self._ended.at_ms > JOINED_MS:
            self._tail = []
        whole, known = [*self._tail, *said], len(self._tail)
        self._tail = whole[-LONGEST:]
        self._ended = _Moment(segment, start_ms + UNIT_MS * len(said))
        return [*self._forbidden_in(whole, known, here), *self._required_in(whole, known, here)]

    def deaf(self, segment: int, at_ms: int) -> None:
        """Until here nobody listened: whatever was to be said may have been."""
        for phrase in self._required:
            self._heard[phrase.code] = _Moment(segment, at_ms)
        self._leave = None

    def reached(self, segment: int, at_ms: int) -> list[Hint]:
        """The agent's side has been listened to until here."""
        here = _Moment(segment, at_ms)
        return [Hint(one, Told.missing, segment, at_ms) for one in self._required if self._is_missed(one, here)]

    def _is_missed(self, phrase: Phrase, here: _Moment) -> bool:
        if phrase.code in self._missed or phrase.where is Where.anywhere:
            return False
        heard = self._heard.get(phrase.code)
        if phrase.where is Where.begin:
            late = here.segment == 1 and here.at_ms >= phrase.seconds * 1000 + GRACE_MS and heard is None
        else:
            leave = self._leave
            late = leave is not None and leave.before(here) >= AFTER_LEAVE_MS
            late = late and (heard is None or heard.before(here) > phrase.seconds * 1000)
        if late:
            self._missed.add(phrase.code)
        return late

    def _forbidden_in(self, whole: Sequence[str | None], known: int, here: _Moment) -> list[Hint]:
        hints = []
        for hit in self._matcher.hits(whole):
            code = hit.phrase.code
            last = self._told.get(code)
            if hit.phrase.kind is not Kind.forbidden or hit.last < known:
                continue
            if last is None or last.segment != here.segment or here.at_ms - last.at_ms >= AGAIN_MS:
                self._told[code] = here
                hints.append(Hint(hit.phrase, Told.said, here.segment, here.at_ms))
        return hints

    def _required_in(self, whole: Sequence[str | None], known: int, here: _Moment) -> list[Hint]:
        hints = []
        for hit in self._matcher.hits(whole):
            if hit.phrase in self._required and hit.last >= known:
                self._heard[hit.phrase.code] = here
                if hit.phrase.code in self._missed - self._made_good:
                    self._made_good.add(hit.phrase.code)
                    hints.append(Hint(hit.phrase, Told.heard, here.segment, here.at_ms))
        return hints


def hint_json(hint: Hint) -> dict[str, object]:
    """As the agent's page is told."""
    phrase = hint.phrase
    return {
        "code": phrase.code,
        "kind": phrase.kind.value,
        "told": hint.told.value,
        "name": [phrase.zh, phrase.en],
        "say": phrase.say,
        "segment": hint.segment,
        "at_ms": hint.at_ms,
    }
