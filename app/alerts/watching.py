"""Watching the board: which alerts are open, from one look to the next. Pure: no clock, no socket, no database.

`look` takes what was standing, the rules and what is read now, and gives what stands and what has changed. It is fed
by the core with every board that it builds (`cti_bridge/watch.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.alerts.model import SHAPES, STEPS, AlertKind, AlertRule, Effect, Phase, Signal, judge

Key = tuple[AlertKind, str]
"""A kind and whom it is about: a staff number, or "" where there is one only."""

_SPELLS = {
    "talking": AlertKind.long_talk,
    "wrap_up": AlertKind.long_wrap_up,
    "not_ready": AlertKind.long_not_ready,
}
_SHARES = {AlertKind.answered_15s: "answered_in_15s", AlertKind.connect_24h: "connect_24h"}


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert from its raising to its end. `value` is the newest, `raise_at` the threshold that held at the raising.

    Times are epoch milliseconds. `acked_by` is the name of who has said that they know; "" while nobody has.
    """

    alert_id: str
    kind: AlertKind
    subject: str
    name: str
    value: float
    raise_at: float
    raised_ms: int
    acked_by: str = ""
    acked_ms: int | None = None

    def to_json(self) -> dict[str, Any]:
        """As the board tells it."""
        return {
            "alert_id": self.alert_id,
            "kind": self.kind.value,
            "subject": self.subject,
            "name": self.name,
            "sort": SHAPES[self.kind].sort.value,
            "value": round(self.value, 4),
            "raise_at": self.raise_at,
            "raised_ms": self.raised_ms,
            "acked_by": self.acked_by,
            "acked_ms": self.acked_ms,
        }


@dataclass(frozen=True, slots=True)
class Standing:
    """One thing that is watched and not quiet. `since_ms` is when its phase began."""

    phase: Phase
    since_ms: int
    alert: Alert | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """An alert was raised, or is over."""

    effect: Effect
    alert: Alert
    at_ms: int


@dataclass(frozen=True, slots=True)
class Read:
    """What can be read at one moment. What is not named is good: its subject is gone; unless `blind`, when nothing of
    the telephone can be known."""

    values: Mapping[Key, float | None]
    names: Mapping[str, str]
    blind: bool = False


def read(board: Mapping[str, Any], rules: Mapping[AlertKind, AlertRule], free_mb: float | None) -> Read:
    """What the board (docs/websocket.md) and the disk say to the rules; `free_mb` None: it cannot be measured."""
    values: dict[Key, float | None] = {(AlertKind.disk, ""): free_mb}
    if not board["telephone_connected"]:
        return Read(values, {}, blind=True)
    now, depth = int(board["as_of_ms"]), int(board["depth"])
    values[AlertKind.depth, ""] = depth
    values[AlertKind.longest_wait, ""] = int(board["longest_wait_s"])
    values[AlertKind.none_ready, ""] = 0 if board["by_state"].get("ready") else depth
    for kind, figure in _SHARES.items():
        rate = board[figure]
        values[kind, ""] = rate["rate"] if rate["den"] >= max(1, rules[kind].least) else None
    names: dict[str, str] = {}
    for agent in board["agents"]:
        agent_id = str(agent["agent_id"])
        names[agent_id] = str(agent["name"])
        if (spell := _SPELLS.get(agent["state"])) is not None:
            values[spell, agent_id] = (now - int(agent["since_ms"])) / 1000
        if (lost_ms := agent.get("page_lost_ms")) is not None:
            values[AlertKind.desktop_lost, agent_id] = (now - int(lost_ms)) / 1000
    return Read(values, names)


def look(
    standing: Mapping[Key, Standing], rules: Mapping[AlertKind, AlertRule], seen: Read, now_ms: int
) -> tuple[dict[Key, Standing], list[Change]]:
    """One look: what stands afterwards, and what was raised or cleared by it."""
    after: dict[Key, Standing] = {}
    changes: list[Change] = []
    for key in sorted(standing.keys() | seen.values.keys()):
        rule = rules[key[0]]
        value = seen.values.get(key)
        signal = _signal(rule, key, value, seen)
        was = standing.get(key) or Standing(Phase.quiet, now_ms)
        now, change = _step(was, key, rule, signal, value, seen.names.get(key[1], ""), now_ms)
        if change is not None:
            changes.append(change)
        if now.phase is not Phase.quiet:
            after[key] = now
    return after, changes


def _signal(rule: AlertRule, key: Key, value: float | None, seen: Read) -> Signal:
    if key not in seen.values and rule.enabled:
        return Signal.unknown if seen.blind else Signal.good
    return judge(rule, value)


def _step(
    was: Standing, key: Key, rule: AlertRule, signal: Signal, value: float | None, name: str, now_ms: int
) -> tuple[Standing, Change | None]:
    alert = was.alert
    if alert is not None and value is not None:
        alert = replace(alert, value=value, name=name or alert.name)
    phase, effect = STEPS[was.phase, signal]
    now = Standing(phase, was.since_ms if phase is was.phase else now_ms, alert)
    needed_s = {Phase.rising: rule.for_s, Phase.falling: rule.clear_s}.get(phase)
    if needed_s is not None and now_ms - now.since_ms >= needed_s * 1000:
        phase, effect = STEPS[phase, Signal.lasted]
        now = replace(now, phase=phase, since_ms=now_ms)
    if effect is Effect.raise_:
        assert value is not None
        fresh = Alert(f"{key[0].value}:{key[1]}:{now_ms}", key[0], key[1], name, value, rule.raise_at, now_ms)
        return replace(now, alert=fresh), Change(effect, fresh, now_ms)
    if effect is Effect.clear and alert is not None:
        return Standing(Phase.quiet, now_ms), Change(effect, alert, now_ms)
    return now, None


def open_alerts(standing: Mapping[Key, Standing]) -> list[Alert]:
    """What is open, what nobody has acknowledged first, then the oldest first."""
    found = [one.alert for one in standing.values() if one.alert is not None]
    return sorted(found, key=lambda alert: (bool(alert.acked_by), alert.raised_ms, alert.alert_id))


def acknowledged(standing: Mapping[Key, Standing], alert_id: str, by: str, at_ms: int) -> dict[Key, Standing]:
    """The same with this alert acknowledged; who was first stays."""
    return {
        key: replace(one, alert=replace(one.alert, acked_by=by, acked_ms=at_ms))
        if one.alert is not None and one.alert.alert_id == alert_id and not one.alert.acked_by
        else one
        for key, one in standing.items()
    }


def resumed(alerts: Sequence[Alert], now_ms: int) -> dict[Key, Standing]:
    """What stood when the core ended: raised still, until a look says otherwise."""
    return {(one.kind, one.subject): Standing(Phase.raised, now_ms, one) for one in alerts}
