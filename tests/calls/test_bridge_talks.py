"""What an agent does in a talk, on real Asterisk with real telephones: hold, consult, transfer, conference, dial."""

from __future__ import annotations

import pytest

from app.actor import SYSTEM
from app.callbacks import service as callbacks
from app.calls.model import CallFacts
from app.db import Database
from app.destinations import Destinations
from tests.bridge_kit.core import CoreProcess
from tests.bridge_kit.page import CommandRefused, OpenPage, Page, talking
from tests.bridge_kit.recorded import assert_whole, share, stored
from tests.peers import audio
from tests.peers.fixtures import PhoneMaker
from tests.peers.hotline import AsteriskUnderTest
from tests.peers.network import Line, PublicNetwork
from tests.peers.waiting import wait_until

pytest_plugins = ["tests.bridge_kit.fixtures"]


def hold_and_resume(citizen: Line, agent: Page, call_id: str, hz: int = 880) -> None:
    """The citizen hears music and nothing else, then the agent's tone again."""
    since, mark = citizen.heard_s(), agent.mark()
    agent.command("call.hold", 10.0, call_id=call_id)
    agent.wait("call.held", call_id=call_id, after=mark)
    at = citizen.wait_hears(620, since=since)
    citizen.wait(1)
    assert not citizen.hears(hz)
    assert at >= since
    since = citizen.heard_s()
    agent.command("call.resume", 10.0, call_id=call_id)
    agent.wait("call.resumed", call_id=call_id, after=mark)
    citizen.wait_hears(hz, since=since)


def test_hold_gives_music_and_resume_gives_the_talk_back_and_both_are_recorded(
    hotline: AsteriskUnderTest, public_network: PublicNetwork, phone: PhoneMaker, page: OpenPage
) -> None:
    desk = phone("1001")
    agent = page("1001").ready()
    citizen, call_id = talking(public_network, agent, "13900000004")
    since = citizen.heard_s()
    agent.command("call.hold")
    agent.command("call.hold")  # a double click
    agent.wait("call.held", call_id=call_id)
    citizen.wait_hears(620, since=since)  # the music
    citizen.wait(1)
    assert not citizen.hears(880)
    since = citizen.heard_s()
    agent.command("call.resume")
    agent.wait("call.resumed", call_id=call_id)
    citizen.wait_hears(880, since=since)
    desk.wait_hears(440)
    citizen.wait(2)
    agent.command("call.hangup")
    agent.wait("call.ended", call_id=call_id)
    agent.wait_state("wrap_up")
    citizen.wait_ended()
    before, after = stored(hotline, call_id, 2)
    assert_whole(before, 440, 880)
    assert_whole(after, 440, 880)
    assert audio.duration(after) > 1.5, "the recording went on after the hold"


def test_the_recording_stays_whole_over_many_holds_and_a_transfer(
    hotline: AsteriskUnderTest, public_network: PublicNetwork, phone: PhoneMaker, page: OpenPage
) -> None:
    phone("1001")
    phone("1002", tone_hz=1000)
    agent, colleague = page("1001").ready(), page("1002")
    colleague.command("agent.sign_in")
    citizen, call_id = talking(public_network, agent, "13900000014")
    for _ in range(3):
        hold_and_resume(citizen, agent, call_id)
    since = citizen.heard_s()
    agent.command("call.consult", to="1002")
    colleague.wait("call.card", call_id=call_id)
    citizen.wait_hears(620, since=since)
    agent.until(lambda: agent.all("call.room")[-1].data["members"][-1]["state"] == "up", "the colleague to answer")
    since = citizen.heard_s()
    agent.command("call.complete_transfer")
    citizen.wait_hears(1000, since=since)
    for _ in range(2):
        hold_and_resume(citizen, colleague, call_id, 1000)
    citizen.wait(2)
    colleague.command("call.hangup", 10.0, call_id=call_id)
    citizen.wait_ended()
    talk, room = stored(hotline, call_id, 2)
    assert_whole(talk, 440, 880)
    assert_whole(room, 440, 880, 1000)
    assert share(room, 1, 880) > 0.1
    assert share(room, 1, 1000) > 0.1
    assert audio.duration(room) > 8


