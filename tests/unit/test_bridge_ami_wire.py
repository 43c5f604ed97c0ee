"""AMI's text format: nothing can be injected, and bytes in any slices mean the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from panoramisk.message import Message

from cti_bridge.ami.errors import UnsafeValue
from cti_bridge.ami.wire import NotAmi, Reader, checked_items, encode, message_of

GREETING = b"Asterisk Call Manager/11.0.0\r\n"


@pytest.mark.parametrize("hostile", ["x\r\nAction: Command", "x\nVariable: a=b", "x\rY: z", "nul\0"])
def test_a_value_with_a_line_break_is_refused(hostile: str) -> None:
    with pytest.raises(UnsafeValue, match="line breaks"):
        checked_items({"Action": "Setvar", "Value": hostile})
    with pytest.raises(UnsafeValue, match="line breaks"):
        checked_items({"Action": "Originate", "Variable": ["a=b", hostile]})


@pytest.mark.parametrize("key", ["Bad\r\nKey", "", "with space", "colon:"])
def test_a_key_that_is_no_header_name_is_refused(key: str) -> None:
    with pytest.raises(UnsafeValue):
        checked_items({key: "x"})


def test_a_value_that_asterisk_would_cut_off_is_refused() -> None:
    with pytest.raises(UnsafeValue, match="longer"):
        checked_items({"Value": "水" * 400})


def test_a_list_becomes_one_header_per_item() -> None:
    assert encode(checked_items({"Variable": ["a=1", "b=2"]})) == b"Variable: a=1\r\nVariable: b=2\r\n\r\n"


@given(st.lists(st.integers(1, 7), min_size=1, max_size=60))
def test_utf8_split_across_reads_loses_no_character(cuts: list[int]) -> None:
    stream = GREETING + "Event: UserEvent\r\nName: 张三·🚰水管\r\n\r\nEvent: Hangup\r\nCause: 16\r\n\r\n".encode()
    reader, names, at = Reader(), [], 0
    for size in [*cuts, len(stream)]:
        for message in reader.feed(stream[at : at + size]):
            names.append(message.name if message.event == "UserEvent" else message.cause)
        at += size
    assert names == ["张三·🚰水管", "16"]


KEYS = st.sampled_from(["Channel", "Priority", "Variable", "Language", "ActionID", "Message", "Content", "Result", ""])
LINES = st.tuples(
    KEYS, st.sampled_from([": ", ":", " "]), st.text(st.characters(exclude_characters="\r\n"), max_size=9)
)


@given(
    st.sampled_from(["Event: UserEvent", "Response: Success", "Response: Error", "Response: Follows", "Nothing: here"]),
    st.lists(LINES, max_size=12),
)
def test_a_message_is_read_as_the_library_reads_it(first: str, rest: list[tuple[str, str, str]]) -> None:
    text = "\r\n".join([first, *("".join(line) for line in rest)])
    ours, theirs = message_of(text), Message.from_line(text)
    assert (ours is None) == (theirs is None)
    if ours is not None and theirs is not None:
        assert dict(ours) == dict(theirs)
        assert (ours.event, ours.success, ours.content, ours.manager) == (
            theirs.event,
            theirs.success,
            theirs.content,
            theirs.manager,
        )


def test_bytes_that_are_no_utf8_do_not_stop_the_stream() -> None:
    reader = Reader()
    first, second = reader.feed(GREETING + b"Event: A\r\nName: \xff\xfe\r\n\r\nEvent: B\r\n\r\n")
    assert first.event == "A"
    assert first.name == "\ufffd\ufffd"
    assert second.event == "B"


def test_events_nobody_wants_are_dropped_but_answers_to_actions_are_not() -> None:
    reader = Reader(wanted={"Hangup"})
    got = reader.feed(
        GREETING
        + b"Event: RTCPSent\r\nX: 1\r\n\r\nEvent: Hangup\r\n\r\nEvent: Status\r\nActionID: 7\r\n\r\n"
        + b"Response: Success\r\nActionID: 8\r\n\r\n"
    )
    assert [message.event or message.response for message in got] == ["Hangup", "Status", "Success"]


@pytest.mark.parametrize("stream", [b"HTTP/1.1 400 Bad Request\r\n", b"x" * 300])
def test_something_else_than_asterisk_is_noticed(stream: bytes) -> None:
    with pytest.raises(NotAmi):
        Reader().feed(stream)


def test_a_message_without_an_end_is_noticed() -> None:
    reader = Reader()
    reader.feed(GREETING)
    reader.feed(b"Event: x" + b"y" * (4 * 1024 * 1024 - 8))
    with pytest.raises(NotAmi):
        reader.feed(b"y")
