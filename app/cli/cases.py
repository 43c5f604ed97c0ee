"""`hotline cases`: the table of states as a document."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Cases: the table of their states.", no_args_is_help=True)


@app.command("states")
def states(
    to: Annotated[Path | None, typer.Option("--to", help="Write it into this file instead of printing it.")] = None,
) -> None:
    """Who may do what to a case or an assignment in which state, as Markdown with pictures."""
    from app.cases.states_doc import document

    if to is None:
        typer.echo(document())
    else:
        to.write_text(document(), encoding="utf-8")
