"""Call-back instead of waiting: the place is kept while the citizen has hung up."""

from __future__ import annotations

import pytest

from acd import journal
from acd.explain import explain_call
from acd.measures import Rate, figures, records
from acd.model import (
    AgentReady,
    CallbackCancelled,
    CallbackChoosing,
    CallbackClosed,
    CallbackFirst,
    CallbackOffered,
    CallbackRequested,
    CallbackResting,
    CallbackRestored,
    CallbackRules,
    CallJoined,
    CallLeft,
    CallOutOfReach,
    CitizenNotReached,
    CitizenReached,
    DialCitizen,
    EngineConfig,
    FailCause,
    Offer,
    OfferAnswered,
    Overflow,
    OverflowTo,
    ReasonCode,
    Refused,
    TalkEnded,
    TelephoneLink,
    Why,
    Window,
)
from tests.acd_kit.invariants import assert_sound
from tests.acd_kit.lab import T0, Lab, of, offered, patient

DAY_MS = 86_400_000
MIDNIGHT = (T0 + 8 * 3_600_000) // DAY_MS * DAY_MS - 8 * 3_600_000  # of that day in China
NOON = MIDNIGHT + 12 * 3_600_000


def lab_with(start_ms: int = NOON, **rules: object) -> Lab:
    values: dict[str, object] = {"offer_after_s": 60, "retry_s": 300, **rules}
    queue = patient(callback=CallbackRules(**values), wrapup_s=0)  # type: ignore[arg-type]
    lab = Lab(EngineConfig(queues=(queue,)), start_ms=start_ms)
    lab.talk("c0", "1001")
    return lab


def asked(lab: Lab, call_id: str = "c1", key: str = "k1") -> Lab:
    """A caller joins, lets themselves be called back and hangs up; somebody joins behind."""
    lab.join(call_id, caller_key=key)
    lab.wait(61)
    lab.do(CallbackRequested(call_id, "b1"), CallLeft(call_id, "callback"))
    lab.join("behind")
    return lab


def test_who_has_waited_long_enough_is_asked_once():
    lab = lab_with()
    lab.join("c1", attempt=1)
    assert of(CallbackOffered, lab.wait(59)) == []
    assert [item.call_id for item in of(CallbackOffered, lab.wait(2))] == ["c1"]
    lab.rejoin("c1")
    assert of(CallbackOffered, lab.wait(600)) == []
    assert any("询问来电人是否改为回拨：已等 60 秒" in sentence for sentence in explain_call(lab.lines, "c1"))


def test_who_will_wait_long_is_asked_when_told_so():
    lab = lab_with(offer_after_s=None, offer_predicted_s=250)
    lab.join("c1")
    lab.join("c2")
    lab.join("c3")
    decided = of(CallbackOffered, lab.wait(16))
    assert [(item.call_id, item.reason.code) for item in decided] == [
        ("c2", "long_wait_foretold"),
        ("c3", "long_wait_foretold"),
    ]


def test_nobody_is_asked_without_a_link_and_then_as_soon_as_it_is_back():
    lab = lab_with()
    lab.join("c1")
    lab.do(TelephoneLink(False))
    assert of(CallbackOffered, lab.wait(70)) == []
    lab.do(TelephoneLink(True))
    assert len(of(CallbackOffered, lab.wait(6))) == 1


def test_a_call_back_rests_while_nobody_can_be_dialled_and_keeps_its_place():
    lab = asked(lab_with())
    lab.do(CallOutOfReach("b1"))
    assert lab.call_state("b1") == "callback_resting"
    assert [offer.call_id for offer in of(Offer, lab.end_talk("c0"))] == ["behind"]
    lab.wait(20)
    lab.do(CallOutOfReach("b1"))
    lab.wait(20)
    assert lab.call_state("b1") == "callback_resting", "it was said again"
    lab.wait(15)
    assert lab.call_state("b1") in ("callback_waiting", "callback_offered")
    place, _ = lab.engine.place("b1")
    assert place < lab.engine.place("behind")[0]


