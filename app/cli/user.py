"""`hotline user`: people who sign in."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.output import Failure, out, settings

app = typer.Typer(help="People who sign in.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """People who sign in."""


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="The name to sign in with.")],
    role: Annotated[list[str], typer.Option("--role", help="A role; may be given several times.")],
    display: Annotated[str, typer.Option(help="The name that others see.")] = "",
    password: Annotated[
        str, typer.Option(envvar="HOTLINE_NEW_PASSWORD", help="A password of your own; by default a one-time one.")
    ] = "",
) -> None:
    """Add a person; prints a one-time password that must be changed at the first sign-in."""
    from app.auth.model import Role
    from app.auth.users import create_user
    from app.cli.database import open_database

    unknown = [given for given in role if given not in set(Role)]
    if unknown:
        raise Failure(f"no such role: {', '.join(unknown)}", f"choose among {', '.join(Role)}", 2)
    user, one_time = create_user(
        open_database(settings()),
        name,
        display_name=display,
        roles=[Role(given) for given in role],
        password=password or None,
    )
    out().print(f"name:     {user.name}")
    if one_time:
        out().print(f"password: {one_time}   (once; a new one is asked for at the first sign-in)")
