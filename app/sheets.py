"""Tables that people keep in a spreadsheet: read with faults named by row and column, written so that no cell runs.

The form is CSV as the spreadsheets of the offices write it: UTF-8 (with or without a mark) or GB 18030, comma, a row of
heads; or the first sheet of a workbook (`app.workbooks`). Pure: what a table means is for the caller to say.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from app import workbooks
from app.text import clean

MOST_FAULTS = 200
MOST_EMPTY = 1_000  # rows of a workbook that may stand empty between the others
MARK = b"\xef\xbb\xbf"
MEDIA_TYPE = "text/csv"
_RUNS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
"""What a spreadsheet takes for the beginning of a formula (OWASP, CSV injection)."""


@dataclass(frozen=True)
class Column:
    """A column: the head that people see, the name that the program uses, and how a cell is understood.

    `read` gets a cleaned, non-empty cell and raises ValueError with words for people; an empty cell is `empty`, or a
    fault if `required`. A column that is not `needed` may be missing altogether.
    """

    head: str
    name: str
    required: bool = False
    needed: bool = False
    most: int = 200
    read: Callable[[str], Any] = str
    empty: Any = ""


@dataclass(frozen=True)
class Fault:
    """What is wrong where: the row as the spreadsheet counts it (heads are row 1), the column's head ("" for a row)."""

    row: int
    column: str
    told: str


@dataclass(frozen=True)
class Line:
    """One row of a table, understood; `row` as in Fault. Cells with a fault are missing from `values`."""

    row: int
    values: Mapping[str, Any]


@dataclass
class Outcome:
    """What an import does, or would do; nothing is written while there is a fault."""

    created: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unchanged: int = 0
    faults: list[Fault] = field(default_factory=list)
    written: bool = False


@dataclass
class Sheet:
    """A table that was read; `present` are the columns that it has. Who finds more that is wrong adds to `faults`."""

    columns: Sequence[Column]
    present: frozenset[str] = frozenset()
    lines: list[Line] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def fault(self, row: int, name: str, told: str) -> None:
        """Something is wrong with the cell of the column `name` ("" for the whole row)."""
        head = next((column.head for column in self.columns if column.name == name), "")
        self.faults.append(Fault(row, head, told))

    @property
    def told(self) -> list[Fault]:
        """The faults in the order of the rows, the first MOST_FAULTS of them."""
        return sorted(self.faults, key=lambda fault: fault.row)[:MOST_FAULTS]


def read(data: bytes, columns: Sequence[Column], *, most_rows: int) -> Sheet:
    """The table in `data`. Columns stand in any order; heads that are not asked for and empty rows are passed over."""
    sheet = Sheet(columns)
    rows = _rows(data, sheet, most_rows)
    if rows is None:
        return sheet
    heads = [clean(cell, 60) for cell in rows[0]] if rows else []
    at = {column.name: heads.index(column.head) for column in columns if column.head in heads}
    sheet.present = frozenset(at)
    for column in columns:
        if column.needed and column.name not in at:
            sheet.fault(1, column.name, "缺少这一列 (this column is missing)")
        if heads.count(column.head) > 1:
            sheet.fault(1, column.name, "这一列出现了两次 (this column is there twice)")
    if sheet.faults:
        return sheet
    for number, cells in enumerate(rows[1:], start=2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(sheet.lines) == most_rows:
            sheet.fault(number, "", f"最多 {most_rows} 行 (at most {most_rows} rows)")
            break
        sheet.lines.append(Line(number, _understood(sheet, number, cells, at)))
    if not sheet.lines and not sheet.faults:
        sheet.fault(2, "", "表里没有内容 (there is nothing in this table)")
    return sheet


def day(text: str) -> date:
    """Understands a day: 2026-11-24, 2026/11/24 or 2026年11月24日."""
    try:
        year, month, number = re.split(r"[-/.年月]", text.rstrip("日"))
        found = date(int(year), int(month), int(number))
    except ValueError:
        found = date.min
    if not 2000 <= found.year <= 2199:
        raise ValueError("须为日期，如 2026-11-24 (a day, like 2026-11-24)")
    return found


def yes(text: str) -> bool:
    """Understands yes or no."""
    if text in ("是", "yes", "1"):
        return True
    if text in ("否", "no", "0"):
        return False
    raise ValueError("须为“是”或“否” (yes or no)")


def write(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """A table as spreadsheets open it. What would run as a formula is led by an apostrophe, which `read` takes off."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    for row in (heads, *rows):
        writer.writerow([_harmless(str(cell)) for cell in row])
    return MARK + out.getvalue().encode("utf-8")


def _harmless(cell: str) -> str:
    # One that already begins like a led one gets another apostrophe, so that reading gives back what was written.
    return f"'{cell}" if cell.startswith(_RUNS) or _led(cell) else cell


def _led(cell: str) -> bool:
    return cell.startswith("'") and cell.lstrip("'").startswith(_RUNS)


def _rows(data: bytes, sheet: Sheet, most_rows: int) -> list[list[str]] | None:
    if data.startswith(workbooks.BEGINS):
        try:
            return workbooks.rows(data, most_rows + MOST_EMPTY)
        except workbooks.Unreadable:
            data = b"\0"
    text = _decoded(data)
    if text is None:
        told = "读不出文字，存为 xlsx 或 CSV（UTF-8）再试 (not readable: save it as xlsx or CSV UTF-8)"
        sheet.fault(1, "", told)
        return None
    try:
        return list(csv.reader(io.StringIO(text, newline="")))
    except csv.Error:
        sheet.fault(1, "", "不是 CSV 表格，另存为 CSV 再试 (not a CSV table: save it as CSV)")
        return None


def _decoded(data: bytes) -> str | None:
    if b"\0" in data:  # what older spreadsheets keep for themselves (xls), and UTF-16
        return None
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _understood(sheet: Sheet, row: int, cells: Sequence[str], at: Mapping[str, int]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for column in sheet.columns:
        place = at.get(column.name, len(cells))
        cell = cells[place] if place < len(cells) else ""
        cell = cell[1:] if _led(cell) else cell
        text = clean(cell, len(cell), lines=True)
        if not text:
            if column.required:
                sheet.fault(row, column.name, "必须填写 (required)")
            else:
                values[column.name] = column.empty
        elif len(text) > column.most:
            sheet.fault(row, column.name, f"最多 {column.most} 个字 (at most {column.most} characters)")
        else:
            try:
                values[column.name] = column.read(text)
            except ValueError as error:
                sheet.fault(row, column.name, str(error))
    return values
