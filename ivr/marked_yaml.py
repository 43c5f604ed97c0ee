"""YAML that remembers where every value stood, so that an error in a data file can name its line and column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import yaml

Place = tuple[int, int]
Trail = tuple[str | int, ...]


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong in a file, where (1-based), and in words that say what to do."""

    line: int
    column: int
    text: str

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

    def problem(self, trail: Sequence[str | int], text: str) -> Problem:
        """A problem at `trail`."""
        line, column = self.place(trail)
        return Problem(line, column, text)


def load(path: Path, schema: Mapping[str, Any]) -> Marked:
    """Reads `path` and checks it. Raises DataFileError that names line and column of each fault, OSError if absent."""
    places: dict[Trail, Place] = {}
    problems: list[Problem] = []
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise DataFileError(path, [Problem(line, column, f"not YAML: {error.problem or error}")]) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DataFileError(path, [Problem(1, 1, f"not YAML: {error}")]) from error
    if root is None:
        raise DataFileError(path, [Problem(1, 1, "the file is empty")])
    value = _construct(root, (), places, problems)
    marked = Marked(path, value, places)
    problems.extend(_check(marked, schema))
    if problems:
        raise DataFileError(path, problems)
    return marked


def _construct(node: yaml.Node, trail: Trail, places: dict[Trail, Place], problems: list[Problem]) -> Any:
    places.setdefault(trail, (node.start_mark.line + 1, node.start_mark.column + 1))
    if isinstance(node, yaml.MappingNode):
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            # Keys are names and telephone keys: `0:` and `110:` mean the text, whatever YAML makes of them.
            key = str(key_node.value) if isinstance(key_node, yaml.ScalarNode) else repr(key_node.value)
            place = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
            if key in result:
                problems.append(Problem(*place, f"'{key}' is given twice"))
            places[(*trail, key)] = place
            result[key] = _construct(value_node, (*trail, key), places, problems)
        return result
    if isinstance(node, yaml.SequenceNode):
        return [_construct(item, (*trail, index), places, problems) for index, item in enumerate(node.value)]
    return yaml.SafeLoader("").construct_object(node) if isinstance(node, yaml.ScalarNode) else None


def _check(marked: Marked, schema: Mapping[str, Any]) -> list[Problem]:
    validator = jsonschema.Draft202012Validator(dict(schema))
    return [
        marked.problem(_precise(error), _words(error))
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
