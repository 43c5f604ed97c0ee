"""Every figure from the journal: a small day computed by hand, and sums that must hold for any day."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acd.measures import Rate, RollingMeasures, figures, records
from acd.model import (
    AgentNotReady,
    AgentReady,
    CallLeft,
    EngineConfig,
    FailCause,
    OfferFailed,
    OverflowTo,
    TalkAdopted,
    WrapUpDone,
)
from acd.report.facts import CallFact, collect, within
from acd.report.formulas import BY_KEY, MEASURES, name
from acd.report.groups import By, grouped, half_hour
from acd.report.table import figures_json, formulas_json, shown
from acd.report.tally import Rules, Tally, tally
from tests.acd_kit.lab import T0, Lab, patient

RULES = Rules(target_s=15, short_s=5)


def small_day() -> Lab:
    """1001 and 1002 (who alone speaks Cantonese) sign in at 0 s.

    c1 joins at 0, answered at 10 (10 s), talks 100 s, wrap-up 20 s.
    c2 joins at 10, answered at 40 (30 s), Cantonese, talks 60 s, wrap-up 30 s (the engine's own end).
    c3 joins at 40 and gives up at 43: a short abandon. c4 joins at 43 and gives up at 73 (30 s).
    c5 joins at 100, finds the queue full, and is sent to voicemail. c6 (joined at 90) still waits at the end, at 200.
    """
    lab = Lab(EngineConfig(queues=(patient(overflow_length=1), patient("business")), wrapup_s=30, offer_timeout_s=60))
    lab.sign_in("1001", queues=("general", "business"), zh=5)
    lab.join("c1", skills={"zh": 1})
    lab.wait(10)
    lab.answer("c1")
    lab.do(AgentNotReady("1001", "break"))  # queued: nobody is offered to 1001 after this call
    lab.sign_in("1002", queues=("general", "business"), zh=3, yue=4)
    lab.join("c2", skills={"yue": 2})
    lab.wait(30)
    lab.answer("c2")
    lab.join("c3", queue="business")
    lab.wait(3)
    lab.do(CallLeft("c3", "abandoned"))
    lab.join("c4")
    lab.wait(30)
    lab.do(CallLeft("c4", "abandoned"))
    lab.wait(17)
    lab.join("c6")
    lab.wait(10)
    lab.do(CallLeft("c2"))  # 100 s: talked 60 s; wrap-up until 130 s
    lab.join("c5")
    lab.do(CallLeft("c5", "voicemail"))
    lab.wait(10)
    lab.do(CallLeft("c1"))  # 110 s: talked 100 s
    lab.wait(20)
    lab.do(WrapUpDone("1001"))  # 130 s
    lab.wait(70)
    return lab


BY_HAND = {
    "offered": (6, 1),
    "answered": (2, 1),
    "abandoned": (2, 1),
    "short_abandoned": (1, 1),
    "sent_on": (1, 1),
    "connect_rate": (2, 5),
    "answered_in_target": (1, 6),  # c6 has already waited too long
    "sl_answered": (1, 2),
    "sl_short_in": (1, 4),
    "sl_short_out": (1, 3),
    "abandon_rate": (2, 5),
    "abandon_rate_short_out": (1, 4),
    "speed_of_answer": (10 + 30, 2),
    "time_to_abandon": (3 + 30, 2),
    "longest_wait": (110, 1),
    "foretold_held": (0, 0),  # nobody was told a wait who was then answered
    "foretold_error": (0, 0),
    "handle_time": (100 + 60 + 20 + 30, 2),
    "talk_time": (100 + 60, 2),
    "wrapup_time": (20 + 30, 2),
    "occupancy": (210, 210 + 10 + 30 + 70),  # being rung counts as available
}


def whole_of(lab: Lab, callers: dict[str, str] | None = None) -> Tally:
    facts = collect(lab.lines)
    return tally(facts.calls, facts.spans, facts.until_ms, RULES, callers)


@pytest.mark.parametrize("key", [measure.key for measure in MEASURES if measure.key != "callers"])
def test_every_figure_of_a_small_day_is_what_was_computed_by_hand(key):
    figure = BY_KEY[key].figure(whole_of(small_day()))
    assert (figure.numerator, figure.denominator) == BY_HAND[key]


def test_people_are_counted_beside_attempts_when_it_is_known_who_called():
    callers = {"c1": "a", "c2": "b", "c3": "a", "c4": "a"}
    assert BY_KEY["callers"].figure(whole_of(small_day(), callers)).value == 2
    assert BY_KEY["callers"].figure(whole_of(small_day())).value is None
    assert shown(BY_KEY["callers"], whole_of(small_day())) == "–"


def test_a_short_abandon_is_shorter_than_the_threshold_and_the_threshold_is_a_setting():
    calls = [CallFact("a", "general", T0, ended_ms=T0 + 4_999), CallFact("b", "general", T0, ended_ms=T0 + 5_000)]
    assert [tally(calls, [], T0 + 9_000, Rules(short_s=short)).short for short in (0, 4, 5, 6)] == [0, 0, 1, 2]


def test_formulas_name_their_seconds_in_both_languages():
    rules = Rules(target_s=20, short_s=7)
    for key, words in formulas_json(rules).items():
        assert words["zh"], key
        assert words["formula_zh"] != words["formula_en"]
        assert "{" not in "".join(words.values())
    assert name(BY_KEY["answered_in_target"], rules) == "20 秒应答率"
    assert "7" in BY_KEY["sl_short_out"].formula(rules, "en")


def test_json_shows_what_each_value_is_made_of():
    shown_as = figures_json(whole_of(small_day()))
    assert shown_as["connect_rate"] == {"value": 0.4, "num": 2, "den": 5}
    assert figures_json(Tally())["connect_rate"]["value"] is None


def test_half_hours_are_named_by_the_clock_in_china():
    assert half_hour(1_795_000_000_000) == "2026-11-18 19:00"  # 19:06:40


def test_by_agent_each_has_their_own_talks_and_nobody_has_the_unanswered():
    groups = grouped(collect(small_day().lines), By.AGENT, RULES)
    assert {agent: group.offered for agent, group in groups.items()} == {"": 4, "1001": 1, "1002": 1}
    assert groups["1001"].talk_ms == 100_000
    assert BY_KEY["occupancy"].figure(groups["1001"]).value == 120 / 130
    assert groups["1001"].away_ms == 70_000


def test_by_queue_and_by_skill():
    facts = collect(small_day().lines)
    assert {name: group.offered for name, group in grouped(facts, By.QUEUE).items()} == {"business": 1, "general": 5}
    assert {name: group.offered for name, group in grouped(facts, By.SKILL).items()} == {"": 4, "yue:2": 1, "zh:1": 1}


def test_a_day_takes_the_calls_that_joined_in_it_and_cuts_the_agents_time():
    facts = collect(small_day().lines)
    part = within(facts, T0 + 40_000, T0 + 100_000)
    assert [call.call_id for call in part.calls] == ["c3", "c4", "c6"]
    assert sum(span.ended_ms - span.began_ms for span in part.spans) == 2 * 60_000


def test_after_a_crash_a_talk_that_is_found_again_is_the_same_talk():
    before, after = Lab(), Lab(start_ms=T0 + 60_000)
    before.talk("c1", "1001")
    after.do(TalkAdopted("c1", "1001", T0))
    after.wait(30)
    after.do(CallLeft("c1"))
    facts = collect([*before.lines, *after.lines])
    (talk,) = facts.calls[0].talks
    assert (talk.agent_id, talk.began_ms, talk.ended_ms) == ("1001", T0, T0 + 90_000)


def test_a_line_that_cannot_be_read_is_passed_over_only_where_somebody_hears_of_it():
    lab = small_day()
    lines = [*lab.lines[:20], "damaged", *lab.lines[20:]]
    heard: list[str] = []
    assert collect(lines, heard.append) == collect(lab.lines)
    assert len(heard) == 1
    with pytest.raises(ValueError):
        collect(lines)


# ------------------------------------------------------------------------------------------------- any day whatsoever

happenings = st.lists(
    st.tuples(
        st.sampled_from(["join", "answer", "fail", "leave", "ready", "away", "wait"]),
        st.integers(0, 5),
        st.integers(0, 900),
    ),
    max_size=60,
)


def any_day(happened) -> Lab:
    """Two queues, three agents with different skills, whatever happens."""
    lab = Lab(EngineConfig(queues=(patient(overflow_length=4), patient("business")), wrapup_s=20))
    for agent, skills in (("1001", {"zh": 5}), ("1002", {"zh": 3, "yue": 3}), ("1003", {"yue": 5})):
        lab.sign_in(agent, queues=("general", "business"), **skills)
    known: set[str] = set()
    for number, (what, which, seconds) in enumerate(happened):
        call_id = f"c{which}"
        agent = f"100{which % 3 + 1}"
        if what == "join" and call_id not in known:
            known.add(call_id)
            skills = ({"zh": 1}, {"yue": 2}, {})[number % 3]
            lab.join(call_id, queue=("general", "business")[number % 2], skills=skills)
        elif what == "answer" and call_id in lab.offers:
            lab.answer(call_id)
        elif what == "fail" and call_id in lab.offers:
            offer = lab.offers[call_id]
            lab.do(OfferFailed(offer.call_id, offer.agent_id, offer.offer_id, FailCause.NO_ANSWER))
        elif what == "leave":
            lab.do(CallLeft(call_id))
        elif what == "ready":
            lab.do(AgentReady(agent))
        elif what == "away":
            lab.do(AgentNotReady(agent))
        lab.wait(seconds)
    return lab


SUMS = (
    "offered settled judged answered in_target abandoned short sent_on wait_answered_ms wait_abandoned_ms talks "
    "talk_ms wrapped wrapup_ms wrapped_talk_ms unknown"
).split()
TIMES = ("busy_ms", "available_ms", "away_ms")


@settings(max_examples=60, deadline=None)
@given(happenings)
def test_totals_over_groups_equal_the_whole(happened):
    facts = collect(any_day(happened).lines)
    whole = tally(facts.calls, facts.spans, facts.until_ms, RULES)
    for by in By:
        groups = grouped(facts, by, RULES).values()
        names = [*SUMS, *(TIMES if by in (By.HALF_HOUR, By.AGENT) else ())]
        assert {one: sum(getattr(group, one) for group in groups) for one in names} == {
            one: getattr(whole, one) for one in names
        }, by
        assert max((group.longest_wait_ms for group in groups), default=0) == whole.longest_wait_ms


@settings(max_examples=60, deadline=None)
@given(happenings)
def test_the_report_the_recount_and_the_rolling_figures_agree(happened):
    lab = any_day(happened)
    facts = collect(lab.lines)
    whole = tally(facts.calls, facts.spans, lab.now, RULES)
    counted = figures(records(lab.lines), lab.now)
    rolling = RollingMeasures()
    changes = [(call.joined_ms, 0, call, "joined") for call in facts.calls]
    changes += [(call.answered_ms, 1, call, "answered") for call in facts.calls if call.answered_ms is not None]
    changes += [(call.ended_ms, 2, call, "left") for call in facts.calls if call.ended_ms is not None]
    for at_ms, _, call, what in sorted(changes, key=lambda change: change[:2]):
        if what == "joined":
            rolling.joined(call.call_id, call.queue, at_ms)
        else:
            getattr(rolling, what)(call.call_id, at_ms)
    assert (counted.answered_in_target, counted.connected) == rolling.rates(lab.now)
    assert Rate(whole.answered, whole.settled) == counted.connected
    assert Rate(whole.in_target, whole.judged) == counted.answered_in_target


def test_a_refused_event_of_another_kind_does_not_undo_the_answer_before_it():
    lab = any_day([("join", 0, 0), ("answer", 0, 0), ("fail", 0, 0)])
    assert [call.answered_ms is not None for call in records(lab.lines)] == [True]


def test_the_overflow_of_the_small_day_goes_where_the_queue_sends_it():
    sent = {call.call_id: call.sent_on for call in collect(small_day().lines).calls if call.sent_on}
    assert sent == {"c5": OverflowTo.VOICEMAIL.value}
