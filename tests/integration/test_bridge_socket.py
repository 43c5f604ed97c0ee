"""The websocket as pages meet it: who may come in, snapshots, resuming, slow pages, and frames that make no sense."""

from __future__ import annotations

import asyncio
import itertools
import json
import time

import pytest

from cti_bridge import client as client_module
from tests.bridge_kit.served import Json, Served, closing, command, frame

pytest_plugins = ["tests.bridge_kit.fixtures"]


@pytest.mark.parametrize("token", [None, "token-nobody", ""])
async def test_nobody_comes_in_without_a_session(served: Served, token: str | None) -> None:
    assert await closing(await served.page(token, streams=None)) == 4401


@pytest.mark.parametrize("origin", ["http://evil.example", "https://127.0.0.1", "null"])
async def test_a_foreign_page_cannot_use_the_users_cookie(served: Served, origin: str) -> None:
    assert await closing(await served.page(origin=origin, streams=None)) == 4403


@pytest.mark.parametrize(
    ("token", "streams"),
    [
        ("token-watch", ["agent"]),
        ("token-citizen", ["wallboard"]),
        ("token-citizen", ["agent"]),
        ("token-watch", ["agent", "wallboard"]),
    ],
)
async def test_a_stream_is_only_for_those_allowed(served: Served, token: str, streams: list[str]) -> None:
    assert await closing(await served.page(token, streams=streams)) == 4403


async def test_a_snapshot_tells_an_agent_where_they_stand(served: Served) -> None:
    page = await served.page()
    snapshot = await frame(page, "snapshot")
    assert snapshot["data"]["agent"]["state"] == "signed_out"
    assert snapshot["data"]["agent"]["phone_registered"]
    assert snapshot["data"]["calls"] == []
    assert snapshot["data"]["wallboard"] is None
    result = await command(page, "agent.sign_in")
    assert result["ok"]
    assert result["data"]["state"] == "not_ready"


async def test_an_agents_page_hears_at_once_that_the_inbox_has_something(served: Served) -> None:
    page, other = await served.page(), await served.page("token-1002")
    for one in (page, other):
        await frame(one, "snapshot")
    await asyncio.to_thread(served.rig.bridge.notices_told, {"1001", "1003"})
    served.rig.bridge.hub.to_agent("1002", "notice", {"n": 1})
    told = await frame(page, "delta")
    assert (told["event"], told["data"]) == ("notices.changed", {})
    assert (await frame(other, "delta"))["event"] == "notice", "it is the agent's alone"


async def test_what_was_missed_is_sent_after_a_reconnect_and_numbers_have_no_gap(served: Served) -> None:
    page = await served.page()
    snapshot = await frame(page, "snapshot")
    await command(page, "agent.sign_in")
    await page.close()
    await served.rig.until(lambda: served.rig.bridge.hub.pages("1001") == 0, "the page gone")
    served.rig.bridge.hub.to_agent("1001", "notice", {"n": 1})
    served.rig.bridge.hub.to_agent("1001", "notice", {"n": 2})
    back = await served.page(resume={"epoch": snapshot["epoch"], "seq": snapshot["seq"]})
    first = await frame(back)
    assert first["type"] == "delta"
    seqs, last = [first["seq"]], first
    while last["event"] != "notice" or last["data"].get("n") != 2:
        last = await frame(back, "delta")
        seqs.append(last["seq"])
    assert seqs == list(range(snapshot["seq"] + 1, snapshot["seq"] + 1 + len(seqs)))


@pytest.mark.parametrize("resume", [{"epoch": "other", "seq": 0}, {"epoch": 7, "seq": []}, {"seq": -1}, "nonsense"])
async def test_what_cannot_be_resumed_gets_a_snapshot(served: Served, resume: object) -> None:
    page = await served.page(resume=resume)
    assert (await frame(page))["type"] == "snapshot"


async def test_a_gap_longer_than_what_is_kept_gets_a_snapshot(served: Served) -> None:
    page = await served.page()
    snapshot = await frame(page, "snapshot")
    await page.close()
    for n in range(400):
        served.rig.bridge.hub.to_agent("1001", "notice", {"n": n})
    back = await served.page(resume={"epoch": snapshot["epoch"], "seq": snapshot["seq"]})
    assert (await frame(back))["type"] == "snapshot"


