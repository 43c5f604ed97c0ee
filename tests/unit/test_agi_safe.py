"""SafeAgi closes every trap of the AGI library it builds on; one test per trap, named after it."""

from __future__ import annotations

import contextlib
import signal
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from asterisk.agi import AGIAppError, AGIException, AGIHangup, AGIInvalidCommand, AGIUsageError

from agi_scripts import safe_agi
from agi_scripts.errors import CommandRefused, CommandTimeout, Hangup, ProtocolError, SoundMissing
from agi_scripts.safe_agi import SafeAgi
from tests.unit.agi_fake_asterisk import CALL, NUMBER, header, split_arguments

Peer = socket.socket


@contextlib.contextmanager
def connected(answer: Callable[[str], bytes] | None = None) -> Iterator[tuple[SafeAgi, Peer]]:
    """A SafeAgi whose other end answers every command by `answer` (or leaves it to the test)."""
    here, there = socket.socketpair()

    def serve() -> None:
        assert answer is not None
        with contextlib.suppress(OSError), there.makefile("rb") as lines:
            for line in lines:
                reply = answer(line.decode().rstrip("\n"))
                if reply == b"":
                    there.shutdown(socket.SHUT_RDWR)
                    return
                there.sendall(reply)

    thread = threading.Thread(target=serve, daemon=True)
    if answer is not None:
        thread.start()
    try:
        yield SafeAgi(here), there
    finally:
        here.close()
        there.close()
        if answer is not None:
            thread.join(5)


def replies(*lines: bytes) -> Callable[[str], bytes]:
    left = list(lines)
    return lambda command: left.pop(0)


# -- the library's constructor ---------------------------------------------------------------------------------------


def test_works_off_the_main_thread_and_touches_no_signal() -> None:
    before = signal.getsignal(signal.SIGHUP)
    results: list[object] = []

    def work() -> None:
        with connected(replies(b"200 result=1\n")) as (agi, _):
            results.append(agi.call_command("NOOP").result)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(5)
    assert results == ["1"]
    assert signal.getsignal(signal.SIGHUP) is before


def test_speaks_bytes_and_reads_utf8_split_anywhere() -> None:
    with connected() as (agi, peer):
        text = "200 result=1 (停水了)\n".encode()

        def slowly() -> None:
            peer.recv(1000)
            for byte in text:
                peer.sendall(bytes([byte]))

        thread = threading.Thread(target=slowly)
        thread.start()
        assert agi.get_variable("X") == "停水了"
        thread.join(5)


def test_bytes_that_are_no_utf8_do_not_end_the_call() -> None:
    with connected(replies(b"200 result=1 (\xff\xfe)\n")) as (agi, _):
        assert agi.get_variable("X") == "��"


def test_nothing_of_the_dialogue_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    with connected(replies(b"200 result=1 (13800000000)\n")) as (agi, peer):
        peer.sendall(header())
        agi.read_header()
        agi.get_variable("HOTLINE_NUMBER")
    assert capfd.readouterr() == ("", "")


# -- quoting ---------------------------------------------------------------------------------------------------------


def test_quotes_backslashes_and_line_breaks_stay_inside_their_argument() -> None:
    seen: list[str] = []

    def answer(command: str) -> bytes:
        seen.append(command)
        return b"200 result=1\n"

    with connected(answer) as (agi, _):
        agi.set_variable("NAME", 'O"Neil \\ \r\nHANGUP')
        agi.stream_file("/with space/file", "12")
        agi.appexec("Verbose", 'say "this"')
    assert split_arguments(seen[0]) == ["SET", "VARIABLE", "NAME", 'O"Neil \\  HANGUP']
    assert split_arguments(seen[1]) == ["STREAM", "FILE", "/with space/file", "12", "0"]
    assert split_arguments(seen[2]) == ["EXEC", "Verbose", 'say "this"']


