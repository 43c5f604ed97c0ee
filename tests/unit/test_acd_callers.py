"""Callers who call again, and callers who misuse the hotline."""

from __future__ import annotations

import pytest

from acd import journal
from acd.explain import explain_call
from acd.measures import Rate, figures, records
from acd.model import (
    CallJoined,
    CallLeft,
    EngineConfig,
    NuisanceAction,
    NuisanceRule,
    NuisanceRuleChanged,
    NuisanceRuleLifted,
    NuisanceRuleSet,
    Overflow,
    Queued,
    ReasonCode,
    Refused,
    TelephoneLink,
    TurnedAway,
    Why,
)
from tests.acd_kit.lab import Lab, of, offered, patient


def busy(**queue: object) -> Lab:
    lab = Lab(EngineConfig(queues=(patient(wrapup_s=0, **queue),)))
    lab.talk("c0", "1001")
    return lab


def abandoned_once(lab: Lab, key: str = "k1") -> Lab:
    """A caller joins, another one later, and the first gives up."""
    lab.join("first", caller_key=key)
    lab.wait(60)
    lab.join("other")
    lab.do(CallLeft("first", "hangup"))
    return lab


def test_a_redial_soon_after_giving_up_resumes_the_old_place():
    lab = abandoned_once(busy())
    lab.wait(300)
    decided = lab.join("again", caller_key="k1")
    assert lab.waiting() == ["again", "other"]
    reason = of(Queued, decided)[0].reason
    assert (reason.code, reason.facts["earlier_s"]) == (ReasonCode.PLACE_RESUMED, 360)
    assert "恢复原位置（提前 360 秒）" in explain_call(lab.lines, "again")[0]


def test_a_redial_resumes_the_place_once_and_not_for_ever():
    lab = abandoned_once(busy())
    lab.join("again", caller_key="k1")
    lab.do(CallLeft("again", "hangup"))
    lab.join("third", caller_key="k1")
    assert lab.waiting() == ["other", "third"]


def test_a_redial_after_the_time_allowed_joins_at_the_end():
    lab = abandoned_once(busy())
    lab.wait(601)
    lab.join("again", caller_key="k1")
    assert lab.waiting() == ["other", "again"]


@pytest.mark.parametrize("went", ["voicemail", "callback", "transfer"])
def test_who_went_somewhere_did_not_give_up(went):
    lab = busy()
    lab.join("first", caller_key="k1")
    lab.wait(60)
    lab.join("other")
    lab.do(CallLeft("first", went))
    lab.join("again", caller_key="k1")
    assert lab.waiting() == ["other", "again"]


def test_who_was_answered_does_not_get_the_place_back():
    lab = Lab()
    lab.sign_in("1001")
    lab.join("c1", caller_key="k1")
    lab.answer("c1")
    lab.do(CallLeft("c1", "hangup"))
    decided = lab.join("c2", caller_key="k1")
    assert of(Queued, decided)[0].reason.code is ReasonCode.NEW_CALL


def test_callers_without_a_key_are_strangers_to_each_other():
    lab = abandoned_once(busy(), key="")
    lab.join("again")
    assert lab.waiting() == ["other", "again"]


def test_a_resumed_place_does_not_send_the_caller_to_voicemail_at_once():
    lab = busy(overflow_wait_s=200)
    abandoned_once(lab)
    lab.wait(190)
    lab.do(CallLeft("other", "hangup"))
    lab.join("again", caller_key="k1")
    assert of(Overflow, lab.wait(199)) == []
    assert [gone.call_id for gone in of(Overflow, lab.wait(2))] == ["again"]


def test_a_resumed_place_survives_a_restart():
    lab = busy()
    now = lab.now
    lab.join("other", joined_ms=now - 60_000, attempt=2)
    lab.do(CallJoined("again", joined_ms=now - 5_000, attempt=2, place_ms=now - 90_000))
    assert lab.waiting() == ["again", "other"]


def test_memory_of_callers_who_gave_up_is_bounded():
    lab = busy()
    for number in range(10_050):
        lab.do(CallJoined("c", caller_key=f"k{number}"), CallLeft("c"))
    assert len(lab.engine._floor.abandoned) == 10_000
    assert not lab.engine._floor.of_key


def test_unique_callers_are_counted_beside_attempts():
    lab = Lab()
    for number, key in enumerate(("a", "a", "a", "b", "")):
        lab.join(f"c{number}", caller_key=key)
        lab.wait(1)
        if number != 2:
            lab.do(CallLeft(f"c{number}", "hangup"))
    lab.sign_in("1001")
    lab.answer("c2")
    seen = figures(records(lab.lines), lab.now)
    assert (seen.attempts, seen.callers) == (5, 3)
    assert (seen.connected, seen.callers_connected) == (Rate(1, 5), Rate(1, 3))


def test_a_caller_who_still_waits_is_not_yet_in_vain():
    lab = Lab()
    lab.join("c1", caller_key="a")
    lab.do(CallLeft("c1", "hangup"))
    lab.join("c2", caller_key="a")
    assert figures(records(lab.lines), lab.now).callers_connected == Rate(0, 0)


# ------------------------------------------------------------------------------------------------------------- rules


def rule(action: NuisanceAction, lab: Lab, *, last_s: int = 3600, value: int = 0, rule_id: str = "r1") -> NuisanceRule:
    return NuisanceRule(rule_id, "k1", action, lab.now + last_s * 1000, "2001", "shouts at agents", value)


def with_rule(action: NuisanceAction, lab: Lab | None = None, **values: int) -> Lab:
    lab = lab or busy()
    lab.do(NuisanceRuleSet(rule(action, lab, **values)))
    return lab


