"""`hotline stop` and `hotline status`: the supervisor of this home, from another terminal."""

from __future__ import annotations

import json
import time
from typing import Annotated

import typer

from app.cli.output import Failure, err, out, settings


def command() -> None:
    """Stop the hotline that runs from this home, calls included."""
    from app.supervisor.single import end_leftovers, running_supervisor, stop_supervisor

    run = settings().paths.run
    found = running_supervisor(run)
    if found is None:
        ended = end_leftovers(run)
        err().print(f"ended what a killed hotline left: {', '.join(ended)}" if ended else "no hotline is running here")
        return
    err().print(f"stopping the hotline (process {found.pid}) …")
    if not stop_supervisor(run):
        raise Failure(f"process {found.pid} has not stopped after 40 s", f"see what it does, or: kill -9 {found.pid}")
    err().print("stopped")


def status_command(
    as_json: Annotated[bool, typer.Option("--json", help="Print status.json as it is.")] = False,
) -> int:
    """Show the supervised processes. Exit status 0 if all run, 1 if not."""
    from rich.table import Table

    from app.supervisor import single

    run = settings().paths.run
    supervisor = single.running_supervisor(run)
    running = supervisor is not None
    known = single.status(run) if running else {}
    if supervisor is not None and known.get("supervisor") != supervisor.pid:
        known = {}  # left by an earlier one; this one is still preparing
    processes = known.get("processes", {})
    fine = bool(processes) and all(item.get("state") == "running" for item in processes.values())
    if as_json:
        print(json.dumps({"running": running, "ok": fine, **known}, ensure_ascii=False, indent=1))
        return 0 if fine else 1
    if supervisor is None:
        err().print("no hotline is running here; start one with: make run")
        return 1
    if not processes:
        err().print(f"the hotline is starting (process {supervisor.pid})")
        return 1
    table = Table("process", "state", "pid", "for", "restarts", "last ended because", "spare")
    for name, item in processes.items():
        since = time.time() - item["started_at"] if item.get("started_at") else 0
        told = [item.get(key) for key in ("restarts", "last_reason", "spare")]
        values = (item.get("state"), item.get("pid"), f"{since:.0f} s", *told)
        table.add_row(name, *("" if value is None else str(value) for value in values))
    out().print(table)
    return 0 if fine else 1