def test_several_variables_are_set_by_one_command_whatever_is_in_them() -> None:
    seen: list[str] = []

    def answer(command: str) -> bytes:
        seen.append(command)
        return b"200 result=0\n"

    with connected(answer) as (agi, _):
        agi.set_variables(HOTLINE_SKILLS="yue:3,water:1", HOTLINE_NAME='a"b\\c', HOTLINE_DONE=1)
    assert len(seen) == 1
    from tests.unit.agi_fake_asterisk import split_options

    assert split_options(split_arguments(seen[0])[2]) == [
        "HOTLINE_SKILLS=yue:3,water:1",
        'HOTLINE_NAME=a"b\\c',
        "HOTLINE_DONE=1",
    ]


# -- the end of a connection -----------------------------------------------------------------------------------------


def test_a_closed_connection_is_a_hangup_not_a_value_error() -> None:
    with connected(replies(b"")) as (agi, _):
        with pytest.raises(Hangup) as caught:
            agi.get_variable("X")
        assert isinstance(caught.value, AGIHangup)
        assert agi.ended
        with pytest.raises(Hangup):
            agi.get_variable("X")


def test_a_reset_connection_is_a_hangup() -> None:
    with connected() as (agi, peer):
        peer.close()
        with pytest.raises(Hangup):
            [agi.call_command("NOOP") for _ in range(3)]


def test_an_asterisk_that_does_not_answer_is_a_timeout_and_the_end_of_the_connection() -> None:
    with connected() as (agi, peer):
        started = time.monotonic()
        with pytest.raises(CommandTimeout):
            agi.call_command("NOOP", within_s=0.05)
        assert time.monotonic() - started < 2
        peer.sendall(b"200 result=1 (late, and meant for another command)\n")
        with pytest.raises(Hangup):
            agi.get_variable("X")


def test_an_asterisk_that_takes_no_bytes_does_not_block_for_ever() -> None:
    with connected() as (agi, _):
        agi.connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        agi.connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", 0, 50_000))
        with pytest.raises((CommandTimeout, Hangup)):
            [agi.send_command("NOOP", "x" * 1500) for _ in range(100_000)]


# -- hang-ups that Asterisk announces --------------------------------------------------------------------------------


def test_the_hangup_notice_is_not_taken_for_a_reply() -> None:
    with connected(replies(b"HANGUP\n200 result=1 (kept)\n")) as (agi, _):
        assert agi.get_variable("X") == "kept"
        assert agi.ended


def test_a_command_refused_on_a_dead_channel_is_a_hangup() -> None:
    line = b"HANGUP\n511 Command Not Permitted on a dead channel or intercept routine\n"
    with connected(replies(line, b"200 result=1\n")) as (agi, _):
        with pytest.raises(Hangup):
            agi.play("/x")
        agi.set_variable("STILL", "allowed")


def test_a_caller_who_hangs_up_while_a_file_plays_is_told_from_a_missing_file() -> None:
    with connected(replies(b"200 result=-1 endpos=160\nHANGUP\n", b"511 dead\n")) as (agi, _), pytest.raises(Hangup):
        agi.play("/x")
    with connected(replies(b"200 result=-1 endpos=0\n", b"200 result=0\n")) as (agi, _):
        with pytest.raises(SoundMissing):
            agi.play("/nowhere")
        assert not agi.ended
    with connected(replies(b"200 result=-1\n", b"200 result=-1\n")) as (agi, _), pytest.raises(Hangup):
        agi.ask("/x", 1, 100)


def test_a_key_pressed_while_a_file_was_missing_is_not_lost() -> None:
    with connected(replies(b"200 result=-1\n", b"200 result=53\n")) as (agi, _), pytest.raises(SoundMissing) as caught:
        agi.ask("/nowhere", 1, 100)
    assert caught.value.key == "5"