def test_the_place_is_kept_while_the_citizen_has_hung_up():
    lab = asked(lab_with())
    assert lab.waiting() == ["b1", "behind"]
    assert (lab.call_state("b1"), lab.call_state("c1")) == ("callback_waiting", "gone")
    decided = lab.end_talk("c0")
    assert [(offer.call_id, offer.callback) for offer in of(Offer, decided)] == [("b1", True)]


def test_agent_first_the_citizen_is_dialled_when_the_agent_has_accepted():
    lab = asked(lab_with())
    lab.end_talk("c0")
    dial = of(DialCitizen, lab.answer("b1"))
    assert [(item.callback_id, item.agent_id, item.attempt) for item in dial] == [("b1", "1001", 1)]
    assert (lab.state("1001"), lab.call_state("b1")) == ("talking", "callback_dialling")
    lab.do(CitizenReached("b1"))
    assert lab.call_state("b1") == "talking"
    lab.end_talk("b1")
    lab.do(CallLeft("b1", "hangup"))
    assert lab.offers["behind"].agent_id == "1001"


def test_citizen_first_they_wait_at_the_head_of_the_line():
    lab = asked(lab_with(first=CallbackFirst.CITIZEN))
    decided = lab.end_talk("c0")
    assert [(item.callback_id, item.agent_id) for item in of(DialCitizen, decided)] == [("b1", "")]
    assert offered(decided) == [("behind", "1001")]  # nobody idles while a telephone rings
    lab.answer("behind")
    lab.do(CitizenReached("b1"))
    lab.join("c3")
    assert lab.waiting() == ["b1", "c3"]
    assert offered(lab.end_talk("behind")) == [("b1", "1001")]
    assert not lab.offers["b1"].callback


def test_who_is_not_reached_is_tried_again_and_after_the_last_attempt_given_up():
    lab = asked(lab_with(attempts=2))
    lab.do(CallLeft("behind", "hangup"))
    lab.end_talk("c0")
    lab.answer("b1")
    rests = of(CallbackResting, lab.do(CitizenNotReached("b1")))
    assert [(item.until_ms, item.attempts) for item in rests] == [(lab.now + 300_000, 1)]
    assert lab.state("1001") == "ready"
    assert offered(lab.wait(299)) == []
    assert offered(lab.wait(2)) == [("b1", "1001")]
    lab.answer("b1")
    closed = of(CallbackClosed, lab.do(CitizenNotReached("b1")))
    assert [(item.attempts, item.reason.code) for item in closed] == [(2, ReasonCode.ATTEMPTS_USED)]
    assert lab.call_state("b1") == "gone"
    assert "已拨 2 次未接通" in explain_call(lab.lines, "b1")[-1]


def test_nobody_is_called_at_night_and_the_place_is_kept_until_morning():
    lab = lab_with(start_ms=MIDNIGHT + 21 * 3_600_000 - 120_000)
    asked(lab)
    lab.do(CallLeft("behind", "hangup"))
    lab.wait(60)
    rests = of(CallbackResting, lab.end_talk("c0"))
    morning = MIDNIGHT + DAY_MS + 8 * 3_600_000
    assert [item.reason.code for item in rests] == [ReasonCode.OUTSIDE_WINDOW]
    assert offered(lab.wait((morning - lab.now) / 1000 - 1)) == []
    lab.do(AgentReady("1001"))
    assert offered(lab.wait(2)) == [("b1", "1001")]


def test_a_night_window_that_ends_while_a_callback_waits_in_line_holds_it_back():
    lab = asked(lab_with(start_ms=MIDNIGHT + 21 * 3_600_000 - 90_000))
    lab.wait(60)
    decided = lab.end_talk("c0")
    assert offered(decided) == [("behind", "1001")]
    assert lab.call_state("b1") == "callback_resting"