def test_a_rule_can_lower_a_callers_priority():
    lab = with_rule(NuisanceAction.LOWER_PRIORITY, value=30)
    lab.join("k", caller_key="k1", priority=5)
    lab.wait(60)
    lab.join("other")
    assert lab.waiting() == ["other", "k"]
    assert of(Queued, lab.seen)[1].reason.facts["priority"] == -25


def test_a_rule_can_play_an_announcement_instead():
    lab = with_rule(NuisanceAction.ANNOUNCEMENT)
    lab.sign_in("1002")
    decided = lab.join("k", caller_key="k1")
    assert offered(decided) == []
    turned = of(TurnedAway, decided)
    assert [(item.call_id, item.rule_id, item.action) for item in turned] == [("k", "r1", NuisanceAction.ANNOUNCEMENT)]
    assert "骚扰来电规则 r1" in explain_call(lab.lines, "k")[-1]
    assert lab.waiting() == []


def test_who_cannot_be_sent_to_the_announcement_waits_like_others():
    lab = with_rule(NuisanceAction.ANNOUNCEMENT)
    lab.join("k", caller_key="k1", attempt=1)
    assert of(TurnedAway, lab.rejoin("k")) == []
    assert lab.waiting() == ["k"]


def test_a_rule_can_limit_the_calls_at_a_time():
    lab = with_rule(NuisanceAction.LIMIT, value=1)
    assert of(TurnedAway, lab.join("k1a", caller_key="k1")) == []
    assert [item.reason.code for item in of(TurnedAway, lab.join("k1b", caller_key="k1"))] == [ReasonCode.RULE_LIMIT]
    lab.do(CallLeft("k1a", "hangup"), CallLeft("k1b", "hangup"))
    assert of(TurnedAway, lab.join("k1c", caller_key="k1")) == []


@pytest.mark.parametrize("action", NuisanceAction)
def test_no_rule_ever_stands_in_the_way_of_an_emergency(action):
    lab = with_rule(action, value=900)
    lab.join("other")
    decided = lab.join("k", caller_key="k1", priority=100)
    assert of(TurnedAway, decided) == []
    assert lab.waiting() == ["k", "other"]


def test_a_nuisance_caller_gets_no_place_back():
    lab = with_rule(NuisanceAction.LOWER_PRIORITY, value=0)
    abandoned_once(lab)
    lab.join("again", caller_key="k1")
    assert lab.waiting() == ["other", "again"]


def test_a_rule_ends_by_itself_and_its_trail_is_in_the_journal():
    lab = with_rule(NuisanceAction.ANNOUNCEMENT, last_s=100)
    lab.wait(101)
    trail = of(NuisanceRuleChanged, lab.seen)
    assert [(item.active, item.reason.code) for item in trail] == [
        (True, ReasonCode.RULE_SET),
        (False, ReasonCode.RULE_EXPIRED),
    ]
    assert trail[0].reason.facts["by"] == "2001"
    assert any('"NuisanceRuleSet"' in line and "shouts at agents" in line for line in lab.lines)
    assert of(TurnedAway, lab.join("k", caller_key="k1")) == []
    assert journal.verify(lab.lines) is None


def test_a_rule_can_be_lifted_by_name():
    lab = with_rule(NuisanceAction.ANNOUNCEMENT)
    changed = of(NuisanceRuleChanged, lab.do(NuisanceRuleLifted("r1", "2002")))
    assert [(item.active, item.reason.facts) for item in changed] == [(False, {"by": "2002"})]
    assert of(TurnedAway, lab.join("k", caller_key="k1")) == []
    assert of(Refused, lab.do(NuisanceRuleLifted("r1", "2002")))[0].why is Why.UNKNOWN_RULE


def test_a_rule_without_an_end_ahead_or_without_a_name_is_refused():
    lab = busy()
    for bad in (
        rule(NuisanceAction.LIMIT, lab, last_s=-1),
        NuisanceRule("r2", "k1", NuisanceAction.LIMIT, lab.now + 1000, ""),
        NuisanceRule("r2", "13912345678", NuisanceAction.LIMIT, lab.now + 1000, "2001"),
        NuisanceRule("r2", "k1", "shoot", lab.now + 1000, "2001"),  # type: ignore[arg-type]
    ):
        assert of(Refused, lab.do(NuisanceRuleSet(bad)))[0].why is Why.BAD_VALUE
    assert not lab.engine._floor.nuisance.by_id
    assert "13912345678" not in "".join(lab.lines)
    assert journal.verify(lab.lines) is None


def test_rules_of_the_configuration_hold_from_the_start():
    blank = Lab()
    config = EngineConfig(queues=(patient(),), nuisance=(rule(NuisanceAction.ANNOUNCEMENT, blank, last_s=50),))
    lab = Lab(config)
    assert len(of(TurnedAway, lab.join("k", caller_key="k1"))) == 1
    lab.wait(51)
    assert of(TurnedAway, lab.join("k2", caller_key="k1")) == []
    assert journal.verify(lab.lines) is None


def test_without_a_link_nobody_is_offered_who_should_be_turned_away():
    lab = with_rule(NuisanceAction.ANNOUNCEMENT)
    lab.do(TelephoneLink(False))
    assert of(TurnedAway, lab.join("k", caller_key="k1")) == []
    lab.end_talk("c0")
    decided = lab.do(TelephoneLink(True))
    assert offered(decided) == []
    assert [item.call_id for item in of(TurnedAway, decided)] == ["k"]


def test_a_caller_taken_over_after_a_restart_is_not_turned_away():
    lab = with_rule(NuisanceAction.ANNOUNCEMENT)
    assert of(TurnedAway, lab.join("k", caller_key="k1", joined_ms=lab.now - 60_000, attempt=2)) == []
    assert lab.waiting() == ["k"]
