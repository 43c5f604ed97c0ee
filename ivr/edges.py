"""The ways of a flow from node to node, and which of them a walk took. Pure: for tests that walk every one.

An edge is a node and what leads out of it, as `model.exits` names that: ("main", "key 2"), ("case_code", "silence"),
("hours", "not open"), ("unit", "otherwise").
"""

from __future__ import annotations

from .interpreter import Fetched, Input, State
from .model import Branch, Fact, Flow, Lookup, Menu, Note, Number, exits

Edge = tuple[str, str]


def edges(flow: Flow) -> frozenset[Edge]:
    """Every way out of every node."""
    return frozenset((node.id, why) for node in flow.nodes.values() for why, _ in exits(node))


def begun(flow: Flow, state: State) -> list[Edge]:
    """The edges from the start to where a walk first waits, or ends."""
    return _through(flow, flow.start, state)


def taken(flow: Flow, before: State, given: Input, after: State) -> list[Edge]:
    """The edges that were taken in one step of the interpreter; none where the same question is asked again, and none
    where patience has ended: that is no way of the flow."""
    why = _why(flow, before, given, after)
    target = dict(exits(flow.nodes[before.node or ""])).get(why)
    if target is None:
        return []
    further = _through(flow, target, after)
    arrived = _end(flow, target, after)
    return [(before.node or "", why), *further] if arrived == after.path[-1] else []


def _why(flow: Flow, before: State, given: Input, after: State) -> str:
    node = flow.nodes[before.node or ""]
    if isinstance(node, Lookup):
        assert isinstance(given, Fetched)
        return given.outcome if given.outcome in node.outcomes else "otherwise"
    assert not isinstance(given, Fetched)
    assert isinstance(node, Menu | Number)
    if after.tries.get(node.id, 0) > before.tries.get(node.id, 0):
        return "tries exhausted" if after.tries[node.id] >= flow.tries else ""
    if isinstance(node, Menu):
        typed = before.typed + given.digits
        return f"key {typed}" if typed in node.keys else "silence" if not typed else ""
    if "*" in given.digits:
        return "key *"
    return "number given" if given.digits else "silence"


def _through(flow: Flow, target: str, state: State) -> list[Edge]:
    """What is passed from `target` on that needs no answer."""
    found: list[Edge] = []
    while isinstance(node := flow.nodes[target], Branch | Note):
        why = _passed(node, state)
        found.append((node.id, why))
        target = dict(exits(node))[why]
        if len(found) > len(flow.nodes):
            raise ValueError(f"'{target}' is in a circle that never asks or ends")
    return found


def _end(flow: Flow, target: str, state: State) -> str:
    while isinstance(node := flow.nodes[target], Branch | Note):
        target = dict(exits(node))[_passed(node, state)]
    return target


def _passed(node: Branch | Note, state: State) -> str:
    if isinstance(node, Note):
        return "on"
    holds = state.facts.open if node.on is Fact.OPEN else state.facts.elderly
    return f"{node.on}" if holds else f"not {node.on}"