def test_one_open_callback_for_each_caller():
    lab = asked(lab_with())
    lab.join("c2", caller_key="k1")
    assert of(Refused, lab.do(CallbackRequested("c2", "b2")))[0].why is Why.CALLBACK_OPEN
    assert lab.waiting() == ["b1", "behind", "c2"]
    lab.do(CallbackCancelled("b1", "2001"))
    assert of(Refused, lab.do(CallbackRequested("c2", "b2"))) == []


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (CallbackRequested("nobody", "b2"), Why.UNKNOWN_CALL),
        (CallbackRequested("c0", "b2"), Why.NOT_NOW),
        (CallbackRequested("behind", "b1"), Why.KNOWN_ALREADY),
        (CallbackRequested("b1", "b2", "k9"), Why.NO_CALLBACKS),
        (CallbackRestored("b1", "general", T0), Why.KNOWN_ALREADY),
        (CitizenReached("behind"), Why.UNKNOWN_CALL),
        (CitizenNotReached("b1"), Why.NOT_NOW),
        (CallbackCancelled("behind"), Why.UNKNOWN_CALL),
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused_and_changes_nothing(event, why):
    lab = asked(lab_with())
    before = lab.engine.snapshot()
    assert [item.why for item in of(Refused, lab.do(event))] == [why]
    assert lab.engine.snapshot() == before


def test_a_queue_without_callbacks_refuses_them():
    lab = Lab()
    lab.join("c1")
    assert of(Refused, lab.do(CallbackRequested("c1", "b1")))[0].why is Why.NO_CALLBACKS
    assert lab.waiting() == ["c1"]


def test_a_callback_survives_a_restart_with_its_place_and_attempts():
    lab = lab_with(attempts=2)
    now = lab.now
    lab.join("c5", joined_ms=now - 60_000, attempt=2)
    lab.do(CallbackRestored("b1", "general", now - 90_000, 0, {}, "k1", 1, 0, now - 80_000))
    assert lab.waiting() == ["b1", "c5"]
    lab.end_talk("c0")
    lab.answer("b1")
    assert [item.reason.code for item in of(CallbackClosed, lab.do(CitizenNotReached("b1")))] == ["attempts_used"]


def test_a_restored_callback_rests_until_its_next_attempt():
    lab = lab_with()
    lab.end_talk("c0")
    lab.do(CallbackRestored("b1", "general", lab.now - 90_000, not_before_ms=lab.now + 50_000))
    assert offered(lab.wait(49)) == []
    assert offered(lab.wait(2)) == [("b1", "1001")]


def test_a_callback_that_is_never_its_turn_is_given_up_after_its_time():
    lab = asked(lab_with(max_age_s=3600))
    assert of(CallbackClosed, lab.wait(3590)) == []
    assert [item.reason.code for item in of(CallbackClosed, lab.wait(11))] == [ReasonCode.CALLBACK_TOO_OLD]


def test_a_caller_who_is_back_in_the_hold_loop_has_one_place_not_two():
    lab = lab_with()
    lab.join("c1", caller_key="k1", attempt=1)
    lab.do(CallbackRequested("c1", "b1"))
    lab.wait(5)
    decided = lab.rejoin("c1")
    assert [item.callback_id for item in of(CallbackClosed, decided)] == ["b1"]
    assert lab.waiting() == ["c1"]


def test_a_silent_telephone_ends_dialling_after_its_limit():
    lab = asked(lab_with(dial_timeout_s=40))
    lab.end_talk("c0")
    lab.answer("b1")
    assert of(CallbackResting, lab.wait(39)) == []
    assert [item.reason.code for item in of(CallbackResting, lab.wait(2))] == [ReasonCode.NOT_REACHED]


def test_a_citizen_reported_late_is_not_lost():
    lab = asked(lab_with(dial_timeout_s=40))
    lab.do(CallLeft("behind", "hangup"))
    lab.end_talk("c0")
    lab.answer("b1")
    lab.wait(41)
    assert lab.call_state("b1") == "callback_resting"
    assert offered(lab.do(CitizenReached("b1"))) == [("b1", "1001")]
    assert not lab.offers["b1"].callback


