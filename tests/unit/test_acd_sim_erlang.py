"""Erlang's formulas against published values, against each other, and against the plain sums they stand for."""

from __future__ import annotations

from math import exp, factorial, inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd.simulate.erlang import agents_needed, erlang_a, erlang_b, erlang_c

RATE = 100 / 1800  # a hundred calls in half an hour


def test_a_hundred_calls_in_half_an_hour_with_fourteen_agents():
    got = erlang_c(RATE, 180, 14, target_s=20)
    assert got.service_level == pytest.approx(0.88835, abs=5e-6)
    assert got.waits == pytest.approx(0.17413, abs=5e-6)
    assert got.occupancy == pytest.approx(0.71429, abs=5e-6)
    assert got.mean_wait_s == pytest.approx(0.17413 * 180 / 4, rel=1e-4)
    assert got.abandons == 0


@pytest.mark.parametrize(("load", "agents"), [(1.0, 1), (10.0, 14), (3.5, 3), (40.0, 30)])
def test_erlang_b_is_the_share_of_the_full_state(load, agents):
    weights = [load**number / factorial(number) for number in range(agents + 1)]
    assert erlang_b(load, agents) == pytest.approx(weights[-1] / sum(weights), rel=1e-12)


def test_erlang_b_with_nobody_calling_or_nobody_there():
    assert (erlang_b(0, 3), erlang_b(0, 0), erlang_b(5, 0)) == (0, 1, 1)
    assert erlang_b(1.0, 400) == 0.0


def test_too_few_agents_for_callers_who_never_give_up_means_waiting_for_ever():
    got = erlang_c(RATE, 180, 10, target_s=20)
    assert (got.waits, got.service_level, got.mean_wait_s, got.occupancy) == (1, 0, inf, 1)


@pytest.mark.parametrize(("agents", "patience_s"), [(8, 60.0), (10, 120.0), (14, 30.0), (2, 5.0)])
def test_erlang_a_is_the_birth_and_death_chain_summed_up(agents, patience_s):
    """The chain itself: arrivals at `RATE`, departures at min(k, n) µ + (k − n)⁺ θ."""
    handling_s, weights = 180.0, [1.0]
    for state in range(1, 2_000):
        out = min(state, agents) / handling_s + max(0, state - agents) / patience_s
        weights.append(weights[-1] * RATE / out)
    whole = sum(weights)
    waiting = sum((state - agents) * weight for state, weight in enumerate(weights) if state > agents) / whole
    got = erlang_a(RATE, handling_s, agents, patience_s, target_s=15)
    assert got.waits == pytest.approx(sum(weights[agents:]) / whole, rel=1e-9)
    assert got.abandons == pytest.approx(waiting / patience_s / RATE, rel=1e-9)
    assert got.mean_wait_s == pytest.approx(waiting / RATE, rel=1e-9)  # Little's law
    busy = sum(min(state, agents) * weight for state, weight in enumerate(weights)) / whole
    assert got.occupancy == pytest.approx(busy / agents, rel=1e-9)


def test_the_service_level_reaches_the_connected_share_as_the_target_grows():
    got = erlang_a(RATE, 180, 9, 60, target_s=100_000 / 60)
    assert got.service_level == pytest.approx(1 - got.abandons, rel=1e-6)
    assert erlang_a(RATE, 180, 9, 60, target_s=0).service_level == pytest.approx(1 - got.waits)


def test_one_agent_who_is_never_free_in_time():
    """M/M/1+M with θ = µ is M/M/∞ seen from the line: P(k) is Poisson, everything is known by hand."""
    got = erlang_a(rate=1 / 60, handling_s=60, agents=1, patience_s=60)
    assert got.waits == pytest.approx(1 - exp(-1))
    assert got.occupancy == pytest.approx(1 - exp(-1))
    assert got.abandons == pytest.approx(exp(-1))


def test_a_line_that_hardly_ever_empties_has_a_service_level_and_not_an_error():
    got = erlang_a(2.0, 10.0, 1, 464.0)
    assert got.service_level < 1e-6


@given(st.floats(0.001, 5), st.floats(10, 900), st.integers(1, 400), st.floats(1, 3_600), st.floats(0, 120))
def test_erlang_a_stays_within_its_bounds(rate, handling_s, agents, patience_s, target_s):
    got = erlang_a(rate, handling_s, agents, patience_s, target_s)
    for share in (got.waits, got.service_level, got.abandons, got.occupancy):
        assert -1e-9 <= share <= 1 + 1e-9
    assert got.service_level <= 1 - got.abandons + 1e-9
    assert got.service_level >= 1 - got.waits - 1e-9
    more = erlang_a(rate, handling_s, agents + 1, patience_s, target_s)
    assert more.abandons <= got.abandons + 1e-9
    assert more.service_level >= got.service_level - 1e-9


def test_very_patient_callers_come_close_to_erlang_c():
    patient, endless = erlang_a(RATE, 180, 14, 1e7, 20), erlang_c(RATE, 180, 14, 20)
    assert patient.service_level == pytest.approx(endless.service_level, rel=1e-4)
    assert patient.waits == pytest.approx(endless.waits, rel=1e-4)
    assert erlang_a(RATE, 180, 14, inf, 20) == endless


def test_a_storm_of_very_patient_callers_is_still_counted():
    got = erlang_a(rate=5, handling_s=200, agents=100, patience_s=600, target_s=15)
    assert got.abandons == pytest.approx(0.9, abs=1e-3)  # 1,000 erlangs, 100 agents
    assert got.occupancy == pytest.approx(1)


def test_the_fewest_agents_are_enough_and_one_fewer_is_not():
    needed = agents_needed(RATE, 180, target_s=20, service_level=0.8)
    assert needed == 14  # the textbook's answer
    assert erlang_c(RATE, 180, needed - 1, 20).service_level < 0.8
    by_share = agents_needed(RATE, 180, 90, connected=0.95)
    assert 1 - erlang_a(RATE, 180, by_share, 90).abandons >= 0.95
    assert 1 - erlang_a(RATE, 180, by_share - 1, 90).abandons < 0.95
    assert agents_needed(0, 180, 90, connected=0.95) == 0


@pytest.mark.parametrize("share", [1.0, 1.5, -0.1])
def test_a_promise_that_nobody_can_keep_is_refused(share):
    with pytest.raises(ValueError, match="between 0 and 1"):
        agents_needed(RATE, 180, 90, connected=share)


@pytest.mark.parametrize(("rate", "agents", "patience_s"), [(-1.0, 3, 60.0), (1.0, -1, 60.0), (1.0, 3, 0.0)])
def test_impossible_input_is_refused(rate, agents, patience_s):
    with pytest.raises(ValueError):
        erlang_a(rate, 180, agents, patience_s)