async def test_two_pages_of_one_agent_both_live(served: Served) -> None:
    one, two = await served.page(), await served.page()
    await frame(one, "snapshot")
    await frame(two, "snapshot")
    await command(one, "agent.sign_in")
    state = await frame(two, "delta")
    assert state["event"] == "agent.state"
    assert state["data"]["state"] == "not_ready"


async def test_a_ninth_page_replaces_the_oldest(served: Served) -> None:
    pages = [await served.page() for _ in range(9)]
    for page in pages[1:]:
        await frame(page, "snapshot")
    assert await closing(pages[0]) == 4409


async def test_a_page_that_does_not_keep_up_is_dropped_and_told_and_the_others_are_not(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "MOST_UNSENT", 20)
    slow, quick = await served.page(), await served.page()
    await frame(slow, "snapshot")
    await frame(quick, "snapshot")
    slow.transport.pause_reading()
    big = "x" * 200_000
    for n in range(120):
        served.rig.bridge.hub.to_agent("1001", "notice", {"n": n, "text": big})
        assert (await frame(quick, "delta"))["data"]["n"] == n
    await served.rig.until(lambda: served.rig.bridge.hub.pages("1001") == 1, "the slow page dropped")
    slow.transport.abort()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "[]",
        "7",
        '"hello"',
        '{"type":"nonsense"}',
        '{"type":"command"}',
        '{"type":"command","id":7,"name":"agent.ready"}',
        '{"type":"command","id":"x","name":7}',
        '{"type":"command","id":"x","name":"agent.ready","args":[]}',
        '{"type":"ack","event_seq":"1"}',
        '{"type":"hello","streams":["agent"]}',
        "[" * 20_000,
        '{"type":"command","id":"x","name":"' + "a" * 70_000 + '"}',
    ],
)
async def test_a_frame_that_makes_no_sense_is_answered_and_changes_nothing(served: Served, text: str) -> None:
    page = await served.page()
    await frame(page, "snapshot")
    await page.send(text)
    answer = await frame(page, "result")
    assert answer["ok"] is False
    assert (await command(page, "agent.sign_in"))["ok"]


async def test_bytes_are_no_frame(served: Served) -> None:
    page = await served.page()
    await frame(page, "snapshot")
    await page.send(b"\xff\xfe")
    assert (await frame(page, "result"))["error"]["code"] == "bad_frame"


async def test_a_flood_of_nonsense_ends_the_connection(served: Served) -> None:
    page = await served.page()
    await frame(page, "snapshot")
    for _ in range(60):
        await page.send("{")
    assert await closing(page) == 1008


@pytest.mark.parametrize("streams", [[], ["agent", "everything"], "agent", None, {"agent": 1}])
async def test_a_hello_for_unknown_streams_is_refused(served: Served, streams: object) -> None:
    page = await served.page(streams=None)
    await page.send(json.dumps({"type": "hello", "streams": streams}))
    assert (await frame(page, "result"))["error"]["code"] == "bad_frame"


async def test_commands_before_hello_are_refused(served: Served) -> None:
    page = await served.page(streams=None)
    assert (await command(page, "agent.ready"))["error"]["code"] == "no_hello"


@pytest.mark.parametrize(
    ("name", "args", "code"),
    [
        ("agent.fly", {}, "unknown_command"),
        ("agent.ready", {}, "not_signed_in"),
        ("agent.sign_in", {"endpoint": "1002"}, "bad_input"),
        ("agent.sign_in", {"endpoint": "1001\r\nAction: x"}, "bad_input"),
        ("agent.next_state", {"state": "flying"}, "bad_input"),
        ("wrapup.extend", {"seconds": "ten"}, "bad_input"),
        ("call.hold", {}, "no_talk"),
        ("call.hold", {"call_id": "other-1.1"}, "not_found"),
        ("call.hold", {"call_id": {"a": 1}}, "bad_input"),
        ("call.dial", {"number": "110"}, "not_signed_in"),
        ("callback.start", {"callback_id": "1"}, "bad_input"),
        ("call.transfer_blind", {"to": "110\r\nChannel: x"}, "bad_input"),
    ],
)
async def test_a_command_that_cannot_be_done_says_why(served: Served, name: str, args: Json, code: str) -> None:
    page = await served.page()
    await frame(page, "snapshot")
    answer = await command(page, name, **args)
    assert answer["error"]["code"] == code
    assert answer["error"]["message"]


