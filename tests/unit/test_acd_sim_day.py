"""Simulated days against queueing theory, against the journal, and against themselves.

Where a simulation is compared with a formula the band is four standard errors, measured over independent days: a right
simulation misses it once in some fifteen thousand tries, and the seeds are fixed.
"""

from __future__ import annotations

import pickle
from math import sqrt
from statistics import mean, stdev

import pytest

from acd import journal
from acd.model import AgentState, Announce
from acd.report.facts import collect
from acd.simulate.day import Day, engine_config
from acd.simulate.demand import Demand
from acd.simulate.erlang import erlang_a, erlang_c
from acd.simulate.play import play, play_day
from acd.simulate.scenario import build

HANDLING_S, TARGET_S = 180, 20


def flat(agents: int, patience: dict, *, calls: int = 1_600, **more: object) -> dict:
    """Sixteen hours of a hundred calls each half-hour, everything exponential."""
    return {
        "name": "flat",
        "title": {"zh": "平", "en": "flat"},
        "opens": "00:00",
        "closes": "08:00",
        "calls": calls,
        "profile": [1] * 16,
        "handling": {"talk": {"shape": "exponential", "mean_s": HANDLING_S}},
        "patience": patience,
        "roster": [agents] * 16,
        "target": {"connected": 0.95, "within_s": TARGET_S},
        **more,
    }


def shares(scenario, days: int):
    """Per simulated day, the first and last hour left out: (waited, in target, abandoned) of all calls."""
    found = []
    for seed in range(days):
        day = play_day(scenario, demand=Demand(scenario, seed))
        begin, end = day.opens_ms + 3_600_000, day.opens_ms + 7 * 3_600_000
        calls = [call for call in day.facts.calls if begin <= call.joined_ms < end]
        waits = [None if call.answered_ms is None else call.answered_ms - call.joined_ms for call in calls]
        found.append(
            (
                sum(wait != 0 for wait in waits) / len(calls),
                sum(wait is not None and wait <= TARGET_S * 1000 for wait in waits) / len(calls),
                sum(wait is None for wait in waits) / len(calls),
            )
        )
    return list(zip(*found, strict=True))


def agrees(measured, expected: float) -> None:
    error = stdev(measured) / sqrt(len(measured))
    assert error < 0.02, "too few days to say anything"
    assert abs(mean(measured) - expected) < 4 * error, (mean(measured), expected, error)


def test_with_endless_patience_the_engine_waits_as_erlang_c_says():
    scenario = build(flat(14, {"shape": "endless"}))
    waited, in_target, abandoned = shares(scenario, 12)
    theory = erlang_c(100 / 1800, HANDLING_S, 14, TARGET_S)
    agrees(waited, theory.waits)
    agrees(in_target, theory.service_level)
    assert set(abandoned) == {0}


@pytest.mark.parametrize("agents", [8, 10])
def test_with_callers_who_give_up_the_engine_loses_as_erlang_a_says(agents):
    scenario = build(flat(agents, {"shape": "exponential", "mean_s": 90}))
    waited, in_target, abandoned = shares(scenario, 8)
    theory = erlang_a(100 / 1800, HANDLING_S, agents, 90, TARGET_S)
    agrees(waited, theory.waits)
    agrees(in_target, theory.service_level)
    agrees(abandoned, theory.abandons)


def lively() -> dict:
    """A little of everything: two languages, wrap-up, breaks, redials, a shift change, overflow."""
    return flat(
        5,
        {"shape": "lognormal", "mean_s": 60, "spread": 1.0},
        calls=420,
        handling={
            "talk": {"shape": "lognormal", "mean_s": 150, "spread": 0.8},
            "wrapup": {"shape": "lognormal", "mean_s": 30, "spread": 0.5},
            "ring": {"shape": "constant", "mean_s": 4},
        },
        redial={"chance": 0.5, "after": {"shape": "exponential", "mean_s": 120}, "most": 3},
        shrinkage=0.1,
        callers=[{"share": 0.8, "skills": {"zh": 1}}, {"share": 0.2, "skills": {"yue": 2}}],
        crew=[{"share": 0.5, "skills": {"zh": 4, "yue": 3}}, {"share": 0.5, "skills": {"zh": 5}}],
        roster=[3, 5, 6, 6, 6, 5, 4, 3, 3, 4, 6, 6, 5, 4, 3, 2],
        queues={"general": {"overflow_wait_s": 90}},
    )


