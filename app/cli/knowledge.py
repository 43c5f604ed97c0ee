"""`hotline knowledge`: the answers that agents read to callers."""

from __future__ import annotations

import typer

from app.cli.output import out, settings

app = typer.Typer(help="The knowledge base.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """The knowledge base."""


@app.command("import-starter")
def import_starter() -> None:
    """Publish the answers that come with the hotline, those with a new title; safe to repeat."""
    from app.cli.database import open_database
    from app.knowledge.starter import load

    chosen = settings()
    with open_database(chosen).session() as session:
        count = load(session, chosen.zone)
    out().print(f"{count} articles published; each unit replaces the invented figures by its own")


@app.command("import-templates")
def import_templates() -> None:
    """Add the reply templates that come with the hotline, those with a new name; safe to repeat."""
    from app.cli.database import open_database
    from app.reply_templates.starter import load

    with open_database(settings()).session() as session:
        count = load(session)
    out().print(f"{count} reply templates added; each unit writes its own beside them")
