"""Is what callers are told about their wait true?"""

from __future__ import annotations

import pytest

from acd.calibration import calibration
from acd.model import (
    AgentNotReady,
    AgentReady,
    Announce,
    CallLeft,
    EngineConfig,
    NextState,
    PhoneChanged,
    WaitPredicted,
)
from acd.prediction import Handling
from acd.report.facts import collect
from acd.report.formulas import BY_KEY
from acd.report.tally import tally
from acd.states import AgentState
from tests.acd_kit.centre import Centre
from tests.acd_kit.lab import Lab, of, patient

CONFIG = EngineConfig(queues=(patient(),), wrapup_s=0)


def small(centre: Centre) -> None:
    centre.staff(8)
    centre.calls(5, 152, 0.35)


def large(centre: Centre) -> None:
    centre.staff(40)
    centre.calls(2, 790, 0.3)


def skilled(centre: Centre) -> None:
    centre.staff(12, zh=5)
    centre.staff(5, zh=5, yue=5)
    centre.staff(4, zh=3, en=5)
    for skill, per_hour in (("zh", 280), ("yue", 80), ("en", 50)):
        centre.calls(2.5, per_hour, 0.3, skills={skill: 1})


def with_priority(centre: Centre) -> None:
    centre.staff(10)
    centre.calls(4, 150, 0.3)
    centre.calls(4, 50, priority=30)


@pytest.mark.parametrize("build", [small, large, skilled, with_priority], ids=lambda build: build.__name__)
def test_it_is_nearer_to_the_truth_than_the_average_wait_of_those_answered(build):
    told, error, average, covered = 0, 0.0, 0.0, 0.0
    for seed in (1, 2):
        centre = Centre(CONFIG, seed)
        build(centre)
        centre.run()
        told += len(centre.told)
        error += centre.error_s() * len(centre.told)
        average += centre.average_error_s() * len(centre.told)
        covered += centre.coverage() * len(centre.told)
    assert told > 500
    assert error < 0.7 * average
    assert 0.6 < covered / told < 0.95


def test_the_journal_tells_how_well_it_was_foretold():
    centre = Centre(CONFIG, 3)
    small(centre)
    centre.run()
    seen = calibration(centre.lab.lines)
    assert seen.answered == len(centre.told)
    assert seen.coverage == pytest.approx(centre.coverage())
    assert seen.error_s == pytest.approx(centre.error_s())
    assert abs(seen.bias_s) < seen.error_s
    assert seen.left == 0
    facts = collect(centre.lab.lines)
    report = tally(facts.calls, facts.spans, facts.until_ms)
    assert BY_KEY["foretold_held"].figure(report).value == pytest.approx(seen.coverage)
    assert BY_KEY["foretold_error"].figure(report).value == pytest.approx(seen.error_s)


def test_who_hangs_up_or_still_waits_is_not_judged():
    lab = Lab()
    lab.talk("c0", "1001")
    lab.join("c1")
    lab.join("c2")
    lab.wait(20)
    lab.do(CallLeft("c1", "hangup"))
    seen = calibration(lab.lines)
    assert (seen.answered, seen.left, seen.coverage) == (0, 1, None)


def told(lab: Lab, call_id: str) -> WaitPredicted:
    return next(item for item in of(WaitPredicted, lab.seen) if item.call_id == call_id)


def with_history(talks: int = 40, *, seconds: float = 100, agents: int = 1) -> Lab:
    """A queue whose talks have all lasted so long."""
    lab = Lab(EngineConfig(queues=(patient(),), wrapup_s=0))
    for number in range(agents):
        lab.talk(f"h{number}", f"10{number + 1:02d}")
    for number in range(talks):
        lab.wait(seconds)
        for agent in range(agents):
            lab.end_talk(f"h{number * agents + agent}")
            following = f"h{(number + 1) * agents + agent}"
            lab.join(following)
            lab.answer(following)
    return lab


def test_what_an_agent_is_doing_counts_not_only_how_many_there_are():
    fresh, old = with_history(), with_history()
    old.wait(60)
    for lab in (fresh, old):
        lab.join("c1")
        lab.wait(16)
    assert told(fresh, "c1").middle_s == pytest.approx(84, abs=12)
    assert told(old, "c1").middle_s == pytest.approx(24, abs=6)


