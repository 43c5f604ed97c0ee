"""Call-backs that an agent dials: what became of each attempt reaches the domain, once, whatever is restarted."""

from __future__ import annotations

import pytest

from app.errors import Refused
from cti_bridge import writer
from cti_bridge.ports import TakenCallback
from tests.bridge_kit.fake_ami import message
from tests.bridge_kit.rig import Rig, channel

pytest_plugins = ["tests.bridge_kit.fixtures"]

TASK = 7
TAKEN = 1_795_521_600_000 + TASK  # as the memory domain takes it
PHONE = "PJSIP/1001-00000001"


async def dialled(rig: Rig) -> str:
    """Agent 1001 calls back and their own telephone rings: the call."""
    await rig.ready("1001")
    result = await rig.bridge.commands._callback("1001", {"callback_id": TASK})
    (originate,) = await rig.asterisk.arrival("Originate")
    assert originate["Exten"] == "13800000000"
    assert originate["ChannelId"] == result["call_id"]
    return str(result["call_id"])


def agent_picks_up(rig: Rig, call: str) -> str:
    """The agent's telephone is up and the citizen's is rung: the citizen's leg."""
    rig.asterisk.user_event("AcdOutbound", call, PHONE, Agent="1001", Number="13800000000", Kind="trunk")
    leg = f"{call}9"
    rig.asterisk.event("DialBegin", Channel=PHONE, Uniqueid=call, DestChannel="PJSIP/trunk-00000009", DestUniqueid=leg)
    return leg


async def told(rig: Rig, *expected: tuple[str, str]) -> None:
    """Until exactly these outcomes have reached the domain."""
    want = [(TASK, TASK, outcome, why) for outcome, why in expected]
    await rig.until(lambda: rig.domain.callbacks == want, f"{want}, not {rig.domain.callbacks}")


async def test_a_citizen_who_answers_was_reached_and_that_is_told_once(rig: Rig) -> None:
    call = await dialled(rig)
    leg = agent_picks_up(rig, call)
    rig.asterisk.event("Newstate", Uniqueid=leg, ChannelStateDesc="Up")
    await told(rig, ("reached", ""))
    rig.asterisk.hangs_up(leg)
    rig.asterisk.hangs_up(call)
    await rig.until(lambda: rig.domain.calls[call].get("ended_at"), "the end")
    assert len(rig.domain.callbacks) == 1


@pytest.mark.parametrize("status", ["BUSY", "NOANSWER", "CONGESTION"])
async def test_a_number_rung_in_vain_was_missed_and_the_status_says_how(rig: Rig, status: str) -> None:
    call = await dialled(rig)
    leg = agent_picks_up(rig, call)
    rig.asterisk.hangs_up(leg, 17)
    rig.asterisk.user_event("AcdOutboundEnd", call, PHONE, Agent="1001", Number="13800000000", Status=status, Cause=17)
    rig.asterisk.hangs_up(call)
    await told(rig, ("missed", status.lower()))


async def test_an_agent_who_hangs_up_while_the_citizens_phone_rings_has_missed_them(rig: Rig) -> None:
    call = await dialled(rig)
    leg = agent_picks_up(rig, call)
    rig.asterisk.hangs_up(leg)
    rig.asterisk.hangs_up(call)
    await told(rig, ("missed", "hung up"))


async def test_an_agent_who_does_not_pick_up_has_made_no_attempt(rig: Rig) -> None:
    call = await dialled(rig)
    rig.asterisk.event("OriginateResponse", Response="Failure", Uniqueid=call, Reason="3")
    await told(rig, ("not_dialled", "hung up"))


async def test_a_number_that_the_dialplan_refuses_was_not_dialled(rig: Rig) -> None:
    call = await dialled(rig)
    rig.asterisk.user_event(
        "AcdOutboundEnd", call, PHONE, Agent="1001", Number="13800000000", Status="REFUSED", Cause=21
    )
    await told(rig, ("not_dialled", "refused"))


@pytest.mark.parametrize("number", ["16887788", "+442071838750", "110110"])
async def test_a_number_that_may_not_be_called_back_ends_the_task_and_nobody_is_rung(rig: Rig, number: str) -> None:
    rig.domain.take_callback = lambda callback_id, agent_id: TakenCallback(number, TAKEN)  # type: ignore[method-assign]
    await rig.ready("1002")
    with pytest.raises(Refused, match="may not be called back") as caught:
        await rig.bridge.commands._callback("1002", {"callback_id": TASK})
    assert caught.value.code == "callback_refused"
    await told(rig, ("refused", "not_allowed"))
    assert rig.asterisk.got("Originate") == []


