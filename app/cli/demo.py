"""`hotline demo`: the whole hotline with simulated citizens and agents, in a home of its own; and invented cases."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from app.cli.output import Failure, out, progress, settings
from app.settings import PREFIX, REPO

# The demo neither mixes its people with real ones nor goes home in the evening, unless it is told to.
DEFAULTS = {"HOME": str(REPO / "var-demo"), "OPENS": "00:00", "CLOSES": "23:59"}
MOST_CASES = 5_000_000

app = typer.Typer(help="The hotline with simulated citizens and agents; invented cases.")


@app.callback(invoke_without_command=True)
def command(context: typer.Context) -> int:
    """Run the hotline with simulated citizens who really call and agents who really answer."""
    _at_home()
    if context.invoked_subcommand is not None:
        return 0
    from app.cli.up import one_at_a_time
    from app.demo.run import run

    if not (REPO / "tests/demo").is_dir():
        raise Failure("the simulated city is not here", "run the demo from a checkout of the project")
    chosen = settings()
    with one_at_a_time(chosen):
        return run(chosen)


@app.command("data")
def data(
    cases: Annotated[int, typer.Option("--cases", min=1, max=MOST_CASES, help="How many cases.")] = 10_000,
    seed: Annotated[int, typer.Option("--seed", help="The same seed on the same day gives the same cases.")] = 1,
    force: Annotated[bool, typer.Option("--force", help="Also where cases are that nobody invented.")] = False,
) -> None:
    """Invent cases of three years with citizens, units' work, clocks, replies and call-backs; nothing is overwritten.

    It writes into the demo's own home unless HOTLINE_HOME or HOTLINE_DATABASE_URL say where.
    """
    from app.cli.database import open_database
    from app.clock import utc_now
    from app.demo.cases.fill import fill, real_cases

    chosen = settings()
    database = open_database(chosen)
    with database.read() as session:
        real = real_cases(session)
    if real and not force:
        raise Failure(
            f"the database holds {real} or more cases that nobody invented",
            "choose another one (HOTLINE_HOME, HOTLINE_DATABASE_URL), or say --force",
        )
    with progress("cases") as advance:
        made = fill(database, chosen, cases, seed=seed, now=utc_now(), progress=advance)
    out().print(f"{made:,} cases invented")


def _at_home() -> None:
    for name, value in DEFAULTS.items():
        os.environ.setdefault(PREFIX + name, value)
