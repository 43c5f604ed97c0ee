"""`hotline`: one command per job. Heavy parts are imported by the job that needs them, so that `--help` is instant."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer

from app.cli import (
    acd,
    agent,
    calls,
    cases,
    demo,
    doctor,
    ivr,
    knowledge,
    letters,
    prompts,
    serve,
    speech,
    stop,
    transcripts,
    up,
    user,
)
from app.cli.output import report

app = typer.Typer(
    name="hotline",
    help="The 12345 hotline: runs it, checks it, and manages its people.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("up")(up.command)
app.command("stop")(stop.command)
app.command("status")(stop.status_command)
app.command("serve")(serve.command)
app.command("doctor")(doctor.command)
app.add_typer(demo.app, name="demo")
app.add_typer(calls.app, name="calls")
app.add_typer(cases.app, name="cases")
app.add_typer(user.app, name="user")
app.add_typer(agent.app, name="agent")
app.add_typer(prompts.app, name="prompts")
app.add_typer(ivr.app, name="ivr")
app.add_typer(acd.app, name="acd")
app.add_typer(knowledge.app, name="knowledge")
app.add_typer(letters.app, name="letters")
app.add_typer(transcripts.app, name="transcripts")
app.add_typer(speech.app, name="speech")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; returns its exit status (0 fine, 1 failed or stopped, 2 wrong use or settings)."""
    try:
        result = app(args=None if argv is None else list(argv), standalone_mode=False)
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        status = report(error)
        if status is None:
            raise
        return status
    return result if isinstance(result, int) else 0


if __name__ == "__main__":
    sys.exit(main())
