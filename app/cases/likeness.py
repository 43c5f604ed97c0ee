"""How much two matters are one: the same characters in what is told of them, the same place. Pure.

Chinese matters are told in ever other words (停水, 没有水) of the same characters. The place is left out of the words
and compared for itself: two that share a street and nothing else are two matters. How often this is right is measured
by `tests/bench/duplicates.py` on pairs that people have judged.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property

from app.search.tokens import characters, tokens

LIKE = 0.42
"""From here on two matters are called similar; chosen on one half of `bench-duplicates`' pairs, tried on the other."""
ELSEWHERE = 0.4  # of the likeness is left where the places differ
FEWEST = 3  # characters: less says nothing yet
LONGEST_COMPARED = 600  # characters of the content: what comes later is told in the title as well
_SAID_ALWAYS = re.compile(
    "市民|来电人?|反映|咨询|投诉|举报|求助|建议|希望|要求|请问?|有关部门|相关部门|尽快|处理|解决|核实|问题|情况|现在|目前|"
    "一直|已经|没有|没人|无人|无法|严重|影响|多次|这里|那里|我们|我家|家里|什么|怎么|小区|住户|居民|的|了|很|都|还|在|是"
)
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True)
class Matter:
    """What is known of a matter; any of it may be empty."""

    title: str = ""
    content: str = ""
    address: str = ""

    @cached_property
    def said(self) -> frozenset[str]:
        """The characters of title and content, and whole words of other scripts, without what is always said."""
        return characters(_SAID_ALWAYS.sub(" ", f"{self.title}\n{self.content[:LONGEST_COMPARED]}"))

    @cached_property
    def place(self) -> frozenset[str]:
        """The pairs of the address."""
        return frozenset(token.text for token in tokens(self.address) if len(token.text) > 1)

    @cached_property
    def place_characters(self) -> frozenset[str]:
        """The characters of the address."""
        return characters(self.address)

    @cached_property
    def house(self) -> frozenset[str]:
        """The numbers in the address: of a house, a block, a door."""
        return frozenset(_DIGITS.findall(unicodedata.normalize("NFKC", self.address)))


def likeness(one: Matter, other: Matter) -> float:
    """From 0 (nothing in common) to 1 (the same): the mean of how much all and how much the shorter text is shared.

    Two that name different places are much less alike than their words. What has hardly been begun is like nothing.
    """
    places = one.place_characters | other.place_characters
    mine, theirs = one.said - places, other.said - places
    if min(len(mine), len(theirs)) < FEWEST:
        return 0.0
    alike = (_shared(mine, theirs) + len(mine & theirs) / min(len(mine), len(theirs))) / 2
    return alike * ELSEWHERE if _elsewhere(one, other) else alike


def key_words(matter: Matter) -> str:
    """What a matter is looked up by: the words of its title, or of the beginning of its content, but what is always
    said."""
    return _SAID_ALWAYS.sub(" ", matter.title or matter.content[:60])


def same_place(one: Matter, other: Matter) -> bool:
    """Whether both name one address: nearly the same words, and no other house number."""
    if not one.place or one.house != other.house:
        return False
    return _shared(one.place, other.place) >= 0.8


def _elsewhere(one: Matter, other: Matter) -> bool:
    """Whether both name an address, and these have little in common."""
    return bool(one.place and other.place) and _shared(one.place, other.place) < 0.4


def _shared(one: AbstractSet[str], other: AbstractSet[str]) -> float:
    return 2 * len(one & other) / (len(one) + len(other)) if one and other else 0.0