def test_a_variable_whose_value_is_hangup_is_only_a_value() -> None:
    with connected(replies(b"200 result=1 (hangup)\n", b"200 result=1 (timeout)\n")) as (agi, _):
        assert agi.get_variable("X") == "hangup"
        assert agi.get_variable("X") == "timeout"


# -- replies that are no success -------------------------------------------------------------------------------------


def test_510_is_a_refused_command() -> None:
    with connected(replies(b"510 Invalid or unknown command\n")) as (agi, _), pytest.raises(CommandRefused) as caught:
        agi.execute("FROB")
    assert isinstance(caught.value, AGIInvalidCommand)


def test_520_usage_is_read_to_its_end_so_that_the_next_reply_is_the_next_commands() -> None:
    usage = b"520-Invalid command syntax.  Proper usage follows:\nUsage: NOOP\n520 End of proper usage.\n"
    with connected(replies(usage, b"200 result=1 (next)\n")) as (agi, _):
        with pytest.raises(CommandRefused, match="Usage: NOOP") as caught:
            agi.execute("STREAM FILE")
        assert isinstance(caught.value, AGIUsageError)
        assert agi.get_variable("X") == "next"


def test_520_without_usage_is_read_too() -> None:
    with connected(replies(b"520 Invalid command syntax.\n")) as (agi, _), pytest.raises(CommandRefused):
        agi.execute("STREAM FILE")


def test_520_usage_that_never_ends_ends() -> None:
    with connected(replies(b"520-Usage:\n" + b"more\n" * 300)) as (agi, _), pytest.raises(CommandRefused):
        agi.execute("STREAM FILE")


def test_520_usage_cut_off_by_a_closed_connection_is_a_hangup() -> None:
    with connected() as (agi, peer):
        peer.sendall(b"520-Usage:\n")
        peer.shutdown(socket.SHUT_WR)
        with pytest.raises(Hangup):
            agi.execute("STREAM FILE")


def test_a_value_with_line_breaks_is_one_reply() -> None:
    with connected(replies(b"200 result=1 (first\nsecond)\n", b"200 result=1 (next)\n")) as (agi, _):
        assert agi.get_variable("X") == "first second"
        assert agi.get_variable("Y") == "next"


def test_what_is_no_reply_ends_the_connection() -> None:
    with connected(replies(b"HTTP/1.1 400 Bad Request\n")) as (agi, _):
        with pytest.raises(ProtocolError):
            agi.execute("NOOP")
        with pytest.raises(Hangup):
            agi.execute("NOOP")


def test_an_endless_line_does_not_fill_the_memory() -> None:
    with connected(replies(b"x" * 200_000)) as (agi, _), pytest.raises(ProtocolError):
        agi.execute("NOOP")


# -- the header ------------------------------------------------------------------------------------------------------


def test_the_header_gives_call_number_and_arguments() -> None:
    with connected() as (agi, peer):
        peer.sendall(header({"agi_arg_1": "17: eins"}))
        agi.read_header()
        assert (agi.call, agi.number, agi.argument(1), agi.argument(2)) == (CALL, NUMBER, "17: eins", "")


@pytest.mark.parametrize(
    ("sent", "number"),
    [("unknown", ""), ("", ""), ("+8613800000000", "+8613800000000"), ("1' OR 1=1 --", "111"), ("9" * 99, "9" * 32)],
)
def test_a_callers_number_is_filtered(sent: str, number: str) -> None:
    with connected() as (agi, peer):
        peer.sendall(header({"agi_callerid": sent, "agi_uniqueid": "../../etc/passwd"}))
        agi.read_header()
        assert agi.number == number
        assert "/" not in agi.call


def test_a_header_that_does_not_end_in_time_is_refused() -> None:
    with connected() as (agi, peer):
        peer.sendall(b"agi_network: yes\n")
        started = time.monotonic()
        with pytest.raises(ProtocolError, match="no whole header"):
            agi.read_header(0.05)
        assert time.monotonic() - started < 2


