"""Tables from spreadsheets: faults by row and column, encodings, and cells that must not run."""

from __future__ import annotations

import csv
import io
import time
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import sheets, workbooks
from app.sheets import Column, Fault
from app.text import clean
from tests.case_kit.documents import workbook


def _count(text: str) -> int:
    if not text.isdigit():
        raise ValueError("须为数字 (a number)")
    return int(text)


COLUMNS = (
    Column("名称", "name", required=True, needed=True, most=5),
    Column("数量", "count", read=_count, empty=0),
    Column("说明", "note"),
)


def read(text: str, encoding: str = "utf-8", most_rows: int = 10) -> sheets.Sheet:
    return sheets.read(text.encode(encoding), COLUMNS, most_rows=most_rows)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_table_is_read_in_every_form_that_offices_save_it_in(encoding: str):
    sheet = read("数量,名称,别的\r\n3,水务局,x\r\n\r\n,供水,\r\n", encoding)
    assert sheet.faults == []
    assert [(line.row, dict(line.values)) for line in sheet.lines] == [
        (2, {"name": "水务局", "count": 3, "note": ""}),
        (4, {"name": "供水", "count": 0, "note": ""}),
    ]
    assert sheet.present == {"name", "count"}


def test_every_fault_is_named_by_the_row_and_column_that_the_spreadsheet_shows():
    sheet = read('名称,数量,说明\n"水\n务",1,\n,2,\n长长长长长长,x,\n')
    assert sheet.told == [
        Fault(3, "名称", "必须填写 (required)"),
        Fault(4, "名称", "最多 5 个字 (at most 5 characters)"),
        Fault(4, "数量", "须为数字 (a number)"),
    ]
    assert sheet.lines[0].values["name"] == "水\n务", "a cell of two lines is one row"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("数量\n1\n".encode(), "缺少这一列"),
        ("名称,名称\na,b\n".encode(), "出现了两次"),
        ("名称\n".encode(), "没有内容"),
        (b"", "缺少这一列"),
        (b"PK\x03\x04\x00\x00", "读不出文字"),
        (b"\xff\xff\xff", "读不出文字"),
        (("名称\n" + "水\n" * 11).encode(), "最多 10 行"),
    ],
)
def test_what_is_no_such_table_is_told(data: bytes, words: str):
    assert any(words in fault.told for fault in sheets.read(data, COLUMNS, most_rows=10).faults)


@pytest.mark.parametrize("cell", ["=1+1", "+8613800138000", "-2", "@SUM(A1)", "\t=1", "＝1", "'=1", "''+1"])
def test_no_exported_cell_runs_as_a_formula_and_reading_gives_it_back(cell: str):
    data = sheets.write(["说明", "名称"], [[cell, "x"]])
    (_, row) = csv.reader(io.StringIO(data.decode("utf-8-sig")))
    assert row[0].startswith("'")
    assert sheets.read(data, COLUMNS, most_rows=1).lines[0].values["note"] == cell.strip()


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=60))
def test_what_was_written_is_what_is_read(cell: str):
    data = sheets.write(["名称", "说明"], [["x", cell]])
    assert sheets.read(data, COLUMNS, most_rows=1).lines[0].values["note"] == clean(cell, 60, lines=True)


def test_a_workbook_is_read_as_a_person_sees_it_and_its_rows_keep_their_numbers():
    data = workbook({"A1": "名称", "C1": "数量", "A3": "~水务", "C3": 13800138000, "A5": "城管", "C5": "许多"})
    sheet = sheets.read(data, COLUMNS, most_rows=10)
    assert [(line.row, line.values["name"]) for line in sheet.lines] == [(3, "水务"), (5, "城管")]
    assert sheet.lines[0].values["count"] == 13800138000
    assert [(fault.row, fault.column) for fault in sheet.told] == [(5, "数量")]


def test_days_and_long_numbers_of_a_workbook_are_written_out():
    cells = {"A1": 46350, "B1": 46350.5, "C1": 1.3800138e10, "D1": 0.1, "AA1": 0.5}
    [row] = workbooks.rows(workbook(cells, days=frozenset({"A1", "B1", "AA1"})), 10)
    assert row[:4] == ["2026-11-24", "2026-11-24 12:00", "13800138000", "0.1"]
    assert (row[26], len(row)) == ("12:00", 27)


