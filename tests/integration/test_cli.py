"""The `hotline` command as a person meets it: what it prints, how it fails, its exit statuses."""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from app.settings import REPO

Cli = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def hotline(tmp_path: Path) -> Cli:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HOTLINE_")}

    def run(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        env = {**clean, "HOTLINE_HOME": str(tmp_path / "home"), **settings}
        argv = [sys.executable, "-m", "app.cli.main", *arguments]
        return subprocess.run(argv, cwd=REPO, env=env, capture_output=True, text=True, timeout=60)

    return run


def _processor_s() -> float:
    """What the programs that we started and that have ended took."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_help_is_there_at_once(hotline: Cli) -> None:
    hotline("--help")
    began = _processor_s()
    shown = hotline("--help")
    assert _processor_s() - began < 1.5  # of processor: what else the machine has to do is not the question
    assert shown.returncode == 0
    for command in (
        "up",
        "serve",
        "doctor",
        "user",
        "agent",
        "prompts",
        "ivr",
        "calls",
        "demo",
        "stop",
        "acd",
        "knowledge",
    ):
        assert f"\n  {command}" in shown.stdout


def test_help_loads_nothing_heavy() -> None:
    probe = (
        "import sys, app.cli.main; print([m for m in ('sqlmodel', 'fastapi', 'numpy', 'alembic') if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", probe], cwd=REPO, capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "arguments", [("dance",), ("user",), ("user", "add"), ("calls", "--limit", "many"), ("serve", "x")]
)
def test_wrong_use_is_told_without_a_traceback(hotline: Cli, arguments: tuple[str, ...]) -> None:
    shown = hotline(*arguments)
    assert shown.returncode == 2
    assert "Traceback" not in shown.stderr
    assert shown.stderr or "Usage" in shown.stdout


def test_every_wrong_setting_is_named(hotline: Cli) -> None:
    shown = hotline("status", HOTLINE_HTTP_PORT="99999", HOTLINE_NODE="Node 1")
    assert shown.returncode == 2
    assert "http_port" in shown.stderr
    assert "node" in shown.stderr
    assert "Remedy:" in shown.stderr


def test_an_unknown_role_of_serve_is_refused(hotline: Cli) -> None:
    shown = hotline("serve", "--roles", "voice,barista")
    assert shown.returncode == 2
    assert "barista" in shown.stderr


def test_a_user_is_added_with_a_one_time_password(hotline: Cli) -> None:
    shown = hotline("user", "add", "wang", "--role", "supervisor", "--role", "agent")
    assert shown.returncode == 0, shown.stderr
    assert "wang" in shown.stdout
    assert "password:" in shown.stdout


def test_a_name_that_is_taken_and_a_role_that_does_not_exist_are_told(hotline: Cli) -> None:
    hotline("user", "add", "wang", "--role", "agent")
    again = hotline("user", "add", "wang", "--role", "agent")
    assert (again.returncode, "Traceback" in again.stderr) == (1, False)
    nobody = hotline("user", "add", "li", "--role", "emperor")
    assert nobody.returncode == 2
    assert "emperor" in nobody.stderr


def test_an_agent_is_added_and_the_phones_settings_are_shown(hotline: Cli) -> None:
    shown = hotline("agent", "add", "张敏", "--number", "1007", "--skills", "zh:5,yue:3")
    assert shown.returncode == 0, shown.stderr
    assert "1007" in shown.stdout
    assert "127.0.0.1:5060" in shown.stdout
    assert "password" in shown.stdout


@pytest.mark.parametrize("skills", ["zh:nine", "zh:5:6"])
def test_skills_that_cannot_be_read_are_told(hotline: Cli, skills: str) -> None:
    shown = hotline("agent", "add", "张敏", "--skills", skills)
    assert shown.returncode == 2
    assert "zh:5,yue:3" in shown.stderr


def test_calls_of_an_empty_hotline(hotline: Cli) -> None:
    assert hotline("calls").returncode == 0
    assert hotline("calls", "--json").stdout == ""
    assert hotline("calls", "explain", "no-such-call").returncode == 1


def test_the_answers_to_begin_with_are_published_once(hotline: Cli) -> None:
    first, again = hotline("knowledge", "import-starter"), hotline("knowledge", "import-starter")
    assert (first.returncode, first.stdout.startswith("43 articles published")) == (0, True), first.stderr
    assert again.stdout.startswith("0 articles published")


def test_status_and_stop_when_nothing_runs(hotline: Cli) -> None:
    status = hotline("status", "--json")
    assert status.returncode == 1
    assert json.loads(status.stdout) == {"running": False, "ok": False}
    assert hotline("stop").returncode == 0


def test_doctor_reports_in_json_and_by_its_exit_status(hotline: Cli) -> None:
    shown = hotline("doctor", "--json", HOTLINE_AMI_PORT="1", HOTLINE_AGI_PORT="2", HOTLINE_HTTP_PORT="3")
    report = json.loads(shown.stdout)
    assert shown.returncode == 2
    assert report["level"] == "broken"
    levels = {check["check"]: check["level"] for check in report["checks"]}
    assert levels["python"] == "ok"
    assert levels["processes"] == "broken"


def test_the_menu_can_be_verified_and_tried_in_the_terminal(hotline: Cli) -> None:
    assert hotline("ivr", "verify").returncode == 0
    assert hotline("ivr", "verify", "/nonexistent.yaml").returncode != 0
    tried = hotline("ivr", "try", "--lang", "en")
    assert "Traceback" not in tried.stderr
