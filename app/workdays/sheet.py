"""A year's days that differ as a table of text (CSV), as an office gets or writes it. Pure.

The first line names the columns, in Chinese or English: day, kind, and note if there is one. A fault names its row, as
a spreadsheet counts them, and its column; every fault is found at once.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from app.text import clean
from app.workdays.model import SATURDAY, WorkDayKind

LONGEST_TEXT = 20_000
LONGEST_NOTE = 100
COLUMNS: Mapping[str, str] = {
    "day": "day",
    "date": "day",
    "日期": "day",
    "kind": "kind",
    "type": "kind",
    "类型": "kind",
    "note": "note",
    "说明": "note",
    "名称": "note",
}
KINDS: Mapping[str, WorkDayKind] = {
    "holiday": WorkDayKind.holiday,
    "放假": WorkDayKind.holiday,
    "休": WorkDayKind.holiday,
    "休息": WorkDayKind.holiday,
    "makeup": WorkDayKind.makeup,
    "上班": WorkDayKind.makeup,
    "班": WorkDayKind.makeup,
    "调休上班": WorkDayKind.makeup,
}
CHINESE = {"day": "日期", "kind": "类型", "note": "说明"}
_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")


@dataclass(frozen=True)
class SheetDay:
    """One day that differs."""

    day: date
    kind: WorkDayKind
    note: str = ""


@dataclass(frozen=True)
class Fault:
    """What is wrong where: `row` counts from 1, the line of names; `column` is a name of `CHINESE`, "" for the row."""

    row: int
    column: str
    zh: str
    en: str

    def told(self, language: str) -> str:
        """The fault with its place, for a reader of `language`."""
        if language.startswith("zh"):
            return f"第 {self.row} 行{'“' + CHINESE[self.column] + '”' if self.column else ''}：{self.zh}"
        return f"Row {self.row}{', column ' + self.column if self.column else ''}: {self.en}"


@dataclass(frozen=True)
class Sheet:
    """The days in order, and what keeps them from being taken; days with a fault are left out."""

    days: tuple[SheetDay, ...]
    faults: tuple[Fault, ...]


def read_sheet(text: str, year: int) -> Sheet:
    """What `text` says about `year`."""
    rows = list(_rows(text))
    if not rows:
        return Sheet((), (Fault(1, "", "没有内容", "there is nothing in it"),))
    (top, names), *rest = rows
    places = _places(names)
    if missing := [name for name in ("day", "kind") if name not in places]:
        fault = [Fault(top, name, "缺少这一列", "this column is missing") for name in missing]
        return Sheet((), tuple(fault))
    if not rest:
        return Sheet((), (Fault(top, "", "只有列名，没有日期", "there are names of columns but no days"),))
    days: dict[date, SheetDay] = {}
    faults: list[Fault] = []
    for row, cells in rest:
        read = _day_of(row, {name: cells[at] if at < len(cells) else "" for name, at in places.items()}, year)
        if isinstance(read, SheetDay) and read.day in days:
            read = [Fault(row, "day", "这一天已在前面出现", "this day stands further up already")]
        if isinstance(read, SheetDay):
            days[read.day] = read
        else:
            faults += read
    return Sheet(tuple(days[day] for day in sorted(days)), tuple(faults))


def day_fault(day: date, kind: WorkDayKind) -> tuple[str, str] | None:
    """Why `day` can't be of that kind, in Chinese and English; None if it can."""
    if kind is WorkDayKind.makeup and day.weekday() < SATURDAY:
        return "周一至周五本来就上班，不能设为调休上班", "Monday to Friday are working days anyway"
    return None


def _rows(text: str) -> Iterable[tuple[int, list[str]]]:
    """Every row that is not empty, with its number. A tab or a semicolon may part the cells instead of a comma."""
    text = text.removeprefix("\ufeff")[:LONGEST_TEXT]
    first = text.partition("\n")[0]
    parts = max(",", "\t", ";", key=first.count)
    reader = csv.reader(io.StringIO(text.replace("\0", ""), newline=""), delimiter=parts)
    for number, cells in enumerate(reader, start=1):
        tidy = [clean(unicodedata.normalize("NFKC", cell), 200) for cell in cells]
        if any(tidy):
            yield number, tidy


def _places(names: list[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for at, name in enumerate(names):
        known = COLUMNS.get(name.casefold())
        if known is not None:
            found.setdefault(known, at)
    return found


def _day_of(row: int, cells: Mapping[str, str], year: int) -> SheetDay | list[Fault]:
    faults = []
    day, kind = _date(cells["day"]), KINDS.get(cells["kind"].casefold())
    if day is None:
        faults.append(Fault(row, "day", "不是日期，写成 2027-01-01", "not a date: write 2027-01-01"))
    elif day.year != year:
        faults.append(Fault(row, "day", f"不是 {year} 年的日期", f"not a day of {year}"))
    if kind is None:
        faults.append(Fault(row, "kind", "写“放假”或“上班”", "write holiday or makeup"))
    if faults or day is None or kind is None:
        return faults
    if why := day_fault(day, kind):
        return [Fault(row, "kind", *why)]
    return SheetDay(day, kind, cells.get("note", "")[:LONGEST_NOTE])


def _date(text: str) -> date | None:
    found = _DAY.fullmatch(text)
    try:
        return date(*(int(part) for part in found.groups())) if found else None
    except ValueError:
        return None
