"""`hotline ivr`: the voice menu without a telephone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="The voice menu.", no_args_is_help=True)

FlowFile = Annotated[Path | None, typer.Argument(help="A flow file; this hotline's own if none is given.")]


@app.command("try")
def try_flow(
    flow: FlowFile = None,
    lang: Annotated[str | None, typer.Option(help="The language the citizen is known to speak: zh, yue, en.")] = None,
    closed: Annotated[bool, typer.Option("--closed", help="As outside the opening hours.")] = False,
    elderly: Annotated[bool, typer.Option("--elderly", help="As a citizen known to be elderly.")] = False,
) -> int:
    """Walk the menu in the terminal: what would be said is printed, keys are typed."""
    from app.settings import get_settings
    from ivr import catalogue, simulator
    from ivr import flow as flows

    home = get_settings().home
    words = catalogue.of_home(home)
    return simulator.run(flow or flows.path_in(home), lang, open_now=not closed, elderly=elderly, words=words)


@app.command("verify")
def verify(flow: FlowFile = None) -> int:
    """Refuse dead ends, unreachable nodes, missing prompts, and a person more than two keys away."""
    from app.settings import get_settings
    from ivr import catalogue, verifier
    from ivr import flow as flows

    home = get_settings().home
    return verifier.main(flow or flows.path_in(home), catalogue.of_home(home))
