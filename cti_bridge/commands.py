"""What a page may ask for: a table of commands, their arguments checked, a double click done once.

The same command with the same arguments by the same agent within two seconds of the first, with no other command of
theirs in between, gives the first one's result and does nothing again.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from acd.model import (
    AgentBusyOutside,
    AgentNotReady,
    AgentReady,
    AgentSignedIn,
    AgentSignedOut,
    AgentState,
    Event,
    NextState,
    WrapUpDone,
    WrapUpExtended,
)
from app.actor import Actor
from app.auth.model import Permission
from app.errors import BadInput, Forbidden, HotlineError, NotFound
from cti_bridge.agents import Agent
from cti_bridge.callbacks import Callbacks
from cti_bridge.control import Control
from cti_bridge.core import Core
from cti_bridge.dialling import Dialling
from cti_bridge.hub import encode
from cti_bridge.overseeing import Overseeing
from cti_bridge.oversight import Oversight
from cti_bridge.ports import AgentRecord
from cti_bridge.refusals import not_now, refused
from cti_bridge.views import agent_view

log = structlog.get_logger(__name__)

DOUBLE_CLICK_S = 2.0
LONGEST_TEXT = 64
STAFF_FRESH_S = 5.0

Args = Mapping[str, Any]
Handler = Callable[["Commands", str, Args], Awaitable[dict[str, Any]]]


def failure(error: Exception, name: str) -> dict[str, Any]:
    """An error as a page gets it: code and message, never what went wrong inside."""
    if isinstance(error, HotlineError):
        more = {"fields": error.fields} if error.fields else {}
        return {"code": error.code, "message": error.message("zh"), "message_en": error.message("en"), **more}
    log.error("a command failed", command=name[:40], exc_info=error)
    return failure(HotlineError(), name)


@dataclass(slots=True)
class _Last:
    name: str
    args: str
    at: float
    task: asyncio.Task[dict[str, Any]]


class Commands:
    """Carries commands out. `tell_phone` and `touch` are the dispatcher's and the failsafe queue's ears."""

    def __init__(
        self,
        core: Core,
        control: Control,
        dialling: Dialling,
        callbacks: Callbacks,
        overseeing: Overseeing,
        tell_phone: Callable[[Agent], None],
    ) -> None:
        self._core, self._control, self._tell_phone = core, control, tell_phone
        self._dialling, self._callbacks = dialling, callbacks
        self._oversight, self._overseeing = Oversight(core), overseeing
        self.acknowledge: Callable[[Actor, str], Awaitable[dict[str, Any]]] = _nothing_to_acknowledge
        self._last: dict[str, _Last] = {}
        self._reading = asyncio.Lock()
        self._read_at = float("-inf")
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def run(self, actor: Actor, name: str, args: Args) -> dict[str, Any]:
        """Do what the page asks. Raises HotlineError."""
        if (oversight := _OVERSIGHT.get(name)) is not None:
            return await oversight(self, actor, args)
        handler = _TABLE.get(name)
        if handler is None:
            raise BadInput("没有这个命令。", "There is no such command.", code="unknown_command")
        if actor.agent_id is None or not actor.may(Permission.calls_handle):
            raise Forbidden()
        agent_id = actor.agent_id
        key = encode({k: args[k] for k in sorted(args)})
        now = asyncio.get_running_loop().time()
        last = self._last.get(agent_id)
        if last is not None and last.name == name and last.args == key and now - last.at < DOUBLE_CLICK_S:
            failed = last.task.done() and (last.task.cancelled() or last.task.exception() is not None)
            if not failed:
                return await asyncio.shield(last.task)
        task = self._core.spawn(self._in_order(handler, agent_id, name, args), f"do-{name}")
        self._last[agent_id] = _Last(name, key, now, task)
        return await asyncio.shield(task)

    async def _in_order(self, handler: Handler, agent_id: str, name: str, args: Args) -> dict[str, Any]:
        """State commands of one agent wait for each other; call control does not wait for anything."""
        if name.startswith("call"):
            return await handler(self, agent_id, args)
        async with self._turns[agent_id]:
            return await handler(self, agent_id, args)

    # -- shifts and states ------------------------------------------------------------------------------------------

    async def sign_in(
        self, agent_id: str, endpoint: str | None, *, needs_page: bool = True, ready: bool = False
    ) -> dict[str, Any]:
        """Begin the shift, or go on with it on another telephone. Raises BadInput, NotFound, Refused."""
        record = await self._record(agent_id)
        chosen = endpoint or record.endpoint or agent_id
        if chosen not in (agent_id, f"{agent_id}w"):
            raise BadInput(fields={"endpoint": "只能使用本人的话机。"})
        known = self._core.book.get(agent_id)
        if known is None and record.off_duty:
            raise refused(
                "off_duty",
                "已暂停上岗：完成培训并由处室负责人登记后可以签入。",
                "You are off duty until the section head has recorded your training.",
            )
        if known is not None and known.endpoint != chosen and known.state in (AgentState.OFFERED, AgentState.TALKING):
            raise refused("in_a_call", "通话中不能更换话机。", "The telephone cannot be changed during a call.")
        agent = self._core.book.begin(agent_id, chosen, needs_page=needs_page, now_ms=self._core.now_ms())
        pages = self._core.hub.pages(agent_id)
        agent.page_lost_ms = None if pages or not needs_page else self._core.now_ms()
        self._feed(AgentSignedIn(agent_id, dict(record.skills), record.queues, ready))
        if self._core.telephony.spy_by(agent_id) is not None:
            self._feed(AgentBusyOutside(agent_id, True))
        self._tell_phone(agent)
        if chosen != record.endpoint:
            self._core.spawn(self._remember(agent_id, chosen), f"endpoint-{agent_id}")
        self._core.book.save(agent, at_once=True)
        return agent_view(self._core, agent_id)

    async def _sign_in(self, agent_id: str, args: Args) -> dict[str, Any]:
        return await self.sign_in(agent_id, _text(args, "endpoint", ""))

    async def _sign_out(self, agent_id: str, args: Args) -> dict[str, Any]:
        if self._core.book.get(agent_id) is not None:
            self._feed(AgentSignedOut(agent_id))
        return agent_view(self._core, agent_id)

    async def _ready(self, agent_id: str, args: Args) -> dict[str, Any]:
        return self._own_choice(agent_id, AgentReady(agent_id))

    async def _not_ready(self, agent_id: str, args: Args) -> dict[str, Any]:
        return self._own_choice(agent_id, AgentNotReady(agent_id, _text(args, "reason", "other")))

    async def _next_state(self, agent_id: str, args: Args) -> dict[str, Any]:
        try:
            state = AgentState(_text(args, "state"))
        except ValueError:
            raise BadInput(fields={"state": "没有这个状态。"}) from None
        return self._own_choice(agent_id, NextState(agent_id, state, _text(args, "reason", "")))

    async def _wrapup_done(self, agent_id: str, args: Args) -> dict[str, Any]:
        agent = self._core.book.get(agent_id)
        if agent is not None and agent.state is AgentState.READY:
            return agent_view(self._core, agent_id)  # it ended by itself in the same moment
        return self._state(agent_id, WrapUpDone(agent_id))

    async def _wrapup_extend(self, agent_id: str, args: Args) -> dict[str, Any]:
        seconds = args.get("seconds")
        if not isinstance(seconds, int) or isinstance(seconds, bool) or not 0 < seconds <= 3600:
            raise BadInput(fields={"seconds": "请填写 1–3600 之间的秒数。"})
        return self._state(agent_id, WrapUpExtended(agent_id, seconds))

    def _own_choice(self, agent_id: str, event: Event) -> dict[str, Any]:
        """What the agent chooses is no longer what somebody else has set."""
        self._on_shift(agent_id).set_by = ""
        return self._state(agent_id, event)

    def _state(self, agent_id: str, event: Event) -> dict[str, Any]:
        self._on_shift(agent_id)
        self._feed(event)
        return agent_view(self._core, agent_id)

    def _feed(self, event: Event) -> None:
        answer = self._core.queue.ask(event)
        if answer is not None:
            raise not_now(answer.why.value)

    async def _record(self, agent_id: str) -> AgentRecord:
        """The agent's entry in the staff list, which is read again when it is older than a few seconds."""
        async with self._reading:
            now = asyncio.get_running_loop().time()
            if agent_id not in self._core.book.records or now - self._read_at > STAFF_FRESH_S:
                self._read_at = now
                try:
                    async with asyncio.timeout(1.0):
                        self._core.book.know(await asyncio.to_thread(self._core.domain.agents))
                except (TimeoutError, HotlineError):
                    log.warning("the staff list could not be read; the last one known is used")
        record = self._core.book.records.get(agent_id)
        if record is None:
            raise NotFound("没有这个工号。", "There is no such staff number.")
        return record

    async def _remember(self, agent_id: str, endpoint: str) -> None:
        try:
            await asyncio.to_thread(self._core.domain.remember_endpoint, agent_id, endpoint)
        except HotlineError as error:
            log.warning("the chosen telephone could not be stored", agent=agent_id, problem=error.code)

    # -- others' states ---------------------------------------------------------------------------------------------

    async def _set_state(self, actor: Actor, args: Args) -> dict[str, Any]:
        agent_id = _text(args, "agent_id")
        async with self._turns[agent_id]:
            return await self._oversight.set_state(actor, agent_id, _text(args, "state"), _text(args, "reason", ""))

    async def _acknowledge(self, actor: Actor, args: Args) -> dict[str, Any]:
        return await self.acknowledge(actor, _text(args, "alert_id"))

    async def _oversee(self, actor: Actor, args: Args) -> dict[str, Any]:
        return await self._overseeing.oversee(actor, _text(args, "call_id"), _text(args, "mode"))

    async def _oversee_end(self, actor: Actor, args: Args) -> dict[str, Any]:
        return await self._overseeing.end(actor)

    # -- calls ------------------------------------------------------------------------------------------------------

    async def _answer(self, agent_id: str, args: Args) -> dict[str, Any]:
        return await self._control.answer(agent_id, _text(args, "call_id"))

    async def _hold(self, agent_id: str, args: Args) -> dict[str, Any]:
        return await self._control.hold(agent_id, _call(args))

    async def _resume(self, agent_id: str, args: Args) -> dict[str, Any]:
        return await self._control.resume(agent_id, _call(args))

    async def _hangup(self, agent_id: str, args: Args) -> dict[str, Any]:
        return await self._control.hang_up(agent_id, _call(args))

    async def _lost(self, agent_id: str, args: Args) -> dict[str, Any]:
        return await self._control.lost(agent_id, _call(args))

    async def _blind(self, agent_id: str, args: Args) -> dict[str, Any]:
        return await self._control.transfer_blind(agent_id, _call(args), _text(args, "to"))

    async def _consult(self, agent_id: str, args: Args) -> dict[str, Any]:
        return await self._control.consult(agent_id, _call(args), _text(args, "to"))

    async def _complete(self, agent_id: str, args: Args) -> dict[str, Any]:
        return await self._control.complete_transfer(agent_id, _call(args))

    async def _cancel(self, agent_id: str, args: Args) -> dict[str, Any]:
        return await self._control.cancel_consult(agent_id, _call(args))

    async def _conference(self, agent_id: str, args: Args) -> dict[str, Any]:
        return await self._control.conference(agent_id, _call(args), _text(args, "to"))

    async def _emergency(self, agent_id: str, args: Args) -> dict[str, Any]:
        return await self._control.emergency(agent_id, _call(args), _text(args, "to"))

    async def _swap(self, agent_id: str, args: Args) -> dict[str, Any]:
        return await self._control.swap(agent_id, _call(args))

    async def _mute(self, agent_id: str, args: Args) -> dict[str, Any]:
        if not isinstance(args.get("on"), bool):
            raise BadInput(fields={"on": "请填写 true 或 false。"})
        return await self._control.mute(agent_id, _call(args), args["on"])

    async def _pause(self, agent_id: str, args: Args) -> dict[str, Any]:
        return await self._control.pause(agent_id, _call(args), args.get("seconds"))

    async def _pause_end(self, agent_id: str, args: Args) -> dict[str, Any]:
        return await self._control.pause_end(agent_id, _call(args))

    async def _help(self, agent_id: str, args: Args) -> dict[str, Any]:
        return await self._control.help(agent_id, _call(args), True)

    async def _help_end(self, agent_id: str, args: Args) -> dict[str, Any]:
        return await self._control.help(agent_id, _call(args), False)

    async def _dial(self, agent_id: str, args: Args) -> dict[str, Any]:
        return await self._dialling.dial(self._on_shift(agent_id), _text(args, "number"))

    async def _callback(self, agent_id: str, args: Args) -> dict[str, Any]:
        callback_id = args.get("callback_id")
        if not isinstance(callback_id, int) or isinstance(callback_id, bool):
            raise BadInput(fields={"callback_id": "请选择回拨任务。"})
        return await self._callbacks.start(self._on_shift(agent_id), callback_id)

    def _on_shift(self, agent_id: str) -> Agent:
        agent = self._core.book.get(agent_id)
        if agent is None:
            raise refused("not_signed_in", "您尚未签入。", "You have not signed in for a shift.")
        return agent


