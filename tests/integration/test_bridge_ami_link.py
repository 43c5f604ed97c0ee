"""The AMI link against a server whose manners can be spoilt: every known trap of the library below is closed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from panoramisk.message import Message

from cti_bridge.ami import ActionFailed, ActionTimeout, AmiLink, LinkDown, LinkState, UnsafeValue, WrongSecret
from cti_bridge.asterisk import Asterisk
from tests.bridge_kit.fake_ami import FakeAmi, Fields, listed, message, ok


class Ear:
    """A listener that notes what it hears, and can be told to fail."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.changed = asyncio.Condition()
        self.gate = asyncio.Event()
        self.gate.set()
        self.fail_on: str = ""
        self.fail_up = 0

    async def on_up(self) -> None:
        await self.note("up")
        await self.gate.wait()
        if self.fail_up:
            self.fail_up -= 1
            raise RuntimeError("resync failed")
        await self.note("synced")

    def on_event(self, event: Message) -> None:
        if event.event == self.fail_on:
            raise RuntimeError("a bug in a listener")
        self.heard.append(event.event + (f":{event.n}" if event.n else ""))
        asyncio.ensure_future(self.note(None))  # noqa: RUF006

    def on_down(self, why: str) -> None:
        self.heard.append("down")
        asyncio.ensure_future(self.note(None))  # noqa: RUF006

    async def note(self, what: str | None) -> None:
        async with self.changed:
            if what:
                self.heard.append(what)
            self.changed.notify_all()

    async def until(self, *expected: str, timeout: float = 5) -> None:
        async with asyncio.timeout(timeout), self.changed:
            await self.changed.wait_for(lambda: all(self.heard.count(e) >= expected.count(e) for e in expected))


@pytest.fixture
async def server() -> AsyncIterator[FakeAmi]:
    fake = await FakeAmi().start()
    yield fake
    await fake.stop()


@pytest.fixture
def ear() -> Ear:
    return Ear()


@pytest.fixture
async def link(server: FakeAmi, ear: Ear) -> AsyncIterator[AmiLink]:
    link = AmiLink(
        "127.0.0.1",
        server.port,
        "hotline",
        "right",
        listener=ear,
        wanted={"UserEvent", "Hangup", "OriginateResponse"},
        timeout=0.5,
        ping_every=0.1,
        ping_deadline=0.3,
    )
    await link.start()
    yield link
    await link.stop()


def named(action: Fields) -> str:
    """The event that this session has asked for."""
    return action["MatchCriteria"].removeprefix("action(include),name(").removesuffix("),method(none)")


def refused(action: Fields) -> bytes:
    return message({"Response": "Error", "ActionID": action["ActionID"], "Message": "Filter format is invalid"})


async def test_asterisk_is_asked_for_nothing_that_nobody_has_a_use_for(link: AmiLink, server: FakeAmi) -> None:
    await link.wait_up()
    asked = [named(one) for one in server.got("Filter")]
    assert asked == ["FullyBooted", "Hangup", "OriginateResponse", "Shutdown", "UserEvent"]


async def test_an_asterisk_that_knows_no_filters_is_heard_all_the_same(
    link: AmiLink, server: FakeAmi, ear: Ear
) -> None:
    server.on("Filter", refused)
    await link.wait_up()
    server.event("Newexten")
    server.event("Hangup")
    await ear.until("Hangup")
    assert "Newexten" not in ear.heard


async def test_a_session_in_which_wanted_events_would_be_missing_is_none(link: AmiLink, server: FakeAmi) -> None:
    server.on("Filter", lambda action: refused(action) if named(action) == "Hangup" else ok(action))
    with pytest.raises(LinkDown, match="every event that is needed"):
        await link.wait_up(0.5)
    server.on("Filter", ok)
    await link.wait_up()


async def test_an_offer_that_asterisk_would_cut_short_is_not_made(link: AmiLink, server: FakeAmi) -> None:
    await link.wait_up()
    offer = {"agent_id": "1001", "endpoint": "1001", "timeout_s": 20}
    with pytest.raises(ActionFailed, match="cut the offer short"):
        await Asterisk(link).offer("PJSIP/trunk-00000001", offer_id="o" * 61, **offer)
    await Asterisk(link).offer("PJSIP/trunk-00000001", offer_id="o1", **offer)
    assert [one["Exten"] for one in server.got("Redirect")] == ["offer*1001*1001*20*o1"]


