"""The backend drill in its short form, as a test."""

from __future__ import annotations

import pytest

from tests.drills import backend
from tests.drills._run import drill


@pytest.mark.timeout(600)
async def test_backend() -> None:
    """A dead or frozen backend loses nobody, and everybody is known again in order."""
    result = await drill("backend", backend.make_scene, backend.steps, short=True)
    assert result["met"], result
