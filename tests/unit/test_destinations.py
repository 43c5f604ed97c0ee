"""Where the hotline may call: what is in no list cannot be called, and the dialplan reads the lists as Python does."""

from __future__ import annotations

import re

import pytest

from app.destinations import KINDS, BadPattern, Destinations, expression

SHIPPED = Destinations()


@pytest.mark.parametrize(
    "number",
    [
        "13800138000",
        "+86 138 0013 8000",
        "0086 13800138000",
        "8613800138000",
        "013800138000",
        "14712345678",
        "15912345678",
        "16612345678",
        "17712345678",
        "18912345678",
        "19912345678",
        "010-8888 1234",
        "(021) 5555-1234",
        "+862155551234",
        "0571 87654321",
        "0898 6531234",
        "87654321",
        "6531234",
    ],
)
def test_mainland_numbers_may_be_called_back_with_and_without_area_code(number: str) -> None:
    assert SHIPPED.may_call_back(number)


@pytest.mark.parametrize(
    "number",
    [
        "",
        "anonymous",
        *("110", "119", "120", "122", "12345", "10086", "95588", "96156", "1010 1234"),  # emergency, short, service
        *("16887788", "0571 16887788", "0571 96156", "010 12345", "0755 95588"),  # premium and service, with area code
        *("4008123123", "8008123123", "400 812 3123"),
        *("13491234567", "17400123456", "17491234567"),  # satellite
        *("+442071838750", "00442071838750", "+19005551234", "0019005551234", "00442", "+"),
        *("+85291234567", "0085291234567", "+85328123456", "+886912345678", "00886912345678"),  # unless configured
        *("+8613800138", "138001380001", "1380013800", "0138001380000"),  # too short, too long
        *("17951 13800138000", "12593 13800138000", "*21*13800138000#", "13800138000#", "13800138000&PJSIP/1001"),
        "10655512345678",
    ],
)
def test_premium_foreign_emergency_and_short_numbers_cannot(number: str) -> None:
    assert not SHIPPED.may_call_back(number)


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("hongkong", "00852 9123 4567", "+85290012345678"),  # 900: premium
        ("macau", "+853 6612 3456", "+85391234567"),
        ("taiwan", "+886 912 345 678", "+886204123456"),  # 0204: premium
        ("taiwan", "+886223456789", "+886800123456"),
    ],
)
def test_hong_kong_macau_and_taiwan_only_where_they_are_configured(kind: str, good: str, bad: str) -> None:
    configured = Destinations(call_back=("mobile", "fixed", kind))
    assert configured.may_call_back(good)
    assert not configured.may_call_back(bad)
    assert not SHIPPED.may_call_back(good)


def test_nobody_is_called_back_at_the_hotlines_own_number() -> None:
    assert not Destinations(own=("02165430000",)).may_call_back("+86 21 6543 0000")


def test_an_agent_needs_the_permission_for_what_not_everybody_may_call() -> None:
    assert SHIPPED.may_dial("110")
    assert not SHIPPED.may_dial("13800138000")
    assert SHIPPED.may_dial("13800138000", may_dial_out=True)
    assert not SHIPPED.may_dial("")
    assert Destinations(anybody=("110", "mobile")).may_dial("13800138000")


@pytest.mark.parametrize(
    ("patterns", "number", "allowed"),
    [
        (["110", "119"], "110", True),
        (["110", "119"], "1100", False),
        (["110", "119"], "0110", False),
        ([r"0\d{2,3}1234"], "0211234", True),
        ([r"0\d{2,3}1234"], "02112345", False),
        (["(?:86)?123"], "86123", True),
        (["^95588$"], "95588", True),
        ([], "110", False),
        ([""], "110", False),
        (["110|1"], "11", False),
    ],
)
def test_what_is_written_is_matched_whole(patterns: list[str], number: str, allowed: bool) -> None:
    assert bool(re.search(expression(patterns), number)) is allowed
    assert Destinations(anybody=patterns).may_dial(number) is allowed


@pytest.mark.parametrize("pattern", [r"\w+", "(?!110).*", "110;x", "1 1", '"', "$(id)", "a|b", "mobil", "[", ")"])
def test_what_is_no_kind_and_what_the_dialplan_reads_differently_is_refused(pattern: str) -> None:
    with pytest.raises(BadPattern, match=r"kind|expression"):
        expression([pattern])


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_has_nothing_that_ends_an_argument_of_the_dialplan(kind: str) -> None:
    assert "," not in expression([kind])
