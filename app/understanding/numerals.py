"""Numbers as they are said and written in Chinese: 一百二十, 十二, 二零二六, 幺三八. Pure."""

from __future__ import annotations

from collections.abc import Mapping

DIGITS: Mapping[str, str] = {
    "零": "0", "〇": "0", "○": "0", "幺": "1", "一": "1", "二": "2", "两": "2", "三": "3", "四": "4", "五": "5",
    "六": "6", "七": "7", "八": "8", "九": "9", **{str(digit): str(digit) for digit in range(10)},
}  # fmt: skip
"""One character for each digit; 幺 is how a 1 is read in a telephone number."""
UNITS: Mapping[str, int] = {"十": 10, "百": 100, "千": 1_000, "万": 10_000}
DIGIT = "[" + "".join(DIGITS) + "]"
NUMERAL = "[" + "".join(one for one in DIGITS if one != "幺") + "".join(UNITS) + "]"
LONGEST = 12


def digits_of(text: str) -> str:
    """幺三八零 → 1380; "" where a character is no digit."""
    return "".join(DIGITS[char] for char in text) if all(char in DIGITS for char in text) else ""


def number_of(text: str) -> int | None:
    """一百二十 → 120, 十二 → 12, 二零二六 → 2026, 一百二 → 120, 35 → 35; None for what is no number."""
    if not text or len(text) > LONGEST:
        return None
    if plain := digits_of(text):
        return int(plain)
    return _cardinal(text)


def _cardinal(text: str) -> int | None:
    total = section = 0
    digit: int | None = None
    last, zero = 100_000, False
    for char in text:
        if char in DIGITS:
            if digit is not None:
                return None  # 二三百 is between two numbers
            if DIGITS[char] == "0":
                zero = True
            else:
                digit = int(DIGITS[char])
            continue
        if char not in UNITS or UNITS[char] >= last or (digit is None and UNITS[char] != 10 and not section):
            return None
        unit = UNITS[char]
        if unit == 10_000:
            total, section, last = (section + (digit or 0)) * unit, 0, unit
        else:
            section += (1 if digit is None else digit) * unit
            last = unit
        digit, zero = None, False
    if digit is not None:
        section += digit * (last // 10 if last >= 100 and not zero else 1)
    return total + section


def written(text: str) -> str:
    """A numeral as one writes it in an address: 一百二十 → 120, 五零二 → 502; as it stands where it is none."""
    if plain := digits_of(text):
        return plain
    number = number_of(text)
    return text if number is None else str(number)