def test_three_way_everybody_hears_everybody_and_whoever_leaves_the_rest_stay(
    hotline: AsteriskUnderTest, public_network: PublicNetwork, phone: PhoneMaker, page: OpenPage
) -> None:
    desk = phone("1001")
    unit_lines: list[Line] = []

    def unit(line: Line) -> None:
        unit_lines.append(line)
        line.tone(700)

    public_network.answers("02155551234", then=unit)
    agent = page("1001").ready()
    citizen, call_id = talking(public_network, agent, "13900000005")
    agent.command("call.conference", to="021-5555-1234")
    citizen.wait_hears(700)
    citizen.wait_hears(880)
    desk.wait_hears(440)
    desk.wait_hears(700)
    unit_lines[0].wait_hears(440)
    unit_lines[0].wait_hears(880)
    agent.until(
        lambda: [m["state"] for m in agent.all("call.room")[-1].data["members"]] == ["up"] * 3, "three members up"
    )
    agent.command("call.hangup")
    agent.wait("call.ended", call_id=call_id)
    since = citizen.heard_s()
    citizen.wait_hears(700, since=since)
    unit_lines[0].hang_up()
    citizen.wait_ended()


def test_warm_transfer_to_a_colleague_who_sees_the_card_and_keeps_the_citizen(
    hotline: AsteriskUnderTest, public_network: PublicNetwork, phone: PhoneMaker, page: OpenPage
) -> None:
    phone("1001")
    colleague_phone = phone("1002", tone_hz=1000)
    agent, colleague = page("1001").ready(), page("1002")
    colleague.command("agent.sign_in")
    citizen, call_id = talking(public_network, agent, "13900000006")
    agent.command("call.consult", to="1002")
    card = colleague.wait("call.card", call_id=call_id)
    assert card.data["card"]["number"] == "13900000006"
    citizen.wait_hears(620)
    colleague_phone.wait_hears(880)
    agent.command("call.complete_transfer")
    agent.wait("call.ended", call_id=call_id)
    agent.wait_state("wrap_up")
    colleague.wait_state("talking")
    citizen.wait_hears(1000, since=citizen.heard_s())
    colleague_phone.wait_hears(440)
    # The call is the colleague's now, and so is its control.
    colleague.command("call.hold", 10.0, call_id=call_id)
    citizen.wait_hears(620, since=citizen.heard_s())
    colleague.command("call.resume", 10.0, call_id=call_id)
    with pytest.raises(CommandRefused):
        agent.command("call.hold", 10.0, call_id=call_id)
    colleague.command("call.hangup", 10.0, call_id=call_id)
    citizen.wait_ended()
    colleague.wait_state("wrap_up")


def test_a_consultation_that_is_cancelled_or_not_answered_gives_the_citizen_back(
    hotline: AsteriskUnderTest, public_network: PublicNetwork, phone: PhoneMaker, page: OpenPage
) -> None:
    phone("1001")
    public_network.refuses("02155550000", 17)
    agent = page("1001").ready()
    citizen, call_id = talking(public_network, agent, "13900000007")
    agent.command("call.consult", to="02155550000")
    notice = agent.wait("notice", code="not_reached")
    assert notice.data["number"] == "02155550000"
    citizen.wait_hears(620)
    agent.command("call.cancel_consult")
    citizen.wait_hears(880, since=citizen.heard_s())
    citizen.hang_up()
    agent.wait("call.ended", call_id=call_id)


