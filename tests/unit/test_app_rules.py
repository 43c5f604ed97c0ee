"""The domain's rules by themselves: tables walked pair by pair, numbers, hours, text."""

from __future__ import annotations

import re
import sys
import time
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agi_scripts.guarded import MOST_ANNOUNCEMENTS
from app.announcements.model import MOST_HEARD
from app.callbacks.model import TRANSITIONS as CALLBACK_TRANSITIONS
from app.callbacks.model import CallbackEvent, CallbackState
from app.callbacks.model import next_state as next_callback_state
from app.cases.model import (
    differences,
    format_number,
    masked_number,
    parse_number,
)
from app.errors import BadCredentials, Busy, HotlineError, Refused, VersionConflict
from app.hours.model import CLOSED_ALL_DAY, DayHours, DayKind, hours, minutes, open_state
from app.text import clean, covered, is_call_id, masked_name, normal_number, without
from app.text import masked_number as masked_phone

ZONE = ZoneInfo("Asia/Shanghai")
USUAL = hours("08:00", "22:00")


@pytest.mark.parametrize("state", list(CallbackState))
@pytest.mark.parametrize("event", list(CallbackEvent))
def test_a_callback_moves_by_its_table_and_refuses_everything_else(state: CallbackState, event: CallbackEvent):
    if (state, event) in CALLBACK_TRANSITIONS:
        assert next_callback_state(state, event) is CALLBACK_TRANSITIONS[state, event]
    else:
        with pytest.raises(Refused):
            next_callback_state(state, event)


@given(st.dates(date(2000, 1, 1), date(2199, 12, 31)), st.integers(1, 9_999_999))
def test_a_case_number_is_understood_however_it_is_written(day: date, sequence: int):
    number = format_number(day, sequence)
    digits = number.replace("-", "")
    assert parse_number(number) == number
    assert parse_number(digits) == number
    assert parse_number(" ".join(digits)) == number
    assert parse_number(digits.translate(str.maketrans("0123456789", "０１２３４５６７８９"))) == number


@pytest.mark.parametrize("text", ["", "12345", "20261332000001", "abc", "9" * 50, "2026112400001"])
def test_what_is_no_case_number_is_none(text: str):
    assert parse_number(text) is None


@given(st.text())
def test_any_text_may_be_asked_as_a_case_number(text: str):
    found = parse_number(text)
    assert found is None or parse_number(found) == found


def test_a_masked_case_number_keeps_its_ends():
    assert masked_number("20261124-033645") == "20***33645"


def test_differences_name_only_what_changed():
    assert differences({"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 5}) == {"b": {"from": 2, "to": 5}}


# ---- text


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("13800138000", "13800138000"),
        ("+8613800138000", "13800138000"),
        ("+86 138-0013-8000", "13800138000"),
        ("008613800138000", "13800138000"),
        ("+862155551234", "02155551234"),
        ("+8602155551234", "02155551234"),
        ("(021) 5555-1234", "02155551234"),
        ("+864008123123", "4008123123"),
        ("8613800138000", "13800138000"),
        ("013800138000", "13800138000"),
        ("+442071838750", "+442071838750"),
        ("00442071838750", "+442071838750"),
        ("0085291234567", "+85291234567"),
        ("anonymous", ""),
        ("", ""),
        ("１３８００１３８０００", "13800138000"),
        ("138\r\nX-Evil: 1", "1381"),
        ("+86110", "+86110"),
    ],
)
def test_a_telephone_has_one_spelling(written: str, normal: str):
    assert normal_number(written) == normal


@given(st.text())
def test_a_number_is_only_what_can_be_dialled_and_stays_itself(text: str):
    once = normal_number(text)
    assert set(once) <= set("0123456789+*#")
    assert len(once) <= 33
    assert normal_number(once) == once or once.startswith(("+", "00"))


