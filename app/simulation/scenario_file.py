"""Reads a scenario from YAML. Whatever is wrong in the file is said with its line and column."""

from __future__ import annotations

from pathlib import Path

from acd.simulate.scenario import FOLDER, SCHEMA, Scenario, build, faults
from ivr.marked_yaml import DataFileError
from ivr.marked_yaml import load as load_yaml


def shipped() -> list[str]:
    """The names of the scenarios that come with the project."""
    return sorted(file.stem for file in FOLDER.glob("*.yaml"))


def load(name: str) -> Scenario:
    """A shipped scenario by name, or one from a file. Raises DataFileError naming each fault, OSError if unreadable."""
    path = FOLDER / f"{name}.yaml" if name in shipped() else Path(name)
    marked = load_yaml(path, SCHEMA)
    problems = [marked.problem(trail, text) for trail, text in faults(marked.value)]
    if problems:
        raise DataFileError(path, problems)
    return build(marked.value)
