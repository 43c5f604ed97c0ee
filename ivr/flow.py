"""Reads a voice menu from YAML. Whatever is wrong in the file is said with its line and column."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from . import marked_yaml
from .marked_yaml import DataFileError, Marked, Problem
from .model import (
    OUTCOMES,
    Branch,
    End,
    Fact,
    Flow,
    Lookup,
    Menu,
    Next,
    Node,
    Note,
    Number,
    Place,
    Subject,
    Words,
    exits,
)

FOLDER = Path(__file__).parent / "flows"
SHIPPED = FOLDER / "12345.yaml"
OWN = "flow.yaml"
"""Below an instance's home: its own voice menu, if it has one."""
PUBLISHED = "flow/published.yaml"
"""Below an instance's home: the version that was published from the page (`app.flows`), if one was."""
SCHEMA: dict[str, Any] = json.loads((FOLDER / "schema.json").read_text(encoding="utf-8"))
DEFAULT_TIMEOUT_S = 3.0

CHOOSE = "choose_language"
"""The prompt in which each language offers itself, followed by the number of its key."""
MOST_LANGUAGES = 8
"""As many keys as a choice of languages may have: 9 and 0 are for emergencies and a person."""

FlowError = DataFileError
"""A flow that can't be walked: every problem with its line and column."""


def load(path: Path = SHIPPED) -> Flow:
    """The flow in `path`. Raises FlowError naming every fault's line and column, OSError if it can't be read."""
    return _flow(marked_yaml.load(path, SCHEMA))


def read(text: str, path: Path = SHIPPED) -> Flow:
    """The flow in `text`, which stands in `path` or is to. Raises FlowError."""
    return _flow(marked_yaml.read(text, SCHEMA, path))


def of(marked: Marked, problems: Sequence[Problem] = ()) -> Flow:
    """The flow in a document that was parsed, with these problems so far. Raises FlowError."""
    return _flow(marked_yaml.checked(marked, problems, SCHEMA))


def _flow(marked: Marked) -> Flow:
    value = marked.value
    nodes: dict[str, Node] = {}
    for name, body in value["nodes"].items():
        nodes[name] = _node(marked, name, body, value)
        if "languages" in body:
            nodes |= _choices(name, marked.place(("nodes", name)), body["languages"], value["languages"])
    flow = Flow(
        name=value["flow"],
        languages=tuple(value["languages"]),
        start=value["start"],
        person=value["person"],
        tries=value.get("tries", 3),
        patience=value.get("patience", 40),
        wrong_key=value.get("wrong_key", "wrong_key"),
        nodes=nodes,
        words=_words(value.get("words", {})),
        digits=value.get("digits", {}),
    )
    problems = list(_problems(marked, flow))
    if problems:
        raise FlowError(marked.path, problems)
    return flow


def path_in(home: Path) -> Path:
    """The voice menu of the instance in `home`: the version that was published, else what is below it."""
    published = home / PUBLISHED
    return published if published.is_file() else base_in(home)


def base_in(home: Path) -> Path:
    """What holds while nothing is published (version 0): the instance's own `flow.yaml`, or the project's."""
    own = home / OWN
    return own if own.is_file() else SHIPPED


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
            languages = _keyed(whole) if "languages" in body else ()
            offers = [(f"{code}:{CHOOSE}", f"{code}:number_{key}") for key, code in languages]
            say += tuple(itertools.chain.from_iterable(offers))
            keys = {key: _choice(name, code) for key, code in languages} | dict(body["keys"])
            words, hint = _words(body.get("words", {})), tuple(body.get("hint", ()))
            return Menu(
                name, place, say, keys, body["silence"], exhausted, timeout_ms, body.get("into", ""),
                words, hint, body.get("spoken", True),
            )  # fmt: skip
        case "number":
            shortest, longest = body["digits"]
            wrong = body.get("wrong", whole.get("wrong_key", "wrong_key"))
            star = body.get("star", whole["person"])
            return Number(
                name, place, say, body["into"], shortest, longest, wrong, body["next"], star,
                body["silence"], exhausted, timeout_ms, body.get("spoken", False),
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
                remember=body.get("remember", {}),
            )
        case "lookup":
            return Lookup(name, place, Subject(body["of"]), say, dict(body["outcomes"]), body["otherwise"])
        case _:
            return End(name, place, Next(body["next"]), say, body.get("transfer_to", ""), body.get("transfer_from", ""))


def _words(given: dict[str, dict[str, list[str]]]) -> Words:
    return {name: {code: tuple(said) for code, said in spoken.items()} for name, spoken in given.items()}


