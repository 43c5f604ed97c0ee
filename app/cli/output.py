"""How commands speak: results on standard output, everything else on standard error, failures with a remedy."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

    from app.settings import Settings


class Failure(Exception):
    """A command could not do its job. The text says what happened; `remedy` what to do about it."""

    def __init__(self, text: str, remedy: str = "", status: int = 1) -> None:
        super().__init__(text)
        self.remedy = remedy
        self.status = status


def settings() -> Settings:
    """The settings in force. Raises Failure naming each setting that is wrong."""
    from pydantic import ValidationError

    from app.settings import get_settings

    try:
        return get_settings()
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, item['loc'])) or 'settings'}: {item['msg']}" for item in error.errors()]
        raise Failure("the settings are wrong:\n  " + "\n  ".join(lines), "see HOTLINE_* and hotline.toml", 2) from None


def out() -> Console:
    """Where results go."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=True)


def err() -> Console:
    """Where progress, warnings and errors go."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True)


def report(error: Exception) -> int | None:
    """Prints an expected failure and returns its exit status; None for an error that nobody expected."""
    import typer

    if isinstance(error, typer.Exit):
        return error.exit_code
    if isinstance(error, typer.Abort):
        return 130
    if show := getattr(error, "show", None):  # wrong use of a command: typer's own errors print themselves
        show()
        return int(getattr(error, "exit_code", 2))
    if isinstance(error, Failure):
        print(f"hotline: {error}", file=sys.stderr)
        if error.remedy:
            print(f"  Remedy: {error.remedy}", file=sys.stderr)
        return error.status
    if told := _told_elsewhere(error):
        print(f"hotline: {told}", file=sys.stderr)
        return 1
    return None


def _told_elsewhere(error: Exception) -> str:
    """The text of errors that other parts raise for people to read."""
    from app.errors import HotlineError
    from app.supervisor.single import AlreadyRunning
    from app.tools import ToolMissing

    if isinstance(error, HotlineError):
        return error.message_en or str(error)
    if isinstance(error, ToolMissing | AlreadyRunning):
        return str(error)
    return ""


@contextmanager
def logs_aside() -> Iterator[None]:
    """What parts of the house log goes to standard error meanwhile: standard output is the result's."""
    import structlog

    before = structlog.get_config()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    try:
        yield
    finally:
        structlog.configure(**before)


@contextmanager
def progress(title: str) -> Iterator[Any]:
    """A progress bar on standard error; yields `advance(done, total, what)`. Plain lines where there is no terminal."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = err()
    if not console.is_terminal:
        shown = -1

        def plain(done: int, total: int, what: str = "") -> None:
            nonlocal shown
            tenth = done * 10 // max(total, 1)
            if tenth > shown and total > 1:
                shown = tenth
                console.print(f"{title}: {done} of {total}")

        yield plain
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(title, total=None)

        def advance(done: int, total: int, what: str = "") -> None:
            bar.update(task, completed=done, total=total)

        yield advance
