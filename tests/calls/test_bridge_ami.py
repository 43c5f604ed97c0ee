"""The AMI link's promises on a real Asterisk: what our fake server pretends is how Asterisk behaves."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator

import pytest
from panoramisk.message import Message

from app.secrets import secret
from cti_bridge.ami import ActionFailed, AmiLink, LinkDown, LinkState, UnsafeValue, WrongSecret
from cti_bridge.asterisk import Asterisk, hangup
from cti_bridge.calls import WANTED
from cti_bridge.mandate import Mandate
from cti_bridge.snapshot import picture
from tests.peers.agi import ends_with
from tests.peers.fixtures import PhoneMaker
from tests.peers.hotline import AsteriskUnderTest
from tests.peers.network import PublicNetwork


class Ear:
    """Notes what it hears."""

    def __init__(self) -> None:
        self.ups = 0
        self.downs = 0
        self.events: list[Message] = []

    async def on_up(self) -> None:
        self.ups += 1

    def on_event(self, event: Message) -> None:
        self.events.append(event)

    def on_down(self, why: str) -> None:
        self.downs += 1


def make(hotline: AsteriskUnderTest, ear: Ear, **kind: object) -> AmiLink:
    settings = hotline.settings
    given: dict[str, object] = {"secret": secret(settings, "ami"), "listener": ear, "wanted": WANTED, **kind}
    return AmiLink(settings.ami_host, settings.ami_port, "hotline", given.pop("secret"), **given)  # type: ignore[arg-type]


@pytest.fixture
async def ear() -> Ear:
    return Ear()


@pytest.fixture
async def link(asterisk_under_test: AsteriskUnderTest, ear: Ear) -> AsyncIterator[AmiLink]:
    link = make(asterisk_under_test, ear)
    await link.start()
    await link.wait_up()
    yield link
    await link.stop()


async def until(condition: object, timeout: float = 10) -> None:
    async with asyncio.timeout(timeout):
        while not condition():  # type: ignore[operator]
            await asyncio.sleep(0.01)


async def test_a_wrong_secret_is_said_aloud(asterisk_under_test: AsteriskUnderTest, ear: Ear) -> None:
    link = make(asterisk_under_test, ear, secret="wrong")
    await link.start()
    with pytest.raises(WrongSecret, match="Authentication failed"):
        await link.wait_up()
    await link.stop()


async def test_chinese_survives_a_setvar_and_a_pipeline_is_done_in_order(link: AmiLink) -> None:
    steps: list[dict[str, object]] = [
        {"Action": "Setvar", "Variable": "HOTLINE_TEST", "Value": f"水管爆裂 {n}"} for n in range(200)
    ]
    began = time.perf_counter()
    answers = await link.pipeline(steps)  # type: ignore[arg-type]
    took = time.perf_counter() - began
    assert all(isinstance(answer, Message) for answer in answers)
    assert (await link.action("Getvar", Variable="HOTLINE_TEST")).value == "水管爆裂 199"
    assert took < 2


async def test_a_line_break_is_refused_and_the_longest_value_arrives_whole(link: AmiLink) -> None:
    with pytest.raises(UnsafeValue):
        await link.action("Setvar", Variable="HOTLINE_TEST", Value="a\r\nAction: Logoff")
    long = "x" * 980
    await link.action("Setvar", Variable="HOTLINE_TEST", Value=long)
    assert (await link.action("Getvar", Variable="HOTLINE_TEST")).value == long


async def test_asterisk_does_not_even_write_what_nobody_here_has_a_use_for(link: AmiLink, ear: Ear) -> None:
    assert link._protocol is not None
    link._wanted = link._protocol._reader._wanted = None  # from here on everything that comes is heard
    await Asterisk(link).failsafe_set({"PJSIP/1001": ("1001", False)}, {})  # Asterisk has an event for that
    await link.action("UserEvent", UserEvent="Wanted")
    await until(lambda: any(one.userevent == "Wanted" for one in ear.events))
    assert {one.event for one in ear.events} <= WANTED | {"FullyBooted"}


async def test_a_channel_that_is_gone_is_an_error_with_asterisks_words(link: AmiLink) -> None:
    with pytest.raises(ActionFailed, match="No such channel"):
        await Asterisk(link).do(hangup("PJSIP/nobody-00000000"))


async def test_nobody_can_be_hung_up_by_a_pattern(link: AmiLink) -> None:
    with pytest.raises(ActionFailed, match="not a channel"):
        await Asterisk(link).do(hangup("/.*/"))


async def test_adding_to_a_queue_twice_and_reading_it_ends(link: AmiLink) -> None:
    asterisk = Asterisk(link)
    await asterisk.failsafe_set({"PJSIP/1001": ("1001", False), "PJSIP/1002": ("1002", True)}, {})
    await asterisk.failsafe_set({"PJSIP/1001": ("1001", False)}, {})
    assert await asterisk.failsafe_members() == {"PJSIP/1001": False, "PJSIP/1002": True}
    await asterisk.failsafe_set({"PJSIP/1001": ("1001", True)}, {"PJSIP/1001": False})
    assert (await asterisk.failsafe_members())["PJSIP/1001"] is True
    await asterisk.failsafe_set({"PJSIP/1001": None, "PJSIP/1002": None}, {})
    assert await asterisk.failsafe_members() == {}


async def test_a_telephone_says_what_it_is(link: AmiLink, phone: PhoneMaker) -> None:
    await asyncio.to_thread(phone, "1001")
    (agent,) = await Asterisk(link).user_agents("1001")
    assert agent.startswith("baresip")
    with pytest.raises(ActionFailed):
        await Asterisk(link).user_agents("9999")


async def test_a_waiting_caller_is_found_in_the_snapshot_with_name_and_place(
    link: AmiLink, asterisk_under_test: AsteriskUnderTest, public_network: PublicNetwork, ear: Ear
) -> None:
    asterisk_under_test.backend.scripts["voice_menu"] = ends_with(NEXT="queue", LANG="yue", SKILLS="yue:3,water:1")
    asterisk_under_test.backend.start()
    line = await asyncio.to_thread(public_network.call, "13800138000", "", "张三")
    await until(lambda: any(one.userevent == "AcdJoin" for one in ear.events))
    join = next(one for one in ear.events if one.userevent == "AcdJoin")
    asterisk = Asterisk(link)
    t = picture(await asterisk.status(), await asterisk.devices(), time.time_ns() // 1_000_000)
    call = t.calls[join.call]
    assert (call.number, call.name, call.language) == ("13800138000", "张三", "yue")
    assert call.skills == {"yue": 3, "water": 1}
    assert call.phase == "hold"
    assert abs(call.joined_ms - time.time() * 1000) < 10_000, "join times are epoch milliseconds"
    await asyncio.to_thread(line.hang_up)


async def test_a_frozen_asterisk_is_noticed_and_found_again(
    link: AmiLink, asterisk_under_test: AsteriskUnderTest, ear: Ear
) -> None:
    quick = make(asterisk_under_test, ear, ping_every=0.3, ping_deadline=0.5)
    await quick.start()
    await quick.wait_up()
    assert asterisk_under_test.process is not None
    assert asterisk_under_test.process.child is not None
    pid = asterisk_under_test.process.child.pid
    os.kill(pid, signal.SIGSTOP)
    try:
        await until(lambda: quick.state is not LinkState.up, 5)
        with pytest.raises(LinkDown):
            await quick.action("Ping")
    finally:
        os.kill(pid, signal.SIGCONT)
    await until(lambda: quick.state is LinkState.up, 10)
    await quick.stop()


async def test_a_restarted_asterisk_is_found_within_seconds(asterisk_under_test: AsteriskUnderTest, ear: Ear) -> None:
    link = make(asterisk_under_test, ear)
    await link.start()
    await link.wait_up()
    await asyncio.to_thread(asterisk_under_test.restart)
    await until(lambda: ear.ups == 2 and link.state is LinkState.up, 5)
    assert ear.downs == 1
    await link.stop()


async def test_a_core_that_takes_over_is_heard_by_the_one_that_still_acts_and_not_by_itself(
    link: AmiLink, ear: Ear, asterisk_under_test: AsteriskUnderTest
) -> None:
    displaced: list[str] = []
    old = Mandate(lambda: True, lambda: displaced.append("old"))
    new = Mandate(lambda: True, lambda: displaced.append("new"), settle_s=0)
    own = Ear()
    taking_over = make(asterisk_under_test, own)
    await taking_over.start()
    await taking_over.wait_up()
    try:
        await new.announce(Asterisk(taking_over))
        async with asyncio.timeout(5):
            while not all("HotlineCore" in [one.userevent for one in each.events] for each in (ear, own)):
                await asyncio.sleep(0.01)
    finally:
        await taking_over.stop()
    for event in ear.events:
        old.hear(event)
    for event in own.events:
        new.hear(event)
    assert displaced == ["old"]
