"""From a caller in the hold loop to a talk and back, on a played Asterisk: offers, places, failures, recovery."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from pathlib import Path

import pytest

from acd.model import AgentState
from cti_bridge import agents, writer
from cti_bridge.hub import StreamKey
from tests.bridge_kit.fake_ami import message
from tests.bridge_kit.rig import NODE, Listener, Rig, channel, ms, offer_of

pytest_plugins = ["tests.bridge_kit.fixtures"]


def listen(rig: Rig, agent_id: str, *, board: bool = False) -> tuple[Listener, object]:
    page = Listener()
    return page, rig.bridge.hub.join(StreamKey(agent_id, board), page)


def told(page: Listener, event: str) -> list[dict[str, object]]:
    frames = [json.loads(text) for text in page.frames]
    return [frame["data"] for frame in frames if frame["type"] == "delta" and frame["event"] == event]


async def offered(rig: Rig, number: str = "13800000001") -> tuple[str, str]:
    """A caller who is being rung at somebody's telephone: (call, offer id)."""
    before = len(rig.asterisk.got("Redirect"))
    call = rig.asterisk.citizen(number, ms())
    rig.asterisk.join(call, number, ms())
    sent = await rig.redirects("acd-connect", before + 1)
    return call, next(offer_of(one).offer_id for one in sent if one["Channel"] == rig.asterisk.name_of(call))


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


async def test_after_a_restart_waiting_and_talking_calls_are_known_with_their_first_join_time(rig: Rig) -> None:
    await rig.ready("1001", "1002")
    await rig.bridge.commands._not_ready("1002", {"reason": "meal"})
    call, offer_id = await offered(rig, "13800000001")
    leg = rig.asterisk.rings(call, "1001")
    rig.asterisk.picks_up(call, "1001", leg, offer_id)
    await rig.until(lambda: rig.state("1001") == "talking", "a talk")
    book = rig.bridge.core.book
    await rig.until(lambda: {one.agent_id: one.state for one in book.remembered()}.get("1001") == "talking", "the book")
    old = rig.bridge
    await old.stop()

    joined = ms() - 90_000
    leg_name = f"PJSIP/1001-{int(leg.rpartition('.')[2]):08x}"
    rig.asterisk.channels = {
        call: channel(call, application="Dial", CALL=call, PHASE="talk", NUMBER="13800000001", AGENT="1001",
                      JOINED=str(joined), STARTED=str(joined), TALKED="1", REC=f"/x/{call}-1"),
        leg: channel(leg, name=leg_name, application="AppDial", PEER_CALL=call, LEG="agent", AGENT="1001"),
        **{
            f"{NODE}.{n}": channel(f"{NODE}.{n}", CALL=f"{NODE}.{n}", PHASE="hold", NUMBER=f"1390000000{n - 50}",
                                   JOINED=str(joined + n * 1000), STARTED=str(joined), ATTEMPT="2", LANG="yue")
            for n in (55, 53, 54)
        },
    }  # fmt: skip
    began = time.monotonic()
    await rig.start_bridge()
    assert time.monotonic() - began < 2
    view = rig.bridge.engine.snapshot()
    assert [one.call_id for one in view.waiting] == [f"{NODE}.{n}" for n in (53, 54, 55)]
    assert [one.joined_ms for one in view.waiting] == [joined + n * 1000 for n in (53, 54, 55)]
    assert rig.state("1001") == "talking"
    assert rig.state("1002") == "not_ready"
    reason = rig.bridge.core.book.on_shift["1002"].not_ready_reason
    assert reason == "meal"
    rig.asterisk.user_event("AcdOfferEnd", call, Agent="1001", OfferId=offer_id, Status="ANSWER", Cause=16)
    await rig.until(lambda: rig.state("1001") == "wrap_up", "wrap-up after an adopted talk")


