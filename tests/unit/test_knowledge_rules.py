"""The life of an article and of a search in vain: every pair of the tables, and who may do what."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from app.auth.model import PERMISSIONS, Permission, Role
from app.errors import Forbidden, Refused
from app.knowledge.model import (
    GAPS,
    LONGEST_PHONE,
    OPEN,
    TRANSITIONS,
    Content,
    GapState,
    GapStep,
    Step,
    VersionState,
    cleaned,
    due_on,
    faults,
    next_gap_state,
    permitted,
    rule_for,
    state_at,
    steps_for,
)

TODAY = date(2026, 11, 24)
DAY = timedelta(days=1)
EVERYTHING = frozenset(Permission)


@pytest.mark.parametrize("state", list(VersionState))
@pytest.mark.parametrize("step", list(Step))
def test_a_version_moves_by_its_table_and_refuses_everything_else(state: VersionState, step: Step):
    if (state, step) not in TRANSITIONS:
        with pytest.raises(Refused):
            rule_for(state, step)
        assert step not in steps_for(state, EVERYTHING, own=False)
        return
    rule = TRANSITIONS[state, step]
    assert rule_for(state, step) is rule
    assert (step in steps_for(state, EVERYTHING, own=False)) == (rule.needs is not None)


@pytest.mark.parametrize("pair", TRANSITIONS, ids=lambda pair: "-".join(pair))
@pytest.mark.parametrize("role", list(Role))
def test_a_step_is_for_those_whose_permission_its_rule_names(pair: tuple[VersionState, Step], role: Role):
    rule, permissions = TRANSITIONS[pair], PERMISSIONS[role]
    if rule.needs is not None and rule.needs in permissions:
        permitted(rule, permissions, own=False)
        return
    with pytest.raises(Forbidden):
        permitted(rule, permissions, own=False)
    assert pair[1] not in steps_for(pair[0], permissions, own=False)


def test_nobody_publishes_their_own_work():
    approve = rule_for(VersionState.in_review, Step.approve)
    with pytest.raises(Refused) as caught:
        permitted(approve, EVERYTHING, own=True)
    assert caught.value.code == "own_work"
    assert Step.approve not in steps_for(VersionState.in_review, EVERYTHING, own=True)


def test_only_a_review_publishes_and_no_published_version_is_ever_written_again():
    into = {pair for pair, rule in TRANSITIONS.items() if rule.to is VersionState.published}
    assert {step for state, step in into if state not in (VersionState.published, VersionState.expired)} == {
        Step.approve
    }
    back = [pair for pair, rule in TRANSITIONS.items() if rule.to in OPEN and pair[0] not in OPEN]
    assert back == []
    assert [state for state, step in TRANSITIONS if step is Step.edit] == [VersionState.draft]


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
        assert next_gap_state(state, step) is GAPS[state, step]
    else:
        with pytest.raises(Refused):
            next_gap_state(state, step)


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