def test_an_agent_who_hangs_up_before_the_citizen_answers_leaves_them_the_old_place():
    lab = asked(lab_with())
    lab.end_talk("c0")
    lab.answer("b1")
    lab.do(TalkEnded("b1", "1001"))
    assert (lab.call_state("b1"), lab.agent("1001").call_id) == ("callback_dialling", "behind")
    lab.do(CitizenReached("b1"))
    assert lab.waiting() == ["b1", "behind"]


def test_a_callback_that_the_agent_does_not_take_goes_to_the_next():
    lab = asked(lab_with())
    lab.end_talk("c0")
    lab.sign_in("1002", ready=False)
    offer = lab.offers["b1"]
    lab.fail("b1", FailCause.NO_ANSWER, back=False)
    assert lab.call_state("b1") == "callback_waiting"
    assert offered(lab.do(AgentReady("1002"))) == [("b1", "1002")]
    assert of(Refused, lab.do(OfferAnswered("b1", offer.agent_id, offer.offer_id)))[0].why is Why.STALE_OFFER


def test_a_called_back_citizen_in_the_hold_loop_is_never_sent_to_voicemail():
    queue = patient(callback=CallbackRules(first=CallbackFirst.CITIZEN), overflow_wait_s=30)
    lab = Lab(EngineConfig(queues=(queue,)), start_ms=NOON)
    lab.sign_in("1001")
    lab.do(CallbackRestored("b1", "general", lab.now - 600_000))
    lab.talk("c0", "1001")
    lab.do(CitizenReached("b1"))
    assert of(Overflow, lab.wait(300)) == []
    assert lab.call_state("b1") == "waiting"


def test_waiting_instead_and_called_back_is_one_call_in_the_measures():
    lab = asked(lab_with())
    lab.do(CallLeft("behind", "hangup"))
    lab.end_talk("c0")
    lab.answer("b1")
    assert figures(records(lab.lines), lab.now).connected == Rate(1, 2)
    lab.do(CitizenReached("b1"))
    lab.end_talk("b1")
    lab.do(CallLeft("b1", "hangup"))
    assert figures(records(lab.lines), lab.now).connected == Rate(2, 3)


def test_the_whole_way_replays_and_is_told():
    lab = asked(lab_with())
    lab.end_talk("c0")
    lab.answer("b1")
    lab.do(CitizenReached("b1"), CallJoined("c9"))
    lab.end_talk("b1")
    assert journal.verify(lab.lines) is None
    assert_sound(lab.engine)
    told = [sentence.split(" ", 1)[1] for sentence in explain_call(lab.lines, "b1")]
    assert told[0] == "改为回拨（b1），保留位置"
    assert "第 1 次回拨市民：坐席已在线等候" in told
    assert "市民接听回拨" in told
    assert "the citizen answered the call-back" in " ".join(explain_call(lab.lines, "b1", "en"))


def test_an_all_day_window_never_holds_anybody_back():
    lab = asked(lab_with(start_ms=MIDNIGHT + 3 * 3_600_000, windows=(Window(0, 0),)))
    assert offered(lab.end_talk("c0")) == [("b1", "1001")]


def test_a_caller_who_is_choosing_is_offered_to_nobody_and_keeps_the_place():
    lab = lab_with()
    lab.join("c1", caller_key="k1")
    lab.do(CallbackChoosing("c1"))
    lab.wait(1)
    lab.join("behind")
    assert offered(lab.end_talk("c0")) == [("behind", "1001")]
    lab.do(CallbackRequested("c1", "b1"), CallLeft("c1", "hangup"))
    lab.join("c3")
    assert lab.waiting() == ["b1", "behind", "c3"], "the place of who joined first"


