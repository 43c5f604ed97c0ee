"""The ways of a flow from node to node: that they are told rightly, and that a call is at hand for each of them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from agi_scripts.guarded import Guarded
from agi_scripts.services import VoiceSetup
from ivr import flow as flow_module
from ivr.edges import Edge, begun, edges, taken
from ivr.interpreter import Facts, Fetched, Keys, begin, step
from tests.calls.flow_ways import NEVER, Trace, WayServices, numbered, unwalked, ways
from tests.unit.agi_fake_asterisk import FakeAsterisk
from tests.unit.agi_world import speaking_home

FLOW = flow_module.shipped()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home in which everything is said by one short tone, whatever the text."""
    folder = speaking_home(tmp_path_factory.mktemp("home"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ivr.prompts._speaker", lambda settings: None)
        patch.setattr("ivr.prompts._key", lambda recipe, speaker: "text")
        patch.setattr("ivr.prompts._make", lambda recipe, speaker, target: shutil.copyfile(folder / "tone.wav", target))
        yield folder


def walk(facts: Facts, *given: Keys | Fetched) -> list[Edge]:
    state, _ = begin(FLOW, facts)
    found = begun(FLOW, state)
    for one in given:
        before = state
        state, _ = step(FLOW, state, one)
        found += taken(FLOW, before, one, state)
    return found


def test_an_edge_is_a_node_and_what_leads_out_of_it_and_what_is_passed_counts() -> None:
    none = Fetched("none")
    assert walk(Facts(), Keys("1"), none, Keys("9"), Keys("1"), Keys("1"), Keys("0"), Keys("0")) == [
        ("caller", "not elderly"), ("welcome", "key 1"), ("welcome_zh", "on"), ("announcements", "none"),
        ("hours", "open"), ("main", "key 9"), ("emergency", "key 110"), ("confirm_110", "key 0"),
        ("unclear", "on"), ("unclear_open", "open"),
    ]  # fmt: skip
    assert walk(Facts(), Keys("#"), Keys("#"), Keys("#"))[1:] == [("welcome", "tries exhausted"), ("person", "open")]
    assert walk(Facts(open=False, elderly=True)) == [
        ("caller", "elderly"), ("elderly", "on"), ("elderly_open", "not open"),
    ]  # fmt: skip


def test_what_patience_ends_is_no_way_of_the_flow() -> None:
    state, _ = begin(FLOW, Facts())
    for given in (Keys("1"), Fetched("none")):
        state, _ = step(FLOW, state, given)
    found: list[Edge] = []
    while not state.ended:
        before = state
        state, _ = step(FLOW, state, Fetched("none") if state.node == "announcements" else Keys("4"))
        found += taken(FLOW, before, Keys("4"), state)
        if state.node == "answers":
            before = state
            state, _ = step(FLOW, state, Keys("1"))
            found += taken(FLOW, before, Keys("1"), state)
        if state.node == "topics":
            before = state
            state, _ = step(FLOW, state, Keys("8"))
            found += taken(FLOW, before, Keys("8"), state)
    assert set(found) <= edges(FLOW)


def test_each_edge_of_the_shipped_flow_has_a_call(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Played on a telephone that is none; tests/calls makes the same calls on a real one and listens."""
    trace = Trace(FLOW, home / "prompts").installed(monkeypatch)
    for opened in (True, False):
        services = WayServices(VoiceSetup(home, lambda name: name, tmp_path, tmp_path, deadline_s=1.0), open=opened)
        services.fill()
        guarded = Guarded(services)
        for way, number in numbered([one for one in ways(FLOW) if one.open is opened]):
            services.know(number)
            FakeAsterisk(way.answers, env={"agi_callerid": number}).run(trace.script, guarded)
            assert way.edge in trace.of(number).edges, way
            trace.by_number[f"{number}{opened}"] = trace.by_number.pop(number)
        guarded.close()
    assert unwalked(FLOW, trace.edges()) == frozenset()
    assert not trace.edges() & NEVER