class _Journal:
    def __init__(self, config) -> None:
        self.lines = [journal.header(config, 0, 0)]
        self.announced = 0

    def step(self, now_ms, event, decisions):
        self.lines.append(journal.encode(event, now_ms))
        self.lines += [journal.encode(decision, now_ms) for decision in decisions]
        self.announced += sum(isinstance(decision, Announce) for decision in decisions)


def test_the_same_seed_gives_the_same_day_and_another_seed_another():
    scenario = build(lively())
    first, again, other = (play_day(scenario, demand=Demand(scenario, seed)) for seed in (7, 7, 8))
    assert first.facts == again.facts
    assert first.facts != other.facts


def test_a_simulated_day_is_a_day_of_the_engine_and_its_journal_gives_the_same_figures():
    scenario = build(lively())
    written = _Journal(engine_config(scenario))
    day = play_day(scenario, listener=written)
    assert journal.verify(written.lines) is None
    assert collect(written.lines) == day.facts
    assert written.announced > 100


def test_every_citizen_calls_and_every_call_comes_to_an_end():
    scenario = build(lively())
    day = play_day(scenario)
    assert set(day.callers.values()) == {str(number) for number in range(420)}
    assert all(call.ended_ms is not None for call in day.facts.calls)
    assert {call.sent_on for call in day.facts.calls} == {"", "voicemail"}
    assert all(talk.wrapped_ms is not None for call in day.facts.calls for talk in call.talks)
    assert len(day.facts.calls) > 420
    assert max(int(call.call_id.rpartition("-")[2]) for call in day.facts.calls) == 3


def test_cantonese_callers_are_served_only_by_those_who_speak_it():
    day = play_day(build(lively()))
    speakers = {talk.agent_id for call in day.facts.calls if call.skills == "yue:2" for talk in call.talks}
    everybody = {talk.agent_id for call in day.facts.calls for talk in call.talks}
    assert speakers < everybody


def test_agents_are_away_for_the_share_of_their_time_that_shrinkage_says():
    scenario = build(flat(14, {"shape": "endless"}, shrinkage=0.15, calls=800))
    spans = play_day(scenario).facts.spans
    away = sum(span.ended_ms - span.began_ms for span in spans if span.state is AgentState.NOT_READY)
    whole = sum(span.ended_ms - span.began_ms for span in spans)
    assert away / whole == pytest.approx(0.15, abs=0.01)


def test_fewer_agents_answer_fewer_of_the_same_citizens():
    scenario = build(lively())
    demands = [Demand(scenario, seed) for seed in range(3)]
    few, many = (play(scenario, tuple([agents] * 16), demands).whole for agents in (2, 7))
    assert few.answered / few.settled < many.answered / many.settled
    assert len(few.callers) == len(many.callers) == 3 * 420
    assert few.offered > many.offered  # who is not answered calls again


def test_nobody_at_work_means_nobody_is_answered_and_the_day_still_ends():
    scenario = build(flat(0, {"shape": "endless"}, calls=50))
    day = play_day(scenario)
    assert [call.answered_ms for call in day.facts.calls] == [None] * 50
    assert all(call.ended_ms is not None for call in day.facts.calls)


def test_a_day_copied_in_the_middle_goes_on_as_the_original_does():
    scenario = build(lively())
    demand = Demand(scenario)
    day = Day(scenario, scenario.roster, demand, ())
    assert day.advance(day.opens_ms + 3 * 3_600_000)
    copy: Day = pickle.loads(pickle.dumps(day))
    copy.adopt(demand)
    ends = []
    for one in (day, copy):
        one.listeners = (heard := _Journal(engine_config(scenario)),)
        one.finish()
        ends.append(heard.lines)
    assert ends[0] == ends[1]


def test_halves_of_the_day_add_up_to_the_whole():
    scenario = build(lively())
    outcome = play(scenario, scenario.roster, [Demand(scenario)])
    for name in ("offered", "answered", "abandoned", "sent_on", "busy_ms", "available_ms", "away_ms", "talk_ms"):
        assert sum(getattr(slot, name) for slot in outcome.slots) == getattr(outcome.whole, name), name
