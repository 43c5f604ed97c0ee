"""Changing one node in the text of a menu: the rest, with its comments, stays as somebody wrote it. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import yaml

from app.errors import BadInput
from app.flows.checking import PLACE
from ivr import marked_yaml
from ivr.marked_yaml import DataFileError

NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_WORD = re.compile(r"[\u4e00-\u9fff]+")
"""Chinese words stand as they are."""
_KEY = re.compile(r"[0-9]{1,6}|[a-z][a-z0-9_]*")
_TRUTHS = frozenset({"yes", "no", "on", "off", "true", "false", "null", "y", "n"})
FIRST = ("about", "kind", "of", "say", "into", "digits", "languages", "keys", "outcomes", "on", "yes", "no")
"""In this order; further fields follow as they are given."""
DEEPEST = 4


def with_node(text: str, name: str, body: Mapping[str, Any] | None) -> str:
    """`text` with that node as `body`: in place of the one of that name, else behind the last one. None: without it.

    Raises BadInput where the text cannot be read, or is not written with a line for each node.
    """
    nodes = _nodes(text)
    found = next(((key, value) for key, value in nodes.value if key.value == name), None)
    if found is None:
        return text if body is None else _appended(text, nodes, name, body)
    key, value = found
    start, end = key.start_mark.index - key.start_mark.column, _end(text, value)
    if body is not None:
        kept = [line.strip() for line in text[start:end].split("\n")[1:] if line.lstrip().startswith("#")]
        return text[:start] + written(name, body, key.start_mark.column, kept) + text[end:]
    if len(nodes.value) == 1:
        raise BadInput(fields={"id": "至少要有一个节点 (a menu needs a node)"})
    rest = text[end:].partition("\n")[2].removeprefix("\n")
    return text[:start] + rest if rest else text[:start].rstrip("\n") + "\n"


def written(name: str, body: Mapping[str, Any], column: int = 2, comments: list[str] | None = None) -> str:
    """A node as it stands in a file, without a line break at its end."""
    before = [*comments] if comments else []
    order = [field for field in FIRST if field in body] + [field for field in body if field not in FIRST]
    fields = [f"  {_key(field)}: {_value(body[field])}" for field in order if body[field] is not None]
    return "\n".join(" " * column + line for line in (*before, f"{name}:", *fields))


def _nodes(text: str) -> yaml.MappingNode:
    try:
        root = marked_yaml.compose(text, PLACE)
    except DataFileError as error:
        raise BadInput(fields={"text": "先改好文本里的错误 (mend the text first)"}) from error
    pairs = root.value if isinstance(root, yaml.MappingNode) else []
    nodes = next((value for key, value in pairs if key.value == "nodes"), None)
    if not isinstance(nodes, yaml.MappingNode) or nodes.flow_style or not nodes.value:
        raise BadInput(fields={"text": "这份文本要在文本里改 (change this one as text)"})
    return nodes


def _appended(text: str, nodes: yaml.MappingNode, name: str, body: Mapping[str, Any]) -> str:
    if not NAME.fullmatch(name):
        raise BadInput(fields={"id": "名称用小写字母、数字和下划线，字母开头 (small letters, digits, _)"})
    key, value = nodes.value[-1]
    end = _end(text, value)
    at = text.find("\n", end)
    at = len(text) if at < 0 else at
    return f"{text[:at]}\n\n{written(name, body, key.start_mark.column)}{text[at:] or chr(10)}"


def _end(text: str, node: yaml.Node) -> int:
    """Behind the last character of a value: a block's own mark is where the next one begins, comments included."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style:
        parts = [part for one in node.value for part in (one if isinstance(one, tuple) else (one,))]
        return max((_end(text, part) for part in parts), default=int(node.start_mark.index))
    if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
        return len(text[: node.end_mark.index].rstrip())
    return int(node.end_mark.index)


def _key(name: str) -> str:
    return name if _KEY.fullmatch(name) and name not in _TRUTHS else json.dumps(name, ensure_ascii=False)


def _value(value: Any, depth: int = 0) -> str:
    if depth > DEEPEST:
        raise BadInput(fields={"body": "层次太多 (too many levels)"})
    if isinstance(value, Mapping):
        pairs = (f"{_key(str(name))}: {_value(one, depth + 1)}" for name, one in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(one, depth + 1) for one in value) + "]"
    if isinstance(value, str) and (NAME.fullmatch(value) or _WORD.fullmatch(value)) and value not in _TRUTHS:
        return value
    return json.dumps(value, ensure_ascii=False)
