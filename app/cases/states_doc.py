"""Writes `docs/case-states.md` from the table: `hotline cases states`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from app.cases.states import (
    CASE_DONE,
    CASE_STEPS,
    LAST_OF_CASE,
    LAST_OF_WORK,
    START_OF_CASE,
    START_OF_WORK,
    WORK_DONE,
    WORK_STEPS,
    Step,
)
from app.cases.words import CASE_ACTS, CASE_STATES, NEEDED, PEOPLE, WORK_ACTS, WORK_STATES

HEAD = """# 工单与承办任务的状态

<!-- Written by `hotline cases states` from app/cases/states.py. Change the table, not this file. -->

A case (工单) is what a citizen wants; an assignment (承办任务) is what one unit has been asked to do about it. Every
line of the tables below is one act: from which states it may happen, where it leads, who may do it, and what must be
said with it. Whatever is no line is refused. A case follows its leading assignment by itself (随办理流转); with several
units it counts as replied (已回复) only when every one of them has replied.

Each act is one line of the case's history, with who, when, from which state to which, and why; nothing of a history
can be changed or removed.
"""


def document() -> str:
    """The whole file."""
    parts = [
        HEAD,
        "## 工单 (case)\n",
        _picture(CASE_STEPS, CASE_STATES, CASE_ACTS, START_OF_CASE, LAST_OF_CASE),
        _table(CASE_STEPS, CASE_STATES, CASE_ACTS),
        _done(CASE_STATES, CASE_DONE),
        "## 承办任务 (assignment)\n",
        _picture(WORK_STEPS, WORK_STATES, WORK_ACTS, START_OF_WORK, LAST_OF_WORK),
        _table(WORK_STEPS, WORK_STATES, WORK_ACTS),
        _done(WORK_STATES, WORK_DONE),
    ]
    return "\n".join(parts)


def _picture(
    steps: Iterable[Step[Any, Any]],
    states: Mapping[Any, str],
    acts: Mapping[Any, str],
    start: StrEnum,
    last: Iterable[StrEnum],
) -> str:
    arrows: dict[tuple[StrEnum, StrEnum], list[str]] = {}
    for step in steps:
        for state in _in_order(states, step.sources):
            if step.target and step.target is not state:
                arrows.setdefault((state, step.target), []).append(acts[step.act])
    lines = [f"    {state.value} : {name}" for state, name in states.items()]
    lines += [f"    [*] --> {start.value}"]
    lines += [f"    {a.value} --> {b.value} : {' / '.join(names)}" for (a, b), names in arrows.items()]
    lines += [f"    {state.value} --> [*]" for state in _in_order(states, last)]
    return "\n".join(["```mermaid", "stateDiagram-v2", *lines, "```", ""])


def _table(steps: Iterable[Step[Any, Any]], states: Mapping[Any, str], acts: Mapping[Any, str]) -> str:
    rows = ["| 操作 | 从 | 到 | 谁可以 | 须说明 |", "|---|---|---|---|---|"]
    for step in steps:
        cells = [
            f"{acts[step.act]} `{step.act}`",
            "、".join(states[state] for state in _in_order(states, step.sources)),
            states[step.target] if step.target else "（不变）",
            "、".join(name for by, name in PEOPLE.items() if by in step.by),
            "、".join(name for need, name in NEEDED.items() if need in step.needs) or "—",
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join([*rows, ""])


def _done(states: Mapping[Any, str], done: Iterable[StrEnum]) -> str:
    return f"办结状态: {'、'.join(states[state] for state in _in_order(states, done))}。\n"


def _in_order(states: Mapping[Any, str], some: Iterable[StrEnum]) -> list[StrEnum]:
    wanted = set(some)
    return [state for state in states if state in wanted]
