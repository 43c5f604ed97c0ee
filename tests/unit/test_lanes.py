"""How the tiers share the processors: every file runs once, the longest first, and whoever has no telephone yields."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from lanes import main, plan, processes
from lanes.plan import Lane, Run

FILES = [
    "tests/unit/test_a.py",
    "tests/integration/test_b.py",
    "tests/calls/test_c.py",
    "tests/calls/test_d.py",
    "tests/browser/test_e.py",
    "tests/browser/test_f.py",
    "tests/drills/test_g.py",
]


def planned(durations: dict[str, float]) -> dict[str, Run]:
    lanes = plan.lanes(FILES, frozenset({"tests/browser/test_f.py"}), durations)
    return {run.name: run for lane in lanes for run in lane.runs}


def test_every_file_runs_once() -> None:
    files = [file for run in planned({}).values() for file in run.files]
    assert sorted(files) == sorted(FILES)


def test_the_longest_begins_first_and_one_that_nobody_measured_before_it() -> None:
    durations = {"tests/calls/test_c.py": 5.0, "tests/browser/test_f.py": 9.0}
    assert planned(durations)["calls"].files == (
        "tests/calls/test_d.py",
        "tests/browser/test_f.py",
        "tests/calls/test_c.py",
    )


def test_what_has_real_calls_is_never_in_a_lane_that_yields() -> None:
    lanes = plan.lanes(FILES, frozenset({"tests/browser/test_f.py"}), {})
    yielding = [file for lane in lanes if lane.niceness for run in lane.runs for file in run.files]
    assert sorted(yielding) == ["tests/browser/test_e.py", "tests/integration/test_b.py", "tests/unit/test_a.py"]


def test_calls_and_drills_are_not_beside_each_other() -> None:
    first = plan.lanes(FILES, frozenset(), {})[0]
    assert [(run.name, run.at_a_time) for run in first.runs] == [("calls", 3), ("drills", 2)]


def test_a_file_of_no_tier_is_an_error() -> None:
    with pytest.raises(ValueError, match="belongs to no tier"):
        plan.lanes(["tests/other/test_x.py"], frozenset(), {})


def test_the_checkout_has_every_tier_and_its_telephones_are_found() -> None:
    found = main.files(main.REPO)
    assert {file.split("/")[1] for file in found} == set(plan.TIERS)
    telephones = main.with_telephones(main.REPO, found)
    assert "tests/browser/test_real_call.py" in telephones
    assert "tests/browser/test_login.py" not in telephones


def test_all_tiers_can_be_collected_by_one_pytest() -> None:
    """In folders that are no packages, two files of one name are one module to Python."""
    loose = [Path(file) for file in main.files(main.REPO) if not (main.REPO / file).with_name("__init__.py").exists()]
    assert [name for name, count in Counter(file.name for file in loose).items() if count > 1] == []


def test_most_files_have_been_measured() -> None:
    found = set(main.files(main.REPO))
    measured = found & set(json.loads((main.REPO / main.DURATIONS).read_text()))
    assert len(measured) > 0.8 * len(found), "measure again: scripts/tests --note-durations"


def test_a_lane_that_yields_is_nice_in_a_session_of_its_own(tmp_path: Path) -> None:
    with (tmp_path / "said").open("wb") as said:
        asks = "import os; print(os.nice(0), os.getsid(0) == os.getpid())"
        assert processes.start([sys.executable, "-SEc", asks], tmp_path, os.environ, said, 7).wait() == 0
    assert (tmp_path / "said").read_text().split() == [str(min(19, os.nice(0) + 7)), "True"]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A small checkout with one test in each of two tiers."""
    for tier in ("calls", "unit"):
        (tmp_path / "tests" / tier).mkdir(parents=True)
    return tmp_path


def at_work(checkout: Path, *given: str) -> main.Tests:
    """What takes the lanes there; its pytest has no plugins, so that it starts at once."""
    tests = main.Tests(checkout, given, checkout)
    tests.env["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    return tests


def lanes_of(checkout: Path, *, calls: str, unit: str) -> list[Lane]:
    """Two lanes with a file each, and this in it."""
    for tier, text in (("calls", calls), ("unit", unit)):
        (checkout / f"tests/{tier}/test_it.py").write_text(text)
    return [
        Lane((Run("calls", ("tests/calls/test_it.py",)),)),
        Lane((Run("unit", ("tests/unit/test_it.py",)),), niceness=1),
    ]


PASSES = "def test_it():\n    pass\n"
FAILS = "def test_it():\n    assert False\n"
FAILS_ONCE = (
    "from pathlib import Path\n"
    "def test_it():\n    once = Path('once')\n    tried = once.exists()\n    once.touch()\n    assert tried\n"
)


@pytest.mark.parametrize(
    ("calls", "unit", "status"),
    [(PASSES, FAILS_ONCE, 0), (FAILS, PASSES, 1), (FAILS_ONCE, FAILS, 1)],
)
def test_whatever_fails_in_whichever_lane_twice_fails_all(
    checkout: Path, capfd: pytest.CaptureFixture[str], calls: str, unit: str, status: int
) -> None:
    tests = at_work(checkout)
    main.take_lanes(tests, lanes_of(checkout, calls=calls, unit=unit))
    tests.second_try()
    assert tests.status() == status
    assert "second try of 1" in capfd.readouterr().out


def test_a_run_that_fails_as_a_whole_is_not_saved_by_a_second_try(checkout: Path) -> None:
    tests = at_work(checkout)
    run = Run("calls", ("tests/calls/test_it.py",))
    tests.statuses[run] = main.FAILED
    tests.second_try()
    assert tests.status() == main.FAILED


def test_a_run_that_never_began_is_a_failure(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    start = processes.start

    def no_more_processes(*what: Any) -> subprocess.Popen[bytes]:
        if what[4]:
            raise BlockingIOError("no more processes")
        return start(*what)

    monkeypatch.setattr(processes, "start", no_more_processes)
    monkeypatch.setattr(threading, "excepthook", lambda told: None)
    tests = at_work(checkout)
    main.take_lanes(tests, lanes_of(checkout, calls=PASSES, unit=PASSES))
    tests.second_try()
    assert tests.status() == main.INTERRUPTED


def test_who_stops_at_the_first_failure_is_not_told_that_all_is_well(checkout: Path) -> None:
    tests = at_work(checkout, "-x")
    main.take_lanes(tests, lanes_of(checkout, calls=FAILS_ONCE + "def test_more():\n    assert False\n", unit=PASSES))
    tests.second_try()
    assert tests.status() == main.FAILED


def test_nothing_that_ran_at_all_is_no_success(checkout: Path) -> None:
    tests = at_work(checkout, "-k", "nothing")
    main.take_lanes(tests, lanes_of(checkout, calls=PASSES, unit=PASSES))
    assert tests.status() == main.NOTHING_RAN


def test_who_ends_the_tests_ends_both_lanes(checkout: Path) -> None:
    sleeps = "import time, pathlib\ndef test_it():\n    pathlib.Path('{}').touch()\n    time.sleep(600)\n"
    tests = at_work(checkout)
    lanes = lanes_of(checkout, calls=sleeps.format("one"), unit=sleeps.format("other"))
    running = threading.Thread(target=main.take_lanes, args=(tests, lanes))
    running.start()
    deadline = time.monotonic() + 60
    while not ((checkout / "one").exists() and (checkout / "other").exists()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    tests.end()
    running.join(30)
    assert not running.is_alive()
    assert tests.status() != 0
