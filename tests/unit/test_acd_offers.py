"""Who is offered to whom, in which order, and what becomes of an offer."""

from __future__ import annotations

from acd.model import (
    AgentBusyOutside,
    AgentNotReady,
    AgentReady,
    AgentSignedOut,
    CallJoined,
    CallLeft,
    CancelOffer,
    EngineConfig,
    FailCause,
    Offer,
    OfferAnswered,
    OfferFailed,
    PhoneChanged,
    QueueChanged,
    Queued,
    ReasonCode,
    Refused,
    TalkAdopted,
    TalkEnded,
    Why,
)
from tests.acd_kit.lab import Lab, of, offered, patient, shown


def busy_lab(**config: object) -> Lab:
    """One agent, busy with call c0, so that everybody else waits."""
    lab = Lab(EngineConfig(queues=(patient(wrapup_s=0), patient("enterprise", wrapup_s=0)), **config))  # type: ignore[arg-type]
    lab.talk("c0", "1001")
    return lab


def test_a_caller_is_offered_at_once_to_the_agent_idle_longest_since_the_last_talk():
    lab = Lab(EngineConfig(queues=(patient(wrapup_s=0),)))
    for agent_id in ("1001", "1002", "1003"):
        lab.sign_in(agent_id)
        lab.wait(1)
    lab.talk("c1", "1001")
    lab.end_talk("c1")
    assert offered(lab.join("c2")) == [("c2", "1002")]
    assert offered(lab.join("c3")) == [("c3", "1003")]
    assert offered(lab.join("c4")) == [("c4", "1001")]


def test_a_break_does_not_make_an_agent_idle_for_less_long():
    lab = Lab()
    lab.sign_in("1001")
    lab.wait(5)
    lab.sign_in("1002")
    lab.do(AgentNotReady("1001", "break"))
    lab.wait(600)
    lab.do(AgentReady("1001"))
    assert offered(lab.join("c1")) == [("c1", "1001")]


def test_waiting_callers_are_served_in_the_order_in_which_they_joined():
    lab = busy_lab()
    for call_id in ("c1", "c2", "c3"):
        lab.join(call_id)
        lab.wait(1)
    assert lab.waiting() == ["c1", "c2", "c3"]
    served = []
    for _ in range(3):
        talking = lab.agent("1001").call_id
        served += [call for call, _ in offered(lab.end_talk(talking))]
        lab.answer(served[-1])
    assert served == ["c1", "c2", "c3"]


def test_higher_priority_goes_first_and_equal_priority_by_join_time():
    lab = busy_lab()
    lab.join("c1")
    lab.wait(1)
    lab.join("elderly1", priority=10)
    lab.wait(1)
    lab.join("emergency", priority=100)
    lab.wait(1)
    lab.join("elderly2", priority=10)
    assert lab.waiting() == ["emergency", "elderly1", "elderly2", "c1"]


def test_skills_are_required_levels():
    lab = Lab()
    lab.sign_in("1001", zh=5, yue=2)
    assert offered(lab.join("c1", skills={"yue": 3})) == []
    assert offered(lab.sign_in("1002", yue=3)) == [("c1", "1002")]
    assert offered(lab.join("c2", skills={"zh": 5})) == [("c2", "1001")]


def test_a_caller_with_rare_needs_does_not_hold_up_those_behind():
    lab = busy_lab()
    lab.join("c1", skills={"en": 4})
    lab.wait(1)
    lab.join("c2")
    assert offered(lab.end_talk("c0")) == [("c2", "1001")]
    assert lab.waiting() == ["c1", "c2"]


def test_an_agent_serves_several_queues_by_place_and_only_theirs():
    lab = busy_lab()
    lab.sign_in("1001", queues=("general", "enterprise"))
    lab.join("c1", queue="enterprise")
    lab.wait(1)
    lab.join("c2")
    assert offered(lab.sign_in("1002", queues=("general",))) == [("c2", "1002")]
    assert offered(lab.end_talk("c0")) == [("c1", "1001")]


