"""Call control pressed at awkward moments, on a played Asterisk."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.errors import NotFound, Refused
from cti_bridge import commands
from cti_bridge import control as control_module
from cti_bridge import steps as steps_module
from cti_bridge.control import Control
from cti_bridge.model import Phase
from tests.bridge_kit.fake_ami import listed, message, ok
from tests.bridge_kit.rig import Rig, ms, offer_of
from tests.bridge_kit.talking import asked, talk

pytest_plugins = ["tests.bridge_kit.fixtures"]


async def picked_up(rig: Rig) -> tuple[str, str, str]:
    """A call whose agent 1001 has picked up while the staff number is being said: (call, leg, offer)."""
    await rig.ready("1001")
    call = rig.asterisk.citizen("13800000001", ms())
    rig.asterisk.join(call, "13800000001", ms())
    (offer_id,) = [offer_of(one).offer_id for one in await rig.redirects("acd-connect")]
    leg = rig.asterisk.rings(call, "1001")
    rig.asterisk.hears_staff_number("1001", leg)
    await rig.until(lambda: rig.state("1001") == "talking", "picked up")
    return call, leg, offer_id


Press = Callable[[Control], Awaitable[dict[str, Any]]]
COMMANDS: dict[str, tuple[Press, str]] = {
    "hold": (lambda c: c.hold("1001", None), "acd-held"),
    "consult": (lambda c: c.consult("1001", None, "1002"), "acd-held"),
    "conference": (lambda c: c.conference("1001", None, "1002"), "acd-room"),
    "transfer_blind": (lambda c: c.transfer_blind("1001", None, "1002"), "hotline-transfer"),
}


@pytest.mark.parametrize("name", COMMANDS)
async def test_what_is_pressed_while_the_staff_number_is_said_is_done_when_the_talk_begins(rig: Rig, name: str) -> None:
    press, context = COMMANDS[name]
    call, leg, offer_id = await picked_up(rig)
    pressed = asyncio.ensure_future(press(rig.bridge.control))
    await asyncio.sleep(0)
    later = rig.asterisk.citizen("13800000002", ms())
    await rig.until(lambda: rig.bridge.core.call(later), "events go on meanwhile")
    assert not pressed.done()
    assert not [one for one in rig.asterisk.got("Redirect") if one["Context"] == context]
    rig.asterisk.talk_begins(call, "1001", leg, offer_id)
    assert (await pressed)["call_id"] == call
    assert (await rig.redirects(context))[0]["Channel"] == rig.asterisk.name_of(call)


@pytest.mark.parametrize(("times", "refused"), [(2, False), (99, True)])
async def test_a_leg_that_is_still_on_its_way_is_waited_for_and_not_for_ever(
    rig: Rig, times: int, refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps_module, "MOVING_S", 0.01)
    call, leg, offer_id = await picked_up(rig)
    rig.asterisk.talk_begins(call, "1001", leg, offer_id)
    left = itertools.count(1)

    def answer(action: dict[str, str]) -> bytes:
        if next(left) > times:
            return ok(action)
        told = "Redirect failed, extra channel not up."
        return message({"Response": "Error", "ActionID": action["ActionID"], "Message": told})

    rig.asterisk.on("Redirect", answer)
    if refused:
        with pytest.raises(Refused) as told:
            await rig.bridge.control.hold("1001", None)
        assert told.value.code == "too_late"
    else:
        assert (await rig.bridge.control.hold("1001", None))["call_id"] == call


@pytest.mark.parametrize(("times", "refused"), [(2, False), (99, True)])
async def test_nobody_is_let_go_before_a_citizen_who_is_still_on_their_way_is_passed_on(
    rig: Rig, times: int, refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps_module, "MOVING_S", 0.01)
    one = await talk(rig)
    await rig.bridge.control.hold("1001", None)
    left = itertools.count(1)

    def answer(action: dict[str, str]) -> bytes:
        how = {"Response": "Error", "Message": "Redirect failed, channel not up."}
        return ok(action) if next(left) > times else message({**how, "ActionID": action["ActionID"]})

    rig.asterisk.on("Redirect", answer)
    if refused:
        with pytest.raises(Refused):
            await rig.bridge.control.transfer_blind("1001", None, "1002")
        assert not rig.asterisk.got("Hangup")
    else:
        await rig.bridge.control.transfer_blind("1001", None, "1002")
        assert [step for step, *_ in asked(rig, "Redirect", "Hangup")][-2:] == ["Redirect", "Hangup"]
        assert [step["Channel"] for step in rig.asterisk.got("Hangup")] == [one.agent.channel]


async def test_what_went_well_is_not_done_again_while_another_channel_is_waited_for(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps_module, "MOVING_S", 0.01)
    one = await talk(rig)
    third = await one.consulting()
    left = itertools.count(1)

    def answer(action: dict[str, str]) -> bytes:
        moving = action["Channel"] == one.citizen and next(left) <= 2
        how = {"Response": "Error", "Message": "Redirect failed, channel not up."}
        return message({**how, "ActionID": action["ActionID"]}) if moving else ok(action)

    rig.asterisk.on("Redirect", answer)
    before = len(asked(rig, "Redirect"))
    await rig.bridge.control.swap("1001", None)
    steps = [("Redirect", third.channel, "acd-third-held"), *[("Redirect", one.citizen, "acd-room")] * 3]
    assert asked(rig, "Redirect")[before:] == steps


async def test_hang_up_while_the_staff_number_is_said_works_at_once_and_ends_what_waited(rig: Rig) -> None:
    _call, leg, _ = await picked_up(rig)
    pressed = asyncio.ensure_future(rig.bridge.control.hold("1001", None))
    await rig.bridge.control.hang_up("1001", None)
    assert len(rig.asterisk.got("Hangup")) == 1
    rig.asterisk.hangs_up(leg)
    with pytest.raises(Refused) as caught:
        await pressed
    assert caught.value.code == "not_connected"


async def test_a_telephone_that_is_reported_lost_ends_as_a_fault_and_not_as_the_agents_wish(rig: Rig) -> None:
    call, leg, offer_id = await picked_up(rig)
    rig.asterisk.talk_begins(call, "1001", leg, offer_id)
    await rig.until(lambda: rig.bridge.core.call(call).phase is Phase.talk, "the talk")
    assert await rig.bridge.control.lost("1001", call) == {"call_id": call}
    (hangup,) = rig.asterisk.got("Hangup")
    assert hangup["Cause"] == "41"
    assert call not in rig.bridge._talks.wishes
    with pytest.raises(NotFound):
        await rig.bridge.control.lost("1002", call)


async def test_a_citizen_who_hangs_up_before_the_talk_begins_ends_what_waited_in_words(rig: Rig) -> None:
    call, _leg, _ = await picked_up(rig)
    pressed = asyncio.ensure_future(rig.bridge.control.hold("1001", None))
    rig.asterisk.hangs_up(call)
    with pytest.raises(Refused) as caught:
        await pressed
    assert caught.value.code == "not_connected"


async def test_a_talk_that_does_not_begin_is_said_to_be_still_connecting(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control_module, "CONNECTING_S", 0.1)
    await picked_up(rig)
    with pytest.raises(Refused) as caught:
        await rig.bridge.control.hold("1001", None)
    assert caught.value.code == "connecting"
    assert "接通中" in caught.value.message("zh")


async def test_a_number_that_may_not_be_dialled_is_refused_without_waiting_for_the_talk(rig: Rig) -> None:
    await picked_up(rig)
    with pytest.raises(Refused) as caught:
        await rig.bridge.control.consult("1001", None, "1001")
    assert caught.value.code == "own_number"


# ---- answering from the screen


def registered(rig: Rig, *user_agents: str) -> None:
    """What Asterisk says about the agent's telephones."""
    rows: list[dict[str, str] | list[tuple[str, str]]] = [{"Event": "EndpointDetail", "ObjectName": "1001"}]
    rows += [{"Event": "ContactStatusDetail", "AOR": "1001", "UserAgent": one} for one in user_agents]
    rig.asterisk.on("PJSIPShowEndpoint", lambda a: listed(a, rows, "EndpointDetail"))