async def test_a_shift_is_on_the_disk_before_its_first_call_can_be_answered(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A core killed a tenth of a second after a sign-in had forgotten the agent, who was in a call by then."""
    monkeypatch.setattr(agents, "SAVE_AFTER_S", 60)
    await rig.bridge.commands.sign_in("1001", None, ready=True)
    await rig.until(lambda: [one.agent_id for one in rig.bridge.core.book.remembered()] == ["1001"], "it on the disk")


async def test_wrap_up_goes_on_over_a_restart(rig: Rig) -> None:
    await rig.ready("1001")
    call, offer_id = await offered(rig)
    leg = rig.asterisk.rings(call, "1001")
    rig.asterisk.picks_up(call, "1001", leg, offer_id)
    rig.asterisk.user_event("AcdOfferEnd", call, Agent="1001", OfferId=offer_id, Status="ANSWER", Cause=16)
    await rig.until(lambda: rig.state("1001") == "wrap_up", "wrap-up")
    until = rig.bridge.core.book.on_shift["1001"].until_ms
    await rig.until(lambda: [one.state for one in rig.bridge.core.book.remembered()] == ["wrap_up"], "the book")
    await rig.bridge.stop()
    await rig.start_bridge()
    assert rig.state("1001") == "wrap_up"
    assert rig.bridge.core.book.on_shift["1001"].until_ms == until


async def test_a_cut_line_to_asterisk_loses_no_call_and_ends_what_ended_meanwhile(rig: Rig) -> None:
    await rig.ready("1001")
    talk, offer_id = await offered(rig, "13800000001")
    leg = rig.asterisk.rings(talk, "1001")
    rig.asterisk.picks_up(talk, "1001", leg, offer_id)
    waiting = rig.asterisk.citizen("13800000002", ms())
    rig.asterisk.join(waiting, "13800000002", ms() - 5000)
    await rig.until(lambda: len(rig.bridge.engine.snapshot().waiting) == 1, "one waiting")
    joined = rig.bridge.engine.snapshot().waiting[0].joined_ms
    # The talk ends while the line is cut; the waiting caller goes on waiting.
    rig.asterisk.channels = {
        waiting: channel(waiting, CALL=waiting, PHASE="hold", NUMBER="13800000002", JOINED=str(joined), ATTEMPT="1")
    }
    rig.asterisk.cut()
    await rig.until(lambda: not rig.bridge.core.connected, "the cut noticed")
    await rig.until(lambda: rig.bridge.core.connected, "the line again")
    await rig.until(lambda: rig.domain.calls.get(talk, {}).get("ended_at"), "the talk's end")
    assert rig.domain.calls[talk]["outcome"] == "answered"
    assert [one.call_id for one in rig.bridge.engine.snapshot().waiting] == [waiting]
    assert rig.state("1001") == "wrap_up"


async def test_calls_that_ended_while_the_core_was_away_are_closed_in_the_database(tmp_path: Path) -> None:
    from cti_bridge.ports import CallSeen

    rig = Rig(tmp_path / "home")
    rig.domain.open = [
        CallSeen("old-1.1", "general", ms() - 60_000, ms() - 50_000, ms() - 40_000, None, "1001"),
        CallSeen("old-1.2", "general", ms() - 60_000, ms() - 50_000, None, None, None),
    ]
    await rig.start()
    await rig.until(lambda: len(rig.domain.calls) == 2, "both closed")
    assert rig.domain.calls["old-1.1"]["outcome"] == "answered"
    assert rig.domain.calls["old-1.2"]["outcome"] == "abandoned"
    await rig.stop()


async def test_facts_of_a_killed_core_reach_the_database_after_the_restart(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.domain.locked = True
    call = rig.asterisk.citizen("13800000001", ms())
    rig.asterisk.join(call, "13800000001", 1_795_521_600_123)
    await rig.until(lambda: rig.bridge.core.facts.waiting()["facts"] >= 2, "facts that wait")
    assert rig.bridge.core.facts._journal.flush()
    # kill -9: nothing of the old bridge's threads may reach the database any more
    monkeypatch.setattr(rig.bridge, "_apply_facts", lambda batch: None)
    for lane in rig.bridge.core.facts._lanes.values():
        lane._apply = lambda batch: (_ for _ in ()).throw(writer.Busy())
    await rig.bridge.stop()
    rig.domain.locked = False
    assert rig.domain.calls == {}
    await rig.start_bridge()
    await rig.until(lambda: call in rig.domain.calls, "the facts")
    assert rig.domain.calls[call]["joined_at"] == 1_795_521_600_123


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


async def test_the_board_still_knows_after_a_restart_how_well_waits_were_foretold(tmp_path: Path) -> None:
    from acd.calibration import Foretold
    from cti_bridge.ports import CallSeen

    rig = Rig(tmp_path / "home")
    joined = ms() - 300_000
    told = Foretold(joined + 20_000, 60, 90, 150)
    rig.domain.recent = [CallSeen("old-1.1", "general", joined, joined, joined + 100_000, ms(), "1001", told)]
    await rig.start()
    await rig.until(lambda: rig.bridge.board.figures()["foretold_24h"]["den"] == 1, "the board filled")
    assert rig.bridge.board.figures()["foretold_24h"] == {"num": 1, "den": 1, "rate": 1.0, "error_s": 10}
    await rig.stop()


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