def test_a_telephone_that_dies_in_a_room_costs_the_citizen_no_place(
    hotline: AsteriskUnderTest, public_network: PublicNetwork, phone: PhoneMaker, page: OpenPage
) -> None:
    desk, rescue = phone("1001"), phone("1002", answer="manual")
    agent, other = page("1001").ready(), page("1002")
    other.command("agent.sign_in")
    citizen, call_id = talking(public_network, agent, "13900000008")
    agent.command("call.hold")
    citizen.wait_hears(620)
    hotline.manager.action("Hangup", Channel=hotline_leg(hotline, "1001"), Cause="44")
    desk.wait_idle()
    other.command("agent.ready")
    pop = other.wait("call.pop", call_id=call_id)
    assert pop.data["card"]["number"] == "13900000008"
    rescue.wait_ringing()
    citizen.hang_up()


def hotline_leg(hotline: AsteriskUnderTest, endpoint: str) -> str:
    """The channel of a telephone."""
    return next(c["Channel"] for c in hotline.manager.channels() if c["Channel"].startswith(f"PJSIP/{endpoint}-"))


def test_blind_transfer_sends_the_citizen_on_and_frees_the_agent(
    hotline: AsteriskUnderTest, public_network: PublicNetwork, phone: PhoneMaker, page: OpenPage
) -> None:
    phone("1001")
    public_network.answers("110", then=lambda line: line.tone(700))
    agent = page("1001").ready()
    citizen, call_id = talking(public_network, agent, "13900000009")
    agent.command("call.transfer_blind", to="110")
    agent.wait("call.ended", call_id=call_id)
    agent.wait_state("wrap_up")
    citizen.wait_hears(700)
    citizen.hang_up()


def test_click_to_dial_rings_the_agent_then_the_number_and_no_call_is_offered_meanwhile(
    hotline: AsteriskUnderTest, public_network: PublicNetwork, phone: PhoneMaker, page: OpenPage
) -> None:
    phone("1001")
    public_network.answers("13811112222", then=lambda line: line.tone(700))
    agent = page("1001").ready()
    first = agent.command("call.dial", number="138 1111 2222")
    again = agent.command("call.dial", number="138 1111 2222")
    assert first == again, "a double click dials once"
    agent.wait("call.answered", call_id=first["call_id"])
    assert agent.state["busy_outside"]
    agent.command("call.hold")
    agent.command("call.resume")
    agent.command("call.hangup")
    agent.wait("call.ended", call_id=first["call_id"])
    agent.until(lambda: not agent.state["busy_outside"], "to be free again")


def test_an_agent_without_permission_cannot_dial_or_touch_others_calls(
    hotline: AsteriskUnderTest, public_network: PublicNetwork, phone: PhoneMaker, page: OpenPage
) -> None:
    phone("1001")
    phone("1002")
    agent, other = page("1001").ready(), page("1002")
    other.command("agent.sign_in")
    with pytest.raises(CommandRefused, match="not_permitted"):
        other.command("call.dial", number="13811112222")
    citizen, call_id = talking(public_network, agent, "13900000010")
    for name in ("call.hold", "call.hangup"):
        with pytest.raises(CommandRefused, match="not_found"):
            other.command(name, 10.0, call_id=call_id)
    citizen.hang_up()


