"""What a printed document says, as somebody who opens it reads it."""

from __future__ import annotations

import io
import zipfile

import docx
import pypdfium2


def squeezed(text: str) -> str:
    """Without what lines and pages put between characters: a document breaks a name wherever its line ends."""
    return "".join(text.split()).replace("\u200b", "").replace("\ufffe", "")


def read(form: str, data: bytes) -> str:
    """Everything that the document says, its properties and foot too."""
    if form == "pdf":
        pages = pypdfium2.PdfDocument(data)
        properties = " ".join(pages.get_metadata_dict().values())
        return "\n".join([properties, *(page.get_textpage().get_text_bounded() for page in pages)])
    made = docx.Document(io.BytesIO(data))
    cells = [cell.text for table in made.tables for row in table.rows for cell in row.cells]
    lines = [paragraph.text for paragraph in (*made.paragraphs, *made.sections[0].footer.paragraphs)]
    return "\n".join([made.core_properties.title, *lines, *cells])


def workbook(cells: dict[str, str | int | float], *, days: frozenset[str] = frozenset()) -> bytes:
    """An xlsx file by hand: cells by place; texts are shared, those that begin with "~" inline; `days` look so."""
    texts = [value for value in cells.values() if isinstance(value, str) and not value.startswith("~")]
    rows: dict[int, str] = {}
    for place, value in cells.items():
        number = int("".join(filter(str.isdigit, place)))
        if not isinstance(value, str):
            cell = f'<c r="{place}" s="{int(place in days)}"><v>{value}</v></c>'
        elif value.startswith("~"):
            cell = f'<c r="{place}" t="inlineStr"><is><t>{value[1:]}</t></is></c>'
        else:
            cell = f'<c r="{place}" t="s"><v>{texts.index(value)}</v></c>'
        rows[number] = rows.get(number, "") + cell
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    links = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    parts = {
        "xl/workbook.xml": f'<workbook {main} xmlns:r="{links}"><sheets><sheet name="A" sheetId="1" r:id="rId7"/>'
        "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/'
        'relationships"><Relationship Id="rId7" Target="worksheets/first.xml"/></Relationships>',
        "xl/sharedStrings.xml": f"<sst {main}>"
        + "".join(f"<si><r><t>{one}</t></r><rPh><t>x</t></rPh></si>" for one in texts)
        + "</sst>",
        "xl/styles.xml": f'<styleSheet {main}><numFmts><numFmt numFmtId="170" formatCode="yyyy&quot;年&quot;m"/>'
        '</numFmts><cellXfs><xf numFmtId="0"/><xf numFmtId="170"/></cellXfs></styleSheet>',
        "xl/worksheets/first.xml": f"<worksheet {main}><sheetData>"
        + "".join(f'<row r="{number}">{inside}</row>' for number, inside in sorted(rows.items()))
        + "</sheetData></worksheet>",
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as book:
        for name, text in parts.items():
            book.writestr(name, text)
    return out.getvalue()
