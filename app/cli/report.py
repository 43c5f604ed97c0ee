"""`hotline acd report`: every figure of a day, from the queue engine's journal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.output import Failure, err, out, settings

if TYPE_CHECKING:
    from acd.report.facts import Facts
    from acd.report.groups import By
    from acd.report.tally import Rules, Tally
    from app.cli.journal_day import JournalDay

_HOUR_MS = 3_600_000
_GROUPED = (
    "offered",
    "connect_rate",
    "answered_in_target",
    "abandon_rate",
    "speed_of_answer",
    "handle_time",
    "occupancy",
)
_HEADS = {"half-hour": "时段", "queue": "队列", "skill": "技能", "agent": "工号"}


def command(
    day: Annotated[str, typer.Argument(help="2026-11-25, today or yesterday.")],
    by: Annotated[str, typer.Option(help="half-hour, queue, skill or agent.")] = "",
    target: Annotated[int, typer.Option(min=1, max=600, help="Seconds in which a call should be answered.")] = 15,
    short: Annotated[int, typer.Option(min=0, max=60, help="Abandons before so many seconds are short.")] = 5,
    lang: Annotated[str, typer.Option(help="zh or en.")] = "zh",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object with every figure and formula.")] = False,
) -> int:
    """Show a day's figures, each with what it is made of and its formula; with --by, the chief ones by group.

    Exit status 0: done, 1: there is no journal of that day, 2: wrong use.
    """
    from acd.report.facts import within
    from acd.report.groups import By, grouped
    from acd.report.tally import Rules, tally
    from app.cli.journal_day import journal_day

    if by and by not in list(By):
        raise Failure(f"{by} is no grouping", f"one of {', '.join(By)}", 2)
    asked = journal_day(day, settings())
    facts = within(_facts(asked), asked.since_ms, asked.until_ms)
    callers, rules = _callers(asked), Rules(target_s=target, short_s=short)
    whole = tally(facts.calls, facts.spans, facts.until_ms, rules, callers)
    groups = grouped(facts, By(by), rules, callers) if by else {}
    if as_json:
        print(json.dumps(_as_json(asked, rules, whole, groups), ensure_ascii=False, indent=1))
    elif by:
        _show_groups(By(by), groups, whole, rules, lang)
    else:
        _show(asked, whole, rules, lang)
    return 0


def _facts(day: JournalDay) -> Facts:
    """With the day before: it says what agents were doing at midnight."""
    from acd.report.facts import collect
    from cti_bridge.journal_file import whole_lines

    unreadable: list[str] = []
    lines = (line for file in day.files(24 * _HOUR_MS) for _, line in whole_lines(file))
    facts = collect(lines, unreadable.append)
    if unreadable:
        err().print(f"{len(unreadable)} lines of the journal cannot be read and are left out ({unreadable[0]})")
    return facts


def _callers(day: JournalDay) -> Mapping[str, str]:
    from datetime import UTC, datetime

    from app.cli.database import open_database
    from app.measures.service import caller_keys

    # A caller may have been in the menu for a while before they joined the queue.
    since, until = (datetime.fromtimestamp(at / 1000, UTC) for at in (day.since_ms - _HOUR_MS, day.until_ms))
    with open_database(settings()).read() as session:
        return caller_keys(session, since, until)


def _as_json(day: JournalDay, rules: Rules, whole: Tally, groups: Mapping[str, Tally]) -> dict[str, Any]:
    from dataclasses import asdict

    from acd.report.table import figures_json, formulas_json

    return {
        "day": str(day.day),
        "rules": asdict(rules),
        "formulas": formulas_json(rules),
        "whole": figures_json(whole),
        "groups": {name: figures_json(tally) for name, tally in groups.items()},
    }


def _show(day: JournalDay, whole: Tally, rules: Rules, lang: str) -> None:
    from rich.table import Table

    from acd.report.formulas import MEASURES, Kind, name
    from acd.report.table import shown

    english = lang.startswith("en")
    heads = ("measure", "value", "made of", "formula") if english else ("指标", "数值", "分子/分母", "公式")
    table = Table(*heads, title=str(day.day))
    for measure in MEASURES:
        figure = measure.figure(whole)
        made_of = "" if measure.kind is Kind.COUNT else f"{figure.numerator:,.10g}/{figure.denominator:,.10g}"
        table.add_row(name(measure, rules, lang), shown(measure, whole), made_of, measure.formula(rules, lang))
    out().print(table)


def _show_groups(by: By, groups: Mapping[str, Tally], whole: Tally, rules: Rules, lang: str) -> None:
    from acd.report.formulas import BY_KEY, name
    from acd.report.table import shown
    from app.cli.tables import narrow

    english = lang.startswith("en")
    head = by.value if english else _HEADS[by.value]
    table = narrow("", [head, *(name(BY_KEY[key], rules, lang) for key in _GROUPED)])
    nobody = "nobody" if english else "无人"
    for group, tally in groups.items():
        table.add_row(
            group or ("–" if by.value != "agent" else nobody), *(shown(BY_KEY[key], tally) for key in _GROUPED)
        )
    table.add_section()
    table.add_row("all" if english else "合计", *(shown(BY_KEY[key], whole) for key in _GROUPED))
    out().print(table)
