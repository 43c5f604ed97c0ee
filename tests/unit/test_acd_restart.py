"""After a restart, a freeze or a clock that jumps: nobody loses a place, no timer runs wild."""

from __future__ import annotations

from acd.model import (
    AgentReady,
    AgentRestored,
    AgentSignedIn,
    AgentState,
    Announce,
    CallbackRequested,
    CallbackRules,
    CallJoined,
    CallOutOfReach,
    CancelOffer,
    EngineConfig,
    FailCause,
    Offer,
    OfferAnswered,
    OfferFailed,
    Overflow,
    Queued,
    ReasonCode,
    Refused,
    TalkAdopted,
    TelephoneLink,
    Tick,
    Why,
)
from tests.acd_kit.lab import T0, Lab, of, offered, patient, shown


def test_callers_found_waiting_keep_their_first_join_time_and_order():
    lab = Lab()
    for call_id, ago in (("c2", 40), ("c3", 10), ("c1", 90)):
        decided = lab.join(call_id, joined_ms=lab.now - ago * 1000, attempt=2)
        assert of(Queued, decided)[0].reason.code is ReasonCode.ADOPTED
    lab.join("new")
    assert lab.waiting() == ["c1", "c2", "c3", "new"]
    assert lab.engine.snapshot().waiting[0].joined_ms == T0 - 90_000
    assert offered(lab.sign_in("1001")) == [("c1", "1001")]
    assert lab.offers["c1"].reason.facts["waited_s"] == 90


def test_callers_of_one_millisecond_keep_the_telephones_order_in_whatever_order_they_are_found():
    lab = Lab()
    for call_id, rank in (("c9", 9), ("c11", 11), ("c10", 10)):
        lab.join(call_id, rank=rank)
    again = Lab()
    for call_id, rank in (("c10", 10), ("c11", 11), ("c9", 9)):
        again.join(call_id, rank=rank, attempt=2)
    assert lab.waiting() == again.waiting() == ["c9", "c10", "c11"]


def test_a_place_handed_to_a_call_back_comes_before_who_joined_in_the_same_millisecond_after_it():
    lab = Lab(EngineConfig(queues=(patient(callback=CallbackRules()),)))
    for rank in (1, 2):
        lab.join(f"c{rank}", rank=rank)
    lab.do(CallbackRequested("c1", "b1", "k1"))
    assert lab.waiting() == ["b1", "c2"]


def test_those_taken_over_in_one_moment_are_not_all_spoken_to_in_one_moment():
    lab = Lab()
    for number in range(60):
        lab.join(f"c{number}", joined_ms=lab.now - 60_000, attempt=2)
    told = [len(of(Announce, lab.wait(1))) for _ in range(61)]
    assert sum(told) >= 60
    assert max(told) <= 5


def test_a_crowds_timers_are_looked_after_in_portions():
    lab = Lab()
    for number in range(500):
        lab.join(f"c{number}")
    lab.now += 16_000
    portions = [len(of(Announce, lab.do(Tick()))) for _ in range(4)]
    assert portions == [200, 200, 100, 0]
    assert lab.engine.next_wake_ms() > lab.now


def test_without_a_link_to_the_telephone_nothing_is_offered_ended_or_sent_on():
    lab = Lab(EngineConfig(queues=(patient(overflow_wait_s=60),), wrapup_s=10))
    lab.sign_in("1001")
    lab.join("ringing")
    lab.talk("talking", "1002")
    lab.do(TelephoneLink(False))
    lab.end_talk("talking")
    lab.join("c1", skills={"zh": 1})
    lab.join("c2")
    decided = lab.wait(90)
    assert lab.state("1002") == "ready"
    assert (of(Offer, decided), of(CancelOffer, decided), of(Overflow, decided)) == ([], [], [])
    assert lab.state("1001") == "offered"
    decided = lab.do(TelephoneLink(True))
    assert offered(decided) == [("c2", "1002")]
    assert [gone.call_id for gone in of(Overflow, decided)] == ["c1"]
    assert [gone.call_id for gone in of(CancelOffer, lab.wait(6))] == ["ringing"]


