"""The smallest roster: enough everywhere, and not one agent more than that; and the shifts that cover it."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acd.simulate.demand import Demand
from acd.simulate.play import play
from acd.simulate.scenario import Target, build
from acd.simulate.search import NotFound, first_guess, meets, smallest
from acd.simulate.shifts import Shift, cover, roster_of


def scenario(slots: int = 4, calls: int = 240, **more: object):
    return build(
        {
            "name": "short",
            "title": {"zh": "短", "en": "short"},
            "opens": "08:00",
            "closes": f"{8 + slots // 2:02}:00",
            "calls": calls,
            "profile": [1, 3, 2, 1] * (slots // 4),
            "handling": {
                "talk": {"shape": "exponential", "mean_s": 120},
                "ring": {"shape": "constant", "mean_s": 2},
            },
            "patience": {"shape": "lognormal", "mean_s": 60, "spread": 0.8},
            "redial": {"chance": 0.5, "after": {"shape": "exponential", "mean_s": 120}, "most": 3},
            "roster": [2] * slots,
            **more,
        }
    )


TARGET = Target(connected=0.9)


def test_what_is_found_reaches_the_target_in_every_half_hour_and_the_day_that_was_not():
    chosen = scenario()
    demands = [Demand(chosen, seed) for seed in range(3)]
    before = play(chosen, chosen.roster, demands)
    assert not all(meets(slot, TARGET) for slot in before.slots)
    found = smallest(chosen, TARGET, demands)
    assert all(meets(slot, TARGET) for slot in found.outcome.slots)
    assert found.outcome.roster == found.need
    assert found.outcome == play(chosen, found.need, demands)


def test_no_half_hour_of_the_chain_could_do_with_one_agent_fewer():
    """Half-hours are decided in order: one fewer in any of them, the later ones as found, misses its target."""
    chosen = scenario()
    demands = [Demand(chosen, seed) for seed in range(3)]
    need = smallest(chosen, TARGET, demands).need
    for slot in range(chosen.slots):
        fewer = tuple(agents - (at == slot) for at, agents in enumerate(need))
        outcome = play(chosen, fewer, demands)
        assert any(not meets(outcome.slots[at], TARGET) for at in range(slot, chosen.slots)), slot


def test_it_is_as_small_as_any_roster_that_trying_all_of_them_finds():
    chosen = scenario(calls=120)
    demands = [Demand(chosen, seed) for seed in range(2)]
    need = smallest(chosen, TARGET, demands).need

    def enough(roster):
        return all(meets(slot, TARGET) for slot in play(chosen, roster, demands).slots)

    around = [range(max(0, agents - 2), agents + 1) for agents in need]
    sizes = sorted((sum(roster), roster) for roster in product(*around) if sum(roster) < sum(need))
    better = next((roster for _, roster in sizes if enough(roster)), None)
    # Strength borrowed from a half-hour later may save an agent; more than one it does not.
    assert better is None or sum(need) - sum(better) <= 1


def test_a_service_level_asks_for_more_than_a_connect_rate():
    chosen = scenario()
    demands = [Demand(chosen, seed) for seed in range(3)]
    connected = smallest(chosen, TARGET, demands).need
    in_time = smallest(chosen, Target(connected=0.9, in_time=0.95, within_s=10), demands).need
    assert sum(in_time) > sum(connected)


def test_shifts_cover_the_need_and_the_target_is_still_reached():
    chosen = scenario(slots=8, calls=400, shift_hours=[1, 2])
    demands = [Demand(chosen, seed) for seed in range(3)]
    found = smallest(chosen, TARGET, demands)
    assert found.outcome.roster == roster_of(found.shifts, chosen.slots)
    assert {shift.slots for shift in found.shifts} <= {2, 4}
    assert all(have >= need for have, need in zip(found.outcome.roster, found.need, strict=True))
    assert all(meets(slot, TARGET) for slot in found.outcome.slots)


def test_a_target_that_no_roster_reaches_is_said_with_its_half_hour():
    impatient = scenario(calls=40, patience={"shape": "constant", "mean_s": 1})  # gone before any phone is picked up
    with pytest.raises(NotFound, match="08:00"):
        smallest(impatient, TARGET, [Demand(impatient)])


def test_progress_is_told_half_hour_by_half_hour():
    heard = []
    chosen = scenario(calls=40)
    smallest(chosen, TARGET, [Demand(chosen)], lambda done, total: heard.append((done, total)))
    assert heard == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_the_first_guess_makes_up_for_shrinkage():
    here, away = scenario(), scenario(shrinkage=0.25)
    assert sum(first_guess(away, TARGET)) >= sum(first_guess(here, TARGET)) / 0.75


# -------------------------------------------------------------------------------------------------------------- shifts


def test_one_long_shift_is_cheaper_than_two_short_ones_that_overlap():
    assert cover([1, 1, 1, 1, 1], [3, 5]) == [Shift(0, 5, 1)]
    assert cover([1, 1, 1, 0, 1, 1, 1], [3, 7]) == [Shift(0, 3, 1), Shift(4, 3, 1)]


def test_a_peak_shorter_than_any_shift_is_covered_all_the_same():
    shifts = cover([0, 0, 5, 0], [2])
    assert roster_of(shifts, 4)[2] == 5
    assert sum(shift.slots * shift.agents for shift in shifts) == 10


def test_no_shift_begins_before_opening_or_ends_after_closing():
    assert cover([3, 0, 0, 2], [3]) == [Shift(0, 3, 3), Shift(1, 3, 2)]


def test_shifts_longer_than_the_day_do_not_fit():
    with pytest.raises(ValueError, match="no shift fits"):
        cover([1, 1], [3])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 2), min_size=3, max_size=5), st.sets(st.integers(1, 3), min_size=1, max_size=2))
def test_no_other_shifts_cover_the_need_with_fewer_hours(need, lengths):
    shifts = cover(need, sorted(lengths))
    assert all(have >= wanted for have, wanted in zip(roster_of(shifts, len(need)), need, strict=True))
    cost = sum(shift.slots * shift.agents for shift in shifts)
    places = [(begins, length) for length in lengths for begins in range(len(need) - length + 1)]
    best = _cheapest(need, places)
    assert cost == best


def _cheapest(need, places) -> int:
    """By going through the half-hours: whoever must be there now begins one of the shifts that reach it."""
    from functools import cache

    @cache
    def rest(missing: tuple[int, ...]) -> int:
        at = next((slot for slot, number in enumerate(missing) if number > 0), None)
        if at is None:
            return 0
        return min(
            length + rest(tuple(n - (begins <= slot < begins + length) for slot, n in enumerate(missing)))
            for begins, length in places
            if begins <= at < begins + length
        )

    return rest(tuple(need))
