"""Walks a voice menu. Pure: a state and what the caller did give the next state and what is to be done.

    state, actions = begin(flow, Facts(open=True))
    state, actions = step(flow, state, Keys("1"))

Every list of actions ends in exactly one that waits for something (Ask, Fetch) or in End; `Say`s before it are only
played. However a caller behaves, a walk ends: questions are repeated `flow.tries` times at most, and after
`flow.patience` answers the caller is handed to a person.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from .model import Branch, End, Fact, Flow, Lookup, Menu, Next, Node, Note, Number, Subject
from .parts import MOST_PARTS

REST_OF_KEY_MS = 3000
"""How long the second and third digit of a key such as 110 may take, each."""
DIALLABLE = re.compile(r"\+?[0-9]{3,16}")
LONGEST_PATH = 255
"""Characters of the path that are kept (the last ones), so that it fits a channel variable and a screen."""


# -- what comes in ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Facts:
    """What is known about a call before it is greeted."""

    open: bool = True
    elderly: bool = False
    language: str | None = None
    """The language that this citizen is known to speak; None starts in the flow's first."""


@dataclass(frozen=True)
class Keys:
    """What the caller pressed: one key for a menu, all digits (without the final #) for a number. '' is silence."""

    digits: str
    ended: bool = False
    """True if the caller ended the number with #."""


@dataclass(frozen=True)
class Fetched:
    """What a Fetch brought: an outcome of the lookup ('' if there was no answer) and what is to be said about it.

    An item of `say` is a prompt id, or the absolute path of a sound file without its suffix. `remember` is known of
    the call from now on: pairs of name and value.
    """

    outcome: str
    say: tuple[str, ...] = ()
    remember: tuple[tuple[str, str], ...] = ()


Input = Keys | Fetched


# -- what goes out ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Say:
    """Play these; keys pressed meanwhile belong to the next question."""

    prompts: tuple[str, ...]
    language: str


@dataclass(frozen=True)
class Ask:
    """Play these, stopping at the first key, and take up to `most` digits, each within `timeout_ms` of the last."""

    prompts: tuple[str, ...]
    language: str
    most: int
    timeout_ms: int


@dataclass(frozen=True)
class Fetch:
    """Ask the services about `of` while `prompts` are played; answered by Fetched."""

    of: Subject
    arguments: Mapping[str, str]
    prompts: tuple[str, ...]
    language: str


@dataclass(frozen=True)
class Finish:
    """The menu is over. `variables` are the channel variables of the outcome by name, without HOTLINE_DONE."""

    next: Next
    variables: Mapping[str, str]


Action = Say | Ask | Fetch | Finish


# -- the walk -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class State:
    """Everything about one walk. `node` is where an answer is awaited; None before the start and after the end."""

    facts: Facts
    language: str
    node: str | None = None
    pending: tuple[str, ...] = ()
    typed: str = ""
    tries: Mapping[str, int] = field(default_factory=dict)
    answers: int = 0
    collected: Mapping[str, str] = field(default_factory=dict)
    priority: int = 0
    queue: str = "general"
    skills: Mapping[str, int] = field(default_factory=dict)
    warn: bool = False
    path: tuple[str, ...] = ()
    ended: bool = False


def begin(flow: Flow, facts: Facts) -> tuple[State, list[Action]]:
    """The first actions for a caller about whom `facts` are known."""
    language = facts.language if facts.language in flow.languages else flow.languages[0]
    return _enter(flow, State(facts, language), flow.start)


def step(flow: Flow, state: State, given: Input) -> tuple[State, list[Action]]:
    """What follows from `given`. Raises ValueError if the walk has ended or awaits the other kind of input."""
    if state.ended or state.node is None:
        raise ValueError("the walk is over")
    node = flow.nodes[state.node]
    state = replace(state, answers=state.answers + 1)
    match node, given:
        case Menu(), Keys():
            return _chosen(flow, state, node, given)
        case Number(), Keys():
            return _numbered(flow, state, node, given)
        case Lookup(), Fetched():
            state = _read_on(state, node, given)
            state = replace(
                state, pending=state.pending + given.say, collected={**state.collected, **dict(given.remember)}
            )
            return _enter(flow, state, node.outcomes.get(given.outcome, node.otherwise))
    raise ValueError(f"node '{node.id}' can't use {type(given).__name__}")


def _read_on(state: State, node: Lookup, given: Fetched) -> State:
    """Whoever hears a long text part by part is not lost in the menu: going on costs none of their patience.

    A text has an end, so patience still has one.
    """
    before, after = state.collected.get("part", ""), dict(given.remember).get("part", "")
    if node.of is not Subject.READING or not (before.isdecimal() and after.isdecimal()):
        return state
    goes_on = int(before) < int(after) <= MOST_PARTS
    return replace(state, answers=max(0, state.answers - 2)) if goes_on else state


