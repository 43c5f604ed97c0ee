"""Everything that must be in place before the processes start; each step is safe to repeat and to interrupt."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.cli.output import Failure, progress
from app.instance import ports
from app.settings import Settings
from app.tools import RUN_TOOLS, ToolMissing, tool


@dataclass(frozen=True)
class Prepared:
    """What a person has to be told once."""

    admin_name: str
    admin_password: str | None  # None once it has been changed


def prepare(settings: Settings, say: Callable[[str], None]) -> Prepared:
    """Folders, tools, ports, prompts, database, first administrator, Asterisk's configuration.

    Raises Failure with a remedy for whatever stands in the way.
    """
    settings.ensure_dirs()
    _tools(settings)
    if taken := ports.conflicts(settings):
        raise Failure("\n  ".join(["ports are not free:", *taken]), "stop that program, or set the port as shown")
    # Speaking the prompts and setting up the database need nothing of each other.
    spoken = _InBackground(lambda: _prompts(settings))
    admin_name, admin_password, accounts = _database(settings, say)
    spoken.result()
    _configuration(settings, accounts)
    return Prepared(admin_name, admin_password)


def _tools(settings: Settings) -> None:
    for name in RUN_TOOLS:
        try:
            tool(name, settings)
        except ToolMissing as error:
            raise Failure(str(error), "make setup") from error


def _prompts(settings: Settings) -> None:
    from app.prompting import build_all
    from ivr.speaker import SpeechError

    with progress("speaking the prompts") as advance:
        try:
            report = build_all(settings, advance)
        except SpeechError as error:
            raise Failure(f"the prompts can't be spoken: {error}", "make setup, then the same command again") from error
    if not report.ok:
        faults = "\n  ".join(str(fault) for fault in report.faults if fault.fatal)
        raise Failure(f"some prompts have no sound:\n  {faults}", "hotline prompts build")


def _database(settings: Settings, say: Callable[[str], None]) -> tuple[str, str | None, list[Any]]:
    from app.agents.service import phone_accounts
    from app.auth.users import ensure_first_admin
    from app.db import Database, migrate
    from app.errors import HotlineError

    try:
        migrate(settings)
        database = Database(settings.url)
        name, password = ensure_first_admin(database, settings)
        return name, password, list(phone_accounts(database))
    except HotlineError as error:
        raise Failure(f"the database is not usable: {error.message_en}", "see HOTLINE_DATABASE_URL") from error


def _configuration(settings: Settings, accounts: list[Any]) -> None:
    from app.destinations import BadPattern
    from asterisk_conf import instance
    from asterisk_conf.accounts import BadAccount

    try:
        instance.render(settings, accounts)
    except (BadAccount, BadPattern, instance.BadPlace) as error:
        raise Failure(f"Asterisk's configuration can't be written: {error}", "correct what is named there") from error


class _InBackground:
    """Runs a job in a thread; `result()` waits for it and raises what it raised."""

    def __init__(self, job: Callable[[], None]) -> None:
        self._error: BaseException | None = None

        def guarded() -> None:
            try:
                job()
            except BaseException as error:  # handed over to whoever asks for the result
                self._error = error

        self._thread = threading.Thread(target=guarded, daemon=True)
        self._thread.start()

    def result(self) -> None:
        self._thread.join()
        if self._error is not None:
            raise self._error
