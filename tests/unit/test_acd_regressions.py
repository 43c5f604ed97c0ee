"""Defects that other queue products are known for. Each test carries the name of what must not happen here."""

from __future__ import annotations

from acd.model import (
    AgentNotReady,
    AgentReady,
    AgentRinging,
    AgentSignedOut,
    AgentState,
    AgentStateChanged,
    Announce,
    CallJoined,
    CallLeft,
    CancelOffer,
    EngineConfig,
    FailCause,
    NextState,
    OfferAnswered,
    OfferFailed,
    PhoneChanged,
    Queued,
    ReasonCode,
    Refused,
    Tick,
    Why,
    WrapUpDone,
)
from tests.acd_kit.invariants import assert_sound
from tests.acd_kit.lab import Lab, of, offered, patient, shown


def test_one_call_is_never_answered_by_two_agents():
    """The first offer is given up for silence; its agent picks up in the last moment, the second agent as well."""
    lab = Lab(EngineConfig(queues=(patient(),), offer_grace_s=4))
    lab.sign_in("1001")
    lab.join("c1", attempt=1)
    first = lab.offers["c1"]
    lab.wait(25)
    lab.sign_in("1002")
    lab.rejoin("c1")
    second = lab.offers["c1"]
    assert second.agent_id == "1002"
    assert of(Refused, lab.do(OfferAnswered("c1", "1001", first.offer_id)))[0].why is Why.STALE_OFFER
    lab.do(OfferAnswered("c1", "1002", second.offer_id))
    assert of(Refused, lab.do(OfferAnswered("c1", "1001", first.offer_id)))[0].why is Why.STALE_OFFER
    assert [(talk.call_id, talk.agent_id) for talk in lab.engine.snapshot().talks] == [("c1", "1002")]
    assert lab.state("1001") == "not_ready"


def test_the_same_answer_reported_twice_makes_one_talk():
    lab = Lab()
    lab.sign_in("1001")
    lab.join("c1")
    lab.answer("c1")
    lab.answer("c1")
    assert len(lab.engine.snapshot().talks) == 1


def test_no_agent_stays_reserved_when_the_caller_hangs_up_at_any_step_of_an_offer():
    for steps in range(4):
        lab = Lab(EngineConfig(queues=(patient(wrapup_s=0),)))
        lab.sign_in("1001")
        lab.join("c1", attempt=1)
        offer = lab.offers["c1"]
        happened = [
            AgentRinging("c1", "1001", offer.offer_id),
            OfferAnswered("c1", "1001", offer.offer_id),
            CallJoined("c1", attempt=2),
        ]
        lab.do(*happened[:steps], CallLeft("c1", "hangup"))
        lab.do(OfferFailed("c1", "1001", offer.offer_id, FailCause.CANCELLED))
        assert lab.state("1001") == "ready", f"after {steps} steps"
        assert offered(lab.join("c2")) == [("c2", "1001")]


def test_no_agent_stays_reserved_when_the_telephone_never_says_what_became_of_an_offer():
    lab = Lab()
    lab.sign_in("1001")
    lab.join("c1")
    lab.do(CallLeft("c1", "hangup"))
    lab.join("c2")
    lab.wait(60)
    assert lab.state("1001") == "not_ready"
    assert lab.agent("1001").offer_id is None
    assert_sound(lab.engine)


def test_wrap_up_is_not_skipped_when_another_queue_has_callers():
    lab = Lab(EngineConfig(queues=(patient(wrapup_s=30), patient("enterprise", wrapup_s=0, priority=50))))
    lab.sign_in("1001", queues=("general", "enterprise"))
    lab.join("c1")
    lab.answer("c1")
    for number in range(5):
        lab.join(f"e{number}", queue="enterprise", priority=90)
    assert offered(lab.end_talk("c1")) == []
    assert offered(lab.wait(29)) == []
    assert offered(lab.do(CallJoined("emergency", "enterprise", lab.now, 500))) == []
    assert offered(lab.wait(2)) == [("emergency", "1001")]


def test_wrap_up_is_the_one_of_the_queue_that_was_served():
    lab = Lab(EngineConfig(queues=(patient(wrapup_s=30), patient("enterprise", wrapup_s=90))))
    lab.sign_in("1001", queues=("general", "enterprise"))
    lab.join("c1", queue="enterprise")
    lab.answer("c1")
    assert shown(lab.end_talk("c1"), "1001").until_ms == lab.now + 90_000


