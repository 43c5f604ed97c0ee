"""A simulated day as one HTML file that needs nothing else: the plot and, below it, every number in a table."""

from __future__ import annotations

from html import escape

from acd.report.formulas import BY_KEY, name
from acd.report.table import shown
from acd.report.tally import Rules
from acd.simulate.play import Outcome
from acd.simulate.scenario import Scenario
from app.simulation.drawing import Picture, to_svg

# What a roster is judged by, in the order in which people ask.
COLUMNS = ("offered", "answered", "connect_rate", "answered_in_target", "speed_of_answer", "longest_wait", "occupancy")

_STYLE = """
body{font-family:system-ui,"Noto Sans CJK SC","Microsoft YaHei","WenQuanYi Micro Hei",sans-serif;color:#1f2937;
max-width:1240px;margin:24px auto;padding:0 16px;line-height:1.5}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;margin:12px 0}
th,td{padding:4px 12px;text-align:right;border-bottom:1px solid #e5e7eb}
th:first-child,td:first-child{text-align:left}
caption{text-align:left;font-weight:600;padding:8px 0}
dt{font-weight:600}
"""
_WORDS = {
    "slot": ("时段", "half-hour"),
    "agents": ("坐席", "agents"),
    "day": ("全天", "the day"),
    "today": ("现行排班", "roster today"),
    "found": ("所求排班", "roster found"),
    "formulas": ("公式", "Formulas"),
}


def page(picture: Picture, scenario: Scenario, today: Outcome, found: Outcome | None, lang: str = "zh") -> str:
    """The whole file."""
    at = int(lang.startswith("en"))
    tables = [_table(scenario, today, "today", lang)]
    if found is not None:
        tables.append(_table(scenario, found, "found", lang))
    rules = Rules(target_s=scenario.target.within_s)
    formulas = "".join(
        f"<dt>{escape(name(BY_KEY[key], rules, lang))}</dt><dd>{escape(BY_KEY[key].formula(rules, lang))}</dd>"
        for key in COLUMNS
    )
    return (
        f'<!doctype html>\n<html lang="{"en" if at else "zh-CN"}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{escape(picture.title)}</title>'
        f"<style>{_STYLE}</style></head><body>\n{to_svg(picture)}\n{''.join(tables)}"
        f"<h2>{_WORDS['formulas'][at]}</h2><dl>{formulas}</dl></body></html>\n"
    )


def _table(scenario: Scenario, outcome: Outcome, title: str, lang: str) -> str:
    at, rules = int(lang.startswith("en")), Rules(target_s=scenario.target.within_s)
    heads = [_WORDS["slot"][at], _WORDS["agents"][at], *(name(BY_KEY[key], rules, lang) for key in COLUMNS)]
    rows = [
        [scenario.slot_name(slot), str(agents), *(shown(BY_KEY[key], tally, outcome.days) for key in COLUMNS)]
        for slot, (agents, tally) in enumerate(zip(outcome.roster, outcome.slots, strict=True))
    ]
    rows.append([_WORDS["day"][at], "", *(shown(BY_KEY[key], outcome.whole, outcome.days) for key in COLUMNS)])
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    head = "".join(f"<th>{escape(text)}</th>" for text in heads)
    return f"<table><caption>{_WORDS[title][at]}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
