"""Figures as people and programs read them: text for a cell, plain values for JSON."""

from __future__ import annotations

from typing import Any

from acd.report.formulas import MEASURES, Kind, Measure, name
from acd.report.tally import Rules, Tally


def shown(measure: Measure, tally: Tally, days: int = 1) -> str:
    """The value for a cell. Counts are those of one of `days` days; a dash stands for nothing to divide by."""
    value = measure.figure(tally).value
    if value is None:
        return "–"
    match measure.kind:
        case Kind.SHARE:
            return f"{value:.1%}"
        case Kind.SECONDS:
            return f"{value:,.1f}"
        case _:
            return f"{value / days:,.0f}" if days == 1 or value >= 10 * days else f"{value / days:.1f}"


def figures_json(tally: Tally) -> dict[str, Any]:
    """Value, numerator and denominator of each measure, by its key. An unknown denominator is null."""
    figures = {measure.key: measure.figure(tally) for measure in MEASURES}
    return {
        key: {"value": figure.value, "num": figure.numerator, "den": figure.denominator}
        for key, figure in figures.items()
    }


def formulas_json(rules: Rules) -> dict[str, dict[str, str]]:
    """Name and formula of each measure in both languages, by its key."""
    return {
        measure.key: {
            "unit": measure.kind.value,
            "zh": name(measure, rules, "zh"),
            "en": name(measure, rules, "en"),
            "formula_zh": measure.formula(rules, "zh"),
            "formula_en": measure.formula(rules, "en"),
        }
        for measure in MEASURES
    }