def test_who_is_out_of_reach_keeps_the_place_while_others_are_served():
    lab = Lab(EngineConfig(queues=(patient(overflow_wait_s=60),)))
    for call_id in ("c1", "c2", "c3"):
        lab.join(call_id)
        lab.wait(1)
    for call_id in ("c1", "c3"):
        lab.do(CallOutOfReach(call_id))
    assert lab.waiting() == ["c1", "c2", "c3"]
    assert offered(lab.sign_in("1001")) == [("c2", "1001")]
    lab.do(OfferAnswered("c2", "1001", lab.offers["c2"].offer_id))
    assert offered(lab.sign_in("1002")) == []
    decided = lab.wait(90)
    assert not [one for one in (*of(Announce, decided), *of(Overflow, decided)) if one.call_id in ("c1", "c3")]
    lab.do(TelephoneLink(False), CallJoined("c3", "general"), CallJoined("c1", "general"))
    assert offered(lab.do(TelephoneLink(True)))[0] == ("c1", "1002"), "the first of those who are back"


def test_an_offer_that_rings_out_of_reach_is_not_repeated_before_the_caller_is_found_again():
    lab = Lab()
    lab.sign_in("1001")
    lab.join("c1")
    offer = lab.offers["c1"]
    assert of(Refused, lab.do(CallOutOfReach("c1")))[0].why is Why.NOT_NOW, "the telephone rings on"
    lab.do(OfferFailed("c1", "1001", offer.offer_id, FailCause.CANCELLED), CallOutOfReach("c1"))
    assert offered([*lab.sign_in("1002"), *lab.wait(60)]) == []
    lab.do(OfferAnswered("c1", "1001", offer.offer_id))
    assert lab.state("1001") == "talking", "answered all the same"


def test_an_adopted_talk_keeps_its_agent_from_other_calls_and_ends_in_wrap_up():
    lab = Lab()
    lab.do(TalkAdopted("c1", "1001", lab.now - 60_000))
    assert lab.engine.snapshot().talks[0].started_ms == T0 - 60_000
    lab.sign_in("1001")
    assert offered(lab.join("c2")) == []
    lab.end_talk("c1")
    assert lab.state("1001") == "wrap_up"


def test_an_adopted_agent_who_never_signs_in_is_signed_out_after_the_talk():
    lab = Lab()
    lab.do(TalkAdopted("c1", "1001", lab.now))
    lab.end_talk("c1")
    assert lab.state("1001") == "signed_out"


def test_adopting_twice_changes_nothing():
    lab = Lab()
    lab.do(TalkAdopted("c1", "1001", lab.now))
    assert lab.do(TalkAdopted("c1", "1001", lab.now)) == []


def test_an_agent_found_in_another_talk_has_left_the_one_before():
    lab = Lab()
    lab.talk("c1", "1001")
    lab.do(TalkAdopted("c2", "1001", lab.now))
    assert (lab.call_state("c1"), lab.call_state("c2")) == ("finished", "talking")
    assert lab.agent("1001").call_id == "c2"


def test_an_agent_found_talking_while_a_phone_rings_for_somebody_else_is_not_offered_two_calls():
    lab = Lab()
    lab.sign_in("1001")
    lab.join("c1")
    lab.do(TalkAdopted("c2", "1001", lab.now))
    assert lab.call_state("c1") == "returning"
    assert lab.agent("1001").call_id == "c2"
    assert lab.engine.snapshot().offers == ()


def test_a_call_found_talking_with_the_agent_it_was_offered_to_is_answered():
    lab = Lab()
    lab.sign_in("1001")
    lab.join("c1")
    lab.do(TalkAdopted("c1", "1001", lab.now))
    assert (lab.state("1001"), lab.engine.snapshot().offers) == ("talking", ())


def test_agents_are_restored_with_wrap_up_idle_time_and_reason():
    lab = Lab()
    now = lab.now
    lab.do(
        AgentRestored("1001", {"zh": 5}, ("general",), AgentState.READY, now - 5_000, now - 9_000),
        AgentRestored("1002", {"zh": 5}, ("general",), AgentState.READY, now - 5_000, now - 90_000),
        AgentRestored("1003", {}, ("general",), AgentState.WRAP_UP, now - 5_000, now - 5_000, now + 25_000),
        AgentRestored("1004", {}, ("general",), AgentState.NOT_READY, now - 5_000, now - 5_000, None, "meal"),
    )
    assert offered(lab.join("c1")) == [("c1", "1002")]
    assert lab.agent("1003").until_ms == now + 25_000
    lab.wait(24)
    assert lab.state("1003") == "wrap_up"
    lab.wait(2)
    assert lab.state("1003") == "ready"
    assert (lab.agent("1004").not_ready_reason, lab.agent("1004").since_ms) == ("meal", now - 5_000)


