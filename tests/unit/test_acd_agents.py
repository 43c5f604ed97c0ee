"""What agents can do with their state: wrap-up, the next state, sign-in and sign-out."""

from __future__ import annotations

import pytest

from acd.model import (
    AgentNotReady,
    AgentReady,
    AgentSignedIn,
    AgentSignedOut,
    AgentState,
    CallLeft,
    EngineConfig,
    NextState,
    PhoneChanged,
    Refused,
    TalkAdopted,
    TalkEnded,
    Why,
    WrapUpDone,
    WrapUpExtended,
)
from tests.acd_kit.lab import Lab, of, offered, patient, shown


def talking(**config: object) -> Lab:
    lab = Lab(EngineConfig(queues=(patient(),), **config))  # type: ignore[arg-type]
    lab.talk("c1", "1001")
    lab.wait(60)
    return lab


def test_wrap_up_begins_with_the_end_of_the_talk_and_ends_by_itself():
    lab = talking(wrapup_s=30)
    change = shown(lab.do(TalkEnded("c1", "1001")), "1001")
    assert (change.state, change.until_ms) == ("wrap_up", lab.now + 30_000)
    lab.join("c2")
    assert offered(lab.wait(29)) == []
    assert offered(lab.wait(2)) == [("c2", "1001")]


def test_a_caller_who_hangs_up_also_ends_the_talk():
    lab = talking()
    lab.do(CallLeft("c1", "hangup"))
    assert lab.state("1001") == "wrap_up"
    assert of(Refused, lab.do(TalkEnded("c1", "1001")))[0].why is Why.UNKNOWN_CALL


def test_wrap_up_done_makes_ready_at_once_and_twice_does_no_harm():
    lab = talking()
    lab.end_talk("c1")
    lab.do(WrapUpDone("1001"))
    assert lab.state("1001") == "ready"
    assert lab.do(WrapUpDone("1001")) == []


def test_wrap_up_can_be_extended_up_to_a_limit():
    lab = talking(wrapup_s=30, wrapup_extra_max_s=100)
    lab.end_talk("c1")
    change = shown(lab.do(WrapUpExtended("1001", 60)), "1001")
    assert change.until_ms == lab.now + 90_000
    assert of(Refused, lab.do(WrapUpExtended("1001", 60)))[0].why is Why.TOO_LONG
    lab.wait(89)
    assert lab.state("1001") == "wrap_up"
    lab.wait(2)
    assert lab.state("1001") == "ready"


def test_wrap_up_is_not_extended_outside_wrap_up():
    assert of(Refused, talking().do(WrapUpExtended("1001", 60)))[0].why is Why.NOT_NOW


def test_a_queue_may_have_its_own_wrap_up_or_none():
    lab = Lab(EngineConfig(queues=(patient(wrapup_s=5), patient("enterprise", wrapup_s=0))))
    lab.sign_in("1001", queues=("general", "enterprise"))
    lab.join("c1")
    lab.answer("c1")
    assert shown(lab.end_talk("c1"), "1001").until_ms == lab.now + 5_000
    lab.do(WrapUpDone("1001"))
    lab.join("c2", queue="enterprise")
    lab.answer("c2")
    lab.end_talk("c2")
    assert lab.state("1001") == "ready"


@pytest.mark.parametrize(
    "wish", [AgentNotReady("1001", "meal"), NextState("1001", AgentState.NOT_READY, "meal")], ids=type
)
def test_the_next_state_is_queued_while_talking_and_taken_after_wrap_up(wish):
    lab = talking()
    change = shown(lab.do(wish), "1001")
    assert (change.state, change.next_state, change.next_reason) == ("talking", "not_ready", "meal")
    assert shown(lab.end_talk("c1"), "1001").next_state == "not_ready"
    lab.wait(31)
    assert (lab.state("1001"), lab.agent("1001").not_ready_reason) == ("not_ready", "meal")


@pytest.mark.parametrize("cancel", [AgentReady("1001"), NextState("1001", AgentState.READY)], ids=type)
def test_the_queued_state_can_be_cancelled(cancel):
    lab = talking()
    lab.do(AgentNotReady("1001", "meal"))
    assert shown(lab.do(cancel), "1001").next_state is None
    lab.end_talk("c1")
    lab.wait(31)
    assert lab.state("1001") == "ready"


