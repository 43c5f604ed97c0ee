"""Refuses a voice menu that could leave a caller stranded. Run over every shipped flow in the tests and by
`hotline ivr check`.

The promises (T2, GB/T 33358): while people are at work a person is never more than two keys away from any question,
and a caller who presses nothing reaches one; outside those hours the same holds for leaving a message.
"""

from __future__ import annotations

import itertools
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from . import catalogue as catalogue_module
from . import flow as flow_module
from .commands import commands_at, twice
from .interpreter import Facts
from .marked_yaml import DataFileError
from .model import (
    BRINGS,
    NEEDS,
    TITLES_AT_ONCE,
    Branch,
    End,
    Fact,
    Flow,
    Lookup,
    Menu,
    Next,
    Node,
    Note,
    Number,
    Subject,
    exits,
)

MOST_PHRASES = 150
"""As much as a recogniser may be asked to listen for at once (app/speech/model.py takes a little more)."""
MOST_KEYS = 2
"""As many keys as a person may be away."""
EMERGENCY_NUMBERS = ("110", "119", "120", "122")
SCENARIOS = tuple(Facts(open=open_, elderly=elderly) for open_ in (True, False) for elderly in (False, True))
PROMPTS_OF_SCRIPTS: dict[Subject, tuple[str, ...]] = {
    Subject.ANNOUNCEMENTS: (),
    Subject.CASE_PROGRESS: ("case_is", "case_state", "case_updated", "state_handling", "pause"),
    Subject.CASE_RESULT: ("result_none", "result_withheld"),
    Subject.CASE_RATING: ("survey_thanks", "rating_kept_before", "rating_refused"),
    Subject.CASE_REOPENING: ("reopen_done", "reopen_too_late", "reopen_refused"),
    Subject.CALL_RATING: ("survey_thanks", "call_rate_none"),
    Subject.TOPIC_ANSWERS: tuple(f"press_{number}" for number in range(1, TITLES_AT_ONCE + 1)),
    Subject.ANSWER_CHOSEN: (),
    Subject.ANSWER_NUMBERED: (),
    Subject.READING: (),
    Subject.ANSWER_SMS: ("sms_sent", "sms_sent_before", "sms_impossible"),
    Subject.UNIT: ("unit_open_is", "unit_duty_is", "unit_closed_is", "unit_hours", "until", "and_from", "pause"),
}
"""What is spoken about a lookup's answer, besides the node's own prompts."""
BARREN = frozenset({"otherwise", "none", "not_found", "gone", "closed", "withheld", "locked"})
"""Outcomes of lookups that bring nothing to go by."""
CONSENT = "sms_consent"
"""The prompt that says aloud what a message costs and what the number is used for, before one is sent."""


@dataclass(frozen=True, order=True)
class Finding:
    """One fault of a flow: where (1-based line and column), at which node, of which kind, in words; `zh` in Chinese."""

    line: int
    column: int
    node: str
    code: str
    text: str
    zh: str = field(default="", compare=False)

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.node}: {self.text} [{self.code}]"


def verify(flow: Flow, words: catalogue_module.Catalogue) -> list[Finding]:
    """Every fault of `flow`, in the order of the file; [] means that it may go live."""
    found: set[Finding] = set()
    found.update(_missing_prompts(flow, words))
    found.update(_unreachable(flow))
    found.update(_circles(flow))
    if not any(finding.code == "circle" for finding in found):
        for facts in SCENARIOS:
            found.update(_stranded(flow, facts))
    found.update(_emergencies(flow))
    found.update(_unknown(flow))
    found.update(_without_consent(flow))
    found.update(_reads_on(flow))
    found.update(_spoken(flow))
    return sorted(found)


