"""What is measured of talks while something is broken: whether both sides went on hearing each other."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence

from tests.drills._hearing import longest_gap
from tests.drills._scene import Scene, Talk

# A recording is written in blocks of 32 kB: what was heard in the last two seconds may not be in the file yet.
LAG_S = 2.1


async def begin(talks: Sequence[Talk]) -> None:
    """Notes where each recording stands, after letting the talks go on for a little longer than the files' lag."""
    first = [(talk.citizen.line.heard_s(), talk.phone.heard_s()) for talk in talks]
    await asyncio.sleep(LAG_S + 0.9)
    for talk, (heard, said) in zip(talks, first, strict=True):
        talk.begin = (time.monotonic(), heard + LAG_S, said + LAG_S)


def gaps(scene: Scene, talks: Iterable[Talk]) -> list[float]:
    """Seconds of the longest silence since `begin`, for each of the two directions of each talk.

    A recording that stopped growing counts as silence.
    """
    found = []
    for talk in talks:
        began, heard, said = talk.begin
        elapsed = time.monotonic() - began
        for line, tone, start in (
            (talk.citizen.line, scene.tones[talk.agent_id], heard),
            (talk.phone, talk.citizen.tone, said),
        ):
            end = line.heard_s()
            stopped = max(0.0, elapsed - (end - start) - LAG_S)
            found.append(max(longest_gap(line.heard, tone, start, end), stopped))
    return found
