"""Mute, help, swap and third parties on a played Asterisk: what is asked of it, told and kept."""

from __future__ import annotations

import pytest

from app.errors import BadInput, NotFound, Refused
from cti_bridge.model import LegState, Phase
from tests.bridge_kit.fake_ami import Fields, ok
from tests.bridge_kit.rig import Rig
from tests.bridge_kit.talking import asked, listens, talk, told

pytest_plugins = ["tests.bridge_kit.fixtures"]


# ---- mute


async def test_a_muted_agent_stays_so_wherever_the_talk_goes_and_is_told_since_when(rig: Rig) -> None:
    one, page = await talk(rig), listens(rig)
    control = rig.bridge.control
    await control.mute("1001", None, True)
    assert asked(rig, "MuteAudio") == [("MuteAudio", one.agent.channel, "on")]
    (mark,) = told(page, "call.marks")
    assert mark["muted_ms"] == one.agent.muted_ms
    await control.hold("1001", None)
    await control.resume("1001", None)
    order = [name for name, *_ in asked(rig, "MuteAudio", "Redirect")]
    assert order[-4:] == ["Redirect", "MuteAudio", "Redirect", "MuteAudio"], "again after every move of the leg"
    assert (await control.mute("1001", None, True))["muted_ms"] == mark["muted_ms"], "pressed twice"
    assert await control.mute("1001", None, False) == {"call_id": one.call_id, "muted_ms": None}
    assert asked(rig, "MuteAudio")[-1] == ("MuteAudio", one.agent.channel, "off")
    assert told(page, "call.marks")[-1]["muted_ms"] is None
    with pytest.raises(NotFound):
        await control.mute("1002", one.call_id, True)


async def test_a_new_leg_of_an_agent_begins_unmuted(rig: Rig) -> None:
    one = await talk(rig)
    await rig.bridge.control.mute("1001", None, True)
    await rig.bridge.control.hold("1001", None)
    rig.asterisk.hangs_up(one.leg_id, cause=44)
    await rig.redirects("acd-hold")
    page = listens(rig)
    leg = rig.asterisk.rings(one.call_id, "1001")
    rig.asterisk.picks_up(one.call_id, "1001", leg, "o9")
    await rig.until(lambda: leg in one.call.legs and one.call.legs[leg].state is LegState.up, "the agent again")
    assert one.call.legs[leg].muted_ms is None
    assert not [mark for mark in told(page, "call.marks") if mark["muted_ms"]]


# ---- help


async def test_help_is_seen_on_the_boards_until_the_talk_is_over(rig: Rig) -> None:
    one, board = await talk(rig), listens(rig, "", board=True)
    await rig.bridge.control.help("1001", None, True)
    await rig.bridge.control.help("1001", None, True)
    (notice,) = told(board, "notice")
    assert (notice["code"], notice["agent"]) == ("help_asked", "1001 坐席1001")
    figures = rig.bridge.board.figures()
    assert [(ask["call_id"], ask["agent_id"], ask["since_ms"]) for ask in figures["help"]] == [
        (one.call_id, "1001", one.call.help_ms)
    ]
    (shown,) = [agent["call"] for agent in figures["agents"] if agent["agent_id"] == "1001"]
    assert (shown["help_ms"], shown["held"], shown["paused"]) == (one.call.help_ms, False, False)
    await rig.bridge.control.help("1001", None, False)
    assert rig.bridge.board.figures()["help"] == []
    await rig.bridge.control.help("1001", None, True)
    rig.asterisk.hangs_up(one.call_id)
    await rig.until(lambda: rig.bridge.board.figures()["help"] == [], "nobody who asks")


# ---- swap, emergency, third parties


async def test_a_swap_leaves_everybody_connected_whoever_leaves(rig: Rig) -> None:
    one, page = await talk(rig), listens(rig)
    third = await one.consulting()
    await rig.bridge.control.swap("1001", None)
    assert (one.call.phase, third.held) == (Phase.room, True)
    assert told(page, "call.marks")[-1]["talks_with"] == "citizen"
    one.enter(one.call_id)
    await rig.bridge.control.swap("1001", None)
    assert told(page, "call.marks")[-1]["talks_with"] == "third"
    await rig.bridge.control.swap("1001", None)
    rig.asterisk.hangs_up(one.leg_id)  # the agent
    await rig.until(lambda: len([one for one in asked(rig, "Redirect") if one[1] == third.channel]) >= 4, "the third")
    assert asked(rig, "Redirect")[-2:] == [
        ("Redirect", one.citizen, "acd-room"),
        ("Redirect", third.channel, "acd-room"),
    ]


