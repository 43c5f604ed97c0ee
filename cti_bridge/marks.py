"""What holds in a talk beside who is in it (mute, pause, help, oversight): told to its agents when it changes."""

from __future__ import annotations

from typing import Any

from cti_bridge.core import Core
from cti_bridge.model import Call
from cti_bridge.views import marks


class Marks:
    """Tells each agent what is other than they were told last; that is kept with the call."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def tell(self, call: Call) -> None:
        """Tell the agents of the call what is different now; the wallboard shows some of it, too."""
        for agent_id in dict.fromkeys(leg.agent_id for leg in call.legs.values() if leg.agent_id):
            data = marks(self._core, call, agent_id)
            known = call.marks_told.get(agent_id, NOTHING)
            call.marks_told[agent_id] = data
            if any(data[name] != known[name] for name in NOTHING):
                self._core.hub.to_agent(agent_id, "call.marks", data)
                self._core.board_changed()


NOTHING: dict[str, Any] = {
    "muted_ms": None,
    "paused": None,
    "talks_with": "citizen",
    "help_ms": None,
    "overseen": None,
}
"""The marks of a talk in which nothing is special: what a page takes for granted until it is told otherwise."""
