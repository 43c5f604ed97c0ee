"""A document as docx, for offices that go on writing in it.

The fonts are named, not embedded: every Chinese Windows and WPS has 仿宋, 黑体 and 宋体 (GB/T 9704-2012 sets papers in
仿宋, three of size for running text).
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from docx import Document as new_docx
from docx.enum.table import WD_CELL_VERTICAL_ALIGNMENT, WD_ROW_HEIGHT_RULE, WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_TAB_ALIGNMENT
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt

from app.letters.model import Block, Document, Grid, Heading, Line, NewPage, Place, Prose, Row

BODY, LABEL, TITLE = "仿宋", "黑体", "宋体"
FORM_SIZE, LETTER_SIZE = 11, 16  # points
_LABEL_MM = 25
# left, right, top, bottom in millimetres: of a form, and of an official paper (GB/T 9704-2012)
_FORM_MARGINS, _LETTER_MARGINS = (20, 20, 18, 20), (28, 26, 37, 35)


def write(document: Document, *, now: datetime) -> bytes:
    """The docx, made `now`; it names no author."""
    return _Writer(document, now).written()


class _Writer:
    def __init__(self, document: Document, now: datetime) -> None:
        self.document = document
        self.size = FORM_SIZE if document.is_form else LETTER_SIZE
        self.docx: Any = new_docx()
        self.width = 0
        self.on_new_page = False
        self._page()
        self._properties(now)
        self._foot()

    def written(self) -> bytes:
        for block in self.document.blocks:
            self._block(block)
        out = io.BytesIO()
        self.docx.save(out)
        return out.getvalue()

    def _page(self) -> None:
        section = self.docx.sections[0]
        left, right, top, bottom = _FORM_MARGINS if self.document.is_form else _LETTER_MARGINS
        section.page_width, section.page_height = Mm(210), Mm(297)
        section.left_margin, section.right_margin = Mm(left), Mm(right)
        section.top_margin, section.bottom_margin = Mm(top), Mm(bottom)
        section.footer_distance = Mm(bottom / 2)
        self.width = 210 - left - right
        style = self.docx.styles["Normal"]
        _set_font(style, BODY, self.size)
        style.paragraph_format.space_after = Pt(0)

    def _properties(self, now: datetime) -> None:
        told = self.docx.core_properties
        told.title, told.author, told.last_modified_by, told.comments = self.document.title, "", "", ""
        told.language, told.created, told.modified = "zh-CN", now, now

    def _foot(self) -> None:
        foot = self.docx.sections[0].footer.paragraphs[0]
        self._ends(foot, self.document.foot, "第 ", 9)
        for name, after in (("PAGE", " 页 共 "), ("NUMPAGES", " 页")):
            run = foot.add_run()
            _set_font(run, BODY, 9)
            field = OxmlElement("w:fldSimple")
            field.set(qn("w:instr"), name)
            run._r.addprevious(field)
            field.append(run._r)
            run.text = "1"
            _set_font(foot.add_run(after), BODY, 9)

    def _block(self, block: Block) -> None:
        match block:
            case Heading(text, level):
                paragraph = self._paragraph()
                run = paragraph.add_run(text)
                run.bold = True
                _set_font(run, TITLE, 20 if level == 1 else 14)
                paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
                paragraph.paragraph_format.space_before = paragraph.paragraph_format.space_after = Pt(12)
                paragraph.paragraph_format.keep_with_next = True
            case Line(left, right):
                self._ends(self._paragraph(), left, right, FORM_SIZE)
            case Grid(rows):
                self._grid(rows)
            case Prose():
                self._prose(block)
            case NewPage():
                self.on_new_page = True

    def _ends(self, paragraph: Any, left: str, right: str, size: int) -> None:
        stops = paragraph.paragraph_format.tab_stops
        for old in paragraph.style.paragraph_format.tab_stops:  # a footer's style has stops of its own
            stops.add_tab_stop(old.position, WD_TAB_ALIGNMENT.CLEAR)
        stops.add_tab_stop(Mm(self.width), WD_TAB_ALIGNMENT.RIGHT)
        _set_font(paragraph.add_run(f"{left}\t{right}"), BODY, size)

    def _grid(self, rows: Iterable[Row]) -> None:
        text_mm = (self.width - 2 * _LABEL_MM) / 2
        widths = (_LABEL_MM, text_mm, _LABEL_MM, text_mm)
        if self.on_new_page:
            self._paragraph()
        table = self.docx.add_table(rows=0, cols=len(widths), style="Table Grid")
        table.autofit = False
        table.alignment = WD_TABLE_ALIGNMENT.CENTER
        for column, width in zip(table.columns, widths, strict=True):
            column.width = Mm(width)
        for row in rows:
            line = table.add_row()
            places = line.cells
            if row.height:
                line.height, line.height_rule = Mm(row.height), WD_ROW_HEIGHT_RULE.AT_LEAST
            at = 0
            for cell in row.cells:
                place = places[at]
                if cell.span > 1:
                    place = place.merge(places[at + cell.span - 1])
                at_top = row.height and cell.span > 1
                place.vertical_alignment = (
                    WD_CELL_VERTICAL_ALIGNMENT.TOP if at_top else WD_CELL_VERTICAL_ALIGNMENT.CENTER
                )
                self._into(place, cell.text, label=cell.label)
                at += cell.span

    def _into(self, place: Any, text: str, *, label: bool) -> None:
        first, *rest = text.split("\n")
        paragraphs = [place.paragraphs[0], *(place.add_paragraph() for _ in rest)]
        for paragraph, line in zip(paragraphs, (first, *rest), strict=True):
            _set_font(paragraph.add_run(line), LABEL if label else BODY, self.size)
            paragraph.paragraph_format.space_before = paragraph.paragraph_format.space_after = Pt(2)
            if label:
                paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER

    def _prose(self, prose: Prose) -> None:
        signed = [one for one in prose.paragraphs if one.place is Place.sign]
        for one in prose.paragraphs:
            paragraph = self._paragraph()
            _set_font(paragraph.add_run(one.text), BODY, self.size)
            shape = paragraph.paragraph_format
            shape.line_spacing = 1.5
            if one.place is Place.body:
                shape.first_line_indent = Pt(2 * self.size)
            elif one.place is Place.sign:
                paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
                shape.right_indent = Pt(2 * self.size)
                shape.keep_with_next = one is not signed[-1]
                shape.space_before = Pt(3 * self.size) if one is signed[0] else Pt(0)

    def _paragraph(self) -> Any:
        paragraph = self.docx.add_paragraph()
        paragraph.paragraph_format.page_break_before = self.on_new_page or None
        self.on_new_page = False
        return paragraph


def _set_font(what: Any, name: str, size: int) -> None:
    """The font of a run or a style, for Latin and Chinese characters alike."""
    what.font.name, what.font.size = name, Pt(size)
    fonts = what.element.get_or_add_rPr().get_or_add_rFonts()
    for script in ("w:eastAsia", "w:hAnsi", "w:ascii", "w:cs"):
        fonts.set(qn(script), name)
