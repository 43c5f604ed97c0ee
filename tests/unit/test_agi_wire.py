"""AGI on the wire: what is sent can only ever be one command, and every reply is read as what it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agi_scripts import wire
from agi_scripts.errors import ProtocolError
from tests.unit.agi_fake_asterisk import split_arguments

HOSTILE = [
    'a"b',
    "a\\b",
    'back\\"slash',
    "two words",
    "tab\there",
    "",
    '"',
    "\\",
    'x" "y',
    "号码",
    "semi;colon",
    "${EVIL}",
]


@pytest.mark.parametrize("value", HOSTILE)
def test_a_value_arrives_as_it_was_sent(value: str) -> None:
    line = wire.command_line("SET VARIABLE", (wire.quote("X"), wire.quote(value))).decode()
    assert split_arguments(line.rstrip("\n")) == ["SET", "VARIABLE", "X", value.replace("\t", " ")]


@given(st.text(max_size=200))
def test_no_text_can_start_a_second_command(value: str) -> None:
    line = wire.command_line("SET VARIABLE", ("X", wire.quote(value)))
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert b"\r" not in line
    assert b"\0" not in line
    assert len(split_arguments(line.decode().rstrip("\n"))) == 4


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\u2028\u2029"), max_size=200))
def test_every_printable_text_comes_through_unchanged(value: str) -> None:
    line = wire.command_line("NOOP", (wire.quote(value),)).decode()
    assert split_arguments(line.rstrip("\n"))[1:] == [value]


def test_line_breaks_in_a_value_become_spaces() -> None:
    assert wire.quote("1\r\nHANGUP") == '"1 HANGUP"'


def test_a_line_break_in_the_command_itself_is_refused() -> None:
    with pytest.raises(ProtocolError):
        wire.command_line("NOOP\nHANGUP", ())


def test_a_command_longer_than_asterisk_reads_is_refused() -> None:
    wire.command_line("SET VARIABLE", ("X", "v" * 2000))
    with pytest.raises(ProtocolError, match="longer than Asterisk reads"):
        wire.command_line("SET VARIABLE", ("X", "v" * 2040))
    with pytest.raises(ProtocolError, match="longer than Asterisk reads"):
        wire.command_line("SET VARIABLE", ("X", "号" * 700))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("result=0", ("0", "", -1)),
        ("result=1 (speech)", ("1", "speech", -1)),
        ("result=", ("", "", -1)),
        ("result= (timeout)", ("", "timeout", -1)),
        ("result=34* (timeout)", ("34*", "timeout", -1)),
        ("result=35 (dtmf) endpos=8000", ("35", "dtmf", 8000)),
        ("result=0 endpos=160", ("0", "", 160)),
        ("result=1 (a (nested) value)", ("1", "a (nested) value", -1)),
        ("result=1 (result=-1 (hangup))", ("1", "result=-1 (hangup)", -1)),
        ("result=1 (x endpos=5)", ("1", "x endpos=5", -1)),
        ("result=-1 endpos=oops", ("-1", "", -1)),
        ("result=1 ())", ("1", ")", -1)),
    ],
)
def test_replies_are_read(line: str, expected: tuple[str, str, int]) -> None:
    assert tuple(wire.parse_success(line)) == expected


def test_a_reply_without_a_result_is_not_agi() -> None:
    with pytest.raises(ProtocolError):
        wire.parse_success("hello")


@given(st.text(max_size=100))
def test_reading_a_reply_either_works_or_says_that_it_is_not_agi(text: str) -> None:
    try:
        wire.parse_success(text)
    except ProtocolError:
        pass
