"""The database drill in its short form, as a test."""

from __future__ import annotations

import pytest

from tests.drills import database
from tests.drills._run import drill


@pytest.mark.timeout(600)
async def test_database() -> None:
    """A locked database costs no call and, once over, nothing that anybody was told is kept."""
    result = await drill("database", database.make_scene, database.steps, short=True)
    assert result["met"], result
