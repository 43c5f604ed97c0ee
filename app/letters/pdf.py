"""A document as PDF, set by Typst in the project's own Chinese fonts (ADR 0017)."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

import typst

from app import tools
from app.letters.model import Block, Document, Grid, Heading, Line, NewPage, Prose
from app.settings import Settings

PAGE = Path(__file__).with_name("page.typ")
_NAMES: dict[type[Any], str] = {
    Heading: "heading", Line: "line", Grid: "grid", Prose: "prose", NewPage: "new_page",
}  # fmt: skip


def write(document: Document, settings: Settings) -> bytes:
    """The PDF, with every font that it uses inside. Raises ToolMissing while the fonts are not there."""
    paper = {
        "title": document.title,
        "foot": document.foot,
        "form": document.is_form,
        "blocks": [_told(block) for block in document.blocks],
    }
    inputs = {"document": json.dumps(paper, ensure_ascii=False)}
    compiler = typst.Compiler(PAGE.read_bytes(), font_paths=_fonts(tools.fonts(settings)), sys_inputs=inputs)
    made = compiler.compile(format="pdf")
    assert isinstance(made, bytes)
    return made


def _told(block: Block) -> dict[str, Any]:
    return {"is": _NAMES[type(block)], **asdict(block)}


@lru_cache(maxsize=4)
def _fonts(folder: Path) -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[folder])
