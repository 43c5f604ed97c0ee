"""Which agent, which caller first: relaxed skills, groups, bands of fit, ageing, the last agent."""

from __future__ import annotations

import pytest

from acd import journal
from acd.explain import explain_call
from acd.model import (
    AgentNotReady,
    AgentReady,
    AgentSignedIn,
    AgentSignedOut,
    CallLeft,
    Choice,
    EngineConfig,
    FailCause,
    GroupStep,
    Overflow,
    QueueConfigured,
    Queued,
    ReasonCode,
    RelaxRule,
    RelaxStep,
    TelephoneLink,
    Widened,
)
from tests.acd_kit.invariants import assert_sound
from tests.acd_kit.lab import Lab, of, offered, patient

CANTONESE = RelaxRule("yue", (RelaxStep(20, {"yue": 1}), RelaxStep(40, {"interpreter": 1})))


def lab_with(engine: dict[str, object] | None = None, **queue: object) -> Lab:
    return Lab(EngineConfig(queues=(patient(**queue),), wrapup_s=0, **(engine or {})))  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def every_journal_replays(monkeypatch):
    made: list[Lab] = []
    begin = Lab.__init__

    def begin_and_remember(self, *args, **values):
        begin(self, *args, **values)
        made.append(self)

    monkeypatch.setattr(Lab, "__init__", begin_and_remember)
    yield
    for lab in made:
        assert journal.verify(lab.lines) is None
        assert_sound(lab.engine)


# ---------------------------------------------------------------------------------------------------- relaxed skills


def test_required_levels_are_relaxed_step_by_step():
    lab = lab_with(relax=(CANTONESE,))
    lab.sign_in("1003", interpreter=1)
    lab.sign_in("1001", ready=False, yue=4)
    lab.join("c1", skills={"yue": 3})
    lab.sign_in("1002", yue=1)
    assert offered(lab.wait(19)) == []
    assert offered(lab.wait(2)) == [("c1", "1002")]
    lab.answer("c1")
    lab.join("c2", skills={"yue": 3})
    assert offered(lab.wait(39)) == []
    assert offered(lab.wait(2)) == [("c2", "1003")]
    assert [change.reason.code for change in of(Widened, lab.seen)] == [ReasonCode.RELAXED] * 3
    assert lab.offers["c2"].reason.facts["relaxed"] == "yue:3 | yue:1 | interpreter:1"


def test_who_has_the_skill_that_was_asked_for_still_goes_first_after_relaxing():
    lab = lab_with(relax=(CANTONESE,))
    lab.sign_in("1003", interpreter=1)
    lab.wait(5)
    lab.sign_in("1001", yue=5)
    lab.do(TelephoneLink(False))
    lab.join("c1", skills={"yue": 3})
    lab.wait(60)
    assert offered(lab.do(TelephoneLink(True))) == [("c1", "1001")]


def test_other_required_skills_are_not_relaxed_with_it():
    lab = lab_with(relax=(CANTONESE,))
    lab.sign_in("1001", ready=False, yue=3, water=2)
    lab.sign_in("1002", interpreter=1)
    lab.sign_in("1003", interpreter=1, water=2)
    lab.join("c1", skills={"yue": 3, "water": 2})
    assert offered(lab.wait(41)) == [("c1", "1003")]


def test_a_step_that_nobody_signed_in_could_serve_is_passed_over_at_once():
    lab = lab_with(relax=(CANTONESE,))
    lab.sign_in("1003", interpreter=1)
    decided = lab.join("c1", skills={"yue": 3})
    assert offered(decided) == [("c1", "1003")]
    assert [change.reason.code for change in of(Widened, decided)] == [ReasonCode.NOBODY_FOR_IT]