async def test_a_citizen_who_is_in_the_room_before_asterisks_answer_is_read_is_swapped_all_the_same(rig: Rig) -> None:
    one = await talk(rig)
    third = await one.consulting()

    def quick(action: Fields) -> bytes:
        if action["Context"] == "acd-room":
            one.enter(one.call_id)
        return ok(action)

    rig.asterisk.on("Redirect", quick)
    await rig.bridge.control.swap("1001", None)
    await rig.until(lambda: one.call.phase is Phase.room, "the citizen in the room")
    assert third.held
    await rig.bridge.control.swap("1001", None)
    assert asked(rig, "Redirect")[-2:] == [
        ("Redirect", one.citizen, "acd-held"),
        ("Redirect", third.channel, "acd-room"),
    ]


async def test_a_citizen_who_leaves_a_swapped_talk_leaves_agent_and_third_together(rig: Rig) -> None:
    one = await talk(rig)
    third = await one.consulting()
    await rig.bridge.control.swap("1001", None)
    rig.asterisk.hangs_up(one.call_id)
    await rig.until(lambda: asked(rig, "Redirect")[-1] == ("Redirect", third.channel, "acd-room"), "the third")


async def test_a_third_party_is_kept_with_unit_times_segment_and_outcome(rig: Rig) -> None:
    rig.domain.units["02588886666"] = (4, "城南水务局")
    one, page = await talk(rig), listens(rig)
    third = await one.consulting("025-8888-6666")
    await rig.until(lambda: told(page, "call.room")[-1]["members"][-1]["unit_name"] == "城南水务局", "the unit's name")
    assert told(page, "call.room")[-1]["members"][-1]["kind"] == "consult"
    await rig.bridge.control.resume("1001", None)
    rig.asterisk.user_event("HotlineSegment", one.call_id, Rec=f"/x/{one.call_id}-2", Mix="")
    one.enter(one.call_id)
    await rig.until(lambda: third.segment, "the recording that covers them")
    assert told(page, "call.marks")[-1]["talks_with"] == "all"
    rig.asterisk.hangs_up(third.unique_id)
    await rig.until(lambda: rig.domain.thirds.get(third.unique_id, {}).get("outcome"), "the end")
    kept = rig.domain.thirds[third.unique_id]
    assert (kept["number"], kept["kind"], kept["by_agent"], kept["segment"]) == ("02588886666", "consult", "1001", 2)
    assert kept["dialled_at"] <= kept["joined_at"] <= kept["left_at"]
    assert kept["outcome"] == "talked"


@pytest.mark.parametrize(("status", "outcome"), [("BUSY", "busy"), ("NOANSWER", "no_answer"), ("", "cancelled")])
async def test_a_third_party_who_never_came_is_kept_with_why(rig: Rig, status: str, outcome: str) -> None:
    one = await talk(rig)
    await rig.bridge.control.conference("1001", None, "02588886666")
    (third,) = one.call.thirds
    if status:
        fields = {"Agent": "1001", "Number": third.number, "Status": status, "Cause": 17}
        rig.asterisk.user_event("AcdOutboundEnd", one.call_id, "Local/x;2", "x", **fields)
    else:
        await rig.bridge.control.cancel_consult("1001", None)
    rig.asterisk.event("OriginateResponse", Response="Failure", Uniqueid=third.unique_id, Reason=0)
    await rig.until(lambda: rig.domain.thirds.get(third.unique_id, {}).get("outcome"), "the outcome")
    assert rig.domain.thirds[third.unique_id]["outcome"] == outcome


async def test_an_emergency_line_joins_at_once_also_beside_a_third_party(rig: Rig) -> None:
    one = await talk(rig)
    await one.consulting()
    await rig.bridge.control.emergency("1001", None, "120")
    assert [(leg.number, leg.kind) for leg in one.call.thirds] == [("02588886666", "consult"), ("120", "emergency")]
    with pytest.raises(Refused) as caught:
        await rig.bridge.control.emergency("1001", None, "120")
    assert caught.value.code == "third_there"
    with pytest.raises(BadInput):
        await rig.bridge.control.emergency("1001", None, "02588887777")
