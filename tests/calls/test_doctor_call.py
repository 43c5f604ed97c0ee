"""`hotline doctor` places a real call: it passes with the real voice scripts, and says what is wrong without them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agi_scripts.memory_services import MemoryServices
from agi_scripts.scripts import SCRIPTS
from agi_scripts.server import FastAgiServer
from agi_scripts.services import VoiceSetup
from app.doctor import testcall
from app.doctor.model import Finding, Level
from app.prompting import build_all
from app.tools import tool
from tests.peers.hotline import AsteriskUnderTest


@pytest.fixture(scope="module")
def hotline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AsteriskUnderTest]:
    under_test = AsteriskUnderTest(tmp_path_factory.mktemp("doctor") / "home")
    under_test.settings.ensure_dirs()
    build_all(under_test.settings)
    under_test.start()
    under_test.beat()
    yield under_test
    under_test.stop()


@contextmanager
def scripts(hotline: AsteriskUnderTest, *, people_at_work: bool = True) -> Iterator[FastAgiServer]:
    """The real voice scripts over services that need no database."""
    settings = hotline.settings
    services = MemoryServices(VoiceSetup.from_settings(settings, tool), open=people_at_work)
    server = FastAgiServer(settings.agi_host, settings.agi_port, SCRIPTS, services, max_calls=10)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def voice(hotline: AsteriskUnderTest) -> Iterator[FastAgiServer]:
    with scripts(hotline) as server:
        yield server


def examine(hotline: AsteriskUnderTest) -> Finding:
    (finding,) = testcall.place(hotline.settings)
    return finding


def test_the_call_is_greeted_and_its_key_press_answered(hotline: AsteriskUnderTest, voice: FastAgiServer) -> None:
    finding = examine(hotline)
    assert finding.level is Level.ok, finding
    assert "English menu" in finding.text


def test_the_call_leaves_nothing_behind(hotline: AsteriskUnderTest, voice: FastAgiServer) -> None:
    examine(hotline)
    assert not list(hotline.settings.paths.asterisk.glob("spool/tmp/doctor-*"))
    assert hotline.manager.action("CoreStatus").get("CoreCurrentCalls") == "0"


def test_outside_the_opening_hours_it_knows_that_notice_too(hotline: AsteriskUnderTest) -> None:
    with scripts(hotline, people_at_work=False):
        assert examine(hotline).level is Level.ok


def test_without_voice_scripts_it_says_that_callers_meet_the_failsafe(hotline: AsteriskUnderTest) -> None:
    finding = examine(hotline)
    assert finding.level is Level.broken
    assert "failsafe" in finding.text
    assert finding.remedy


def test_with_silent_prompts_it_says_that_nothing_is_heard(
    hotline: AsteriskUnderTest, voice: FastAgiServer, tmp_path: Path
) -> None:
    prompts = hotline.settings.paths.prompts
    aside = tmp_path / "prompts"
    prompts.rename(aside)
    try:
        for language in ("zh", "yue", "en"):
            (prompts / language).mkdir(parents=True)
        assert examine(hotline).level is Level.broken
    finally:
        for folder in (*prompts.iterdir(), prompts):
            folder.rmdir()
        aside.rename(prompts)
