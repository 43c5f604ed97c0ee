"""What holds in a talk beside who is in it (mute, pause, help, oversight): told to its agents when it changes."""

from __future__ import annotations

from typing import Any

from cti_bridge.core import Core
from cti_bridge.model import Call
from cti_bridge.views import marks


class Marks:
    """Remembers what each agent was told last, so that nothing is told twice."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._told: dict[tuple[str, str], dict[str, Any]] = {}

    def tell(self, call: Call) -> None:
        """Tell the agents of the call what is different now; the wallboard shows some of it, too."""
        for agent_id in dict.fromkeys(leg.agent_id for leg in call.legs.values() if leg.agent_id):
            data = marks(self._core, call, agent_id)
            known = self._told.get((call.call_id, agent_id)) or {**data, **NOTHING}
            self._told[call.call_id, agent_id] = data
            if any(data[name] != known[name] for name in NOTHING):
                self._core.hub.to_agent(agent_id, "call.marks", data)
                self._core.board_changed()

    def forget(self, call_id: str) -> None:
        """The call is over."""
        for key in [key for key in self._told if key[0] == call_id]:
            del self._told[key]


NOTHING: dict[str, Any] = {
    "muted_ms": None,
    "paused": None,
    "talks_with": "citizen",
    "help_ms": None,
    "overseen": None,
}
"""The marks of a talk in which nothing is special: what a page takes for granted until it is told otherwise."""
