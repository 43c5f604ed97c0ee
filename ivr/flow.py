"""Reads a voice menu from YAML. Whatever is wrong in the file is said with its line and column."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from . import marked_yaml
from .marked_yaml import DataFileError, Marked, Problem
from .model import OUTCOMES, Branch, End, Fact, Flow, Lookup, Menu, Next, Node, Note, Number, Subject, exits

FOLDER = Path(__file__).parent / "flows"
SHIPPED = FOLDER / "12345.yaml"
SCHEMA: dict[str, Any] = json.loads((FOLDER / "schema.json").read_text(encoding="utf-8"))
DEFAULT_TIMEOUT_S = 3.0

FlowError = DataFileError
"""A flow that can't be walked: every problem with its line and column."""


def load(path: Path = SHIPPED) -> Flow:
    """The flow in `path`. Raises FlowError naming every fault's line and column, OSError if it can't be read."""
    marked = marked_yaml.load(path, SCHEMA)
    value = marked.value
    nodes = {name: _node(marked, name, body, value) for name, body in value["nodes"].items()}
    flow = Flow(
        name=value["flow"],
        languages=tuple(value["languages"]),
        start=value["start"],
        person=value["person"],
        tries=value.get("tries", 3),
        patience=value.get("patience", 40),
        wrong_key=value.get("wrong_key", "wrong_key"),
        nodes=nodes,
    )
    problems = list(_problems(marked, flow))
    if problems:
        raise FlowError(path, problems)
    return flow


@cache
def shipped() -> Flow:
    """The project's own flow, read once."""
    return load(SHIPPED)


def _node(marked: Marked, name: str, body: dict[str, Any], whole: dict[str, Any]) -> Node:
    place = marked.place(("nodes", name))
    say = tuple(body.get("say", ()))
    timeout_ms = round(body.get("timeout_s", DEFAULT_TIMEOUT_S) * 1000)
    exhausted = body.get("exhausted", whole["person"])
    match body["kind"]:
        case "menu":
            return Menu(name, place, say, dict(body["keys"]), body["silence"], exhausted, timeout_ms)
        case "number":
            shortest, longest = body["digits"]
            wrong = body.get("wrong", whole.get("wrong_key", "wrong_key"))
            star = body.get("star", whole["person"])
            return Number(
                name, place, say, body["into"], shortest, longest, wrong, body["next"], star,
                body["silence"], exhausted, timeout_ms,
            )  # fmt: skip
        case "branch":
            return Branch(name, place, Fact(body["on"]), body["yes"], body["no"])
        case "set":
            return Note(
                name,
                place,
                body["next"],
                language=body.get("language"),
                priority=body.get("priority"),
                queue=body.get("queue"),
                skills=body.get("skills", {}),
                warn=body.get("warn"),
            )
        case "lookup":
            return Lookup(name, place, Subject(body["of"]), say, dict(body["outcomes"]), body["otherwise"])
        case _:
            return End(name, place, Next(body["next"]), say, body.get("transfer_to", ""))


def _problems(marked: Marked, flow: Flow) -> list[Problem]:
    found = [
        marked.problem((field,), f"there is no node '{target}'")
        for field, target in (("start", flow.start), ("person", flow.person))
        if target not in flow.nodes
    ]
    for node in flow.nodes.values():
        for why, target in exits(node):
            if target not in flow.nodes:
                found.append(marked.problem(_trail(node, why), f"{node.id}: there is no node '{target}'"))
        found += [
            marked.problem(("nodes", node.id, *trail), f"{node.id}: {text}") for trail, text in _faults(node, flow)
        ]
    return found


def _trail(node: Node, why: str) -> tuple[str, ...]:
    match node:
        case Menu() if why.startswith("key "):
            return ("nodes", node.id, "keys", why.removeprefix("key "))
        case Lookup() if why != "otherwise":
            return ("nodes", node.id, "outcomes", why)
        case Branch():
            return ("nodes", node.id, "no" if why.startswith("not ") else "yes")
    field = {"number given": "next", "key *": "star", "tries exhausted": "exhausted", "on": "next"}.get(why, why)
    return ("nodes", node.id, field)


def _faults(node: Node, flow: Flow) -> list[tuple[tuple[str, ...], str]]:
    match node:
        case Menu():
            return [
                (("keys", key), f"key {key} is the beginning of key {longer}: the caller would wait in silence")
                for key in node.keys
                for longer in node.keys
                if longer != key and longer.startswith(key)
            ]
        case Number() if node.shortest > node.longest:
            return [(("digits",), f"{node.shortest} digits at least is more than {node.longest} at most")]
        case Note() if node.language is not None and node.language not in flow.languages:
            return [(("language",), f"language '{node.language}' is not among {', '.join(flow.languages)}")]
        case Lookup():
            known = OUTCOMES[node.of]
            return [
                (("outcomes", given), f"'{node.of}' never answers '{given}', only {', '.join(known)}")
                for given in node.outcomes
                if given not in known
            ]
        case End() if (node.next is Next.TRANSFER) != bool(node.transfer_to):
            return [(("next",), "transfer needs transfer_to, and only transfer has it")]
    return []