def test_the_next_state_can_be_queued_during_wrap_up_and_while_it_rings():
    lab = talking()
    lab.end_talk("c1")
    assert shown(lab.do(NextState("1001", AgentState.NOT_READY, "meal")), "1001").state == "wrap_up"
    lab.do(WrapUpDone("1001"))
    assert lab.agent("1001").not_ready_reason == "meal"
    lab.do(AgentReady("1001"))
    lab.join("c2")
    lab.do(AgentNotReady("1001", "break"))
    lab.answer("c2")
    lab.do(CallLeft("c2"))
    lab.wait(31)
    assert lab.agent("1001").not_ready_reason == "break"


def test_not_ready_pressed_in_wrap_up_ends_it():
    lab = talking()
    lab.end_talk("c1")
    lab.do(AgentNotReady("1001", "break"))
    assert (lab.state("1001"), lab.agent("1001").until_ms) == ("not_ready", None)
    lab.wait(60)
    assert lab.state("1001") == "not_ready"


def test_signing_out_can_be_queued_and_happens_after_wrap_up():
    lab = talking()
    lab.do(NextState("1001", AgentState.SIGNED_OUT))
    lab.end_talk("c1")
    assert lab.state("1001") == "wrap_up"
    lab.do(WrapUpDone("1001"))
    assert lab.state("1001") == "signed_out"


def test_an_agent_whose_page_is_gone_leaves_with_the_talk_unless_they_come_back():
    lab = talking()
    lab.do(AgentSignedOut("1001"))
    assert lab.state("1001") == "talking"
    lab.sign_in("1001")
    lab.end_talk("c1")
    assert lab.state("1001") == "wrap_up"

    lab = talking()
    lab.do(AgentSignedOut("1001"))
    lab.end_talk("c1")
    assert lab.state("1001") == "signed_out"


def test_a_page_reload_changes_no_state_but_takes_new_skills():
    lab = Lab()
    lab.sign_in("1001", zh=3)
    lab.do(AgentNotReady("1001", "break"))
    assert lab.sign_in("1001", yue=5) == []
    assert lab.agent("1001").not_ready_reason == "break"
    lab.join("c1", skills={"yue": 4})
    assert offered(lab.do(AgentReady("1001"))) == [("c1", "1001")]


def test_signing_in_again_with_a_new_skill_brings_waiting_callers():
    lab = Lab()
    lab.sign_in("1001", zh=3)
    lab.join("c1", skills={"en": 1})
    assert offered(lab.sign_in("1001", zh=3, en=2)) == [("c1", "1001")]


def test_a_supervisor_may_set_a_state_and_is_named():
    lab = Lab()
    lab.sign_in("1001")
    reason = shown(lab.do(AgentNotReady("1001", "meeting", by="2001")), "1001").reason
    assert (reason.code, reason.facts["by"]) == ("set_by_other", "2001")


def test_not_ready_without_a_reason_is_other_and_may_change_its_reason():
    lab = Lab()
    lab.sign_in("1001")
    lab.do(AgentNotReady("1001", ""))
    assert lab.agent("1001").not_ready_reason == "other"
    assert shown(lab.do(AgentNotReady("1001", "training")), "1001").not_ready_reason == "training"


def test_who_was_not_ready_before_an_own_call_is_not_ready_after_it():
    lab = Lab()
    lab.sign_in("1001")
    lab.do(AgentNotReady("1001", "follow_up"), TalkAdopted("own", "1001", lab.now))
    lab.end_talk("own")
    lab.do(WrapUpDone("1001"))
    assert lab.agent("1001").not_ready_reason == "follow_up"


def test_who_is_not_signed_in_cannot_change_states():
    lab = Lab()
    lab.do(PhoneChanged("1001", True))
    for event in (AgentReady("1001"), AgentNotReady("1001"), WrapUpDone("1001"), NextState("1001", AgentState.READY)):
        assert of(Refused, lab.do(event))[0].why is Why.UNKNOWN_AGENT
    assert lab.state("1001") == "signed_out"


def test_signing_in_not_ready_waits_for_the_agent():
    lab = Lab()
    lab.join("c1")
    decided = lab.do(AgentSignedIn("1001"))
    assert shown(decided, "1001").not_ready_reason == "signed_in"
    assert offered(lab.do(AgentReady("1001"))) == [("c1", "1001")]


def test_who_has_signed_out_serves_no_queue():
    lab = Lab()
    lab.sign_in("1001")
    lab.do(AgentSignedOut("1001"))
    assert (lab.agent("1001").state, lab.agent("1001").queues) == ("signed_out", ())
    assert offered(lab.join("c1")) == []
