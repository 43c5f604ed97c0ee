"""`hotline acd simulate` as a supervisor meets it: tables, plots, JSON, exit statuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from acd.simulate.scenario import FOLDER
from tests.integration.test_cli_journal import run

SMALL = """
name: small
title: {zh: 小, en: Small}
opens: "08:00"
closes: "10:00"
calls: 150
profile: [1, 2, 2, 1]
handling:
  talk: {shape: exponential, mean_s: 120}
patience: {shape: PATIENCE, mean_s: 60}
roster: [2, 2, 2, 2]
target: {connected: 0.9}
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    file = tmp_path / "small.yaml"
    file.write_text(SMALL.replace("PATIENCE", "exponential"))
    return file


def test_tables_and_plots_of_the_day_and_of_the_roster_that_is_found(tmp_path: Path, small: Path) -> None:
    shown = run(tmp_path, "acd", "simulate", str(small), "--days", "3")
    assert shown.returncode == 0, shown.stderr
    assert "现行排班" in shown.stdout
    assert "所求排班" in shown.stdout
    assert "09:30" in shown.stdout
    assert (tmp_path / "simulations/small.png").read_bytes()[:4] == b"\x89PNG"
    assert "<svg" in (tmp_path / "simulations/small.html").read_text()


def test_the_same_seed_gives_the_same_json_and_the_target_is_reached(tmp_path: Path, small: Path) -> None:
    arguments = ("acd", "simulate", str(small), "--days", "3", "--json", "--target", "92%", "--seed", "4")
    first, again = (run(tmp_path, *arguments).stdout for _ in range(2))
    assert first == again
    told = json.loads(first)
    assert told["days"] == 3
    assert told["today"]["day"]["connect_rate"]["value"] < 0.92
    assert all(one["figures"]["connect_rate"]["value"] >= 0.92 for one in told["found"]["half_hours"])
    assert sum(told["found"]["roster"]) > sum(told["today"]["roster"])


def test_without_a_search_only_the_day_is_shown(tmp_path: Path, small: Path) -> None:
    told = json.loads(run(tmp_path, "acd", "simulate", str(small), "--no-search", "--days", "1", "--json").stdout)
    assert told["found"] is None


def test_a_target_out_of_reach_is_exit_status_1(tmp_path: Path) -> None:
    file = tmp_path / "hasty.yaml"
    text = SMALL.replace("PATIENCE, mean_s: 60", "constant, mean_s: 1")
    file.write_text(text.replace("mean_s: 120}", "mean_s: 120}\n  ring: {shape: constant, mean_s: 5}"))
    shown = run(tmp_path, "acd", "simulate", str(file), "--days", "1")
    assert shown.returncode == 1
    assert "08:00: the target is missed" in shown.stderr


def test_a_wrong_scenario_names_its_line_and_is_exit_status_2(tmp_path: Path, small: Path) -> None:
    small.write_text(small.read_text().replace("calls: 150", "calls: many"))
    shown = run(tmp_path, "acd", "simulate", str(small))
    assert shown.returncode == 2
    assert "line 6, column 1" in shown.stderr
    assert "docs/simulation.md" in shown.stderr


@pytest.mark.parametrize("arguments", [("nowhere",), ("town38", "--target", "150%"), ("town38", "--target", "most")])
def test_wrong_use_is_exit_status_2(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    shown = run(tmp_path, "acd", "simulate", *arguments)
    assert shown.returncode == 2
    assert "Remedy:" in shown.stderr
    assert "Traceback" not in shown.stderr


def test_shipped_scenarios_are_named_when_there_is_none_of_that_name(tmp_path: Path) -> None:
    shown = run(tmp_path, "acd", "simulate", "nowhere")
    for file in FOLDER.glob("*.yaml"):
        assert file.stem in shown.stderr
