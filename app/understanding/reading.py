"""Everything that is read out of what a citizen said. Pure: the moment of the call, the city's areas and the places
that are known are arguments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from app.understanding import addresses, matters, moments, people, telephones
from app.understanding.model import MOST, Found, Kind, Suggestion
from app.understanding.spoken import Spoken

LONGEST_QUOTE = 60
NARROW = {code: code - 0xFEE0 for code in (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))}
"""Digits and letters as wide as a character, which somebody typed; one for one, so that places stay."""
ASIDE = frozenset({Kind.telephone, Kind.other_telephone, Kind.case_number, Kind.name})
"""What is no matter by itself."""
AGAIN = 0.5
"""So much of the doubt is left when the same value is said once more."""


def read(
    spoken: Spoken,
    parts: Sequence[str],
    at: datetime,
    *,
    areas: Iterable[str] = (),
    known: Mapping[str, str] | None = None,
) -> list[Suggestion]:
    """What may be taken over from it, in the order of the card. `parts` are the stretches that its text consists of,
    `at` is the local moment of the call, `known` are places with their area."""
    text = spoken.text.translate(NARROW)
    found = [
        *telephones.find(text),
        *moments.find(text, at),
        *people.find(text),
        *addresses.find(text, known),
        *addresses.areas_in(text, areas),
    ]
    aside = [one for one in found if one.kind in ASIDE]
    found += [one for one in (matters.kind_of(text), matters.matter_of(parts, aside)) if one is not None]
    found += _areas_of_places(found, known or {})
    return ranked(_told(spoken, one) for one in _apart(found))


def ranked(told: Iterable[Suggestion]) -> list[Suggestion]:
    """Each value once, at its first moment and the surer the more often it was said; of each kind the surest."""
    first: dict[tuple[Kind, str], Suggestion] = {}
    for one in told:
        key = (one.kind, one.value)
        before = first.get(key)
        if before is None:
            first[key] = one
            continue
        doubt = (1 - max(before.confidence, one.confidence)) * AGAIN
        first[key] = replace(before, confidence=round(1 - doubt, 2))
    by_kind: dict[Kind, list[Suggestion]] = {}
    for one in first.values():
        by_kind.setdefault(one.kind, []).append(one)
    return [
        one
        for kind, most in MOST.items()
        for one in sorted(by_kind.get(kind, ()), key=lambda it: -it.confidence)[:most]
    ]


def _told(spoken: Spoken, one: Found) -> Suggestion:
    start, end = spoken.span(one.start, one.end)
    quote = spoken.text[one.start : one.end][:LONGEST_QUOTE]
    return Suggestion(one.kind, one.value, quote, start, end, round(one.sure * spoken.sure(one.start, one.end), 2))


def _apart(found: Sequence[Found]) -> list[Found]:
    """Without days that are part of an address (人民路二十号) or of a number."""
    solid = [one for one in found if one.kind in (Kind.address, Kind.telephone, Kind.other_telephone, Kind.case_number)]
    return [
        one
        for one in found
        if one.kind is not Kind.moment or not any(it.start < one.end and one.start < it.end for it in solid)
    ]


def _areas_of_places(found: Sequence[Found], known: Mapping[str, str]) -> list[Found]:
    """The area of a known place that is named, unless an area was named itself."""
    if any(one.kind is Kind.area for one in found):
        return []
    places = [(one, known.get(_first_known(one.value, known), "")) for one in found if one.kind is Kind.address]
    return [Found(Kind.area, area, one.start, one.end, 0.8) for one, area in places if area]


def _first_known(address: str, known: Mapping[str, str]) -> str:
    return next((name for name in known if address.startswith(name)), "")
