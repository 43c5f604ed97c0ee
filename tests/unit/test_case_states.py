"""The one table of cases and assignments: walked pair by pair, and checked as a whole."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from app.cases.states import (
    CASE_DONE,
    CASE_STEPS,
    CASE_TABLE,
    LAST_OF_CASE,
    LAST_OF_WORK,
    START_OF_CASE,
    START_OF_WORK,
    WORK_DONE,
    WORK_STEPS,
    WORK_TABLE,
    AssignmentState,
    By,
    CaseAct,
    CaseState,
    Needs,
    Step,
    WorkAct,
    case_step,
    next_case_state,
    next_work_state,
    table,
    work_step,
)
from app.cases.states_doc import document
from app.cases.words import CASE_ACTS, CASE_STATES, NEEDED, PEOPLE, SPOKEN, WORK_ACTS, WORK_STATES
from app.errors import Refused
from ivr.catalogue import shipped


@pytest.mark.parametrize("state", list(CaseState))
@pytest.mark.parametrize("act", list(CaseAct))
def test_a_case_moves_by_its_table_and_refuses_everything_else(state: CaseState, act: CaseAct):
    step = CASE_TABLE.get((state, act))
    if step is None:
        with pytest.raises(Refused) as refused:
            next_case_state(state, act)
        assert refused.value.code == "wrong_state"
    else:
        assert case_step(state, act) is step
        assert next_case_state(state, act) is (step.target or state)


@pytest.mark.parametrize("state", list(AssignmentState))
@pytest.mark.parametrize("act", list(WorkAct))
def test_an_assignment_moves_by_its_table_and_refuses_everything_else(state: AssignmentState, act: WorkAct):
    step = WORK_TABLE.get((state, act))
    if step is None:
        with pytest.raises(Refused) as refused:
            next_work_state(state, act)
        assert refused.value.code == "wrong_state"
    else:
        assert work_step(state, act) is step
        assert next_work_state(state, act) is (step.target or state)


def reached(steps: Iterable[Step], start: object) -> set[object]:
    found, steps = {start}, list(steps)
    while True:
        more = {step.target for step in steps if step.target and step.sources & found} - found
        if not more:
            return found
        found |= more


def test_every_state_can_be_reached():
    assert reached(CASE_STEPS, START_OF_CASE) == set(CaseState)
    assert reached(WORK_STEPS, START_OF_WORK) == set(AssignmentState)


def test_nothing_but_the_last_state_is_without_a_way_on():
    for steps, states, last in ((CASE_STEPS, CaseState, LAST_OF_CASE), (WORK_STEPS, AssignmentState, LAST_OF_WORK)):
        left = {state for step in steps if step.target for state in step.sources if step.target is not state}
        assert set(states) - left == last


def test_from_everywhere_a_case_can_still_be_ended():
    for state in set(CaseState) - LAST_OF_CASE:
        assert reached(CASE_STEPS, state) & CASE_DONE, state
    for state in AssignmentState:
        assert reached(WORK_STEPS, state) & WORK_DONE, state


def test_every_act_but_the_first_is_in_the_table_and_everybody_and_everything_in_it_is_used():
    assert {step.act for step in CASE_STEPS} == set(CaseAct) - {CaseAct.opened}
    assert {step.act for step in WORK_STEPS} == set(WorkAct) - {WorkAct.given}
    lines: list[Step] = [*CASE_STEPS, *WORK_STEPS]
    assert set().union(*(step.by for step in lines)) == set(By)
    assert set().union(*(step.needs for step in lines)) == set(Needs)
    assert all(step.by and step.sources for step in lines)


def test_only_a_leader_puts_a_case_on_account_and_no_unit_judges_what_it_returns():
    assert {step.by for step in CASE_STEPS if step.act is CaseAct.deferred} == {frozenset({By.leader})}
    for act in (WorkAct.return_refused, WorkAct.return_upheld, WorkAct.accepted, WorkAct.redo):
        assert {step.by for step in WORK_STEPS if step.act is act} == {frozenset({By.giver})}


def test_two_lines_about_one_pair_are_no_table():
    with pytest.raises(ValueError, match="two lines"):
        table([*CASE_STEPS, CASE_STEPS[-1]])


def test_the_document_says_what_the_table_says():
    written = Path("docs/case-states.md").read_text(encoding="utf-8")
    assert written == document(), "write it anew: hotline cases states --to docs/case-states.md"


def test_everything_in_the_table_has_a_name():
    for names, kind in (
        (CASE_STATES, CaseState),
        (WORK_STATES, AssignmentState),
        (CASE_ACTS, CaseAct),
        (WORK_ACTS, WorkAct),
        (PEOPLE, By),
        (NEEDED, Needs),
    ):
        assert set(names) == set(kind)
        assert all(names.values())


def test_a_caller_hears_of_every_state_in_every_language():
    words = shipped()
    assert set(SPOKEN) == set(CaseState)
    for name in SPOKEN.values():
        assert all(words.has(language, f"state_{name}") for language in words.languages), name