def _keyed(whole: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """The flow's languages with the keys that choose them: 1, 2, 3, … in their order."""
    return tuple((str(number), code) for number, code in enumerate(whole["languages"], 1))


def _choice(name: str, code: str) -> str:
    return f"{name}_{code}"


def _choices(name: str, place: Place, target: str, codes: list[str]) -> dict[str, Node]:
    """What a key for a language leads to: it is noted, and whoever is spoken with must know it.

    Everybody here speaks the first language, so that needs no skill.
    """
    return {
        _choice(name, code): Note(_choice(name, code), place, target, language=code, skills={code: 1} if number else {})
        for number, code in enumerate(codes)
    }


def _problems(marked: Marked, flow: Flow) -> list[Problem]:
    found = [
        marked.problem((field,), f"there is no node '{target}'", f"没有节点“{target}”")
        for field, target in (("start", flow.start), ("person", flow.person))
        if target not in flow.nodes
    ]
    found += [
        marked.problem(("words", target), f"there is no node '{target}'", f"没有节点“{target}”")
        for target in flow.words
        if target not in flow.nodes
    ]
    spoken: list[tuple[tuple[str, ...], Iterable[str]]] = [(("digits",), flow.digits)]
    spoken += [(("words", target), codes) for target, codes in flow.words.items()]
    for node in flow.nodes.values():
        if isinstance(node, Menu):
            spoken += [(("nodes", node.id, "words", key), codes) for key, codes in node.words.items()]
    found += [
        marked.problem(
            (*trail, code), f"language '{code}' is not among {', '.join(flow.languages)}", f"菜单里没有语言“{code}”"
        )
        for trail, codes in spoken
        for code in codes
        if code not in flow.languages
    ]
    if len(flow.languages) > MOST_LANGUAGES:
        text = f"more than {MOST_LANGUAGES} languages: a key has one digit"
        found.append(marked.problem(("languages",), text, f"语言多于 {MOST_LANGUAGES} 种：一键只有一位"))
    for name, body in marked.value["nodes"].items():
        if "languages" in body:
            for key, code in _keyed(marked.value):
                if key in body["keys"]:
                    text = f"{name}: key {key} chooses language '{code}'"
                    zh = f"{name}：{key} 键已用来选语言“{code}”"
                    found.append(marked.problem(("nodes", name, "keys", key), text, zh))
                if _choice(name, code) in marked.value["nodes"]:
                    text = f"the choice of a language at '{name}' has that name"
                    zh = f"“{name}”选语言时已用这个名字"
                    found.append(marked.problem(("nodes", _choice(name, code)), text, zh))
    for node in flow.nodes.values():
        for why, target in exits(node):
            if target not in flow.nodes:
                text, zh = f"{node.id}: there is no node '{target}'", f"{node.id}：没有节点“{target}”"
                found.append(marked.problem(_trail(node, why), text, zh))
        found += [
            marked.problem(("nodes", node.id, *trail), f"{node.id}: {text}", f"{node.id}：{zh}")
            for trail, text, zh in _faults(node, flow)
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


def _faults(node: Node, flow: Flow) -> list[tuple[tuple[str, ...], str, str]]:
    """What is wrong within one node: where, and in English and Chinese."""
    match node:
        case Menu() if not node.keys:
            return [(("keys",), "a menu without keys", "菜单没有按键")]
        case Menu():
            found: list[tuple[tuple[str, ...], str, str]] = [
                (
                    ("words", key),
                    f"what is said for key {key} would do what no key does",
                    f"说的话对应 {key} 键，却没有这个键",
                )
                for key in node.words
                if key not in node.keys
            ]
            return found + [
                (
                    ("keys", key),
                    f"key {key} is the beginning of key {longer}: the caller would wait in silence",
                    f"{key} 是 {longer} 的开头：按了 {key} 的人会空等",
                )
                for key in node.keys
                for longer in node.keys
                if longer != key and longer.startswith(key)
            ]
        case Number() if node.shortest > node.longest:
            text = f"{node.shortest} digits at least is more than {node.longest} at most"
            return [(("digits",), text, f"最少 {node.shortest} 位比最多 {node.longest} 位还多")]
        case Note() if node.language is not None and node.language not in flow.languages:
            known = ", ".join(flow.languages)
            text = f"language '{node.language}' is not among {known}"
            return [(("language",), text, f"语言“{node.language}”不在 {known} 之中")]
        case Lookup():
            known = ", ".join(OUTCOMES[node.of])
            return [
                (
                    ("outcomes", given),
                    f"'{node.of}' never answers '{given}', only {known}",
                    f"“{node.of}”不会有“{given}”这个结果，只有 {known}",
                )
                for given in node.outcomes
                if given not in OUTCOMES[node.of]
            ]
        case End() if (node.next is Next.TRANSFER) != (bool(node.transfer_to) != bool(node.transfer_from)):
            text = "transfer needs transfer_to or transfer_from, and only transfer has one of them"
            return [(("next",), text, "转接要写 transfer_to 或 transfer_from 之一，别的去向都不写")]
    return []