def test_a_queues_own_relaxation_hides_the_engines_for_the_same_skill():
    engine = {"relax": (CANTONESE, RelaxRule("en", (RelaxStep(5, {"zh": 1}),)))}
    lab = lab_with(engine, relax=(RelaxRule("yue", (RelaxStep(60, {"zh": 1}),)),))
    lab.sign_in("1001", ready=False, yue=3, en=3)
    lab.sign_in("1002", zh=5)
    lab.sign_in("1003", zh=4)
    lab.join("c1", skills={"yue": 3})
    lab.join("c2", skills={"en": 3})
    assert offered(lab.wait(20)) == [("c2", "1002")]
    lab.answer("c2")
    assert offered(lab.wait(39)) == []
    assert offered(lab.wait(2)) == [("c1", "1003")]


def test_nobody_is_sent_away_for_want_of_agents_before_the_last_step():
    lab = Lab(EngineConfig(queues=(patient(overflow_unstaffed_s=10, relax=(CANTONESE,)),)))
    lab.join("c1", skills={"yue": 3})
    assert of(Overflow, lab.wait(39)) == []
    assert [gone.reason.code for gone in of(Overflow, lab.wait(12))] == [ReasonCode.NOBODY_SIGNED_IN]


def test_the_wait_so_far_counts_after_a_restart():
    lab = lab_with(relax=(CANTONESE,))
    lab.sign_in("1001", ready=False, yue=3)
    lab.sign_in("1002", yue=1)
    assert offered(lab.join("c1", skills={"yue": 3}, joined_ms=lab.now - 30_000, attempt=2)) == [("c1", "1002")]


# ------------------------------------------------------------------------------------------------------------ groups


def test_another_group_helps_out_after_its_time_and_the_own_group_goes_first():
    lab = lab_with(groups=(GroupStep("city"), GroupStep("district", 30)))
    lab.do(AgentSignedIn("2001", {}, ("general",), True, "district"))
    lab.do(AgentSignedIn("1001", {}, ("general",), False, "city"))
    lab.join("c1")
    assert offered(lab.wait(29)) == []
    decided = lab.wait(2)
    assert offered(decided) == [("c1", "2001")]
    assert of(Widened, decided)[0].reason.code is ReasonCode.GROUP_ADDED
    lab.answer("c1")
    lab.end_talk("c1")
    lab.do(TelephoneLink(False))
    lab.join("c2")
    lab.wait(31)
    lab.do(AgentReady("1001"))
    assert offered(lab.do(TelephoneLink(True))) == [("c2", "1001")]


def test_agents_of_no_named_group_do_not_serve_a_queue_with_groups():
    lab = lab_with(groups=(GroupStep("city"),))
    lab.sign_in("1001")
    lab.do(AgentSignedIn("1002", {}, ("general",), True, "elsewhere"))
    assert offered(lab.join("c1")) == []


def test_new_groups_hold_at_once_for_those_who_wait():
    lab = lab_with(groups=(GroupStep("city"),))
    lab.do(AgentSignedIn("2001", {}, ("general",), True, "district"))
    lab.join("c1")
    rules = patient(groups=(GroupStep("district"),))
    assert offered(lab.do(QueueConfigured(rules))) == [("c1", "2001")]


# --------------------------------------------------------------------------------------------------- who of several


def three(lab: Lab) -> Lab:
    """Longest idle first: a weak one, a strong one, and one who speaks English as well."""
    for agent_id, skills in (("1001", {"zh": 2}), ("1002", {"zh": 5, "en": 5}), ("1003", {"zh": 5})):
        lab.do(AgentSignedIn(agent_id, skills, ("general",), True))
        lab.wait(1)
    return lab


def test_the_longest_idle_of_the_best_band_is_chosen():
    lab = three(lab_with())
    assert offered(lab.join("c1", skills={"zh": 1})) == [("c1", "1002")]
    assert lab.offers["c1"].reason.code is ReasonCode.BEST_FIT
    assert "最合适的人中空闲最久的一位" in " ".join(explain_call(lab.lines, "c1"))


