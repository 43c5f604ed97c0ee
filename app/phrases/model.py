"""Phrases that an agent is to say, and such as are never said (忌语). Pure.

A phrase is looked for on the agent's side alone: citizens may say what they want.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

LANGUAGES = ("zh", "yue", "en")


class Kind(StrEnum):
    """What is looked for: that it was said, or that it was not; or nothing at all."""

    required = "required"  # 必说
    forbidden = "forbidden"  # 忌语
    advised = "advised"  # 建议: shown to agents, never looked for


class Where(StrEnum):
    """In which part of a talk."""

    begin = "begin"  # the first seconds
    end = "end"  # the last seconds
    anywhere = "anywhere"


class State(StrEnum):
    """What was found out about a phrase in a talk."""

    said = "said"
    elsewhere = "elsewhere"  # a required one: said, but not where it belongs
    missing = "missing"  # a required one: not said at all


@dataclass(frozen=True)
class Phrase:
    """One thing that is listened for, or advised, in one language.

    `zh` and `en` are its name. Any of the `variants` counts. It belongs into the first or last `seconds` of a talk
    unless it may be `anywhere`. What stands in `unless` is no fault although a variant is in it (麻烦您再说一遍).
    `say` is shown to agents: the whole sentence, or better words for a forbidden one.
    """

    code: str
    kind: Kind
    language: str
    zh: str
    en: str
    variants: tuple[str, ...]
    where: Where = Where.anywhere
    seconds: int = 0
    unless: tuple[str, ...] = ()
    say: str = ""


Phrases = Sequence[Phrase]


def spoken_in(phrases: Phrases, language: str) -> list[Phrase]:
    """Those of one language."""
    return [one for one in phrases if one.language == language]
