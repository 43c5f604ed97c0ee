"""Whom may a call be given to, from when on, and who of them suits it best?

A call's plan is a list of stages: from so many seconds in line on, these agents. A stage names the queue, the skills
that do (one set of required levels or several), the groups that serve, or one single agent. Calls in the same stage
with the same needs share a demand. Stages only ever add agents, except the first one for a call that is kept a moment
for the agent who knows the caller.

Who suits best is a number, the band; the lowest band is asked first, and within it the longest idle. In this order:
a nearer group before one that helps out; the skills asked for before those they were relaxed to; agents whose rare
skills are not wasted on the call before those whose are; higher levels before lower ones, in bands `level_band` wide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import NamedTuple

from acd.config import Choice, EngineConfig, QueueConfig, RelaxRule

Need = tuple[tuple[str, int], ...]  # required skills with levels, sorted

_MOST_NEEDS = 32
_LEVELS = 5


class Reach(NamedTuple):
    """Agents of the queue's groups (None: all) who have one of these sets of skills; or only one agent."""

    queue: str
    needs: tuple[Need, ...]
    groups: tuple[str, ...] | None = None
    only: str = ""


class Stage(NamedTuple):
    after_ms: int
    reach: Reach


def need_of(skills: Mapping[str, int]) -> Need:
    return tuple(sorted(skills.items())) if len(skills) > 1 else tuple(skills.items())


def plan(engine: EngineConfig, queue: QueueConfig, skills: Mapping[str, int]) -> tuple[Stage, ...]:
    """The stages of a call with these needs, the first from second 0 on."""
    rules = [rule for rule in _relax_rules(engine, queue) if rule.skill in skills]
    moments = {0}
    moments.update(step.after_s for rule in rules for step in rule.steps)
    moments.update(step.after_s for step in queue.groups)
    stages: list[Stage] = []
    for moment in sorted(moments):
        groups = tuple(dict.fromkeys(step.group for step in queue.groups if step.after_s <= moment))
        if queue.groups and not groups:
            groups = (queue.groups[0].group,)
        reach = Reach(queue.queue, _needs(skills, rules, moment), groups or None)
        if not stages or stages[-1].reach != reach:
            stages.append(Stage(moment * 1000, reach))
    return tuple(stages)


def _relax_rules(engine: EngineConfig, queue: QueueConfig) -> list[RelaxRule]:
    own = {rule.skill for rule in queue.relax}
    return [*queue.relax, *(rule for rule in engine.relax if rule.skill not in own)]


def _needs(skills: Mapping[str, int], rules: Sequence[RelaxRule], moment_s: int) -> tuple[Need, ...]:
    """All sets of skills that do at this moment, what was asked for first."""
    options: list[list[Mapping[str, int]]] = []
    fixed = dict(skills)
    for rule in rules:
        asked = fixed.pop(rule.skill, None)
        if asked is None:
            continue  # a second rule for the same skill
        options.append([{rule.skill: asked}, *(step.skills for step in rule.steps if step.after_s <= moment_s)])
    needs: dict[Need, None] = {}
    for chosen in product(*options):
        merged = dict(fixed)
        for part in chosen:
            for skill, level in part.items():
                merged[skill] = max(level, merged.get(skill, 0))
        needs[need_of(merged)] = None
        if len(needs) >= _MOST_NEEDS:
            break
    return tuple(needs)


def band(
    reach: Reach, agent_id: str, group: str, queues: Sequence[str], skills: Mapping[str, int], rules: Rules
) -> int | None:
    """How well the agent suits calls of this reach, 0 is best; None: not at all."""
    if reach.queue not in queues or (reach.only and reach.only != agent_id):
        return None
    group_at = 0
    if reach.groups is not None:
        if group not in reach.groups:
            return None
        group_at = reach.groups.index(group)
    for need_at, need in enumerate(reach.needs):
        for skill, level in need:
            if skills.get(skill, 0) < level:
                break
        else:
            place = group_at * _MOST_NEEDS + need_at
            if rules.choice is Choice.LONGEST_IDLE:
                return place * 1000
            return place * 1000 + _wasted(need, skills, rules) * 10 + _level_band(need, skills, rules)
    return None


class Rules(NamedTuple):
    """How to choose among several, for one queue."""

    choice: Choice
    level_band: int
    rare_skills: frozenset[str]


def rules_of(engine: EngineConfig, queue: QueueConfig) -> Rules:
    return Rules(
        queue.choice or engine.choice,
        max(1, queue.level_band or engine.level_band),
        frozenset(engine.rare_skills),
    )


def _wasted(need: Need, skills: Mapping[str, int], rules: Rules) -> int:
    if not rules.rare_skills:
        return 0
    needed = {skill for skill, _ in need}
    return min(99, sum(1 for skill in skills if skill in rules.rare_skills and skill not in needed))


def _level_band(need: Need, skills: Mapping[str, int], rules: Rules) -> int:
    if not need:
        return 0
    lowest = min(skills.get(skill, 0) for skill, _ in need)
    return max(0, _LEVELS - lowest) // rules.level_band


def needs_text(needs: tuple[Need, ...]) -> str:
    """The sets of skills in one line: a set is joined by commas, sets by a bar."""
    return " | ".join(",".join(f"{skill}:{level}" for skill, level in need) or "-" for need in needs)
