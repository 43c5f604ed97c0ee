"""The scripted Asterisk of the unit tests answers as the real one does: the same commands get the same replies."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from agi_scripts.door import SHORTEST_HEADER
from agi_scripts.errors import Hangup, SoundMissing
from agi_scripts.safe_agi import SafeAgi
from tests.peers import audio
from tests.peers.hotline import AsteriskUnderTest
from tests.peers.network import Line, PublicNetwork
from tests.peers.waiting import wait_until
from tests.unit.agi_fake_asterisk import FakeAsterisk, Speaks, header, write_tone

Dialogue = list[str]


class RealCall:
    """A real call whose AGI connection this test answers itself."""

    def __init__(self, hotline: AsteriskUnderTest, network: PublicNetwork) -> None:
        self.listener = socket.create_server((hotline.settings.agi_host, hotline.settings.agi_port))
        self.listener.settimeout(10)
        self.line: Line = network.call("13800138000")
        self.connection, _ = self.listener.accept()
        self.connection.settimeout(20)
        self.agi = SafeAgi(self.connection)
        self.agi.read_header()
        self.line.wait_answered()

    def close(self) -> None:
        self.connection.close()
        self.listener.close()


@pytest.fixture
def real(asterisk_under_test: AsteriskUnderTest, public_network: PublicNetwork) -> Iterator[RealCall]:
    call = RealCall(asterisk_under_test, public_network)
    yield call
    call.close()


def replies(connection: socket.socket, commands: list[str]) -> Dialogue:
    """Sends the commands one after the other; every line that comes back."""
    lines: Dialogue = []
    with connection.makefile("rb") as stream:
        for command in commands:
            connection.sendall(command.encode() + b"\n")
            while True:
                line = stream.readline().decode()
                if not line:
                    return [*lines, "closed"]
                line = line.rstrip("\n")
                lines.append(re.sub(r"endpos=\d+", "endpos=N", line))
                if re.match(r"\d{3} ", line):
                    break
    return lines


def fake_replies(fake: FakeAsterisk, commands: list[str]) -> Dialogue:
    here, there = socket.socketpair()
    thread = threading.Thread(target=fake._serve, args=(there,), daemon=True)
    thread.start()
    try:
        here.recv(len(header()))
        return replies(here, commands)
    finally:
        here.close()
        thread.join(5)


@pytest.fixture
def tone(tmp_path: Path) -> str:
    write_tone(tmp_path / "tone.wav", 0.5)
    return str(tmp_path / "tone")


def test_commands_that_wait_for_nobody(real: RealCall) -> None:
    commands = [
        "NOOP",
        'SET VARIABLE X "a \\"quoted\\" \\\\ value, with (brackets)"',
        "GET VARIABLE X",
        "GET VARIABLE NO_SUCH_VARIABLE",
        'GET FULL VARIABLE "${X}|${X}"',
        'EXEC MSet "A=1\\\\,2,B=x>y,C="',
        "GET VARIABLE A",
        "GET VARIABLE B",
        "CHANNEL STATUS",
        "FROB",
        "EXEC NoSuchApplication x",
    ]
    assert replies(real.connection, commands) == fake_replies(FakeAsterisk(), commands)


def test_questions_that_nobody_answers(real: RealCall, tone: str) -> None:
    commands = [
        f'STREAM FILE {tone} "0123456789*#" 0',
        f"GET DATA {tone} 300 1",
        f"GET DATA {tone} 300 5",
        "WAIT FOR DIGIT 200",
        f"GET DATA {tone}-missing 300 1",
        f'STREAM FILE {tone}-missing "" 0',
    ]
    fake = FakeAsterisk(["", "", ""], missing_sounds=("-missing",))
    assert replies(real.connection, commands) == fake_replies(fake, commands)


def test_questions_that_are_answered(real: RealCall, tone: str) -> None:
    commands = [
        f"GET DATA {tone} 3000 1",
        f"GET DATA {tone} 3000 1",
        f"GET DATA {tone} 3000 5",
        f"GET DATA {tone} 600 5",
    ]
    answers = ["1", "#", "12#", "34*"]
    real.line.do(lambda channel: channel.exec("SendDTMF", "1w#w12#w34*,120,150"), timeout=None)
    assert replies(real.connection, commands) == fake_replies(FakeAsterisk(answers), commands)


def test_a_recording_that_ends_by_key_and_by_time_and_one_that_goes_on(real: RealCall, tmp_path: Path) -> None:
    where = tmp_path / "rec"
    commands = [
        f"EXEC Record {where}1.wav,9,9,kq",
        "GET VARIABLE RECORD_STATUS",
        f"EXEC Record {where}2.wav,9,1,kq",
        "GET VARIABLE RECORD_STATUS",
        f"EXEC Record {where}2.wav,9,1,akq",
    ]
    moves = [Speaks(1, "dtmf"), Speaks(1, "timeout"), Speaks(1, "timeout")]
    real.line.do(lambda channel: channel.exec("SendDTMF", "w#,120,150"), timeout=None)
    fake = FakeAsterisk(moves)
    assert replies(real.connection, commands) == fake_replies(fake, commands)
    assert (tmp_path / "rec1.wav").stat().st_size > 44
    assert audio.duration(tmp_path / "rec2.wav") == pytest.approx(2, abs=0.3), "the second went on behind the first"


def test_a_hangup_is_announced_and_ends_the_connection(real: RealCall, tone: str) -> None:
    real.line.hang_up()
    wait_until(lambda: real.line.ended.is_set(), 5, "hung up")
    commands = ["NOOP", f"GET DATA {tone} 300 1", 'EXEC MSet "A=1"', "SET VARIABLE A 2"]
    # Nothing is sent: to write on a connection that is closed there could wipe out what has not been read here.
    with real.connection.makefile("rb") as stream:
        assert set(stream.read().decode().splitlines()) == {"HANGUP"}
    assert fake_replies(FakeAsterisk(hang_up_at=1), commands) == ["HANGUP", "closed"]


def test_without_our_dialplans_wish_a_dead_channel_still_takes_some_commands(
    asterisk_under_test: AsteriskUnderTest, public_network: PublicNetwork, tone: str
) -> None:
    listener = socket.create_server((asterisk_under_test.settings.agi_host, asterisk_under_test.settings.agi_port))
    with listener:
        listener.settimeout(10)
        asterisk_under_test.manager.send(
            "Originate", Channel="Local/s@acd-agent-wait/n", Application="AGI", Async="true",
            Data=f"agi://{asterisk_under_test.settings.agi_host}:{asterisk_under_test.settings.agi_port}/contract",
        )  # fmt: skip
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(20)
            agi = SafeAgi(connection)
            agi.read_header()
            asterisk_under_test.manager.send("Hangup", Channel=agi.env["agi_channel"])
            wait_until(lambda: _notices(agi), 5, "the hangup is announced")
            commands = [f"GET DATA {tone} 300 1", 'EXEC MSet "A=1"', "SET VARIABLE A 2", "GET VARIABLE A"]
            answered = replies(connection, commands)
    fake = FakeAsterisk(hang_up_at=1, exits_on_hangup=False)
    assert answered == fake_replies(fake, ["NOOP", *commands])[2:]


def _notices(agi: SafeAgi) -> bool:
    agi.call_command("NOOP")
    return agi.ended


def test_a_hangup_during_a_question(real: RealCall, tone: str) -> None:
    threading.Timer(0.5, real.line.hang_up).start()
    with pytest.raises(Hangup):
        real.agi.ask(tone, 1, 10_000)
    assert real.agi.ended


def test_a_missing_file_is_not_taken_for_a_hangup(real: RealCall) -> None:
    with pytest.raises(SoundMissing):
        real.agi.play("/nowhere/at/all")
    assert real.agi.wait_key(50) == ""


VALUES = [
    "plain",
    'quo"te',
    "back\\slash",
    "com,ma",
    ";",
    "a&b|c",
    "停水了",
    "${EXTEN}",
    "x=y",
    " lead",
    "(a",
    "b)",
    "[c",
    "d]",
]


def test_any_value_reaches_a_variable_as_it_was(real: RealCall) -> None:
    arrived = {}
    for value in VALUES:
        real.agi.set_variables(FIRST="1", VALUE=value, LAST="3")
        real.agi.set_variable("ALONE", value)
        arrived[value] = tuple(real.agi.get_variable(name) for name in ("VALUE", "LAST", "ALONE"))
    assert arrived == {value: (value, "3", value) for value in VALUES}


def test_a_user_event_arrives_with_its_values(real: RealCall, asterisk_under_test: AsteriskUnderTest) -> None:
    real.agi.user_event("HotlineVoicemail", Call="c1", File="/x/y, z.wav", Status='a"b')
    event = asterisk_under_test.manager.wait_event("HotlineVoicemail", 5, Call="c1")
    assert (event["File"], event["Status"]) == ("/x/y, z.wav", 'a"b')


def test_the_header_of_a_real_call_is_understood(real: RealCall) -> None:
    assert real.agi.number == "13800138000"
    assert real.agi.call.startswith("test-")
    assert real.agi.env["agi_network_script"] == "voice_menu"


def test_the_header_of_a_real_call_is_as_long_as_the_door_expects(real: RealCall) -> None:
    shortest = {
        "agi_channel": "",
        "agi_request": "",
        "agi_version": "18.0.0",
        "agi_uniqueid": "1.1",
        "agi_callerid": "1",
    }
    lines = {**real.agi.env, **shortest, "agi_context": "a", "agi_extension": "s"}
    assert sum(len(f"{name}: {value}\n") for name, value in lines.items()) >= SHORTEST_HEADER
