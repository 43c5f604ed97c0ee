"""What happens to those who wait: announcements and overflow."""

from __future__ import annotations

from acd.model import (
    AgentNotReady,
    AgentReady,
    AgentSignedOut,
    Announce,
    CallJoined,
    CallLeft,
    EngineConfig,
    FailCause,
    Overflow,
    OverflowTo,
    Prediction,
    QueueConfig,
    QueueConfigured,
    ReasonCode,
    WaitPredicted,
)
from tests.acd_kit.lab import Lab, of, offered, patient


def lab_with(**rules: object) -> Lab:
    return Lab(EngineConfig(queues=(patient(**rules),), wrapup_s=0))


def test_callers_are_told_place_and_wait_first_soon_and_then_regularly():
    lab = lab_with(announce_first_s=15, announce_every_s=45)
    lab.talk("c0", "1001")
    lab.join("c1")
    assert of(Announce, lab.wait(14)) == []
    said = of(Announce, lab.wait(2))
    assert [(item.call_id, item.position) for item in said] == [("c1", 1)]
    assert of(Announce, lab.wait(43)) == []
    assert len(of(Announce, lab.wait(2))) == 1


def test_the_wait_is_a_range_that_follows_place_and_staff():
    lab = lab_with(announce_first_s=15)
    for number in range(4):
        lab.talk(f"t{number}", f"10{number:02d}")
    for number in range(9):
        lab.join(f"c{number}")
    said = {item.call_id: item for item in of(Announce, lab.wait(16))}
    # Four agents, three minutes a call, nothing known of how talks end: a departure every 45 s. Were all left to
    # chance, the first would be answered between 5 and 104 s eight of ten times, the ninth between 244 and 585 s.
    assert 3 <= said["c0"].wait_low_s <= 15
    assert 80 <= said["c0"].wait_high_s <= 120
    assert 200 <= said["c8"].wait_low_s <= 300
    assert 480 <= said["c8"].wait_high_s <= 640


def test_the_first_releases_rule_for_the_wait_can_be_chosen():
    lab = Lab(EngineConfig(queues=(patient(announce_first_s=15),), wrapup_s=0, prediction=Prediction.PLACES))
    for number in range(4):
        lab.talk(f"t{number}", f"10{number:02d}")
    for number in range(9):
        lab.join(f"c{number}")
    said = {item.call_id: item for item in of(Announce, lab.wait(16))}
    assert (said["c0"].wait_low_s, said["c0"].wait_high_s) == (0, 90)
    assert (said["c8"].wait_low_s, said["c8"].wait_high_s) == (270, 540)
    assert of(WaitPredicted, lab.seen) == []


def test_neither_place_nor_wait_ever_rises_for_a_caller():
    lab = lab_with(announce_first_s=15, announce_every_s=20)
    lab.talk("t1", "1001")
    lab.talk("t2", "1002")
    lab.join("c1")
    lab.join("c2")
    first = next(item for item in of(Announce, lab.wait(16)) if item.call_id == "c2")
    lab.join("emergency", priority=100)
    lab.join("elderly", priority=10)
    lab.do(AgentSignedOut("1002"))
    lab.end_talk("t2")
    later = [item for item in of(Announce, lab.wait(41)) if item.call_id == "c2"]
    assert later
    for item in later:
        assert item.position <= first.position
        assert item.wait_low_s <= first.wait_low_s
        assert item.wait_high_s <= first.wait_high_s


def test_no_wait_is_promised_while_nobody_works():
    lab = lab_with()
    lab.sign_in("1001", ready=False)
    lab.join("c1")
    assert [(i.position, i.wait_low_s, i.wait_high_s) for i in of(Announce, lab.wait(16))] == [(1, None, None)]


def test_rare_skills_are_measured_against_those_who_have_them():
    lab = lab_with()
    for number in range(8):
        lab.talk(f"t{number}", f"10{number:02d}")
    lab.do(AgentNotReady("1007", "break"))
    lab.end_talk("t7")
    lab.sign_in("1007", yue=5)
    lab.do(AgentReady("1007"))
    lab.join("y0", skills={"yue": 3})
    lab.answer("y0")
    lab.join("y1", skills={"yue": 3})
    lab.join("c1")
    said = {item.call_id: item for item in of(Announce, lab.wait(16))}
    assert said["y1"].wait_high_s > 200
    assert said["c1"].wait_high_s < 100


def test_longer_talks_raise_the_expected_wait_for_the_next_callers():
    def told_after(talk_s: float) -> int:
        lab = lab_with()
        lab.talk("t0", "1001")
        for number in range(1, 12):
            lab.join(f"t{number}")
            lab.wait(talk_s)
            lab.end_talk(f"t{number - 1}")
            lab.answer(f"t{number}")
        lab.join("c1")
        return of(Announce, lab.wait(16))[-1].wait_high_s

    assert told_after(30) < 360 < told_after(600)


def test_who_is_being_offered_is_not_spoken_to():
    lab = lab_with(announce_first_s=10, offer_timeout_s=20)
    lab.sign_in("1001")
    lab.join("c1")
    assert of(Announce, lab.wait(15)) == []


