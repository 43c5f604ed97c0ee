"""What comes from outside, made harmless: text, telephone numbers, call ids."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_CALL_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # would turn the rest of a line around
_NUMBER = re.compile(r"[^0-9+*#]")
# A mobile number behind China's code without its +, or behind the 0 of a long-distance call; no other is like it.
_MOBILE_ABROAD = re.compile(r"(86|0)1[3-9][0-9]{9}")
_FOREIGN = re.compile(r"00[1-9][0-9]{6,14}")


def clean(value: str, limit: int, *, lines: bool = False) -> str:
    """`value` without control characters (line breaks stay if `lines`), in NFC, at most `limit` characters.

    PostgreSQL refuses NUL, logs and letters don't want the rest; lone surrogates would break every encoder.
    """
    out = []
    for char in unicodedata.normalize("NFC", value.replace("\r\n", "\n").replace("\r", "\n")):
        if (lines and char in "\n\t") or _is_text(char):
            out.append(char)
    return "".join(out)[:limit].strip()


def _is_text(char: str) -> bool:
    return char not in _BIDI and unicodedata.category(char) not in ("Cc", "Cs", "Cn")


def is_call_id(value: str) -> bool:
    """Whether this can be a call id: it also becomes a file name, so nothing else may pass."""
    return bool(_CALL_ID.fullmatch(value)) and value.strip(".-") != ""


def normal_number(number: str) -> str:
    """One spelling per telephone: only 0-9 + * #, at most 32, China's +86/0086 in its domestic form.

    +86 138 0013 8000, 8613800138000 and 013800138000 → 13800138000, +86 21 5555 1234 → 02155551234, (021) 5555-1234 →
    02155551234; foreign numbers have a +: 00852 9123 4567 → +85291234567. "" for a withheld number.
    """
    digits = _NUMBER.sub("", unicodedata.normalize("NFKC", number))[:32]
    if _MOBILE_ABROAD.fullmatch(digits):
        return digits[-11:]
    for prefix in ("+86", "0086"):
        if digits.startswith(prefix) and len(digits) > len(prefix) + 4:
            rest = digits.removeprefix(prefix)
            return rest if rest.startswith(("1", "0", "400", "800")) and len(rest) >= 10 else "0" + rest
    return "+" + digits[2:] if _FOREIGN.fullmatch(digits) else digits


def masked_number(number: str) -> str:
    """For those who may not see it: 138****8000; short numbers keep only their first digit."""
    if not number:
        return ""
    if len(number) < 8:
        return number[0] + "*" * (len(number) - 1)
    return number[:3] + "*" * (len(number) - 7) + number[-4:]


def masked_name(name: str) -> str:
    """The family name only: 王**, 欧阳娜娜 → 欧***."""
    return name[0] + "*" * max(1, min(len(name) - 1, 3)) if name else ""


def without(text: str, *secrets: str) -> str:
    """`text` with every occurrence of these personal words masked, however it is spaced: 138 0013-8000, 王 芳.

    A word of fewer than two characters beside what may stand between them is no name; nothing is masked for it.
    """
    for word in secrets:
        bare = _BETWEEN.sub("", word)
        if len(bare) >= 2 and _letters(bare) <= _letters(text):
            mask = masked_number(word) if _TELEPHONE.fullmatch(word) else masked_name(word)
            text = mask.join(_written(word).split(text))
    return text


_TELEPHONE = re.compile(r"[0-9+*#]+")
_BETWEEN = re.compile(r"[\s\-‐-―－·.,，、()（）]")


@lru_cache(maxsize=1024)
def _written(word: str) -> re.Pattern[str]:
    """Finds `word` with blanks or dashes between its characters, in either width, whichever it has itself.

    No character of the word may also be one between: the two would share a run of them in every possible way, and to
    try these takes for ever.
    """
    between = f"{_BETWEEN.pattern}{{0,3}}"
    return re.compile(between.join(_either_width(char) for char in _BETWEEN.sub("", word)), re.IGNORECASE)


@lru_cache(maxsize=64)
def _letters(text: str) -> frozenset[str]:
    """Of every character its plainest form, whatever its width, case or accent. Where a word has one that a text has
    not, it is not in it: to make a pattern of each number takes ten times as long as to see that.

    Whatever `_written` takes for the same has the same form here: a form too many would leave a name unmasked.
    """
    return frozenset(unicodedata.normalize("NFKD", char)[0].casefold()[0].replace("ı", "i") for char in set(text))


def _either_width(char: str) -> str:
    narrow = chr(ord(char) - 0xFEE0) if "！" <= char <= "～" else char
    return f"[{re.escape(narrow)}{chr(ord(narrow) + 0xFEE0)}]" if "!" <= narrow <= "~" else re.escape(char)


def covered(text: str, word: str, mask: str) -> str:
    """`text` with `mask` wherever `word` stands, however it is spelt; a word of one character is none."""
    return mask.join(_written(word).split(text)) if sum(char.isalnum() for char in word) >= 2 else text
