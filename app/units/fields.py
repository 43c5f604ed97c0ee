"""What is written of a unit: cleaned, and what is wrong with it by field. Pure; forms and tables use the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from app.text import clean, normal_number
from app.units.model import (
    LONGEST_NAME,
    LONGEST_TEXT,
    MOST_WORDS,
    PhoneKind,
    UnitKind,
    initials,
    is_code,
    office_hours,
    split_words,
    word_faults,
)

MOST_PHONES, SHORTEST_NUMBER = 12, 3
WORD_LISTS = ("topics", "keywords", "areas")


@dataclass(frozen=True)
class Phone:
    """A telephone number as a unit's form has it."""

    kind: PhoneKind
    number: str
    note: str = ""


@dataclass(frozen=True)
class UnitValues:
    """A unit as it is to be: its columns but for the place in the network, and its telephones."""

    columns: Mapping[str, Any]
    phones: tuple[Phone, ...]
    faults: Mapping[str, str]

    @property
    def kind(self) -> UnitKind:
        """What the unit is."""
        return UnitKind(self.columns["kind"])


def written(values: Mapping[str, Any], phones: Iterable[Phone]) -> UnitValues:
    """`values` (code, name, short_name, kind, duties, topics, keywords, areas, address, office_hours, hours_note) in
    the form in which they are stored. Without a short name the name is both.
    """
    wrong: dict[str, str] = {}
    code = clean(values["code"], 40).upper()
    if not is_code(code):
        wrong["code"] = "编码由大写字母、数字和连字符组成，最长 32 位 (capitals, digits, hyphens, at most 32)"
    name = clean(values["name"], LONGEST_NAME)
    if not name:
        wrong["name"] = "填写名称 (required)"
    short_name = clean(values.get("short_name", ""), LONGEST_NAME) or name
    columns: dict[str, Any] = {
        "code": code,
        "name": name,
        "short_name": short_name,
        "initials": f"{initials(short_name)} {initials(name)}"[:130].strip(),
        "kind": UnitKind(values["kind"]).value,
        "duties": clean(values.get("duties", ""), LONGEST_TEXT, lines=True),
        "address": clean(values.get("address", ""), 200),
        "hours_note": clean(values.get("hours_note", ""), 100),
    }
    for field in WORD_LISTS:
        words = [clean(word, LONGEST_TEXT) for word in values.get(field, ())]
        columns[field] = split_words(" ".join(words))
        if fault := word_faults(columns[field]):
            wrong[field] = fault
            columns[field] = columns[field][:MOST_WORDS]
    columns["office_hours"] = ""
    try:
        columns["office_hours"] = office_hours(clean(values.get("office_hours", ""), 120))
    except ValueError:
        wrong["office_hours"] = "写成 09:00-12:00, 13:30-17:30，先后相接 (write 09:00-12:00, 13:30-17:30)"
    given = [_phone(phone) for phone in phones if phone.number.strip()]
    kept = tuple(phone for kind in PhoneKind for phone in given if phone.kind is kind)  # in one order everywhere
    if len(kept) > MOST_PHONES or any(len(phone.number) < SHORTEST_NUMBER for phone in kept):
        wrong["phones"] = (
            f"号码至少 {SHORTEST_NUMBER} 位，最多 {MOST_PHONES} 个 "
            f"({SHORTEST_NUMBER} digits or more, at most {MOST_PHONES} numbers)"
        )
    return UnitValues(columns, kept, wrong)


def _phone(phone: Phone) -> Phone:
    return Phone(PhoneKind(phone.kind), normal_number(phone.number), clean(phone.note, 60))
