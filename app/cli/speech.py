"""`hotline speech`: are the models good, and what is still to be written down?"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from app.cli.output import Failure, logs_aside, out, settings

app = typer.Typer(help="Speech recognition.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Speech recognition."""


@app.command("doctor")
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")] = False,
) -> int:
    """Load every model and let it hear a sentence. Exit status 0: all well, 1: warnings, 2: something is broken."""
    from app.cli.doctor import tell
    from app.doctor import speech

    made = settings()
    if not made.speech_folders:
        return tell(speech.speech(made), as_json)
    with logs_aside():
        return tell((finding for part in (speech.heard(made), speech.queue(made)) for finding in part), as_json)


@app.command("again")
def again() -> None:
    """Try once more what was given up, and what had no model then."""
    from app.cli.database import open_database
    from app.clock import utc_now
    from app.speech.jobs import again as retry

    count = retry(open_database(settings()), utc_now())
    out().print(f"{count} are tried again")


@app.command("catch-up")
def catch_up(
    days: Annotated[int, typer.Option(min=1, max=3650, help="How far back.")] = 30,
) -> None:
    """Have earlier recordings and voicemails written down that nobody has written down yet."""
    from app.cli.database import open_database
    from app.clock import utc_now
    from app.speech.catching_up import catch_up as note

    made = settings()
    if not made.speech_folders:
        raise Failure("no speech model is set", "name its folder in speech_models; see app/settings.py", 2)
    now = utc_now()
    count = note(open_database(made), made, now - timedelta(days=days), now)
    out().print(f"{count} recordings and voicemails will be written down")
