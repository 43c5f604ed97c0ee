"""What was said in a recording, line by line: its shape and what is wrong with one. Pure.

The left channel is the citizen's voice, the right one what the citizen heard: the agent, and whoever else took part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from app.errors import BadInput
from app.text import clean

LONGEST_LINE = 2_000
MOST_LINES = 5_000  # a talk of four hours
SLACK_MS = 2_000  # a line may end so much behind the sound: recognisers round up


class Channel(StrEnum):
    """Whose side of the recording."""

    citizen = "citizen"
    agent = "agent"


@dataclass(frozen=True)
class Line:
    """One stretch of speech. `words` are (word, start_ms, end_ms) within it; `confidence` is from 0 to 1."""

    channel: Channel
    start_ms: int
    end_ms: int
    text: str
    speaker: str = ""
    words: tuple[tuple[str, int, int], ...] = ()
    confidence: float | None = None


def checked(lines: Sequence[Line], duration_ms: int) -> list[Line]:
    """The lines in order of time, their texts made harmless, without empty ones. Raises BadInput (lines, lines.N.…)."""
    if len(lines) > MOST_LINES:
        raise BadInput(fields={"lines": f"最多 {MOST_LINES} 行 (at most {MOST_LINES})"})
    wrong: dict[str, str] = {}
    made = []
    for at, line in enumerate(lines):
        text = clean(" ".join(line.text.split()), LONGEST_LINE + 1)
        if len(text) > LONGEST_LINE:
            wrong[f"lines.{at}.text"] = f"最长 {LONGEST_LINE} 字 (at most {LONGEST_LINE} characters)"
        if not 0 <= line.start_ms <= line.end_ms <= duration_ms + SLACK_MS:
            wrong[f"lines.{at}.start_ms"] = "须在录音时长之内 (within the recording)"
        if line.confidence is not None and not 0 <= line.confidence <= 1:
            wrong[f"lines.{at}.confidence"] = "须为 0 到 1 (from 0 to 1)"
        if any(not line.start_ms <= start <= end <= line.end_ms for _, start, end in line.words):
            wrong[f"lines.{at}.words"] = "须在本行起止之内 (within their line)"
        words = tuple((clean(word, 64), start, end) for word, start, end in line.words)
        if text:
            made.append(replace(line, text=text, speaker=clean(line.speaker, 32), words=words))
    if wrong:
        raise BadInput(fields=wrong)
    return sorted(made, key=lambda line: (line.start_ms, line.channel is Channel.agent))
