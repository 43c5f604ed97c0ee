"""YAML that remembers where every value stood, so that an error in a data file can name its line and column."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema
import yaml

Place = tuple[int, int]
Trail = tuple[str | int, ...]

DEEPEST = 20
MOST_VALUES = 20_000
"""More levels, or more values once its aliases are read out, has no flow and no rules."""
_NESTED = re.compile(rf"[\[{{](\s*[\[{{]){{{DEEPEST}}}")
"""Levels at once: found here, for the reader takes seconds to find them."""
_HALF = re.compile("[\ud800-\udfff]")
"""Half of a character, which an escape can make and nothing can store."""


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong in a file, where (1-based), and in words that say what to do; `zh` are the same in Chinese, or
    "" where there are none."""

    line: int
    column: int
    text: str
    zh: str = field(default="", compare=False)

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.text}"


class DataFileError(Exception):
    """A data file that can't be used: `path` and every problem found in it."""

    def __init__(self, path: Path, problems: Sequence[Problem]) -> None:
        self.path = path
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(f"{path}: {problem}" for problem in self.problems))


@dataclass(frozen=True)
class Marked:
    """A document and the place of each of its values by its trail of keys and indexes."""

    path: Path
    value: Any
    places: Mapping[Trail, Place]

    def place(self, trail: Sequence[str | int]) -> Place:
        """Where the value at `trail` stands; for one that is absent, where its nearest ancestor stands."""
        at: Trail = tuple(trail)
        while at and at not in self.places:
            at = at[:-1]
        return self.places.get(at, (1, 1))

    def problem(self, trail: Sequence[str | int], text: str, zh: str = "") -> Problem:
        """A problem at `trail`."""
        line, column = self.place(trail)
        return Problem(line, column, text, zh)


def load(path: Path, schema: Mapping[str, Any]) -> Marked:
    """Reads `path` and checks it. Raises DataFileError that names line and column of each fault, OSError if absent."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DataFileError(path, [Problem(1, 1, f"not YAML: {error}")]) from error
    return read(text, schema, path)


def read(text: str, schema: Mapping[str, Any], path: Path) -> Marked:
    """As `load`, for what would stand in `path`."""
    return checked(*parse(text, path), schema)


def checked(marked: Marked, problems: Sequence[Problem], schema: Mapping[str, Any]) -> Marked:
    """The document, which has these problems so far. Raises DataFileError with all of them."""
    problems = [*problems, *_check(marked, schema)]
    if problems:
        raise DataFileError(marked.path, problems)
    return marked


def parse(text: str, path: Path) -> tuple[Marked, list[Problem]]:
    """The document as it stands, whatever it should be, and which keys are given twice. Raises DataFileError for what
    is no YAML, or YAML that is too deep or grows too much by being read (aliases)."""
    places: dict[Trail, Place] = {}
    problems: list[Problem] = []
    with _told(path):
        value = _construct(_composed(text, path), (), places, problems)
    return Marked(path, value, places), problems


def compose(text: str, path: Path) -> yaml.Node:
    """The document's nodes with their places in the text. Raises DataFileError for what is no YAML, or too deep."""
    with _told(path):
        return _composed(text, path)


def _composed(text: str, path: Path) -> yaml.Node:
    if _NESTED.search(text):
        raise RecursionError
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if root is None:
        raise DataFileError(path, [Problem(1, 1, "the file is empty", "文件是空的")])
    return root


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """What the reader refuses is a problem with its line."""
    try:
        yield
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        said = error.problem or error
        raise DataFileError(path, [Problem(line, column, f"not YAML: {said}", f"不是 YAML：{said}")]) from error
    except (yaml.YAMLError, ValueError) as error:
        raise DataFileError(path, [Problem(1, 1, f"not YAML: {error}", f"不是 YAML：{error}")]) from error
    except RecursionError as error:
        raise DataFileError(path, [Problem(1, 1, "too many levels", "层次太多")]) from error