async def test_a_double_click_does_it_once_but_back_and_forth_does_it_each_time(served: Served) -> None:
    page = await served.page()
    await frame(page, "snapshot")
    await command(page, "agent.sign_in")
    feed = served.rig.bridge.core.queue.feed
    fed: list[str] = []

    def count(*events: object) -> None:
        fed.extend(type(one).__name__ for one in events)
        feed(*events)  # type: ignore[arg-type]

    served.rig.bridge.core.queue.feed = count  # type: ignore[method-assign]
    for ident, name in (("a", "agent.ready"), ("b", "agent.ready"), ("c", "agent.not_ready"), ("d", "agent.ready")):
        assert (await command(page, name, ident))["ok"]
    assert [name for name in fed if name.startswith("Agent")] == ["AgentReady", "AgentNotReady", "AgentReady"]


async def test_commands_sent_without_waiting_are_done_in_their_order(served: Served) -> None:
    page = await served.page()
    await frame(page, "snapshot")
    for ident, name in enumerate(("agent.sign_in", "agent.ready", "agent.sign_out", "agent.sign_in", "agent.ready")):
        await page.send(json.dumps({"type": "command", "id": str(ident), "name": name}))
    results = [await frame(page, "result") for _ in range(5)]
    assert [one["ok"] for one in results] == [True] * 5
    assert results[-1]["data"]["state"] == "ready"


async def test_a_page_that_does_not_answer_pings_is_dropped(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "PING_EVERY_S", 0.05)
    monkeypatch.setattr(client_module, "SILENT_S", 0.2)
    page = await served.page()
    assert await closing(page) == 4408


async def test_a_page_that_answers_pings_stays(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "PING_EVERY_S", 0.05)
    monkeypatch.setattr(client_module, "SILENT_S", 1.0)
    page = await served.page()
    began = time.monotonic()
    while time.monotonic() - began < 1.5:
        await frame(page, "ping")
        await page.send('{"type":"pong"}')


async def test_a_session_that_ends_ends_the_page(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "PING_EVERY_S", 0.05)
    monkeypatch.setattr(client_module, "SESSION_CHECK_S", 0.05)
    page = await served.page()
    await frame(page, "snapshot")
    del served.rig.domain.actors["token-1001"]
    assert await closing(page) == 4401


async def test_a_page_that_says_nothing_is_dropped(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "HELLO_S", 0.1)
    assert await closing(await served.page(streams=None)) == 4408


async def test_the_wallboard_masks_numbers_and_is_sent_at_most_twice_a_second(served: Served) -> None:
    page = await served.page("token-watch", streams=["wallboard"])
    snapshot = await frame(page, "snapshot")
    assert snapshot["data"]["wallboard"]["depth"] == 0
    now = time.time_ns() // 1_000_000
    for n in range(5):
        call = served.rig.asterisk.citizen(f"1380013800{n}", now)
        served.rig.asterisk.join(call, f"1380013800{n}", now)
    boards: list[tuple[float, Json]] = []
    async with asyncio.timeout(5):
        while not boards or boards[-1][1]["depth"] < 5:
            boards.append((time.monotonic(), (await frame(page, "delta"))["data"]))
    assert [row["number_masked"] for row in boards[-1][1]["waiting"]] == [f"138****800{n}" for n in range(5)]
    gaps = [b[0] - a[0] for a, b in itertools.pairwise(boards)]
    assert all(gap > 0.45 for gap in gaps)
    assert "13800138" not in json.dumps(boards[-1][1])


async def test_the_server_going_away_is_told(served: Served) -> None:
    page = await served.page()
    await frame(page, "snapshot")
    served.rig.bridge.hub.close_all(1001, "the server restarts")
    assert await closing(page) == 1001
