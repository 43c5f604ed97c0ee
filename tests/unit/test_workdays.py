"""Counting in working days, in office hours, and reading a year's table."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.settings import Settings
from app.workdays.model import (
    MOST_DAYS,
    OfficeHours,
    WorkCalendar,
    WorkDayKind,
    add_working_days,
    first_of_last,
    parse_office_hours,
    shift_office_time,
    working_days_between,
)
from app.workdays.published import NOTICES, published_days
from app.workdays.sheet import read_sheet

ZONE = ZoneInfo("Asia/Shanghai")
CALENDAR = WorkCalendar({one.day: one.kind for year in NOTICES for one in published_days(year)}, frozenset(NOTICES))
OFFICE = parse_office_hours("09:00-12:00,13:00-17:00")
DAYS = st.dates(date(2025, 1, 1), date(2026, 11, 1))


@pytest.mark.parametrize(
    ("start", "count", "due"),
    [
        ("2026-09-24", 7, "2026-10-12"),
        ("2026-09-30", 7, "2026-10-15"),
        ("2026-02-14", 7, "2026-03-03"),
        ("2026-11-21", 7, "2026-12-01"),  # a Saturday
        ("2026-09-30", 3, "2026-10-10"),
        ("2026-10-03", 1, "2026-10-08"),  # day 1 after a holiday is the first day at work
        ("2026-10-09", 1, "2026-10-10"),  # a Saturday on which offices work
        ("2026-10-10", 1, "2026-10-12"),
    ],
)
def test_day_one_is_the_next_working_day(start: str, count: int, due: str):
    reached = add_working_days(CALENDAR, date.fromisoformat(start), count)
    assert (reached.day.isoformat(), reached.provisional) == (due, False)


def test_a_day_beyond_the_published_calendar_makes_the_result_provisional():
    last = add_working_days(CALENDAR, date(2026, 12, 30), 1)
    assert (last.day, last.provisional) == (date(2026, 12, 31), False)
    beyond = add_working_days(CALENDAR, date(2026, 12, 30), 2)
    assert (beyond.day, beyond.provisional) == (date(2027, 1, 1), True)
    assert add_working_days(CALENDAR, date(2024, 12, 27), 3).provisional, "an earlier year that nobody entered"
    assert working_days_between(CALENDAR, date(2026, 12, 30), date(2027, 1, 4)).provisional
    assert not working_days_between(CALENDAR, date(2026, 12, 1), date(2026, 12, 31)).provisional


def test_what_is_known_of_a_year_counts_before_it_is_published():
    known = WorkCalendar({**CALENDAR.days, date(2027, 1, 1): WorkDayKind.holiday}, CALENDAR.published)
    reached = add_working_days(known, date(2026, 12, 31), 1)
    assert (reached.day, reached.provisional) == (date(2027, 1, 4), True)


@given(DAYS, st.integers(1, 40))
def test_counting_forth_and_back_agree(start: date, count: int):
    end = add_working_days(CALENDAR, start, count).day
    assert CALENDAR.is_working(end)
    assert working_days_between(CALENDAR, start, end).days == count
    first = add_working_days(CALENDAR, start, 1).day
    assert first_of_last(CALENDAR, end, count) == first
    assert working_days_between(CALENDAR, end, start).days == 0


@given(DAYS, st.integers(1, 20), st.integers(1, 20))
def test_counting_in_two_steps_comes_to_the_same_day(start: date, one: int, two: int):
    half = add_working_days(CALENDAR, start, one).day
    assert add_working_days(CALENDAR, half, two) == add_working_days(CALENDAR, start, one + two)


@pytest.mark.parametrize("count", [0, -1, MOST_DAYS + 1])
def test_what_is_no_count_is_refused(count: int):
    with pytest.raises(ValueError, match="1 to"):
        add_working_days(CALENDAR, date(2026, 1, 1), count)
    with pytest.raises(ValueError, match="1 to"):
        first_of_last(CALENDAR, date(2026, 1, 1), count)


@pytest.mark.parametrize(
    ("year", "off", "makeup"), [(2025, 28, 5), (2026, 33, 6)]
)  # the notices: 1+8+3+5+3+8 and 3+9+3+5+3+3+7 days off
def test_the_published_years_have_the_days_of_their_notices(year: int, off: int, makeup: int):
    kinds = [one.kind for one in published_days(year)]
    assert (kinds.count(WorkDayKind.holiday), kinds.count(WorkDayKind.makeup)) == (off, makeup)
    assert all(one.note and one.day.year == year for one in published_days(year))


# ---- office hours


def city(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        ("2026-11-24T09:00", 2, "2026-11-24T11:00"),
        ("2026-11-24T11:00", 2, "2026-11-24T14:00"),  # over lunch
        ("2026-11-24T11:00", 1, "2026-11-24T12:00"),
        ("2026-11-24T16:30", 1, "2026-11-25T09:30"),
        ("2026-11-20T18:00", 7, "2026-11-23T17:00"),  # a Friday evening
        ("2026-09-30T16:00", 2, "2026-10-08T10:00"),
        ("2026-11-24T10:00", -2, "2026-11-23T16:00"),
        ("2026-11-24T14:00", -2, "2026-11-24T11:00"),
        ("2026-10-08T09:00", -1, "2026-09-30T16:00"),
    ],
)
def test_office_time_passes_only_while_offices_work(start: str, hours: int, end: str):
    moment, provisional = shift_office_time(CALENDAR, OFFICE, ZONE, city(start), timedelta(hours=hours))
    assert (moment, moment.tzinfo, provisional) == (city(end), UTC, False)


@given(DAYS, st.integers(0, 1439), st.integers(1, 3000))
def test_office_time_forth_and_back_comes_to_office_time_again(day: date, minute: int, by: int):
    start = datetime(day.year, day.month, day.day, tzinfo=ZONE) + timedelta(minutes=minute)
    end, _ = shift_office_time(CALENDAR, OFFICE, ZONE, start, timedelta(minutes=by))
    back, _ = shift_office_time(CALENDAR, OFFICE, ZONE, end, -timedelta(minutes=by))
    again, _ = shift_office_time(CALENDAR, OFFICE, ZONE, back, timedelta(minutes=by))
    assert again == end
    assert end > start
    assert back >= start.astimezone(UTC), "from outside of office hours it begins with the next of them"


def test_office_time_beyond_the_published_calendar_is_provisional_and_a_naive_time_refused():
    _, provisional = shift_office_time(CALENDAR, OFFICE, ZONE, city("2026-12-31T16:30"), timedelta(hours=1))
    assert provisional
    with pytest.raises(ValueError, match="zone"):
        shift_office_time(CALENDAR, OFFICE, ZONE, datetime(2026, 1, 1), timedelta(hours=1))  # noqa: DTZ001


@pytest.mark.parametrize("text", ["", "9-17", "09:00-09:00", "12:00-09:00", "09:00-12:00,12:00-17:00", "09:00-24:01"])
def test_office_hours_that_make_no_sense_are_refused_when_the_settings_are_read(text: str):
    with pytest.raises(ValueError):
        parse_office_hours(text)
    with pytest.raises(ValueError, match="office_hours"):
        Settings(office_hours=text)


def test_the_whole_day_may_be_office_hours():
    assert parse_office_hours("00:00-24:00") == OfficeHours(((0, 1440),))


# ---- a year's table


@pytest.mark.parametrize(
    "text",
    [
        "day,kind,note\n2027-01-01,holiday,元旦\n2027-01-03,makeup,元旦\n",
        "\ufeff日期,类型,说明\r\n2027/1/1,放假,元旦\r\n\r\n2027年1月3日,上班,元旦\r\n",
        "类型\t说明\t日期\n休\t元旦\t２０２７-01-01\n班\t元旦\t2027.1.3\n",
        "日期;类型;名称;备用\n2027-01-03;调休上班;元旦;\n2027-01-01;休息;元旦;x\n",
    ],
)
def test_a_table_is_read_however_an_office_writes_it(text: str):
    sheet = read_sheet(text, 2027)
    assert sheet.faults == ()
    assert [(one.day.day, one.kind.value, one.note) for one in sheet.days] == [
        (1, "holiday", "元旦"),
        (3, "makeup", "元旦"),
    ]


def test_every_fault_is_named_with_its_row_and_column_at_once():
    rows = "2027-02-30,放假 2026-10-01,放假 2027-05-01,休假 , 2027-05-03,上班 2027-05-04,放假 2027-05-04,放假".split()
    sheet = read_sheet("\n".join(["日期,类型", *rows]), 2027)
    assert [(one.row, one.column) for one in sheet.faults] == [
        (2, "day"),
        (3, "day"),
        (4, "kind"),
        (6, "kind"),
        (8, "day"),
    ]
    assert sheet.faults[0].told("zh") == "第 2 行“日期”：不是日期，写成 2027-01-01"
    assert sheet.faults[0].told("en") == "Row 2, column day: not a date: write 2027-01-01"
    assert [one.day for one in sheet.days] == [date(2027, 5, 4)]


@pytest.mark.parametrize(("text", "count"), [("", 1), ("\n\n", 1), ("日期,类型\n", 1), ("a,b\n1,2\n", 2)])
def test_a_table_without_days_or_columns_says_so(text: str, count: int):
    sheet = read_sheet(text, 2027)
    assert (sheet.days, len(sheet.faults)) == ((), count)


@given(st.text())
def test_any_text_may_be_read_as_a_table(text: str):
    sheet = read_sheet(text, 2027)
    assert sheet.faults
    assert all(one.told("zh") and one.told("en") for one in sheet.faults)
