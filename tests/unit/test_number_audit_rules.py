"""Number audits: 篇4's table from grades, when numbers are called, how a round and its attempts move."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.destinations import Destinations
from app.errors import Refused
from app.number_audits.grading import Marked, by_area, form_faults, overall, proposed, worth
from app.number_audits.model import (
    ATTEMPT_STEPS,
    OPEN,
    ROUND_STEPS,
    AttemptEvent,
    AttemptState,
    Mode,
    Result,
    RoundState,
    RoundStep,
    enough,
    next_attempt_state,
    next_round_state,
    result_of,
)
from app.number_audits.planning import APART, CUSHION, Hours, may_call, planned, working_days
from app.quality.criteria import Grade
from app.workdays.model import WorkCalendar, WorkDayKind
from recordings.dialled import Outcome
from tests.audit_kit.published import AREAS, OVERALL, forms, scores_of

CITY = ZoneInfo("Asia/Shanghai")
FREE = WorkCalendar({date(2026, 10, 1): WorkDayKind.holiday, date(2026, 10, 10): WorkDayKind.makeup})


def marked() -> list[Marked]:
    """Every number of 篇4's table, graded by its form; one that was not reached has none."""
    ones = []
    for area in AREAS:
        for total in scores_of(area):
            result = Result.answered if total else Result.vacant
            came_to = worth(result, forms()[total] if total else {})
            ones.append(Marked(area.name, came_to.grade, came_to.total))
    return ones


def test_graded_forms_reproduce_the_table_of_21_areas() -> None:
    rows = by_area(marked())
    told = [(row.area, row.n, *(row.grades[grade] for grade in Grade), row.passed, row.mean) for row in rows]
    assert told == [(area.name, area.n, *area.grades, area.passed, area.mean) for area in AREAS], "in 篇4's order"
    whole = overall(marked())
    assert whole is not None
    assert (whole.n, tuple(whole.grades[grade] for grade in Grade)) == (317, OVERALL.grades)
    assert (whole.passed, whole.mean) == (OVERALL.passed, OVERALL.mean), "means of areas, not of numbers: else 50.6"


def test_nothing_graded_is_no_table() -> None:
    assert by_area([]) == []
    assert overall([]) is None


def test_who_cannot_be_reached_has_nothing_and_is_not_judged_further() -> None:
    for result in Result:
        if result is Result.answered:
            continue
        assert worth(result, {}).grade is Grade.D
        assert form_faults(result, {}) == {}
        assert "scores" in form_faults(result, {"timely": "good"})
    assert set(form_faults(Result.answered, {})) == {
        f"scores.{code}" for code in ("timely", "skilled", "first_asked", "warm", "polite")
    }
    assert form_faults(
        Result.answered, {"timely": "none"} | dict.fromkeys(("skilled", "first_asked", "warm", "polite"), "good")
    )
    rude = dict.fromkeys(("timely", "skilled", "first_asked", "warm"), "excellent") | {"polite": "grave"}
    assert (worth(Result.answered, rude).total, worth(Result.answered, rude).grade) == (85, Grade.D)


@pytest.mark.parametrize(
    ("waited", "level"), [(3, "excellent"), (15, "excellent"), (16, "good"), (31, "fair"), (46, "poor")]
)
def test_how_long_it_rang_is_laid_before_the_reviewer(waited: float, level: str) -> None:
    assert proposed(Result.answered, Mode.person, waited) == {"timely": level}
    assert proposed(Result.answered, Mode.automatic, waited) == {
        "timely": level,
        "skilled": "none",
        "first_asked": "none",
    }
    assert proposed(Result.busy, Mode.automatic, None) == {}


def test_every_pair_of_a_round_is_a_step_or_refused() -> None:
    for state, step in product(RoundState, RoundStep):
        if (state, step) in ROUND_STEPS:
            assert next_round_state(state, step) is ROUND_STEPS[state, step]
        else:
            with pytest.raises(Refused):
                next_round_state(state, step)
    assert not any(state in (RoundState.published, RoundState.cancelled) for state, _ in ROUND_STEPS), (
        "the end is the end"
    )


def test_every_pair_of_an_attempt_is_a_step_or_refused() -> None:
    for state, event in product(AttemptState, AttemptEvent):
        if (state, event) in ATTEMPT_STEPS:
            assert next_attempt_state(state, event) is ATTEMPT_STEPS[state, event]
        else:
            with pytest.raises(Refused):
                next_attempt_state(state, event)
    dialled_from = {state for (state, event) in ATTEMPT_STEPS if event is AttemptEvent.dial}
    assert dialled_from == {AttemptState.planned, AttemptState.asked}, "nothing that was dialled is dialled again"
    assert set(OPEN) == dialled_from | {AttemptState.dialling}


