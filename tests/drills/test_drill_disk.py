"""The disk drill in its short form, as a test."""

from __future__ import annotations

import pytest

from tests.drills import disk
from tests.drills._run import drill


@pytest.mark.timeout(600)
async def test_disk() -> None:
    """A full disk costs no call, and recordings are stored once there is room."""
    result = await drill("disk", disk.make_scene, disk.steps, short=True)
    assert result["met"], result
