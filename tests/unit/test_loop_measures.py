"""The measures of the loop, against figures that were published."""

from __future__ import annotations

from dataclasses import fields

import pytest

from app.measures.loop import PARTS, Counts, Measure, rates, together


@pytest.mark.parametrize(
    ("measure", "counts", "percent"),
    [
        (Measure.closed, Counts(closed=15_041, kept=15_721), 95.67),
        (Measure.closed_in_time, Counts(in_time=5_901, judged=15_442), 38.21),
        (Measure.followed_up, Counts(asked=919, accepted=1_000), 91.9),
        (Measure.solved, Counts(solved=15_721, told_solved=15_721), 100.0),
    ],
)
def test_published_figures_come_out(measure: Measure, counts: Counts, percent: float):
    rate = rates(counts)[measure]
    assert rate.value is not None
    assert round(rate.value * 100, 2) == percent


def test_where_nothing_was_counted_there_is_no_rate_and_no_nought():
    assert all(rate.value is None for rate in rates(Counts()).values())


def test_every_measure_is_made_of_two_counts_and_no_count_is_idle():
    assert set(PARTS) == set(Measure)
    used = {part for parts in PARTS.values() for part in parts}
    assert used == {one.name for one in fields(Counts)}


def test_many_units_together_are_the_rate_of_the_sum_not_the_mean_of_rates():
    small, large = Counts(closed=1, kept=1), Counts(closed=10, kept=99)
    rate = rates(together([small, large]))[Measure.closed]
    assert (rate.numerator, rate.denominator) == (11, 100)