@pytest.mark.parametrize(
    ("outcomes", "result", "is_enough"),
    [
        ([], Result.untried, False),
        ([Outcome.answered], Result.answered, True),
        ([Outcome.no_answer, Outcome.answered], Result.answered, True),
        ([Outcome.vacant], Result.vacant, False),
        ([Outcome.no_answer, Outcome.vacant], Result.vacant, True),
        ([Outcome.busy, Outcome.no_answer], Result.busy, True),
        ([Outcome.fax, Outcome.busy], Result.fax, True),
        ([Outcome.network, Outcome.network], Result.untried, False),
        ([Outcome.network, Outcome.busy, Outcome.abandoned], Result.busy, False),
    ],
)
def test_attempts_come_to(outcomes: list[Outcome], result: Result, is_enough: bool) -> None:
    assert result_of(outcomes) is result
    assert enough(outcomes) is is_enough


spans = st.sampled_from(
    ["09:00-12:00", "09:00-11:30,14:00-17:00", "08:30-12:00,13:30-17:30", "14:00-16:00", "10:00-10:30"]
)


@settings(max_examples=60)
@given(spans, st.one_of(st.just(""), spans), st.integers(1, 10**6), st.text("0123456789abcdef", min_size=1, max_size=8))
def test_two_calls_are_planned_at_allowed_hours_of_different_days(
    ours: str, theirs: str, ident: int, seed: str
) -> None:
    hours = Hours.both(ours, theirs)
    days = working_days(FREE, date(2026, 9, 28), date(2026, 10, 16))
    if not hours.spans:
        with pytest.raises(ValueError, match="no hour"):
            planned(seed, ident, hours, days, 2, CITY)
        return
    first, second = planned(seed, ident, hours, days, 2, CITY)
    assert (first, second) == tuple(planned(seed, ident, hours, days, 2, CITY)), "the same seed, the same times"
    here, there = first.astimezone(CITY), second.astimezone(CITY)
    assert here.date() < there.date()
    minutes = [one.hour * 60 + one.minute for one in (here, there)]
    for local, minute in zip((here, there), minutes, strict=True):
        assert FREE.is_working(local.date())
        assert hours.open_at(minute)
    if len(hours.spans) > 1:
        assert [next(n for n, (a, b) in enumerate(hours.spans) if a <= m < b) for m in minutes] in ([0, 1], [1, 0])
    elif hours.spans[0][1] - hours.spans[0][0] > 2 * APART + CUSHION:
        assert abs(minutes[0] - minutes[1]) >= APART


def test_nobody_is_called_at_another_hour_on_a_holiday_or_twice_on_a_day() -> None:
    hours = Hours.both("09:00-11:30,14:00-17:00", "08:00-11:00,14:30-18:00")
    assert hours.spans == ((540, 660), (870, 1020))

    def at(day: date, clock: str) -> datetime:
        return datetime.combine(day, time.fromisoformat(clock), CITY).astimezone(UTC)

    friday = date(2026, 10, 9)
    for clock, may in (
        ("08:59", False),
        ("09:00", True),
        ("10:54", True),
        ("10:56", False),
        ("14:29", False),
        ("16:00", True),
    ):
        assert may_call(FREE, hours, at(friday, clock), CITY, None) is may, clock
    assert may_call(FREE, hours, at(friday + timedelta(days=1), "09:30"), CITY, None), "a make-up workday"
    assert not may_call(FREE, hours, at(friday + timedelta(days=2), "09:30"), CITY, None), "a Sunday"
    assert not may_call(FREE, hours, at(date(2026, 10, 1), "09:30"), CITY, None), "a holiday"
    assert not may_call(FREE, hours, at(friday, "16:00"), CITY, friday), "called today already"
    assert Hours.both("09:00-11:30", "14:00-17:00").spans == ()


def test_which_published_numbers_are_dialled() -> None:
    rule = Destinations(own=("12345",))
    for number in ("13800138000", "010-8888 1234", "87654321", "12333", "95598", "96116", "4008123123"):
        assert rule.may_audit(number), number
    for number in ("110", "119", "12345", "16887788", "00442071838750", "1162114", "", "96"):
        assert not rule.may_audit(number), number
