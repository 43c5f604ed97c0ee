"""`hotline acd replay`: would the engine decide the same again?"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.journal_day import PREFIX
from app.cli.output import out, progress, settings

if TYPE_CHECKING:
    from acd.replay import Line, Replay
    from app.cli.journal_day import JournalDay


def command(
    day: Annotated[str, typer.Argument(help="2026-11-25, today or yesterday.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> int:
    """Feed a day's events to a fresh engine and compare its decisions with the journal's, byte for byte.

    Exit status 0: the same, 1: they differ or there is no journal of that day, 3: the journal is damaged.
    """
    from acd.replay import replay
    from app.cli.journal_day import journal_day

    asked = journal_day(day, settings())
    with progress("replaying, bytes") as advance:
        found = replay(_lines(_files(asked), advance), asked.since_ms, asked.until_ms)
    if as_json:
        print(json.dumps({"day": str(asked.day), "same": found.same, **asdict(found)}, ensure_ascii=False, indent=1))
    else:
        _show(found)
    if found.damage is not None:
        return 3
    return 0 if found.same else 1


def _files(day: JournalDay) -> list[Path]:
    """The day's files, and before them as many as it takes to begin with an engine's header."""
    from cti_bridge.journal_file import days

    files = day.files()
    earlier = [file for file in days(day.folder, PREFIX) if file < files[0]]
    while earlier and not _begins_with_header(files[0]):
        files.insert(0, earlier.pop(0))
    return files


def _begins_with_header(file: Path) -> bool:
    from acd.journal import JournalError, decode
    from cti_bridge.journal_file import whole_lines

    for _, line in whole_lines(file):
        try:
            return isinstance(decode(line)[1], tuple)
        except JournalError:
            return False
    return False


def _lines(files: list[Path], advance: Callable[[int, int], None]) -> Iterator[Line]:
    from acd.replay import Line
    from cti_bridge.journal_file import whole_lines

    size, read = sum(file.stat().st_size for file in files), 0
    for file in files:
        for number, text in whole_lines(file):
            read += len(text.encode()) + 1
            if number % 5_000 == 0:
                advance(read, size)
            yield Line(f"{file.name}:{number}", text)


def _show(found: Replay) -> None:
    show = out().print
    show(f"{found.lives} engine starts, {found.events} events, {found.decisions} decisions compared")
    if found.torn or found.unwritten:
        show(f"ends of crashes: {found.torn} torn lines, {found.unwritten} decisions that were not written")
    if found.damage is not None:
        show(f"the journal is damaged at {found.damage.place}: {found.damage.why}", markup=False)
    elif found.difference is not None:
        first = found.difference
        show(f"the decisions differ first at {first.place}, after {first.event}:", markup=False)
        for name, lines in (("written", first.written), ("decided again", first.decided)):
            show(f"  {name}: {lines[first.at] if first.at < len(lines) else '(nothing)'}", markup=False)
    else:
        show("the same decisions, byte for byte")
