"""Callers are told apart by a key that says nothing about them, and what is known of them goes with every join."""

from __future__ import annotations

import pytest

from acd.values import is_caller_key
from cti_bridge.callers import caller_key
from cti_bridge.core import Core
from cti_bridge.model import Call
from cti_bridge.offers import rejoined
from cti_bridge.snapshot import VARIABLES, carry_over, picture
from tests.bridge_kit.rig import channel, rows

KEY = b"a secret of this instance"
CALL = "hotline1-1795484407.0"
NOW = 1_795_484_407_000


class Keys:
    """As much of the core as a join needs."""

    @staticmethod
    def caller_key(number: str) -> str:
        return caller_key(KEY, number)

    @staticmethod
    def out_of_reach(call_id: str) -> bool:
        return False


def joined(call: Call) -> object:
    core: Core = Keys()  # type: ignore[assignment]
    return rejoined(core, call)


@pytest.mark.parametrize("spelling", ["+86 138 0013 8000", "0086 13800138000", "138-0013-8000"])
def test_every_spelling_of_a_number_has_the_same_key(spelling: str) -> None:
    assert caller_key(KEY, spelling) == caller_key(KEY, "13800138000")


def test_a_key_holds_nothing_of_the_number_and_the_engine_takes_it() -> None:
    key = caller_key(KEY, "13800138000")
    assert is_caller_key(key)
    assert "13800138000" not in key
    assert key != caller_key(KEY, "13800138001")


def test_another_instance_has_other_keys() -> None:
    assert caller_key(KEY, "13800138000") != caller_key(b"another", "13800138000")


@pytest.mark.parametrize("number", ["", "anonymous", "隐藏"])
def test_a_withheld_number_has_no_key_so_that_strangers_are_not_taken_for_one(number: str) -> None:
    assert caller_key(KEY, number) == ""


def test_a_join_carries_what_is_known_of_the_caller() -> None:
    call = Call(CALL, number="13800138000", flags=("elderly",), last_agent="1001", place_ms=NOW - 60_000)
    event = joined(call)
    assert (event.flags, event.last_agent, event.place_ms) == (("elderly",), "1001", NOW - 60_000)  # type: ignore[attr-defined]
    assert event.caller_key == caller_key(KEY, "13800138000")  # type: ignore[attr-defined]


def test_the_place_given_to_a_redialling_caller_is_read_back_from_the_channel() -> None:
    assert "HOTLINE_PLACE_MS" in VARIABLES
    given = rows(channel(CALL, CALL=CALL, PHASE="hold", JOINED=str(NOW), PLACE_MS=str(NOW - 60_000)))
    assert picture(given, [], NOW).calls[CALL].place_ms == NOW - 60_000


def test_a_new_picture_keeps_what_was_learnt_about_the_caller() -> None:
    given = rows(channel(CALL, CALL=CALL, PHASE="hold", JOINED=str(NOW)))
    old, new = picture(given, [], NOW), picture(given, [], NOW)
    known = old.calls[CALL]
    known.flags, known.last_agent, known.asked, known.place_ms = ("elderly",), "1001", True, NOW - 60_000
    carry_over(old, new)
    call = new.calls[CALL]
    assert (call.flags, call.last_agent, call.asked, call.place_ms) == (("elderly",), "1001", True, NOW - 60_000)
