"""What a printed document says, as somebody who opens it reads it."""

from __future__ import annotations

import io

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
