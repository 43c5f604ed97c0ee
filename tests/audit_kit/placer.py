"""The core's part of a number audit, on a clock of its own: it places what is due now, and can be killed.

`python -m tests.audit_kit.placer` does so in a process: every line that it reads is a moment (epoch milliseconds) at
which it looks; it answers each with a line. Its settings come from the environment.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from app.clock import to_ms
from app.db import Database
from app.secrets import secret
from app.settings import Settings
from cti_bridge.ami import ActionFailed
from cti_bridge.asterisk import Action, Asterisk
from cti_bridge.auditing import Auditing
from cti_bridge.domain import AppDomain
from cti_bridge.model import Telephony
from tests.peers.manager import Manager, ManagerError


class ManagerLine:
    """A test's manager line, as the core's verbs ask one."""

    def __init__(self, manager: Manager) -> None:
        self._manager = manager

    async def write(self, actions: Sequence[Action]) -> list[Any]:
        """Does each action; the answers, or what went wrong."""
        answers: list[Any] = []
        for action in actions:
            headers = {name: value if isinstance(value, list) else str(value) for name, value in action.items()}
            name = str(headers.pop("Action"))
            try:
                answers.append(self._manager.action(name, **headers))
            except ManagerError as error:
                answers.append(ActionFailed(name, str(error)))
        return answers


class Placer:
    """Places the calls that are due whenever it looks. `telephony` are the citizens' calls, `fed` what the queue is
    told."""

    def __init__(self, settings: Settings, db: Database, manager: Manager) -> None:
        self.now_ms = 0
        self.telephony, self.fed = Telephony(), list[Any]()
        core: Any = SimpleNamespace(
            connected=True,
            now_ms=lambda: self.now_ms,
            domain=AppDomain(settings, db),
            telephony=self.telephony,
            queue=SimpleNamespace(feed=self.fed.append),
            book=SimpleNamespace(records={}),
            asterisk=Asterisk(ManagerLine(manager)),  # type: ignore[arg-type]
        )
        dialling: Any = SimpleNamespace(check_free=lambda agent_id: None)
        self.auditing = Auditing(core, dialling)

    def look(self, now: Any) -> None:
        """Look once, as if it were `now` (a moment, or epoch milliseconds)."""
        self.now_ms = now if isinstance(now, int) else to_ms(now)
        asyncio.run(self.auditing.look())


def main() -> None:
    """See the module's text."""
    settings = Settings()
    manager = Manager(settings.ami_host, settings.ami_port, "hotline", secret(settings, "ami"))
    placer = Placer(settings, Database(settings.url), manager)
    for line in sys.stdin:
        placer.look(int(line))
        print("looked", flush=True)


if __name__ == "__main__":
    main()
