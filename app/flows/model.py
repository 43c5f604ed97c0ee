"""What a picture of a voice menu is drawn from, and how two of them differ. Pure.

An outline is read from the document as it stands, so that there is a picture also of a menu with faults.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ivr.marked_yaml import Marked

SHIPPED = 0
"""The number of what is below all versions: the instance's own flow.yaml, else the project's."""
LONGEST_TEXT = 60_000
LONGEST_NOTE = 300
WAYS: Mapping[str, tuple[str, ...]] = {
    "menu": ("languages", "silence", "exhausted"),
    "number": ("next", "star", "silence", "exhausted"),
    "branch": ("yes", "no"),
    "set": ("next",),
    "lookup": ("otherwise",),
}
"""The fields of each kind of node that name another node, besides those in BY_NAME; they are the exits' names too."""
BY_NAME = {"menu": ("keys", "key"), "lookup": ("outcomes", "outcome")}
"""Fields with several exits, and what an exit is called: "key 1", "outcome found"."""
MOST_SHOWN = 400
"""Nodes of a picture; a document may have any number."""


@dataclass(frozen=True)
class Exit:
    """A way out of a node: why, and to which (which need not be there)."""

    why: str
    to: str


@dataclass(frozen=True)
class Sketch:
    """A node as it stands: from which line, of which kind ("" if none is given), what it says and where it leads."""

    id: str
    line: int
    kind: str
    say: tuple[str, ...]
    exits: tuple[Exit, ...]
    body: Mapping[str, Any]


@dataclass(frozen=True)
class Outline:
    """A whole menu as it stands; `frame` is what stands beside the nodes."""

    frame: Mapping[str, Any]
    nodes: tuple[Sketch, ...]


@dataclass(frozen=True)
class Changes:
    """How one menu differs from another, by the names of nodes; `frame` names what stands beside them."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    frame: tuple[str, ...] = ()

    def as_json(self) -> dict[str, list[str]]:
        """For a table, an answer, the audit."""
        return {name: list(getattr(self, name)) for name in ("added", "removed", "changed", "frame")}


def outline(marked: Marked) -> Outline:
    """What can be made out of the document, whatever is wrong with it."""
    value = marked.value if isinstance(marked.value, dict) else {}
    nodes = value.get("nodes")
    found = nodes.items() if isinstance(nodes, dict) else ()
    sketches = [
        _sketch(name, marked.place(("nodes", name))[0], body if isinstance(body, dict) else {}) for name, body in found
    ]
    frame = {name: plain(given) for name, given in value.items() if name != "nodes"}
    return Outline(frame, tuple(sketches[:MOST_SHOWN]))


def _sketch(name: str, line: int, body: Mapping[str, Any]) -> Sketch:
    kind = body.get("kind")
    kind = kind if isinstance(kind, str) else ""
    say = body.get("say")
    prompts = tuple(str(one) for one in say) if isinstance(say, list) else ()
    return Sketch(name, line, kind, prompts, tuple(_exits(kind, body)), plain(body))


def _exits(kind: str, body: Mapping[str, Any]) -> Iterator[Exit]:
    field, called = BY_NAME.get(kind, ("", ""))
    several = body.get(field)
    if isinstance(several, dict):
        yield from (Exit(f"{called} {name}", to) for name, to in several.items() if isinstance(to, str))
    for name in WAYS.get(kind, ()):
        to = body.get(name)
        if isinstance(to, str):
            yield Exit(name, to)


def plain(value: Any) -> Any:
    """What YAML made of a document, as JSON can say it."""
    if isinstance(value, dict):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)


def changes(before: Outline, after: Outline) -> Changes:
    """What becomes of `before`."""
    was, is_ = ({one.id: one.body for one in menu.nodes} for menu in (before, after))
    names = [*after.frame, *(name for name in before.frame if name not in after.frame)]
    return Changes(
        tuple(name for name in is_ if name not in was),
        tuple(name for name in was if name not in is_),
        tuple(name for name in is_ if name in was and is_[name] != was[name]),
        tuple(name for name in names if before.frame.get(name) != after.frame.get(name)),
    )
