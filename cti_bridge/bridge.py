"""The bridge as one thing to start and stop: it makes the parts, and ties Asterisk's events to them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from functools import partial
from itertools import islice
from typing import Any

import structlog
from fastapi import APIRouter

from acd.engine import Engine
from acd.explain import explain_call
from acd.model import AgentNotReady, AgentState, EngineConfig
from app.actor import Actor
from app.callbacks.model import AttemptOutcome, LineStep
from app.clock import from_ms
from app.db import Database
from app.errors import HotlineError
from app.secrets import secret
from app.settings import Settings
from app.speech.recognizer import Recognizer
from cti_bridge import campaign_notes, endings, recordings
from cti_bridge.agents import AgentBook
from cti_bridge.auditing import Auditing
from cti_bridge.board import Board
from cti_bridge.callback_calls import CallbackCalls
from cti_bridge.callback_line import CallbackLine
from cti_bridge.callbacks import Callbacks
from cti_bridge.callers import KEY_SECRET, Callers, caller_key
from cti_bridge.campaigns import Campaigns
from cti_bridge.commands import Commands
from cti_bridge.control import Control
from cti_bridge.core import Core
from cti_bridge.dialling import Dialling
from cti_bridge.dispatcher import Dispatcher
from cti_bridge.domain import AppDomain
from cti_bridge.facts import merged
from cti_bridge.hub import Hub, StreamKey
from cti_bridge.journal_file import JournalFile, newest_first, prune
from cti_bridge.live import Live
from cti_bridge.machine_feed import Feeds
from cti_bridge.machines import Machines
from cti_bridge.mandate import Mandate
from cti_bridge.marks import Marks
from cti_bridge.model import Call
from cti_bridge.nuisance import NuisanceRules
from cti_bridge.offers import Offers
from cti_bridge.overseeing import Overseeing
from cti_bridge.pop import Pops
from cti_bridge.ports import Domain, QueueRules
from cti_bridge.queueing import Queueing
from cti_bridge.recovery import Recovery
from cti_bridge.routes import make_router
from cti_bridge.rules import Rules, SettingsRules
from cti_bridge.seats import Seats
from cti_bridge.sessions import Sessions
from cti_bridge.takeback import TakeBack
from cti_bridge.talks import Talks
from cti_bridge.thirds import Thirds
from cti_bridge.views import agent_view, call_view
from cti_bridge.watch import Watch
from cti_bridge.writer import Fact, FactWriter

log = structlog.get_logger(__name__)

ENGINE_JOURNAL = "acd"
PAGE_GRACE_MS = 30_000
STAFF_EVERY_S = 30.0
LANES = {
    "call": "facts",
    "draft": "facts",
    "callback": "facts",
    "callback_line": "facts",
    "callback_barrier": "facts",
    "campaign": "facts",
    "forgotten_callbacks": "facts",
    "unseen": "facts",
    "third": "facts",
    "pause": "facts",
    "ended": "facts",
    "alert": "facts",
    "presence": "facts",
    "recording": "files",
}
MOST_LINES_EXPLAINED = 500_000


def wall_clock_ms() -> int:
    """Epoch milliseconds."""
    return time.time_ns() // 1_000_000


class Bridge:
    """AMI link, queue engine, websocket hub and call control of one instance.

    `clock` gives epoch milliseconds. `mandate` is the right to act of a core that has a standby; one without acts
    always. `recognizer` hears what is said in talks, if anybody does. `start` returns before
    Asterisk is there; `healthy` says when all is well.
    """

    def __init__(
        self,
        settings: Settings,
        db: Database | None = None,
        *,
        clock: Callable[[], int] = wall_clock_ms,
        domain: Domain | None = None,
        rules: QueueRules | None = None,
        mandate: Mandate | None = None,
        recognizer: Recognizer | None = None,
    ) -> None:
        if domain is None:
            if db is None:
                raise ValueError("a database or a domain is needed")
            domain = AppDomain(settings, db)
        self.settings, self.domain, self._clock = settings, domain, clock
        self.rules = Rules(rules or SettingsRules(settings), self._notice)
        self._mandate = mandate
        self._recognizer = recognizer
        self.router: APIRouter = make_router(lambda: self)
        self.hub = Hub(clock)
        self._tasks: list[asyncio.Task[Any]] = []
        self._troubles: dict[str, str] = {}
        self._started = False

    # -- life -------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Begin: restore what is known, connect to Asterisk in the background."""
        settings, clock = self.settings, self._clock
        self._loop = asyncio.get_running_loop()
        journal = settings.paths.journal
        self._engine_file = JournalFile(journal, ENGINE_JOURNAL, clock, on_trouble=self._journal_trouble)
        config = await asyncio.to_thread(self.rules.begin)
        queue = Queueing(Engine(config, seed=clock() % 1_000_000_007), self._engine_file, clock)
        self.engine = queue.engine
        facts = FactWriter(
            journal,
            clock,
            {"facts": self._apply_facts, "files": self._apply_files},
            LANES,
            on_trouble=self._journal_trouble,
        )
        self.sessions = Sessions(settings, self._mandate, self._notice)
        book = AgentBook(journal / "agents.json")
        self.core = core = Core(settings, clock, self.domain, self.sessions.nodes, queue, book, self.hub, facts)
        core.callback_rules = self.rules.callback
        core.caller_key = partial(caller_key, secret(settings, KEY_SECRET).encode())
        self.callers = Callers(core, settings, config.flag_priority, self.rules.keep_for_last_agent)
        nuisance = NuisanceRules(core)
        self._pops = Pops(core, self._late_card)
        self._talks = talks = Talks(core, self._pops)
        marks, thirds = Marks(core), Thirds(core)
        dialling = Dialling(core, talks, thirds)
        self.control = Control(core, talks, dialling, marks)
        overseeing = Overseeing(core, self.control, dialling, marks)
        self.offers = Offers(core, self._pops)
        calling = CallbackCalls(core, self.offers, talks, dialling)
        self.line = CallbackLine(core, calling)
        callbacks = Callbacks(core, dialling, self.line.taken)
        self.campaigns = Campaigns(core, dialling.destinations)
        taken = recordings.Recordings(settings.paths.record_spool, facts)
        self._take_back = TakeBack(core, self.offers)
        self.dispatcher = Dispatcher(
            core,
            self.offers,
            talks,
            self.control,
            dialling,
            callbacks,
            taken,
            self._take_back,
            self.callers,
            self.line,
            calling,
            thirds,
            overseeing,
            marks,
            self.campaigns,
        )
        self._recovery = Recovery(
            core,
            self.dispatcher,
            self.offers,
            talks,
            dialling,
            callbacks,
            taken,
            self._take_back,
            self.callers,
            self.line,
            calling,
            thirds,
            overseeing,
            self.control,
            self.campaigns,
        )
        self.board = Board(core, self.line.waiting)
        self._recovery.on_known = self.board.catch_up
        self.dispatcher.deciding.on_foretold = self.board.foretold
        self.machines = Machines(self, core)
        self.feeds = Feeds(self.machines, core)
        self.commands = Commands(core, self.control, dialling, callbacks, overseeing, self.dispatcher.tell_phone)
        self.watch = Watch(core, self.board)
        ears = self._recognizer
        self.live = Live(core, settings.paths.record_spool, ears, settings.speech_live) if ears else None
        self.commands.acknowledge = self.watch.acknowledge
        self.sessions.attach(core, self.dispatcher, self._recovery, self._take_back, self.board)
        self.hub.on_presence = self._presence
        left = facts.start()
        if left:
            log.info("facts left by an earlier life are applied", facts=left)
        await self._read_staff()
        await asyncio.gather(nuisance.begin(), self.watch.begin())
        await self.sessions.nodes.start()
        for work in (
            *self.sessions.work(),
            self._fill_and_run_board(),
            self._housekeeping(),
            self.rules.run(queue),
            self.line.run(),
            self.campaigns.run(),
            nuisance.run(),
            self.watch.run(),
            Seats(core, self._notice).run(),
            *([self.live.run()] if self.live else []),
            Auditing(core, dialling).run(),
        ):
            self._tasks.append(asyncio.create_task(work, name=getattr(work, "__qualname__", "bridge")))
        self._started = True

    @property
    def started(self) -> bool:
        """Whether pages and calls can be served."""
        return self._started

    def halt(self) -> None:
        """Decide nothing any more, at once; `stop` follows."""
        if self._started:
            self.core.queue.stop()

    async def stop(self) -> None:
        """Let go: calls live on in Asterisk; what is known is on the disk."""
        if not self._started:
            return
        self._started = False
        self.hub.close_all(1001, "the server restarts")
        self.core.queue.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.watch.stop()
        await self.core.stop_tasks()
        await self.sessions.nodes.stop()
        self.core.book.close()
        self._pops.close()
        self.callers.close()
        await asyncio.to_thread(self.core.facts.stop)
        await asyncio.to_thread(self._engine_file.close)

    def healthy(self) -> bool:
        """Whether calls can be offered and facts be stored."""
        return all(state == "ok" for state in self.health().values())

    def health(self) -> dict[str, str]:
        """Part → "ok", or what is wrong."""
        if not self._started:
            return {"realtime": "not started"}
        found = self.sessions.health()
        troubles = self.core.facts.troubles()
        found["facts"] = "ok" if not troubles else ", ".join(f"{part}: {what}" for part, what in troubles.items())
        found["queue_journal"] = self._engine_file.trouble or "ok"
        return found

    def has_calls(self) -> bool:
        """Whether anybody is connected."""
        return bool(self.core.telephony.calls)

    # -- for pages (client.Desk) ------------------------------------------------------------------------------------

    def now_ms(self) -> int:
        """The clock."""
        return self._clock()

    def snapshot(self, actor: Actor, key: StreamKey) -> dict[str, Any]:
        """What a page needs to begin with."""
        agent_id = key.agent_id
        return {
            "agent": agent_view(self.core, agent_id) if agent_id else None,
            "calls": [self._view(call, agent_id) for call in self.calls_of(agent_id)] if agent_id else [],
            "wallboard": self.board.shown(self.board.figures(), floor=key.floor) if key.board else None,
            "server_ms": self._clock(),
        }

    async def command(self, actor: Actor, name: str, args: Mapping[str, Any]) -> dict[str, Any]:
        """Carry out a page's command. Raises HotlineError."""
        return await self.commands.run(actor, name, args)

    def reload_rules(self) -> None:
        """Read the rules of the queue again now."""
        if self._started:
            self.core.spawn(self.rules.reload(self.core.queue), "reload-rules")

    def alert_rules_changed(self) -> None:
        """A rule of the alerts was set: read them now. From any thread."""
        if self._started:
            self._loop.call_soon_threadsafe(self.watch.rules_changed)

    def notices_told(self, agents: Collection[str]) -> None:
        """These agents were told something in their inbox: their pages look there. From any thread."""
        if self._started:
            told = sorted(agents)
            self._loop.call_soon_threadsafe(self._say_notices, told)

    # -- for the rest of the house ----------------------------------------------------------------------------------

    async def sign_in(self, agent_id: str, endpoint: str | None = None, *, ready: bool = True) -> dict[str, Any]:
        """Begin the shift of an agent who has only a telephone: calls ring without waiting for a page."""
        return await self.commands.sign_in(agent_id, endpoint, needs_page=False, ready=ready)

    def phone_registered(self, agent_id: str) -> bool | None:
        """Whether one of the agent's telephones can be reached; None while Asterisk cannot be asked."""
        if not self._started or not self.core.connected:
            return None
        phones = (self.core.telephony.phones.get(endpoint) for endpoint in (agent_id, f"{agent_id}w"))
        return any(phone is not None and phone.reachable for phone in phones)

    def rules_in_force(self) -> EngineConfig | None:
        """The rules that the queue goes by; None before the start."""
        return self.rules.running if self._started else None

    def explain(self, call_id: str, language: str = "zh") -> list[str]:
        """Why this caller waited and who was offered, in words, from the journal. Reads files: call on a thread."""
        lines = list(islice(newest_first(self.settings.paths.journal, ENGINE_JOURNAL), MOST_LINES_EXPLAINED))
        about = [line for line in reversed(lines) if f'"{call_id}"' in line]
        return explain_call(about, call_id, language)

    # -- inside -----------------------------------------------------------------------------------------------------

    def _say_notices(self, agents: Collection[str]) -> None:
        for agent_id in agents:
            self.hub.to_pages(agent_id, "notices.changed", {})

    def calls_of(self, agent_id: str) -> list[Call]:
        """The calls that an agent has, or is being rung for."""
        own = {call.call_id: call for call in self.core.telephony.talks_of(agent_id)}
        for run in self.offers.runs.values():
            call = self.core.call(run.offer.call_id)
            if run.offer.agent_id == agent_id and call is not None:
                own.setdefault(call.call_id, call)
        return [call for call in own.values() if call.ended_ms is None]

    def offer_of(self, call: Call) -> dict[str, Any] | None:
        """The offer that a call is in."""
        run = self.offers.of_call(call.call_id)
        return {"offer_id": run.offer.offer_id, "deadline_ms": run.offer.deadline_ms} if run else None

    def _view(self, call: Call, agent_id: str) -> dict[str, Any]:
        return call_view(self.core, call, agent_id, self.offer_of(call))

    def _presence(self, agent_id: str) -> None:
        """A page of an agent came or went."""
        agent = self.core.book.get(agent_id) if self._started else None
        if agent is None:
            return
        if not agent.needs_page:
            self._show_missing_cards(agent_id)
            return
        there = self.hub.pages(agent_id) > 0
        if there != (agent.page_lost_ms is None):
            agent.page_lost_ms = None if there else self._clock()
            self.dispatcher.tell_phone(agent)

    def _show_missing_cards(self, agent_id: str) -> None:
        """An agent with a telephone alone has opened a page: calls that came before it have had no card made."""
        if self.hub.pages(agent_id):
            for call in self.calls_of(agent_id):
                if call.call_id not in self.core.cards:
                    self._talks.show_card(call, agent_id)

    def _late_card(self, call_id: str, card: dict[str, Any]) -> None:
        call = self.core.call(call_id)
        run = self.offers.of_call(call_id)
        agents = {leg.agent_id for leg in call.legs.values() if leg.agent_id} if call else set()
        for agent_id in agents | ({run.offer.agent_id} if run else set()):
            self.hub.to_agent(agent_id, "call.card", {"call_id": call_id, "card": card})

    async def _fill_and_run_board(self) -> None:
        await self.board.fill()
        await self.board.run()

    async def _read_staff(self) -> None:
        try:
            self.core.book.know(await asyncio.to_thread(self.domain.agents))
        except HotlineError as error:
            log.warning("the staff list cannot be read yet", problem=error.code)

    async def _housekeeping(self) -> None:
        """Once a second: pages that stay away, old streams; now and then the staff list and old journals."""
        turns = 0
        while True:
            await asyncio.sleep(1.0)
            turns += 1
            now = self._clock()
            for agent in list(self.core.book.on_shift.values()):
                lost = agent.page_lost_ms
                idle = agent.state in (AgentState.READY, AgentState.WRAP_UP)
                if agent.needs_page and lost is not None and now - lost > PAGE_GRACE_MS and idle:
                    self.core.queue.feed(AgentNotReady(agent.agent_id, "desktop_lost", "system"))
                    who = f"{agent.agent_id} {agent.name}"
                    self._notice("warning", "desktop_lost", f"坐席 {who} 的页面已断开,已置为示忙。", agent=who)
            self.hub.sweep()
            if turns % STAFF_EVERY_S == 0:
                await self._read_staff()
            if turns % 3600 == 0:
                await asyncio.to_thread(self._prune)

    def _prune(self) -> None:
        today = from_ms(self._clock()).date()
        for prefix in (ENGINE_JOURNAL, "facts", "refused"):
            prune(self.settings.paths.journal, prefix, today, self.settings.retention_days)

    def _notice(self, level: str, code: str, text: str, **more: str) -> None:
        """Tell everybody who watches the wallboard, and agents where it concerns them."""
        data = {"level": level, "code": code, "text": text, **more, "at_ms": self._clock()}
        if code.startswith("telephone"):
            for agent_id in self.core.book.on_shift:
                self.hub.to_agent(agent_id, "notice", data)
        self.hub.to_boards("notice", data)

    def _journal_trouble(self, trouble: str) -> None:
        """Called on the journal's thread."""
        if trouble:
            log.error("the journal is in trouble", problem=trouble)
        self._loop.call_soon_threadsafe(
            self._notice,
            "error" if trouble else "info",
            "journal",
            "日志流水无法写入磁盘,请立即检查磁盘空间。" if trouble else "日志流水已恢复写入。",
        )

    # -- the fact writer's work, on its threads ---------------------------------------------------------------------

    def _apply_facts(self, batch: list[Fact]) -> None:
        if calls := merged([fact for fact in batch if fact.kind == "call"]):
            self.domain.record(calls)
        if drafts := [fact.data for fact in batch if fact.kind == "draft" and not fact.data.get("card", True)]:
            self.domain.open_drafts([(told["facts"], str(told["agent_id"])) for told in drafts])
        for fact in batch:
            if fact.kind == "draft" and fact.data.get("card", True):
                card = self.domain.card(fact.data["facts"], str(fact.data["agent_id"]))
                self._loop.call_soon_threadsafe(self._pops.made, fact, card)
            elif fact.kind == "callback":
                told = fact.data
                self.domain.settle_callback(
                    int(told["callback_id"]), int(told["taken_ms"]), AttemptOutcome(told["outcome"]), str(told["why"])
                )
            elif fact.kind == "callback_line":
                told = {name: value for name, value in fact.data.items() if name not in ("callback_id", "what")}
                self.domain.note_callback(int(fact.data["callback_id"]), LineStep(fact.data["what"]), told)
            elif fact.kind == "campaign":
                self.domain.settle_campaign_call(fact.key, fact.data)
                campaign_notes.remove(self.settings.paths.campaign_spool, fact.key)
            elif fact.kind == "callback_barrier":
                self._loop.call_soon_threadsafe(self.line.barrier, int(fact.data["life"]))
            elif fact.kind == "unseen":
                self.domain.record_unseen(fact.key, fact.data)
                endings.remove(self.settings.paths.call_spool, fact.key)
            elif fact.kind == "third":
                self.domain.record_third(fact.key, fact.data)
            elif fact.kind == "pause":
                self.domain.record_pause(fact.key, fact.data)
            elif fact.kind == "ended":
                endings.remove(self.settings.paths.call_spool, fact.key)
            elif fact.kind == "forgotten_callbacks":
                self.domain.settle_forgotten_callbacks(fact.data["alive"])
            elif fact.kind == "alert":
                self.domain.note_alert(fact.data)
            elif fact.kind == "presence":
                self.domain.note_presence(fact.data)

    def _apply_files(self, batch: list[Fact]) -> None:
        for fact in batch:
            recordings.take_in(self.settings.paths.record_spool, self.domain, fact)
