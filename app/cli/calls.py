"""`hotline calls`: the last calls, and why one of them was served as it was."""

from __future__ import annotations

import dataclasses
import json
from typing import Annotated

import typer

from app.cli import explain
from app.cli.output import err, out, settings

app = typer.Typer(help="Calls.", invoke_without_command=True)


@app.callback(invoke_without_command=True)
def recent(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many.")] = 20,
    number: Annotated[str, typer.Option(help="Only calls from this number.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Show the last calls; `hotline calls explain ID` tells why one was served as it was."""
    if context.invoked_subcommand:
        return
    from rich.table import Table

    from app.actor import SYSTEM
    from app.calls.service import facts_of, list_calls
    from app.cli.database import open_database
    from app.paging import Leaf

    chosen = settings()
    with open_database(chosen).read() as session:
        page = list_calls(session, SYSTEM, chosen.zone, number=number, leaf=Leaf(page_size=limit))
        rows = [facts_of(call) for call in page.items]
    if as_json:
        for row in rows:
            plain = {**dataclasses.asdict(row), "waited_s": row.waited_s, "talk_s": row.talk_s}
            print(json.dumps(plain, ensure_ascii=False, default=str))
        return
    if not rows:
        err().print("no calls yet")
        return
    table = Table("started", "number", "language", "outcome", "waited", "talked", "agent", "call")
    for row in rows:
        started = row.started_at.astimezone(chosen.zone).strftime("%m-%d %H:%M:%S") if row.started_at else ""
        waited, talked = ("" if seconds is None else f"{seconds} s" for seconds in (row.waited_s, row.talk_s))
        cells = (row.number or "withheld", row.language, row.outcome, waited, talked, row.agent_id)
        table.add_row(started, *(str(cell or "") for cell in cells), row.call_id)
    out().print(table)


app.command("explain")(explain.command)
