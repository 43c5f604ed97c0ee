"""Other limits at other hours of the day."""

from __future__ import annotations

import pytest

from acd.config import HourRule, QueueConfig, Window
from acd.hours import is_open, limits_at, local_minute, next_change
from acd.model import AgentReady, EngineConfig, Overflow, OverflowTo, ReasonCode
from tests.acd_kit.lab import T0, Lab, of, offered, patient

CHINA = 480
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
MIDNIGHT = (T0 + 8 * HOUR_MS) // DAY_MS * DAY_MS - 8 * HOUR_MS  # Wednesday 2026-11-18, 00:00 in China
NIGHT = Window(22 * 60, 8 * 60)


def test_the_minute_and_weekday_are_those_of_the_hotlines_zone():
    assert local_minute(0, 0) == (4, 0)  # 1970-01-01 was a Thursday
    assert local_minute(MIDNIGHT, CHINA) == (3, 0)
    assert local_minute(MIDNIGHT - 1, CHINA) == (2, 1439)


@pytest.mark.parametrize(("hour", "is_night"), [(0, True), (7.99, True), (8, False), (21.99, False), (22, True)])
def test_a_window_may_pass_midnight(hour, is_night):
    assert is_open(NIGHT, MIDNIGHT + int(hour * HOUR_MS), CHINA) is is_night


def test_a_weekday_is_the_one_on_which_the_window_begins():
    friday_night = Window(22 * 60, 8 * 60, (5,))
    friday = MIDNIGHT + 2 * DAY_MS
    assert not is_open(friday_night, friday + 7 * HOUR_MS, CHINA)
    assert is_open(friday_night, friday + 23 * HOUR_MS, CHINA)
    assert is_open(friday_night, friday + DAY_MS + 7 * HOUR_MS, CHINA)
    assert not is_open(friday_night, friday + DAY_MS + 23 * HOUR_MS, CHINA)


def test_from_and_to_at_the_same_minute_is_all_day():
    assert all(is_open(Window(300, 300), MIDNIGHT + hour * HOUR_MS, CHINA) for hour in range(24))


def test_the_next_change_is_the_next_edge_of_any_window():
    assert next_change([NIGHT], MIDNIGHT + HOUR_MS, CHINA) == MIDNIGHT + 8 * HOUR_MS
    assert next_change([NIGHT], MIDNIGHT + 8 * HOUR_MS, CHINA) == MIDNIGHT + 22 * HOUR_MS
    assert next_change([NIGHT], MIDNIGHT + 23 * HOUR_MS, CHINA) == MIDNIGHT + DAY_MS
    assert next_change([], MIDNIGHT, CHINA) is None


def test_the_first_rule_whose_hour_it_is_holds():
    rules = (HourRule(Window(0, 60), overflow_length=1), HourRule(Window(0, 120), overflow_length=2))
    config = QueueConfig("q", overflow_length=3, hours=rules)
    limits = [limits_at(config, MIDNIGHT + hour * HOUR_MS, CHINA).overflow_length for hour in (0, 1, 2)]
    assert limits == [1, 2, 3]


def lab_at(hour: float, rule: HourRule, **queue: object) -> Lab:
    lab = Lab(EngineConfig(queues=(patient(hours=(rule,), **queue),)), start_ms=MIDNIGHT + int(hour * HOUR_MS))
    lab.sign_in("1001", ready=False)
    return lab


def test_the_limits_of_the_hour_stand_in_for_the_queues_own():
    rule = HourRule(NIGHT, overflow_wait_s=30, overflow_length=1, overflow_to=OverflowTo.CALLBACK)
    for hour, waits_s in ((12, None), (23, 30)):
        lab = lab_at(hour, rule)
        lab.join("c1", attempt=1)
        sent = of(Overflow, lab.wait(31))
        assert [(one.to, one.reason.facts["limit_s"]) for one in sent] == (
            [(OverflowTo.CALLBACK, 30)] if waits_s else []
        )


def test_a_smaller_capacity_at_night():
    lab = lab_at(23, HourRule(NIGHT, overflow_length=1))
    lab.join("c1")
    sent = of(Overflow, lab.join("c2"))
    assert [(one.call_id, one.reason.code) for one in sent] == [("c2", ReasonCode.QUEUE_FULL)]


def test_who_waits_when_the_hour_changes_is_under_its_limits_from_then_on():
    lab = lab_at(21.9, HourRule(NIGHT, overflow_wait_s=600))
    lab.join("c1")
    assert of(Overflow, lab.wait(599)) == []
    assert [one.call_id for one in of(Overflow, lab.wait(2))] == ["c1"]
    morning = lab_at(7.9, HourRule(NIGHT, overflow_wait_s=600))
    morning.join("c1")
    assert of(Overflow, morning.wait(3_600)) == []


def test_outside_hours_newcomers_are_sent_on_at_once_but_nobody_for_whom_an_agent_is_free_and_no_emergency():
    lab = lab_at(23, HourRule(NIGHT, closed=True))
    sent = of(Overflow, lab.join("c1"))
    assert [(one.to, one.reason.code) for one in sent] == [(OverflowTo.VOICEMAIL, ReasonCode.OUT_OF_HOURS)]
    assert of(Overflow, lab.join("emergency", priority=100)) == []
    assert offered(lab.do(AgentReady("1001"))) == [("emergency", "1001")]
    lab.answer("emergency")
    lab.sign_in("1002")
    assert offered(lab.join("c2")) == [("c2", "1002")]


def test_who_was_let_in_before_closing_time_is_served():
    lab = lab_at(21.99, HourRule(NIGHT, closed=True))
    lab.join("c1")
    assert of(Overflow, lab.wait(600)) == []
    assert offered(lab.do(AgentReady("1001"))) == [("c1", "1001")]
