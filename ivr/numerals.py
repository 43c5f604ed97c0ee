"""Whole numbers as words, so that no speech engine has to guess how a numeral is read."""

from __future__ import annotations

import re
from collections.abc import Callable

_SMALL = re.compile(r"(?<![0-9A-Za-z.:：-])[1-9][0-9]?(?![0-9A-Za-z.:：%％-])")
_HAN = "零一二三四五六七八九"
# fmt: off
_ENGLISH = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_ORDINALS = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
    "twelve": "twelfth",
}
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)
# fmt: on


def chinese(number: int) -> str:
    """0…99 in characters: 十二, 二十, 九十九."""
    _check(number)
    if number < 10:
        return _HAN[number]
    tens, ones = divmod(number, 10)
    return ("" if tens == 1 else _HAN[tens]) + "十" + (_HAN[ones] if ones else "")


def english(number: int) -> str:
    """0…99 in words: twelve, twenty, ninety nine."""
    _check(number)
    if number < 20:
        return _ENGLISH[number]
    tens, ones = divmod(number, 10)
    return _TENS[tens] + (f" {_ENGLISH[ones]}" if ones else "")


def english_ordinal(number: int) -> str:
    """1…99 as a place in an order: first, twelfth, twenty third."""
    *head, last = english(number).split()
    if last.endswith("y"):
        last = last[:-1] + "ieth"
    else:
        last = _ORDINALS.get(last, last + "th")
    return " ".join([*head, last])


def aloud(text: str, language: str) -> str:
    """`text` with the small whole numbers in it written as a person reads them: 24小时 → 二十四小时.

    Longer ones, decimals and codes such as 05 are read digit by digit, as written.
    """
    if language not in ("zh", "yue"):
        return text
    return _SMALL.sub(lambda found: chinese(int(found[0])), text)


def _check(number: int) -> None:
    if not 0 <= number <= 99:
        raise ValueError(f"{number} is not between 0 and 99")


WORDS: dict[str, dict[str, Callable[[int], str]]] = {
    "zh": {
        "number": chinese,
        "month": lambda n: chinese(n) + "月",
        "day": lambda n: chinese(n) + "日",
        "hour": lambda n: ("两" if n == 2 else chinese(n)) + "点",
        "minute": lambda n: ("零" if n < 10 else "") + chinese(n) + "分",
    },
    "yue": {
        "number": chinese,
        "month": lambda n: chinese(n) + "月",
        "day": lambda n: chinese(n) + "號",
        "hour": lambda n: ("兩" if n == 2 else chinese(n)) + "點",
        "minute": lambda n: ("零" if n < 10 else "") + chinese(n) + "分",
    },
    "en": {
        "number": english,
        "month": lambda n: _MONTHS[n - 1],
        "day": english_ordinal,
        "hour": english,
        "minute": lambda n: ("oh " if n < 10 else "") + english(n),
    },
}
"""Language → kind of count → how `n` is said. The catalogue's `series` name these kinds."""
