"""The desktop drill in its short form, as a test."""

from __future__ import annotations

import pytest

from tests.drills import desktop
from tests.drills._run import drill


@pytest.mark.timeout(300)
async def test_desktop() -> None:
    """A restart of the backend drops no call that an agent has in the browser, and every desk is back with its card."""
    result = await drill("desktop", desktop.make_scene, desktop.steps, short=True)
    assert result["met"], result