def _chosen(flow: Flow, state: State, node: Menu, given: Keys) -> tuple[State, list[Action]]:
    typed = state.typed + given.digits
    state = replace(state, typed="")
    if typed in node.keys:
        if node.into:
            state = replace(state, collected={**state.collected, node.into: typed})
        return _enter(flow, state, node.keys[typed])
    if not typed:
        return _enter(flow, state, node.silence)
    if given.digits and any(key.startswith(typed) for key in node.keys):
        return replace(state, typed=typed), [Ask((), state.language, 1, REST_OF_KEY_MS)]
    return _again(flow, state, node, flow.wrong_key)


def _numbered(flow: Flow, state: State, node: Number, given: Keys) -> tuple[State, list[Action]]:
    if "*" in given.digits:
        return _enter(flow, state, node.star)
    if not given.digits and not given.ended:
        return _enter(flow, state, node.silence)
    if given.digits.isascii() and given.digits.isdigit() and node.shortest <= len(given.digits) <= node.longest:
        return _enter(flow, replace(state, collected={**state.collected, node.into: given.digits}), node.next)
    return _again(flow, state, node, node.wrong)


def _again(flow: Flow, state: State, node: Menu | Number, complaint: str) -> tuple[State, list[Action]]:
    """Asks `node` once more after a wrong answer, or gives up on it."""
    wrong = state.tries.get(node.id, 0) + 1
    state = replace(state, tries={**state.tries, node.id: wrong})
    if wrong >= flow.tries:
        return _enter(flow, state, node.exhausted)
    return _arrive(flow, replace(state, pending=(*state.pending, complaint)), node)


def _enter(flow: Flow, state: State, target: str) -> tuple[State, list[Action]]:
    """Goes to `target` and through every node after it that needs no answer."""
    hurried = state.answers >= flow.patience
    if hurried and not isinstance(flow.nodes[target], End):
        target = flow.person
    for _ in range(len(flow.nodes) + 1):
        node = flow.nodes[target]
        match node:
            case Branch():
                target = node.yes if _fact(state.facts, node.on) else node.no
            case Note():
                state = _note(state, node)
                target = node.next
            case Menu() | Number() if hurried:
                target = node.silence
            case Lookup() if hurried:
                target = node.otherwise
            case _:
                return _arrive(flow, replace(state, path=(*state.path, node.id)), node)
    raise ValueError(f"'{target}' is in a circle that never asks or ends")  # the verifier refuses such flows


def _fact(facts: Facts, fact: Fact) -> bool:
    return facts.open if fact is Fact.OPEN else facts.elderly


def _note(state: State, node: Note) -> State:
    return replace(
        state,
        language=node.language or state.language,
        priority=state.priority if node.priority is None else node.priority,
        queue=node.queue or state.queue,
        skills={**state.skills, **node.skills},
        warn=state.warn if node.warn is None else node.warn,
        collected={**state.collected, **node.remember} if node.remember else state.collected,
    )


def _arrive(flow: Flow, state: State, node: Node) -> tuple[State, list[Action]]:
    spoken = state.pending + getattr(node, "say", ())
    state = replace(state, pending=(), typed="", node=node.id)
    match node:
        case Menu():
            return state, [Ask(spoken, state.language, 1, node.timeout_ms)]
        case Number():
            # One more than the longest, so that too many digits are noticed instead of spilling into the next question.
            return state, [Ask(spoken, state.language, node.longest + 1, node.timeout_ms)]
        case Lookup():
            return state, [Fetch(node.of, dict(state.collected), spoken, state.language)]
        case End():
            state = replace(state, node=None, ended=True)
            said: list[Action] = [Say(spoken, state.language)] if spoken else []
            outcome = variables(state, node)
            return state, [*said, Finish(Next(outcome["HOTLINE_NEXT"]), outcome)]
    raise ValueError(f"nothing waits at '{node.id}'")


def variables(state: State, end: End) -> dict[str, str]:
    """The outcome as channel variables (docs/architecture.md): what the dialplan and the queue read."""
    result = {
        "HOTLINE_LANG": state.language,
        "HOTLINE_QUEUE": state.queue,
        "HOTLINE_SKILLS": ",".join(f"{name}:{level}" for name, level in sorted(state.skills.items())),
        "HOTLINE_PRIORITY": str(state.priority),
        "HOTLINE_PATH": _path(state.path),
        "HOTLINE_NEXT": str(end.next),
    }
    if state.warn:
        result["HOTLINE_WARN"] = "1"
    if end.transfer_to:
        result["HOTLINE_TRANSFER_TO"] = end.transfer_to
    elif end.transfer_from:
        # HOTLINE_DIRECTORY: the number is one of the directory's, so that the dialplan may dial it.
        known = state.collected.get(end.transfer_from, "")
        if DIALLABLE.fullmatch(known):
            result |= {"HOTLINE_TRANSFER_TO": known, "HOTLINE_DIRECTORY": "1"}
        else:
            result["HOTLINE_NEXT"] = str(Next.QUEUE if state.facts.open else Next.VOICEMAIL)
    return result


def _path(nodes: tuple[str, ...]) -> str:
    """The last nodes whose joined ids fit."""
    kept = ">".join(nodes)
    while len(kept) > LONGEST_PATH:
        kept = kept.partition(">")[2]
    return kept
