"""What an office may make of criteria and rules of drawing: checks, codes, what holds when, differences, a preview."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.editions.model import Change, holds_on
from app.notices.model import OF_QUALITY, NoticeKind
from app.notices.words import Told, body, subject, text
from app.quality.criteria import CRITERIA, Criterion, Level, faults, score
from app.quality.editing import (
    BOUNDS,
    changes_of_criteria,
    changes_of_rules,
    criteria_json,
    criteria_of,
    faults_of_criteria,
    faults_of_rules,
    rules_json,
    rules_of,
    with_codes,
)
from app.quality.previewing import compared
from app.quality.sampling import Drawer, Rules, Talk

CITY = ZoneInfo("Asia/Shanghai")
TWO = (Level("", "好", "good", 100), Level("", "差", "bad", 30))
NEW = Criterion("", "倾听", "listens", 10, "是否听完", "hears out", TWO)
SKILLED = CRITERIA[1]


def with_skilled(**changes: object) -> list[Criterion]:
    """The shipped criteria, the second of them changed."""
    return [CRITERIA[0], replace(SKILLED, **changes), *CRITERIA[2:]]  # type: ignore[arg-type]


def level(at: int, **changes: object) -> dict[str, tuple[Level, ...]]:
    """The second criterion's levels with one changed."""
    levels = list(SKILLED.levels)
    levels[at] = replace(levels[at], **changes)  # type: ignore[arg-type]
    return {"levels": tuple(levels)}


def test_what_is_shipped_passes_its_own_checks_and_is_read_back_as_it_was_kept():
    assert faults_of_criteria(CRITERIA) == {}
    assert faults_of_rules(Rules()) == {}
    assert criteria_of(json.loads(json.dumps(criteria_json(CRITERIA)))) == list(CRITERIA)
    assert rules_of(json.loads(json.dumps(rules_json(Rules(at_least=3))))) == Rules(at_least=3)
    assert rules_of({"at_least": 5, "of_a_later_version": 1}) == Rules(at_least=5)


@pytest.mark.parametrize(
    ("criteria", "fields"),
    [
        ([], {"criteria"}),
        (with_skilled(weight=29), {"criteria"}),
        ([replace(one, optional=True) for one in CRITERIA], {"criteria"}),
        (with_skilled(zh="", asks_en=" "[:0]), {"criteria.1.zh", "criteria.1.asks_en"}),
        (with_skilled(zh="及时接听"), {"criteria.1.zh"}),
        (with_skilled(code="warm"), {"criteria.3.code"}),
        (with_skilled(code="no/such"), {"criteria.1.code"}),
        (with_skilled(en="x" * 41), {"criteria.1.en"}),
        (with_skilled(levels=SKILLED.levels[:1]), {"criteria.1.levels"}),
        (with_skilled(**level(0, points=99)), {"criteria.1.levels.0.points"}),
        (with_skilled(**level(2, points=85)), {"criteria.1.levels.2.points"}),
        (with_skilled(**level(4, points=-1)), {"criteria.1.levels.4.points"}),
        (with_skilled(**level(1, zh="")), {"criteria.1.levels.1.zh"}),
        (with_skilled(**level(1, en="Fair")), {"criteria.1.levels.2.en"}),
        (with_skilled(**level(1, fails=True)), {"criteria.1.levels.1.fails"}),
        (with_skilled(**level(1, code="none")), {"criteria.1.levels.1.code"}),
    ],
)
def test_what_could_not_be_judged_by_is_refused_at_its_field(criteria: list[Criterion], fields: set[str]):
    assert set(faults_of_criteria(criteria)) == fields


def test_new_criteria_and_levels_get_codes_that_no_other_has_and_can_be_judged_by():
    taken = replace(NEW, code="c1", zh="别的", en="other")
    made = with_codes([replace(SKILLED, weight=80), NEW, taken])
    assert [one.code for one in made] == ["skilled", "c2", "c1"]
    assert [one.code for one in made[1].levels] == ["l1", "l2"]
    assert faults_of_criteria(made) == {}
    chosen = {"skilled": "excellent", "c2": "l2", "c1": "l1"}
    assert faults(chosen, made) == {}
    assert score(chosen, made).total == 93