def _construct(node: yaml.Node, trail: Trail, places: dict[Trail, Place], problems: list[Problem]) -> Any:
    places.setdefault(trail, (node.start_mark.line + 1, node.start_mark.column + 1))
    if len(trail) > DEEPEST or len(places) > MOST_VALUES:
        raise yaml.MarkedYAMLError(problem="too many levels or values", problem_mark=node.start_mark)
    if isinstance(node, yaml.ScalarNode) and _HALF.search(node.value):
        raise yaml.MarkedYAMLError(problem="half a character", problem_mark=node.start_mark)
    if isinstance(node, yaml.MappingNode):
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            # Keys are names and telephone keys: `0:` and `110:` mean the text, whatever YAML makes of them.
            key = str(key_node.value) if isinstance(key_node, yaml.ScalarNode) else repr(key_node.value)
            place = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
            if _HALF.search(key):
                raise yaml.MarkedYAMLError(problem="half a character", problem_mark=key_node.start_mark)
            if key in result:
                problems.append(Problem(*place, f"'{key}' is given twice", f"“{key}”写了两次"))
            places[(*trail, key)] = place
            result[key] = _construct(value_node, (*trail, key), places, problems)
        return result
    if isinstance(node, yaml.SequenceNode):
        return [_construct(item, (*trail, index), places, problems) for index, item in enumerate(node.value)]
    return yaml.SafeLoader("").construct_object(node) if isinstance(node, yaml.ScalarNode) else None


def _check(marked: Marked, schema: Mapping[str, Any]) -> list[Problem]:
    validator = jsonschema.Draft202012Validator(dict(schema))
    return [
        marked.problem(_precise(error), _words(error), _words_zh(error))
        for top in validator.iter_errors(marked.value)
        for error in _causes(top)
    ]


def _causes(error: Any) -> list[Any]:
    """Of an `anyOf`/`oneOf` failure only the branch that came nearest is worth showing."""
    if error.validator in ("anyOf", "oneOf") and error.context:
        return [jsonschema.exceptions.best_match([error])]
    return [error]


def _precise(error: Any) -> list[str | int]:
    trail = list(error.absolute_path)
    if "propertyNames" in error.absolute_schema_path and isinstance(error.instance, str):
        return [*trail, error.instance]
    if error.validator == "additionalProperties" and isinstance(error.instance, dict):
        for key in error.instance:
            if key not in error.schema.get("properties", {}) and f"'{key}'" in error.message:
                return [*trail, key]
    return trail


def _words(error: Any) -> str:
    where = ".".join(str(part) for part in error.absolute_path)
    return f"{where}: {error.message}" if where else str(error.message)


_ZH = {
    "required": "缺少必填的内容：{}",
    "additionalProperties": "不认识的内容：{}",
    "enum": "只能是：{}",
    "const": "只能是：{}",
    "type": "类型不对，应为 {}",
    "pattern": "写法不对，应符合 {}",
    "minimum": "太小，最小 {}",
    "maximum": "太大，最大 {}",
    "minItems": "太少，至少 {} 个",
    "maxItems": "太多，至多 {} 个",
    "maxLength": "太长，至多 {} 字",
    "minProperties": "内容太少，至少 {} 项",
    "uniqueItems": "有重复",
}


def _words_zh(error: Any) -> str:
    """The same in Chinese, by the rule that was broken."""
    wanted = error.validator_value
    if error.validator in ("required", "additionalProperties"):
        wanted = "、".join(re.findall(r"'([^']+)'", str(error.message))[: 1 if error.validator == "required" else None])
    elif isinstance(wanted, list):
        wanted = "、".join(map(str, wanted))
    where = ".".join(str(part) for part in error.absolute_path)
    said = _ZH.get(str(error.validator), "写法不对").format(wanted)
    return f"{where}：{said}" if where else said
