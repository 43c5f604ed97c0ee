"""`hotline letters`: the templates of documents."""

from __future__ import annotations

import typer

from app.cli.output import out, settings

app = typer.Typer(help="Orders to units and letters to citizens.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Orders to units and letters to citizens."""


@app.command("check")
def check() -> int:
    """Check the templates in use: unknown fields, blocks that are none, and on which line."""
    from app.letters import shelf

    console, broken = out(), 0
    for one in shelf.check(settings()):
        console.print(f"{one.name}: {'自定义 own' if one.own else '内置 shipped'}, {one.path}", markup=False)
        for fault in one.faults:
            console.print(f"  {one.path.name}:{fault.line}: {fault.told}", markup=False)
        broken += len(one.faults)
    console.print("模板可用 (all templates are in order)" if not broken else f"{broken} 处有误 ({broken} faults)")
    return 1 if broken else 0
