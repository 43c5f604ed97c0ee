"""The shipped scenarios are what they say, and a wrong scenario names its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from acd.report.tally import tally
from acd.simulate.demand import Demand
from acd.simulate.play import play, play_day
from acd.simulate.scenario import FOLDER, Shape, Spell
from app.simulation.scenario_file import load, shipped
from ivr.marked_yaml import DataFileError


def test_three_scenarios_are_shipped_and_all_can_be_read():
    assert shipped() == ["centre200", "storm", "town38"]
    for name in shipped():
        scenario = load(name)
        assert scenario.name == name
        assert len(scenario.roster) == scenario.slots


def test_the_town_answers_38_percent_of_some_515_calls_a_day():
    """15,442 calls and 5,901 answered in a month: 514.7 a day, 38.21 %."""
    town = load("town38")
    whole = play(town, town.roster, [Demand(town, seed) for seed in range(16)]).whole
    assert whole.offered / 16 == pytest.approx(15_442 / 30, rel=0.05)
    assert whole.answered / whole.settled == pytest.approx(5_901 / 15_442, abs=0.02)


def test_the_storm_brings_87000_calls():
    """A tenth of it, people and all: what the whole day brings is measured by `hotline acd simulate storm`."""
    from dataclasses import replace

    storm = load("storm")
    tenth = replace(storm, calls=storm.calls // 10, roster=tuple(round(agents / 10) for agents in storm.roster))
    day = play_day(tenth)
    whole = tally(day.facts.calls, day.facts.spans, day.facts.until_ms)
    assert whole.offered * 10 == pytest.approx(87_000, rel=0.05)
    assert 0.4 < whole.answered / whole.settled < 0.7


def changed(tmp_path: Path, *changes: tuple[str, str]) -> Path:
    text = (FOLDER / "town38.yaml").read_text()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    file = tmp_path / "own.yaml"
    file.write_text(text)
    return file


def line_of(file: Path, words: str) -> int:
    return next(number for number, line in enumerate(file.read_text().splitlines(), 1) if words in line)


@pytest.mark.parametrize(
    ("old", "new", "at", "why"),
    [
        ("shrinkage: 0.12", "shrinkage: much", "shrinkage:", "much"),
        ("shape: constant, mean_s: 4", "shape: square, mean_s: 4", "ring:", "square"),
        ("chance: 0.6", "chance: 1.6", "chance:", "1.6"),
        ('opens: "08:00"', 'opens: "08:10"', "opens:", "08:10"),
        ("target: {connected: 0.95}", "target: {connected: 95}", "target:", "95"),
        ("shift_hours: [4, 8]", "shift_hours: [4, 18]", "shift_hours:", "longer than the day"),
        ("roster: [1, 1, 2,", "roster: [1, 2,", "roster: [", "27 half-hours are given, 28"),
        ('closes: "22:00"', 'closes: "07:00"', "closes:", "after it opens"),
        ("shrinkage: 0.12", "shrinkige: 0.12", "shrinkige:", "shrinkige"),
        ("most: 5", "most: [5", "most:", "not YAML"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path, old, new, at, why):
    file = changed(tmp_path, (old, new))
    with pytest.raises(DataFileError) as error:
        load(str(file))
    problems = error.value.problems
    assert any(why in problem.text for problem in problems), problems
    if why != "not YAML":
        assert {problem.line for problem in problems} == {line_of(file, at)}


def test_skills_that_nobody_has_and_shares_that_do_not_add_up_are_named(tmp_path):
    more = "callers:\n  - {share: 0.7}\n  - {share: 0.2, skills: {yue: 3}}\ncrew:\n  - {share: 1.0, skills: {yue: 2}}\n"
    file = changed(tmp_path, ("shrinkage: 0.12", more + "shrinkage: 0.12"))
    with pytest.raises(DataFileError) as error:
        load(str(file))
    assert [problem.text for problem in error.value.problems] == [
        "callers: the shares add up to 0.9 instead of 1",
        "nobody in the crew has yue:3",
    ]


@pytest.mark.parametrize(
    "spell", [Spell(Shape.EXPONENTIAL, 90), Spell(Shape.LOGNORMAL, 90, 0.8), Spell(Shape.CONSTANT, 90)]
)
def test_what_is_drawn_has_the_mean_and_spread_that_were_asked_for(spell):
    from random import Random
    from statistics import mean, stdev

    random = Random(5)
    drawn = [spell.draw_ms(random) / 1000 for _ in range(40_000)]
    assert mean(drawn) == pytest.approx(90, rel=0.02)
    spread = {Shape.EXPONENTIAL: 1.0, Shape.LOGNORMAL: 0.8, Shape.CONSTANT: 0.0}[spell.shape]
    assert stdev(drawn) == pytest.approx(90 * spread, rel=0.05)


def test_the_endless_is_never_drawn():
    from random import Random

    assert Spell(Shape.ENDLESS).draw_ms(Random(1)) is None


def test_calls_follow_the_profile():
    town = load("town38")
    found = [0] * town.slots
    for seed in range(40):
        for one in Demand(town, seed).first:
            found[one.at_ms // 1_800_000] += 1
    for slot, number in enumerate(found):
        expected = town.calls_in(slot) * 40
        assert abs(number - expected) < 4 * expected**0.5
    assert sum(found) == 40 * town.calls