@given(st.text(), st.integers(0, 50), st.booleans())
def test_cleaned_text_holds_nothing_that_a_database_or_a_log_chokes_on(text: str, limit: int, lines: bool):
    cleaned = clean(text, limit, lines=lines)
    assert len(cleaned) <= limit
    assert "\0" not in cleaned
    assert "\r" not in cleaned
    assert lines or "\n" not in cleaned
    cleaned.encode()


@pytest.mark.parametrize("call_id", ["hotline1-1700000000.12", "a", "A-1.2"])
def test_call_ids_pass(call_id: str):
    assert is_call_id(call_id)


@pytest.mark.parametrize("call_id", ["", ".", "..", "-", "a/b", "a b", "a\n", "x" * 65, "ä"])
def test_what_could_lead_a_file_name_astray_is_no_call_id(call_id: str):
    assert not is_call_id(call_id)


def test_masks_show_enough_to_tell_apart_and_too_little_to_know():
    assert masked_phone("13800138000") == "138****8000"
    assert masked_phone("110") == "1**"
    assert masked_phone("") == ""
    assert masked_name("王小芳") == "王**"
    assert masked_name("") == ""
    assert without("王小芳 13800138000 来电", "13800138000", "王小芳", "") == "王** 138****8000 来电"


# ---- hours


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-11-24T07:59:59", False),
        ("2026-11-24T08:00:00", True),
        ("2026-11-24T21:59:59", True),
        ("2026-11-24T22:00:00", False),
        ("2026-11-24T00:00:00", False),
    ],
)
def test_people_answer_from_opening_up_to_closing(moment: str, is_open: bool):
    assert open_state(at(moment), ZONE, USUAL, {}).open is is_open


def test_the_next_opening_is_told_in_utc():
    state = open_state(at("2026-11-24T23:00:00"), ZONE, USUAL, {})
    assert (state.open, state.reason) == (False, "after_hours")
    assert state.next_open == datetime(2026, 11, 25, 0, 0, tzinfo=UTC)


def test_closed_days_are_skipped_and_named():
    special = {date(2026, 11, 24): CLOSED_ALL_DAY, date(2026, 11, 25): CLOSED_ALL_DAY}
    state = open_state(at("2026-11-24T10:00:00"), ZONE, USUAL, special)
    assert (state.open, state.reason) == (False, "closed")
    assert state.next_open == at("2026-11-26T08:00:00")


def test_a_holiday_may_have_shorter_hours():
    special = {date(2026, 10, 1): hours("10:00", "16:00", DayKind.holiday)}
    assert open_state(at("2026-10-01T11:00:00"), ZONE, USUAL, special).reason == "holiday"
    assert not open_state(at("2026-10-01T09:00:00"), ZONE, USUAL, special).open


def test_a_night_shift_belongs_to_the_day_it_began():
    night = hours("20:00", "06:00")
    assert open_state(at("2026-11-25T05:59:00"), ZONE, night, {}).open
    assert not open_state(at("2026-11-25T06:00:00"), ZONE, night, {}).open
    closed_yesterday = {date(2026, 11, 24): CLOSED_ALL_DAY}
    assert not open_state(at("2026-11-25T05:59:00"), ZONE, night, closed_yesterday).open


def test_the_same_time_twice_means_day_and_night():
    always = hours("00:00", "00:00")
    assert all(open_state(at(f"2026-11-24T{h:02d}:30:00"), ZONE, always, {}).open for h in range(24))


def test_a_hotline_that_never_opens_again_says_so():
    special = {date(2026, 11, 24) + timedelta(days=n): CLOSED_ALL_DAY for n in range(40)}
    assert open_state(at("2026-11-24T10:00:00"), ZONE, USUAL, special).next_open is None


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(ValueError):
        open_state(datetime(2026, 1, 1), ZONE, DayHours(0, 1440), {})  # noqa: DTZ001


@pytest.mark.parametrize("text", ["8", "25:00", "24:01", "08:60", "-1:00", "aa:bb", "08:5"])
def test_nonsense_is_no_time_of_day(text: str):
    with pytest.raises(ValueError):
        minutes(text)


