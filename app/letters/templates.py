"""Templates as an office writes them: read with faults named by line, filled with what stands in the database. Pure.

The layout of a document is YAML, a list of blocks, each a mapping with one key:

    - title: 受理交办单                     the document's name
    - heading: 办理结果                     the name of a part
    - line: ["编号：{number}", "{urgency}"]   something at either end of a line
    - table:                                a form; every row has one, two or four cells, labels and texts in turn
        - [办理方式, "{way}", 紧急程度, "{urgency}"]
        - [交办意见, "{instructions}"]
        - {cells: [诉求内容, "{content}"], height: 40}     at least 40 mm high
    - letter: "{letter}"                    running text; see `app.letters.model.paragraphs_of`
    - page: new                             what follows begins on a new page

The proposal of a letter is plain text: paragraphs with empty lines between them, lines that begin with # are remarks.
A paragraph with a field that is empty is left out, so that nothing is announced that does not follow.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from app.letters.model import (
    Block,
    Cell,
    Document,
    Grid,
    Heading,
    Line,
    NewPage,
    Prose,
    Row,
    paragraphs_of,
)

LARGEST = 64 * 1024  # bytes
MOST_BLOCKS, MOST_ROWS, HIGHEST = 100, 100, 200
COLUMNS = 4
_FIELD = re.compile(r"\{([^{}\n]*)\}")


class Fault(NamedTuple):
    """What is wrong on which line of a template."""

    line: int
    zh: str
    en: str

    @property
    def told(self) -> str:
        """Both languages, as errors say things."""
        return f"{self.zh} ({self.en})"


@dataclass(frozen=True)
class Slot:
    """Running text that stands for itself until it is filled."""

    text: str


Part = Heading | Line | Grid | Slot | NewPage


@dataclass
class Layout:
    """A layout that was read: its parts, with fields still in them, and what is wrong with it."""

    parts: list[Part] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def read_layout(text: str, known: Collection[str]) -> Layout:
    """The layout in `text`, whose fields are `known`. What is wrong stands in its faults, in the order of the lines."""
    layout = Layout()
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark is not None else 1
        layout.faults.append(Fault(line, "这一行的 YAML 写法有误", "this is not YAML"))
        return layout
    if not isinstance(root, SequenceNode) or not root.value:
        layout.faults.append(Fault(1, "模板应是一个列表", "a template is a list of blocks"))
        return layout
    reader = _Reader(known, layout.faults)
    layout.parts = [part for node in root.value[:MOST_BLOCKS] for part in reader.part(node)]
    if len(root.value) > MOST_BLOCKS:
        reader.fault(root.value[MOST_BLOCKS], f"最多 {MOST_BLOCKS} 块", f"at most {MOST_BLOCKS} blocks")
    layout.faults.sort()
    return layout


def fill_layout(layout: Layout, values: Mapping[str, str], *, title: str, foot: str) -> Document:
    """The document that a layout without faults makes of these values."""
    return Document(title, foot, tuple(_filled(part, values) for part in layout.parts))


@dataclass(frozen=True)
class Wording:
    """A letter's proposal that was read: its paragraphs, with fields still in them, and what is wrong with it."""

    paragraphs: tuple[str, ...]
    faults: tuple[Fault, ...]


def read_wording(text: str, known: Collection[str]) -> Wording:
    """The wording in `text`, whose fields are `known`."""
    faults = [fault for at, line in enumerate(text.split("\n"), 1) for fault in _unknown(line, at, known)]
    kept = "\n".join(line.rstrip() for line in text.split("\n") if not line.startswith("#"))
    paragraphs = tuple(part.strip() for part in re.split(r"\n{2,}", kept) if part.strip())
    if not paragraphs:
        faults.append(Fault(1, "模板里没有内容", "there is nothing in this template"))
    return Wording(paragraphs, tuple(faults))


def fill_wording(wording: Wording, values: Mapping[str, str]) -> str:
    """The text that a wording makes of these values; a paragraph with an empty field is left out."""
    kept = [
        part
        for part in wording.paragraphs
        if all(values.get(name.strip(), "").strip() for name in _FIELD.findall(part))
    ]
    return "\n\n".join(fill(part, values) for part in kept)


def fill(text: str, values: Mapping[str, str]) -> str:
    """`text` with its fields replaced; what a value itself says in braces stays as it is."""
    return _FIELD.sub(lambda found: values.get(found[1].strip(), ""), text)


