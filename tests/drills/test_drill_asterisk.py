"""The asterisk drill in its short form, as a test."""

from __future__ import annotations

import pytest

from tests.drills import asterisk
from tests.drills._run import drill


@pytest.mark.timeout(600)
async def test_asterisk() -> None:
    """A cut manager line loses nobody; after a killed Asterisk a new call soon reaches an agent."""
    result = await drill("asterisk", asterisk.make_scene, asterisk.steps, short=True)
    assert result["met"], result