def test_a_wrap_up_is_over_when_its_timer_says_so():
    lab = Lab(EngineConfig(queues=(patient(announce_first_s=5),), wrapup_s=600))
    lab.talk("c0", "1001")
    lab.wait(100)
    lab.end_talk("c0")
    lab.wait(560)
    lab.join("c1")
    lab.wait(6)
    assert told(lab, "c1").middle_s <= 35


def test_who_will_take_no_more_calls_does_not_count():
    lab = with_history(agents=2)
    lab.do(NextState("1002", AgentState.NOT_READY, "meal"))
    lab.join("c1")
    lab.wait(16)
    assert told(lab, "c1").agents == 1
    lab.do(PhoneChanged("1001", False))
    lab.join("c2")
    lab.wait(46)
    assert [(item.wait_low_s, item.wait_high_s) for item in of(Announce, lab.seen) if item.call_id == "c2"] == [
        (None, None)
    ]


def test_more_agents_shorten_what_is_told_later_and_fewer_never_lengthen_it():
    lab = with_history()
    for number in range(8):
        lab.join(f"c{number}")
    lab.wait(16)
    first = [item for item in of(Announce, lab.seen) if item.call_id == "c7"][-1]
    for number in range(3):
        lab.sign_in(f"20{number:02d}")
        lab.answer(f"c{number}")
    lab.wait(46)
    then = [item for item in of(Announce, lab.seen) if item.call_id == "c7"][-1]
    assert then.wait_high_s < first.wait_high_s
    for number in range(3):
        lab.do(AgentNotReady(f"20{number:02d}"))
        lab.end_talk(f"c{number}")
    lab.wait(46)
    last = [item for item in of(Announce, lab.seen) if item.call_id == "c7"][-1]
    assert last.wait_high_s <= then.wait_high_s


def test_one_forgotten_call_spoils_nothing():
    steady = Handling.of([100_000] * 127 + [3_600_000], 100_000)
    assert steady.mean_ms < 105_000
    assert steady.remaining_ms([10_000])[0] < 130_000


def test_without_history_the_expected_handling_time_is_what_is_known():
    unknown = Handling.of([], 180_000)
    assert (unknown.mean_ms, round(unknown.variation, 2)) == (180_000, 1.0)
    assert unknown.remaining_ms([500_000]) == [180_000]


def test_a_long_talk_is_expected_to_last_as_long_talks_do():
    mixed = Handling.of([60_000] * 60 + [600_000] * 20, 180_000)
    assert mixed.remaining_ms([90_000]) == [510_000]


def test_callers_who_keep_overtaking_make_others_wait_longer():
    def foretold(overtake: bool) -> int:
        lab = with_history()
        for _ in range(100):  # in general callers are patient
            lab.engine._floor.lines["general"].patience.learn(300_000, gave_up=False)
        lab.join("waits")
        for number in range(10):
            lab.wait(20)
            lab.join(f"p{number}", priority=30 if overtake else 0)
            lab.do(CallLeft(f"p{number}", "hangup"))
        lab.join("c1")
        lab.wait(16)
        return told(lab, "c1").middle_s

    assert foretold(True) > foretold(False) + 30


def test_callers_with_other_needs_count_as_far_as_they_compete_for_the_same_agents():
    lab = Lab(EngineConfig(queues=(patient(),), wrapup_s=0))
    lab.sign_in("1001", zh=5, ready=True)
    lab.sign_in("1002", zh=5, yue=5)
    for call_id in ("t1", "t2"):
        lab.join(call_id)
        lab.answer(call_id)
    for number in range(6):
        lab.join(f"y{number}", skills={"yue": 1})
    lab.join("zh", skills={"zh": 1})
    lab.join("yue", skills={"yue": 1})
    lab.wait(16)
    # Six Cantonese callers ahead hold up one agent of two, so not everybody.
    assert told(lab, "y0").middle_s < told(lab, "zh").middle_s < told(lab, "yue").middle_s / 2


def test_predictions_are_logged_once_for_each_caller():
    lab = with_history()
    lab.join("c1")
    lab.wait(200)
    assert len([item for item in of(WaitPredicted, lab.seen) if item.call_id == "c1"]) == 1
    lab.do(AgentReady("1001"))
