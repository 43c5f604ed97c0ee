"""What a recogniser hears, what it may be asked, and what becomes of a job. Pure.

Moments are milliseconds from the beginning of what was heard.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int16]

SOURCE = "vosk"
"""Who wrote a text down, where a machine did."""
UNKNOWN = "[unk]"
MOST_PHRASES, LONGEST_PHRASE = 200, 100
BEYOND_MS = 1_000
"""So much more before and after a confidential part is not listened to: a word may begin within it."""
MOST_TRIES = 3
RESTS = (timedelta(minutes=1), timedelta(minutes=10))
"""Before the second and the third try."""
_NO_WORDS = frozenset({UNKNOWN, "<unk>", "<UNK>", "[noise]", "[laughter]", "<sil>", "!SIL"})


@dataclass(frozen=True)
class HeardWord:
    """A word, when it was said, and how sure that is (0 to 1)."""

    text: str
    start_ms: int
    end_ms: int
    confidence: float


@dataclass(frozen=True)
class Utterance:
    """What was said between two silences; `more`: besides, something that is none of the words."""

    words: tuple[HeardWord, ...]
    more: bool = field(default=False, compare=False)

    @property
    def text(self) -> str:
        """The words as one writes them."""
        return joined(word.text for word in self.words)

    @property
    def start_ms(self) -> int:
        """When it begins."""
        return self.words[0].start_ms

    @property
    def end_ms(self) -> int:
        """When it ends."""
        return self.words[-1].end_ms

    @property
    def confidence(self) -> float:
        """The mean of its words', by their length."""
        weights = [max(1, word.end_ms - word.start_ms) for word in self.words]
        total = sum(word.confidence * weight for word, weight in zip(self.words, weights, strict=True))
        return min(1.0, max(0.0, total / sum(weights)))


class JobKind(StrEnum):
    """Of what the words are wanted."""

    recording = "recording"
    voicemail = "voicemail"


class JobState(StrEnum):
    """Where a job is. Only `waiting` is worked on."""

    waiting = "waiting"
    done = "done"
    withheld = "withheld"  # asked for secrecy: nobody's machine listens
    gone = "gone"  # there is no sound (any more)
    given_up = "given_up"
    off = "off"  # no model speaks that language now


class JobEvent(StrEnum):
    """What happens to a job."""

    written = "written"
    secret = "secret"
    lost = "lost"
    failed = "failed"
    failed_again = "failed_again"  # for the last time
    unspoken = "unspoken"
    again = "again"  # somebody wants it tried anew


W = JobState.waiting
TRANSITIONS: Mapping[tuple[JobState, JobEvent], JobState] = {
    (W, JobEvent.written): JobState.done,
    (W, JobEvent.secret): JobState.withheld,
    (W, JobEvent.lost): JobState.gone,
    (W, JobEvent.failed): W,
    (W, JobEvent.failed_again): JobState.given_up,
    (W, JobEvent.unspoken): JobState.off,
    (JobState.given_up, JobEvent.again): W,
    (JobState.off, JobEvent.again): W,
}
"""(state, event) → state; whatever is not here changes nothing."""
del W


def joined(words: Iterable[str]) -> str:
    """Words as one writes them: a blank only between two that are written in letters (打 12345 to ask)."""
    text = ""
    for word in words:
        lettered = bool(text) and text[-1].isascii() and word[:1].isascii()
        text += f" {word}" if lettered else word
    return text


def utterance_of(told: str) -> Utterance | None:
    """vosk's result as what was said; None for silence, and for what is no result."""
    try:
        result = json.loads(told)
    except ValueError:
        return None
    found = [_word(one) for one in result.get("result") or ()] if isinstance(result, dict) else []
    words = tuple(word for word in found if word is not None)
    return Utterance(words, more=len(words) < len(found)) if words else None


def _word(one: Mapping[str, Any]) -> HeardWord | None:
    text = str(one.get("word", ""))
    if not text or text in _NO_WORDS:
        return None
    start = round(float(one["start"]) * 1000)
    return HeardWord(text, start, max(start, round(float(one["end"]) * 1000)), float(one.get("conf", 1.0)))


def words_of_partial(told: str) -> str:
    """What vosk believes to hear at this moment."""
    try:
        result = json.loads(told)
    except ValueError:
        return ""
    text = result.get("partial", "") if isinstance(result, dict) else ""
    return joined(word for word in str(text).split() if word not in _NO_WORDS)


def grammar_of(phrases: Sequence[str]) -> str:
    """The only phrases that shall be heard, as vosk takes them. Raises ValueError.

    vosk dies of a list that is empty or no list, and drops words in which it meets an escape; so nothing gets there
    that has not been here.
    """
    if isinstance(phrases, str) or not phrases:
        raise ValueError("a grammar is a list of at least one phrase")
    if len(phrases) > MOST_PHRASES:
        raise ValueError(f"a grammar has at most {MOST_PHRASES} phrases")
    clean = []
    for phrase in phrases:
        if not isinstance(phrase, str) or not phrase.strip() or len(phrase) > LONGEST_PHRASE:
            raise ValueError(f"a phrase has 1 to {LONGEST_PHRASE} characters")
        if not phrase.isprintable() or any(char in '"\\[]{}<>' for char in phrase):
            raise ValueError("a phrase consists of words alone")
        clean.append(" ".join(phrase.split()))
    return json.dumps([*dict.fromkeys(clean), UNKNOWN], ensure_ascii=False)


def hushed(samples: Samples, rate: int, spans: Iterable[tuple[int, int]]) -> Samples:
    """The sound with silence in these spans (ms) and a little around them; the sound itself is not changed."""
    quiet = samples
    for start, end in spans:
        since, until = (max(0, (moment * rate) // 1000) for moment in (start - BEYOND_MS, end + BEYOND_MS))
        if since < min(until, len(samples)):
            if quiet is samples:
                quiet = samples.copy()
            quiet[since:until] = 0
    return quiet


def outside(said: Sequence[Utterance], spans: Sequence[tuple[int, int]]) -> list[Utterance]:
    """What was said outside of these spans, word by word."""
    kept = (
        tuple(w for w in one.words if not any(w.start_ms < end and w.end_ms > start for start, end in spans))
        for one in said
    )
    return [Utterance(words) for words in kept if words]