def test_levels_of_one_band_do_not_matter():
    lab = lab_with({"level_band": 5})
    three(lab)
    assert offered(lab.join("c1", skills={"zh": 1})) == [("c1", "1001")]
    assert lab.offers["c1"].reason.code is ReasonCode.LONGEST_IDLE


def test_the_longest_idle_of_all_can_be_chosen_for_a_queue():
    lab = three(lab_with(choice=Choice.LONGEST_IDLE))
    assert offered(lab.join("c1", skills={"zh": 1})) == [("c1", "1001")]


def test_a_rare_skill_is_not_burnt_while_a_plain_agent_fits():
    lab = three(lab_with({"rare_skills": ("en",)}))
    assert offered(lab.join("c1", skills={"zh": 4})) == [("c1", "1003")]
    assert offered(lab.join("c2", skills={"en": 1})) == [("c2", "1002")]
    assert offered(lab.join("c3", skills={"zh": 1})) == [("c3", "1001")]


def test_a_rare_agent_does_serve_plain_callers_when_nobody_else_is_free():
    lab = lab_with({"rare_skills": ("en",)})
    lab.sign_in("1002", zh=5, en=5)
    assert offered(lab.join("c1", skills={"zh": 1})) == [("c1", "1002")]


def test_of_several_who_become_free_in_one_moment_the_best_is_chosen():
    lab = lab_with({"rare_skills": ("en",)})
    lab.do(TelephoneLink(False))
    lab.join("c1", skills={"zh": 1})
    three(lab)
    assert offered(lab.do(TelephoneLink(True))) == [("c1", "1003")]


def test_a_queues_new_way_of_choosing_holds_for_agents_who_are_idle_already():
    lab = three(lab_with())
    lab.do(QueueConfigured(patient(choice=Choice.LONGEST_IDLE)))
    assert offered(lab.join("c1", skills={"zh": 1})) == [("c1", "1001")]


# ------------------------------------------------------------------------------------------------------------ ageing


def busy(**engine: object) -> Lab:
    lab = lab_with(engine)
    lab.talk("c0", "1001")
    return lab


def test_a_point_of_priority_is_worth_a_minute_so_nobody_starves():
    lab = busy(ageing_per_minute=1)
    lab.join("ordinary")
    lab.wait(9 * 60)
    lab.join("elderly1", priority=10)
    lab.wait(2 * 60)
    lab.join("elderly2", priority=10)
    assert lab.waiting() == ["elderly1", "ordinary", "elderly2"]
    for _ in range(40):
        lab.wait(30)
        lab.join(f"more{lab.now}", priority=10)
        assert lab.waiting().index("ordinary") <= 1


def test_waiting_never_changes_the_order_of_two_callers():
    lab = busy(ageing_per_minute=2)
    for number, priority in enumerate((0, 5, 3, 0, 9, 1)):
        lab.join(f"c{number}", priority=priority)
        lab.wait(45)
    order = lab.waiting()
    for _ in range(10):
        lab.wait(120)
        assert lab.waiting() == order


def test_an_emergency_is_before_everybody_however_long_they_have_waited():
    lab = busy(ageing_per_minute=60)
    lab.join("old", priority=99)
    lab.wait(3600)
    lab.join("emergency", priority=100)
    lab.join("worse", priority=200)
    assert lab.waiting() == ["worse", "emergency", "old"]


def test_without_ageing_priority_alone_decides():
    lab = busy(ageing_per_minute=0)
    lab.join("ordinary")
    lab.wait(3600)
    lab.join("elderly", priority=1)
    assert lab.waiting() == ["elderly", "ordinary"]


# ------------------------------------------------------------------------------------------------------------- flags


def test_flags_are_worth_points_the_highest_counts_and_none_makes_an_emergency():
    lab = busy(flag_priority={"elderly": 10, "accessibility": 20, "vip": 5_000})
    lab.join("c1")
    lab.join("c2", flags=("elderly",))
    lab.join("c3", flags=("elderly", "accessibility"))
    lab.join("c4", flags=("unheard_of",), priority=1)
    assert lab.waiting() == ["c3", "c2", "c4", "c1"]
    lab.join("emergency", priority=100)
    lab.join("c5", flags=("vip",))
    assert lab.waiting()[:2] == ["emergency", "c5"]
    assert of(Queued, lab.seen)[-1].reason.facts["asked_priority"] == 0