def test_a_caller_who_has_waited_too_long_is_sent_on_once():
    lab = lab_with(overflow_wait_s=120)
    lab.sign_in("1001", ready=False)
    lab.join("c1")
    assert of(Overflow, lab.wait(119)) == []
    sent = of(Overflow, lab.wait(2))
    assert [(item.call_id, item.to, item.reason.code) for item in sent] == [("c1", "voicemail", "waited_too_long")]
    assert lab.waiting() == []
    assert offered(lab.do(AgentReady("1001"))) == []
    lab.do(CallLeft("c1", "voicemail"))
    assert lab.call_state("c1") == "gone"


def test_a_caller_who_could_not_be_sent_on_keeps_the_place_and_may_still_be_served():
    lab = lab_with(overflow_wait_s=120)
    lab.sign_in("1001", ready=False)
    lab.join("c1", attempt=1)
    lab.wait(60)
    lab.join("c2")
    lab.wait(61)
    assert of(Overflow, lab.rejoin("c1")) == []
    assert lab.waiting() == ["c1", "c2"]
    assert [item.call_id for item in of(Overflow, lab.wait(16))] == ["c1"]
    lab.rejoin("c1")
    assert offered(lab.do(AgentReady("1001"))) == [("c1", "1001")]


def test_a_free_agent_goes_before_overflow():
    lab = lab_with(overflow_wait_s=120)
    lab.sign_in("1001")
    decided = lab.join("c1", joined_ms=lab.now - 600_000)
    assert offered(decided) == [("c1", "1001")]
    assert of(Overflow, decided) == []


def test_an_overdue_caller_whose_offer_fails_is_sent_on_if_nobody_else_is_free():
    lab = lab_with(overflow_wait_s=30)
    lab.sign_in("1001")
    lab.join("c1", attempt=1)
    lab.wait(5)
    lab.fail("c1", FailCause.NO_ANSWER)
    assert [item.call_id for item in of(Overflow, lab.wait(26))] == ["c1"]


def test_a_full_queue_turns_new_callers_away_but_nobody_who_has_a_place():
    lab = lab_with(overflow_length=2, overflow_to=OverflowTo.CALLBACK)
    lab.sign_in("1001", ready=False)
    lab.join("c1", attempt=1)
    lab.join("c2", attempt=1)
    sent = of(Overflow, lab.join("c3"))
    assert [(item.call_id, item.to) for item in sent] == [("c3", OverflowTo.CALLBACK)]
    assert sent[0].reason.facts == {"waiting": 2, "limit": 2}
    assert of(Overflow, lab.rejoin("c1")) == []
    assert of(Overflow, lab.join("adopted", joined_ms=lab.now - 60_000)) == []


def test_emergencies_never_overflow():
    lab = lab_with(overflow_length=0, overflow_wait_s=10, overflow_unstaffed_s=10)
    lab.join("c1", priority=100)
    lab.wait(60)
    assert of(Overflow, lab.seen) == []
    assert lab.waiting() == ["c1"]


def test_when_nobody_signed_in_could_serve_them_callers_are_sent_on():
    lab = lab_with(overflow_unstaffed_s=60)
    lab.sign_in("1001", zh=5)
    lab.join("yue", skills={"yue": 3})
    lab.join("zh1")
    assert [item.call_id for item in of(Overflow, lab.wait(61))] == ["yue"]
    lab.join("zh2")
    lab.do(AgentSignedOut("1001"))
    sent = of(Overflow, lab.wait(61))
    assert {item.call_id for item in sent} >= {"zh2"}
    assert {item.reason.code for item in sent} == {ReasonCode.NOBODY_SIGNED_IN}
    # Nobody has been there for long: the next caller need not wait to hear it.
    assert [item.call_id for item in of(Overflow, lab.join("zh3"))] == ["zh3"]


def test_somebody_who_signs_in_in_time_ends_the_countdown():
    lab = lab_with(overflow_unstaffed_s=60)
    lab.join("c1")
    lab.wait(59)
    lab.sign_in("1001", ready=False)
    assert of(Overflow, lab.wait(120)) == []
    lab.do(AgentSignedOut("1001"))
    assert of(Overflow, lab.wait(59)) == []
    assert len(of(Overflow, lab.wait(2))) == 1


def test_new_rules_hold_at_once_for_those_who_wait():
    lab = lab_with()
    lab.sign_in("1001", ready=False)
    lab.join("c1")
    lab.wait(100)
    rules = QueueConfig("general", overflow_wait_s=60, overflow_unstaffed_s=None)
    assert [item.call_id for item in of(Overflow, lab.do(QueueConfigured(rules)))] == ["c1"]


def test_a_new_queue_is_served_by_those_who_already_named_it():
    lab = lab_with()
    lab.sign_in("1001", queues=("general", "enterprise"))
    lab.do(QueueConfigured(patient("enterprise")))
    assert offered(lab.do(CallJoined("c1", "enterprise", lab.now))) == [("c1", "1001")]
    assert lab.engine._floor.lines["enterprise"].staffed == 1
