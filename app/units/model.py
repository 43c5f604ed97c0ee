"""The network's rules: levels, who may stand below whom, what makes a unit, its hours and its searched forms."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.hours.model import minutes

LOWEST = 3
LONGEST_NAME, LONGEST_TEXT, MOST_WORDS, LONGEST_WORD = 60, 4000, 60, 20
_CODE = re.compile(r"[A-Z0-9][A-Z0-9-]{0,31}")
_SPAN = re.compile(r"(\d{1,2}:\d{2})\s*[-–—~～至到]\s*(\d{1,2}:\d{2})")
_BETWEEN = re.compile(r"[\s,，、;；]*")


class UnitKind(StrEnum):
    """What a unit is in the network (篇6: 三级网络; 友邻 units are outside the city's command)."""

    centre = "centre"
    district = "district"
    bureau = "bureau"
    zone = "zone"
    utility = "utility"  # companies that supply the city (water, gas, heat, power) stand beside the bureaus
    subordinate = "subordinate"  # whatever is below a unit of level 1
    neighbour = "neighbour"


class PhoneKind(StrEnum):
    """What a telephone number of a unit is for."""

    voice = "voice"
    fax = "fax"
    duty = "duty"  # answered outside office hours


class MemberRole(StrEnum):
    """What a person is in a unit. The values are those of the account's roles (K3)."""

    handler = "unit_handler"
    leader = "unit_leader"


LEVELS: Mapping[UnitKind, range] = {
    UnitKind.centre: range(0, 1),
    UnitKind.district: range(1, 2),
    UnitKind.bureau: range(1, 2),
    UnitKind.zone: range(1, 2),
    UnitKind.utility: range(1, 2),
    UnitKind.subordinate: range(2, LOWEST + 1),
    UnitKind.neighbour: range(0),  # in no level, below nobody
}


@dataclass(frozen=True)
class Place:
    """Where a unit stands. `level` is None outside of the tree."""

    kind: UnitKind
    level: int | None
    parent_id: int | None
    active: bool = True


@dataclass(frozen=True)
class Hindrance:
    """What keeps a unit from being closed: of which kind, how many, and what to do about it."""

    what: str
    count: int
    told_zh: str
    told_en: str

    @property
    def told(self) -> str:
        """Both languages, as errors say things."""
        return f"{self.told_zh} ({self.told_en})"


def level_below(parent: Place | None) -> int | None:
    """The level of what stands directly below `parent`; None where nothing can."""
    if parent is None or parent.level is None or parent.level >= LOWEST:
        return None
    return parent.level + 1


def place_faults(kind: UnitKind, parent: Place | None, depth: int = 0) -> dict[str, str]:
    """Why a unit of this kind, with `depth` levels of units below it, may not stand below `parent`; {} if it may.

    The centre and neighbours have no parent; the parent of everybody else is exactly one level above and works.
    """
    if kind in (UnitKind.centre, UnitKind.neighbour):
        return {} if parent is None else {"parent": "热线中心和友邻单位没有上级 (has no parent)"}
    if parent is None:
        return {"parent": "须选择上级单位 (needs a parent)"}
    if not parent.active:
        return {"parent": "上级单位已停用 (the parent is closed)"}
    level = level_below(parent)
    if level is None or level not in LEVELS[kind]:
        allowed = " / ".join(str(one - 1) for one in LEVELS[kind])
        return {"parent": f"这类单位的上级须为 {allowed} 级单位 (the parent's level must be {allowed})"}
    if level + depth > LOWEST:
        return {"parent": f"移到这里会超过 {LOWEST} 级 (would be deeper than level {LOWEST})"}
    return {}


def hands_down(giver_id: int, giver: Place, taker: Place) -> bool:
    """Whether a unit may hand work to another: only to its own direct children that work."""
    return giver.active and taker.active and taker.parent_id == giver_id


def hindrances(children: int, work: Sequence[Hindrance] = ()) -> list[Hindrance]:
    """What keeps a unit with that many working children, and that work, from being closed."""
    below = Hindrance(
        "children", children, f"还有 {children} 个下级单位，先移走或停用", f"{children} units below: move or close them"
    )
    return [one for one in (below, *work) if one.count]


def is_code(text: str) -> bool:
    """Whether this can be a unit's code: capitals, digits and hyphens, at most 32."""
    return bool(_CODE.fullmatch(text))


def office_hours(text: str) -> str:
    """ "9:00–12:00、13:30至17:30" → "09:00-12:00,13:30-17:30"; "" for none.

    Raises ValueError for what is no list of spans that follow each other within a day.
    """
    spans, at, last = [], 0, -1
    text = text.strip().replace("：", ":")
    while at < len(text):
        found = _SPAN.match(text, at)
        if found is None:
            raise ValueError("hours are written HH:MM-HH:MM")
        opens, closes = minutes(found[1]), minutes(found[2])
        if not last < opens < closes:
            raise ValueError("spans follow each other")
        spans.append("-".join(f"{one // 60:02d}:{one % 60:02d}" for one in (opens, closes)))
        gap = _BETWEEN.match(text, found.end())
        last, at = closes, gap.end() if gap else len(text)
    return ",".join(spans)


def split_words(text: str) -> list[str]:
    """Words that were written in one field, in order, each once: "供水、水表 停水" → ["供水", "水表", "停水"]."""
    return list(dict.fromkeys(word for word in re.split(r"[\s,，、;；/|]+", text) if word))


def word_faults(words: Collection[str]) -> str:
    """What is wrong with a list of words, "" if nothing is."""
    if len(words) > MOST_WORDS or any(len(word) > LONGEST_WORD for word in words):
        return f"最多 {MOST_WORDS} 个词，每个不超过 {LONGEST_WORD} 字 (at most {MOST_WORDS} words of {LONGEST_WORD})"
    return ""


# GB 2312 orders its 3,755 commonest characters by their sound: where each letter's characters begin.
_BEGINS = (
    (0xB0A1, "a"), (0xB0C5, "b"), (0xB2C1, "c"), (0xB4EE, "d"), (0xB6EA, "e"), (0xB7A2, "f"), (0xB8C1, "g"),
    (0xB9FE, "h"), (0xBBF7, "j"), (0xBFA6, "k"), (0xC0AC, "l"), (0xC2E8, "m"), (0xC4C3, "n"), (0xC5B6, "o"),
    (0xC5BE, "p"), (0xC6DA, "q"), (0xC8BB, "r"), (0xC8F6, "s"), (0xCBFA, "t"), (0xCDDA, "w"), (0xCEF4, "x"),
    (0xD1B9, "y"), (0xD4D1, "z"),
)  # fmt: skip
_ENDS = 0xD7FA
_STARTS = [start for start, _ in _BEGINS]


def initials(name: str) -> str:
    """The first letters of a name's sounds: 水务局 → swj. Rare characters have none; one sound of each counts."""
    return "".join(_initial(char) for char in name)


def _initial(char: str) -> str:
    if char.isascii():
        return char.lower() if char.isalnum() else ""
    encoded = char.encode("gb2312", "ignore")
    value = int.from_bytes(encoded, "big") if len(encoded) == 2 else 0
    return _BEGINS[bisect_right(_STARTS, value) - 1][1] if _BEGINS[0][0] <= value < _ENDS else ""
