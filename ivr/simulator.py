"""Walks a voice menu in the terminal, without a telephone: what would be said is printed, keys are typed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from . import catalogue as catalogue_module
from . import flow as flow_module
from .commands import commands_at
from .interpreter import Facts, Finish, State
from .marked_yaml import DataFileError
from .rehearsal import play, spoken_text

HELP = "keys: 0-9 * #   Enter: say nothing   h: hang up   numbers, and words instead of a key, may be typed whole"


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
    call = play(flow, Facts(open_now, elderly, lang))
    typed: str | None = None
    while True:
        try:
            moment = call.send(typed)
        except StopIteration:  # more steps than any caller takes
            return 0
        typed = None
        _speak(console, words, moment.said, moment.language)
        _note(console, moment.state)
        if moment.finish is not None:
            _show_outcome(console, moment.finish)
            return 0
        if moment.asks:
            try:
                typed = ask(f"[bold cyan]{moment.node}[/bold cyan] > ").strip().lower()
            except (EOFError, KeyboardInterrupt):
                typed = "h"
            said = commands_at(flow, flow.nodes[moment.node], moment.language).meant(typed.split())
            if "h" in typed and not said:
                console.print("the caller hung up")
                return 0


def _speak(console: Console, words: catalogue_module.Catalogue, prompts: Iterable[str], language: str) -> None:
    text = spoken_text(words, prompts, language)
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