def _filled(part: Part, values: Mapping[str, str]) -> Block:
    match part:
        case Heading():
            return replace(part, text=fill(part.text, values))
        case Line():
            return Line(fill(part.left, values), fill(part.right, values))
        case Grid():
            return Grid(tuple(replace(row, cells=tuple(_cell(one, values) for one in row.cells)) for row in part.rows))
        case Slot():
            return Prose(paragraphs_of(fill(part.text, values)))
        case NewPage():
            return part


def _cell(cell: Cell, values: Mapping[str, str]) -> Cell:
    return replace(cell, text=fill(cell.text, values))


def _unknown(text: str, line: int, known: Collection[str]) -> Iterator[Fault]:
    for offset, part in enumerate(text.split("\n")):
        if part.startswith("#"):
            continue
        for name in _FIELD.findall(part):
            if name.strip() not in known:
                yield Fault(line + offset, f"没有名为 {{{name}}} 的字段", f"there is no field {{{name}}}")


class _Reader:
    """Makes parts of nodes; what it can't make anything of becomes a fault."""

    def __init__(self, known: Collection[str], faults: list[Fault]) -> None:
        self.known, self.faults = known, faults

    def fault(self, node: Node, zh: str, en: str) -> None:
        self.faults.append(Fault(node.start_mark.line + 1, zh, en))

    def part(self, node: Node) -> Iterator[Part]:
        """What one entry of the list says; nothing after a fault."""
        if not isinstance(node, MappingNode) or len(node.value) != 1:
            self.fault(node, "每一块应写成“名称: 内容”", "a block is a name and what it holds")
            return
        name, value = node.value[0]
        make = self._makers().get(str(name.value))
        if make is None:
            self.fault(name, f"没有名为“{name.value}”的块", f"there is no block {name.value}")
            return
        part = make(value)
        if part is not None:
            yield part

    def _makers(self) -> Mapping[str, Callable[[Node], Part | None]]:
        return {
            "title": lambda node: Heading(self._text(node)),
            "heading": lambda node: Heading(self._text(node), 2),
            "letter": lambda node: Slot(self._text(node)),
            "page": self._page,
            "line": self._line,
            "table": self._table,
        }

    def _text(self, node: Node) -> str:
        if not isinstance(node, ScalarNode):
            self.fault(node, "这里应是一段文字（含 { 时加引号）", "this should be text (in quotes if it has a brace)")
            return ""
        first = node.start_mark.line + (2 if node.style in ("|", ">") else 1)
        self.faults += _unknown(node.value, first, self.known)
        return str(node.value)

    def _page(self, node: Node) -> Part | None:
        if isinstance(node, ScalarNode) and node.value == "new":
            return NewPage()
        self.fault(node, "换页写作 page: new", "a new page is written page: new")
        return None

    def _line(self, node: Node) -> Part | None:
        if not isinstance(node, SequenceNode) or len(node.value) != 2:
            self.fault(node, "line 应有左、右两段文字", "a line has two texts")
            return None
        left, right = (self._text(one) for one in node.value)
        return Line(left, right)

    def _table(self, node: Node) -> Part | None:
        if not isinstance(node, SequenceNode) or not 0 < len(node.value) <= MOST_ROWS:
            self.fault(node, f"table 应有 1 至 {MOST_ROWS} 行", f"a table has 1 to {MOST_ROWS} rows")
            return None
        return Grid(tuple(row for one in node.value for row in self._row(one)))

    def _row(self, node: Node) -> Iterator[Row]:
        cells, height = node, 0
        if isinstance(node, MappingNode):
            given = {str(key.value): value for key, value in node.value}
            if not set(given) <= {"cells", "height"} or "cells" not in given:
                self.fault(node, "这一行应有 cells，可有 height", "this row needs cells and may have height")
                return
            cells = given["cells"]
            height = self._height(given["height"]) if "height" in given else 0
        if not isinstance(cells, SequenceNode) or len(cells.value) not in (1, 2, COLUMNS):
            self.fault(node, f"一行应有 1、2 或 {COLUMNS} 格", f"a row has 1, 2 or {COLUMNS} cells")
            return
        texts = [self._text(one) for one in cells.value]
        if len(texts) == 1:
            yield Row((Cell(texts[0], span=COLUMNS),), height)
        elif len(texts) == 2:
            yield Row((Cell(texts[0], label=True), Cell(texts[1], span=COLUMNS - 1)), height)
        else:
            yield Row(tuple(Cell(text, label=at % 2 == 0) for at, text in enumerate(texts)), height)

    def _height(self, node: Node) -> int:
        text = node.value if isinstance(node, ScalarNode) else ""
        if text.isascii() and text.isdigit() and int(text) <= HIGHEST:
            return int(text)
        self.fault(node, f"height 应为 0 至 {HIGHEST} 毫米", f"height is 0 to {HIGHEST} mm")
        return 0
