"""Calls and people by half-hour: midnight, shift changes, empty days, weeks ago, presence, and what a day needs."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from acd.simulate.erlang import erlang_c
from app.calls.halfhours import (
    Result,
    Tally,
    Times,
    day_span,
    results,
    rolling_span,
    so_far,
    tallied,
    total,
    week_before,
)
from app.staffing.forecast import Need, Target, expected, handling, kept, needs, seats
from app.staffing.presence import SLOT_MS, STORE_EVERY_MS, Presence

CITY = ZoneInfo("Asia/Shanghai")
DAY = date(2026, 11, 24)


def at(text: str, day: date = DAY) -> datetime:
    """A time of day in the city."""
    hour, minute, *second = (int(part) for part in text.split(":"))
    return datetime(day.year, day.month, day.day, hour, minute, *second, tzinfo=CITY)


def call(joined: datetime, wait: float | None = None, talk: float | None = None, outcome: str | None = None) -> Times:
    """Answered after `wait` seconds and over after `talk` more; without `talk` gone after `wait` unanswered."""
    if wait is None:
        return Times(joined)
    until = joined + timedelta(seconds=wait)
    if talk is None:
        return Times(joined, None, until, outcome)
    return Times(joined, until, until + timedelta(seconds=talk), "answered")


def test_a_day_begins_at_the_citys_midnight_and_has_48_half_hours():
    span = day_span(DAY, CITY)
    assert (span.start, span.count) == (datetime(2026, 11, 23, 16, tzinfo=UTC), 48)
    assert span.number(at("00:00")) == 0
    assert span.number(at("23:59:59")) == 47
    assert span.number(at("00:00", DAY + timedelta(days=1))) is None
    assert span.number(at("00:00") - timedelta(microseconds=1)) is None


def test_where_clocks_are_changed_a_day_has_what_it_has():
    berlin = ZoneInfo("Europe/Berlin")
    assert day_span(date(2026, 3, 29), berlin).count == 46
    assert day_span(date(2026, 10, 25), berlin).count == 50


def test_the_last_24_hours_go_across_midnight_and_end_with_the_half_hour_of_now():
    span = rolling_span(at("00:10"), CITY)
    assert (span.start, span.end) == (at("00:30", DAY - timedelta(days=1)), at("00:30"))
    calls = [call(at("23:59:50", DAY - timedelta(days=1)), 5, 60), call(at("00:05"), 5, 60)]
    counted = tallied(calls, span, at("00:10"))
    assert [number for number, tally in enumerate(counted) if tally.calls] == [46, 47]
    assert total(counted).answered == 2  # just after midnight nothing has been emptied


def test_a_call_counts_where_it_joined_though_it_ends_after_midnight():
    yesterday, today = (day_span(day, CITY) for day in (DAY - timedelta(days=1), DAY))
    late = [call(at("23:59:55", DAY - timedelta(days=1)), 10, 3_600)]
    now = at("02:00")
    assert (total(tallied(late, yesterday, now)).answered, total(tallied(late, today, now)).calls) == (1, 0)


def test_the_week_before_is_the_same_weekday_by_the_clock_on_the_wall():
    assert week_before(day_span(DAY, CITY), CITY).start == at("00:00", DAY - timedelta(days=7))
    berlin = ZoneInfo("Europe/Berlin")
    changed = day_span(date(2026, 10, 27), berlin)  # two days after the clocks were changed
    assert week_before(changed, berlin).start.astimezone(berlin).hour == 0


NOW = at("10:10")


@pytest.mark.parametrize(
    ("one", "counts_as"),
    [
        (call(at("10:00"), 15, 60), {"joined", "answered", "in_time"}),
        (call(at("10:00"), 15.001, 60), {"joined", "answered", "late"}),
        (call(at("10:00"), 3), {"joined", "late", "abandoned"}),
        (call(at("10:00"), 40, outcome="abandoned"), {"joined", "late", "abandoned"}),
        (call(at("10:00"), 40, outcome="voicemail"), {"joined", "late"}),
        (call(at("10:09:50")), {"joined"}),
        (call(at("10:09")), {"joined", "late"}),
    ],
)
def test_what_a_call_counts_as(one, counts_as):
    assert results(one, NOW) == {Result(name) for name in counts_as}
    tally = Tally()
    tally.count(one, NOW)
    assert tally.judged == ("in_time" in counts_as or "late" in counts_as)
    assert (tally.answered, tally.in_time, tally.abandoned) == tuple(
        name in counts_as for name in ("answered", "in_time", "abandoned")
    )


def test_means_are_of_what_is_over_and_none_where_nothing_is():
    counted = total(
        tallied([call(at("10:00"), 10, 100), call(at("10:01"), 30), call(at("10:09"))], day_span(DAY, CITY), NOW)
    )
    assert (counted.calls, counted.mean_wait_s, counted.mean_talk_s) == (3, 20, 100)
    assert (Tally().mean_wait_s, Tally().mean_talk_s) == (None, None)


def test_an_empty_day_is_zeros_and_no_gaps():
    counted = tallied([], day_span(DAY, CITY), NOW)
    assert counted == [Tally()] * 48
    assert total(counted) == Tally()


def test_a_day_that_goes_on_is_compared_with_as_much_of_the_earlier_one():
    span = day_span(DAY, CITY)
    before = tallied([call(at(f"{hour:02}:00"), 5, 60) for hour in range(24)], span, at("23:59"))
    assert total(so_far(before, span, at("10:10"))).calls == 11  # 00:00 to 10:00
    assert total(so_far(before, span, at("23:59"))).calls == 24
    assert so_far(before, span, at("23:00", DAY - timedelta(days=1))) == []


# -- who was there ----------------------------------------------------------------------------------------------------

BEGIN = 1_795_521_600_000  # begins a half-hour


def watched(presence: Presence, start_ms: int, until_ms: int, **by_state: int) -> list[tuple[int, int, int]]:
    """(beginning, watched ms, talking ms) of what was to be stored, looking every five seconds."""
    return [
        (slot.began_ms, slot.watched_ms, slot.in_state["talking"])
        for now in range(start_ms, until_ms + 1, 5_000)
        for slot in presence.look(by_state, now)
    ]


def test_presence_is_cut_at_the_half_hour_and_stored_every_five_minutes():
    assert BEGIN % SLOT_MS == 0
    stored = watched(Presence(), BEGIN + SLOT_MS - 62_000, BEGIN + SLOT_MS + STORE_EVERY_MS + 9_000, talking=2, ready=1)
    assert stored[0] == (BEGIN, 62_000, 124_000)
    assert stored[-1][0] == BEGIN + SLOT_MS
    assert stored[-1][1] * 2 == stored[-1][2] > 230_000


def test_what_nobody_saw_counts_for_nothing_and_a_clock_that_goes_back_takes_nothing_away():
    presence = Presence()
    presence.look({"ready": 5}, BEGIN)
    presence.look({"ready": 5}, BEGIN + 10_000)
    presence.look({"ready": 5}, BEGIN + 600_000)  # stood still for ten minutes
    presence.look({"ready": 5}, BEGIN + 590_000)
    presence.look({"ready": 5}, BEGIN + 600_000)
    assert presence.slot is not None
    assert (presence.slot.watched_ms, presence.slot.in_state["ready"]) == (20_000, 100_000)


def test_a_shift_change_counts_who_was_there_until_then():
    presence = Presence()
    presence.look({"talking": 3}, BEGIN)
    presence.look({"talking": 1, "ready": 4}, BEGIN + 10_000)
    presence.look({}, BEGIN + 20_000)
    assert presence.slot is not None
    told = presence.slot.to_json("life")
    assert (told["talking_s"], told["ready_s"], told["watched_s"], told["life"]) == (40, 40, 20, "life")


# -- what a day needs --------------------------------------------------------------------------------------------------


def test_a_hundred_calls_of_three_minutes_in_a_half_hour_need_fourteen_for_88_percent_in_20_seconds():
    """The vector of the requirements: 100 calls in 30 min, 180 s, 20 s, 14 agents: 0.88835, 0.17413, 0.71429."""
    theory = erlang_c(100 / 1_800, 180, 14, 20)
    assert (round(theory.service_level, 5), round(theory.waits, 5), round(theory.occupancy, 5)) == (
        0.88835,
        0.17413,
        0.71429,
    )
    assert kept(100, 180, 14, 20) == pytest.approx(0.88835, abs=5e-6)
    assert seats(100, 180, Target(0.888, 20)) == 14
    assert seats(100, 180, Target(0.889, 20)) == 15
    assert needs([100.0, 0.0, None], 180, Target()) == [Need(100, 16), Need(0, 0), Need(None, None)]
    assert erlang_c(100 / 1_800, 180, 15, 15).service_level < 0.95 <= erlang_c(100 / 1_800, 180, 16, 15).service_level


def test_a_mean_number_of_people_lies_between_whole_ones():
    low, high = kept(100, 180, 14, 20), kept(100, 180, 15, 20)
    assert low is not None
    assert high is not None
    assert kept(100, 180, 14.5, 20) == pytest.approx((low + high) / 2)
    assert kept(0, 180, 3, 15) is None
    assert kept(100, 180, 0, 15) == 0


def test_calls_are_expected_as_the_mean_of_days_on_which_somebody_called():
    assert expected([[2, 0], [4, 2], [0, 0]], 2) == [3, 1]
    assert expected([[0, 0]], 2) == [None, None]
    assert expected([], 2) == [None, None]


def test_handling_is_talk_and_the_wrap_up_that_was_seen_or_else_the_usual():
    assert handling(1_800, 10, 400, 20, 30) == 180 + 20
    assert handling(1_800, 10, 0, 0, 30) == 180 + 30
    assert handling(0, 0, 50, 5, 30) is None