def test_a_queue_may_go_before_another():
    lab = Lab(EngineConfig(queues=(patient(wrapup_s=0), patient("enterprise", priority=5))))
    lab.sign_in("1001", queues=("general", "enterprise"))
    lab.join("c0")
    lab.answer("c0")
    lab.join("c1")
    lab.wait(30)
    lab.join("c2", queue="enterprise")
    assert offered(lab.end_talk("c0")) == [("c2", "1001")]


def test_a_caller_for_an_unknown_queue_waits_in_the_default_one():
    lab = Lab()
    decided = lab.join("c1", queue="typo")
    assert of(Queued, decided)[0].queue == "general"
    assert lab.waiting() == ["c1"]


def test_no_answer_makes_the_agent_not_ready_and_puts_the_caller_first_in_line_again():
    lab = Lab()
    lab.sign_in("1001")
    lab.join("c1")
    lab.wait(5)
    lab.join("c2")
    lab.wait(15)
    decided = lab.fail("c1", FailCause.NO_ANSWER)
    assert shown(decided, "1001").not_ready_reason == "no_answer"
    assert lab.waiting() == ["c1", "c2"]
    assert of(Queued, decided)[0].reason.code is ReasonCode.PLACE_KEPT
    assert offered(lab.sign_in("1002")) == [("c1", "1002")]
    assert offered(lab.do(AgentReady("1001"))) == [("c2", "1001")]


def test_the_caller_is_offered_again_only_once_back_in_the_hold_loop():
    lab = Lab()
    lab.sign_in("1001")
    lab.join("c1", attempt=1)
    lab.sign_in("1002")
    assert offered(lab.fail("c1", FailCause.REJECTED, back=False)) == []
    assert lab.call_state("c1") == "returning"
    assert offered(lab.rejoin("c1")) == [("c1", "1002")]


def test_a_caller_of_whom_the_hold_loop_says_nothing_is_offered_all_the_same():
    lab = Lab()
    lab.sign_in("1001")
    lab.join("c1", attempt=1)
    lab.sign_in("1002")
    lab.fail("c1", FailCause.REJECTED, back=False)
    assert offered(lab.wait(1.9)) == []
    assert offered(lab.wait(0.2)) == [("c1", "1002")]


def test_a_duplicate_of_the_join_does_not_disturb_the_offer():
    lab = Lab()
    lab.sign_in("1001")
    lab.join("c1", attempt=1)
    assert lab.join("c1", attempt=1) == []
    assert lab.state("1001") == "offered"


def test_a_silent_telephone_ends_an_offer_after_limit_and_grace():
    lab = Lab(EngineConfig(queues=(patient(),), offer_timeout_s=20, offer_grace_s=4))
    lab.sign_in("1001")
    offer = of(Offer, lab.join("c1"))[0]
    assert offer.deadline_ms == lab.now + 20_000
    assert of(CancelOffer, lab.wait(23)) == []
    cancelled = of(CancelOffer, lab.wait(2))[0]
    assert (cancelled.offer_id, cancelled.reason.code, cancelled.recall) == (offer.offer_id, "offer_timeout", True)
    assert lab.agent("1001").not_ready_reason == "no_answer"
    assert of(Refused, lab.do(OfferFailed("c1", "1001", offer.offer_id, FailCause.NO_ANSWER)))[0].why is Why.STALE_OFFER


def test_each_queue_may_ring_for_its_own_time():
    lab = Lab(EngineConfig(queues=(patient(offer_timeout_s=8),)))
    lab.sign_in("1001")
    assert of(Offer, lab.join("c1"))[0].deadline_ms == lab.now + 8_000


def test_a_failure_that_is_nobodys_fault_leaves_the_agent_ready_after_a_moment():
    lab = Lab()
    lab.sign_in("1001")
    lab.join("c1", attempt=1)
    assert offered(lab.fail("c1", FailCause.CANCELLED)) == []
    assert lab.state("1001") == "ready"
    assert offered(lab.wait(1.1)) == [("c1", "1001")]


