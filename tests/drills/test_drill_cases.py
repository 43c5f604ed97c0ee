"""The drill of many who save at once in its short form, as a test."""

from __future__ import annotations

import pytest

from tests.drills.cases import drill


@pytest.mark.timeout(300)
def test_cases() -> None:
    """Nothing that was acknowledged is lost, nothing is half-written, nobody sees a 5xx, also over a kill -9."""
    result = drill(short=True)
    assert result["met"], result