async def test_an_agent_without_the_permission_to_dial_out_calls_citizens_back(rig: Rig) -> None:
    await rig.ready("1002")
    with pytest.raises(Refused, match="may not dial"):
        await rig.bridge.commands._dial("1002", {"number": "13800000000"})
    await rig.bridge.commands._callback("1002", {"callback_id": TASK})
    (originate,) = await rig.asterisk.arrival("Originate")
    assert originate["Exten"] == "13800000000"


async def test_a_telephone_system_that_refuses_to_dial_gives_the_task_back(rig: Rig) -> None:
    await rig.ready("1001")
    rig.asterisk.on("Originate", lambda a: message({"Response": "Error", "ActionID": a["ActionID"], "Message": "no"}))
    with pytest.raises(Refused):
        await rig.bridge.commands._callback("1001", {"callback_id": TASK})
    await told(rig, ("not_dialled", ""))


async def test_an_agent_who_is_in_a_call_does_not_even_take_the_task(rig: Rig) -> None:
    await dialled(rig)
    with pytest.raises(Refused) as caught:
        await rig.bridge.commands._callback("1001", {"callback_id": TASK + 1})
    assert caught.value.code == "in_a_call"
    assert rig.domain.callbacks == []


@pytest.mark.parametrize("picked_up", [False, True], ids=["own phone rings", "citizen's phone rings"])
async def test_a_restart_in_the_middle_of_an_attempt_does_not_lose_its_outcome(rig: Rig, picked_up: bool) -> None:
    call = await dialled(rig)
    attempt = next(one for one in rig.asterisk.got("Originate")[0]["Variable"].split("\n") if "CALLBACK" in one)
    await rig.bridge.stop()
    variables = {"AGENT": "1001", "LEG": "agent", "DIALS": "1", "TO": "13800000000"}
    variables["CALLBACK"] = attempt.partition("=")[2]
    if picked_up:
        variables["OUT_CALL"] = call
    rig.asterisk.channels = {call: channel(call, name=PHONE, application="Dial", **variables)}
    await rig.start_bridge()
    await rig.until(lambda: rig.domain.forgotten[-1:] == [{TASK}], "it is known to go on")
    assert rig.domain.callbacks == []
    leg = agent_picks_up(rig, call)
    rig.asterisk.event("Newstate", Uniqueid=leg, ChannelStateDesc="Up")
    await told(rig, ("reached", ""))


async def test_a_citizen_who_answered_while_the_core_was_away_was_reached(rig: Rig) -> None:
    call = await dialled(rig)
    await rig.bridge.stop()
    ours = channel(call, name=PHONE, application="Dial", AGENT="1001", OUT_CALL=call, CALLBACK=f"{TASK}:{TAKEN}")
    far = channel(f"{call}9", name="PJSIP/trunk-00000009", application="AppDial((Outgoing Line)")
    rig.asterisk.channels = {"ours": bridged(ours, call), "far": bridged(far, call)}
    await rig.start_bridge()
    await told(rig, ("reached", ""))


def bridged(row: list[tuple[str, str]], linked_id: str) -> list[tuple[str, str]]:
    """A row of Status of somebody who talks."""
    return [(key, {"BridgeID": "b1", "Linkedid": linked_id}.get(key, value)) for key, value in row]


async def test_an_outcome_that_a_killed_core_could_not_store_is_stored_after_the_restart(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = await dialled(rig)
    await rig.until(lambda: rig.bridge.core.facts.settle(0), "earlier facts")
    rig.domain.locked = True
    leg = agent_picks_up(rig, call)
    rig.asterisk.event("Newstate", Uniqueid=leg, ChannelStateDesc="Up")
    await rig.until(lambda: rig.bridge.core.telephony.calls[call].answered_ms, "answered")
    assert rig.bridge.core.facts._journal.flush()
    for lane in rig.bridge.core.facts._lanes.values():
        monkeypatch.setattr(lane, "_apply", lambda batch: (_ for _ in ()).throw(writer.Busy()))
    await rig.bridge.stop()
    rig.domain.locked = False
    await rig.start_bridge()
    await told(rig, ("reached", ""))
