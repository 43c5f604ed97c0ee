"""The queue's drill in its short form, as a test."""

from __future__ import annotations

import pytest

from tests.drills import queue
from tests.drills._run import drill


@pytest.mark.timeout(600)
async def test_queue() -> None:
    """Nobody in talk or in line is lost, moved or served twice when everything of ours is killed."""
    result = await drill("queue", queue.make_short_scene, queue.steps, short=True)
    assert result["met"], result
