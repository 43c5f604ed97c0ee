"""`hotline acd explain`, `replay` and `report` on a journal that the bridge itself has written, whole and damaged."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from app.settings import REPO
from tests.bridge_kit.rig import Rig

Cli = Callable[..., subprocess.CompletedProcess[str]]


def ms() -> int:
    return time.time_ns() // 1_000_000


def china_day(at_ms: int) -> str:
    return str(datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(ZoneInfo("Asia/Shanghai")).date())


@pytest.fixture
async def day(tmp_path: Path) -> tuple[Path, list[str], str]:
    """A home with a morning's journal: 1001 answers one caller while another waits and gives up."""
    rig = await Rig(tmp_path / "home").start()
    await rig.ready("1001")
    first = rig.asterisk.citizen("13800000001", ms())
    rig.asterisk.join(first, "13800000001", ms())
    await rig.redirects("acd-connect")
    offer = rig.bridge.offers.of_call(first)
    assert offer is not None
    leg = rig.asterisk.rings(first, "1001")
    rig.asterisk.picks_up(first, "1001", leg, offer.offer.offer_id)
    await rig.until(lambda: rig.state("1001") == "talking", "a talk")
    second = rig.asterisk.citizen("13800000002", ms())
    rig.asterisk.join(second, "13800000002", ms())
    await rig.until(lambda: rig.bridge.engine.waiting_order("general") == [second], "somebody waiting")
    rig.asterisk.user_event("HotlineEnd", second, Cause=16, Phase="hold", Number="13800000002")
    rig.asterisk.hangs_up(second)
    await rig.until(lambda: not rig.bridge.engine.waiting_order("general"), "nobody waiting")
    rig.asterisk.user_event("HotlineEnd", first, Cause=16, Phase="connect", Number="13800000001")
    rig.asterisk.hangs_up(first)
    rig.asterisk.hangs_up(leg)
    await rig.until(lambda: rig.state("1001") == "wrap_up", "wrap-up")
    at = ms()
    await rig.stop()
    return rig.settings.home, [first, second], china_day(at)


def run(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HOTLINE_")}
    env = {**clean, "HOTLINE_HOME": str(home)}
    argv = [sys.executable, "-m", "app.cli.main", *arguments]
    return subprocess.run(argv, cwd=REPO, env=env, capture_output=True, text=True, timeout=60)


def journal_of(home: Path) -> Path:
    (file,) = (home / "journal").glob("acd-*.jsonl")
    return file


def test_the_bridges_journal_is_decided_the_same_again(day: tuple[Path, list[str], str]) -> None:
    home, _, date = day
    shown = run(home, "acd", "replay", date)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert "byte for byte" in shown.stdout
    told = json.loads(run(home, "acd", "replay", date, "--json").stdout)
    assert told["same"] is True
    assert told["lives"] == 1
    assert told["decisions"] > 5


def test_a_changed_decision_is_shown_and_the_exit_status_says_so(day: tuple[Path, list[str], str]) -> None:
    home, _, date = day
    file = journal_of(home)
    lines = file.read_text().splitlines(keepends=True)
    at = next(number for number, line in enumerate(lines) if '"d":"Offer"' in line)
    lines[at] = lines[at].replace('"agent_id":"1001"', '"agent_id":"1002"')
    file.write_text("".join(lines))
    shown = run(home, "acd", "replay", date)
    assert shown.returncode == 1
    assert "differ first at acd-" in shown.stdout
    assert lines[at].strip() in shown.stdout
    assert json.loads(run(home, "acd", "replay", date, "--json").stdout)["difference"]["event"]


def test_a_damaged_journal_is_named_by_its_line(day: tuple[Path, list[str], str]) -> None:
    home, _, date = day
    file = journal_of(home)
    lines = file.read_text().splitlines(keepends=True)
    lines[4] = "\x00\x00 not a line\n"
    file.write_text("".join(lines))
    shown = run(home, "acd", "replay", date)
    assert shown.returncode == 3
    assert f"{file.name}:5" in shown.stdout
    report = run(home, "acd", "report", date)
    assert report.returncode == 0
    assert "1 lines of the journal cannot be read" in report.stderr


def test_why_the_second_caller_waited_is_told(day: tuple[Path, list[str], str]) -> None:
    home, (first, second), _ = day
    shown = run(home, "acd", "explain", second)
    assert shown.returncode == 0, shown.stderr
    assert "能接此来电的坐席 1 人：通话中 1" in shown.stdout
    told = json.loads(run(home, "acd", "explain", first, "--json", "--lang", "en").stdout)
    assert any("answered" in step for step in told["steps"])
    assert run(home, "calls", "explain", second).stdout == shown.stdout
    assert run(home, "acd", "explain", "nobody-1.1").returncode == 1


def test_the_days_figures_come_from_the_same_journal(day: tuple[Path, list[str], str]) -> None:
    home, _, date = day
    told = json.loads(run(home, "acd", "report", date, "--by", "agent", "--json").stdout)
    assert told["whole"]["connect_rate"] == {"value": 0.5, "num": 1, "den": 2}
    assert told["whole"]["offered"]["value"] == 2
    assert told["groups"]["1001"]["answered"]["value"] == 1
    assert told["groups"][""]["abandoned"]["value"] == 1
    assert told["formulas"]["connect_rate"]["formula_zh"].startswith("接通量 ÷")
    for by in ("half-hour", "queue", "skill", "agent"):
        assert run(home, "acd", "report", date, "--by", by).returncode == 0
    shown = run(home, "acd", "report", date)
    assert "接通率" in shown.stdout
    assert "50.0%" in shown.stdout


def test_no_journal_and_no_day_are_told(tmp_path: Path) -> None:
    for command in ("report", "replay"):
        missing = run(tmp_path, "acd", command, "2001-01-01")
        assert missing.returncode == 1
        assert "no journal of 2001-01-01" in missing.stderr
        assert run(tmp_path, "acd", command, "someday").returncode == 2
    assert run(tmp_path, "acd", "report", "today", "--by", "moon").returncode == 2


def test_a_life_that_began_the_day_before_is_replayed_from_its_header(day: tuple[Path, list[str], str]) -> None:
    home, _, date = day
    file = journal_of(home)
    lines = file.read_text().splitlines(keepends=True)
    written = datetime.strptime(file.stem, "acd-%Y%m%d").replace(tzinfo=UTC)
    earlier = file.with_name(f"acd-{written - timedelta(days=3):%Y%m%d}.jsonl")
    earlier.write_text("".join(lines[:3]))
    file.write_text("".join(lines[3:]))
    told = json.loads(run(home, "acd", "replay", date, "--json").stdout)
    assert told["same"] is True
    assert told["lives"] == 1
