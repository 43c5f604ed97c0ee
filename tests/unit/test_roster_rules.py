"""The duty roster's rules: who is needed, whose turn it is, what is wrong, which seat is empty."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.roster.model import EMPTY_AFTER, LEADER, OFFICE, Seat, Turn, empty_seats, faults, filled, posts_of

SECTIONS = ["s1", "s2", "s3"]
MONDAY = date(2026, 11, 23)
WEEKS = [(MONDAY + timedelta(days=n), n % 7 < 5) for n in range(28)]
PEOPLE = {"s1": [1, 2], "s2": [3, 4], "s3": [5, 6], OFFICE: [7, 8, 9], LEADER: [20, 21, 22]}
NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)


def test_three_sections_staff_workdays_and_the_office_the_others_a_leader_behind_each():
    assert posts_of(True, SECTIONS) == ["s1", "s2", "s3", "leader"]
    assert posts_of(False, SECTIONS) == ["office", "leader"]


def test_a_month_is_filled_without_a_fault_and_everybody_has_alike():
    turns = filled(WEEKS, SECTIONS, PEOPLE, [])
    assert faults(WEEKS, SECTIONS, PEOPLE, turns) == []
    had = Counter((turn.post, turn.user_id) for turn in turns)
    for post, people in PEOPLE.items():
        shares = [had[post, one] for one in people]
        assert max(shares) - min(shares) <= 1, post


def test_what_is_set_stays_and_what_was_before_counts():
    before = [Turn(MONDAY - timedelta(days=7), "s1", 1), Turn(MONDAY - timedelta(days=6), "s1", 1)]
    fixed = Turn(MONDAY, "s2", 4)
    turns = filled(WEEKS[:1], SECTIONS, PEOPLE, [*before, fixed])
    assert fixed not in turns
    assert {turn.post: turn.user_id for turn in turns} == {"s1": 2, "s3": 5, "leader": 20}


def test_a_post_that_nobody_may_stand_at_stays_empty_and_is_named():
    few = {**PEOPLE, "s3": []}
    turns = filled(WEEKS[:1], SECTIONS, few, [])
    assert [(one.post, one.why) for one in faults(WEEKS[:1], SECTIONS, few, turns)] == [("s3", "empty")]


def test_who_stands_twice_or_where_they_may_not_is_named():
    turns = [Turn(MONDAY, "s1", 1), Turn(MONDAY, "s2", 1), Turn(MONDAY, "s3", 5), Turn(MONDAY, "leader", 20)]
    assert [(one.post, one.why) for one in faults(WEEKS[:1], SECTIONS, PEOPLE, turns)] == [
        ("s1", "twice"),
        ("s2", "twice"),
        ("s2", "not_theirs"),
    ]


@given(st.dictionaries(st.sampled_from([*SECTIONS, OFFICE, LEADER]), st.lists(st.integers(1, 9), unique=True)))
def test_nobody_is_ever_planned_twice_on_one_day(people: dict[str, list[int]]):
    turns = filled(WEEKS, SECTIONS, people, [])
    assert max(Counter((turn.day, turn.user_id) for turn in turns).values(), default=1) == 1
    assert all(one.why == "empty" for one in faults(WEEKS, SECTIONS, people, turns))


def test_a_seat_is_empty_only_when_nobody_was_there_for_a_while():
    seats, since = [Seat("s1", 1, "1001"), Seat("s2", 3, None)], {}
    assert empty_seats(seats, {"1001": True}, since, NOW) == []
    later = NOW + EMPTY_AFTER
    assert empty_seats(seats, {"1001": False}, since, later) == [seats[1]]
    assert empty_seats(seats, {"1001": False}, since, later + EMPTY_AFTER) == seats
    assert empty_seats(seats, {"1001": True}, since, later + EMPTY_AFTER) == [seats[1]]
    assert empty_seats([], {}, since, later + EMPTY_AFTER) == []
    assert since == {}
