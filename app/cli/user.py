"""`hotline user`: people who sign in."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.output import out, settings

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
    from app.cli.people import add_user

    user = add_user(settings(), name=name, roles=role, display_name=display or name, password=password or None)
    out().print(f"name:     {user.name}")
    if user.one_time_password:
        out().print(f"password: {user.one_time_password}   (once; a new one is asked for at the first sign-in)")