def main(path: Path | str = flow_module.SHIPPED, words: catalogue_module.Catalogue | None = None) -> int:
    """Checks the flow in `path` and prints what is wrong with it. 0: may go live; 1: faults; 2: can't be read."""
    try:
        flow = flow_module.load(Path(path))
        findings = verify(flow, words or catalogue_module.shipped())
    except (DataFileError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    for finding in findings:
        print(f"{path}: {finding}")
    if not findings:
        print(f"{path}: {len(flow.nodes)} nodes, {len(flow.languages)} languages, no fault")
    return 1 if findings else 0


def _finding(node: Node, code: str, text: str, zh: str = "") -> Finding:
    return Finding(*node.place, node.id, code, text, zh)


def prompts_of(flow: Flow, node: Node, language: str) -> tuple[str, ...]:
    """Everything that may be said at `node` to callers of `language`: its own prompts, complaints, what is told of a
    lookup's answer, and, where something may be said there, that one may speak."""
    wanted: tuple[str, ...] = getattr(node, "say", ())
    if isinstance(node, Number):
        wanted += (node.wrong,)
    if isinstance(node, Menu):
        wanted += (flow.wrong_key, *(node.hint if commands_at(flow, node, language) else ()))
    if isinstance(node, Lookup):
        wanted += PROMPTS_OF_SCRIPTS[node.of]
    return wanted


def _missing_prompts(flow: Flow, words: catalogue_module.Catalogue) -> Iterator[Finding]:
    for language in flow.languages:
        for node in flow.nodes.values():
            for prompt in prompts_of(flow, node, language):
                if not words.has(language, prompt):
                    text = f"no prompt '{prompt}' in language '{language}'"
                    yield _finding(node, "missing-prompt", text, f"语言“{language}”没有“{prompt}”这句话")
            if isinstance(node, Menu | Number) and not node.say:
                yield _finding(node, "mute", "asks without saying anything", "要人按键，却什么也没说")


def _unreachable(flow: Flow) -> Iterator[Finding]:
    reached: set[str] = set()
    open_: list[str] = [flow.start, flow.person]
    while open_:
        name = open_.pop()
        if name not in reached:
            reached.add(name)
            open_ += [target for _, target in exits(flow.nodes[name])]
    for name, node in flow.nodes.items():
        if name not in reached:
            yield _finding(node, "unreachable", "no call ever comes here", "没有来电会走到这里")


def automatic(node: Node, facts: Facts) -> str | None:
    """Where a call goes from `node` by itself, or None if the caller or a service must answer first."""
    match node:
        case Branch():
            return node.yes if (facts.open if node.on is Fact.OPEN else facts.elderly) else node.no
        case Note():
            return node.next
    return None


def _circles(flow: Flow) -> Iterator[Finding]:
    """Circles in which nobody is asked (for ever silent) and circles that silence alone walks (for ever talking)."""
    for facts, node in itertools.product(SCENARIOS, flow.nodes.values()):
        seen: list[str] = []
        at: Node = node
        while (following := _silent_next(at, facts)) is not None:
            if at.id in seen:
                if at.id == node.id:
                    around = " > ".join(seen[seen.index(at.id) :])
                    text = f"a caller who presses nothing goes round for ever: {around}"
                    yield _finding(node, "circle", text, f"不按键的人会一直绕圈：{around}")
                break
            seen.append(at.id)
            at = flow.nodes[following]


def _silent_next(node: Node, facts: Facts) -> str | None:
    match node:
        case Menu() | Number():
            return node.silence
        case Lookup():
            return node.otherwise
    return automatic(node, facts)


def _serves(end: End, facts: Facts) -> bool:
    """True if `end` gives the caller what the hours promise: a person here, or a message that a person will read."""
    return end.next is (Next.QUEUE if facts.open else Next.VOICEMAIL)


def _stranded(flow: Flow, facts: Facts) -> Iterator[Finding]:
    promised, zh = ("a person", "人工") if facts.open else ("leaving a message", "留言")
    when, then = ("while open", "上班时") if facts.open else ("while closed", "下班后")
    keys = _keys_away(flow, facts)
    serving = _serving(flow, facts)
    for name in _reachable(flow, facts, unasked=True):
        node = flow.nodes[name]
        if isinstance(node, End) and not _serves(node, facts):
            text = f"{when} a call comes here without a question, and not to {promised}"
            yield _finding(node, "unasked", text, f"{then}没问过就走到这里，到不了{zh}")
    for name in _reachable(flow, facts):
        node = flow.nodes[name]
        if not isinstance(node, Menu | Number):
            continue
        if keys[name] == math.inf:
            text = f"{when} nothing leads from here to {promised}"
            yield _finding(node, "dead-end", text, f"{then}从这里到不了{zh}")
        elif keys[name] > MOST_KEYS:
            text = f"{when} {promised} is {int(keys[name])} keys away, {MOST_KEYS} at most"
            yield _finding(node, "too-far", text, f"{then}到{zh}要按 {int(keys[name])} 次键，最多 {MOST_KEYS} 次")
        if node.silence not in serving:
            text = f"{when} a caller who presses nothing does not reach {promised}"
            yield _finding(node, "silence", text, f"{then}不按键的人到不了{zh}")
        if node.exhausted not in serving:
            text = f"{when} a caller whose tries ran out does not reach {promised}"
            yield _finding(node, "tries", text, f"{then}一再按错的人到不了{zh}")


def _serving(flow: Flow, facts: Facts) -> set[str]:
    """The nodes from which a caller who presses nothing is served, whatever the services say: grown from the ends, so
    that a circle is none of them."""
    found: set[str] = set()
    while True:
        grown = {name for name, node in flow.nodes.items() if name not in found and _is_served(node, facts, found)}
        if not grown:
            return found
        found |= grown


def _is_served(node: Node, facts: Facts, serving: set[str]) -> bool:
    if isinstance(node, End):
        return _serves(node, facts)
    if isinstance(node, Lookup):
        return all(target in serving for _, target in exits(node))
    return _silent_next(node, facts) in serving


def _reachable(flow: Flow, facts: Facts, *, unasked: bool = False) -> set[str]:
    """The nodes to which a call may come, whatever is pressed and services say; `unasked`: before the first question
    is answered."""
    reached: set[str] = set()
    open_ = [flow.start]
    while open_:
        name = open_.pop()
        if name in reached:
            continue
        reached.add(name)
        node = flow.nodes[name]
        if unasked and isinstance(node, Menu | Number):
            continue
        following = automatic(node, facts)
        open_ += [following] if following else [target for _, target in exits(node)]
    return reached


def _keys_away(flow: Flow, facts: Facts) -> dict[str, float]:
    """For each node the number of choices to what is promised, were every service to answer in the worst way.

    A key such as 110 counts as one: it is one number that the caller knows. Silence counts as no key, but only
    choices are counted here: whoever wants a person must not need to know that waiting helps.
    """
    away = dict.fromkeys(flow.nodes, math.inf)
    for _ in range(len(flow.nodes) + 1):
        changed = False
        for name, node in flow.nodes.items():
            best = away[name]
            following = automatic(node, facts)
            if following is not None:
                best = away[following]
            elif isinstance(node, End):
                best = 0 if _serves(node, facts) else math.inf
            elif isinstance(node, Lookup):
                best = max(away[target] for _, target in exits(node))
            elif isinstance(node, Menu):
                best = 1 + min(away[target] for target in node.keys.values())
            elif isinstance(node, Number):
                best = 1 + min(away[node.star], away[node.next])
            if best != away[name]:
                away[name] = best
                changed = True
        if not changed:
            break
    return away


def _unknown(flow: Flow) -> Iterator[Finding]:
    """What a lookup or a transfer goes by is remembered on every way that leads there."""
    known = _known_at(flow)
    for node in flow.nodes.values():
        wanted: tuple[str, ...] = ()
        if isinstance(node, Lookup):
            wanted = NEEDS[node.of]
        elif isinstance(node, End) and node.transfer_from:
            wanted = (node.transfer_from,)
        for name in wanted:
            if node.id in known and name not in known[node.id]:
                text = f"nobody has said or found '{name}' on every way to here"
                yield _finding(node, "unknown", text, f"走到这里时不一定已有“{name}”")


def _known_at(flow: Flow) -> dict[str, frozenset[str]]:
    """By node, what is remembered whichever way a call came there; nodes that no call reaches are left out."""
    known: dict[str, frozenset[str]] = {flow.start: frozenset(), flow.person: frozenset()}
    open_ = [flow.start, flow.person]
    while open_:
        name = open_.pop()
        node = flow.nodes[name]
        for why, target in exits(node):
            after = known[name] | _remembered(node, why)
            before = known.get(target)
            if before is None or not before <= after:
                known[target] = after if before is None else before & after
                open_.append(target)
    return known


def _remembered(node: Node, why: str) -> frozenset[str]:
    """What is remembered when `node` is left in that way."""
    match node:
        case Menu() if node.into and why.startswith("key "):
            return frozenset({node.into})
        case Number() if why == "number given":
            return frozenset({node.into})
        case Note():
            return frozenset(node.remember)
        case Lookup() if why not in BARREN:
            return frozenset(BRINGS.get(node.of, ()))
    return frozenset()


def _without_consent(flow: Flow) -> Iterator[Finding]:
    """A message is sent only by a key at a question that has said so (PIPL): neither silence nor another way does."""
    sends = {node.id for node in flow.nodes.values() if isinstance(node, Lookup) and node.of is Subject.ANSWER_SMS}
    for node in flow.nodes.values():
        for why, target in exits(node):
            asked = isinstance(node, Menu) and CONSENT in node.say and why.startswith("key ")
            if target in sends and not asked:
                text = f"{why} sends a message without consent: '{CONSENT}' must be said"
                yield _finding(node, "consent", text, f"未经同意就发短信：要先说“{CONSENT}”，按键同意后再发")
            elif target in sends and isinstance(node, Menu) and node.spoken:
                text = "consent is given by a finger: a word may be misheard (spoken: false)"
                yield _finding(node, "consent", text, "同意发短信只能按键，说的话可能听错（spoken: false）")


def _reads_on(flow: Flow) -> Iterator[Finding]:
    """Behind every part that is read out there is a question, so that nobody must hear a text to its end."""
    for node in flow.nodes.values():
        if isinstance(node, Lookup) and node.of is Subject.READING:
            for outcome in ("part", "last"):
                target = node.outcomes.get(outcome, node.otherwise)
                if not isinstance(flow.nodes[target], Menu):
                    text = f"after '{outcome}' there is no question with a way out"
                    yield _finding(node, "no-way-out", text, f"“{outcome}”之后没有菜单，听的人出不去")


def _spoken(flow: Flow) -> Iterator[Finding]:
    """No word leads from a question to two places, and a recogniser can listen for all of them at once."""
    for language, node in itertools.product(flow.languages, flow.nodes.values()):
        for phrase, one, other in twice(flow, node, language):
            text = f"'{phrase}' ({language}) leads to '{one}' and to '{other}'"
            yield _finding(node, "said-twice", text, f"“{phrase}”（{language}）既到“{one}”又到“{other}”")
        if (count := len(commands_at(flow, node, language).phrases)) > MOST_PHRASES:
            text = f"{count} phrases in '{language}', {MOST_PHRASES} at most"
            yield _finding(
                node, "too-much-to-hear", text, f"语言“{language}”要听 {count} 种说法，最多 {MOST_PHRASES} 种"
            )
        if isinstance(node, Menu) and node.hint and not node.spoken:
            yield _finding(
                node, "false-hint", "says that one may speak where nobody listens", "说了可以直接说，却没有在听"
            )


def _emergencies(flow: Flow) -> Iterator[Finding]:
    """Every emergency number is offered, and the transfer goes where the key says (T4)."""
    targets = {node.transfer_to for node in flow.nodes.values() if isinstance(node, End)}
    start = flow.nodes[flow.start]
    for number in EMERGENCY_NUMBERS:
        if number not in targets:
            yield _finding(start, "no-emergency", f"nothing leads to {number}", f"没有通往 {number} 的路")
    for node in flow.nodes.values():
        if isinstance(node, Menu):
            for key, target in node.keys.items():
                if key in EMERGENCY_NUMBERS and (wrong := _transfers(flow, target) - {key}):
                    other = ", ".join(sorted(wrong))
                    yield _finding(node, "wrong-number", f"key {key} can lead to {other}", f"按 {key} 会转到 {other}")


def _transfers(flow: Flow, name: str) -> set[str]:
    """The numbers that are one confirmation away from `name`."""
    node = flow.nodes[name]
    candidates = [node] + ([flow.nodes[target] for target in node.keys.values()] if isinstance(node, Menu) else [])
    return {found.transfer_to for found in candidates if isinstance(found, End) and found.transfer_to}
