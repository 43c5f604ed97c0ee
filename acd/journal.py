"""The journal: every event and decision as one JSON line, and the way back.

A life of the engine begins with a header line (configuration, seed). Then, for every `handle`, the event's line and one
line for each decision. From headers and events alone `replay` makes the same decisions again, byte for byte; `verify`
says where a journal and the engine disagree. A last line torn by a crash is passed over.

Lines: header `{"t":now_ms,"v":4,"c":{…},"seed":n}`, event `{"t":now_ms,"e":NAME,…}`, decision
`{"t":now_ms,"d":NAME,…}`.
Fields that have their default value are left out, and so is what is personal and decides nothing.

Version 1 had no `v`; journals of versions 1 to 3 are replayed by the rules of their time (`EngineConfig.behaviour`).
A field that is not known, from a later version, is passed over.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, Field, fields, replace
from enum import Enum
from typing import Any, cast, get_args

from acd.engine import Engine
from acd.model import (
    AgentState,
    CallbackFirst,
    CallbackRules,
    Choice,
    Decision,
    EngineConfig,
    Event,
    FailCause,
    GroupStep,
    HourRule,
    NuisanceAction,
    NuisanceRule,
    NuisanceRuleSet,
    OverflowTo,
    Prediction,
    QueueConfig,
    QueueConfigured,
    Reason,
    ReasonCode,
    RelaxRule,
    RelaxStep,
    Unknown,
    Why,
    Window,
)
from acd.values import is_caller_key

VERSION = 4

EVENTS: Mapping[str, type] = {kind.__name__: kind for kind in (*get_args(Event), Unknown)}
DECISIONS: Mapping[str, type] = {kind.__name__: kind for kind in get_args(Decision)}
# Made once: `json.dumps` with settings of its own makes an encoder for every line.
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_MAX_REPR = 200
_MAX_INT = 10**18
_NESTED = (QueueConfig, Reason, NuisanceRule, RelaxRule, RelaxStep, GroupStep, HourRule, Window, CallbackRules)
# A caller's number decides nothing, so the journal does without it.
_PERSONAL = frozenset({"caller"})


class JournalError(ValueError):
    """A line that is no journal line; the message names its number (from 1)."""


class Unwritable:
    """Stands for a value that JSON cannot hold. No check of the engine accepts it, as none accepted the original."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


# ------------------------------------------------------------------------------------------------------------ writing


def _plain(value: object) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, int):
        return value if abs(value) < _MAX_INT else _unwritable(type(value))
    if isinstance(value, str):
        return value if _is_utf8(value) else _unwritable(value)
    if isinstance(value, Mapping) and all(isinstance(key, str) and _is_utf8(key) for key in value):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if type(value) in _NESTED:
        return _fields(value)
    return _unwritable(value)


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _unwritable(value: object) -> dict[str, str]:
    try:
        text = ascii(value)
    except Exception:
        text = f"<{type(value).__name__}>"
    return {"?": text[:_MAX_REPR]}


_known_fields: dict[type, tuple[Field[Any], ...]] = {}


def _fields_of(kind: type) -> tuple[Field[Any], ...]:
    known = _known_fields.get(kind)
    if known is None:
        known = _known_fields[kind] = fields(kind)
    return known


def _fields(item: Any) -> dict[str, Any]:
    kind, written = type(item), {}
    for field in _fields_of(kind):
        value = getattr(item, field.name)
        if field.name == "caller_key" and not is_caller_key(value):
            value = ""  # what looks like a number must not be kept, and counts as no key
        if field.name in _PERSONAL or _is_default(field, value):
            continue
        written[field.name] = _plain(value) if _comes_back(kind, field.name, value) else _unwritable(value)
    return written


def _is_default(field: Field[Any], value: object) -> bool:
    if field.default is not MISSING:
        return type(value) is type(field.default) and value == field.default
    if field.default_factory is not MISSING:
        return isinstance(value, Mapping) and not value
    return False


def _line(value: dict[str, Any]) -> str:
    return _JSON.encode(value)


def encode(item: Event | Decision, now_ms: int) -> str:
    """One line, without the line break. Anything that is neither event nor decision is written as unknown."""
    name = type(item).__name__
    if name in DECISIONS and isinstance(item, DECISIONS[name]):
        return _line({"t": _plain(now_ms), "d": name, **_fields(item)})
    if name in EVENTS and isinstance(item, EVENTS[name]):
        return _line({"t": _plain(now_ms), "e": name, **_fields(item)})
    return _line({"t": _plain(now_ms), "e": "Unknown", "name": name})


