"""What the core knows again after a restart, a kill or a cut line, on a played Asterisk: nobody loses a place."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from cti_bridge import agents, writer
from tests.bridge_kit.rig import NODE, Rig, channel, ms
from tests.bridge_kit.scenes import offered

pytest_plugins = ["tests.bridge_kit.fixtures"]


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


async def test_who_joined_in_one_millisecond_is_in_the_same_order_after_a_restart(rig: Rig) -> None:
    """Before a restart they were ordered as they were heard of, after it by the letters of their ids: 10 before 9."""
    joined = ms() - 5_000
    numbers = {n: f"1390000{n:04d}" for n in (101, 9, 10, 99)}
    for n, number in numbers.items():
        rig.asterisk.user_event("HotlineStart", f"{NODE}.{n}", Number=number, Line="12345", Started=joined)
        rig.asterisk.join(f"{NODE}.{n}", number, joined)
    waiting = [f"{NODE}.{n}" for n in sorted(numbers)]
    await rig.until(lambda: len(rig.bridge.engine.snapshot().waiting) == len(waiting), "everybody in line")
    assert [one.call_id for one in rig.bridge.engine.snapshot().waiting] == waiting
    await rig.bridge.stop()
    rig.asterisk.channels = {
        call: channel(call, CALL=call, PHASE="hold", NUMBER=number, JOINED=str(joined), ATTEMPT="1")
        for call, number in ((f"{NODE}.{n}", number) for n, number in numbers.items())
    }
    await rig.start_bridge()
    assert [one.call_id for one in rig.bridge.engine.snapshot().waiting] == waiting


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
