"""The queues' rules while the queue runs: read again when their file changes, and never for worse.

A queue's rules go to the engine as `QueueConfigured`. What holds for the whole engine begins with its next start; those
who watch the board are told so. A file that cannot be used changes nothing, and they are told where it is wrong.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable

import structlog

from acd.model import CallbackRules, EngineConfig, QueueConfig, QueueConfigured
from app.settings import Settings
from cti_bridge.ports import QueueRules, UnusableRules
from cti_bridge.queueing import Queueing

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 2.0
REMIND_EVERY = 300  # looks between two notices about the same broken file: whoever has come meanwhile learns of it


class SettingsRules:
    """One queue with the settings' times, for an instance without a file of rules."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def first(self) -> tuple[EngineConfig, str]:
        return self.read(), ""

    def read(self) -> EngineConfig:
        return EngineConfig(offer_timeout_s=self._settings.offer_timeout_s, wrapup_s=self._settings.wrapup_s)

    def stamp(self) -> object:
        return None


def changes(running: EngineConfig, wanted: EngineConfig) -> tuple[list[QueueConfig], list[str]]:
    """The queues that become different or new, and the names of what can only begin with the next start."""
    known = {queue.queue: queue for queue in running.queues}
    queues = [queue for queue in wanted.queues if known.get(queue.queue) != queue]
    later = [
        field.name
        for field in dataclasses.fields(EngineConfig)
        if field.name != "queues" and getattr(running, field.name) != getattr(wanted, field.name)
    ]
    gone = known.keys() - {queue.queue for queue in wanted.queues}
    return queues, later + [f"queues.{name}" for name in sorted(gone)]


class Rules:
    """See the module's text. `notice(level, code, text, **more)` tells those who watch the board."""

    def __init__(self, source: QueueRules, notice: Callable[..., None]) -> None:
        self._source, self._notice = source, notice
        self._stamp: object = None
        self.trouble = ""

    def begin(self) -> EngineConfig:
        """The rules to start with. Reads files: call on a thread."""
        self._stamp = self._source.stamp()
        self.running, self.trouble = self._source.first()
        if self.trouble:
            log.error("the rules of the queue cannot be used; those that held before go on", problem=self.trouble)
        return self.running

    def callback(self, queue: str) -> CallbackRules | None:
        """Whether, and how, this queue calls citizens back; an unknown queue is the default one."""
        queues = {one.queue: one for one in self.running.queues}
        found = queues.get(queue) or queues.get(self.running.default_queue)
        return None if found is None else found.callback

    def keep_for_last_agent(self) -> bool:
        """Whether any queue keeps callers for the agent who spoke with them last."""
        return any(queue.last_agent_s for queue in self.running.queues)

    async def run(self, queue: Queueing) -> None:
        """Look at the file for ever."""
        turns = 0
        while True:
            if self.trouble and turns % REMIND_EVERY == 0:
                self._tell_trouble()
            await asyncio.sleep(LOOK_EVERY_S)
            turns += 1
            try:
                stamp = await asyncio.to_thread(self._source.stamp)
                if stamp != self._stamp:
                    turns = 1
                    self._stamp = stamp
                    await self.reload(queue)
            except Exception:  # whatever is wrong with a file, the next one is read
                log.exception("the rules of the queue could not be looked at")

    async def reload(self, queue: Queueing) -> None:
        """Read the rules anew and let the engine have what has changed."""
        try:
            wanted = await asyncio.to_thread(self._source.read)
        except UnusableRules as error:
            self.trouble = str(error)
            log.error("the rules of the queue cannot be used; the old ones stay", problem=self.trouble)
            self._tell_trouble()
            return
        mended, self.trouble = bool(self.trouble), ""
        queues, later = changes(self.running, wanted)
        taken = [one for one in queues if queue.ask(QueueConfigured(one)) is None]
        kept = {one.queue: one for one in (*self.running.queues, *taken)}
        self.running = dataclasses.replace(self.running, queues=tuple(kept.values()))
        log.info("the rules of the queue are read", queues=[one.queue for one in taken], at_next_start=later)
        if taken or mended:
            names = "、".join(one.queue for one in taken or wanted.queues)
            self._notice("info", "queue_rules", f"排队规则已更新:{names}。", names=names)
        if later:
            names = "、".join(later)
            self._notice(
                "warning", "queue_rules_later", f"以下排队设置将在核心进程下次启动时生效:{names}。", names=names
            )

    def _tell_trouble(self) -> None:
        first = self.trouble.splitlines()[0]
        self._notice("error", "queue_rules_bad", f"排队规则文件有误,仍按原规则运行,请修正:{first}", detail=first)
