"""Quality review: what a form is worth, which talks are drawn, who takes which step, what quarters mean (篇4, 篇6)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.auth.model import Permission, Role, permissions_of
from app.errors import BadInput, Refused
from app.quality.assessment import (
    Confirmed,
    Judged,
    Quarter,
    parse_quarter,
    quarter_of,
    results,
    standing,
)
from app.quality.criteria import CRITERIA, NOT_ASKED, Grade, Score, faults, score
from app.quality.sampling import Drawer, Reason, Rules, Talk, draw
from app.quality.states import RULES, Party, ReviewState, Step, permitted, rule_of

GOOD = {one.code: "good" for one in CRITERIA}
LEVELS = st.fixed_dictionaries(
    {
        one.code: st.sampled_from([level.code for level in one.levels] + ([NOT_ASKED] if one.optional else []))
        for one in CRITERIA
    }
)

# ---- the form


def test_the_five_criteria_of_the_field_weigh_a_hundred_together():
    assert [one.zh for one in CRITERIA] == ["及时接听", "业务熟练", "首问负责", "态度热情", "文明用语"]
    assert sum(one.weight for one in CRITERIA) == 100


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, Score(85, True)),
        ({"timely": NOT_ASKED}, Score(85, True)),
        ({"timely": "excellent"}, Score(87, True)),  # 87.25
        ({"skilled": "poor", "warm": "poor"}, Score(58, False)),  # 57.5 is rounded up, and still not enough
        ({"polite": "grave"}, Score(72, False, ("polite",))),
        (dict.fromkeys(GOOD, "excellent"), Score(100, True)),
    ],
)
def test_a_form_is_worth_the_weighted_mean_of_what_came_up(changed: dict[str, str], expected: Score):
    assert score({**GOOD, **changed}) == expected


@given(LEVELS)
def test_every_complete_form_has_a_score_and_a_better_level_never_costs(given_levels: dict[str, str]):
    assert faults(given_levels) == {}
    before = score(given_levels)
    assert 0 <= before.total <= 100
    for one in CRITERIA:
        if one.level(given_levels[one.code]) is not None:
            after = score({**given_levels, one.code: "excellent"})
            assert after.total >= before.total
            assert after.passed or not before.passed


def test_a_form_says_what_is_missing_and_what_nobody_has_heard_of():
    assert set(faults({})) == {f"scores.{one.code}" for one in CRITERIA}
    assert set(faults({**GOOD, "warm": NOT_ASKED})) == {"scores.warm"}
    assert set(faults({**GOOD, "polite": "superb", "taste": "good"})) == {"scores.polite", "scores.taste"}
    assert faults({**GOOD, "timely": NOT_ASKED}) == {}


@pytest.mark.parametrize(("total", "grade"), [(100, "A"), (90, "A"), (89, "B"), (75, "B"), (74, "C"), (60, "C")])
def test_grades_are_those_of_the_number_audit(total: int, grade: str):
    assert Score(total, True).grade is Grade(grade)
    assert Score(total, False).grade is Grade.D


# ---- drawing

TALKS = st.lists(
    st.builds(
        Talk,
        call_id=st.integers(1, 60).map(lambda n: f"h-{n}"),
        agent_id=st.sampled_from(["1001", "1002", "1003"]),
        talk_s=st.integers(0, 1500),
        held_s=st.integers(0, 300),
        rating=st.sampled_from([None, 1, 3, 5]),
        complaint=st.booleans(),
        forbidden=st.integers(0, 3),
        secret=st.booleans(),
        agent_days=st.sampled_from([10, 400]),
    ),
    max_size=60,
    unique_by=lambda talk: talk.call_id,
)


@settings(max_examples=60, deadline=None)
@given(TALKS, st.text("abc", max_size=3), st.sampled_from([None, "1001"]), st.booleans())
def test_what_is_drawn_depends_on_the_seed_alone_and_drawing_again_adds_nothing(
    talks: list[Talk], seed: str, own: str | None, hears: bool
):
    drawer, rules = Drawer(own, hears), Rules()
    first = draw(talks, seed, drawer, rules)
    assert draw(list(reversed(talks)), seed, drawer, rules) == first
    chosen = {one.talk.call_id for one in first}
    assert len(chosen) == len(first)
    for one in first:
        assert one.talk.agent_id != own, "nobody reviews their own"
        assert hears or not one.talk.secret
        assert one.talk.talk_s >= rules.shortest_s
    marked = [Talk(**{**vars(talk), "drawn": talk.call_id in chosen}) for talk in talks]
    assert draw(marked, seed, drawer, rules) == []
    for agent in {talk.agent_id for talk in talks} - {own}:
        may = [t for t in talks if t.agent_id == agent and drawer.may_hear(t) and t.talk_s >= rules.shortest_s]
        least = rules.new_agents if any(t.agent_days < rules.new_days for t in may) else rules.at_least
        got = sum(one.talk.agent_id == agent for one in first)
        assert min(len(may), least) <= got <= least + rules.pressing


def test_what_is_pressing_is_drawn_first_and_says_why():
    plain = [Talk(f"h-{n}", "1001", 100) for n in range(20)]
    pressing = [
        Talk("h-bad", "1001", 100, rating=1),
        Talk("h-angry", "1001", 100, complaint=True),
        Talk("h-held", "1001", 100, held_s=121),
    ]
    drawn = {one.talk.call_id: one.reason for one in draw([*plain, *pressing], "s", Drawer())}
    assert drawn["h-bad"] is Reason.low_rating
    assert drawn["h-angry"] is Reason.complaint
    assert drawn["h-held"] is Reason.long_hold
    assert sorted(drawn.values()).count(Reason.random) == 2


def test_forbidden_phrases_make_a_talk_pressing_once_an_office_wants_that_and_a_picked_one_changes_nothing():
    talks = [Talk(f"h-{n}", "1001", 100) for n in range(20)] + [Talk("h-said", "1001", 100, forbidden=2)]

    def why(rules: Rules) -> Reason | None:
        return {one.talk.call_id: one.reason for one in draw(talks, "s", Drawer(), rules)}.get("h-said")

    assert why(Rules(forbidden=2)) is Reason.phrases
    assert why(Rules(forbidden=3)) is not Reason.phrases
    assert why(Rules()) is not Reason.phrases
    picked = [*talks[:20], Talk("h-said", "1001", 100, forbidden=2, picked=True)]
    drawn = draw(picked, "s", Drawer(), Rules(forbidden=1))
    assert (len(drawn), "h-said" in {one.talk.call_id for one in drawn}) == (2, False)


def test_another_talk_is_drawn_for_one_in_which_there_was_nothing_to_review():
    talks = [Talk(f"h-{n}", "1001", 100) for n in range(5)]
    first, second = draw(talks, "s", Drawer())
    marked = [
        Talk(
            talk.call_id,
            "1001",
            100,
            drawn=talk.call_id == second.talk.call_id,
            skipped=talk.call_id == first.talk.call_id,
        )
        for talk in talks
    ]
    [third] = draw(marked, "s", Drawer())
    assert third.talk.call_id not in (first.talk.call_id, second.talk.call_id)


def test_another_seed_draws_others():
    talks = [Talk(f"h-{n}", "1001", 100) for n in range(50)]
    assert draw(talks, "a", Drawer()) != draw(talks, "b", Drawer())


# ---- steps


@pytest.mark.parametrize("state", list(ReviewState))
@pytest.mark.parametrize("step", list(Step))
def test_a_review_moves_by_its_table_and_refuses_everything_else(state: ReviewState, step: Step):
    if (state, step) in RULES:
        assert rule_of(state, step) is RULES[state, step]
    else:
        with pytest.raises(Refused):
            rule_of(state, step)


@pytest.mark.parametrize(("state", "step"), list(RULES))
@pytest.mark.parametrize("parties", [(), (Party.reviewer,), (Party.agent,), (Party.reviewer, Party.agent)])
def test_who_judged_or_was_judged_never_decides(state: ReviewState, step: Step, parties: tuple[Party, ...]):
    rule = RULES[state, step]
    every = frozenset(Permission)
    allowed = permitted(rule, parties, every)
    if step in (Step.uphold, Step.change, Step.coach):
        assert allowed is (parties == ())
    if step in (Step.acknowledge, Step.appeal):
        assert allowed is (Party.agent in parties)
    if step in (Step.save, Step.publish, Step.skip):
        assert allowed is (Party.reviewer in parties)
    assert not permitted(rule, parties, every - {rule.needs})


def test_there_is_one_appeal_and_no_way_back():
    assert [step for state, step in RULES if state in (ReviewState.upheld, ReviewState.changed)] == [Step.coach] * 2
    assert [state for state, step in RULES if step is Step.appeal] == [ReviewState.published]


def test_who_may_do_what_by_role():
    may = {role: {p for p in permissions_of([role]) if p.value.startswith("quality.")} for role in Role}
    p = Permission
    assert may[Role.agent] == {p.quality_own}
    assert may[Role.quality] == {p.quality_read, p.quality_review, p.quality_coach, p.quality_decide}
    assert may[Role.supervisor] == {p.quality_own, p.quality_read, p.quality_coach}
    assert may[Role.section_head] == {p.quality_read, p.quality_decide, p.quality_assess, p.quality_rules}
    assert not may[Role.unit_handler] | may[Role.admin] | may[Role.citizen]


# ---- quarters

NOW = datetime(2026, 11, 24, tzinfo=UTC)


@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)))
def test_every_day_lies_in_its_quarter(day: date):
    quarter = quarter_of(day)
    assert quarter.first <= day <= quarter.last
    assert parse_quarter(str(quarter)) == quarter
    assert quarter_of(quarter.last + timedelta(days=1)) > quarter


@pytest.mark.parametrize("text", ["", "2026", "2026Q5", "2026Q0", "1999Q1", "2026q1", "２０２６Q1"])
def test_what_is_no_quarter_is_refused(text: str):
    with pytest.raises(BadInput):
        parse_quarter(text)


def judged(*totals: int) -> list[Judged]:
    return [Judged(n, total) for n, total in enumerate(totals, 1)]


def test_a_quarter_is_the_mean_of_its_reviews_and_places_are_shared():
    found = {
        one.agent_id: one
        for one in results(
            {
                "1001": judged(90, 91, 91),  # 90.67
                "1002": judged(91, 91, 90),
                "1003": judged(60, 60, 59),  # 59.67: not passed
                "1004": judged(100, 100),  # too few to say anything
                "1005": judged(60, 60, 60),
            }
        )
    }
    assert [(found[a].mean, found[a].place) for a in ("1001", "1002", "1005")] == [(907, 1), (907, 1), (600, 3)]
    assert (found["1003"].passed, found["1003"].place) == (False, None)
    assert (found["1004"].passed, found["1004"].place, found["1004"].of) == (None, None, (1, 2))


def confirmed(*outcome: tuple[int, bool | None, int | None]) -> list[Confirmed]:
    return [Confirmed(Quarter(2026, n), passed, place, NOW + timedelta(days=n)) for n, passed, place in outcome]


def test_two_failed_quarters_put_an_agent_off_duty_until_a_training_after_them():
    once, twice = confirmed((1, False, None)), confirmed((1, False, None), (3, False, None))
    assert not standing(2026, once).off_duty
    assert standing(2026, twice).off_duty
    assert standing(2026, twice, [NOW + timedelta(days=2)]).off_duty, "trained before the second"
    trained = [NOW + timedelta(days=4)]
    assert not standing(2026, twice, trained).off_duty
    thrice = [*twice, *confirmed((4, False, None))]
    again = standing(2026, thrice, [NOW + timedelta(days=3, hours=1)])
    assert again.off_duty
    assert again.year_failed
    assert not standing(2026, twice).year_failed


def test_three_times_among_the_first_three_is_excellent_and_another_year_is_another_matter():
    top = confirmed((1, True, 1), (2, True, 3), (3, True, 4), (4, True, 2))
    assert standing(2026, top).excellent
    assert [str(q) for q in standing(2026, top).first] == ["2026Q1", "2026Q2", "2026Q4"]
    assert not standing(2026, top[:3]).excellent
    assert not standing(2027, top).excellent
    assert not standing(2026, confirmed((1, None, None), (2, None, None))).off_duty, "too few says nothing"
