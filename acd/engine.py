"""The queue engine: events and the time in, decisions out.

`Engine.handle` never raises and never looks at a clock. The same configuration, events and times give the same
decisions, byte for byte: a journal of what went in is enough to explain or repeat what came out (`acd.journal`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from acd import agent_events, call_events, callbacks, callers, overflow, staging
from acd import events as told
from acd.announce import announce
from acd.checks import check, subject_of
from acd.decisions import Decision, Refused
from acd.events import Event
from acd.floor import Floor
from acd.matching import match
from acd.model import EngineConfig, Why
from acd.values import is_int
from acd.views import AgentSeen, EngineView, OfferSeen, TalkSeen, WaitingSeen


def _queue_configured(floor: Floor, event: told.QueueConfigured) -> Why | None:
    floor.configure(event.config)
    return None


def _telephone_link(floor: Floor, event: told.TelephoneLink) -> Why | None:
    floor.link_up = event.up
    return None


def _tick(_floor: Floor, _event: told.Tick) -> Why | None:
    return None


_HANDLERS: Mapping[type, Callable[[Floor, Any], Why | None]] = {
    told.CallJoined: call_events.call_joined,
    told.CallLeft: call_events.call_left,
    told.OfferAnswered: call_events.offer_answered,
    told.OfferFailed: call_events.offer_failed,
    told.TalkEnded: call_events.talk_ended,
    told.TalkAdopted: call_events.talk_adopted,
    told.AgentSignedIn: agent_events.agent_signed_in,
    told.AgentRestored: agent_events.agent_restored,
    told.AgentSignedOut: agent_events.agent_signed_out,
    told.AgentReady: agent_events.agent_ready,
    told.AgentNotReady: agent_events.agent_not_ready,
    told.NextState: agent_events.next_state,
    told.PhoneChanged: agent_events.phone_changed,
    told.WrapUpDone: agent_events.wrapup_done,
    told.WrapUpExtended: agent_events.wrapup_extended,
    told.AgentBusyOutside: agent_events.agent_busy_outside,
    told.AgentRinging: call_events.agent_ringing,
    told.CallHeld: agent_events.call_held,
    told.NuisanceRuleSet: callers.rule_set,
    told.NuisanceRuleLifted: callers.rule_lifted,
    told.CallOutOfReach: call_events.call_out_of_reach,
    told.CallbackChoosing: callbacks.callback_choosing,
    told.CallbackRequested: callbacks.callback_requested,
    told.CallbackRestored: callbacks.callback_restored,
    told.CitizenReached: callbacks.citizen_reached,
    told.CitizenNotReached: callbacks.citizen_not_reached,
    told.CallbackCancelled: callbacks.callback_cancelled,
    told.QueueConfigured: _queue_configured,
    told.TelephoneLink: _telephone_link,
    told.Tick: _tick,
}

_TIMERS: Mapping[str, Callable[[Floor, str], None]] = {
    "offer": call_events.offer_expired,
    "return": call_events.caller_is_back,
    "announce": announce,
    "overflow": overflow.look_at_call,
    "unstaffed": overflow.look_at_demand,
    "hours": overflow.hours_changed,
    "widen": staging.widen,
    "release": staging.release,
    "ask": callbacks.ask,
    "callback": callbacks.due,
    "rule": callers.rule_due,
    "watch": agent_events.state_over,
    "wrapup": agent_events.wrapup_over,
    "rest": agent_events.rest_over,
}


# A crowd that joined in one moment is announced to in as many portions, and an answered phone need not wait for all of
# them: what is still due then shows as a `next_wake_ms` that has passed.
_TIMERS_AT_ONCE = 200


class Engine:
    """One engine decides for all queues. Not thread-safe; every call takes microseconds.

    `seed` tells engines apart that start in the same millisecond: it is part of every offer's id.
    """

    def __init__(self, config: EngineConfig | None = None, seed: int = 0) -> None:
        self.config = config or EngineConfig()
        self.seed = seed
        self._floor = Floor(self.config, seed)
        for rule in self.config.nuisance:
            callers.keep_rule(self._floor, rule)

    def handle(self, event: Event, now_ms: int) -> list[Decision]:
        """What follows from this event at this time (epoch milliseconds), in the order in which to do it.

        What does not fit is answered by a `Refused` among the decisions; due timers are looked after all the same.
        """
        floor = self._floor
        floor.out = []
        now = now_ms if is_int(now_ms, 0) else floor.clock.given
        floor.clock.advance(now, floor.timers.first_due())
        right, why = check(event)
        if right is not None:
            why = _HANDLERS[type(right)](floor, right)
        if why is not None:
            name = event.name if isinstance(event, told.Unknown) else type(event).__name__
            floor.out.append(Refused(name, why, subject_of(event)))
        for _ in range(_TIMERS_AT_ONCE):
            timer = floor.timers.pop_due(floor.clock.tau)
            if timer is None:
                break
            _TIMERS[timer[2]](floor, timer[3])
        if not floor.link_up:
            for agent in floor.fresh_agents.values():
                floor.settle(agent)
        else:
            if floor.to_dial:
                callbacks.dial(floor)
            if floor.fresh_agents or floor.fresh_calls:
                match(floor)
                overflow.overflow(floor)
            if floor.turned_away:
                call_events.turn_away(floor)
        if floor.touched:
            floor.show_queues()
        return floor.out

    def next_wake_ms(self) -> int | None:
        """When the next `Tick` is due, on the clock that `handle` is given; None while nothing is timed.

        A time that has passed means at once.
        """
        due = self._floor.timers.first_due()
        return None if due is None else self._floor.clock.given_of_tau(due)

    def waiting_order(self, queue: str) -> list[str]:
        """Ids of all callers of a queue who have no agent, in the order in which they will be served."""
        line = self._floor.lines.get(queue)
        return [] if line is None else [key[3] for key in line.order]

    def place(self, call_id: str) -> tuple[int, int] | None:
        """Where a call or call-back stands, also while it rests: (moment of its place, points); None if unknown."""
        call = self._floor.calls.get(call_id)
        return None if call is None else (self._floor.clock.given_of_wall(call.joined), call.priority)

    def snapshot(self) -> EngineView:
        """Everything a page may show. Grows with callers and agents; meant for some times a second, not per event."""
        floor = self._floor
        clock = floor.clock
        return EngineView(
            now_ms=clock.given,
            agents=tuple(self._agents_seen()),
            waiting=tuple(self._waiting_seen()),
            offers=tuple(
                OfferSeen(call.offer_id, call.call_id, call.offer_agent, clock.given_of_tau(call.offer_deadline))
                for call in floor.calls.values()
                if call.offer_id is not None and call.offer_agent is not None
            ),
            talks=tuple(
                TalkSeen(call.call_id, agent_id, clock.given_of_wall(started))
                for call in floor.calls.values()
                for agent_id, started in call.agents.items()
            ),
        )

    def _agents_seen(self) -> list[AgentSeen]:
        floor = self._floor
        return [
            AgentSeen(
                agent_id=agent.agent_id,
                state=agent.state,
                since_ms=floor.clock.given_of_wall(agent.since),
                idle_since_ms=floor.clock.given_of_wall(agent.idle_since),
                not_ready_reason=agent.not_ready_reason,
                unreachable=agent.unreachable,
                in_use=agent.in_use,
                busy_outside=agent.outside,
                until_ms=floor.until_ms(agent),
                next_state=agent.next_state,
                next_reason=agent.next_reason,
                call_id=agent.call_id,
                offer_id=agent.offer_id,
                queues=agent.queues,
                group=agent.group,
            )
            for agent in floor.agents.values()
        ]

    def _waiting_seen(self) -> list[WaitingSeen]:
        floor = self._floor
        seen = []
        for queue, line in floor.lines.items():
            for position, key in enumerate(line.order, start=1):
                call = floor.calls[key[3]]
                assert call.state is not None
                seen.append(
                    WaitingSeen(
                        call_id=call.call_id,
                        queue=queue,
                        position=position,
                        state=call.state,
                        joined_ms=floor.clock.given_of_wall(call.joined),
                        priority=call.priority,
                        language=call.language,
                        caller=call.caller,
                        offer_id=call.offer_id,
                        agent_id=call.offer_agent,
                        flags=call.flags,
                        callback=call.callback is not None,
                    )
                )
        return seen