async def _nothing_to_acknowledge(actor: Actor, alert_id: str) -> dict[str, Any]:
    raise NotFound()


def _text(args: Args, name: str, default: str | None = None) -> str:
    value = args.get(name, default)
    if value is None or not isinstance(value, str) or len(value) > LONGEST_TEXT or not value.isprintable():
        raise BadInput(fields={name: "请填写。"})
    return value


def _call(args: Args) -> str | None:
    return _text(args, "call_id") if args.get("call_id") is not None else None


_TABLE: dict[str, Handler] = {
    "agent.sign_in": Commands._sign_in,
    "agent.sign_out": Commands._sign_out,
    "agent.ready": Commands._ready,
    "agent.not_ready": Commands._not_ready,
    "agent.next_state": Commands._next_state,
    "wrapup.done": Commands._wrapup_done,
    "wrapup.extend": Commands._wrapup_extend,
    "call.answer": Commands._answer,
    "call.hold": Commands._hold,
    "call.resume": Commands._resume,
    "call.hangup": Commands._hangup,
    "call.lost": Commands._lost,
    "call.transfer_blind": Commands._blind,
    "call.consult": Commands._consult,
    "call.complete_transfer": Commands._complete,
    "call.cancel_consult": Commands._cancel,
    "call.conference": Commands._conference,
    "call.emergency": Commands._emergency,
    "call.swap": Commands._swap,
    "call.mute": Commands._mute,
    "call.pause": Commands._pause,
    "call.pause_end": Commands._pause_end,
    "call.help": Commands._help,
    "call.help_end": Commands._help_end,
    "call.dial": Commands._dial,
    "callback.start": Commands._callback,
}
_OVERSIGHT: dict[str, Callable[[Commands, Actor, Args], Awaitable[dict[str, Any]]]] = {
    "agent.set_state": Commands._set_state,
    "alert.acknowledge": Commands._acknowledge,
    "call.oversee": Commands._oversee,
    "call.oversee_end": Commands._oversee_end,
}
COMMANDS = (*_TABLE, *_OVERSIGHT)
