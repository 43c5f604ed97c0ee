"""The main job on real input: citizen → menu → queue → agent's phone, with the card on the agent's page before."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.harness.desktop import Desktop
from tests.harness.system import PASSWORD, HotlineSystem
from tests.peers import audio
from tests.peers.baresip import BaresipPhone
from tests.peers.network import PublicNetwork
from tests.peers.waiting import wait_until

CITIZEN, AGENT = 440, 880
"""What each side says, in hertz."""


@pytest.fixture(scope="module")
def hotline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HotlineSystem]:
    """A whole instance, open round the clock so that no test depends on the hour."""
    settings = {"opens": "00:00", "closes": "00:00"}
    with HotlineSystem(tmp_path_factory.mktemp("h") / "home", **settings) as system:
        system.add_agent("1001")
        yield system


@pytest.fixture(scope="module")
def city(hotline: HotlineSystem, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PublicNetwork]:
    """The public telephone network."""
    network = PublicNetwork(tmp_path_factory.mktemp("city"), hotline.settings)
    network.start()
    yield network
    network.stop()


@pytest.fixture
def phone(hotline: HotlineSystem, tmp_path: Path) -> Iterator[BaresipPhone]:
    """The agent's desk phone; it rings until somebody picks it up."""
    one = hotline.phone(tmp_path / "phone", hotline.accounts()[0], answer="manual", tone_hz=AGENT)
    one.start()
    yield one
    one.stop()


def in_thread(work: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """The peers block; the agent's page must go on reading meanwhile."""
    return asyncio.to_thread(work, *args, **options)


async def test_citizen_reaches_agent(hotline: HotlineSystem, city: PublicNetwork, phone: BaresipPhone):
    number = "13800138000"
    async with Desktop(hotline.http, "1001", PASSWORD, streams=("agent", "wallboard")) as page:
        await page.ready(endpoint="1001")

        citizen = city.call(number, name="Zhang San")
        await in_thread(citizen.wait_answered)
        await in_thread(citizen.wait, 2.0)
        await in_thread(citizen.press, "1")
        await in_thread(citizen.wait, 1.5)
        await in_thread(citizen.press, "0")

        pop = await page.expect("call.pop", timeout=30)
        card = pop.data["card"]
        call = pop.data["call_id"]
        assert card["number"] == number
        assert card["language"] == "zh"
        assert card["draft"]["case_number"]
        assert page.first("call.answered") is None

        await in_thread(phone.wait_ringing)
        await in_thread(phone.pick_up)
        await page.expect("call.answered", call_id=call)
        assert pop.at < page.first("call.answered").at
        await in_thread(citizen.tone, CITIZEN)
        await in_thread(citizen.wait_hears, AGENT)
        await in_thread(phone.wait_hears, CITIZEN)
        await in_thread(citizen.wait, 4.0)

        await in_thread(citizen.hang_up)
        await page.expect("call.ended", call_id=call)
        await page.until(lambda: page.agent["state"] == "wrap_up", "wrap-up")

        # Each side's own recording holds the other's tone.
        heard = lambda: any(audio.tone_seconds(file, CITIZEN) > 1.5 for file in phone.heard_files())  # noqa: E731
        assert audio.tone_seconds(citizen.heard, AGENT) > 1.5
        await in_thread(wait_until, heard, 10, "the telephone to have written down the citizen's tone")

        # The case is there.
        case = await page.json(f"/api/cases/{card['draft']['case_id']}")
        assert case["call_id"] == call
        saved = await page.request(
            "POST",
            f"/api/cases/{case['id']}/register",
            json={
                "version": case["version"],
                "fields": {"type": "consult", "title": "测试来电", "content": "市民咨询停水恢复时间"},
            },
        )
        assert saved.status_code == 200, saved.text
        assert saved.json()["state"] == "registered"
        await page.command("wrapup.done")
        await page.until(lambda: page.agent["state"] == "ready", "to be ready again")

        # The stored recording holds both: the citizen on the left, what the citizen heard on the right.
        stored = await in_thread(wait_until, lambda: _recording(hotline, call), 20, "the recording to be stored")
        assert audio.tone_seconds(stored, CITIZEN, channel=0) > 1.5
        assert audio.tone_seconds(stored, AGENT, channel=1) > 1.5

        # The journal says why this agent got the call.
        row = await page.json(f"/api/calls/{call}")
        assert row["outcome"] == "answered"
        assert any("1001" in sentence for sentence in row["explain"])


def _recording(hotline: HotlineSystem, call: str) -> Path | None:
    return next(hotline.settings.paths.recordings.rglob(f"*{call}*.wav"), None)
