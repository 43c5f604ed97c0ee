"""Speaking with one caller: prompts in the caller's language, keys that may come at any time, questions.

Keys typed ahead are kept: pressed during one sentence they answer the next question without it being asked.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from typing import TypeVar

import structlog

from ivr.commands import NONE, Commands

from .ear import DEAF, Asked, Listens
from .errors import SoundMissing
from .guarded import Guarded, Unanswered
from .hearing import Hearing
from .safe_agi import ALL_KEYS, SafeAgi
from .sounds import Sounds
from .threads import Answer

log = structlog.get_logger(__name__)
T = TypeVar("T")

PLAIN_PATH = re.compile(r"/[A-Za-z0-9_./+-]+")
AT_ONCE_S = 0.04
"""An answer of the domain that comes this quickly is told without a sentence to bridge the wait."""
LISTEN_MS = 100


class Conversation:
    """One caller on one AGI connection."""

    def __init__(self, agi: SafeAgi, sounds: Sounds, language: str = "zh", ear: Listens = DEAF) -> None:
        self.agi = agi
        self.ear = ear
        self.sounds = sounds
        self.language = language
        self.hearing = Hearing(agi)
        self.ahead = ""
        """Keys that were pressed and not yet used."""

    def say(self, *prompts: str) -> None:
        """Plays `prompts` to their end; keys are ignored. Raises Hangup."""
        self.hearing.begins()
        self._play(prompts, "")
        self.hearing.goes_on()

    def lasting_file(self, prompts: Sequence[str]) -> str:
        """The file (absolute, without suffix) that says `prompts`, if somebody else may play it later: it stays, and
        its name means nothing else to the dialplan. "" otherwise."""
        if self.sounds.passes(prompts):
            return ""
        file, _ = self.sounds.file(self.language, prompts)
        return file if file and PLAIN_PATH.fullmatch(file) else ""

    def say_listening(self, *prompts: str) -> bool:
        """Plays `prompts` until a key, which is kept for the next question; True if they were heard to the end."""
        if self.ahead:
            return False
        key = self._play(prompts, ALL_KEYS)
        self.ahead += key
        return not key

    def ask(
        self, prompts: Sequence[str], most: int = 1, timeout_ms: int = 3000, said: Commands = NONE
    ) -> tuple[str, bool]:
        """Asks for up to `most` digits: (digits, ended by #). ("", False) is silence.

        What is `said` instead comes as the digits that it stands for, if somebody listens. For one key the answer is
        the key itself, # included: ("#", True). Raises Hangup.
        """
        digits = ""
        if self.ahead:
            self.hearing.passed_over()
            digits, ended = self._take_ahead(most)
            if ended or len(digits) >= most:
                return digits, ended
            prompts, said = ("pause",), NONE
        self.hearing.begins()
        more, ended = self._ask(prompts, most - len(digits), timeout_ms, said)
        self.hearing.goes_on()
        if most == 1 and ended and not more:
            return "#", True
        return digits + more, ended

    def choose(self, prompts: Sequence[str], keys: str, wrong: str, tries: int = 3, timeout_ms: int = 4000) -> str:
        """Asks until one of `keys` is pressed; "" after silence or `tries` wrong keys."""
        said = tuple(prompts)
        for _ in range(tries):
            key, _ = self.ask(said, 1, timeout_ms)
            if not key or key in keys:
                return key
            said = (wrong, *prompts)
        return ""

    def wait_for(self, what: str, answer: Answer[T], deadline_s: float, prompts: Sequence[str], guarded: Guarded) -> T:
        """The domain's answer; while it is awaited the caller hears `prompts` and may type ahead.

        Raises Unanswered, Hangup.
        """
        until = time.monotonic() + deadline_s
        if not answer.is_known(AT_ONCE_S):
            self.say_listening(*prompts)
            while not answer.is_known() and time.monotonic() < until:
                self.ahead += self.agi.wait_key(LISTEN_MS)
        return guarded.result(what, answer, max(0.0, until - time.monotonic()))

    def _take_ahead(self, most: int) -> tuple[str, bool]:
        if most == 1:
            key, self.ahead = self.ahead[0], self.ahead[1:]
            return key, key == "#"
        number, found, rest = self.ahead.partition("#")
        if len(number) > most:
            number, rest, found = number[:most], number[most:] + found + rest, ""
        self.ahead = rest
        return number, bool(found)

    def _ask(self, prompts: Sequence[str], most: int, timeout_ms: int, said: Commands) -> tuple[str, bool]:
        file, passing = self.sounds.file(self.language, prompts) if prompts else (None, False)
        if file is None and most > 1:
            file, _ = self.sounds.file(self.language, ("pause",))
        if said:
            self.ear.listen(Asked(said, self.language, file or "", passing))
        try:
            if file is not None:
                return self.agi.ask(file, most, timeout_ms)
            return self._listen(most, timeout_ms)
        except SoundMissing as error:
            log.error("sound can't be played", call=self.agi.call, file=file)
            self.sounds.forget()
            self.ahead += error.key
            return self._listen(most, timeout_ms)
        finally:
            self.ear.deaf()
            if file is not None and passing:
                self.sounds.discard(file)

    def _listen(self, most: int, timeout_ms: int) -> tuple[str, bool]:
        """Takes keys one by one, for when there is nothing to play."""
        digits = ""
        while len(digits) < most:
            key, self.ahead = self.ahead[:1], self.ahead[1:]
            key = key or self.agi.wait_key(timeout_ms)
            if key in ("", "#"):
                return digits, key == "#"
            digits += key
        return digits, False

    def _play(self, prompts: Sequence[str], keys: str) -> str:
        file, passing = self.sounds.file(self.language, prompts)
        if file is None:
            return ""
        try:
            return self.agi.play(file, keys)[0]
        except SoundMissing as error:
            log.error("sound can't be played", call=self.agi.call, file=file)
            self.sounds.forget()
            return error.key
        finally:
            if passing:
                self.sounds.discard(file)


__all__ = ["Conversation", "Unanswered"]
