"""What is stored: the database with its migrations, the prompts, the templates of documents."""

from __future__ import annotations

from collections.abc import Iterator

from app.doctor.model import Finding, broken, ok, warning
from app.settings import Settings


def database(settings: Settings) -> Iterator[Finding]:
    """The database answers and has the newest structure."""
    from app.db import Database
    from app.errors import HotlineError
    from app.migrations.newest import newest
    from app.migrations.run import current

    if not settings.database_url and not (settings.home / "hotline.sqlite3").exists():
        yield warning("database", "not made yet", "make run makes it")
        return
    try:
        Database(settings.url).check()
        found, wanted = current(settings.url), newest()
    except HotlineError as error:
        yield broken("database", f"does not answer: {error.message_en}", "see HOTLINE_DATABASE_URL and its server")
        return
    except ValueError as error:
        yield broken("database", str(error), "correct HOTLINE_DATABASE_URL")
        return
    if found != wanted:
        text = f"its structure is {found or 'empty'}, this version needs {wanted}"
        yield broken("database", text, "stop and start the hotline: make run")
    else:
        yield ok("database", f"{settings.url.split(':', 1)[0]} answers, structure is the newest")


def prompts(settings: Settings) -> Iterator[Finding]:
    """Every prompt has a file in every language."""
    from ivr.prompts import missing_files

    missing = list(missing_files(settings.home))
    if missing:
        shown = ", ".join(missing[:4]) + (" …" if len(missing) > 4 else "")
        yield broken("prompts", f"{len(missing)} without sound: {shown}", ".venv/bin/hotline prompts build")
    else:
        yield ok("prompts", "complete in every language")


def menu(settings: Settings) -> Iterator[Finding]:
    """The voice menu passes its verifier."""
    from ivr import catalogue, flow, verifier
    from ivr.marked_yaml import DataFileError

    try:
        found = verifier.verify(flow.load(flow.path_in(settings.home)), catalogue.of_home(settings.home))
    except (DataFileError, OSError) as error:
        yield broken("menu", f"can't be read: {str(error)[:200]}", "correct it, then .venv/bin/hotline ivr verify")
        return
    if found:
        yield broken("menu", f"{len(found)} faults, the first: {found[0]}", ".venv/bin/hotline ivr verify")
    else:
        yield ok("menu", "no dead end; a person is never more than two keys away")


def documents(settings: Settings) -> Iterator[Finding]:
    """Orders and letters can be written: their templates have no fault, their fonts are there."""
    from app import tools
    from app.letters import shelf

    faulty = [f"{one.name}:{fault.line}" for one in shelf.check(settings) for fault in one.faults]
    try:
        tools.fonts(settings)
    except tools.ToolMissing as error:
        yield broken("documents", str(error), "make setup")
        return
    if faulty:
        yield broken("documents", f"faults in {', '.join(faulty[:4])}", ".venv/bin/hotline letters check")
    else:
        yield ok("documents", "templates without fault, Chinese fonts")
