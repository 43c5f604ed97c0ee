"""Remembered walks say exactly what the interpreter says, and remember nothing of one caller."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ivr import flow as flow_module
from ivr.interpreter import Facts, Fetch, Fetched, Input, Keys, begin, step
from ivr.model import Number
from ivr.walks import Place, Walks

FLOW = flow_module.shipped()
SHARED = Walks(FLOW)
"""All examples walk on the same memory, so that later ones meet what earlier ones left."""
CASE = "20261124000123"

facts = st.builds(Facts, st.booleans(), st.booleans(), st.sampled_from([None, "zh", "yue", "en"]))
answers = st.one_of(
    st.builds(Keys, st.sampled_from(["", "0", "1", "2", "3", "9", "*", CASE, "12"]), st.booleans()),
    st.builds(
        Fetched, st.sampled_from(["", "some", "none", "found", "not_found"]), st.sampled_from([(), ("digit_1",)])
    ),
)


@given(facts, st.lists(answers, max_size=12))
def test_a_remembered_walk_is_the_walk(known: Facts, inputs: list[Input]) -> None:
    state, actions = begin(FLOW, known)
    place = SHARED.begin(known)
    assert (place.state, list(place.actions)) == (state, actions)
    for one in inputs:
        fits = not state.ended and isinstance(actions[-1], Fetch) == isinstance(one, Fetched)
        if not fits:
            continue
        state, actions = step(FLOW, state, one)
        place = SHARED.step(place, one)
        assert (place.state, list(place.actions)) == (state, actions)


def walk(walks: Walks, *inputs: Input) -> Place:
    place = walks.begin(Facts())
    for one in inputs:
        place = walks.step(place, one)
    return place


def to_case_number(walks: Walks) -> Place:
    place = walk(walks, Keys("1"), Fetched("none"), Keys("2"))
    assert isinstance(FLOW.nodes[place.state.node or ""], Number)
    return place


def test_the_second_caller_of_a_path_costs_no_walk() -> None:
    walks = Walks(FLOW)
    first = walk(walks, Keys("1"), Fetched("none"), Keys("1"))
    places = walks.places
    assert walk(walks, Keys("1"), Fetched("none"), Keys("1")) is first
    assert walks.places == places == 4


def test_a_case_number_is_kept_for_nobody_else() -> None:
    walks = Walks(FLOW)
    asked = to_case_number(walks)
    places = walks.places
    for digits in (CASE, "123"):
        walks.step(walks.step(asked, Keys(digits)), Fetched("found", ("digit_2",)) if digits == CASE else Keys(CASE))
    assert walks.places == places
    assert CASE not in repr(walks.__dict__)


def test_more_places_than_are_kept_are_worked_out_each_time() -> None:
    walks = Walks(FLOW, most=2)
    assert walk(walks, Keys("1"), Fetched("none")).state == walk(Walks(FLOW), Keys("1"), Fetched("none")).state
    assert walks.places == 2
