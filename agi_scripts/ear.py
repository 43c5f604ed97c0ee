"""One caller's ear: what they say at a question, as the key that they would have pressed.

It lies beside the call, on a thread of its own. The script says what may be said now (`listen`), or that nothing is
being asked (`deaf`), and waits for nothing: a word becomes a key on the caller's channel, so that the script hears of
both in the same way. Nothing that is heard is kept or logged.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import structlog

from app.speech.model import HeardWord, Samples, Utterance
from app.speech.recognizer import Hearing, NotHeard, Recognizer
from ivr.audio import RATE
from ivr.commands import Commands

from . import metrics
from .audio_socket import AudioSocket
from .keypad import EAR_S, Keypad

log = structlog.get_logger(__name__)

SURE = 0.7
"""Below this confidence (0 to 1) a word is no key: whoever was not understood presses, or says it again."""
LOUD, LOUD_FRAMES = 180.0, 5
"""So many frames of 20 ms must have been louder than -45 dB since the last word: who is silent chooses nothing,
whatever a recogniser makes of a line's hum."""
LATE_S = 2.0
"""A recogniser that takes longer over a piece of sound is overloaded: what has been said meanwhile is let go."""
BEFORE_MS, ECHO_MS, AFTER_MS = 300, 600, 1000
"""A word that we say ourselves comes back from a caller's loudspeaker within ECHO_MS of its beginning. Somebody who
repeats it is later; up to AFTER_MS behind its end they are told by saying nothing else, as our sentences do."""
OwnWords = Sequence[HeardWord]


@dataclass(eq=False)
class Asked:
    """A question that is being asked. `file` is what is played meanwhile (absolute, without suffix), "" for nothing;
    one that is `passing` was made for this caller alone."""

    commands: Commands
    language: str
    file: str = ""
    passing: bool = False
    began: float = field(default_factory=time.monotonic)
    given_up: bool = False
    pressed: str = ""
    """What the ear itself has pressed."""

    def plays_ms(self) -> int:
        """How long the sentence lasts that is spoken now; 0 if nothing is, or it is gone again."""
        try:
            return (Path(f"{self.file}.wav").stat().st_size - 44) * 1000 // (2 * RATE) if self.file else 0
        except OSError:
            return 0


class OwnVoice(Protocol):
    """What the hotline's own sentences sound like to a recogniser."""

    def words(self, asked: Asked) -> OwnWords | None:
        """The words that it hears in the sentence that is being played; None as long as nobody knows."""


class Listens(Protocol):
    """What a conversation needs of an ear. Nothing here waits or raises."""

    def hears(self, language: str) -> bool:
        """Whether somebody really listens to who speaks this language."""

    def listen(self, asked: Asked) -> None:
        """From now on this is asked."""

    def deaf(self) -> None:
        """Nothing is being asked."""

    def close(self) -> None:
        """The menu is over."""


class Deaf:
    """Nobody listens."""

    def hears(self, language: str) -> bool:
        return False

    def listen(self, asked: Asked) -> None:
        pass

    def deaf(self) -> None:
        pass

    def close(self) -> None:
        pass


DEAF = Deaf()


