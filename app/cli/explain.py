"""`hotline acd explain`: why a caller waited and who was passed over, from the queue engine's journal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from app.cli.journal_day import PREFIX
from app.cli.output import Failure, out, settings


def command(
    call_id: Annotated[str, typer.Argument(help="The call's id, as `hotline calls` shows it.")],
    lang: Annotated[str, typer.Option(help="zh or en.")] = "zh",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> int:
    """Tell every decision about a call and its reason, and why the caller waited.

    Exit status 0: told, 1: the journal does not know the call.
    """
    from acd.explain import explain_call
    from acd.why import why

    files = _files_about(settings().paths.journal, call_id)
    steps = explain_call(_lines(files), call_id, lang)
    if not steps:
        raise Failure(f"the journal says nothing about {call_id}", "see `hotline calls` for the ids of recent calls")
    reasons = why(_lines(files), call_id, lang)
    if as_json:
        print(json.dumps({"call": call_id, "steps": steps, "why": reasons}, ensure_ascii=False, indent=1))
        return 0
    show = out().print
    for line in steps:
        show(line, markup=False)
    if reasons:
        show("")
        show("Why it waited, and who was passed over:" if lang.startswith("en") else "等待原因与被越过的情况：")
        for line in reasons:
            show(f"  {line}", markup=False)
    return 0


def _files_about(folder: Path, call_id: str) -> list[Path]:
    """The days in which the call is spoken of, and the one before: it says which agents were there."""
    from cti_bridge.journal_file import days

    newest_first = days(folder, PREFIX)
    needle = json.dumps(call_id, ensure_ascii=False)
    about = [at for at, file in enumerate(newest_first) if any(needle in line for line in _lines([file]))]
    if not about:
        return []
    return newest_first[about[0] : about[-1] + 2][::-1]


def _lines(files: list[Path]) -> Iterator[str]:
    from cti_bridge.journal_file import whole_lines

    return (line for file in files for _, line in whole_lines(file))
