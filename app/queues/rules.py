"""Reads the queues' rules from YAML. Whatever is wrong in the file is said with its line and column."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from acd.config import (
    CallbackFirst,
    CallbackRules,
    Choice,
    EngineConfig,
    HourRule,
    OverflowTo,
    Prediction,
    QueueConfig,
    RelaxRule,
    RelaxStep,
    Window,
)
from acd.config_checks import is_queue_config
from app.settings import Settings
from ivr.marked_yaml import DataFileError, Marked, Problem
from ivr.marked_yaml import load as load_yaml

FOLDER = Path(__file__).parent
SHIPPED = FOLDER / "queues.yaml"
SCHEMA: dict[str, Any] = json.loads((FOLDER / "schema.json").read_text(encoding="utf-8"))


def load(path: Path, settings: Settings) -> EngineConfig:
    """The rules in `path`; what it leaves out is the settings' or the engine's default.

    Raises DataFileError naming each fault with its line, OSError if the file cannot be read.
    """
    marked = load_yaml(path, SCHEMA)
    queues = {name: _queue(name, body or {}) for name, body in marked.value["queues"].items()}
    config = EngineConfig(
        queues=tuple(queues.values()),
        zone_offset_min=_minutes_ahead(settings),
        **{
            "offer_timeout_s": settings.offer_timeout_s,
            "wrapup_s": settings.wrapup_s,
            "default_queue": "general" if "general" in queues else next(iter(queues)),
            **_converted(marked.value.get("engine", {}), _ENGINE),
        },
    )
    if problems := _problems(marked, config):
        raise DataFileError(path, problems)
    return config


def _minutes_ahead(settings: Settings) -> int:
    ahead = datetime.now(settings.zone).utcoffset()
    return round(ahead.total_seconds() / 60) if ahead is not None else 0


def _converted(body: Mapping[str, Any], how: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value if value is None or name not in how else how[name](value) for name, value in body.items()}


def _minute(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def _window(body: Mapping[str, Any]) -> Window:
    return Window(_minute(body["from"]), _minute(body["to"]), tuple(body.get("weekdays", ())))


def _hour_rule(body: Mapping[str, Any]) -> HourRule:
    rest = {name: value for name, value in body.items() if name not in ("from", "to", "weekdays")}
    return HourRule(_window(body), **_converted(rest, {"overflow_to": OverflowTo}))


def _callback(body: Mapping[str, Any]) -> CallbackRules:
    return CallbackRules(**_converted(body, {"first": CallbackFirst, "windows": partial(_all, _window)}))


def _relax_rule(body: Mapping[str, Any]) -> RelaxRule:
    return RelaxRule(body["skill"], tuple(RelaxStep(step["after_s"], step["skills"]) for step in body["steps"]))


def _all(make: Any, values: list[Any]) -> tuple[Any, ...]:
    return tuple(make(value) for value in values)


_ENGINE = {"relax": partial(_all, _relax_rule), "choice": Choice, "prediction": Prediction, "rare_skills": tuple}
_QUEUE = {
    "hours": partial(_all, _hour_rule),
    "relax": partial(_all, _relax_rule),
    "choice": Choice,
    "overflow_to": OverflowTo,
    "callback": _callback,
}


def _queue(name: str, body: Mapping[str, Any]) -> QueueConfig:
    return QueueConfig(name, **_converted(body, _QUEUE))


def _problems(marked: Marked, config: EngineConfig) -> list[Problem]:
    """What a schema cannot say."""
    found = []
    names = [queue.queue for queue in config.queues]
    if config.default_queue not in names:
        text = f"engine.default_queue: there is no queue '{config.default_queue}', only {', '.join(names)}"
        found.append(marked.problem(("engine", "default_queue"), text))
    places: list[tuple[tuple[str, ...], tuple[RelaxRule, ...]]] = [(("engine", "relax"), config.relax)]
    places += [(("queues", queue.queue, "relax"), queue.relax) for queue in config.queues]
    for trail, rules in places:
        for at, rule in enumerate(rules):
            times = [step.after_s for step in rule.steps]
            if times != sorted(set(times)):
                text = f"{'.'.join(trail)}: the steps for '{rule.skill}' must come one after the other"
                found.append(marked.problem((*trail, at, "steps"), text))
    for queue in config.queues:
        called = queue.callback
        if called is not None and called.max_age_s <= called.retry_s * (called.attempts - 1):
            text = f"queues.{queue.queue}.callback: given up (max_age_s) before the last of {called.attempts} attempts"
            found.append(marked.problem(("queues", queue.queue, "callback"), text))
    found += [
        marked.problem(("queues", queue.queue), f"queues.{queue.queue}: the engine would not take these rules")
        for queue in config.queues
        if not is_queue_config(queue)
    ]
    return found
