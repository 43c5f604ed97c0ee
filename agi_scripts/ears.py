"""The ears of the voice menu: as many callers as the settings allow say what they would press; the others press.

An ear is a channel of its own that listens to the caller's (dialplan/ear.conf) and sends what it hears to a door on
this machine. Whatever becomes of it, or of the recogniser, the caller's channel knows nothing of it.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from pathlib import Path
from queue import SimpleQueue
from uuid import UUID

import structlog

from app.speech.model import HeardWord
from app.speech.recognizer import NotHeard, Recognizer
from ivr import audio

from . import metrics
from .audio_socket import AudioSocket, NoAudioSocket
from .ear import DEAF, Asked, Ear, Listens, OwnWords
from .keypad import Keypad
from .safe_agi import SafeAgi
from .threads import Threads

log = structlog.get_logger(__name__)

MOST_SENTENCES = 500
Sentence = tuple[str, str, tuple[str, ...]]
"""Language, file, and what is listened for in it."""
PIECE = audio.RATE
"""Samples of our own sentences that are asked about at once, so that callers are hardly waited with."""


class Ears:
    """All ears of one process. `most` at once; `keypad` is told to press, and tells what was pressed."""

    def __init__(self, recognizer: Recognizer, keypad: Keypad, host: str, most: int) -> None:
        self._recognizer, self._keypad, self._host, self._most = recognizer, keypad, host, most
        self._door: socket.socket | None = None
        self._threads = Threads("ear")
        self._lock = threading.Lock()
        self._by_id: dict[UUID, Ear] = {}
        self._by_channel: dict[str, Ear] = {}
        self.own_voice = OwnSentences(recognizer)

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that are understood."""
        return tuple(self._recognizer.languages)

    @property
    def running(self) -> int:
        """Ears that are there now."""
        return len(self._by_id)

    def start(self) -> None:
        """Opens the door, on any free port: Asterisk is told of it with each ear. Raises OSError."""
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        door = socket.socket(family, socket.SOCK_STREAM)
        try:
            door.bind((self._host, 0))
            door.listen(128)
        except OSError:
            door.close()
            raise
        self._door = door
        self._keypad.pressed = self._pressed
        threading.Thread(target=self._at_the_door, args=(door,), name="ears", daemon=True).start()
        self.own_voice.start()

    def stop(self) -> None:
        """Lets go of everybody."""
        door, self._door = self._door, None
        if door is not None:
            with contextlib.suppress(OSError):
                door.shutdown(socket.SHUT_RDWR)
            door.close()
        for ear in list(self._by_id.values()):
            ear.close()
        self.own_voice.stop()
        self._threads.close()
        self._keypad.close()
        self._recognizer.close()

    def take(self, agi: SafeAgi) -> Listens:
        """An ear for this caller; a deaf one if all are taken. It begins by itself; nobody waits for it."""
        door = self._door
        if door is None:
            return DEAF
        host, port = door.getsockname()[:2]
        where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        channel = agi.env.get("agi_channel", "")
        ear = Ear(agi.call, channel, where, self._recognizer, self._keypad, self.own_voice)
        with self._lock:
            if len(self._by_id) >= self._most:
                metrics.SPOKEN.labels("all_taken").inc()
                return DEAF
            self._by_id[ear.id] = self._by_channel[channel] = ear
        try:
            self._threads.run(lambda: self._run(ear))
        except RuntimeError:  # no more threads
            self._gone(ear)
            return DEAF
        return ear

    def _run(self, ear: Ear) -> None:
        try:
            ear.run()
        finally:
            self._gone(ear)

    def _gone(self, ear: Ear) -> None:
        with self._lock:
            self._by_id.pop(ear.id, None)
            if self._by_channel.get(ear.channel) is ear:
                del self._by_channel[ear.channel]

    def _pressed(self, channel: str, key: str) -> None:
        ear = self._by_channel.get(channel)
        if ear is not None:
            ear.pressed(key)

    def _at_the_door(self, door: socket.socket) -> None:
        while self._door is door:
            try:
                connection, _ = door.accept()
            except OSError as error:
                if self._door is not door:
                    return
                log.error("the sound of a caller is not let in", error=str(error))
                threading.Event().wait(0.05)
                continue
            sound = AudioSocket(connection)
            try:
                ear = self._by_id.get(sound.ident())
            except NoAudioSocket as why:
                log.warning("a stranger at the door of the ears", problem=str(why))
                ear = None
            if ear is None or not ear.arrive(sound):
                sound.end()
                connection.close()


class OwnSentences:
    """The words that a recogniser hears in our own sentences, found once for each on a thread of its own."""

    def __init__(self, recognizer: Recognizer) -> None:
        self._recognizer = recognizer
        self._known: dict[Sentence, OwnWords] = {}
        self._asked: set[Sentence] = set()
        self._wanted: SimpleQueue[Asked | None] = SimpleQueue()

    def start(self) -> None:
        """Begins to listen."""
        threading.Thread(target=self._work, name="own-voice", daemon=True).start()

    def stop(self) -> None:
        """Ends it."""
        self._wanted.put(None)

    def words(self, asked: Asked) -> OwnWords | None:
        """See the port; a sentence that nobody knows yet is listened to from now on."""
        if not asked.file:
            return ()
        key = _sentence(asked)
        known = self._known.get(key)
        if known is None and not asked.passing:
            self.learn(asked)
        return known

    def learn(self, asked: Asked) -> None:
        """The sentence will be known in a while."""
        key = _sentence(asked)
        if asked.file and key not in self._asked and len(self._asked) < MOST_SENTENCES:
            self._asked.add(key)
            self._wanted.put(asked)

    def _work(self) -> None:
        while (asked := self._wanted.get()) is not None:
            key = _sentence(asked)
            try:
                self._known[key] = self._heard(asked)
            except (NotHeard, ValueError, audio.AudioError) as why:
                self._asked.discard(key)  # the next caller who says something has it tried again
                log.info("a sentence of ours is not known", problem=type(why).__name__)

    def _heard(self, asked: Asked) -> list[HeardWord]:
        """Raises NotHeard, AudioError."""
        sound = audio.read(Path(f"{asked.file}.wav"))
        hearing = self._recognizer.open(audio.RATE, asked.language, asked.commands.phrases)
        words: list[HeardWord] = []
        for at in range(0, len(sound), PIECE):
            words += [word for said in hearing.feed(sound[at : at + PIECE]).said for word in said.words]
        return [*words, *(word for said in hearing.finish().said for word in said.words)]


def _sentence(asked: Asked) -> Sentence:
    return asked.language, asked.file, asked.commands.phrases