def test_a_workbook_that_would_grow_is_not_read(monkeypatch: pytest.MonkeyPatch):
    whole = workbook({"A1": "名称", "A2": "水务"})
    assert workbooks.rows(whole, 10)
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as good, zipfile.ZipFile(packed, "w") as bad:
        for name in good.namelist():
            bad.writestr(name, b'<!DOCTYPE a [<!ENTITY b "c">]>' + good.read(name))
    with pytest.raises(workbooks.Unreadable):
        workbooks.rows(packed.getvalue(), 10)
    monkeypatch.setattr(workbooks, "LARGEST", 50)
    with pytest.raises(workbooks.Unreadable):
        workbooks.rows(whole, 10)


def _changed(parts: dict[str, bytes], *, packing: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A small workbook of which some parts are other ones."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook({"A1": "名称", "A2": "水务"}))) as good:
        known = {name: good.read(name) for name in good.namelist()}
    with zipfile.ZipFile(out, "w", packing) as book:
        for name, data in (known | parts).items():
            book.writestr(name, data)
    return out.getvalue()


MAIN = b'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
SHEET, TEXTS = "xl/worksheets/first.xml", "xl/sharedStrings.xml"


def _sheet(rows: bytes) -> bytes:
    return b"<worksheet %s><sheetData>%s</sheetData></worksheet>" % (MAIN, rows)


@pytest.mark.parametrize(
    "parts",
    [
        {"xl/workbook.xml": b"<workbook %s><sheets/></workbook>" % MAIN},
        {SHEET: b'<?xml version="1.0" encoding="nonsense"?><a/>'},
        {SHEET: _sheet(b'<row r="-3"><c><v>1</v></c></row>')},
        {SHEET: _sheet(b'<row r="1"><c t="s"><v>-1</v></c></row>')},
        {SHEET: _sheet(b'<row r="1">%s</row>' % (b"<c/>" * 1_000_001))},
        {TEXTS: b"<sst %s>%s</sst>" % (MAIN, b"<si/>" * 1_000_001)},
        {
            SHEET: _sheet(b'<row><c t="s"><v>0</v></c></row>' * 9),
            TEXTS: b"<sst %s><si><t>%s</t></si></sst>" % (MAIN, b"x" * 2_500_000),
        },
    ],
    ids=["no sheet", "no such encoding", "row -3", "text -1", "a million cells", "a million texts", "one text"],
)
def test_a_workbook_that_was_made_to_do_harm_is_called_unreadable(parts: dict[str, bytes]):
    with pytest.raises(workbooks.Unreadable):
        workbooks.rows(_changed(parts), 10)


def test_a_workbook_that_is_damaged_or_packed_in_another_way_is_called_unreadable():
    assert workbooks.rows(_changed({}), 10)
    for packing in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):  # they are unpacked whole, however much is asked for
        with pytest.raises(workbooks.Unreadable):
            workbooks.rows(_changed({}, packing=packing), 10)
    damaged = bytearray(_changed({}))
    at = damaged.find(SHEET.encode()) + len(SHEET)
    damaged[at : at + 6] = b"\xff" * 6
    with pytest.raises(workbooks.Unreadable):
        workbooks.rows(bytes(damaged), 10)


def test_a_format_of_a_number_that_never_ends_keeps_nobody_waiting():
    code = b"[" * 200_000  # each of them was sought an end for: half a minute
    styles = b'<styleSheet %s><numFmts><numFmt numFmtId="170" formatCode="%s"/></numFmts></styleSheet>' % (MAIN, code)
    began = time.perf_counter()
    assert workbooks.rows(_changed({"xl/styles.xml": styles}), 10) == [["名称"], ["水务"]]
    assert time.perf_counter() - began < 5


def test_rows_far_below_are_one_row_too_many():
    cell = b'<row r="%d"><c t="inlineStr"><is><t>x</t></is></c></row>'
    assert workbooks.rows(_changed({SHEET: _sheet(cell % 1 + cell % 9_999_999_999)}), 3) == [["x"], [], [], ["x"]]
