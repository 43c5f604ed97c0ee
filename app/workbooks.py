"""The first sheet of an Excel workbook (xlsx, ECMA-376 part 1, §18) as rows of texts, as a person reads them.

Who sends such a file may be anybody: no part of it is unpacked beyond LARGEST or has more than MOST_TAGS, and all cells
together say no more than LARGEST characters, however often they share a text; no document type is read (so no entity
grows), formulas are what they were last worked out to be, and macros are never looked at. Pure.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from xml.etree import ElementTree

LARGEST = 20_000_000
MOST_TAGS = 1_000_000
MOST_COLUMNS = 200
LONGEST_FORMAT = 255  # as in Excel
BEGINS = b"PK\x03\x04"
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_LINK = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_DAYS = {*range(14, 23), *range(27, 37), 45, 46, 47, *range(50, 59)}
"""The formats of numbers that are days or times in every workbook (§18.8.30)."""
_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""All that a workbook may be packed with (part 2); whatever is packed otherwise is unpacked whole, at any size."""
_SAID = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.')
_PLACE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_EPOCH, _MAC_EPOCH = datetime.fromisoformat("1899-12-30"), datetime.fromisoformat("1904-01-01")


class Unreadable(ValueError):
    """It is no workbook that can be read."""


def rows(data: bytes, most_rows: int) -> list[list[str]]:
    """The rows as they are numbered there, empty ones too; one more than `most_rows` at most. Raises Unreadable."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as book:
            return _rows(book, most_rows)
    except (zipfile.BadZipFile, zlib.error, ElementTree.ParseError, LookupError, ValueError, OverflowError) as error:
        raise Unreadable() from error
    except (NotImplementedError, RuntimeError, EOFError, OSError) as error:  # another packing, a password, cut off
        raise Unreadable() from error


def _rows(book: zipfile.ZipFile, most_rows: int) -> list[list[str]]:
    workbook = _part(book, "xl/workbook.xml")
    first = next((one.get(_LINK) for one in workbook.iter(f"{_MAIN}sheet")), None)
    links = {one.get("Id"): one.get("Target", "") for one in _part(book, "xl/_rels/workbook.xml.rels")}
    target = links[first]
    path = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    names = set(book.namelist())
    texts = [_text(one) for one in _part(book, "xl/sharedStrings.xml")] if "xl/sharedStrings.xml" in names else []
    days = _day_styles(_part(book, "xl/styles.xml")) if "xl/styles.xml" in names else frozenset()
    settings = workbook.find(f"{_MAIN}workbookPr")
    epoch = _MAC_EPOCH if settings is not None and settings.get("date1904") in ("1", "true") else _EPOCH
    found: list[list[str]] = []
    said = 0
    for row in _part(book, path).iter(f"{_MAIN}row"):
        number = min(int(row.get("r") or len(found) + 1), most_rows + 1)
        if number < 1:
            raise Unreadable()
        found += [[] for _ in range(number - len(found))]
        cells = found[number - 1]
        for at, cell in _placed(row):
            cells += [""] * (at + 1 - len(cells))
            cells[at] = _cell(cell, texts, days, epoch)
            said += len(cells[at])
        if said > LARGEST:
            raise Unreadable()
        if number > most_rows:
            break
    return found


def _part(book: zipfile.ZipFile, name: str) -> ElementTree.Element:
    if book.getinfo(name).compress_type not in _PACKED:
        raise Unreadable()
    with book.open(name) as packed:
        text = packed.read(LARGEST + 1)
    if len(text) > LARGEST or text.count(b"<") > MOST_TAGS:
        raise Unreadable()
    if b"<!DOCTYPE" in text or b"\0" in text:  # nor UTF-16, in which one could be hidden
        raise Unreadable()
    return ElementTree.fromstring(text)


def _placed(row: ElementTree.Element) -> Iterator[tuple[int, ElementTree.Element]]:
    """The cells with their columns, counted from 0."""
    at = -1
    for cell in row.iter(f"{_MAIN}c"):
        place = _PLACE.fullmatch(cell.get("r") or "")
        at = _column(place[1]) if place else at + 1
        if at >= MOST_COLUMNS:
            return
        yield at, cell


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def _cell(cell: ElementTree.Element, texts: list[str], days: frozenset[int], epoch: datetime) -> str:
    kind, value = cell.get("t", "n"), cell.findtext(f"{_MAIN}v", "")
    match kind:
        case "s":
            if value.startswith("-"):
                raise Unreadable()
            return texts[int(value)]
        case "inlineStr":
            inside = cell.find(f"{_MAIN}is")
            return _text(inside) if inside is not None else ""
        case "b":
            return "是" if value == "1" else "否"
        case "n" if value:
            return _day(value, epoch) if int(cell.get("s", "0")) in days else _number(value)
    return value


def _text(item: ElementTree.Element) -> str:
    """What is written, without how it is pronounced."""
    parts = [item.findtext(f"{_MAIN}t", ""), *(run.findtext(f"{_MAIN}t", "") for run in item.iter(f"{_MAIN}r"))]
    return "".join(parts)


def _number(value: str) -> str:
    """As a person wrote it: 13800138000, never 1.3800138E10."""
    try:
        number = Decimal(value)
    except InvalidOperation:
        return value
    if not number.is_finite() or abs(number.adjusted()) > 30:
        return value
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _day(value: str, epoch: datetime) -> str:
    moment = epoch + timedelta(seconds=round(float(value) * 86_400))
    if moment.time().isoformat() == "00:00:00":
        return f"{moment:%Y-%m-%d}"
    return f"{moment:%H:%M}" if float(value) < 1 else f"{moment:%Y-%m-%d %H:%M}"


def _day_styles(styles: ElementTree.Element) -> frozenset[int]:
    """The styles of cells in which a number is a day or a time."""
    own = {
        int(one.get("numFmtId", "0")): _SAID.sub("", one.get("formatCode", "")[:LONGEST_FORMAT]).lower()
        for one in styles.iter(f"{_MAIN}numFmt")
    }
    shown = {ident for ident, code in own.items() if re.search("[ymdhs]", code) and "general" not in code}
    formats = styles.find(f"{_MAIN}cellXfs")
    found = [int(one.get("numFmtId", "0")) for one in formats] if formats is not None else []
    return frozenset(at for at, ident in enumerate(found) if ident in shown or (ident in _DAYS and ident not in own))
