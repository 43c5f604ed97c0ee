"""A surge announcement on real calls: made over REST by a supervisor, heard by the next caller, gone once ended."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.auth.model import Role
from app.auth.service import create_user
from app.clock import iso, utc_now
from app.db import Database
from app.tools import tool
from ivr.prompts import PromptSettings, speak_text
from tests.calls.voice_world import wait_heard, was_heard
from tests.harness.system import PASSWORD, HotlineSystem
from tests.peers.network import Line, PublicNetwork

TEXT = "城南水管爆裂，抢修人员已经到场。"


@pytest.fixture(scope="module")
def hotline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HotlineSystem]:
    """A whole instance, open round the clock so that the test does not depend on the hour."""
    with HotlineSystem(tmp_path_factory.mktemp("h") / "home", opens="00:00", closes="00:00") as system:
        create_user(Database(system.settings.url), "chief", roles=[Role.supervisor], password=PASSWORD)
        yield system


@pytest.fixture(scope="module")
def city(hotline: HotlineSystem, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PublicNetwork]:
    """The public telephone network."""
    network = PublicNetwork(tmp_path_factory.mktemp("city"), hotline.settings)
    network.start()
    yield network
    network.stop()


@pytest.fixture
def supervisor(hotline: HotlineSystem) -> Iterator[httpx.Client]:
    """A supervisor's browser."""
    with httpx.Client(base_url=hotline.http, timeout=30) as client:
        told = client.post("/api/login", json={"name": "chief", "password": PASSWORD}).raise_for_status().json()
        client.headers["X-CSRF-Token"] = told["csrf"]
        yield client


def announced(supervisor: httpx.Client) -> dict[str, Any]:
    now = utc_now()
    body = {
        "texts": {"zh": TEXT},
        "active_from": iso(now - timedelta(minutes=1)),
        "active_until": iso(now + timedelta(hours=1)),
    }
    answer: dict[str, Any] = supervisor.post("/api/announcements", json=body).raise_for_status().json()
    return answer


def called(city: PublicNetwork, number: str, key: str) -> Line:
    """A citizen who has chosen a language and is in its menu."""
    line = city.call(number).wait_answered()
    line.press(key)
    return line


def test_a_supervisor_announces_the_next_caller_hears_it_before_the_queue_and_after_the_end_nobody_does(
    hotline: HotlineSystem, city: PublicNetwork, supervisor: httpx.Client, tmp_path: Path
):
    settings = hotline.settings
    voice = PromptSettings(settings.home, lambda name: tool(name, settings))
    spoken = supervisor.post("/api/announcements/spoken", json={"language": "zh", "text": TEXT}).raise_for_status()
    heard_by_the_supervisor = tmp_path / "spoken.wav"
    heard_by_the_supervisor.write_bytes(spoken.content)
    made = announced(supervisor)
    assert (made["state"], made["heard"]) == ("active", True)

    menu = settings.paths.prompts / "zh" / "main_menu.wav"
    first = called(city, "13800138000", "1")
    menu_at = wait_heard(first.heard, menu, timeout=40)
    assert wait_heard(first.heard, heard_by_the_supervisor, timeout=15) < menu_at, "as the supervisor heard it"
    first.hang_up()

    # Cantonese callers hear the same words in their own voice, English ones nothing they would not understand.
    cantonese = called(city, "13800138001", "2")
    menu_at = wait_heard(cantonese.heard, settings.paths.prompts / "yue" / "main_menu.wav", timeout=40)
    assert wait_heard(cantonese.heard, speak_text(TEXT, "yue", voice), timeout=15) < menu_at
    cantonese.hang_up()

    ended = supervisor.post(f"/api/announcements/{made['id']}/end").raise_for_status().json()
    assert ended["state"] == "past"
    until = time.monotonic() + 30
    while True:  # the voice process asks anew every few seconds: the first caller after that hears nothing
        after = called(city, "13800138002", "1")
        wait_heard(after.heard, menu, timeout=40)
        still = was_heard(after.heard, heard_by_the_supervisor)
        after.hang_up()
        if not still or time.monotonic() > until:
            break
    assert not still
