"""The port to speech recognition, and how it may fail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from app.speech.model import Samples, Utterance


class Trouble(StrEnum):
    """Why nothing was heard."""

    no_model = "no_model"  # the settings name none for this language
    bad_model = "bad_model"  # there is none where they say, or it cannot be read
    died = "died"  # the process ended over it
    frozen = "frozen"  # it took too long, and was ended
    crowded = "crowded"  # too many are waiting
    resting = "resting"  # it ended again and again, and is not started for a while
    stopping = "stopping"


class NotHeard(Exception):
    """Recognition failed; whoever wanted the words goes on without. `detail` says of what, never what was said."""

    def __init__(self, trouble: Trouble, detail: str = "") -> None:
        super().__init__(f"{trouble.value}: {detail}" if detail else trouble.value)
        self.trouble, self.detail = trouble, detail

    @property
    def sound_is_to_blame(self) -> bool:
        """Whether it may have to do with what was to be heard; else it is the recogniser's own trouble."""
        return self.trouble in (Trouble.died, Trouble.frozen)


@dataclass(frozen=True)
class SoFar:
    """What has been said since the last question, and what is believed to be said at this moment."""

    said: tuple[Utterance, ...] = ()
    partial: str = ""


class Hearing(Protocol):
    """One stretch of sound that is being listened to. Every function blocks, and raises NotHeard."""

    def feed(self, samples: Samples) -> SoFar:
        """Go on with so much sound."""

    def finish(self) -> SoFar:
        """There is no more; the hearing is over."""

    def drop(self) -> None:
        """It is not wanted any more. Raises nothing."""


class Recognizer(Protocol):
    """Makes words of sound. Safe to use from every thread."""

    @property
    def languages(self) -> Sequence[str]:
        """The languages that it knows."""

    def open(self, rate: int, language: str, grammar: Sequence[str] = ()) -> Hearing:
        """Begin to listen; with a `grammar` for nothing but these phrases. Raises NotHeard, ValueError (grammar)."""

    def close(self) -> None:
        """End everything; whoever waits is told that it is stopping."""
