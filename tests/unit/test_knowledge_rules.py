"""The life of an article and of a search in vain: every pair of the tables, and who may do what."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from app.errors import Forbidden, Refused
from app.knowledge.model import (
    GAPS,
    LONGEST_PHONE,
    OF_UNITS,
    OPEN,
    TRANSITIONS,
    Content,
    GapState,
    GapStep,
    Party,
    Rule,
    Step,
    VersionState,
    cleaned,
    due_on,
    faults,
    gap_rule,
    gap_steps,
    permitted,
    rule_for,
    state_at,
    steps_for,
)

TODAY = date(2026, 11, 24)
DAY = timedelta(days=1)
EVERYBODY = frozenset(Party)
TABLES = {False: TRANSITIONS, True: OF_UNITS}


@pytest.mark.parametrize("of_unit", TABLES, ids=["centre", "unit"])
@pytest.mark.parametrize("state", list(VersionState))
@pytest.mark.parametrize("step", list(Step))
def test_a_version_moves_by_its_table_and_refuses_everything_else(state: VersionState, step: Step, of_unit: bool):
    table = TABLES[of_unit]
    if (state, step) not in table:
        with pytest.raises(Refused):
            rule_for(state, step, of_unit=of_unit)
        assert step not in steps_for(state, EVERYBODY, own=False, of_unit=of_unit)
        return
    rule = table[state, step]
    assert rule_for(state, step, of_unit=of_unit) is rule
    assert (step in steps_for(state, EVERYBODY, own=False, of_unit=of_unit)) == bool(rule.by)


@pytest.mark.parametrize("of_unit", TABLES, ids=["centre", "unit"])
@pytest.mark.parametrize("party", list(Party))
def test_a_step_is_for_those_whom_its_rule_names(party: Party, of_unit: bool):
    mine = frozenset({party})
    for (state, step), rule in TABLES[of_unit].items():
        offered = steps_for(state, mine, own=False, of_unit=of_unit)
        if party in rule.by:
            permitted(rule, mine, own=False)
            assert step in offered
            continue
        with pytest.raises(Forbidden):
            permitted(rule, mine, own=False)
        assert step not in offered


@pytest.mark.parametrize(("state", "step"), [(VersionState.in_review, Step.approve), (VersionState.in_unit, Step.vet)])
def test_nobody_passes_their_own_work(state: VersionState, step: Step):
    with pytest.raises(Refused) as caught:
        permitted(rule_for(state, step, of_unit=True), EVERYBODY, own=True)
    assert caught.value.code == "own_work"
    assert step not in steps_for(state, EVERYBODY, own=True, of_unit=True)


@pytest.mark.parametrize("table", TABLES.values(), ids=["centre", "unit"])
def test_only_the_centre_publishes_and_no_published_version_is_ever_written_again(
    table: dict[tuple[VersionState, Step], Rule],
):
    into = {pair: rule for pair, rule in table.items() if rule.to is VersionState.published}
    first = {step: rule for (state, step), rule in into.items() if state in OPEN}
    assert {step: rule.by for step, rule in first.items()} == {Step.approve: {Party.editor}}
    back = [pair for pair, rule in table.items() if rule.to in OPEN and pair[0] not in OPEN]
    assert back == []
    assert [state for state, step in table if step is Step.edit] == [VersionState.draft]


def test_what_is_a_units_reaches_the_centre_by_its_leader_alone_and_what_is_not_knows_no_unit():
    to_the_centre = {pair: rule for pair, rule in OF_UNITS.items() if rule.to is VersionState.in_review}
    assert {pair: rule.by for pair, rule in to_the_centre.items()} == {
        (VersionState.in_unit, Step.vet): frozenset({Party.leader})
    }
    assert not any(rule.by & {Party.member, Party.leader} for rule in TRANSITIONS.values())
    assert VersionState.in_unit not in {state for state, _ in TRANSITIONS}


@pytest.mark.parametrize("state", list(VersionState))
def test_an_article_expires_by_the_clock_alone_after_its_last_day(state: VersionState):
    assert state_at(state, TODAY, TODAY) is state
    assert state_at(state, None, TODAY) is state
    over = state_at(state, TODAY - DAY, TODAY)
    assert over is (VersionState.expired if state is VersionState.published else state)


@pytest.mark.parametrize("state", list(GapState))
@pytest.mark.parametrize("step", list(GapStep))
def test_a_search_in_vain_moves_by_its_table_and_refuses_everything_else(state: GapState, step: GapStep):
    if (state, step) in GAPS:
        assert gap_rule(state, step) is GAPS[state, step]
    else:
        with pytest.raises(Refused):
            gap_rule(state, step)


def test_a_unit_answers_or_hands_back_what_it_was_given_and_nothing_else():
    member = frozenset({Party.member, Party.leader})
    offered = {state: gap_steps(state, member) for state in GapState}
    assert offered == {state: [] for state in GapState} | {GapState.given: [GapStep.hand_back, GapStep.close]}


def test_what_is_submitted_must_be_complete_and_true_for_a_while():
    whole = Content(title="停水", phone_answer="请先储水。", review_on=TODAY + DAY)
    assert faults(whole, TODAY, complete=True) == {}
    wrong = Content(title="", phone_answer="", review_on=TODAY, expires_on=TODAY - DAY)
    assert faults(wrong, TODAY, complete=True).keys() == {"title", "phone_answer", "review_on", "expires_on"}
    assert faults(wrong, TODAY, complete=False).keys() == {"title"}
    long = cleaned(Content(title="长", phone_answer="字" * (LONGEST_PHONE + 5)))
    assert faults(long, TODAY, complete=False).keys() == {"phone_answer"}


def test_keywords_are_kept_once_and_without_empty_ones():
    assert cleaned(Content(keywords=[" 停水 ", "停水", "", "没水"])).keywords == ("停水", "没水")


def test_an_article_is_due_by_the_earlier_of_its_days():
    assert due_on(TODAY, TODAY - DAY) == TODAY - DAY
    assert due_on(None, TODAY) == TODAY
    assert due_on(None, None) is None