@pytest.mark.parametrize("name", BOUNDS)
def test_a_number_outside_of_its_bounds_is_refused_at_its_field(name: str):
    for value in (BOUNDS[name].low - 1, BOUNDS[name].high + 1):
        assert name in faults_of_rules(replace(Rules(), **{name: value}))


def test_numbers_that_make_no_sense_together_are_refused():
    assert set(faults_of_rules(Rules(at_least=3, new_agents=2))) == {"new_agents"}
    assert set(faults_of_rules(Rules(at_least=0, new_agents=0, pressing=0))) == {"at_least"}
    assert set(faults_of_rules(Rules(shortest_s=300, long_talk_s=300))) == {"long_talk_s"}


def test_that_edition_holds_which_is_the_newest_of_those_whose_day_has_come():
    known = [(1, date(2026, 12, 1)), (2, date(2026, 12, 15)), (3, date(2026, 12, 10))]
    days = {30: 0, 1: 1, 9: 1, 10: 3, 15: 3, 31: 3}
    found = {day: holds_on(date(2026, 11 if day == 30 else 12, day), known) for day in days}
    assert found == days, "who makes an edition for an earlier day calls off one that was to come"


@given(
    st.lists(st.tuples(st.integers(1, 9), st.dates(date(2026, 1, 1), date(2026, 3, 1))), unique_by=lambda one: one[0])
)
@settings(max_examples=50, deadline=None)
def test_what_held_on_a_day_that_is_over_never_changes(known: list[tuple[int, date]]):
    today = date(2026, 2, 1)
    later = [*known, (10, date(2026, 2, 2))]  # no edition begins before tomorrow
    assert holds_on(today, later) == holds_on(today, known)


def test_a_difference_is_told_by_what_it_is_about():
    assert changes_of_criteria(CRITERIA, CRITERIA) == []
    after = [replace(SKILLED, weight=25, optional=True), CRITERIA[0], *CRITERIA[2:4], replace(NEW, code="c1")]
    name = ("业务熟练", "knows the business")
    assert changes_of_criteria(CRITERIA, after) == [
        Change(name, "weight", ("30%", "30%"), ("25%", "25%")),
        Change(name, "optional", ("否", "no"), ("是", "yes")),
        Change(("倾听", "listens"), "added", after=("10%", "10%")),
        Change(("文明用语", "polite words"), "removed", ("15%", "15%")),
        Change(("", ""), "order"),
    ]
    [words] = changes_of_criteria(CRITERIA, with_skilled(**level(4, points=10)))
    assert (words.what, words.after[0]) == ("levels", "优秀 100、良好 85、合格 65、不合格 30、严重 10（一票否决）")
    assert [(one.what, one.before[0], one.after[0]) for one in changes_of_rules(Rules(), Rules(pressing=5))] == [
        ("pressing", "3", "5")
    ]


def test_a_preview_tells_how_many_of_whom_by_both_rules_and_not_which():
    talks = [Talk(f"h-{n}", f"100{n % 2}", 100, rating=1 if n < 4 else None) for n in range(20)]
    shown = compared(date(2026, 11, 16), talks, Drawer(), Rules(), Rules(at_least=6, new_agents=6, low_rating=0))
    assert (shown.talks, shown.held.drawn, shown.tried.drawn) == (20, 8, 12)
    assert shown.held.reasons["low_rating"] == 4
    assert dict(shown.tried.reasons) == {"random": 12}
    assert [(one.agent_id, one.talks, one.held, one.tried) for one in shown.agents] == [
        ("1000", 10, 4, 6),
        ("1001", 10, 4, 6),
    ]
    assert "h-" not in repr(shown)


def test_a_notice_about_a_review_says_whose_day_and_until_when_in_both_languages():
    until = datetime(2026, 12, 2, 16, 0, tzinfo=UTC)
    told = Told(NoticeKind.review_published, "", "2026-11-25", due_at=until)
    assert text(told, CITY) == "质检（2026-11-25 的通话）：质检单已发布，请查看，可申诉至 2026年12月2日24:00。"
    assert text(told, CITY, "en") == (
        "quality, talk of 2026-11-25: the review was published: read it; appeal until 2026-12-02."
    )
    assert text(Told(NoticeKind.trained, ""), CITY) == "质检：培训已登记，可以重新上岗。"
    for kind in OF_QUALITY:
        assert subject(Told(kind, "")).startswith("【12345】质检：")
        assert body(Told(kind, "", "1001 2026-11-25"), CITY)
