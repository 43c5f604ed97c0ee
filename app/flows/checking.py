"""Whether a menu may be published: it can be read, strands nobody (`ivr.verifier`), and all of it has been spoken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.flows.model import Outline, outline
from ivr import flow as flow_module
from ivr import marked_yaml, verifier
from ivr.catalogue import Catalogue
from ivr.flow import FlowError
from ivr.marked_yaml import Marked
from ivr.model import Flow
from ivr.prompts import Store

PLACE = Path("menu.yaml")
"""What the text is called in messages."""
HEADER_BYTES = 44
"""A sound file without a sound."""
MOST_FAULTS = 200


@dataclass(frozen=True, order=True)
class Fault:
    """One thing wrong: where (1-based), at which node ("" for none), of which kind, in Chinese and English."""

    line: int
    column: int
    node: str
    code: str
    zh: str
    en: str


@dataclass(frozen=True)
class Checked:
    """What is wrong with a menu; `outline` unless it is no YAML, `flow` if it can be walked."""

    faults: tuple[Fault, ...]
    outline: Outline | None = None
    flow: Flow | None = None


def check(text: str, words: Catalogue, home: Path | None = None) -> Checked:
    """Everything that is wrong with the menu in `text`, at most MOST_FAULTS; () means that it may be published.

    With `home` also which of its prompts have no sound there.
    """
    try:
        marked, problems = marked_yaml.parse(text, PLACE)
    except FlowError as error:
        return Checked(_of_the_form(error, None))
    drawn = outline(marked)
    try:
        flow = flow_module.of(marked, problems)
    except FlowError as error:
        return Checked(_of_the_form(error, marked), drawn)
    found = [
        Fault(one.line, one.column, one.node, one.code, one.zh or one.text, one.text)
        for one in verifier.verify(flow, words)
    ]
    if home is not None:
        found += _silent(flow, words, home)
    return Checked(tuple(sorted(set(found))[:MOST_FAULTS]), drawn, flow)


def _of_the_form(error: FlowError, marked: Marked | None) -> tuple[Fault, ...]:
    names = marked.value.get("nodes") if marked is not None and isinstance(marked.value, dict) else None
    starts = [(marked.place(("nodes", name))[0], name) for name in names] if marked and isinstance(names, dict) else []
    return tuple(
        Fault(one.line, one.column, _node_at(one.line, starts), "form", one.zh or one.text, one.text)
        for one in error.problems[:MOST_FAULTS]
    )


def _node_at(line: int, starts: list[tuple[int, str]]) -> str:
    """The last node that begins at that line or before."""
    return max((one for one in starts if one[0] <= line), default=(0, ""))[1]


def _silent(flow: Flow, words: Catalogue, home: Path) -> Iterator[Fault]:
    """Prompts that the catalogue has and nobody has spoken: a caller would hear nothing."""
    store = Store(home)
    known: dict[Path, bool] = {}
    for node in flow.nodes.values():
        for language in flow.languages:
            for prompt in verifier.prompts_of(flow, node, language):
                code, _, name = prompt.rpartition(":")
                file = store.path(code or language, name)
                if file not in known:
                    known[file] = _has_sound(file)
                if words.has(language, prompt) and not known[file]:
                    zh = f"“{name}”还没有“{code or language}”的声音：由管理员运行 hotline prompts build"
                    en = f"'{name}' has no sound in '{code or language}': have hotline prompts build run"
                    yield Fault(*node.place, node.id, "no-sound", zh, en)


def _has_sound(file: Path) -> bool:
    try:
        return file.stat().st_size > HEADER_BYTES
    except OSError:
        return False
