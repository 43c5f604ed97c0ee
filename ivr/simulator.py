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
from .interpreter import Ask, Facts, Fetch, Fetched, Finish, Input, Keys, Say, State, begin, step
from .marked_yaml import DataFileError
from .model import Subject

HELP = "keys: 0-9 * #   Enter: say nothing   h: hang up   a number may be typed whole"
ANNOUNCEMENT = "(the announcements of this moment)"


def run(
    flow_path: Path | str = flow_module.SHIPPED,
    lang: str | None = None,
    *,
    open_now: bool = True,
    elderly: bool = False,
    ask: Callable[[str], str] | None = None,
    console: Console | None = None,
) -> int:
    """Plays one call. 0: the caller was handed on or hung up; 2: the flow can't be read.

    `lang` is the language that the citizen is known to speak. `ask` reads one answer; standard input by default.
    """
    console = console or Console()
    ask = ask or console.input
    try:
        flow = flow_module.load(Path(flow_path))
        words = catalogue_module.load()
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
                if "h" in typed:
                    console.print("the caller hung up")
                    return 0
                ahead = "".join(character for character in typed if character in "0123456789*#")
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
    """Answers a lookup as a service would: an announcement, and a case for every number that does not end in 0."""
    if fetch.of is Subject.ANNOUNCEMENTS:
        return Fetched("some", (ANNOUNCEMENT,))
    number = fetch.arguments.get("case_number", "")
    if number.endswith("0"):
        return Fetched("not_found")
    yesterday = datetime.now(ZoneInfo("Asia/Shanghai")) - timedelta(days=1)
    return Fetched("found", spoken.progress(number, "handling", yesterday, fetch.language))


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
