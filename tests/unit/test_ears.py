"""The ears of the voice menu without an Asterisk: sound on a socket, a played recogniser, keys that are noted."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from agi_scripts import ear as ear_module
from agi_scripts.audio_socket import END, FRAMES_AT_ONCE, IDENT, SOUND, AudioSocket
from agi_scripts.conversation import Conversation
from agi_scripts.ear import DEAF, Asked, Ear
from agi_scripts.ears import Ears
from agi_scripts.keypad import ManagerKeypad
from agi_scripts.voice_menu import walk
from app.speech.model import HeardWord, Samples, Utterance
from app.speech.recognizer import NotHeard, SoFar, Trouble
from ivr import audio
from ivr import flow as flow_module
from ivr.commands import commands_at
from tests.peers.waiting import wait_until
from tests.unit.agi_world import World, heard, speaking_home

FLOW = flow_module.shipped()
CHANNEL = "PJSIP/trunk-00000001"
LOUD = 1000


class Recognizer:
    """Understands of a frame of nothing but n's what `means[n]` says; a frame of nothing but -1 kills it."""

    languages = ("zh",)

    def __init__(self) -> None:
        self.means: dict[int, Utterance] = {}
        self.opened: list[tuple[str, ...]] = []
        self.fed: set[int] = set()
        self.dropped = 0
        self.trouble: Trouble | None = None

    def open(self, rate: int, language: str, grammar: tuple[str, ...] = ()) -> Recognizer:
        if self.trouble is not None:
            raise NotHeard(self.trouble)
        self.opened.append(grammar)
        return self

    def feed(self, samples: Samples) -> SoFar:
        samples = np.where(samples >= LOUD, samples // LOUD, samples)
        self.fed |= {int(n) for n in np.unique(samples)}
        if -1 in samples:
            raise NotHeard(Trouble.died)
        return SoFar(tuple(self.means[n] for n in np.unique(samples) if int(n) in self.means))

    def finish(self) -> SoFar:
        return SoFar()

    def drop(self) -> None:
        self.dropped += 1

    def close(self) -> None:
        pass


@dataclass
class Asterisk:
    """The manager line and the channel that listens, played: each ear that is wanted comes to the door as `calls`."""

    works: bool = True
    keys: list[tuple[str, str]] = field(default_factory=list)
    calls: list[Far] = field(default_factory=list)
    pressed: Callable[[str, str], None] = lambda _channel, _key: None

    def spy(self, caller: str, ear: str, where: str) -> bool:
        if self.works:
            self.calls.append(Far(where, uuid.UUID(ear)))
        return self.works

    def press(self, channel: str, keys: str) -> bool:
        self.keys.append((channel, keys))
        for key in keys:
            self.pressed(channel, key)
        return True

    def close(self) -> None:
        pass


class Far:
    """Asterisk's end of an AudioSocket."""

    def __init__(self, where: str, name: uuid.UUID | None) -> None:
        host, _, port = where.rpartition(":")
        self.socket = socket.create_connection((host, int(port)), 5)
        if name is not None:
            self.socket.sendall(bytes((IDENT, 0, 16)) + name.bytes)

    def says(self, what: int, frames: int = FRAMES_AT_ONCE) -> None:
        """So many frames of nothing but `what`, words (1 to 9) loudly."""
        what *= LOUD if 0 < what < 10 else 1
        self.socket.sendall((bytes((SOUND, 1, 64)) + np.full(160, what, "<i2").tobytes()) * frames)

    def is_ended(self) -> bool:
        """Whether the ear has said good-bye; waits for it."""
        try:
            while (data := self.socket.recv(3 + 320))[:1] == bytes((SOUND,)):
                pass  # a sign of life
            return data[:1] in (b"", bytes((END,)))
        except ConnectionResetError:
            return True


@pytest.fixture
def asterisk() -> Iterator[Asterisk]:
    made = Asterisk()
    yield made
    for far in made.calls:
        far.socket.close()


@pytest.fixture
def recognizer() -> Recognizer:
    made = Recognizer()
    spoken = {1: "人工", 2: "投诉", 3: "二", 4: "零", 5: "六"}
    made.means = {n: Utterance((HeardWord(word, 0, 400, 1.0),)) for n, word in spoken.items()}
    made.means[6] = Utterance((HeardWord("人工", 0, 400, ear_module.SURE - 0.01),))
    made.means[8] = Utterance((HeardWord("人工", 0, 400, 1.0),), more=True)
    made.means[9] = Utterance((HeardWord("人工", 0, 5000, 1.0),))
    made.means[7] = Utterance((HeardWord("人工", 0, 400, 1.0), HeardWord("投诉", 400, 800, 1.0)))
    return made


@pytest.fixture
def ears(asterisk: Asterisk, recognizer: Recognizer) -> Iterator[Ears]:
    made = Ears(recognizer, asterisk, "127.0.0.1", 2)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """What has been read from the sockets."""
    found: set[int] = set()
    read = AudioSocket.read

    def noted(sound: AudioSocket) -> Samples | None:
        samples = read(sound)
        found.update(() if samples is None else (int(n) for n in np.unique(samples)))
        return samples

    monkeypatch.setattr(AudioSocket, "read", noted)
    return found


def passed(far: Far, taken: set[int], marks: Iterator[int] = itertools.count(100)) -> None:
    """Until what was said before is past: what comes after it has been read, twice."""
    for mark in itertools.islice(marks, 2):
        far.says(mark)
        wait_until(lambda mark=mark: mark in taken, 5, "the sound to be read")


def caller(number: int = 1) -> Any:
    return SimpleNamespace(call=f"hotline1-{number}.1", env={"agi_channel": f"PJSIP/trunk-0000000{number}"})


def begun(ears: Ears, asterisk: Asterisk) -> tuple[Ear, Far]:
    """An ear whose sound has arrived."""
    ear = ears.take(caller())
    wait_until(lambda: asterisk.calls and ear.hears("zh"), 5, "the ear")
    assert isinstance(ear, Ear)
    return ear, asterisk.calls[-1]


def asked(node: str = "main", **more: Any) -> Asked:
    return Asked(commands_at(FLOW, FLOW.nodes[node], "zh"), "zh", **more)


def keys(asterisk: Asterisk, count: int) -> list[str]:
    wait_until(lambda: len(asterisk.keys) >= count, 5, "the key")
    assert {channel for channel, _ in asterisk.keys} == {CHANNEL}
    return [key for _, key in asterisk.keys]


def test_what_is_said_at_a_question_is_a_key_and_nothing_is_heard_when_none_is_asked(
    ears: Ears, asterisk: Asterisk, recognizer: Recognizer, taken: set[int]
) -> None:
    ear, far = begun(ears, asterisk)
    assert not ear.hears("en"), "no model speaks it"
    far.says(1)
    passed(far, taken)
    ear.listen(asked())
    wait_until(lambda: 0 in recognizer.fed, 5, "a line that sends nothing is silent")
    far.says(2)
    assert keys(asterisk, 1) == ["1"]
    far.says(1)  # the question has been answered
    passed(far, taken)
    assert 1 not in recognizer.fed
    ear.listen(asked("welcome"))
    far.says(6)  # not sure enough
    far.says(7)  # two things at once
    far.says(1)
    assert keys(asterisk, 2) == ["1", "0"]
    assert "普通话" in recognizer.opened[-1]
    ear.listen(asked())
    recognizer.means[150] = recognizer.means[1]
    far.says(150)  # the hum of a line, whatever the recogniser makes of it
    passed(far, taken)
    ear.deaf()
    far.says(4)
    passed(far, taken)
    ear.close()
    assert far.is_ended()
    far.socket.close()
    wait_until(lambda: not ears.running, 5, "the place to be free")
    assert 4 not in recognizer.fed
    assert len(asterisk.keys) == 2
    assert recognizer.dropped >= 2, "no hearing is left open"


def test_a_number_is_said_in_pieces_and_ends_by_itself(ears: Ears, asterisk: Asterisk, taken: set[int]) -> None:
    ear, far = begun(ears, asterisk)
    question = asked("answer_number")  # 3 to 6 digits
    ear.listen(question)
    for count in range(1, 7):
        far.says(3)
        keys(asterisk, count)
    assert keys(asterisk, 6) == ["2", "2", "2", "2", "2", "2#"]
    ear.listen(asked("answer_number"))
    far.says(1)
    assert keys(asterisk, 7)[-1] == "*#"
    ear.listen(asked("answer_number"))
    asterisk.pressed(CHANNEL, "7")
    far.says(3)
    passed(far, taken)
    ear.listen(asked("answer_number"))
    far.says(5)
    assert keys(asterisk, 8)[-1] == "6", "who presses is not listened to: they may read aloud what they press"


def test_our_own_sentence_is_known_and_answers_nothing(
    ears: Ears, asterisk: Asterisk, taken: set[int], tmp_path: Any
) -> None:
    audio.write(tmp_path / "menu.wav", np.full(8000, 9 * LOUD, np.int16))
    ear, far = begun(ears, asterisk)
    question = asked(file=str(tmp_path / "menu"))
    ear.listen(question)
    far.says(8)  # nobody knows yet what is said there
    passed(far, taken)
    wait_until(lambda: ears.own_voice.words(question), 5, "the sentence to be known")
    ear.listen(asked(file=str(tmp_path / "menu")))
    far.says(8)
    passed(far, taken)
    far.says(2)
    assert keys(asterisk, 1) == ["1"], "投诉 is not what we say"
    ear.listen(asked(file=str(tmp_path / "gone"), passing=True))
    far.says(8)
    assert keys(asterisk, 2)[-1] == "0", "a file that is gone plays no more"


def test_a_recogniser_that_dies_hangs_or_is_away_costs_that_question_alone(
    ears: Ears, asterisk: Asterisk, recognizer: Recognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ear, far = begun(ears, asterisk)
    first = asked()
    ear.listen(first)
    far.says(-1)
    wait_until(lambda: first.given_up, 5, "the question to be given up")
    for trouble in (Trouble.crowded, Trouble.bad_model, Trouble.frozen):
        recognizer.trouble = trouble
        another = asked()
        ear.listen(another)
        far.says(1)
        wait_until(lambda another=another: another.given_up, 5, trouble.value)
    assert asterisk.keys == []
    recognizer.trouble = None
    ear.listen(asked())
    far.says(1)
    assert keys(asterisk, 1) == ["0"]
    # One that is late: what has been said meanwhile is let go, and the next word is heard anew.
    monkeypatch.setattr(ear_module, "LATE_S", -1.0)
    opened = len(recognizer.opened)
    ear.listen(asked())
    far.says(0)
    far.says(0)
    wait_until(lambda: len(recognizer.opened) >= opened + 2, 5, "it begins anew")


def test_as_many_as_the_settings_say_and_nobody_waits_for_an_ear_that_does_not_come(
    ears: Ears, asterisk: Asterisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = (ears.take(caller(number)) for number in (1, 2))
    assert ears.take(caller(3)) is DEAF
    for ear in (one, two):
        ear.close()
    for far in asterisk.calls:
        far.socket.close()
    wait_until(lambda: not ears.running, 5, "both places free")
    asterisk.works = False  # the manager line is away
    gone = ears.take(caller())
    gone.listen(asked())
    assert not gone.hears("zh")
    wait_until(lambda: not ears.running, 5, "the place free again")
    gone.close()
    ears.stop()
    assert ears.take(caller()) is DEAF


def test_whoever_hangs_up_while_listened_to_is_let_go_and_strangers_get_no_answer(
    ears: Ears, asterisk: Asterisk
) -> None:
    ear, far = begun(ears, asterisk)
    ear.listen(asked())
    far.says(0)
    where = "{}:{}".format(*far.socket.getpeername()[:2])
    far.socket.close()
    wait_until(lambda: not ears.running, 5, "it is over")
    assert not ear.hears("zh")
    for stranger in (Far(where, uuid.uuid4()), Far(where, None)):
        with contextlib.suppress(OSError):
            stranger.socket.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert stranger.is_ended()
        stranger.socket.close()
    ear.close()


def test_the_script_says_that_one_may_speak_only_where_somebody_listens_and_asks_what_may_be_said(
    tmp_path: Any,
) -> None:
    class Listening:
        def __init__(self, there: bool) -> None:
            self.there, self.asked = there, []

        def hears(self, language: str) -> bool:
            return self.there and language == "zh"

        def listen(self, asked: Asked) -> None:
            self.asked.append(asked)

        def deaf(self) -> None:
            self.asked.append(None)

        def close(self) -> None:
            pass

    world = World(speaking_home(tmp_path), tmp_path / "spool")

    def played(there: bool, *moves: str) -> tuple[list[str], Listening]:
        from tests.unit.agi_fake_asterisk import FakeAsterisk

        listening, line = Listening(there), FakeAsterisk(moves)
        assert line.run(lambda agi, services: walk(agi, services, listening), world.guarded) is None
        return heard(line), listening

    silent, _ = played(False, "1", "7", "0")
    assert silent[1:3] == ["main_menu", "joined"], "the second time: no such key, and the menu"
    spoken, ear = played(True, "1", "7", "0")
    assert spoken[1:3] == ["joined", "joined"], "hint and menu; then as before"
    assert [one is None for one in ear.asked] == [False, True] * 3
    assert "普通话" in ear.asked[0].commands.phrases
    assert "投诉" in ear.asked[2].commands.phrases
    assert ear.asked[4].file != ear.asked[2].file, "that one may speak is said once"
    english, _ = played(True, "3", "0")
    assert english[1] == "main_menu", "nobody understands English here"
    _, ear = played(True, "9", "110", "1")
    assert len([one for one in ear.asked if one]) == 3, "not in the middle of 110"
    assert Conversation(None, None).ear is DEAF  # type: ignore[arg-type]


class Manager:
    """A manager line that is played: what it was told, and what it tells."""

    def __init__(self, answer: str = "Success") -> None:
        self.door = socket.create_server(("127.0.0.1", 0))
        self.answer, self.told, self.lines = answer, b"", []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self.door.accept()
            except OSError:
                return
            self.lines.append(line)
            line.sendall(f"Asterisk Call Manager/9\r\nResponse: {self.answer}\r\nMessage: x\r\n\r\n".encode())
            threading.Thread(target=self._hear, args=(line,), daemon=True).start()

    def close(self) -> None:
        self.door.close()
        for line in self.lines:
            line.close()

    def _hear(self, line: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := line.recv(4096):
                self.told += data


def test_the_manager_line_presses_listens_for_keys_and_comes_back() -> None:
    manager = Manager()
    pressed: list[tuple[str, str]] = []
    keypad = ManagerKeypad("127.0.0.1", manager.door.getsockname()[1], "secret")
    keypad.pressed = lambda channel, key: pressed.append((channel, key))
    assert keypad.spy("hotline1-1.1", str(uuid.uuid4()), "127.0.0.1:4000")
    assert keypad.press(CHANNEL, "1#")
    wait_until(lambda: manager.told.count(b"\r\n\r\n") == 4, 5, "sign-in, an ear and two keys")
    actions = [
        dict(line.split(": ", 1) for line in one.split("\r\n")) for one in manager.told.decode().split("\r\n\r\n")[:4]
    ]
    assert [one["Action"] for one in actions] == ["Login", "Originate", "PlayDTMF", "PlayDTMF"]
    assert [(one["Channel"], one["Digit"], one["Receive"]) for one in actions[2:]] == [
        (CHANNEL, "1", "true"), (CHANNEL, "#", "true"),
    ]  # fmt: skip
    for channel, keys in (("PJSIP/x\r\nAction: Logoff", "1"), (CHANNEL, "1\r\n"), (CHANNEL, "a"), (CHANNEL, "")):
        assert not keypad.press(channel, keys)
    assert not keypad.spy("x\r\n", "y", "z")
    for name, key, direction in (("End", "4", "Received"), ("Begin", "5", "Sent"), ("Begin", "5", "Received")):
        event = f"Event: DTMF{name}\r\nChannel: {CHANNEL}\r\nDigit: {key}\r\nDirection: {direction}\r\n\r\n"
        manager.lines[0].sendall(event.encode())
    wait_until(lambda: pressed, 5, "the key")
    assert pressed == [(CHANNEL, "5")]
    # Asterisk starts anew: the next word is pressed on a new line.
    manager.lines[0].shutdown(socket.SHUT_RDWR)
    wait_until(lambda: keypad._line is None, 5, "the end of the line")
    assert keypad.press(CHANNEL, "0")
    wait_until(lambda: len(manager.lines) == 2, 5, "a new line")
    keypad.close()
    manager.close()
    refusing = Manager("Error")
    keypad = ManagerKeypad("127.0.0.1", refusing.door.getsockname()[1], "wrong")
    assert not keypad.press(CHANNEL, "0")
    assert not keypad.press(CHANNEL, "0")
    assert len(refusing.lines) == 1, "it rests, and nobody waits for it"
    keypad.close()
    refusing.close()
