"""The wait as it is foretold: from how agents become free, who gives up, and who comes back from a break."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from math import ceil, inf

import pytest

from acd import journal
from acd.freeing import CELLS, Breaks, Work
from acd.model import (
    AgentSignedIn,
    AgentSignedOut,
    Announce,
    CallJoined,
    CallLeft,
    EngineConfig,
    NextState,
    Prediction,
    QueueConfig,
    TalkAdopted,
    Tick,
    WaitPredicted,
)
from acd.outlook import foretell, outlook
from acd.patience import Patience
from acd.prediction import Wait, rivals_of, serving_of
from acd.simulate.demand import Demand
from acd.simulate.play import play_day
from acd.simulate.scenario import build
from acd.states import AgentState
from tests.acd_kit.centre import Centre
from tests.acd_kit.lab import T0, Lab, of, patient
from tests.bench.wait import Listener, mean

CONFIG = EngineConfig(queues=(patient(),), wrapup_s=0)


def foretold(lab: Lab, call_id: str) -> Wait | None:
    """What the caller would be told at this moment."""
    floor = lab.engine._floor
    return foretell(floor, floor.calls[call_id], floor.position(floor.calls[call_id]))


def crowd(agents: int, callers: int) -> Lab:
    """Everybody talks, and so many wait."""
    lab = Lab(CONFIG)
    for number in range(agents):
        lab.talk(f"t{number}", f"{1000 + number}")
    for number in range(callers):
        lab.join(f"c{number}")
    return lab


# --------------------------------------------------------------------------------------------- properties of the wait


@pytest.mark.parametrize(("agents", "callers"), [(1, 1), (1, 30), (3, 400), (80, 5), (80, 2_000)])
def test_the_wait_grows_with_the_place(agents, callers):
    lab = crowd(agents, callers)
    waits = [foretold(lab, f"c{number}") for number in range(0, callers, max(1, callers // 25))]
    for nearer, farther in itertools.pairwise(waits):
        assert nearer.low_s <= farther.low_s
        assert nearer.middle_s <= farther.middle_s
        assert nearer.high_s <= farther.high_s


@pytest.mark.parametrize("callers", [1, 40, 3_000])
def test_low_middle_and_high_stand_in_order_and_are_never_below_nought(callers):
    lab = crowd(5, callers)
    for number in range(0, callers, max(1, callers // 50)):
        wait = foretold(lab, f"c{number}")
        assert 0 <= wait.low_s <= wait.middle_s <= wait.high_s


def test_without_history_waits_are_those_of_the_expected_handling_time():
    lab = crowd(10, 40)
    # Forty departures at ten agents and three minutes each, all left to chance: 12 minutes.
    assert foretold(lab, "c39").middle_s == pytest.approx(720, rel=0.15)


def test_nothing_is_foretold_while_nobody_works_and_something_as_soon_as_somebody_does():
    lab = Lab(CONFIG)
    lab.sign_in("1001", ready=False)
    lab.join("c1")
    lab.join("c2")
    assert foretold(lab, "c2") is None
    lab.sign_in("1002")
    lab.answer("c1")
    assert 0 < foretold(lab, "c2").middle_s < 600


def test_what_is_told_never_rises_although_agents_go_and_others_overtake():
    centre = Centre(EngineConfig(queues=(patient(announce_first_s=5, announce_every_s=15),), wrapup_s=0), 7)
    centre.staff(6)
    centre.calls(2, 110, 0.4)
    centre.calls(2, 25, priority=30)
    centre.run()
    last: dict[str, Announce] = {}
    rises = repeated = 0
    for item in of(Announce, centre.lab.seen):
        before = last.get(item.call_id)
        if before is not None and before.wait_high_s is not None:
            repeated += 1
            rises += item.position > before.position or item.wait_high_s > before.wait_high_s
            rises += item.wait_low_s > before.wait_low_s
        last[item.call_id] = item
    assert repeated > 500
    assert rises == 0


def test_after_a_restart_waits_are_sane_at_once():
    lab = Lab(CONFIG)
    for number in range(10):
        lab.do(TalkAdopted(f"t{number}", f"{1000 + number}", T0 - 60_000))
        lab.sign_in(f"{1000 + number}")
    for number in range(50):
        lab.do(CallJoined(f"c{number}", "general", T0 - 1000 * (400 - number), attempt=2))
    assert foretold(lab, "c0").middle_s < 90
    assert 400 < foretold(lab, "c49").middle_s < 1_100


def test_a_day_without_calls_changes_nothing_that_was_known():
    lab = crowd(4, 3)
    for number in range(4):
        lab.wait(100)
        lab.end_talk(f"t{number}")
    known = lab.engine._floor.lines["general"].work
    before = list(known.talks)
    for number in range(3):
        lab.do(CallLeft(f"c{number}", "hangup"))
    lab.now += 86_400_000
    lab.do(Tick())
    for number in range(6):
        lab.join(f"n{number}")
    assert list(known.talks) == before
    wait = foretold(lab, "n5")
    assert wait is None or 0 <= wait.low_s <= wait.high_s < 3_600


@pytest.mark.parametrize(("agents", "callers"), [(3, 400), (80, 5), (80, 2_000)])
def test_a_line_played_on_as_far_as_asked_goes_on_as_one_that_is_played_to_its_end(agents, callers):
    lab = crowd(agents, callers)
    floor = lab.engine._floor
    demand = floor.calls["c0"].demand
    little_by_little = outlook(floor, demand)
    demand.profile = None
    at_once = outlook(floor, demand)
    at_once.when(1e9)
    assert at_once.all_played
    assert not little_by_little.all_played
    for place in (0.4, 3.0, callers / 9, callers / 2, callers * 3.0):
        ms = little_by_little.when(place)
        assert ms == at_once.when(place)
        assert little_by_little.until(ms) == at_once.until(ms) == pytest.approx(place)
        assert little_by_little.spread_ms(place, ms, 2.0) == at_once.spread_ms(place, ms, 2.0)
    assert little_by_little.moments == at_once.moments


def other_needs(lab: Lab, many: int) -> None:
    """Callers of so many other needs, whom some of those at work can serve too."""
    for number in range(many):
        lab.sign_in(f"{2000 + number}", zh=5, **{f"s{number}": 3})
        lab.join(f"a{number}", skills={f"s{number}": 1})
        lab.answer(f"a{number}")
        for caller in range(number % 4):
            lab.join(f"o{number}-{caller}", skills={f"s{number}": 1})


def test_how_a_line_goes_on_is_kept_three_times_as_long_as_what_is_known_of_its_rivals():
    lab = Lab(CONFIG)
    other_needs(lab, 10)
    lab.join("c0", skills={"zh": 1})
    floor = lab.engine._floor
    demand = floor.calls["c0"].demand
    seen = outlook(floor, demand)
    assert (seen.rivals_until - seen.made, seen.good_until - seen.made) == (3_300, 9_900)  # 0.3 s for each of 11 needs
    before = seen.all_rivals
    for number in range(3):
        lab.join(f"more{number}", skills={"s2": 1})
    lab.wait(3.2)
    lab.do(Tick())
    assert outlook(floor, demand) is seen
    assert seen.all_rivals == before
    lab.wait(0.1)
    lab.do(Tick())
    assert outlook(floor, demand) is seen
    assert seen.all_rivals > before
    assert seen.rivals_until - floor.clock.tau == 3_300
    lab.wait(6.6)
    lab.do(Tick())
    assert outlook(floor, demand) is not seen


@pytest.mark.parametrize(("behaviour", "agents", "fewer"), [(4, 40, 3), (4, 10, 1), (3, 40, 1)])
def test_an_outlook_is_good_until_more_than_a_twentieth_of_the_agents_have_come_or_gone(behaviour, agents, fewer):
    lab = Lab(replace(CONFIG, behaviour=behaviour))
    for number in range(agents):
        lab.talk(f"t{number}", f"{1000 + number}")
    lab.join("c0")
    floor = lab.engine._floor
    demand = floor.calls["c0"].demand
    seen = outlook(floor, demand)
    for number in range(fewer):
        assert outlook(floor, demand) is seen
        lab.do(AgentSignedOut(f"{1000 + number}"))
    anew = outlook(floor, demand)
    assert anew is not seen
    assert (seen.agents, anew.agents) == (agents, agents - fewer)


def test_going_over_all_rivals_one_by_one_comes_to_the_same_where_it_is_left_out():
    lab = Lab(CONFIG)
    other_needs(lab, 12)
    for number in range(120):
        lab.join(f"c{number}", skills={"zh": 1})
    left_out = 0
    floor = lab.engine._floor
    demand = floor.calls["c0"].demand
    for number in range(120):
        at_once = foretold(lab, f"c{number}")
        seen, steepest = demand.profile, demand.profile.steepest
        seen.steepest = inf
        assert foretold(lab, f"c{number}") == at_once
        seen.steepest = steepest
        share_ahead = (floor.position(floor.calls[f"c{number}"]) - 1) / (floor.lines["general"].order.size - 1)
        left_out += 0 < steepest * share_ahead <= at_once.middle_s * 1000 / seen.mean_ms
    assert left_out > 100


def told_at_60_s(behaviour: int, served_s: int) -> tuple[Announce, Announce]:
    """What the last of forty was told after 15 s and after 60, when somebody had been served every so many seconds."""
    lab = Lab(replace(CONFIG, behaviour=behaviour))
    for number in range(10):
        lab.talk(f"t{number}", f"{1000 + number}")
    for number in range(40):
        lab.join(f"c{number}")
    lab.wait(16)
    for number in range(44 // served_s):
        lab.wait(served_s)
        lab.end_talk(f"t{number}")
        lab.answer(f"c{number}")
    lab.wait(44 % served_s + 1)
    first, second = [said for said in of(Announce, lab.seen) if said.call_id == "c39"]
    return first, second


def test_between_two_forecasts_a_wait_shortens_as_the_line_has_gone_on():
    first, slowly = told_at_60_s(4, served_s=20)
    _, quickly = told_at_60_s(4, served_s=6)
    assert (first.position, slowly.position, quickly.position) == (40, 38, 33)
    assert slowly.wait_high_s == ceil(first.wait_high_s * 37.5 / 39.5)
    assert quickly.wait_low_s == int(first.wait_low_s * 32.5 / 39.5)


def test_by_the_rules_of_behaviour_3_a_wait_passed_as_foretold_however_the_line_went_on():
    first, slowly = told_at_60_s(3, served_s=20)
    _, quickly = told_at_60_s(3, served_s=6)
    assert first.wait_high_s - slowly.wait_high_s == first.wait_high_s - quickly.wait_high_s == 45


def test_who_waits_for_one_agent_of_their_own_is_not_told_to_be_next_because_the_others_are_served():
    lab = Lab(CONFIG)
    for number in range(1, 20):
        lab.talk(f"t{number}", f"{1000 + number}")
    lab.sign_in("2000", zh=3, yue=3)
    lab.join("y0", skills={"yue": 1})
    lab.answer("y0")
    for number in range(19):
        lab.join(f"c{number}")
    lab.join("y1", skills={"yue": 1})
    lab.wait(16)
    for number in range(19):
        lab.end_talk(f"t{number + 1}")
        lab.answer(f"c{number}")
    lab.wait(45)
    first, second = [said for said in of(Announce, lab.seen) if said.call_id == "y1"]
    assert (first.position, second.position) == (20, 1)
    assert second.wait_high_s == ceil((first.wait_high_s - 45) / 2)


def test_whom_callers_compete_with_is_known_anew_when_an_agent_learns_a_skill():
    lab = Lab(CONFIG)
    for number in range(4):
        lab.do(TalkAdopted(f"t{number}", f"{1000 + number}", T0))
        lab.do(AgentSignedIn(f"{1000 + number}", {"zh": 3}, ("general",)))
    lab.do(CallJoined("c1", "general", T0, 0, {"zh": 1}))
    lab.do(CallJoined("c2", "general", T0, 0, {"yue": 1}))
    floor = lab.engine._floor
    demand = floor.calls["c1"].demand

    def rivals() -> list[tuple[float, float]]:
        return rivals_of(demand, serving_of(floor, demand))

    assert rivals() == []
    lab.do(AgentSignedIn("1002", {"zh": 3, "yue": 2}, ("general",)))
    assert rivals() == [(1.0, 1.0)]
    lab.do(CallLeft("c2", "hangup"))
    assert rivals() == []


# ---------------------------------------------------------------------------------------------- who gives up, who ahead


def test_the_more_callers_give_up_the_shorter_the_wait_of_those_behind():
    def last_of(give_up: bool) -> int:
        lab = crowd(10, 0)
        for number in range(300):
            lab.join(f"h{number}")
        lab.wait(120)
        for number in range(300):
            lab.engine._floor.lines["general"].patience.learn(120_000, gave_up=give_up)
            lab.engine._floor.set_call(lab.engine._floor.calls[f"h{number}"], None)
        lab.wait(60)  # what was foretold to them is not good for so long
        for number in range(60):
            lab.join(f"c{number}")
        return foretold(lab, "c59").middle_s

    assert last_of(give_up=True) < 0.7 * last_of(give_up=False)


def test_patience_is_the_share_that_was_seen_to_stay():
    seen = Patience()
    for number in range(1_600):
        seen.learn(60_000, gave_up=False) if number % 4 else seen.learn(45_000, gave_up=True)
    survival = seen.survival()
    assert survival.at(0) == 1
    assert survival.at(29_000) > 0.95
    assert survival.at(60_000) == pytest.approx(0.75, abs=0.05)
    shares = [survival.at(1_000 * second) for second in range(0, 3_000, 7)]
    assert all(later <= earlier for earlier, later in itertools.pairwise(shares))
    assert shares[-1] > 0


def test_who_was_not_let_in_says_nothing_of_patience():
    lab = Lab(EngineConfig(queues=(QueueConfig("general", overflow_length=1),), wrapup_s=0))
    lab.talk("t0", "1001")
    lab.join("c0")
    lab.wait(1)
    lab.join("c1")
    assert lab.engine._floor.lines["general"].patience.gone == [0] * 12


def test_without_anybody_seen_nobody_is_taken_to_give_up():
    assert Patience().survival().at(3_600_000) == 1


# ------------------------------------------------------------------------------------------------ how agents get free


def test_an_agent_is_free_on_average_once_in_a_mean_handling():
    work = Work()
    for number in range(400):
        work.talked(100_000 + number * 500)
        work.wrapped_up(20_000 + number * 50)
        work.rang(4_000)
    rhythm = work.rhythm(180_000, 30_000)
    assert rhythm.mean_ms == pytest.approx(4_000 + 200_000 + 30_000, rel=0.03)
    # Begun one after the other at every moment of a handling, a hundred agents are free a hundred times in one.
    grid_ms = CELLS * rhythm.cell_ms
    assert sum(rhythm.ever_after) - 1 == pytest.approx(grid_ms / rhythm.mean_ms - 0.4, abs=0.25)


def test_a_wrap_up_that_agents_end_themselves_does_not_last_until_its_limit():
    config = EngineConfig(queues=(patient(),), wrapup_s=3_600)
    centre_s = {}
    for limit_s in (3_600, 60):
        lab = Lab(EngineConfig(queues=config.queues, wrapup_s=limit_s))
        lab.talk("t0", "1001")
        for _ in range(60):
            lab.engine._floor.lines["general"].work.talked(100_000)
            lab.engine._floor.lines["general"].work.wrapped_up(30_000)
        lab.wait(100)
        lab.end_talk("t0")
        lab.wait(5)
        lab.join("c1")
        centre_s[limit_s] = foretold(lab, "c1").middle_s
    assert centre_s[3_600] < 60
    assert abs(centre_s[3_600] - centre_s[60]) < 10


def test_whoever_comes_back_from_a_break_stands_in_for_those_who_say_they_go():
    breaks = Breaks()
    for _ in range(20):
        breaks.learn(360_000)
    assert sum(breaks.back([300_000], 16_000)) == 0  # nobody ever said so beforehand
    breaks.said.append(True)
    flow = breaks.back([300_000], 16_000)
    assert flow[60_000 // 16_000] == pytest.approx(1)
    assert sum(flow) == pytest.approx(1)
    assert sum(breaks.back([400_000], 16_000)) == 0  # longer than any: nothing is known


def test_a_wish_for_a_break_that_was_said_beforehand_is_counted():
    lab = crowd(1, 0)
    lab.do(NextState("1000", AgentState.NOT_READY, "meal"))
    lab.end_talk("t0")
    assert list(lab.engine._floor.breaks.said) == [True]


# ------------------------------------------------------------------------------------------ journals and whole days


def test_a_journal_of_behaviour_2_is_decided_as_it_was_then():
    centre = Centre(EngineConfig(queues=(patient(),), wrapup_s=0, prediction=Prediction.REMAINING), 3)
    centre.staff(4)
    centre.calls(0.7, 90, 0.3)
    centre.run()
    lines = centre.lab.lines
    header = json.loads(lines[0])
    assert header["c"].pop("prediction") == "remaining"  # then the default, and so not written
    assert of(WaitPredicted, centre.lab.seen)
    assert journal.verify([json.dumps({**header, "v": 2}), *lines[1:]]) is None
    assert journal.verify([json.dumps({**header, "v": 3}), *lines[1:]]) is not None


def test_a_journal_of_behaviour_3_is_decided_as_it_was_then():
    centre = Centre(EngineConfig(queues=(patient(),), wrapup_s=0, behaviour=3), 3)
    centre.staff(25, zh=3, en=2)
    centre.staff(5, zh=3)
    centre.calls(0.5, 700, 0.3, skills={"zh": 1})
    centre.calls(0.5, 120, 0.3, skills={"en": 1})
    centre.run()
    lines = centre.lab.lines
    header = json.loads(lines[0])
    assert header["c"].pop("behaviour") == 3  # then what the version said, and so not written
    assert of(WaitPredicted, centre.lab.seen)
    assert journal.verify([json.dumps({**header, "v": 3}), *lines[1:]]) is None
    assert journal.verify([json.dumps({**header, "v": 4}), *lines[1:]]) is not None


def test_on_a_day_on_which_many_give_up_waits_are_nearer_than_half_of_what_app_queue_is_off():
    centre = build(
        {
            "name": "day",
            "title": {"zh": "day", "en": "day"},
            "opens": "08:00",
            "closes": "11:00",
            "calls": 3_400,
            "profile": [0.8, 1.0, 1.3, 1.2, 1.0, 0.8],
            "handling": {
                "talk": {"shape": "lognormal", "mean_s": 200, "spread": 0.8},
                "wrapup": {"shape": "lognormal", "mean_s": 40, "spread": 0.6},
                "ring": {"shape": "constant", "mean_s": 4},
            },
            "patience": {"shape": "lognormal", "mean_s": 420, "spread": 1.0},
            "redial": {"chance": 0.4, "after": {"shape": "exponential", "mean_s": 300}, "most": 3},
            "shrinkage": 0.1,
            "roster": [72, 76, 84, 84, 80, 76],
        }
    )
    heard = Listener()
    play_day(centre, demand=Demand(centre, 11), listener=heard)
    errors = heard.errors
    assert len(errors.spoken) > 1_000
    assert mean(errors.both_ours) < 0.6 * mean(errors.spoken)