async def test_several_actions_are_pipelined_and_answered_in_order(link: AmiLink, server: FakeAmi) -> None:
    await link.wait_up()
    held: list[bytes] = []
    server.on("Setvar", lambda a: held.append(ok(a)) or None)  # type: ignore[func-returns-value]
    server.on("Redirect", lambda a: b"".join([*held, ok(a, "Redirect successful")]))
    answers = await link.pipeline(
        [
            {"Action": "Setvar", "Variable": "A", "Value": 1},
            {"Action": "Setvar", "Variable": "B", "Value": 2},
            {"Action": "Redirect", "Channel": "x"},
        ]
    )
    assert [a["Action"] for a in server.actions[-3:]] == ["Setvar", "Setvar", "Redirect"]
    assert isinstance(answers[2], Message)
    assert answers[2].message == "Redirect successful"


async def test_an_action_asterisk_does_not_answer_times_out_and_its_late_answer_is_thrown_away(
    link: AmiLink, server: FakeAmi
) -> None:
    await link.wait_up()
    server.on("Slow", lambda a: None)
    with pytest.raises(ActionTimeout):
        await link.action("Slow", timeout=0.05)
    late = server.got("Slow")[0]
    server.raw(ok(late, "late"))
    assert (await link.action("Quick")).message == "done"
    assert link.state is LinkState.up


async def test_an_error_answer_is_an_exception_with_asterisks_reason(link: AmiLink, server: FakeAmi) -> None:
    await link.wait_up()
    server.on(
        "Redirect",
        lambda a: message({"Response": "Error", "ActionID": a["ActionID"], "Message": "Channel does not exist: x"}),
    )
    with pytest.raises(ActionFailed, match="Channel does not exist"):
        await link.action("Redirect", Channel="x")


async def test_a_line_break_in_a_value_never_reaches_asterisk(link: AmiLink, server: FakeAmi) -> None:
    await link.wait_up()
    with pytest.raises(UnsafeValue):
        await link.pipeline([{"Action": "A"}, {"Action": "Setvar", "Value": "x\r\nAction: Command\r\nCommand: x"}])
    assert (await link.action("After")).success
    assert not server.got("A")
    assert not server.got("Setvar")


async def test_an_unanswered_originate_is_not_sent_again_after_a_reconnect(
    link: AmiLink, server: FakeAmi, ear: Ear
) -> None:
    await link.wait_up()
    server.on("Originate", lambda a: None)
    calling = asyncio.create_task(link.action("Originate", Channel="PJSIP/1001", Async="true"))
    await server.arrival("Originate")
    server.cut()
    with pytest.raises(LinkDown):
        await calling
    await ear.until("synced", "synced")
    await link.action("Ping")
    assert len(server.got("Originate")) == 1


async def test_without_a_session_an_action_is_refused_at_once_and_not_kept(server: FakeAmi) -> None:
    link = AmiLink("127.0.0.1", 1, "hotline", "right")
    await link.start()
    with pytest.raises(LinkDown):
        await link.action("Originate")
    with pytest.raises(LinkDown):
        await link.wait_up(timeout=0.2)
    await link.stop()


async def test_an_exception_in_a_listener_does_not_drop_the_link(link: AmiLink, server: FakeAmi, ear: Ear) -> None:
    await link.wait_up()
    ear.fail_on = "Hangup"
    server.event("Hangup")
    server.event("UserEvent", n=1)
    await ear.until("UserEvent:1")
    assert server.sessions == 1
    assert link.state is LinkState.up


async def test_every_reconnect_reads_the_state_anew_before_any_event_is_heard(
    link: AmiLink, server: FakeAmi, ear: Ear
) -> None:
    await link.wait_up()
    await ear.until("synced")
    server.cut()
    ear.gate.clear()
    await ear.until("up", "up")
    server.event("UserEvent", n=7)
    assert (await link.action("Status")).success  # the listener may ask while events wait
    ear.gate.set()
    await ear.until("UserEvent:7")
    assert ear.heard == ["up", "synced", "down", "up", "synced", "UserEvent:7"]


async def test_a_resync_that_fails_is_tried_again_on_a_new_session(link: AmiLink, server: FakeAmi, ear: Ear) -> None:
    ear.fail_up = 1
    await ear.until("synced")
    assert server.sessions >= 2


async def test_events_are_heard_in_the_order_they_came(link: AmiLink, server: FakeAmi, ear: Ear) -> None:
    await ear.until("synced")
    for n in range(500):
        server.event("UserEvent", n=n)
    await ear.until("UserEvent:499")
    assert [h for h in ear.heard if h.startswith("UserEvent")] == [f"UserEvent:{n}" for n in range(500)]


