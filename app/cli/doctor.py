"""`hotline doctor`: every part checked, a real test call placed, remedies in words."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.output import out, settings

if TYPE_CHECKING:
    from app.doctor.model import Finding


def command(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")] = False,
    call: Annotated[bool, typer.Option(help="Place a test call into the main number.")] = True,
) -> int:
    """Check every part. Exit status 0: all well, 1: warnings, 2: something is broken."""
    from app.doctor.run import examine

    return tell(examine(settings(), with_call=call), as_json)


def tell(examined: Iterable[Finding], as_json: bool) -> int:
    """Show findings as they come, or all at once as JSON; the exit status."""
    from app.doctor.model import Level

    marks = {Level.ok: "[green]ok[/green]", Level.warning: "[yellow]!![/yellow]", Level.broken: "[red]XX[/red]"}
    console = out()
    findings = []
    for finding in examined:
        findings.append(finding)
        if not as_json:
            console.print(f"{marks[finding.level]}  {finding.check:<14} {finding.text}")
            if finding.remedy:
                console.print(f"{'':<20}→ {finding.remedy}", style="bold")
    worst = max((finding.level for finding in findings), default=Level.ok)
    if as_json:
        print(
            json.dumps(
                {"ok": worst is Level.ok, "level": worst.name, "checks": [item.to_json() for item in findings]},
                ensure_ascii=False,
                indent=1,
            )
        )
    else:
        closing = {Level.ok: "All well.", Level.warning: "It works; see the warnings.", Level.broken: "Broken."}
        console.print(closing[worst])
    return int(worst)