# ---- errors


def test_every_error_speaks_both_languages_and_has_its_own_code():
    def tree(kind: type[HotlineError]) -> list[type[HotlineError]]:
        return [kind, *(sub for child in kind.__subclasses__() for sub in tree(child))]

    kinds = tree(HotlineError)
    assert len({kind.default_code for kind in kinds}) == len(kinds)
    for kind in kinds:
        error = kind()
        assert error.message("zh-CN") != error.message("en")
        assert 400 <= error.status < 600


def test_an_error_tells_fields_current_and_when_to_come_back():
    body = VersionConflict(current={"version": 2}, extra={"changed_by": "x"}).to_json("en")
    assert (body["error"]["code"], body["current"], body["changed_by"]) == ("version_conflict", {"version": 2}, "x")
    assert Busy().retry_after == 2
    assert BadCredentials("只有中文").message("en") == "只有中文"


def test_the_page_promises_as_many_announcements_as_the_voice_lets_callers_hear():
    assert MOST_HEARD == MOST_ANNOUNCEMENTS


@pytest.mark.parametrize(
    "written",
    ["13912345678", "139 1234 5678", "139-1234-5678", "１３９１２３４５６７８", "139·1234·5678", "(139)12345678"],
)
def test_a_number_is_masked_however_it_was_written_into_a_text(written: str):
    masked = without(f"电话{written}，请回电", "13912345678")
    assert "1234" not in masked
    assert "１２３４" not in masked
    assert masked.startswith("电话")
    assert masked.endswith("，请回电")


def test_names_and_addresses_are_masked_also_with_blanks_between():
    assert without("王 小 芳住保密巷77号", "王小芳", "保密巷77号") == "王**住保***"
    assert without("Li Ming LI MING", "Li Ming") == "L*** L***"
    assert without("13 + 14", "1") == "13 + 14", "one character is no name"


def test_whatever_the_pattern_of_a_name_takes_for_the_same_is_masked():
    every = (chr(n) for n in range(sys.maxunicode) if not 0xD800 <= n < 0xE000)
    cased = [char for char in every if char.lower() != char or char.upper() != char]
    line = "".join(cased)
    for char in cased:
        for other in re.findall(re.escape(char), line, re.IGNORECASE):
            assert without(f"甲{other}来电", f"甲{char}") == "甲*来电", f"{char!r} and {other!r}"
    assert len(cased) > 2_000


def test_a_name_that_was_typed_in_wide_letters_is_masked_in_narrow_ones_too():
    assert without("Ｊｉｍ 来电，Jim 再来电", "Ｊｉｍ") == "Ｊ** 来电，Ｊ** 再来电"
    assert covered("JIM 来电", "Ｊｉｍ", "***") == "*** 来电"


def test_a_word_with_dashes_or_brackets_is_masked_with_and_without_them():
    assert without("住5-2（甲），5 2甲，５－２甲", "5-2(甲)") == "住5***），5***，5***"


@settings(deadline=500)
@given(st.text(alphabet="-－ 　·.,，()（）甲1", max_size=80), st.text(alphabet="-－ 　·.,，()（）甲1", max_size=80))
def test_whatever_a_citizen_wrote_for_an_address_is_looked_for_in_no_time(text: str, address: str):
    without(text, address)


def test_a_word_of_nothing_but_dashes_is_no_name_and_takes_no_time():
    began = time.perf_counter()
    assert without("-" * 30, "-" * 40) == "-" * 30
    assert without(" " * 20_000, "- " * 100) == " " * 20_000
    dashes = "甲" + "-" * 20_000
    assert without(dashes, "甲" + "-" * 200) == dashes
    assert without("1 - " * 5_000, "1-" * 99 + "2") == "1 - " * 5_000
    assert time.perf_counter() - began < 5, "it took for ever"