def test_a_call_back_whose_citizen_answers_is_closed_also_when_the_core_was_killed_in_the_talk(
    hotline: AsteriskUnderTest,
    public_network: PublicNetwork,
    phone: PhoneMaker,
    page: OpenPage,
    core_process: CoreProcess,
) -> None:
    phone("1001")
    public_network.answers("13911112222", then=lambda line: line.tone(700))
    database = Database(hotline.settings.url)
    asked = [
        callbacks.request(database, CallFacts(f"asked-{n}", number=n), Destinations()).id
        for n in ("13911112222", "13911113333")
    ]
    agent = page("1001").ready()

    def state(callback_id: int | None) -> tuple[str, int]:
        with database.read() as session:
            row = callbacks.get(session, SYSTEM, callback_id or 0)
            return row.state, row.attempts

    public_network.refuses("13911113333", 17)
    agent.command("callback.start", callback_id=asked[1])
    wait_until(lambda: state(asked[1]) == ("open", 1), 15, "an attempt that counts and a promise still open")
    agent.until(lambda: not agent.state["busy_outside"], "to be free again")
    dialled = agent.command("callback.start", callback_id=asked[0])
    agent.wait("call.answered", call_id=dialled["call_id"])
    core_process.kill()
    core_process.start()
    wait_until(lambda: state(asked[0]) == ("done", 1), 10, "the call-back to be closed")
    agent.reconnect()
    agent.command("call.hangup")
    agent.wait("call.ended", call_id=dialled["call_id"])
    database.dispose()


def told_by(hotline: AsteriskUnderTest, call_id: str) -> list[str]:
    """The names of the dialplan's events of a call so far."""
    return [one["UserEvent"] for one in hotline.manager.user_events(call_id)]


def test_hold_pressed_while_the_staff_number_is_said_comes_when_the_talk_begins(
    hotline: AsteriskUnderTest, public_network: PublicNetwork, phone: PhoneMaker, page: OpenPage
) -> None:
    phone("1001")
    agent = page("1001").ready()
    citizen = public_network.call("13900000021").wait_answered()
    answered = agent.wait("call.answered")
    assert "AcdAnswered" not in told_by(hotline, answered.data["call_id"]), "the sentence is still being said"
    agent.command("call.hold")
    held = agent.wait("call.held", call_id=answered.data["call_id"])
    assert "AcdAnswered" in told_by(hotline, answered.data["call_id"]), "held only once they talked"
    citizen.wait_hears(620, since=citizen.heard_s())
    assert held.at - answered.at < 6
    agent.command("call.resume")
    citizen.wait_hears(880, since=citizen.heard_s())
    citizen.hang_up()
    agent.wait("call.ended")


def test_whoever_hangs_up_while_the_staff_number_is_said_has_no_talk_left_and_the_citizen_is_next(
    hotline: AsteriskUnderTest, public_network: PublicNetwork, phone: PhoneMaker, page: OpenPage
) -> None:
    phone("1001")
    agent = page("1001").ready()
    citizen = public_network.call("13900000023").wait_answered()
    call_id = agent.wait("call.answered").data["call_id"]
    agent.command("call.hangup")
    assert agent.wait("call.ended", call_id=call_id).data["why"] == "left"
    agent.until(lambda: agent.state["state"] == "wrap_up", "wrap-up")
    assert "AcdAnswered" not in told_by(hotline, call_id), "it was still being said"
    assert not citizen.ended.is_set()
    so_far = agent.mark()
    agent.command("wrapup.done")
    agent.command("agent.ready")
    agent.wait("call.answered", after=so_far, call_id=call_id)
    citizen.wait_hears(880, since=citizen.heard_s())
    citizen.hang_up()
    agent.wait("call.ended", after=so_far, call_id=call_id)


def test_a_phone_that_does_not_know_event_talk_goes_on_ringing_and_is_picked_up_by_hand(
    hotline: AsteriskUnderTest, public_network: PublicNetwork, phone: PhoneMaker, page: OpenPage
) -> None:
    desk = phone("1001", answer="manual")
    agent = page("1001").ready()
    citizen = public_network.call("13900000022").wait_answered()
    pop = agent.wait("call.pop")
    desk.wait_ringing()
    agent.wait("call.ringing")
    with pytest.raises(CommandRefused, match="phone_cannot"):
        agent.command("call.answer", call_id=pop.data["call_id"])
    assert not agent.all("call.offer_ended")
    assert agent.state["state"] == "offered"
    desk.pick_up()
    agent.wait("call.answered", call_id=pop.data["call_id"])
    citizen.wait_hears(880)
    citizen.hang_up()
