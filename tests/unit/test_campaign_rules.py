"""The rules of campaigns: their tables, what an end means, when may be called, and how many calls may begin."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from acd.pacing import House, Running, Share, kept, pace
from app.campaigns.hours import Hours, Window, may_call, next_moment, parse
from app.campaigns.model import (
    CAMPAIGN,
    CAUSES,
    SPACING_MIN,
    TARGET,
    VERDICTS,
    CampaignAct,
    CampaignState,
    Outcome,
    TargetState,
    TargetStep,
    Verdict,
    call_of,
    classify,
    next_campaign,
    next_target,
    spacing,
    verdict,
)
from app.errors import Refused
from app.settings import Settings
from app.workdays.model import WorkCalendar, WorkDayKind
from cti_bridge.model import campaign_attempt, promise_of

SHANGHAI = ZoneInfo("Asia/Shanghai")
HOURS = Hours(parse([["09:00", "12:00"], ["14:00", "20:00"]]), workdays=False, limits=Window(480, 1260))


def at(text: str, zone: ZoneInfo = SHANGHAI) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def test_every_pair_of_state_and_act_is_in_the_table_or_refused() -> None:
    for state, act in product(CampaignState, CampaignAct):
        if (state, act) in CAMPAIGN:
            assert next_campaign(state, act) is CAMPAIGN[state, act]
        else:
            with pytest.raises(Refused):
                next_campaign(state, act)
    ended = {state for state in CampaignState if not any(one is state for one, _ in CAMPAIGN)}
    assert ended == set(), "stopped takes a second stop, done takes more numbers"
    for state, step in product(TargetState, TargetStep):
        assert next_target(state, step) is TARGET.get((state, step))
    assert not [pair for pair in TARGET if pair[0] in (TargetState.reached, TargetState.refused, TargetState.left_out)]
    assert not [pair for pair in TARGET if pair[1] is TargetStep.begin and pair[0] is not TargetState.waiting]


def test_ends_are_told_by_ear_and_else_by_cause_and_every_outcome_has_its_consequence() -> None:
    assert [classify(heard, 16) for heard in ("human", "machine", "fax")] == ["human", "machine", "fax"]
    told = {cause: classify("", cause) for cause in (17, 19, 1, 34, 21, 20, 0, 99)}
    assert list(told.values()) == [
        "busy", "no_answer", "unallocated", "congestion", "declined", "no_answer", "no_answer", "congestion",
    ]  # fmt: skip
    assert classify("lorry", 17) is Outcome.busy, "what the dialplan cannot have meant is not believed"
    assert set(CAUSES.values()) <= set(Outcome)
    assert set(VERDICTS) == set(Outcome)
    again = {one for one, what in VERDICTS.items() if what is Verdict.again}
    assert again == set(SPACING_MIN), "whatever is tried again rests before"
    assert verdict(Outcome.machine, said=True) is Verdict.reached
    assert verdict(Outcome.machine, said=False) is Verdict.again
    assert spacing(Outcome.busy, {"busy": 3}) == timedelta(minutes=3)
    assert spacing(Outcome.unknown, {}) >= timedelta(minutes=30), "they may have been called: not at once again"


def test_a_call_of_a_campaign_is_known_by_its_id_and_no_id_begins_another() -> None:
    one, two = call_of("hotline1", 1), call_of("hotline1", 12)
    assert (campaign_attempt(one), campaign_attempt(two)) == (1, 12)
    assert not two.startswith(one)
    assert promise_of(one) == campaign_attempt("hotline1-cb1.0") == campaign_attempt("hotline1-1795521600.1") == 0


@pytest.mark.parametrize(
    ("now", "next_"),
    [
        ("2026-11-26T08:59", "2026-11-26T09:00"),
        ("2026-11-26T09:00", "2026-11-26T09:00"),
        ("2026-11-26T11:59:59", "2026-11-26T11:59:59"),
        ("2026-11-26T12:00", "2026-11-26T14:00"),
        ("2026-11-26T20:00", "2026-11-27T09:00"),
        ("2026-11-26T23:30", "2026-11-27T09:00"),
    ],
)
def test_two_windows_of_a_day(now: str, next_: str) -> None:
    assert next_moment(HOURS, WorkCalendar(), SHANGHAI, at(now)) == at(next_)
    assert may_call(HOURS, WorkCalendar(), SHANGHAI, at(now)) == (now == next_)


def test_workdays_and_the_limits_of_the_house_hold_whatever_a_campaign_says() -> None:
    early = Hours(parse([["00:00", "24:00"]]), workdays=True, limits=Window(480, 1260))
    holiday = WorkCalendar({date(2026, 11, 27): WorkDayKind.holiday, date(2026, 11, 28): WorkDayKind.makeup})
    assert next_moment(early, holiday, SHANGHAI, at("2026-11-26T21:00")) == at("2026-11-28T08:00"), "调休上班"
    assert next_moment(early, WorkCalendar(), SHANGHAI, at("2026-11-28T10:00")) == at("2026-11-30T08:00")
    never = Hours((Window(0, 400),), workdays=False, limits=Window(480, 1260))
    assert next_moment(never, WorkCalendar(), SHANGHAI, at("2026-11-26T10:00")) is None
    with pytest.raises(ValueError, match="zone"):
        next_moment(early, holiday, SHANGHAI, datetime(2026, 11, 26, 9, 0))  # noqa: DTZ001
    for wrong in ([], [["9", "10:00"]], [["10:00", "09:00"]], [["09:00", "11:00"], ["10:59", "12:00"]]):
        with pytest.raises(ValueError):
            parse(wrong)


def test_a_clock_that_is_put_forward_or_back_moves_no_window_on_the_wall() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    for day in (date(2026, 3, 29), date(2026, 10, 25)):  # the days on which it is
        moment = datetime(day.year, day.month, day.day, 0, 0, tzinfo=UTC)
        opens = [moment + timedelta(minutes=n) for n in range(24 * 60)]
        walls = {
            one.astimezone(berlin).strftime("%H:%M") for one in opens if may_call(HOURS, WorkCalendar(), berlin, one)
        }
        assert min(walls) == "09:00"
        assert max(walls) == "19:59"
        assert not {wall for wall in walls if "12:00" <= wall < "14:00"}


SHARES = st.builds(
    Share,
    lines=st.integers(1, 60),
    keep_lines=st.integers(0, 100),
    keep_agents=st.integers(0, 100),
    wait_target_s=st.integers(0, 60),
    at_once=st.integers(1, 10),
)
HOUSES = st.builds(
    House,
    lines_used=st.integers(0, 80),
    waiting=st.integers(0, 20),
    longest_wait_s=st.floats(0, 300),
    agents=st.integers(0, 40),
    agents_free=st.integers(0, 40),
    agents_kept=st.integers(0, 40),
)


@given(SHARES, HOUSES, st.booleans(), st.integers(1, 40), st.integers(0, 40))
@settings(max_examples=400, deadline=None)
def test_the_pace_never_takes_what_is_kept_for_citizens(
    share: Share, house: House, by_agents: bool, most: int, under_way: int
) -> None:
    more = pace(share, house, Running(by_agents, most, under_way))
    assert 0 <= more <= share.at_once
    if house.waiting and house.longest_wait_s > share.wait_target_s:
        assert more == 0
    if more:
        assert under_way + more <= most
        assert house.lines_used + more <= share.lines - kept(share.lines, share.keep_lines)
    if more and by_agents:
        assert more <= house.agents_free - house.waiting - kept(house.agents, share.keep_agents)


@given(SHARES, st.integers(0, 30), st.lists(st.sampled_from(["look", "human", "end", "arrive", "leave"]), max_size=60))
@settings(max_examples=200, deadline=None)
def test_calls_on_their_way_never_outnumber_the_agents_who_are_kept_for_them(
    share: Share, agents: int, what: list[str]
) -> None:
    free, kept_for, talking, waiting = agents, 0, 0, 0
    for one in what:
        if one == "look":
            house = House(kept_for + talking + waiting, waiting, 0.0, agents, free, kept_for)
            begun = pace(share, house, Running(True, 100, kept_for))
            assert begun <= free
            free, kept_for = free - begun, kept_for + begun
        elif one == "human" and kept_for:
            kept_for, talking = kept_for - 1, talking + 1
        elif one == "end" and kept_for:
            kept_for, free = kept_for - 1, free + 1
        elif one == "arrive":
            free, talking, waiting = (free - 1, talking + 1, waiting) if free else (0, talking, waiting + 1)
        elif one == "leave" and talking:
            talking -= 1
            free, waiting, talking = (free, waiting - 1, talking + 1) if waiting else (free + 1, waiting, talking)
        assert free + kept_for + talking == agents


def test_settings_keep_the_look_at_who_answers_short_enough_to_say_who_calls_within_two_seconds() -> None:
    assert Settings().amd_total_ms < 1900
    with pytest.raises(ValidationError):
        Settings(amd_total_ms=1900)
    with pytest.raises(ValidationError, match="later"):
        Settings(calling_opens="21:00", calling_closes="08:00")
    assert Settings(calling_closes="24:00").calling_closes == "24:00"
