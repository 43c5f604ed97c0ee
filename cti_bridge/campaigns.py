"""Calls that a campaign makes: begun at the pace that the house allows, settled by what the telephone says of them.

The domain writes an attempt, with the id that its call will have, before it is dialled. From then on the channel
carries everything that is to be said, and the dialplan leaves a note of its end, so this core may die at any moment:
the next one finds the call in Asterisk (and keeps its agent again), or its note, or neither; then nobody knows whether
they were called, and they are not called again at once.

An agent who is kept for a call is offered nothing else. When the called person comes into the hold loop, they stand
first in line and the agent is let go in that moment.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import structlog

from acd.model import AgentBusyOutside, AgentState
from acd.pacing import House, Running, Share, pace
from app.campaigns.model import Order, Outcome, Work
from app.destinations import Destinations
from app.errors import HotlineError
from cti_bridge import campaign_notes
from cti_bridge.agents import Agent
from cti_bridge.ami import ActionTimeout, AmiError
from cti_bridge.changes import CampaignEnded, CampaignHeard
from cti_bridge.core import Core
from cti_bridge.model import Call, Leg, LegState, Phase, Role, campaign_attempt

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 1.0
SWEEP_EVERY_S = 3.0
CERTAIN_MS = 20_000
"""An attempt so old that has neither a channel nor a note was not seen by anybody. Asterisk may dial a while after it
was asked to, and an earlier core may have asked."""
REST_MS = 10_000
FIRST_IN_LINE = 99
"""The priority of who was called and is put through: before all who wait, but for emergencies."""
_WAITS = frozenset({Phase.hold, Phase.connect, Phase.failsafe})


class Campaigns:
    """See the module's text."""

    def __init__(self, core: Core, destinations: Destinations) -> None:
        self._core, self._destinations = core, destinations
        settings = core.settings
        self._share = Share(
            settings.trunk_lines,
            settings.campaign_lines_kept,
            settings.campaign_agents_kept,
            settings.campaign_wait_target_s,
            settings.campaign_at_once,
        )
        self._kept: dict[str, str] = {}  # call → the agent who is kept for it
        self._of: dict[str, int] = {}  # call → its campaign, while it is on its way
        self._known = asyncio.Event()
        self._rests_until_ms = 0  # the way out is away
        self._told: dict[str, bool] = {}  # call whose end was handed to the database → whether it was known

    # -- beginning calls --------------------------------------------------------------------------------------------

    def known(self) -> None:
        """The picture of the node that dials is known."""
        self._known.set()

    async def run(self) -> None:
        """Look for ever: what to begin, and what has ended unseen."""
        await self._known.wait()
        sweep_at = 0.0
        loop = asyncio.get_running_loop()
        while True:
            try:
                if loop.time() >= sweep_at:
                    await self._sweep()
                    sweep_at = loop.time() + SWEEP_EVERY_S
                if self._may_dial():
                    for work in await asyncio.to_thread(self._core.domain.campaign_work):
                        await self._begin(work)
            except HotlineError as error:
                log.info("campaigns cannot be looked up yet", problem=error.code)
            except Exception:
                log.exception("campaigns could not be looked at")
            await asyncio.sleep(LOOK_EVERY_S)

    def _may_dial(self) -> bool:
        core = self._core
        here = core.nodes.own in core.nodes.known and core.now_ms() >= self._rests_until_ms
        return here and bool(core.settings.trunk_out)

    async def _begin(self, work: Work) -> None:
        for _ in range(self._pace(work)):
            agent = self._free(work)[0] if work.by_agents else None
            agent_id = agent.agent_id if agent is not None else ""
            if agent_id:
                self._keep(agent_id, True)  # before anything else can offer them a call
            order = None
            try:
                order = await asyncio.to_thread(self._core.domain.begin_campaign_call, work.campaign_id, agent_id)
            finally:
                if order is None and agent_id:
                    self._keep(agent_id, False)
            if order is None:
                return
            await self._dial(order)
            if not self._may_dial() or self._pace(work) == 0:
                return  # the house is another meanwhile

    def _pace(self, work: Work) -> int:
        mine = sum(campaign == work.campaign_id for campaign in self._of.values())
        return pace(self._share, self._house(work), Running(work.by_agents, work.most_lines, mine))

    def _house(self, work: Work) -> House:
        core = self._core
        now, calls = core.now_ms(), core.telephony.calls.values()
        waits = [
            now - call.joined_ms for call in calls if call.phase in _WAITS and call.joined_ms and not call.ended_ms
        ]
        lines = sum(leg.role is Role.citizen or leg.kind != "" for call in calls for leg in call.legs.values())
        return House(
            lines_used=lines,
            waiting=len(waits),
            longest_wait_s=max(waits, default=0) / 1000,
            agents=len(core.book.on_shift),
            agents_free=len(self._free(work)),
            agents_kept=len(self._kept),
        )

    def _free(self, work: Work) -> list[Agent]:
        """Who could be rung for this campaign now, the one who has rested longest first."""
        free = [
            agent
            for agent in self._core.book.on_shift.values()
            if agent.state is AgentState.READY
            and not (agent.busy_outside or agent.in_use or agent.unreachable or agent.page_lost_ms is not None)
            and work.queue in agent.record.queues
            and agent.agent_id not in self._kept.values()
        ]
        return sorted(free, key=lambda agent: (agent.idle_since_ms, agent.agent_id))

    async def _dial(self, order: Order) -> None:
        core, call_id = self._core, order.call_id
        call = Call(call_id, phase=Phase.campaign, number=order.number, line=core.settings.main_number)
        call.language, call.queue, call.priority = order.language, order.queue, order.priority
        call.started_ms, call.kept_agent = core.now_ms(), order.agent_id
        core.telephony.calls[call_id] = call
        core.telephony.attach(call, Leg("", call_id, Role.citizen, "", order.number, LegState.dialing, core.now_ms()))
        self._of[call_id] = order.campaign_id
        if order.agent_id:
            self._kept[call_id] = order.agent_id
        log.info("a campaign calls", campaign=order.campaign_id, call=call_id)
        if not self._destinations.may_call_back(order.number):  # as it will be dialled; the domain has asked as well
            self._settle(call, {"outcome": "failed"})
            return
        try:
            await core.asterisk.originate(
                f"PJSIP/{order.number}@trunk",
                unique_id=call_id,
                context="acd-campaign",
                exten="s",
                caller_id=f'"" <{core.settings.main_number}>',
                variables=self._variables(order, call),
                timeout_s=order.ring_s,
            )
        except AmiError as error:
            log.info("a campaign's call could not be begun", call=call_id, problem=str(error))
            # It may have begun all the same when the answer did not come: then its note says how it ended.
            self._rest()
            self._settle(call, {"outcome": "unknown" if isinstance(error, ActionTimeout) else "failed"})

    def _variables(self, order: Order, call: Call) -> dict[str, str]:
        said, lines = order.sounds, not order.by_agents
        opening = [said[part] for part in ("who", "keys", "message") if part in said and (lines or part != "message")]
        message = [said[part] for part in ("who", "message") if part in said]
        return {
            "HOTLINE_CALL": call.call_id,
            "HOTLINE_NUMBER": call.number,
            "HOTLINE_LINE": call.line,
            "HOTLINE_STARTED": str(call.started_ms),
            "HOTLINE_PHASE": Phase.campaign.value,
            "HOTLINE_LANG": call.language,
            "HOTLINE_QUEUE": call.queue,
            "HOTLINE_PRIORITY": str(FIRST_IN_LINE if order.by_agents else call.priority),
            "HOTLINE_PATH": f"campaign>{order.campaign_id}",
            "HOTLINE_KEPT_AGENT": order.agent_id,
            "HOTLINE_CAMPAIGN": "agents" if order.by_agents else "lines",
            "HOTLINE_SAY_WHO": said.get("who", ""),
            "HOTLINE_SAY": "&".join(opening),
            "HOTLINE_ASK": said.get("question", ""),
            "HOTLINE_KEYS": order.keys,
            "HOTLINE_SAY_MACHINE": "&".join(message) if order.leaves_message and lines else "",
            "HOTLINE_SAY_REFUSED": said.get("refused", ""),
            "HOTLINE_SAY_THANKS": said.get("thanks", ""),
            "HOTLINE_SAY_THROUGH": said.get("through", ""),
            "CHANNEL(hangup_handler_push)": "acd-campaign-end,s,1",
        }

    # -- what becomes of them ---------------------------------------------------------------------------------------

    def heard(self, change: CampaignHeard) -> None:
        """Somebody, or something, has answered."""
        log.info("a campaign's call was answered", call=change.call_id, heard=change.heard, why=change.why)
        if change.heard in ("machine", "fax", "refused"):
            self._let_go(change.call_id)  # no agent is needed for this any more

    def joined(self, call: Call) -> None:
        """Whoever was called is in the hold loop, first in line: the agent who was kept takes them."""
        self._of.pop(call.call_id, None)
        self._let_go(call.call_id)

    def ended(self, change: CampaignEnded) -> None:
        """The dialplan tells how it ended. One that went on to a person ends like every call besides."""
        told = {"heard": change.heard, "said": change.said, "answer": change.answer, "wish": change.wish}
        self._tell(change.call_id, {**told, "cause": str(change.cause)})

    def leg_ended(self, call: Call, cause: int) -> None:
        """Its channel is gone; the dialplan has told more of it right before, as a rule."""
        self._settle(call, {"cause": str(cause)})

    def not_dialled(self, call: Call) -> None:
        """Asterisk never made a channel for it: the trunk is away, and would be for the next ones."""
        self._rest()
        self._settle(call, {"outcome": "failed"})

    def _rest(self) -> None:
        self._rests_until_ms = self._core.now_ms() + REST_MS

    def adopt(self, call: Call) -> None:
        """A call goes on that an earlier core has begun, or this one before the line to Asterisk was lost."""
        self._of.setdefault(call.call_id, 0)
        if call.kept_agent and call.call_id not in self._kept:
            self._kept[call.call_id] = call.kept_agent
            self._keep(call.kept_agent, True)

    def lost(self, call: Call) -> None:
        """It ended while the line to Asterisk was lost: its note, or the sweep, settles it."""
        self._over(call.call_id)

    def _settle(self, call: Call, told: Mapping[str, Any]) -> None:
        self._tell(call.call_id, told)
        self._core.telephony.forget(call.call_id)

    def _tell(self, call_id: str, told: Mapping[str, Any]) -> None:
        self._over(call_id)
        if campaign_attempt(call_id) and not self._told.get(call_id, False):
            self._told[call_id] = told.get("outcome") != Outcome.unknown
            self._core.facts.put("campaign", call_id, dict(told))

    def _over(self, call_id: str) -> None:
        self._of.pop(call_id, None)
        self._let_go(call_id)
        self._core.board_changed()

    def _let_go(self, call_id: str) -> None:
        agent_id = self._kept.pop(call_id, "")
        if agent_id and agent_id not in self._kept.values():
            self._keep(agent_id, False)

    def _keep(self, agent_id: str, keep: bool) -> None:
        self._core.queue.feed(AgentBusyOutside(agent_id, keep))

    async def _sweep(self) -> None:
        """Settle what ended while nobody listened, by its note; or, when there is none and no channel, as unknown."""
        core = self._core
        notes = await asyncio.to_thread(campaign_notes.read, core.settings.paths.campaign_spool)
        for call_id, told in notes.items():
            if core.call(call_id) is None:
                self._tell(call_id, told)
        if core.nodes.own not in core.nodes.known:
            return
        unsettled = await asyncio.to_thread(core.domain.open_campaign_calls)
        for one in unsettled:
            old = core.now_ms() - one.at_ms > CERTAIN_MS
            if old and core.call(one.call_id) is None and one.call_id not in notes and one.call_id not in self._told:
                log.warning("nobody saw how a campaign's call ended", call=one.call_id)
                self._tell(one.call_id, {"outcome": "unknown"})
        still = set(notes) | {one.call_id for one in unsettled}
        self._told = {call_id: known for call_id, known in self._told.items() if call_id in still}
