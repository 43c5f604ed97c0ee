"""What a document is made of, whatever writes it down: blocks from top to bottom. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """Which document."""

    order = "order"  # 《受理交办单》
    letter = "letter"  # 回复函
    receipt = "receipt"  # 受理回执


class Form(StrEnum):
    """In which form it is handed out."""

    docx = "docx"
    pdf = "pdf"


class Place(StrEnum):
    """Where a line of a letter stands."""

    flush = "flush"  # 顶格: whom it addresses
    body = "body"  # 首行空两字
    sign = "sign"  # 落款: to the right


MEDIA_TYPES: Mapping[Form, str] = {
    Form.docx: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    Form.pdf: "application/pdf",
}


@dataclass(frozen=True)
class Heading:
    """A line in the middle; `level` 1 is the document's own name, 2 that of a part."""

    text: str
    level: int = 1


@dataclass(frozen=True)
class Line:
    """One line with something at its left end and something at its right end."""

    left: str
    right: str


@dataclass(frozen=True)
class Cell:
    """A cell of a form: a label, or what was filled in; `text` may have several lines."""

    text: str
    label: bool = False
    span: int = 1


@dataclass(frozen=True)
class Row:
    """A row of a form, four columns in all; at least `height` millimetres high (0: as its text)."""

    cells: tuple[Cell, ...]
    height: int = 0


@dataclass(frozen=True)
class Grid:
    """A form with lines: label, text, label, text."""

    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Paragraph:
    """One paragraph of a letter."""

    text: str
    place: Place = Place.body


@dataclass(frozen=True)
class Prose:
    """Running text."""

    paragraphs: tuple[Paragraph, ...]


@dataclass(frozen=True)
class NewPage:
    """What follows begins on a page of its own."""


Block = Heading | Line | Grid | Prose | NewPage


@dataclass(frozen=True)
class Document:
    """A document that is ready to be written: `title` for its properties, `foot` at the left of every page's foot."""

    title: str
    foot: str
    blocks: tuple[Block, ...]

    @property
    def is_form(self) -> bool:
        """Whether it is a form, which needs the paper's width, and no letter."""
        return any(isinstance(block, Grid) for block in self.blocks)


ORDER_FIELDS: Mapping[str, str] = {
    "hotline": "热线号码",
    "number": "工单编号",
    "secret": "“保密件”，非保密工单为空",
    "title": "标题",
    "type": "诉求类型",
    "way": "办理方式",
    "urgency": "紧急程度",
    "received": "受理时间",
    "given": "交办时间",
    "due": "办理期限",
    "round": "第几次办理",
    "giver": "交办单位",
    "given_by": "交办人",
    "unit": "承办单位",
    "unit_code": "承办单位编码",
    "role": "“（主办）”或“（协办）”，独办时为空",
    "citizen": "诉求人",
    "phone": "联系电话",
    "area": "所在区域",
    "address": "地址",
    "items": "诉求事项（逐条）",
    "content": "诉求内容",
    "instructions": "交办意见",
    "attachments": "附件清单",
    "printed": "打印时间",
    "reply_state": "办理结果是否已审签",
    "measures": "办理措施",
    "result": "办理结果",
    "answers": "逐条答复",
    "papers": "对附件的回应",
    "next_step": "下一步安排",
    "contact": "与诉求人联系情况",
    "opinion": "诉求人意见",
    "signed_name": "经办人",
    "signed": "经办日期",
    "leader_opinion": "审签意见",
    "leader_name": "审签人",
    "leader_signed": "审签日期",
    "seal": "盖章情况",
}
LETTER_FIELDS: Mapping[str, str] = {
    "hotline": "热线号码",
    "number": "工单编号",
    "title": "标题",
    "unit": "承办单位",
    "unit_code": "承办单位编码",
    "draft": "“未审签”，审签后为空",
    "printed": "打印时间",
    "letter": "回复函全文",
}
RECEIPT_FIELDS: Mapping[str, str] = {
    "hotline": "热线号码",
    "number": "工单编号",
    "code": "查询码，分两组",
    "title": "标题",
    "type": "诉求类型",
    "citizen": "诉求人",
    "received": "受理时间",
    "printed": "打印时间",
}
TEXT_FIELDS: Mapping[str, str] = {
    "addressee": "称呼",
    "number": "工单编号",
    "title": "标题",
    "type": "诉求类型",
    "received": "受理日期",
    "measures": "办理措施",
    "result": "办理结果",
    "answers": "逐条答复",
    "next_step": "下一步安排",
    "phone": "承办单位电话",
    "hotline": "热线号码",
    "unit": "承办单位",
    "handler": "经办人",
    "date": "落款日期",
}

_SIGNED = re.compile(r"[^。！？；!?;]{2,60}")
_DATED = re.compile(r"\d{4}\s*年\s*\d{1,2}\s*月\s*\d{1,2}\s*日")
MOST_SIGNED = 3  # lines of a letter's end: unit, person, date


def paragraphs_of(text: str) -> tuple[Paragraph, ...]:
    """A letter's lines and where each stands: a first line that ends with a colon addresses somebody, and what stands
    above a date at the end, without the stop of a sentence, is the signature."""
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    signed = 0
    if lines and _DATED.fullmatch(lines[-1]):
        signed = 1
        while signed < min(MOST_SIGNED, len(lines) - 1) and _SIGNED.fullmatch(lines[-signed - 1]):
            signed += 1
    body = len(lines) - signed
    return tuple(
        Paragraph(line, Place.sign if at >= body else Place.flush if at == 0 and line[-1] in "：:" else Place.body)
        for at, line in enumerate(lines)
    )
