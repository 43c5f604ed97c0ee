"""Surge announcements on real calls: listened to and made over REST by a supervisor, heard by the next callers in their
languages, gone when they expire, and counted by what the callers did, also while the core is dead."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlmodel import select

from app.auth.model import Role
from app.auth.service import create_user
from app.calls.tables import Call
from app.clock import iso, utc_now
from app.db import Database
from app.tools import tool
from ivr.prompts import PromptSettings, speak_text
from tests.calls.voice_world import wait_heard, was_heard
from tests.harness.system import PASSWORD, HotlineSystem
from tests.peers.network import Line, PublicNetwork

TEXT = "城南水管爆裂，抢修人员已经到场。"
KEYS = {"zh": "1", "yue": "2", "en": "3"}
SOON_S = 60
"""From saving to the next caller hearing it (the issue's Build 6)."""


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


def body(minutes: float = 60) -> dict[str, Any]:
    now = utc_now()
    times = {"active_from": now - timedelta(minutes=1), "active_until": now + timedelta(minutes=minutes)}
    return {"texts": {"zh": TEXT}, **{name: iso(at) for name, at in times.items()}}


def called(city: PublicNetwork, number: str, key: str) -> Line:
    """A citizen who has chosen a language and is in its menu."""
    line = city.call(number).wait_answered()
    line.press(key)
    return line


def joined(hotline: HotlineSystem, number: str) -> bool:
    """Whether it is in the database that this caller waits for a person."""
    with Database(hotline.settings.url).read() as session:
        return session.exec(select(Call.joined_at).where(Call.number == number)).first() is not None


@pytest.mark.timeout(240)
def test_a_supervisor_announces_callers_hear_it_in_their_languages_and_are_counted_by_what_they_do_then(
    hotline: HotlineSystem,
    city: PublicNetwork,
    supervisor: httpx.Client,
    tmp_path: Path,
    record_property: Any,
):
    settings = hotline.settings
    voice = PromptSettings(settings.home, lambda name: tool(name, settings))
    spoken = supervisor.post("/api/announcements/spoken", json={"language": "zh", "text": TEXT}).raise_for_status()
    heard_by_the_supervisor = tmp_path / "spoken.wav"
    heard_by_the_supervisor.write_bytes(spoken.content)
    assert supervisor.get("/api/announcements").json() == [], "nothing is public by that"
    menus = {code: settings.paths.prompts / code / "main_menu.wav" for code in KEYS}
    saved = time.monotonic()
    made = supervisor.post("/api/announcements", json=body()).raise_for_status().json()
    assert (made["state"], made["heard"]) == ("active", True)

    def call(number: str, code: str) -> tuple[Line, float | None, float]:
        """A caller who is in the menu: the line, when they heard the announcement (if so), and how soon that was."""
        line, sound = called(city, number, KEYS[code]), heard_by_the_supervisor
        if code == "en":
            wait_heard(line.heard, menus[code], timeout=60)
            return line, None, 0.0
        sound = heard_by_the_supervisor if code == "zh" else speak_text(TEXT, "yue", voice)
        at = wait_heard(line.heard, sound, timeout=60)
        return line, at, time.monotonic() - saved

    numbers = ["13800138000", "13800138001", "13800138002", "13800138003"]
    with ThreadPoolExecutor(4) as citizens:
        lines = list(citizens.map(call, numbers, ("zh", "yue", "en", "zh")))
    (content, _, soon), (waits, at, _), (english, _, _), (unlucky, _, _) = lines
    record_property("heard_after_s", round(soon, 1))
    print(f"heard {soon:.1f} s after it was saved")
    assert soon < SOON_S
    # Cantonese callers hear the same words in their own voice, before the menu; English ones nothing of it.
    assert at is not None
    assert at < wait_heard(waits.heard, menus["yue"], timeout=40)
    assert not was_heard(english.heard, heard_by_the_supervisor)
    waits.press("0")
    content.hang_up()
    english.hang_up()
    hotline.wait(lambda: joined(hotline, "13800138001"), 30, "the Cantonese caller to wait for a person")
    # Who hangs up while the core is dead is counted when it is back, once.
    hotline.kill("core")
    unlucky.hang_up()
    waits.hang_up()
    hotline.wait_healthy(60)
    told: dict[str, int] = {}

    def counted() -> bool:
        told.update(supervisor.get("/api/announcements").json()[0]["callers"])
        return told["callers"] == 3

    hotline.wait(counted, 30, f"three callers counted ({told})")
    assert (told["satisfied"], told["person"], told["early"], told["alone"]) == (2, 1, 0, 0)

    # It ends by itself, and the voice process asks anew every few seconds.
    ends = {**body(), "active_until": iso(utc_now() + timedelta(seconds=2)), "version": made["version"]}
    supervisor.patch(f"/api/announcements/{made['id']}", json=ends).raise_for_status()
    hotline.wait(lambda: supervisor.get("/api/announcements").json()[0]["state"] == "past", 20, "its end")
    until, still = time.monotonic() + 30, True
    while still and time.monotonic() < until:
        after = called(city, "13800138004", "1")
        wait_heard(after.heard, menus["zh"], timeout=40)
        still = was_heard(after.heard, heard_by_the_supervisor)
        after.hang_up()
    assert not still
