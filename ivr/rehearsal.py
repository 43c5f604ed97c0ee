"""A call through a voice menu without a telephone: what a caller would hear and where they would go, for typed keys.

Pure. The terminal (`ivr.simulator`) and the editor's try-out play calls with it; services answer as `pretend` does.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from . import spoken
from .catalogue import Catalogue
from .commands import commands_at
from .interpreter import Ask, Facts, Fetch, Fetched, Finish, Keys, Say, State, begin, step
from .model import BRINGS, OUTCOMES, Flow, Subject, exits
from .verifier import BARREN, automatic

ANNOUNCEMENT = "(the announcements of this moment)"
PARTS = 2
LONGEST = 1000
"""Steps of one call that are played: more than any caller's patience."""


@dataclass(frozen=True)
class Moment:
    """One thing that happens: `said` in `language` at `node`, reached by `way` (the nodes since the moment before).

    `asks`: a key is awaited now. `given`: what was pressed there, or typed ahead (None: nothing yet; "": silence).
    `of` and `fetched`: a lookup and its outcome. `finish`: the menu is over.
    """

    node: str
    way: tuple[str, ...]
    language: str
    said: tuple[str, ...]
    state: State
    asks: bool = False
    given: str | None = None
    of: str = ""
    fetched: str = ""
    finish: Finish | None = None


def play(flow: Flow, facts: Facts, outcomes: Mapping[str, str] | None = None) -> Generator[Moment, str | None, None]:
    """One call, moment by moment. To one that `asks`, send what the caller types ("" is silence; None: they hang up):
    a number whole, words instead of a key, and keys ahead of their questions, which are then not said.

    `outcomes`: what lookups answer, by subject, instead of what `pretend` makes up. Raises ValueError for a flow that
    goes in a circle without asking.
    """
    state, actions = begin(flow, facts)
    way = _onward(flow, facts, flow.start)
    ahead = ""
    for _ in range(LONGEST):
        before, node = state, state.path[-1]
        for action in actions[:-1]:
            if isinstance(action, Say):
                yield Moment(node, way, action.language, action.prompts, state)
                way = ()
        last = actions[-1]
        if isinstance(last, Finish):
            yield Moment(node, way, state.language, (), state, finish=last)
            return
        if isinstance(last, Fetch):
            fetched = _wanted(last, outcomes or {}) or pretend(last)
            pressed = fetched.outcome
            yield Moment(node, way, last.language, last.prompts, state, of=str(last.of), fetched=pressed)
            state, actions = step(flow, state, fetched)
        elif isinstance(last, Ask):
            was_ahead = bool(ahead)
            if not was_ahead:
                typed = yield Moment(node, way, last.language, last.prompts, state, asks=True)
                if typed is None:
                    return
                said = commands_at(flow, flow.nodes[state.node or flow.start], state.language).meant(typed.split())
                ahead = said or "".join(character for character in typed if character in "0123456789*#")
            keys, ahead = _take(ahead, last.most)
            pressed = keys.digits + "#" * keys.ended
            if was_ahead:
                yield Moment(node, way, last.language, (), state, given=pressed)
            state, actions = step(flow, state, keys)
        else:
            raise AssertionError(f"{last} can't be the last action")
        way = _way(flow, facts, before, pressed, state)


def rehearse(flow: Flow, facts: Facts, typed: Sequence[str], outcomes: Mapping[str, str] | None = None) -> list[Moment]:
    """The call of somebody who types these, one for each question that waits; its last moment asks, or is the end.

    Raises ValueError as `play` does.
    """
    call, answers = play(flow, facts, outcomes), iter(typed)
    found = [next(call)]
    while found[-1].finish is None:
        answer = next(answers, None) if found[-1].asks else None
        if found[-1].asks:
            if answer is None:
                break
            found[-1] = replace(found[-1], given=answer)
        try:
            found.append(call.send(answer))
        except StopIteration:  # more steps than any caller takes
            break
    call.close()
    return found


def spoken_text(words: Catalogue, prompts: Iterable[str], language: str) -> str:
    """What a person would read in place of these prompts; one that there is not stands as its name."""
    return " ".join(recipe.text if (recipe := words.find(language, prompt)) else prompt for prompt in prompts)


def pretend(fetch: Fetch) -> Fetched:
    """Answers a lookup as a service would: an announcement; a case for every number that does not end in 0, which is
    settled if it ends in 9; an answer of two parts; a unit that is open unless its code ends in 0."""
    given = fetch.arguments.get
    match fetch.of:
        case Subject.ANNOUNCEMENTS:
            return Fetched("some", (ANNOUNCEMENT,))
        case Subject.CASE_PROGRESS:
            number = given("case_number", "")
            if number.endswith("0") and not given("code"):
                return Fetched("not_found")
            yesterday = datetime.now(ZoneInfo("Asia/Shanghai")) - timedelta(days=1)
            sentence = spoken.progress(number, "handling", yesterday, fetch.language)
            return Fetched("settled" if number.endswith("9") else "found", sentence)
        case Subject.READING:
            step_ = {"next": 1, "back": -1}.get(given("move", ""), 0)
            part = min(max(int(given("part", "1")) + step_, 1), PARTS)
            remember = (("part", str(part)), ("move", ""))
            return Fetched("last" if part == PARTS else "part", (f"(part {part})",), remember)
        case Subject.TOPIC_ANSWERS:
            return Fetched("some", ("(a title)", "press_1"), (("choices", "101"), ("from", "0")))
        case Subject.UNIT:
            outcome = "closed" if given("unit_code", "").endswith("0") else "open"
            return Fetched(outcome, (f"unit_{outcome}_is",), (("unit_number", "55500001"),))
    return _brought(fetch, OUTCOMES[fetch.of][0])


def _wanted(fetch: Fetch, outcomes: Mapping[str, str]) -> Fetched | None:
    """The answer that whoever tries it wants; any outcome that there is not is no answer at all."""
    wanted = outcomes.get(str(fetch.of))
    return None if wanted is None else _brought(fetch, wanted)


def _brought(fetch: Fetch, outcome: str) -> Fetched:
    remember = {} if outcome in BARREN else dict.fromkeys(BRINGS.get(fetch.of, ()), "1")
    return Fetched(outcome, (f"({fetch.of})",), tuple(remember.items()))


def _take(ahead: str, most: int) -> tuple[Keys, str]:
    """What one question takes of the keys typed ahead, and the rest."""
    if most == 1:
        return Keys(ahead[:1]), ahead[1:]
    number, ended, rest = ahead.partition("#")
    if len(number) > most:
        return Keys(number[:most]), number[most:] + ended + rest
    return Keys(number, ended=bool(ended)), rest


def _way(flow: Flow, facts: Facts, before: State, pressed: str, after: State) -> tuple[str, ...]:
    """The nodes from where the call was to where it is, with those that neither ask nor speak; () where it stays."""
    if len(after.path) == len(before.path):
        return ()
    by_this_key = sorted(exits(flow.nodes[before.node or ""]), key=lambda one: one[0] != f"key {pressed}")
    ways = (_onward(flow, facts, target) for _, target in by_this_key)
    return next((way for way in ways if way[-1] == after.path[-1]), after.path[-1:])


def _onward(flow: Flow, facts: Facts, name: str) -> tuple[str, ...]:
    found = [name]
    while (target := automatic(flow.nodes[name], facts)) is not None and target not in found:
        found.append(target)
        name = target
    return tuple(found)
