"""`hotline transcripts`: what was said in recordings, from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.cli.output import Failure, out, settings

app = typer.Typer(help="What was said in recordings.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """What was said in recordings."""


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="JSON as PUT /api/recordings/{id}/transcript takes it.", exists=True)],
    call: Annotated[str, typer.Option(help="The call's id.")],
    segment: Annotated[int, typer.Option(help="Which of its recordings.")] = 1,
) -> None:
    """Keep what was said in one recording, instead of what is kept of it."""
    from pydantic import ValidationError

    from app.actor import SYSTEM
    from app.cli.database import open_database
    from recordings import transcripts
    from recordings.talk_routes import TranscriptIn

    try:
        told = TranscriptIn.model_validate_json(file.read_bytes())
    except ValidationError as error:
        places = ", ".join(sorted({".".join(map(str, item["loc"])) or "the file" for item in error.errors()})[:5])
        raise Failure(f"{file} is no transcript: {places}", "see PUT /api/recordings/{id}/transcript") from None
    with open_database(settings()).session() as session:
        recording = transcripts.recording_named(session, call, segment)
        lines = [line.line() for line in told.lines]
        count = transcripts.put(session, SYSTEM, recording, told.source, lines)
    out().print(f"{count} lines kept of recording {recording}")


@app.command("phrases")
def phrases(
    days: Annotated[int, typer.Option(min=1, max=3650, help="How far back.")] = 31,
) -> None:
    """Look for phrases in the transcripts of these days anew, by the list of today."""
    from app.cli.database import open_database
    from app.phrases.service import look_through_since

    count = look_through_since(open_database(settings()), days)
    out().print(f"{count} talks were looked through")