def header(config: EngineConfig, seed: int, now_ms: int) -> str:
    """The first line of an engine's life."""
    return _line({"t": now_ms, "v": VERSION, "c": _fields(config), "seed": seed})


# ------------------------------------------------------------------------------------------------------------ reading


def _reason(value: dict[str, Any]) -> Reason:
    return Reason(ReasonCode(value["code"]), value.get("facts", {}))


def _listed(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _comes_back(kind: type, name: str, value: object) -> bool:
    """Would this value be of the same type when it is read again? If not, it must not be read as a good one."""
    nested, many = _NESTED_IN.get((kind, name), (None, False))
    if nested is None or value is None:
        return True
    if many:
        return isinstance(value, tuple) and all(type(item) is nested for item in value)
    return type(value) is nested


def _enum(kind: type[Enum]) -> Callable[[Any], Any]:
    """A member, or what was written if there is no such member: the checks refused it then and will again."""
    values = {member.value: member for member in kind}
    return lambda value: values.get(value, value) if isinstance(value, str) else value


# How the fields of configuration that are not plain come back: other configuration (one, or many of it), enums, tuples.
_NESTED_IN: Mapping[tuple[type, str], tuple[type | None, bool]] = {
    (QueueConfigured, "config"): (QueueConfig, False),
    (NuisanceRuleSet, "rule"): (NuisanceRule, False),
    (EngineConfig, "queues"): (QueueConfig, True),
    (EngineConfig, "relax"): (RelaxRule, True),
    (EngineConfig, "nuisance"): (NuisanceRule, True),
    (QueueConfig, "hours"): (HourRule, True),
    (QueueConfig, "relax"): (RelaxRule, True),
    (QueueConfig, "groups"): (GroupStep, True),
    (QueueConfig, "callback"): (CallbackRules, False),
    (RelaxRule, "steps"): (RelaxStep, True),
    (HourRule, "window"): (Window, False),
    (CallbackRules, "windows"): (Window, True),
}
_READ_CONFIG: Mapping[tuple[type, str], Callable[[Any], Any]] = {
    (EngineConfig, "choice"): _enum(Choice),
    (EngineConfig, "rare_skills"): _listed,
    (EngineConfig, "prediction"): _enum(Prediction),
    (QueueConfig, "overflow_to"): _enum(OverflowTo),
    (QueueConfig, "choice"): _enum(Choice),
    (HourRule, "overflow_to"): _enum(OverflowTo),
    (Window, "weekdays"): _listed,
    (CallbackRules, "first"): _enum(CallbackFirst),
    (NuisanceRule, "action"): _enum(NuisanceAction),
}


def _configured(kind: type, raw: Any) -> Any:
    """Configuration of this kind from what was written. Values that could not be written stay what they are."""
    if not isinstance(raw, dict) or set(raw) == {"?"}:
        return _value(raw)
    known = {field.name for field in _fields_of(kind)}
    return kind(**{name: _config_field(kind, name, value) for name, value in raw.items() if name in known})


def _config_field(kind: type, name: str, value: Any) -> Any:
    nested, many = _NESTED_IN.get((kind, name), (None, False))
    if nested is None:
        read = _READ_CONFIG.get((kind, name))
        value = _value(value)
        return value if read is None or isinstance(value, Unwritable) else read(value)
    if many and isinstance(value, list):
        return tuple(_configured(nested, item) for item in value)
    return _configured(nested, value)


_READ: Mapping[tuple[str, str], Any] = {
    ("CallJoined", "skills"): lambda value: _value(value),
    ("AgentSignedIn", "queues"): _listed,
    ("AgentRestored", "queues"): _listed,
    ("CallJoined", "flags"): _listed,
    ("TurnedAway", "action"): NuisanceAction,
    ("AgentStateChanged", "state"): AgentState,
    ("AgentStateChanged", "next_state"): AgentState,
    ("Overflow", "to"): OverflowTo,
    ("Refused", "why"): Why,
}


def _value(value: Any) -> Any:
    if isinstance(value, dict):
        if set(value) == {"?"}:
            return Unwritable(str(value["?"]))
        return {key: _value(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_value(item) for item in value]
    return value


def _make(kind: type, raw: dict[str, Any]) -> Any:
    name = kind.__name__
    made: dict[str, Any] = {}
    known = {field.name for field in _fields_of(kind)}
    for key, value in raw.items():
        if key not in known:
            continue
        if key == "reason" and name in DECISIONS:
            made[key] = _reason(value)
        elif (kind, key) in _NESTED_IN:
            made[key] = _config_field(kind, key, value)
        else:
            read = _READ.get((name, key))
            value = _value(value)
            made[key] = value if read is None or isinstance(value, Unwritable) else read(value)
    if name == "OfferFailed" and made.get("cause") in tuple(FailCause):
        made["cause"] = FailCause(made["cause"])
    if name in ("NextState", "AgentRestored") and made.get("state") in tuple(AgentState):
        made["state"] = AgentState(made["state"])
    return kind(**made)


def decode(line: str) -> tuple[int, Event | Decision | tuple[EngineConfig, int]]:
    """The time and what the line holds: an event, a decision, or (configuration, seed). Raises JournalError."""
    try:
        raw = json.loads(line)
        now_ms = raw.pop("t")
        if "c" in raw:
            return now_ms, (_config(raw["c"], raw.get("v", 1)), raw["seed"])
        if "e" in raw:
            return now_ms, cast("Event", _make(EVENTS[raw.pop("e")], raw))
        return now_ms, cast("Decision", _make(DECISIONS[raw.pop("d")], raw))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise JournalError(f"not a journal line: {error}") from error


def _config(raw: dict[str, Any], version: int) -> EngineConfig:
    config: EngineConfig = _configured(EngineConfig, raw)
    # A header leaves out what was the default, and which behaviour that was is what the version says.
    return replace(config, behaviour=version) if version < config.behaviour else config


def _decoded(lines: Iterable[str]) -> Iterator[tuple[int, int, Any]]:
    """Line number, time, content. A torn line is passed over at the end of a life, and refused elsewhere."""
    torn: tuple[int, JournalError] | None = None
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            now_ms, item = decode(line)
        except JournalError as error:
            if torn is not None:
                raise JournalError(f"line {torn[0]}: {torn[1]}") from torn[1]
            torn = (number, error)
            continue
        if torn is not None and not isinstance(item, tuple):
            raise JournalError(f"line {torn[0]}: {torn[1]}") from torn[1]
        torn = None
        yield number, now_ms, item


# ------------------------------------------------------------------------------------------------------------- replay


def _handled(lines: Iterable[str]) -> Iterator[tuple[int, int, Event, list[Decision], list[Decision]]]:
    """For every event: its line number, time, itself, the decisions written, the decisions made again."""
    engine: Engine | None = None
    pending: tuple[int, int, Event, list[Decision], list[Decision]] | None = None
    for number, now_ms, item in _decoded(lines):
        if isinstance(item, tuple):
            if pending is not None:
                yield pending
            pending, engine = None, Engine(item[0], item[1])
        elif type(item) in DECISIONS.values():
            if pending is not None:
                pending[3].append(item)
        else:
            if engine is None:
                raise JournalError(f"line {number}: an event before any header")
            if pending is not None:
                yield pending
            pending = (number, now_ms, item, [], list(engine.handle(item, now_ms)))
    if pending is not None:
        yield pending


def replay(lines: Iterable[str]) -> list[Decision]:
    """The decisions that the journal's events lead to. Raises JournalError for a journal that is broken inside."""
    return [decision for *_, made in _handled(lines) for decision in made]


def verify(lines: Iterable[str]) -> str | None:
    """None when the decisions written are those the engine makes; otherwise which line differs and how.

    Decisions missing at the very end are forgiven: the process may have died while writing them.
    """
    last: str | None = None
    for number, now_ms, event, written, made in _handled(lines):
        if last is not None:
            return last
        old = [encode(decision, now_ms) for decision in written]
        new = [encode(decision, now_ms) for decision in made]
        if old == new:
            continue
        difference = f"line {number} ({type(event).__name__}): written {old}, decided again {new}"
        if old != new[: len(old)]:
            return difference
        last = difference
    return None


__all__ = ["JournalError", "decode", "encode", "header", "replay", "verify"]