def test_restoring_an_agent_who_is_there_changes_no_state():
    lab = Lab()
    lab.talk("c1", "1001")
    now = lab.now
    assert lab.do(AgentRestored("1001", {"yue": 5}, ("general",), AgentState.READY, now, now)) == []
    assert lab.state("1001") == "talking"
    assert of(Refused, lab.do(AgentRestored("1002", {}, (), AgentState.TALKING, now, now)))[0].why is Why.BAD_VALUE


def test_offers_of_an_earlier_life_are_never_taken_for_ours():
    before = Lab()
    before.sign_in("1001")
    old = of(Offer, before.join("c1"))[0]
    after = Lab(start_ms=T0 + 60_000)
    after.sign_in("1001")
    new = of(Offer, after.join("c1"))[0]
    assert new.offer_id != old.offer_id
    for event in (
        OfferFailed("c1", "1001", old.offer_id, FailCause.NO_ANSWER),
        OfferAnswered("c1", "1001", old.offer_id),
    ):
        assert of(Refused, after.do(event))[0].why is Why.UNKNOWN_OFFER
    assert after.state("1001") == "offered"


def test_a_process_frozen_for_a_minute_sends_nobody_away_and_blames_nobody():
    lab = Lab(EngineConfig(queues=(patient(overflow_wait_s=90),), wrapup_s=30, offer_timeout_s=20))
    lab.sign_in("1001")
    lab.talk("c1", "1001")
    lab.end_talk("c1")
    lab.sign_in("1002")
    lab.join("ringing")
    lab.join("waiting")
    lab.now += 65_000
    decided = lab.do(Tick())
    assert of(Overflow, decided) == []
    assert lab.state("1001") == "wrap_up"
    assert lab.state("1002") == "offered"
    assert lab.engine.snapshot().waiting[1].joined_ms == lab.now - 65_000


def test_a_clock_set_back_an_hour_keeps_timers_running_and_new_callers_behind():
    lab = Lab(EngineConfig(queues=(patient(),), wrapup_s=30))
    lab.talk("c0", "1001")
    lab.join("c1")
    lab.wait(10)
    lab.now -= 3_600_000
    lab.do(Tick())
    lab.join("c2")
    assert lab.waiting() == ["c1", "c2"]
    change = shown(lab.end_talk("c0"), "1001")
    assert change.until_ms == lab.now + 30_000
    assert offered(lab.wait(31)) == [("c1", "1001")]


def test_a_clock_set_forward_an_hour_ends_no_wrap_up():
    lab = Lab()
    lab.talk("c0", "1001")
    lab.end_talk("c0")
    lab.now += 3_600_000
    lab.do(Tick())
    assert lab.state("1001") == "wrap_up"


def test_join_times_from_the_future_or_from_nowhere_do_not_jump_the_line():
    lab = Lab()
    lab.join("c1")
    lab.join("future", joined_ms=lab.now + 999_999)
    lab.join("nowhere", joined_ms=0)
    assert lab.waiting() == ["c1", "future", "nowhere"]
    lab.join("ancient", joined_ms=1)
    assert lab.engine.snapshot().waiting[0].joined_ms == T0 - 12 * 3_600_000


def test_a_caller_known_as_talking_who_is_found_in_the_hold_loop_waits_again_with_the_first_place():
    lab = Lab()
    lab.talk("c1", "1001")
    lab.wait(30)
    lab.join("c2")
    decided = lab.do(CallJoined("c1", joined_ms=T0, priority=50))
    assert lab.state("1001") == "wrap_up"
    assert lab.waiting() == ["c1", "c2"]
    assert of(Queued, decided)[0].reason.code is ReasonCode.PLACE_KEPT


def test_the_same_events_at_the_same_times_make_the_same_decisions():
    def life() -> list[str]:
        lab = Lab()
        for number in range(20):
            lab.join(f"c{number}", priority=number % 3, skills={"yue": 2} if number % 4 == 0 else {})
            lab.wait(3)
        for number in range(6):
            lab.do(AgentSignedIn(f"10{number}", {"yue": number}, ("general",), number % 2 == 0), AgentReady("100"))
        return lab.lines

    assert life() == life()
