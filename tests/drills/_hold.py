"""What is measured of talks while something is broken: whether both sides went on hearing each other."""

from __future__ import annotations

import time
from collections.abc import Iterable

from tests.drills._hearing import longest_gap
from tests.drills._scene import Scene, Talk


def begin(talks: Iterable[Talk]) -> None:
    """Notes where each recording stands."""
    for talk in talks:
        talk.marks["begin"] = (time.monotonic(), talk.citizen.line.heard_s(), talk.phone.heard_s())


def gaps(scene: Scene, talks: Iterable[Talk]) -> list[float]:
    """Seconds of the longest silence since `begin`, for each of the two directions of each talk.

    A recording that stopped growing counts as silence. Files are written with a lag of up to two seconds, so what is
    said last is not looked at.
    """
    found = []
    for talk in talks:
        began, heard, said = talk.marks["begin"]
        elapsed = time.monotonic() - began
        for line, tone, start in (
            (talk.citizen.line, scene.tones[talk.agent_id], heard),
            (talk.phone, talk.citizen.tone, said),
        ):
            end = line.heard_s()
            stopped = max(0.0, elapsed - (end - start) - 4.2)
            found.append(max(longest_gap(line.heard, tone, start, end), stopped))
    return found
