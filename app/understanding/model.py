"""What may be read out of words that were said. Pure.

Whatever is read is a suggestion: it stands in no field and is stored nowhere until a person takes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a suggestion is of, and so where on the card it belongs."""

    matter = "matter"  # 诉求内容: what the citizen said, without greetings
    type = "type"  # 类型
    name = "name"  # 来电人姓名, only where they said it of themselves
    telephone = "telephone"  # 联系电话: their own
    area = "area"  # 区域
    address = "address"  # 具体地址
    unit = "unit"  # 建议单位
    moment = "moment"  # a day or a time that is spoken of
    other_telephone = "other_telephone"  # somebody else's number
    case_number = "case_number"  # an earlier case that they name


MOST: Mapping[Kind, int] = {
    Kind.matter: 2,
    Kind.type: 1,
    Kind.name: 1,
    Kind.telephone: 2,
    Kind.area: 1,
    Kind.address: 2,
    Kind.unit: 1,
    Kind.moment: 3,
    Kind.other_telephone: 2,
    Kind.case_number: 2,
}
"""So many of a kind are told, the surest first; in the order of the card."""


@dataclass(frozen=True)
class Said:
    """A stretch of speech. Moments are milliseconds from the beginning of the sound, None where nobody knows them;
    `words` are (word, start_ms, end_ms) and together the text; `confidence` is the recogniser's, from 0 to 1."""

    text: str
    start_ms: int | None = None
    end_ms: int | None = None
    words: tuple[tuple[str, int, int], ...] = ()
    confidence: float = 1.0


@dataclass(frozen=True)
class Found:
    """A value and where in a text it was read (`end` excluded); `sure`: how often such a reading is right."""

    kind: Kind
    value: str
    start: int
    end: int
    sure: float


@dataclass(frozen=True)
class Suggestion:
    """A value that a person may take over. `quote` is what was said, from `start_ms` to `end_ms` of the sound (None:
    not known); `confidence` (0 to 1) is the reading's times the hearing's. `source` is what it was read from, as the
    caller names it, `label` what people call a value that is a code."""

    kind: Kind
    value: str
    quote: str
    start_ms: int | None
    end_ms: int | None
    confidence: float
    source: str = ""
    label: str = ""