class Ear:
    """See the module's text. `where` (host:port) is the door at which its sound arrives, to be handed to `arrive`."""

    def __init__(
        self, call: str, channel: str, where: str, recognizer: Recognizer, keypad: Keypad, own_voice: OwnVoice
    ) -> None:
        self.id = uuid.uuid4()
        self.call, self.channel = call, channel
        self._where, self._recognizer, self._keypad, self._own_voice = where, recognizer, keypad, own_voice
        self._asked: Asked | None = None
        self._sound: AudioSocket | None = None
        self._here = threading.Event()
        self._closed = False
        self._over = False
        self._door = threading.Lock()

    # -- for the script, from its thread ------------------------------------------------------------------------------

    def hears(self, language: str) -> bool:
        return self._sound is not None and not self._closed and language in self._recognizer.languages

    def listen(self, asked: Asked) -> None:
        self._asked = asked if asked.language in self._recognizer.languages else None

    def deaf(self) -> None:
        self._asked = None

    def close(self) -> None:
        self._asked = None
        self._closed = True
        self._here.set()
        if self._sound is not None:
            self._sound.end()

    # -- for the door and the manager line ----------------------------------------------------------------------------

    def arrive(self, sound: AudioSocket) -> bool:
        """Its sound has come in; False if it isn't wanted (any more)."""
        with self._door:
            if self._over or self._closed or self._sound is not None:
                return False
            self._sound = sound
        self._here.set()
        return True

    def pressed(self, key: str) -> None:
        """The caller's channel got a key. Whoever presses is not listened to until the next question: they may well
        read aloud what they press."""
        asked = self._asked
        if asked is not None and key not in asked.pressed:
            self._asked = None

    # -- the ear's own thread -----------------------------------------------------------------------------------------

    def run(self) -> None:
        """Until the menu is over or the caller gone."""
        try:
            if self._keypad.spy(self.call, str(self.id), self._where):
                self._here.wait(EAR_S)
            if self._sound is not None:
                self._hear(self._sound)
            elif not self._closed:
                metrics.SPOKEN.labels("no_ear").inc()
        finally:
            self.close()
            with self._door:
                self._over = True
            if self._sound is not None:
                self._sound.close()

    def _hear(self, sound: AudioSocket) -> None:
        hearing: Hearing | None = None
        asked: Asked | None = None
        began_ms = loud = 0
        while not self._closed and (samples := sound.read()) is not None:
            if self._asked is not asked:
                _drop(hearing)
                asked, hearing, loud = self._asked, None, 0
            if asked is None or asked.given_up:
                continue
            began = time.monotonic()
            try:
                if hearing is None:
                    began_ms = round((began - asked.began) * 1000)
                    hearing = self._recognizer.open(RATE, asked.language, asked.commands.phrases)
                loud += loud_frames(samples)
                for said in hearing.feed(samples).said:
                    if loud < LOUD_FRAMES:
                        self._nothing("silence")
                    else:
                        self._said(asked, said, began_ms)
                    loud = 0
            except (NotHeard, ValueError) as why:
                # This question takes keys alone; the next one is another try.
                asked.given_up, hearing = True, None
                metrics.SPOKEN.labels("not_heard").inc()
                log.info("a question is not listened to", call=self.call, why=str(getattr(why, "trouble", why)))
            if time.monotonic() - began > LATE_S:
                self._nothing("late")
                sound.skip()
                _drop(hearing)
                hearing = None
        _drop(hearing)

    def _said(self, asked: Asked, said: Utterance, began_ms: int) -> None:
        keys = asked.commands.meant([word.text for word in said.words], more=said.more)
        if not keys or self._asked is not asked:
            self._nothing("unclear")
        elif said.confidence < SURE:
            self._nothing("unsure")
        elif is_ours(said, began_ms, self._own_voice.words(asked), asked.plays_ms()):
            self._nothing("our_own")
        else:
            self._press(asked, keys)

    def _nothing(self, why: str) -> None:
        metrics.SPOKEN.labels(why).inc()
        log.info("what was said is no key", call=self.call, why=why)

    def _press(self, asked: Asked, keys: str) -> None:
        most = asked.commands.most
        if most and keys.isdecimal():
            # A part of a number; said in full it needs no # any more.
            if len(asked.pressed) + len(keys) > most:
                return
            keys += "#" * (len(asked.pressed) + len(keys) == most)
            asked.pressed += keys
        if not asked.pressed or keys.endswith("#"):
            self._asked = None  # it has been answered: what else is said belongs to no question
        metrics.SPOKEN.labels("pressed" if self._keypad.press(self.channel, keys) else "not_pressed").inc()


def loud_frames(samples: Samples) -> int:
    """How many frames of 20 ms are as loud as speech."""
    size = RATE // 50
    frames = samples[: len(samples) // size * size].reshape(-1, size).astype(np.float64)
    return int(np.count_nonzero(np.sqrt(np.mean(frames**2, axis=1)) > LOUD)) if len(frames) else 0


def is_ours(said: Utterance, began_ms: int, ours: OwnWords | None, plays_ms: int) -> bool:
    """Whether this is our own voice, out of the caller's loudspeaker: the same words at the same time.

    `ours`: the words of what is being played, which lasts `plays_ms`; None if they are not known, and then whatever is
    more than a word alone is ours. Moments of `said` are counted from `began_ms` after the sentence began.
    """
    if ours is None:
        return said.more and plays_ms > 0 and said.start_ms + began_ms < plays_ms + AFTER_MS

    def is_echo(word: HeardWord, own: HeardWord) -> bool:
        late_ms = word.start_ms + began_ms - own.start_ms
        latest_ms = own.end_ms - own.start_ms + AFTER_MS if said.more else ECHO_MS
        return word.text == own.text and -BEFORE_MS <= late_ms <= latest_ms

    return all(any(is_echo(word, own) for own in ours) for word in said.words)


def _drop(hearing: Hearing | None) -> None:
    if hearing is not None:
        hearing.drop()