async def test_a_frozen_asterisk_is_noticed_by_the_ping_deadline(link: AmiLink, server: FakeAmi, ear: Ear) -> None:
    await ear.until("synced")
    server.on("Ping", lambda a: None)
    await ear.until("down")
    assert "silent" in link.problem or link.state is LinkState.up


async def test_a_busy_asterisk_that_sends_events_is_not_taken_for_frozen(
    link: AmiLink, server: FakeAmi, ear: Ear
) -> None:
    await ear.until("synced")
    server.on("Ping", lambda a: None)
    for n in range(12):
        server.event("UserEvent", n=n + 1)
        await asyncio.sleep(0.08)  # longer in all than ping_every + ping_deadline
    assert "down" not in ear.heard


async def test_a_wrong_secret_is_an_error_that_says_so_and_is_retried_slowly(server: FakeAmi, ear: Ear) -> None:
    link = AmiLink("127.0.0.1", server.port, "hotline", "wrong", listener=ear, refused_retry=0.3)
    await link.start()
    with pytest.raises(WrongSecret, match=r"manager\.conf"):
        await link.wait_up()
    assert link.state is LinkState.refused
    await asyncio.sleep(0.15)
    assert server.logins == 1
    server.secret = "wrong"  # somebody has put it right
    await ear.until("synced")
    assert link.state is LinkState.up
    await link.stop()


async def test_asterisk_coming_back_after_minutes_is_found_within_seconds(
    link: AmiLink, server: FakeAmi, ear: Ear
) -> None:
    await ear.until("synced")
    await server.stop()
    await ear.until("down")
    await server.start()
    await ear.until("synced", "synced", timeout=3)


async def test_the_link_waits_for_a_starting_asterisk(server: FakeAmi, ear: Ear) -> None:
    server.booted = False
    link = AmiLink("127.0.0.1", server.port, "hotline", "right", listener=ear, timeout=0.5)
    await link.start()
    await server.arrival("Login")
    with pytest.raises(LinkDown):
        await link.wait_up(timeout=0.1)
    server.event("FullyBooted")
    await link.wait_up()
    await link.stop()


async def test_queue_add_does_not_wait_for_a_list_that_never_comes(link: AmiLink, server: FakeAmi) -> None:
    await link.wait_up()
    server.on("QueueAdd", lambda a: ok(a, "Added interface to queue"))
    assert (await link.action("QueueAdd", Queue="hotline-failsafe", Interface="PJSIP/1001")).success


async def test_originate_without_async_does_not_raise(link: AmiLink, server: FakeAmi) -> None:
    await link.wait_up()
    server.on("Originate", lambda a: ok(a, "Originate successfully queued"))
    assert (await link.action("Originate", Channel="PJSIP/1001")).success


async def test_a_list_is_read_to_its_end_and_other_events_in_between_are_heard(
    link: AmiLink, server: FakeAmi, ear: Ear
) -> None:
    await ear.until("synced")

    def answer(action: Fields) -> bytes:
        whole = listed(action, [{"Event": "Status", "Channel": f"c{n}"} for n in range(3)], "Status")
        cut = whole.index(b"Event: Status\r\nChannel: c1")
        return whole[:cut] + message({"Event": "UserEvent", "n": 5}) + whole[cut:]

    server.on("Status", answer)
    rows = await link.list_action("Status")
    assert [row.channel for row in rows] == ["c0", "c1", "c2"]
    await ear.until("UserEvent:5")


async def test_an_event_with_an_actions_id_before_its_answer_is_not_taken_for_the_answer(
    link: AmiLink, server: FakeAmi, ear: Ear
) -> None:
    await ear.until("synced")
    server.on(
        "Originate",
        lambda a: message({"Event": "OriginateResponse", "ActionID": a["ActionID"], "n": 3}) + ok(a, "queued"),
    )
    assert (await link.action("Originate", Channel="x", Async="true")).message == "queued"
    await ear.until("OriginateResponse:3")


async def test_a_server_that_is_not_asterisk_is_left_alone() -> None:
    async def web(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(web, "127.0.0.1", 0)
    link = AmiLink("127.0.0.1", server.sockets[0].getsockname()[1], "hotline", "right", timeout=0.3)
    await link.start()
    with pytest.raises(LinkDown):
        await link.wait_up(timeout=0.6)
    await link.stop()
    server.close()