def test_every_cause_is_told_to_the_agent():
    for cause, reason in {
        FailCause.NO_ANSWER: "no_answer",
        FailCause.BUSY: "phone_busy",
        FailCause.REJECTED: "rejected",
        FailCause.UNREACHABLE: "phone_unreachable",
        FailCause.DESKTOP_SILENT: "desktop_silent",
    }.items():
        lab = Lab()
        lab.sign_in("1001")
        lab.join("c1")
        assert shown(lab.fail("c1", cause), "1001").not_ready_reason == reason


def test_one_call_that_cannot_be_connected_does_not_empty_the_floor():
    lab = Lab()
    for number in range(8):
        lab.sign_in(f"10{number:02d}")
    lab.join("poison", attempt=1)
    for _ in range(7):
        lab.fail("poison", FailCause.UNREACHABLE)
    states = [agent.state.value for agent in lab.engine.snapshot().agents]
    assert states.count("not_ready") == 3


def test_a_caller_who_hangs_up_while_it_rings_stops_the_ringing_and_frees_the_agent():
    lab = Lab()
    lab.sign_in("1001")
    lab.join("c1")
    lab.join("c2")
    decided = lab.do(CallLeft("c1", "hangup"))
    assert [(c.reason.code, c.recall) for c in of(CancelOffer, decided)] == [("caller_left", False)]
    assert offered(decided) == [("c2", "1001")]


def test_an_agent_who_signs_out_while_it_rings_gives_the_caller_back():
    lab = Lab()
    lab.sign_in("1001")
    lab.join("c1", attempt=1)
    lab.sign_in("1002")
    decided = lab.do(AgentSignedOut("1001"))
    assert [(c.agent_id, c.recall) for c in of(CancelOffer, decided)] == [("1001", True)]
    assert lab.state("1001") == "signed_out"
    assert offered(lab.rejoin("c1")) == [("c1", "1002")]


def test_an_answer_that_crosses_with_the_end_of_the_offer_counts():
    lab = Lab(EngineConfig(queues=(patient(),), offer_grace_s=4))
    lab.sign_in("1001")
    offer = of(Offer, lab.join("c1"))[0]
    lab.wait(25)
    assert lab.state("1001") == "not_ready"
    lab.do(OfferAnswered("c1", "1001", offer.offer_id))
    assert (lab.state("1001"), lab.call_state("c1")) == ("talking", "talking")


def test_an_answer_that_comes_when_the_agent_is_offered_somebody_else_is_refused():
    lab = Lab(EngineConfig(queues=(patient(),), offer_grace_s=4))
    lab.sign_in("1001")
    old = of(Offer, lab.join("c1"))[0]
    lab.wait(24)
    lab.do(CallJoined("c2", joined_ms=lab.now, priority=50), AgentReady("1001"))
    assert lab.agent("1001").call_id == "c2"
    assert of(Refused, lab.do(OfferAnswered("c1", "1001", old.offer_id)))[0].why is Why.STALE_OFFER
    assert (lab.call_state("c2"), lab.agent("1001").call_id) == ("offered", "c2")


def test_a_caller_known_to_have_joined_earlier_moves_up_and_never_down():
    lab = Lab()
    for call_id in ("c1", "c2", "c3"):
        lab.join(call_id)
        lab.wait(10)
    lab.do(CallJoined("c3", joined_ms=lab.now - 25_000))
    assert lab.waiting() == ["c1", "c3", "c2"]
    lab.do(CallJoined("c3", joined_ms=lab.now))
    assert lab.waiting() == ["c1", "c3", "c2"]