def test_flags_left_out_when_a_caller_comes_back_are_not_taken_away():
    lab = busy(flag_priority={"elderly": 10})
    lab.join("c1")
    lab.wait(1)
    lab.join("c2", flags=("elderly",), attempt=1)
    lab.rejoin("c2")
    assert lab.waiting() == ["c2", "c1"]


# -------------------------------------------------------------------------------------------------------- last agent


def known_caller(**queue: object) -> Lab:
    """1001 spoke with the caller before and talks with somebody else; 1002 is free."""
    lab = lab_with(last_agent_s=15, **queue)
    lab.talk("c0", "1001")
    lab.sign_in("1002")
    return lab


def test_a_repeat_caller_is_kept_for_the_last_agent_who_becomes_free_in_time():
    lab = known_caller()
    assert offered(lab.join("c1", last_agent="1001")) == []
    lab.wait(10)
    assert offered(lab.end_talk("c0")) == [("c1", "1001")]
    assert lab.offers["c1"].reason.code is ReasonCode.LAST_AGENT


def test_the_last_agent_delays_nobody_beyond_the_limit():
    lab = known_caller()
    lab.join("c1", last_agent="1001")
    assert offered(lab.wait(14.9)) == []
    decided = lab.wait(0.2)
    assert offered(decided) == [("c1", "1002")]
    assert of(Widened, decided)[0].reason.code is ReasonCode.LAST_AGENT_BUSY


@pytest.mark.parametrize("gone", [AgentSignedOut("1001"), AgentNotReady("1001", "meal")], ids=type)
def test_nobody_waits_for_an_agent_who_is_not_on_shift(gone):
    lab = lab_with(last_agent_s=15)
    lab.sign_in("1001")
    lab.do(gone)
    lab.sign_in("1002")
    assert offered(lab.join("c1", last_agent="1001")) == [("c1", "1002")]
    assert offered(lab.join("c2", last_agent="nobody")) == []
    lab.sign_in("1003")
    assert lab.offers["c2"].agent_id == "1003"


def test_when_the_last_agent_leaves_meanwhile_the_caller_is_released_at_once():
    lab = known_caller()
    lab.join("c1", last_agent="1001")
    lab.wait(3)
    assert offered(lab.do(AgentSignedOut("1001"))) == [("c1", "1002")]


def test_nobody_is_kept_for_an_agent_whom_others_ahead_will_get():
    lab = known_caller()
    lab.do(AgentNotReady("1002"))
    lab.join("ahead")
    lab.wait(1)
    lab.join("c1", last_agent="1001")
    assert lab.engine._floor.calls["c1"].demand.key.only == ""


def test_an_offer_that_the_last_agent_does_not_take_goes_to_others():
    lab = lab_with(last_agent_s=60)
    lab.sign_in("1001")
    lab.join("c1", last_agent="1001", attempt=1)
    lab.sign_in("1002")
    assert offered(lab.fail("c1", FailCause.NO_ANSWER)) == [("c1", "1002")]


def test_the_last_agent_must_still_be_able_to_serve_the_call():
    lab = lab_with(last_agent_s=15)
    lab.sign_in("1001", zh=5)
    lab.sign_in("1002", yue=5)
    assert offered(lab.join("c1", skills={"yue": 3}, last_agent="1001")) == [("c1", "1002")]


def test_a_caller_who_leaves_while_kept_leaves_nothing_behind():
    lab = known_caller()
    lab.join("c1", last_agent="1001")
    lab.do(CallLeft("c1", "hangup"))
    lab.wait(60)
    assert lab.call_state("c1") == "gone"