def test_an_announced_wait_does_not_rise_when_agents_go_on_break():
    lab = Lab()
    for number in range(4):
        lab.talk(f"t{number}", f"10{number:02d}")
    for number in range(8):
        lab.join(f"c{number}")
    lab.wait(16)
    before = {item.call_id: item for item in of(Announce, lab.seen)}
    for number in range(1, 4):
        lab.do(AgentNotReady(f"10{number:02d}", "meal"))
        lab.end_talk(f"t{number}")
    for item in of(Announce, lab.wait(200)):
        assert item.position <= before[item.call_id].position
        assert item.wait_high_s is None or item.wait_high_s <= before[item.call_id].wait_high_s


def test_no_place_is_lost_on_a_restart():
    before = Lab()
    for number, priority in enumerate((0, 3, 0, 7, 0)):
        before.join(f"c{number}", priority=priority)
        before.wait(40)
    order = before.waiting()
    seen = {one.call_id: one for one in before.engine.snapshot().waiting}
    after = Lab(start_ms=before.now + 9_000)
    for call_id in sorted(seen):
        one = seen[call_id]
        after.join(call_id, joined_ms=one.joined_ms, priority=one.priority, attempt=2)
    assert after.waiting() == order


def test_no_call_is_offered_to_a_phone_that_is_gone_and_the_agent_is_told_why():
    lab = Lab()
    lab.sign_in("1001")
    change = shown(lab.do(PhoneChanged("1001", False)), "1001")
    assert (change.unreachable, change.reason.code) == (True, ReasonCode.PHONE_UNREACHABLE)
    assert offered(lab.join("c1")) == []


def test_a_lost_caller_does_not_ring_on():
    lab = Lab()
    lab.sign_in("1001")
    lab.join("c1")
    cancelled = of(CancelOffer, lab.do(CallLeft("c1", "hangup")))
    assert [(item.call_id, item.recall) for item in cancelled] == [("c1", False)]


def test_a_supervisors_change_says_who_made_it_also_when_it_waits_for_the_end_of_the_call():
    lab = Lab()
    lab.talk("c1", "1001")
    for event in (NextState("1001", AgentState.NOT_READY, "meeting", "2001"), AgentReady("1001", "2001")):
        assert shown(lab.do(event), "1001").reason.facts["by"] == "2001"
    assert shown(lab.do(AgentNotReady("1001", "meal", "2002")), "1001").reason.facts["by"] == "2002"


def test_agent_and_citizen_hanging_up_at_once_leave_one_wrap_up():
    for order in ((0, 1), (1, 0)):
        lab = Lab()
        lab.talk("c1", "1001")
        ends = [lambda lab=lab: lab.end_talk("c1"), lambda lab=lab: lab.do(CallLeft("c1", "hangup"))]
        changes = [change for at in order if lab.engine.snapshot().talks or at == 1 for change in ends[at]()]
        assert [c.state for c in of(AgentStateChanged, changes)] == ["wrap_up"]
        lab.do(WrapUpDone("1001"))
        assert lab.state("1001") == "ready"


def test_signing_out_while_it_rings_gives_the_caller_back_with_the_place():
    lab = Lab()
    lab.sign_in("1001")
    lab.join("c1", attempt=1)
    lab.wait(5)
    lab.join("c2")
    lab.do(AgentRinging("c1", "1001", lab.offers["c1"].offer_id), AgentSignedOut("1001"))
    lab.rejoin("c1")
    assert lab.waiting() == ["c1", "c2"]


def test_a_thousand_callers_in_one_second_each_get_one_place():
    lab = Lab()
    for number in range(20):
        lab.sign_in(f"10{number:02d}", zh=5, yue=number % 5 + 1)
    for number in range(1_000):
        lab.join(f"c{number}", skills={"yue": number % 5 + 1} if number % 3 == 0 else {}, priority=number % 7)
        lab.now += 1
    queued = of(Queued, lab.seen)
    assert len({item.call_id for item in queued}) == len(queued) == 1_000
    assert len(lab.waiting()) == 1_000
    assert len(offered(lab.seen)) == 20
    assert_sound(lab.engine)
    lab.do(Tick())
    for number in range(1_000):
        lab.do(CallLeft(f"c{number}", "hangup"))
    assert lab.waiting() == []
    assert_sound(lab.engine)
