"""The rules about callers who misuse the hotline, as the queue has them: looked up in the domain, told to the engine.

They are set and ended in another process. So the domain is looked at every `LOOK_EVERY_S`, and once before the first
call is known, for which a start waits `FIRST_WITHIN_S` at most. The engine ends a rule by itself when its time is over.
Numbers become keys here (`callers.caller_key`); the engine and its journal see neither numbers nor reasons.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from acd.model import NuisanceAction, NuisanceRule, NuisanceRuleLifted, NuisanceRuleSet
from app.errors import HotlineError
from cti_bridge.core import Core
from cti_bridge.ports import NuisanceSeen

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 2.0
FIRST_WITHIN_S = 0.5


class NuisanceRules:
    """See the module's text."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._told: set[str] = set()  # rules that the engine was given

    async def begin(self) -> None:
        """The first look; a domain that hangs is not waited for."""
        try:
            async with asyncio.timeout(FIRST_WITHIN_S):
                await self._look()
        except TimeoutError:
            log.warning("rules about callers cannot be looked up yet; calls come in without them")

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            await self._look()

    async def _look(self) -> None:
        try:
            self._see(await asyncio.to_thread(self._core.domain.nuisance_rules, self._core.now_ms()))
        except HotlineError as error:
            log.info("rules about callers cannot be looked up yet", problem=error.code)
        except Exception:
            log.exception("rules about callers could not be looked at")

    def _see(self, found: Sequence[NuisanceSeen]) -> None:
        for one in found:
            if one.ended_by:
                self._lift(one)
            elif one.rule_id not in self._told:
                self._set(one)
        self._told &= {one.rule_id for one in found}  # the others' time has run out, in the engine as well

    def _set(self, one: NuisanceSeen) -> None:
        key = self._core.caller_key(one.number)
        rule = NuisanceRule(one.rule_id, key, NuisanceAction(one.action), one.until_ms, one.by, value=one.value)
        refused = self._core.queue.ask(NuisanceRuleSet(rule))
        self._told.add(one.rule_id)
        if refused is not None:
            log.warning("the queue does not take a rule about a caller", rule=one.rule_id, why=refused.why)

    def _lift(self, one: NuisanceSeen) -> None:
        if one.rule_id in self._told:
            self._told.discard(one.rule_id)
            self._core.queue.feed(NuisanceRuleLifted(one.rule_id, one.ended_by))