def test_a_header_that_trickles_does_not_get_more_time_with_every_byte() -> None:
    with connected() as (agi, peer):
        stop = threading.Event()

        def trickle() -> None:
            with contextlib.suppress(OSError):
                while not stop.wait(0.01):
                    peer.sendall(b"a")

        thread = threading.Thread(target=trickle)
        thread.start()
        started = time.monotonic()
        with pytest.raises(ProtocolError):
            agi.read_header(0.1)
        assert time.monotonic() - started < 2
        stop.set()
        thread.join(5)


@pytest.mark.parametrize(
    "sent",
    [b"agi_x: " + b"y" * 20_000 + b"\n\n", b"agi_x: y\n" * 1000 + b"\n", b"GET / HTTP/1.1\nHost: x\n\n", b"\n\n"],
)
def test_a_header_that_is_too_long_or_no_agi_is_refused(sent: bytes) -> None:
    with connected() as (agi, peer):
        peer.sendall(sent)
        with pytest.raises(ProtocolError):
            agi.read_header(1)


def test_a_header_cut_off_by_a_closed_connection_is_a_hangup() -> None:
    with connected() as (agi, peer):
        peer.sendall(b"agi_network: yes\n")
        peer.shutdown(socket.SHUT_WR)
        with pytest.raises(Hangup):
            agi.read_header(1)


# -- commands --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "most", "expected"),
    [
        (b"200 result=7\n", 1, ("7", False)),
        (b"200 result=\n", 1, ("", True)),
        (b"200 result= (timeout)\n", 1, ("", False)),
        (b"200 result=123\n", 14, ("123", True)),
        (b"200 result=123 (timeout)\n", 14, ("123", False)),
        (b"200 result=123\n", 3, ("123", False)),
    ],
)
def test_digits_are_told_from_silence_and_from_the_hash_key(
    reply: bytes, most: int, expected: tuple[str, bool]
) -> None:
    with connected(replies(reply)) as (agi, _):
        assert agi.ask("/x", most, 100) == expected


def test_a_recording_that_ends_by_hangup_is_not_lost_in_an_exception() -> None:
    with connected(replies(b"200 result=-1\n")) as (agi, _):
        assert agi.record("/x", 1, 3) == "hangup"
        assert agi.ended


def test_the_librarys_vocabulary_still_works_and_raises_the_librarys_errors() -> None:
    answers = replies(b"200 result=0\n", b"200 result=53\n", b"200 result=-1\n", b"200 result=0\n", b"200 result=-2\n")
    with connected(answers) as (agi, _):
        agi.verbose("hello", 1)
        assert agi.say_digits("123", [4, 5]) == "5"
        with pytest.raises(AGIAppError):
            agi.say_digits("123")
        with pytest.raises(AGIException):
            agi.appexec("NoSuchThing")


def test_times_are_reported_to_the_observer() -> None:
    seen: list[tuple[str, float]] = []
    here, there = socket.socketpair()
    with here, there:
        there.sendall(b"200 result=1\n")
        SafeAgi(here, lambda command, seconds: seen.append((command, seconds))).call_command("NOOP")
    assert [command for command, _ in seen] == ["NOOP"]
    assert 0 <= seen[0][1] < 1


def test_time_limits_grow_with_what_a_command_waits_for(monkeypatch: pytest.MonkeyPatch) -> None:
    limits: list[float] = []
    monkeypatch.setattr(safe_agi.SafeAgi, "_set_limit", lambda self, seconds: limits.append(seconds))
    answers = (b"200 result=1\n", b"200 result=0\n", b"200 result=0\n", b"200 result=1 (TIMEOUT)\n")
    with connected(replies(*answers)) as (agi, _):
        agi.call_command("NOOP")
        agi.wait_key(20_000)
        assert agi.record("/x", 180, 5) == "timeout"
    assert limits[0] <= 5 < 20 < limits[1] < 180 < limits[2]
