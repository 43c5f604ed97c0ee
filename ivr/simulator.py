"""Walks a voice menu in the terminal, without a telephone: what would be said is printed, keys are typed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from . import catalogue as catalogue_module
from . import flow as flow_module
from . import spoken
from .commands import commands_at
from .interpreter import Ask, Facts, Fetch, Fetched, Finish, Input, Keys, Say, State, begin, step
from .marked_yaml import DataFileError
from .model import BRINGS, OUTCOMES, Subject

HELP = "keys: 0-9 * #   Enter: say nothing   h: hang up   numbers, and words instead of a key, may be typed whole"
ANNOUNCEMENT = "(the announcements of this moment)"
PARTS = 2


def run(
    flow_path: Path | str = flow_module.SHIPPED,
    lang: str | None = None,
    *,
    open_now: bool = True,
    elderly: bool = False,
    ask: Callable[[str], str] | None = None,
    console: Console | None = None,
    words: catalogue_module.Catalogue | None = None,
) -> int:
    """Plays one call. 0: the caller was handed on or hung up; 2: the flow can't be read.

    `lang` is the language that the citizen is known to speak. `ask` reads one answer; standard input by default.
    """
    console = console or Console()
    ask = ask or console.input
    try:
        flow = flow_module.load(Path(flow_path))
        words = words or catalogue_module.shipped()
    except (DataFileError, OSError) as error:
        console.print(f"[red]{error}[/red]")
        return 2
    console.print(
        Panel(HELP, title=f"{flow.name} · {'open' if open_now else 'closed'}{' · elderly' if elderly else ''}")
    )
    state, actions = begin(flow, Facts(open_now, elderly, lang))
    ahead = ""
    while True:
        for action in actions[:-1]:
            if isinstance(action, Say):
                _speak(console, words, action.prompts, action.language)
        last = actions[-1]
        if isinstance(last, Finish):
            _show_outcome(console, last)
            return 0
        given: Input
        if isinstance(last, Fetch):
            _speak(console, words, last.prompts, last.language)
            given = _pretend(last)
        elif isinstance(last, Ask):
            if not ahead:
                _speak(console, words, last.prompts, last.language)
                try:
                    typed = ask(f"[bold cyan]{state.node}[/bold cyan] > ").strip().lower()
                except (EOFError, KeyboardInterrupt):
                    typed = "h"
                said = commands_at(flow, flow.nodes[state.node or flow.start], state.language).meant(typed.split())
                if "h" in typed and not said:
                    console.print("the caller hung up")
                    return 0
                ahead = said or "".join(character for character in typed if character in "0123456789*#")
            given, ahead = _take(ahead, last.most)
        else:
            raise AssertionError(f"{last} can't be the last action")
        state, actions = step(flow, state, given)
        _note(console, state)


def _take(ahead: str, most: int) -> tuple[Keys, str]:
    """What one question takes of the keys typed ahead, and the rest."""
    if most == 1:
        return Keys(ahead[:1]), ahead[1:]
    number, ended, rest = ahead.partition("#")
    if len(number) > most:
        return Keys(number[:most]), number[most:] + ended + rest
    return Keys(number, ended=bool(ended)), rest


def _pretend(fetch: Fetch) -> Fetched:
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
            step = {"next": 1, "back": -1}.get(given("move", ""), 0)
            part = min(max(int(given("part", "1")) + step, 1), PARTS)
            remember = (("part", str(part)), ("move", ""))
            return Fetched("last" if part == PARTS else "part", (f"(part {part})",), remember)
        case Subject.TOPIC_ANSWERS:
            return Fetched("some", ("(a title)", "press_1"), (("choices", "101"), ("from", "0")))
        case Subject.UNIT:
            outcome = "closed" if given("unit_code", "").endswith("0") else "open"
            return Fetched(outcome, (f"unit_{outcome}_is",), (("unit_number", "55500001"),))
    brought = dict.fromkeys(BRINGS.get(fetch.of, ()), "1")
    return Fetched(OUTCOMES[fetch.of][0], (f"({fetch.of})",), tuple(brought.items()))


def _speak(console: Console, words: catalogue_module.Catalogue, prompts: Iterable[str], language: str) -> None:
    text = " ".join(recipe.text if (recipe := words.find(language, prompt)) else prompt for prompt in prompts)
    if text:
        console.print(f"[green]{language}[/green]  {text}")


def _note(console: Console, state: State) -> None:
    if state.priority or state.skills or state.warn:
        console.print(f"[dim]priority {state.priority}, skills {dict(state.skills)}, warn {state.warn}[/dim]")


def _show_outcome(console: Console, finish: Finish) -> None:
    table = Table(title=f"handed on to: {finish.next}", show_header=False)
    for name, value in finish.variables.items():
        table.add_row(name, value)
    console.print(table)