async def rung(tmp_path: Path, *user_agents: str) -> tuple[Rig, str, str]:
    """A caller for whom the desk phone of 1001 rings: (rig, call, leg)."""
    rig = await Rig(tmp_path / "home", talk_event_phones=["Desk.*"]).start()
    registered(rig, *user_agents)
    await rig.ready("1001")
    call = rig.asterisk.citizen("13800000001", ms())
    rig.asterisk.join(call, "13800000001", ms())
    await rig.redirects("acd-connect")
    leg = rig.asterisk.rings(call, "1001")
    await rig.until(lambda: rig.bridge.core.call(call) and rig.bridge.core.call(call).agent_leg, "ringing")
    return rig, call, leg


async def test_a_phone_that_knows_event_talk_is_told_to_answer(tmp_path: Path) -> None:
    rig, call, leg = await rung(tmp_path, "Desk Phone 1.0")
    pressed = asyncio.ensure_future(rig.bridge.control.answer("1001", call))
    (told,) = await rig.asterisk.arrival("PJSIPNotify")
    assert (told["Channel"], told["Variable"]) == (f"PJSIP/1001-{int(leg.rpartition('.')[2]):08x}", "Event=talk")
    rig.asterisk.hears_staff_number("1001", leg)
    assert await pressed == {"call_id": call}
    await rig.stop()


@pytest.mark.parametrize("user_agents", [["baresip v1.0.0"], ["Desk Phone 1.0", "baresip v1.0.0"], [""], []])
async def test_a_phone_that_may_not_know_event_talk_is_left_ringing_and_the_agent_told(
    tmp_path: Path, user_agents: list[str]
) -> None:
    rig, call, _leg = await rung(tmp_path, *user_agents)
    with pytest.raises(Refused) as caught:
        await rig.bridge.control.answer("1001", call)
    assert caught.value.code == "phone_cannot"
    assert not rig.asterisk.got("PJSIPNotify")
    assert rig.bridge.offers.of_call(call) is not None
    await rig.stop()


async def test_who_is_off_duty_begins_no_shift_and_one_that_has_begun_goes_on(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "STAFF_FRESH_S", -1.0)
    staff = rig.domain.staff
    await rig.bridge.sign_in("1001")
    for one in ("1001", "1002"):
        staff[one] = replace(staff[one], off_duty=True)
    await rig.bridge.sign_in("1001")
    with pytest.raises(Refused) as caught:
        await rig.bridge.sign_in("1002")
    assert caught.value.code == "off_duty"
    staff["1002"] = replace(staff["1002"], off_duty=False)
    await rig.bridge.sign_in("1002")
