"""What an office may make of criteria and rules of drawing: checks, how they are kept, and how two differ. Pure.

An edition is kept as JSON (`criteria_json`, `rules_json`) and read back by `criteria_of` and `rules_of`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from app.editions.model import Change, faults_of_words, free_code, repeated, same
from app.quality.criteria import MOST, NOT_ASKED, Criterion, Level
from app.quality.sampling import Rules

MOST_CRITERIA, FEWEST_LEVELS, MOST_LEVELS = 10, 2, 6
LONGEST_NAME, LONGEST_ASKS = 40, 300
_CODE = re.compile(r"[a-z][a-z0-9_]{0,15}")


@dataclass(frozen=True)
class Bounds:
    """From where to where a number of the rules may go."""

    low: int
    high: int


BOUNDS: Mapping[str, Bounds] = {
    "at_least": Bounds(0, 20),
    "new_agents": Bounds(0, 20),
    "new_days": Bounds(0, 365),
    "pressing": Bounds(0, 20),
    "shortest_s": Bounds(0, 600),
    "low_rating": Bounds(0, 4),  # with 5 every talk that was rated would be pressing
    "long_hold_s": Bounds(10, 3_600),
    "long_talk_s": Bounds(60, 7_200),
    "forbidden": Bounds(0, 20),
}


# -- checks -----------------------------------------------------------------------------------------------------------


def with_codes(criteria: Sequence[Criterion]) -> list[Criterion]:
    """New criteria and levels (code "") get codes that no other has."""
    taken = {one.code for one in criteria}
    made = []
    for one in criteria:
        code = one.code or free_code("c", taken)
        taken.add(code)
        levels, known = [], {level.code for level in one.levels} | {NOT_ASKED}
        for level in one.levels:
            levels.append(replace(level, code=level.code or free_code("l", known)))
            known.add(levels[-1].code)
        made.append(replace(one, code=code, levels=tuple(levels)))
    return made


def faults_of_criteria(criteria: Sequence[Criterion]) -> dict[str, str]:
    """What keeps these from being judged by (fields criteria, criteria.0.zh, criteria.0.levels.1.points …)."""
    wrong: dict[str, str] = {}
    if not 1 <= len(criteria) <= MOST_CRITERIA:
        wrong["criteria"] = f"须有 1 至 {MOST_CRITERIA} 项标准 (from 1 to {MOST_CRITERIA} criteria)"
    elif (total := sum(one.weight for one in criteria)) != MOST:
        wrong["criteria"] = f"权重合计须为 {MOST}，现为 {total} (the weights add up to {total}, not {MOST})"
    elif all(one.optional for one in criteria):
        wrong["criteria"] = "至少一项必须评级 (one at least is always judged)"
    for at, one in enumerate(criteria):
        wrong |= {f"criteria.{at}.{name}": text for name, text in _faults_of_one(one).items()}
    for name in ("code", "zh", "en"):
        for at in repeated([getattr(one, name) for one in criteria]):
            wrong.setdefault(f"criteria.{at}.{name}", "与前面的重复 (there is one already)")
    return wrong


def _faults_of_one(one: Criterion) -> dict[str, str]:
    wrong = faults_of_words(one, zh=LONGEST_NAME, en=LONGEST_NAME, asks_zh=LONGEST_ASKS, asks_en=LONGEST_ASKS)
    if not _CODE.fullmatch(one.code):
        wrong["code"] = "标识不正确 (no such code)"
    if not 1 <= one.weight <= MOST:
        wrong["weight"] = f"须为 1 至 {MOST} (from 1 to {MOST})"
    if not FEWEST_LEVELS <= len(one.levels) <= MOST_LEVELS:
        wrong["levels"] = f"须有 {FEWEST_LEVELS} 至 {MOST_LEVELS} 级 (from {FEWEST_LEVELS} to {MOST_LEVELS} levels)"
        return wrong
    if one.levels[0].points != MOST or one.levels[0].fails:
        wrong["levels.0.points"] = f"第一级须为 {MOST} 分 (the first is worth {MOST})"
    for at, level in enumerate(one.levels):
        own = faults_of_words(level, zh=LONGEST_NAME, en=LONGEST_NAME)
        if not _CODE.fullmatch(level.code) or level.code == NOT_ASKED:
            own["code"] = "标识不正确 (no such code)"
        if not 0 <= level.points <= MOST:
            own["points"] = f"须为 0 至 {MOST} (from 0 to {MOST})"
        elif at and level.points >= one.levels[at - 1].points:
            own["points"] = "须少于上一级 (less than the level before)"
        if level.fails and at < len(one.levels) - 1:
            own["fails"] = "只有最后一级可以一票否决 (only the last one may fail the talk)"
        wrong |= {f"levels.{at}.{name}": text for name, text in own.items() if f"levels.{at}.{name}" not in wrong}
    for name in ("code", "zh", "en"):
        for at in repeated([getattr(level, name) for level in one.levels]):
            wrong.setdefault(f"levels.{at}.{name}", "与前面的重复 (there is one already)")
    return wrong


def faults_of_rules(rules: Rules) -> dict[str, str]:
    """What keeps these from being rules to draw by (fields at_least, …)."""
    wrong = {
        name: f"须为 {of.low} 至 {of.high} (from {of.low} to {of.high})"
        for name, of in BOUNDS.items()
        if not of.low <= getattr(rules, name) <= of.high
    }
    if "new_agents" not in wrong and rules.new_agents < rules.at_least:
        wrong["new_agents"] = "不能少于其他坐席 (not fewer than of others)"
    if not {"at_least", "pressing"} & wrong.keys() and rules.at_least + rules.pressing == 0:
        wrong["at_least"] = "至少抽 1 通 (one talk at least)"
    if not {"shortest_s", "long_talk_s"} & wrong.keys() and rules.long_talk_s <= rules.shortest_s:
        wrong["long_talk_s"] = "须长于最短通话 (longer than the shortest talk)"
    return wrong


# -- keeping ----------------------------------------------------------------------------------------------------------


def criteria_json(criteria: Sequence[Criterion]) -> dict[str, Any]:
    """As an edition is kept."""
    return {"criteria": [{**asdict(one), "levels": [asdict(level) for level in one.levels]} for one in criteria]}


def criteria_of(kept: Mapping[str, Any]) -> list[Criterion]:
    """The criteria of an edition that was kept."""
    return [
        Criterion(**{**one, "levels": tuple(Level(**level) for level in one["levels"])}) for one in kept["criteria"]
    ]


def rules_json(rules: Rules) -> dict[str, Any]:
    """As an edition is kept."""
    return asdict(rules)


def rules_of(kept: Mapping[str, Any]) -> Rules:
    """The rules of an edition that was kept; a number that it does not have yet is the shipped one."""
    known = {one.name for one in fields(Rules)}
    return Rules(**{name: value for name, value in kept.items() if name in known})


# -- differences ------------------------------------------------------------------------------------------------------

_YES_NO = {True: ("是", "yes"), False: ("否", "no")}


def changes_of_criteria(before: Sequence[Criterion], after: Sequence[Criterion]) -> list[Change]:
    """How `after` differs, criterion by criterion in its order; what is gone comes last."""
    old, new = {one.code: one for one in before}, {one.code: one for one in after}
    found = []
    for one in after:
        name = (one.zh, one.en)
        was = old.get(one.code)
        if was is None:
            found.append(Change(name, "added", after=same(f"{one.weight}%")))
            continue
        for what, zh, en in (("name", "zh", "en"), ("asks", "asks_zh", "asks_en")):
            pair, other = (getattr(was, zh), getattr(was, en)), (getattr(one, zh), getattr(one, en))
            if pair != other:
                found.append(Change(name, what, pair, other))
        if was.weight != one.weight:
            found.append(Change(name, "weight", same(f"{was.weight}%"), same(f"{one.weight}%")))
        if was.optional != one.optional:
            found.append(Change(name, "optional", _YES_NO[was.optional], _YES_NO[one.optional]))
        if was.levels != one.levels:
            found.append(Change(name, "levels", _levels(was), _levels(one)))
    found += [Change((one.zh, one.en), "removed", same(f"{one.weight}%")) for one in before if one.code not in new]
    order = [one.code for one in before if one.code in new]
    if order != [one.code for one in after if one.code in old]:
        found.append(Change(("", ""), "order"))
    return found


def changes_of_rules(before: Rules, after: Rules) -> list[Change]:
    """How `after` differs, number by number."""
    pairs = ((one.name, getattr(before, one.name), getattr(after, one.name)) for one in fields(Rules))
    return [Change(("", ""), name, same(str(was)), same(str(now))) for name, was, now in pairs if was != now]


def _levels(of: Criterion) -> tuple[str, str]:
    def said(level: Level, name: str, fails: str) -> str:
        return f"{name} {level.points}{fails if level.fails else ''}"

    zh = "、".join(said(level, level.zh, "（一票否决）") for level in of.levels)
    return zh, ", ".join(said(level, level.en, " (fails)") for level in of.levels)
