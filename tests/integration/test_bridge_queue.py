"""From a caller in the hold loop to a talk and back, on a played Asterisk: offers, places, failures, recovery."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from pathlib import Path

from acd.model import AgentState
from cti_bridge.hub import StreamKey
from tests.bridge_kit.fake_ami import message
from tests.bridge_kit.rig import Listener, Rig, ms, offer_of
from tests.bridge_kit.scenes import offered

pytest_plugins = ["tests.bridge_kit.fixtures"]


def listen(rig: Rig, agent_id: str, *, board: bool = False) -> tuple[Listener, object]:
    page = Listener()
    return page, rig.bridge.hub.join(StreamKey(agent_id, board), page)


def told(page: Listener, event: str) -> list[dict[str, object]]:
    frames = [json.loads(text) for text in page.frames]
    return [frame["data"] for frame in frames if frame["type"] == "delta" and frame["event"] == event]


async def test_a_waiting_caller_is_put_to_a_free_agent_with_everything_the_dialplan_needs(rig: Rig) -> None:
    await rig.ready("1001")
    call, offer_id = await offered(rig)
    offer = offer_of((await rig.redirects("acd-connect"))[0])
    assert (offer.agent_id, offer.endpoint) == ("1001", "1001")
    assert 15 <= offer.timeout_s <= 20
    assert not [a for a in rig.asterisk.got("Setvar") if "Channel" in a], "an offer is one command, all or nothing"
    leg = rig.asterisk.rings(call, "1001")
    rig.asterisk.picks_up(call, "1001", leg, offer_id)
    await rig.until(lambda: rig.state("1001") == "talking", "a talk")
    rig.asterisk.user_event("AcdOfferEnd", call, Agent="1001", OfferId=offer_id, Status="ANSWER", Cause=16)
    await rig.until(lambda: rig.state("1001") == "wrap_up", "wrap-up")
    rig.asterisk.user_event("HotlineEnd", call, Cause=16, Phase="survey", Number="13800000001")
    rig.asterisk.hangs_up(call)
    rig.asterisk.hangs_up(leg)
    await rig.until(lambda: rig.domain.calls.get(call, {}).get("ended_at"), "the end in the database")
    stored = rig.domain.calls[call]
    assert stored["outcome"] == "answered"
    assert stored["agent_id"] == "1001"
    assert stored["answered_at"] >= stored["joined_at"]
    await rig.until(lambda: not rig.bridge.core.telephony.calls, "nothing left of the call")
    assert rig.bridge.core.telephony.by_channel == {}


async def test_the_pop_leaves_before_the_telephone_is_rung_and_the_ack_lets_it_ring(rig: Rig) -> None:
    page, stream = listen(rig, "1001")
    await rig.bridge.commands.sign_in("1001", None, ready=True)
    call = rig.asterisk.citizen("13800000001", ms())
    rig.asterisk.join(call, "13800000001", ms())
    await rig.until(lambda: told(page, "call.pop"), "a pop")
    pop = told(page, "call.pop")[0]
    assert pop["card"]["draft"]["case_id"] == 1  # type: ignore[index]
    assert not rig.asterisk.got("Redirect")
    stream.acknowledged(json.loads(page.frames[-1])["seq"])  # type: ignore[attr-defined]
    await rig.redirects("acd-connect")


async def test_a_silent_page_is_passed_over_in_a_second_and_the_caller_keeps_the_place(rig: Rig) -> None:
    page, _ = listen(rig, "1001")
    await rig.bridge.commands.sign_in("1001", None, ready=True)
    began = time.monotonic()
    call = rig.asterisk.citizen("13800000001", ms())
    rig.asterisk.join(call, "13800000001", ms())
    await rig.until(lambda: told(page, "call.offer_ended"), "the offer's end")
    assert 0.9 < time.monotonic() - began < 1.6
    assert told(page, "call.offer_ended")[0]["why"] == "desktop_silent"
    assert not rig.asterisk.got("Redirect")
    await rig.bridge.sign_in("1002")
    assert (await rig.redirects("acd-connect"))[0]["Channel"] == rig.asterisk.name_of(call)


async def test_a_telephone_without_a_page_is_not_kept_waiting_for_a_card_that_nobody_sees(rig: Rig) -> None:
    rig.domain.slow = threading.Event()
    await rig.ready("1001")
    call, _ = await offered(rig)
    rig.domain.slow.set()
    await rig.until(lambda: rig.domain.opened == [(call, "1001")], "the draft")
    assert rig.domain.cards == []


async def test_an_agent_who_opens_a_page_in_the_middle_of_a_call_gets_its_card(rig: Rig) -> None:
    await rig.ready("1001")
    call, offer_id = await offered(rig)
    rig.asterisk.picks_up(call, "1001", rig.asterisk.rings(call, "1001"), offer_id)
    await rig.until(lambda: rig.domain.opened == [(call, "1001")], "the draft")
    page, _ = listen(rig, "1001")
    await rig.until(lambda: told(page, "call.card"), "the card")
    assert told(page, "call.card")[0]["call_id"] == call
    assert rig.domain.cards == [(call, "1001")]
    assert len(rig.domain.drafts) == 1


async def test_no_answer_makes_not_ready_and_the_next_agent_is_offered_the_same_draft(rig: Rig) -> None:
    await rig.ready("1001", "1002")
    call, offer_id = await offered(rig)
    rig.asterisk.rings(call, "1001")
    rig.asterisk.user_event("AcdOfferEnd", call, Agent="1001", OfferId=offer_id, Status="NOANSWER", Cause=0)
    rig.asterisk.join(call, "13800000001", ms(), attempt=2)
    await rig.redirects("acd-connect", 2)
    await rig.until(lambda: rig.state("1001") == "not_ready", "1001 not ready")
    await rig.until(lambda: len(rig.domain.opened) == 2, "the draft has moved")
    assert rig.domain.opened == [(call, "1001"), (call, "1002")]
    assert len(rig.domain.drafts) == 1


async def test_a_caller_who_hangs_up_while_it_rings_leaves_the_agent_ready(rig: Rig) -> None:
    await rig.ready("1001")
    call, _ = await offered(rig)
    leg = rig.asterisk.rings(call, "1001")
    rig.asterisk.user_event("HotlineEnd", call, Cause=16, Phase="connect", Number="x")
    rig.asterisk.hangs_up(call)
    rig.asterisk.hangs_up(leg)
    await rig.until(lambda: rig.state("1001") == "ready", "ready again")
    await rig.until(lambda: rig.domain.calls.get(call, {}).get("outcome") == "abandoned", "abandoned")
    assert rig.bridge.offers.runs == {}


async def test_the_end_of_a_shift_while_it_rings_fetches_the_caller_back(rig: Rig) -> None:
    await rig.ready("1001")
    call, _ = await offered(rig)
    rig.asterisk.rings(call, "1001")
    rig.asterisk.phone("1001", "UNAVAILABLE")
    assert (await rig.redirects("acd-hold"))[0]["Channel"] == rig.asterisk.name_of(call)


async def test_key_one_while_a_telephone_already_rings_does_not_lose_the_caller(rig: Rig) -> None:
    await rig.ready("1001")
    call, offer_id = await offered(rig)
    rig.asterisk.user_event("AcdKey", call, Key="1")
    rig.asterisk.user_event("HotlineMessage", call)
    leg = rig.asterisk.rings(call, "1001")
    rig.asterisk.picks_up(call, "1001", leg, offer_id)
    await rig.until(lambda: rig.state("1001") == "talking", "a talk")


async def test_key_two_sends_the_caller_to_the_callback_script_once(rig: Rig) -> None:
    call = rig.asterisk.citizen("13800000001", ms())
    rig.asterisk.join(call, "13800000001", ms())
    rig.asterisk.user_event("AcdKey", call, Key="2")
    rig.asterisk.user_event("AcdKey", call, Key="2")
    (sent,) = await rig.redirects("hotline-after-menu")
    assert sent["Exten"] == "to-callback"
    await rig.until(lambda: not rig.bridge.engine.snapshot().waiting, "nobody waiting")


async def test_a_hostile_caller_id_reaches_neither_a_header_nor_the_channel_check(rig: Rig) -> None:
    await rig.ready("1001")
    call = rig.asterisk.citizen("13800000001", ms())
    rig.asterisk.user_event(
        "AcdJoin", call, Number="1 AND 1=1", Name="../../<script>", Joined=ms(), Skills="yue:99999,;,"
    )
    await rig.redirects("acd-connect")
    assert rig.bridge.core.telephony.calls[call].skills == {"yue": 1}


async def test_a_locked_database_costs_no_call_and_the_full_card_follows(rig: Rig) -> None:
    page, stream = listen(rig, "1001")
    await rig.bridge.commands.sign_in("1001", None, ready=True)
    rig.domain.locked = True
    call = rig.asterisk.citizen("13800000001", ms())
    rig.asterisk.join(call, "13800000001", ms())
    await rig.until(lambda: told(page, "call.pop"), "a pop without the database", 1)
    card = told(page, "call.pop")[0]["card"]
    assert card["number"] == "13800000001"  # type: ignore[index]
    assert card["draft"] is None  # type: ignore[index]
    stream.acknowledged(stream.seq)  # type: ignore[attr-defined]
    await rig.redirects("acd-connect")
    rig.domain.locked = False
    await rig.until(lambda: told(page, "call.card"), "the full card")
    assert told(page, "call.card")[-1]["card"]["draft"]["case_id"] == 1  # type: ignore[index]
    await rig.until(lambda: rig.domain.calls.get(call, {}).get("agent_id") == "1001", "the facts")


async def test_a_frozen_database_delays_the_pop_by_no_more_than_its_budget(rig: Rig) -> None:
    page, _ = listen(rig, "1001")
    await rig.bridge.commands.sign_in("1001", None, ready=True)
    rig.domain.slow = threading.Event()
    began = time.monotonic()
    call = rig.asterisk.citizen("13800000001", ms())
    rig.asterisk.join(call, "13800000001", ms())
    await rig.until(lambda: told(page, "call.pop"), "a pop", 2)
    assert time.monotonic() - began < 0.5
    rig.domain.slow.set()
    await rig.until(lambda: told(page, "call.card"), "the card after all")


async def test_the_failsafe_queue_holds_exactly_the_agents_on_shift_paused_when_not_ready(rig: Rig) -> None:
    await rig.ready("1001", "1002")
    await rig.until(lambda: rig.asterisk.queue == {"PJSIP/1001": False, "PJSIP/1002": False}, "two members")
    await rig.bridge.commands._not_ready("1001", {"reason": "meal"})
    await rig.bridge.commands._sign_out("1002", {})
    await rig.until(lambda: rig.asterisk.queue == {"PJSIP/1001": True}, "one paused member")


async def test_an_agent_whose_page_is_gone_gets_no_calls_and_after_half_a_minute_is_not_ready(tmp_path: Path) -> None:
    shift = [0]
    rig = await Rig(tmp_path / "home", clock=lambda: ms() + shift[0]).start()
    page, stream = listen(rig, "1001")
    watch, _ = listen(rig, "", board=True)
    await rig.bridge.commands.sign_in("1001", None, ready=True)
    rig.bridge.hub.leave(stream, page)  # type: ignore[arg-type]
    assert rig.bridge.core.book.on_shift["1001"].unreachable
    call = rig.asterisk.citizen("13800000001", ms())
    rig.asterisk.join(call, "13800000001", ms())
    await rig.until(lambda: rig.bridge.engine.snapshot().waiting, "a waiting caller")
    assert not rig.bridge.offers.runs
    again, _ = listen(rig, "1001")  # F5
    await rig.until(lambda: told(again, "call.pop"), "the pop on the page that came back")
    rig.bridge.hub.leave(rig.bridge.hub._of("1001")[0], again)
    rig.asterisk.hangs_up(call)
    await rig.until(lambda: rig.state("1001") == "ready", "ready but without a page")
    shift[0] = 31_000
    await rig.until(lambda: rig.state("1001") == "not_ready", "not ready", 3)
    assert rig.bridge.core.book.on_shift["1001"].not_ready_reason == "desktop_lost"
    assert told(watch, "notice")[-1]["code"] == "desktop_lost"
    await rig.stop()


async def test_the_heart_stops_beating_when_the_picture_is_unknown(rig: Rig) -> None:
    await rig.asterisk.arrival("Setvar")
    assert rig.bridge.healthy()
    await rig.asterisk.stop()
    await rig.until(lambda: not rig.bridge.core.connected, "the cut")
    assert not rig.bridge.healthy()
    assert rig.bridge.health()["asterisk"] != "ok"


async def test_waiting_callers_are_told_their_place(rig: Rig) -> None:
    for prompt in (
        "you_are_number",
        "number_1",
        "position_suffix",
        "hold_menu",
        "less_than_a_minute",
        "wait_about",
        "minutes",
        "number_2",
        "number_3",
    ):
        path = rig.settings.paths.prompts / "yue" / f"{prompt}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    from acd.model import Announce

    call = rig.asterisk.citizen("13800000001", ms())
    rig.asterisk.join(call, "13800000001", ms(), Lang="yue")
    await rig.until(lambda: rig.bridge.engine.snapshot().waiting, "a waiting caller")
    rig.bridge.dispatcher.deciding.decide(Announce(call, 1, 20, 100))
    await rig.until(lambda: any(a["Variable"] == "HOTLINE_SAY" for a in rig.asterisk.got("Setvar")), "an announcement")
    said = [a["Value"] for a in rig.asterisk.got("Setvar") if a["Variable"] == "HOTLINE_SAY"][-1]
    assert [part.rpartition("/")[2] for part in said.split("&")] == [
        "you_are_number", "number_1", "position_suffix", "wait_about", "number_2", "minutes", "hold_menu",
    ]  # fmt: skip


async def test_what_a_caller_was_told_is_kept_with_the_call_and_judged_on_the_board_when_it_comes(rig: Rig) -> None:
    from acd.model import WaitPredicted

    await rig.ready("1001")
    call, offer_id = await offered(rig)
    rig.bridge.dispatcher.deciding.decide(WaitPredicted(call, 0, 30, 60, 1, 2))
    assert rig.bridge.board.figures()["foretold_24h"] == {"num": 0, "den": 0, "rate": None, "error_s": 0}
    leg = rig.asterisk.rings(call, "1001")
    rig.asterisk.picks_up(call, "1001", leg, offer_id)
    await rig.until(lambda: rig.state("1001") == "talking", "a talk")
    assert rig.bridge.board.figures()["foretold_24h"] == {"num": 1, "den": 1, "rate": 1.0, "error_s": 30}
    await rig.until(lambda: rig.domain.calls.get(call, {}).get("foretold_at"), "it in the database")
    assert [rig.domain.calls[call][f"foretold_{part}_s"] for part in ("low", "middle", "high")] == [0, 30, 60]


async def test_an_offer_that_asterisk_refuses_gives_the_call_to_the_next(rig: Rig) -> None:
    await rig.ready("1001")
    rig.asterisk.on(
        "Redirect",
        lambda a: message({"Response": "Error", "ActionID": a["ActionID"], "Message": "Channel does not exist"}),
    )
    call = rig.asterisk.citizen("13800000001", ms())
    rig.asterisk.join(call, "13800000001", ms())
    await rig.redirects("acd-connect", 2)  # tried again: the caller is still in the loop
    assert rig.state("1001") in (AgentState.READY, AgentState.OFFERED)
    rig.asterisk.hangs_up(call)
    await rig.until(lambda: not rig.bridge.core.telephony.calls, "the end")
    await asyncio.sleep(0)