def test_a_caller_who_chooses_to_wait_after_all_stands_where_they_stood():
    lab = lab_with()
    lab.join("c1", attempt=1)
    lab.join("behind")
    lab.do(CallbackChoosing("c1"))
    assert lab.waiting() == ["behind"]
    lab.rejoin("c1")
    assert lab.waiting() == ["c1", "behind"]


def test_who_chooses_in_the_moment_of_an_offer_frees_the_agent():
    lab = lab_with()
    lab.end_talk("c0")
    lab.join("c1", caller_key="k1")
    assert lab.offers["c1"].agent_id == "1001"
    lab.do(CallbackChoosing("c1"))
    assert lab.state("1001") == "ready"
    assert of(Refused, lab.do(CallbackRequested("c1", "b1"))) == []


def test_a_caller_sent_to_the_callback_by_the_queue_itself_hands_the_place_over_too():
    queue = patient(callback=CallbackRules(), overflow_wait_s=30, overflow_to=OverflowTo.CALLBACK)
    lab = Lab(EngineConfig(queues=(queue,)), start_ms=NOON)
    lab.talk("c0", "1001")
    lab.join("c1", caller_key="k1")
    assert [item.call_id for item in of(Overflow, lab.wait(31))] == ["c1"]
    lab.do(CallbackChoosing("c1"), CallbackRequested("c1", "b1"), CallLeft("c1", "hangup"))
    lab.join("behind")
    assert lab.waiting() == ["b1", "behind"]


def test_nobody_is_dialled_when_the_window_closes_while_the_agents_telephone_rings():
    lab = asked(lab_with(start_ms=MIDNIGHT + 21 * 3_600_000 - 70_000, attempts=1))
    lab.do(CallLeft("behind", "hangup"))
    lab.end_talk("c0")
    assert lab.offers["b1"].callback
    lab.wait(15)
    decided = lab.answer("b1")
    assert of(DialCitizen, decided) == []
    assert [(item.attempts, item.reason.code) for item in of(CallbackResting, decided)] == [(0, "outside_window")]
    assert (lab.state("1001"), lab.call_state("b1")) == ("ready", "callback_resting")


def test_a_restart_while_the_citizen_is_being_dialled_takes_the_attempt_up_where_it_is():
    lab = lab_with(attempts=2)
    lab.end_talk("c0")
    decided = lab.do(CallbackRestored("b1", "general", lab.now - 90_000, attempts=1, dialling=True, agent_id="1001"))
    assert (offered(decided), of(DialCitizen, decided)) == ([], [])
    assert (lab.state("1001"), lab.call_state("b1")) == ("talking", "callback_dialling")
    rests = of(CallbackResting, lab.do(CitizenNotReached("b1")))
    assert [item.attempts for item in rests] == [1]
    assert lab.state("1001") == "ready"
    lab.do(CallbackCancelled("b1"))
    lab.do(CallbackRestored("b2", "general", lab.now - 90_000, attempts=2, dialling=True, agent_id="1001"))
    lab.do(CitizenReached("b2"))
    assert lab.call_state("b2") == "talking"


def test_a_restart_while_a_citizen_is_dialled_first_takes_nobody_else_for_them():
    lab = lab_with(first=CallbackFirst.CITIZEN)
    lab.do(CallbackRestored("b1", "general", lab.now - 90_000, attempts=1, dialling=True))
    assert lab.call_state("b1") == "callback_dialling"
    assert offered(lab.end_talk("c0")) == []
    assert offered(lab.do(CitizenReached("b1"))) == [("b1", "1001")]


def test_a_citizen_who_is_in_the_hold_loop_is_told_of_as_reached():
    lab = asked(lab_with(first=CallbackFirst.CITIZEN))
    lab.end_talk("c0")
    lab.answer("behind")
    lab.rejoin("b1")
    assert lab.waiting() == ["b1"]
    assert any("市民已接回拨，在原位置等候" in sentence for sentence in explain_call(lab.lines, "b1"))
