"""`hotline prompts build`: every sentence the callers hear, made once and kept."""

from __future__ import annotations

import typer

from app.cli.output import Failure, err, out, progress, settings

app = typer.Typer(help="The spoken prompts.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """The spoken prompts."""


@app.command("build")
def build() -> None:
    """Make every missing or changed prompt in all languages; studio recordings take precedence."""
    from app.prompting import build_all
    from ivr.speaker import SpeechError

    with progress("speaking the prompts") as advance:
        try:
            made = build_all(settings(), advance)
        except SpeechError as error:
            raise Failure(f"prompts can't be spoken: {error}", "make setup, then the same command again") from error
    for fault in made.faults:
        err().print(f"[red]{fault}[/red]" if fault.fatal else f"[yellow]{fault}[/yellow]")
    counts = f"{made.made} made, {made.kept} kept, {made.studio} from the studio"
    out().print(f"{made.total} prompts: {counts} ({made.seconds:.1f} s)")
    if not made.ok:
        raise Failure("some prompts have no sound (see above)", "correct the catalogue or put a studio recording there")
