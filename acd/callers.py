"""Who is calling again, and who misuses the hotline? Both go by an opaque key; nobody's number is known here.

A redial: who hung up in line and calls again within `redial_s` gets the old place back, once. A nuisance rule lowers a
caller's priority, limits how many of their calls are let in at a time, or plays an announcement instead; it ends by
itself, and it never holds in an emergency.
"""

from __future__ import annotations

from acd.config import NuisanceAction, NuisanceRule
from acd.floor import Floor
from acd.model import CallState, NuisanceRuleChanged, NuisanceRuleLifted, NuisanceRuleSet, Reason, ReasonCode, Why
from acd.records import Call
from acd.tables import IN_LINE, IN_OFFER

_MOST_ABANDONED = 10_000
_MOST_RULES = 10_000
_LOWEST_PRIORITY = -1_000
# A caller who hung up, in the words of the telephone; every other reason says that they went somewhere.
_HUNG_UP = frozenset({"", "hangup"})

# ------------------------------------------------------------------------------------------------------------ redial


def remember_abandoned(floor: Floor, call: Call, reason: str) -> None:
    """Before a call leaves: if its caller gave up waiting, their place is kept in mind."""
    if not call.caller_key or floor.config.redial_s <= 0 or reason not in _HUNG_UP:
        return
    if call.redialled or call.callback is not None or call.state not in IN_LINE or rules_of(floor, call.caller_key):
        return
    floor.abandoned.pop(call.caller_key, None)
    floor.abandoned[call.caller_key] = (call.joined, floor.clock.wall)
    if len(floor.abandoned) > _MOST_ABANDONED:
        del floor.abandoned[next(iter(floor.abandoned))]


def resume_place(floor: Floor, call: Call) -> bool:
    """Give a new call the place its caller had before. Once: the place is forgotten, and not kept again."""
    known = floor.abandoned.pop(call.caller_key, None) if call.caller_key else None
    if known is None:
        return False
    place, left = known
    if floor.clock.wall - left > floor.config.redial_s * 1000 or rules_of(floor, call.caller_key):
        return False
    call.joined, call.redialled = min(call.joined, place), True
    return True


# ------------------------------------------------------------------------------------------------------------- rules


def rules_of(floor: Floor, caller_key: str) -> list[NuisanceRule]:
    """The rules in force about this caller."""
    known = floor.nuisance.by_key.get(caller_key) if caller_key else None
    return [rule for rule in known.values() if floor.clock.given < rule.until_ms] if known else []


def apply_rules(floor: Floor, call: Call) -> None:
    """What the rules about a new call's caller do to it. An emergency is never touched."""
    if call.asked_priority >= floor.config.emergency_priority:
        return
    for rule in rules_of(floor, call.caller_key):
        facts: dict[str, int | str] = {"rule": rule.rule_id}
        if rule.action is NuisanceAction.LOWER_PRIORITY:
            call.penalty = max(call.penalty, rule.value)
        elif rule.action is NuisanceAction.ANNOUNCEMENT:
            call.turn_away = call.turn_away or (rule.rule_id, Reason(ReasonCode.RULE_ANNOUNCEMENT, facts))
        elif _others(floor, call) >= rule.value:
            facts["limit"] = rule.value
            call.turn_away = call.turn_away or (rule.rule_id, Reason(ReasonCode.RULE_LIMIT, facts))


def _others(floor: Floor, call: Call) -> int:
    """How many other calls of this caller are in line or in talk."""
    calls = (floor.calls[call_id] for call_id in floor.of_key.get(call.caller_key, ()))
    live = IN_LINE | IN_OFFER | {CallState.TALKING}
    return sum(1 for other in calls if other is not call and other.state in live)


def priority_of(floor: Floor, call: Call) -> int:
    """What the call's place goes by: as asked, with the points of its best flag, less what a rule takes away. Neither
    makes an emergency of it, nor less of one."""
    ceiling = floor.config.emergency_priority
    if call.asked_priority >= ceiling:
        return call.asked_priority
    points = max(floor.config.flag_priority.get(flag, 0) for flag in call.flags) if call.flags else 0
    priority = call.asked_priority + points
    priority = (priority if priority < ceiling else ceiling - 1) - call.penalty
    return priority if priority > _LOWEST_PRIORITY else _LOWEST_PRIORITY


def rule_set(floor: Floor, event: NuisanceRuleSet) -> Why | None:
    rule = event.rule
    if rule.until_ms <= floor.clock.given:
        return Why.BAD_VALUE
    if len(floor.nuisance.by_id) >= _MOST_RULES and rule.rule_id not in floor.nuisance.by_id:
        return Why.TOO_LONG
    keep_rule(floor, rule)
    facts: dict[str, int | str] = {"action": rule.action.value, "by": rule.by, "until_ms": rule.until_ms}
    floor.out.append(NuisanceRuleChanged(rule.rule_id, True, Reason(ReasonCode.RULE_SET, facts)))
    return None


def keep_rule(floor: Floor, rule: NuisanceRule) -> None:
    """The rule is in force from now on. Callers already in line keep what they have."""
    _drop(floor, rule.rule_id)
    floor.nuisance.by_id[rule.rule_id] = rule
    floor.nuisance.by_key.setdefault(rule.caller_key, {})[rule.rule_id] = rule
    due = floor.clock.tau + max(1_000, rule.until_ms - floor.clock.given)
    floor.nuisance.timers[rule.rule_id] = floor.timers.set(due, "rule", rule.rule_id)


def _drop(floor: Floor, rule_id: str) -> bool:
    rule = floor.nuisance.by_id.pop(rule_id, None)
    if rule is None:
        return False
    floor.timers.cancel(floor.nuisance.timers.pop(rule_id))
    rules = floor.nuisance.by_key[rule.caller_key]
    del rules[rule_id]
    if not rules:
        del floor.nuisance.by_key[rule.caller_key]
    return True


def rule_lifted(floor: Floor, event: NuisanceRuleLifted) -> Why | None:
    if not _drop(floor, event.rule_id):
        return Why.UNKNOWN_RULE
    reason = Reason(ReasonCode.RULE_LIFTED, {"by": event.by})
    floor.out.append(NuisanceRuleChanged(event.rule_id, False, reason))
    return None


def rule_due(floor: Floor, rule_id: str) -> None:
    """The rule's time is over, unless the clock was set back meanwhile."""
    rule = floor.nuisance.by_id.get(rule_id)
    if rule is None:
        return
    if floor.clock.given < rule.until_ms:
        due = floor.clock.tau + max(1_000, rule.until_ms - floor.clock.given)
        floor.nuisance.timers[rule_id] = floor.timers.set(due, "rule", rule_id)
        return
    _drop(floor, rule_id)
    floor.out.append(NuisanceRuleChanged(rule_id, False, Reason(ReasonCode.RULE_EXPIRED)))
