"""Alerts over the live board, and who was at the telephones: looked at with every board, no look asks the database.

What an alert is and when it is raised is `app.alerts`' matter; here it is fed, told to the boards and kept. Rules are
read at the start, every `READ_EVERY_S`, and at once when they were changed in this process.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Mapping
from typing import Any

import structlog

from app.actor import Actor
from app.alerts.model import DEFAULTS, AlertKind, AlertRule, Effect
from app.alerts.watching import Alert, Key, Standing, acknowledged, look, open_alerts, read, resumed
from app.auth.model import Permission
from app.errors import HotlineError
from app.intake import MEGABYTE
from app.staffing.presence import Presence, Slot
from cti_bridge.board import Board
from cti_bridge.core import Core
from cti_bridge.refusals import refused

log = structlog.get_logger(__name__)

READ_EVERY_S = 30.0
AGAIN_S = 2.0
FIRST_WITHIN_S = 0.5


class Watch:
    """See the module's text. `free_mb` measures the disk, on a thread."""

    def __init__(self, core: Core, board: Board, free_mb: Callable[[], float] | None = None) -> None:
        self._core, self._board = core, board
        self._free_mb = free_mb or self._disk
        self._free: float | None = None
        self._rules: Mapping[AlertKind, AlertRule] = DEFAULTS
        self._standing: dict[Key, Standing] = {}
        self._resumed = False
        self._presence, self._life = Presence(), str(core.now_ms())
        self._changed = asyncio.Event()
        board.on_look, board.alerts = self.look, self.shown

    async def begin(self) -> None:
        """The first reading; a database that hangs is not waited for: the shipped rules hold until it answers."""
        try:
            async with asyncio.timeout(FIRST_WITHIN_S):
                await self._read()
        except TimeoutError:
            log.warning("alerts and their rules cannot be read yet; the shipped rules hold")

    async def run(self) -> None:
        """Read for ever."""
        while True:
            try:
                async with asyncio.timeout(READ_EVERY_S if self._resumed else AGAIN_S):
                    await self._changed.wait()
            except TimeoutError:
                pass
            self._changed.clear()
            await self._read()

    def rules_changed(self) -> None:
        """Somebody has set a rule: read them now. Called on the event loop."""
        self._changed.set()

    def stop(self) -> None:
        """Keep what was seen of the half-hour that goes on."""
        if (slot := self._presence.slot) is not None:
            self._note_slot(slot)

    # -- looking ----------------------------------------------------------------------------------------------------

    def look(self, figures: Mapping[str, Any]) -> bool:
        """A board has been built; whether that has raised or cleared an alert."""
        now = int(figures["as_of_ms"])
        seen = read(figures, self._rules, self._free)
        self._standing, changes = look(self._standing, self._rules, seen, now)
        for change in changes:
            over = {"cleared_ms": change.at_ms} if change.effect is Effect.clear else {}
            self._note(change.alert, over)
            log.info("alert", what=change.effect.value, kind=change.alert.kind.value, agent=change.alert.subject)
        for slot in self._presence.look(figures["by_state"], now):
            self._note_slot(slot)
        return bool(changes)

    def shown(self) -> list[dict[str, Any]]:
        """The alerts that are open, as the board tells them."""
        return [alert.to_json() for alert in open_alerts(self._standing)]

    async def acknowledge(self, actor: Actor, alert_id: str) -> dict[str, Any]:
        """Say that this person knows of an alert; data: the alert, with who was first. Raises Forbidden, Refused, Busy.

        Written down, with the audit, before anybody is told.
        """
        actor.require(Permission.agents_control)
        alert = next((one for one in open_alerts(self._standing) if one.alert_id == alert_id), None)
        if alert is None:
            raise refused("alert_over", "该预警已解除。", "This alert is over.")
        now = self._core.now_ms()
        by, at_ms = await asyncio.to_thread(self._core.domain.acknowledge_alert, actor, alert.to_json(), now)
        self._standing = acknowledged(self._standing, alert_id, by, at_ms)
        self._core.board_changed()
        return {**alert.to_json(), "acked_by": by, "acked_ms": at_ms}

    # -- reading and keeping ----------------------------------------------------------------------------------------

    async def _read(self) -> None:
        try:
            self._free = await asyncio.to_thread(self._free_mb)
        except OSError as error:
            self._free = None
            log.warning("the disk of the recordings cannot be measured", problem=str(error))
        try:
            self._rules = await asyncio.to_thread(self._core.domain.alert_rules)
            if not self._resumed:
                self._resume([*await asyncio.to_thread(self._core.domain.open_alerts)])
        except HotlineError as error:
            log.info("alerts and their rules cannot be read yet", problem=error.code)
        except Exception:
            log.exception("alerts and their rules could not be read")
        self._core.board_changed()

    def _resume(self, stored: list[Alert]) -> None:
        """Take over what an earlier life left open; where this one has raised the same again, the earlier is over."""
        now = self._core.now_ms()
        fresh = resumed(stored, now)
        newest = {one.alert.alert_id for one in fresh.values() if one.alert is not None}
        raised = {key: one for key, one in self._standing.items() if one.alert is not None}
        for alert in stored:
            if alert.alert_id not in newest or (alert.kind, alert.subject) in raised:
                self._note(alert, {"cleared_ms": now})
        self._standing = {**self._standing, **fresh, **raised}
        self._resumed = True

    def _note(self, alert: Alert, more: Mapping[str, Any]) -> None:
        self._core.facts.put("alert", alert.alert_id, {**alert.to_json(), **more})

    def _note_slot(self, slot: Slot) -> None:
        self._core.facts.put("presence", str(slot.began_ms), slot.to_json(self._life))

    def _disk(self) -> float:
        return shutil.disk_usage(self._core.settings.paths.recordings).free / MEGABYTE
