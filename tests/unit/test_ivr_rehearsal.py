"""A call in text says what the interpreter does, by whatever is typed, and knows the way it went."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from ivr import catalogue
from ivr import flow as flow_module
from ivr.interpreter import Facts
from ivr.model import exits
from ivr.rehearsal import Moment, rehearse, spoken_text

FLOW = flow_module.shipped()
WORDS = catalogue.shipped()
CASE = "20261124000123"


def nodes(moments: list[Moment]) -> list[str]:
    return [one.node for one in moments]


def test_keys_one_by_one_go_through_the_menu_and_the_way_has_every_node() -> None:
    call = rehearse(FLOW, Facts(), ["2", "0"])
    assert nodes(call) == ["welcome", "announcements", "main", "queue", "queue"]
    assert [one.language for one in call] == ["zh", "yue", "yue", "yue", "yue"]
    assert [one.way for one in call] == [
        ("caller", "welcome"), ("welcome_yue", "announcements"), ("hours", "main"), ("person", "queue"), ()
    ]  # fmt: skip
    assert [one.given for one in call] == ["2", None, "0", None, None]
    assert call[-1].finish is not None
    assert call[-1].finish.variables["HOTLINE_SKILLS"] == "yue:1"
    assert spoken_text(WORDS, ["main_menu", "nonsense"], "zh").endswith("请按9。 nonsense")
    assert spoken_text(WORDS, ["nonsense"], "en") == "nonsense"


def test_a_call_waits_where_nothing_more_was_typed_and_ends_where_it_is_handed_on() -> None:
    waits = rehearse(FLOW, Facts(), ["1", "2"])
    assert (waits[-1].node, waits[-1].asks, waits[-1].given, waits[-1].finish) == ("case_number", True, None, None)
    assert rehearse(FLOW, Facts(), ["1", "0", "5", "5"])[-1].finish is not None
    assert nodes(rehearse(FLOW, Facts(elderly=True), []))[-1] == "elderly_person"
    assert nodes(rehearse(FLOW, Facts(open=False), ["", ""]))[-1] == "voicemail"
    wrong = rehearse(FLOW, Facts(), ["1", "7"])[-1]
    assert (wrong.node, wrong.way, wrong.said[0]) == ("main", (), "wrong_key")


def test_keys_typed_ahead_and_whole_numbers_are_taken_question_by_question() -> None:
    call = rehearse(FLOW, Facts(), [f"12{CASE}#0"])
    assert [(one.node, one.given) for one in call if one.given] == [
        ("welcome", f"12{CASE}#0"), ("main", "2"), ("case_number", f"{CASE}#"), ("case_told", "0")
    ]  # fmt: skip
    assert call[-1].node == "queue"
    assert all(not one.said for one in call if one.node == "case_number")


def test_lookups_answer_what_whoever_tries_it_wants() -> None:
    typed = ["1", "2", f"{CASE}#"]
    assert rehearse(FLOW, Facts(), typed)[-1].node == "case_told"
    for outcome, node in (("locked", "case_locked"), ("settled", "case_settled"), ("-", "case_unavailable")):
        call = rehearse(FLOW, Facts(), typed, {"case_progress": outcome})
        assert (call[-2].of, call[-2].fetched, call[-1].node) == ("case_progress", outcome, node)
    gone = rehearse(FLOW, Facts(), ["1", "5", "12#"], {"unit": "not_found"})
    assert gone[-1].node == "unit_unknown"


KEYS = st.sampled_from(["", "0", "1", "2", "3", "4", "5", "8", "9", "*", "110", CASE, f"{CASE}#", "12#", "#", "x"])


@settings(max_examples=150, deadline=None)
@given(
    st.builds(Facts, st.booleans(), st.booleans(), st.sampled_from([None, "yue", "xx"])), st.lists(KEYS, max_size=60)
)
def test_the_way_leads_from_node_to_node_whatever_is_typed(facts: Facts, typed: list[str]) -> None:
    call = rehearse(FLOW, facts, typed)
    last = call[-1]
    assert (last.finish is not None) != (last.asks and last.given is None)
    assert all(one.given is not None for one in call[:-1] if one.asks)
    way = [node for one in call for node in one.way]
    assert way[0] == FLOW.start
    hurried = len(call[-1].state.path) and call[-1].state.answers >= FLOW.patience
    for before, after in itertools.pairwise(way):
        assert hurried or after in {target for _, target in exits(FLOW.nodes[before])}, (before, after)
