"""Numbers, times and case states as lists of prompt ids, in the order in which each language says them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from . import catalogue

GROUPS_OF_A_CASE_NUMBER = (4, 4, 3, 3)
"""20261124000123 is read year, month and day, then the sequence in two breaths."""


def digits(text: str) -> tuple[str, ...]:
    """One prompt per digit; everything else is left out. In Mandarin 1 is yāo, as on the telephone."""
    return tuple(f"digit_{character}" for character in text if character in "0123456789")


def case_number(text: str) -> tuple[str, ...]:
    """A case number digit by digit with breaths between its groups, so that it can be written down."""
    plain = "".join(character for character in text if character in "0123456789")
    groups: list[str] = []
    for size in GROUPS_OF_A_CASE_NUMBER:
        if plain:
            groups.append(plain[:size])
            plain = plain[size:]
    if plain:
        groups.append(plain)
    result: list[str] = []
    for group in groups:
        if result:
            result.append("pause")
        result.extend(digits(group))
    return tuple(result)


def phone_number(text: str) -> tuple[str, ...]:
    """A telephone number: mobile numbers as 3-4-4, others in fours from the end."""
    plain = "".join(character for character in text if character in "0123456789")
    result: list[str] = []
    for index, character in enumerate(plain):
        if index and (len(plain) - index) % 4 == 0:
            result.append("pause")
        result.append(f"digit_{character}")
    return tuple(result)


def count(number: int) -> str:
    """0…99 as one prompt; larger numbers are said as 99."""
    return f"number_{min(max(number, 0), 99)}"


def moment(at: datetime, language: str) -> tuple[str, ...]:
    """A day and time without the year: 十一月二十四日 上午 八点 三十分 / November 24th, 8 30 in the morning."""
    return (f"month_{at.month}", f"day_{at.day}", *clock(at.hour * 60 + at.minute, language))


def state(name: str, words: catalogue.Catalogue | None = None) -> str:
    """The prompt for a case's state; a state that the catalogue doesn't know is one that is being handled."""
    words = words or catalogue.shipped()
    prompt = f"state_{name}"
    return prompt if all(words.has(code, prompt) for code in words.languages) else "state_handling"


def hours(spans: Sequence[tuple[int, int]], language: str) -> tuple[str, ...]:
    """Office hours, minutes after midnight: 上午九点整 到 十二点整 以及 … / 9 o'clock in the morning to …"""
    result: list[str] = []
    for opens, closes in spans:
        if result:
            result += ["pause", "and_from"]
        result += [*clock(opens, language), "until", *clock(closes, language)]
    return tuple(result)


def clock(minute_of_day: int, language: str) -> tuple[str, ...]:
    """A time of day, as each language orders its words."""
    hour, minute = divmod(minute_of_day % 1440, 60)
    part = "morning" if hour < 12 else "afternoon"
    said = (f"hour_{(hour - 1) % 12 + 1}", f"minute_{minute}" if minute else "sharp")
    return (*said, part) if language == "en" else (part, *said)


def progress(number: str, state_name: str, updated: datetime | None, language: str) -> tuple[str, ...]:
    """The whole sentence about a case: its number, where it stands, since when (local time)."""
    said = ("case_is", *case_number(number), "pause", "case_state", state(state_name))
    if updated is None:
        return said
    return (*said, "pause", "case_updated", *moment(updated, language))