def test_an_answer_reported_twice_does_not_bring_an_ended_talk_back():
    lab = Lab()
    lab.sign_in("1001")
    offer = of(Offer, lab.join("c1"))[0]
    lab.answer("c1")
    lab.end_talk("c1")
    again = OfferAnswered("c1", "1001", offer.offer_id)
    assert of(Refused, lab.do(again))[0].why is Why.STALE_OFFER
    lab.rejoin("c1")
    lab.do(again)
    assert lab.call_state("c1") != "talking"
    lab.do(CallLeft("c1"))
    assert of(Refused, lab.do(again))[0].why is Why.UNKNOWN_CALL


def test_a_phone_in_use_or_gone_or_an_agent_busy_outside_gets_no_offers_and_is_told_why():
    for off, on, flag in (
        (PhoneChanged("1001", True, True), PhoneChanged("1001", True, False), "in_use"),
        (PhoneChanged("1001", False), PhoneChanged("1001", True), "unreachable"),
        (AgentBusyOutside("1001", True), AgentBusyOutside("1001", False), "busy_outside"),
    ):
        lab = Lab()
        lab.sign_in("1001")
        change = shown(lab.do(off), "1001")
        assert getattr(change, flag)
        assert change.state == "ready"
        assert offered(lab.join("c1")) == []
        assert offered(lab.do(on)) == [("c1", "1001")]


def test_a_phone_that_registers_before_its_agent_signs_in_is_remembered():
    lab = Lab()
    assert lab.do(PhoneChanged("1001", False)) == []
    assert shown(lab.sign_in("1001"), "1001").unreachable
    assert offered(lab.join("c1")) == []


def test_a_phone_that_vanishes_while_it_rings_gives_the_caller_to_the_next_agent():
    lab = Lab()
    lab.sign_in("1001")
    lab.join("c1", attempt=1)
    lab.sign_in("1002")
    decided = lab.do(PhoneChanged("1001", False))
    assert of(CancelOffer, decided)[0].reason.code is ReasonCode.PHONE_LOST
    assert offered(lab.rejoin("c1")) == [("c1", "1002")]
    assert lab.state("1001") == "ready"


def test_a_transferred_caller_may_come_back_with_the_first_place():
    lab = busy_lab()
    lab.join("c1")
    lab.do(CallJoined("c0", joined_ms=lab.now, attempt=1))
    assert lab.waiting() == ["c0", "c1"]
    assert offered(lab.seen)[-1] == ("c0", "1001")


def test_two_agents_in_one_talk_leave_it_one_by_one():
    lab = Lab()
    lab.talk("c1", "1001")
    lab.sign_in("1002", ready=False)
    lab.do(TalkAdopted("c1", "1002", lab.now))
    lab.do(TalkEnded("c1", "1001"))
    assert (lab.state("1001"), lab.state("1002"), lab.call_state("c1")) == ("wrap_up", "talking", "talking")
    lab.do(TalkEnded("c1", "1002"))
    assert (lab.state("1002"), lab.call_state("c1")) == ("wrap_up", "finished")


def test_depth_counts_everybody_without_an_agent():
    lab = Lab()
    lab.sign_in("1001")
    first = lab.now
    assert of(QueueChanged, lab.join("c1")) == [QueueChanged("general", 1, first)]
    lab.wait(1)
    assert of(QueueChanged, lab.join("c2")) == [QueueChanged("general", 2, first)]
    assert of(QueueChanged, lab.answer("c1")) == [QueueChanged("general", 1, first + 1000)]
    assert of(QueueChanged, lab.do(CallLeft("c2"))) == [QueueChanged("general", 0, None)]


def test_an_offer_says_why_this_agent_and_why_now():
    lab = busy_lab()
    lab.join("c1", skills={"zh": 1}, priority=10)
    lab.wait(30)
    lab.sign_in("1002", zh=3)
    facts = lab.offers["c1"].reason.facts
    assert lab.offers["c1"].reason.code is ReasonCode.NEXT_IN_LINE
    assert {key: facts[key] for key in ("waited_s", "position", "priority", "skills", "candidates")} == {
        "waited_s": 30,
        "position": 1,
        "priority": 10,
        "skills": "zh:1",
        "candidates": 1,
    }
