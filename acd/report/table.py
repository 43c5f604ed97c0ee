"""Figures as plain values, for JSON: each with what it is made of, and its formula once."""

from __future__ import annotations

from typing import Any

from acd.report.formulas import MEASURES, name
from acd.report.tally import Rules, Tally


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
