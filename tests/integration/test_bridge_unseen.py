"""Calls that ended, or came and went, while the bridge heard nothing are in the database all the same."""

from __future__ import annotations

import json
from pathlib import Path

from app.calls.service import facts_of, find, record
from app.clock import from_ms
from app.db import Database
from app.settings import Settings
from cti_bridge.domain import AppDomain
from tests.bridge_kit.rig import NODE, Rig, channel, ms

pytest_plugins = ["tests.bridge_kit.fixtures"]


def ended(rig: Rig, call: str, **fields: str | int) -> Path:
    """Asterisk's note of a call's end."""
    path = rig.settings.paths.call_spool / f"{call}.json"
    known = {"call": call, "number": "13800000009", "line": "12345", "phase": "hold", "cause": "16", **fields}
    path.write_text(json.dumps({name: str(value) for name, value in known.items()}))
    return path


async def line_away(rig: Rig) -> None:
    """The line is lost and comes back."""
    rig.asterisk.cut()
    await rig.until(lambda: not rig.bridge.core.connected, "the cut noticed")
    await rig.until(lambda: rig.bridge.core.connected, "the line again")


async def test_a_call_that_came_and_went_while_the_line_was_away_is_recorded_and_counted(rig: Rig) -> None:
    now, call = ms(), f"{NODE}.77"
    before = rig.bridge.board.figures()["connect_24h"]["den"]
    note = ended(rig, call, started=now - 9000, joined=now - 8000, ended=now - 1000, queue="general")
    await line_away(rig)
    await rig.until(lambda: rig.domain.calls.get(call), "the call in the database")
    stored = rig.domain.calls[call]
    assert (stored["outcome"], stored["number"]) == ("abandoned", "13800000009")
    assert (stored["started_at"], stored["joined_at"], stored["ended_at"]) == (now - 9000, now - 8000, now - 1000)
    await rig.until(lambda: not note.exists(), "the note removed")
    assert rig.bridge.board.figures()["connect_24h"]["den"] == before + 1


async def test_a_known_call_that_ended_while_the_line_was_away_ended_when_asterisk_says(rig: Rig) -> None:
    call = rig.asterisk.citizen("13800000001", ms())
    rig.asterisk.join(call, "13800000001", ms() - 5000)
    await rig.until(lambda: rig.bridge.engine.snapshot().waiting, "a waiting caller")
    at = ms() + 1234
    note = ended(rig, call, started=ms() - 9000, ended=at, phase="voicemail")
    await line_away(rig)
    await rig.until(lambda: rig.domain.calls.get(call, {}).get("ended_at"), "the end")
    assert (rig.domain.calls[call]["ended_at"], rig.domain.calls[call]["outcome"]) == (at, "voicemail")
    await rig.until(lambda: not note.exists(), "the note removed")
    assert rig.bridge.board.figures()["connect_24h"] == {"num": 0, "den": 1, "rate": 0.0}, "counted as not connected"


async def test_a_call_of_an_earlier_life_ends_by_its_note_and_not_by_the_time_of_the_restart(rig: Rig) -> None:
    from cti_bridge.ports import CallSeen

    now, call = ms(), f"{NODE}.78"
    rig.domain.open = [CallSeen(call, "general", now - 60_000, now - 50_000, None, None, None)]
    await rig.bridge.stop()
    ended(rig, call, started=now - 60_000, joined=now - 50_000, ended=now - 40_000)
    await rig.start_bridge()
    await rig.until(lambda: rig.domain.forgotten and rig.bridge.core.facts.settle(0), "all applied")
    assert rig.domain.calls[call]["ended_at"] == now - 40_000


async def test_the_note_of_a_call_whose_end_was_heard_is_removed_once_the_database_has_it(rig: Rig) -> None:
    call = rig.asterisk.citizen("13800000001", ms())
    rig.domain.locked = True
    note = ended(rig, call, started=ms() - 9000, ended=ms(), phase="menu")
    rig.asterisk.hangs_up(call)
    await rig.until(lambda: call not in rig.bridge.core.telephony.calls, "the end heard")
    other = rig.asterisk.citizen("13800000002", ms())
    await rig.until(lambda: rig.bridge.core.call(other), "more events")
    assert note.exists()
    rig.domain.locked = False
    await rig.until(lambda: not note.exists(), "the note removed")
    assert rig.domain.calls[call]["outcome"] == "self_service"


async def test_the_note_of_a_call_that_still_ends_is_left_to_its_events(rig: Rig) -> None:
    call = f"{NODE}.79"
    rig.asterisk.channels = {call: channel(call, CALL=call, PHASE="menu", NUMBER="13800000001", STARTED=str(ms()))}
    ended(rig, call, started=ms() - 9000, ended=ms(), phase="voicemail")
    await line_away(rig)
    await rig.until(lambda: rig.bridge.core.call(call), "known from the snapshot")
    rig.asterisk.hangs_up(call)
    await rig.until(lambda: rig.domain.calls.get(call, {}).get("ended_at"), "the end")
    assert rig.domain.calls[call]["outcome"] == "self_service"


def test_the_database_keeps_an_end_that_was_heard_and_a_choice_that_a_script_stored(
    db: Database, settings: Settings
) -> None:
    domain = AppDomain(settings, db)
    unseen = {"number": "13800138000", "started_at": 1000, "ended_at": 9000, "outcome": "abandoned"}
    record(db, "h-1", started_at=from_ms(1000), ended_at=from_ms(5000), outcome="answered")
    record(db, "h-2", started_at=from_ms(1000), outcome="callback")
    for call_id in ("h-1", "h-2", "h-3"):
        domain.record_unseen(call_id, unseen)
    with db.read() as session:
        rows = [facts_of(call) for name in ("h-1", "h-2", "h-3") if (call := find(session, name)) is not None]
    assert [(row.outcome, row.ended_at) for row in rows] == [
        ("answered", from_ms(5000)),
        ("callback", from_ms(9000)),
        ("abandoned", from_ms(9000)),
    ]


async def test_what_a_caller_heard_of_announcements_is_told_by_the_end_and_by_the_note_of_an_end(rig: Rig) -> None:
    now = ms()
    told = f"12:8000>{now - 9000}"
    call = rig.asterisk.citizen("13800000001", now - 10_000)
    rig.asterisk.user_event("HotlineEnd", call, f"PJSIP/{call}", call, Cause=16, Phase="menu", News=told)
    rig.asterisk.hangs_up(call)
    await rig.until(lambda: rig.domain.calls.get(call, {}).get("ended_at"), "the end")
    assert (rig.domain.calls[call]["news"], rig.domain.calls[call]["outcome"]) == (told, "self_service")
    seen = rig.asterisk.citizen("13800000002", now)
    await rig.until(lambda: rig.bridge.core.call(seen), "a caller in the menu")
    unseen = f"{NODE}.79"
    for one in (seen, unseen):
        ended(rig, one, started=now - 9000, ended=ms(), phase="menu", news=told)
    await line_away(rig)
    for one in (seen, unseen):
        await rig.until(lambda one=one: rig.domain.calls.get(one, {}).get("ended_at"), "the end in the database")  # type: ignore[misc]
        assert rig.domain.calls[one]["news"] == told
