"""`hotline serve`: one backend process, in the foreground, with the roles it is given."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.output import Failure, settings


def command(
    roles: Annotated[str, typer.Option(help="What to do, separated by commas.")] = "voice,realtime,web,worker",
) -> None:
    """Run backend roles in this process (`up` does this for you, under supervision)."""
    from app.compose import serve

    chosen = [role.strip() for role in roles.split(",") if role.strip()]
    if not chosen:
        raise Failure("no role was given", "name some of voice, realtime, web, worker", 2)
    try:
        serve(settings(), chosen)
    except ValueError as error:
        raise Failure(str(error), status=2) from error
