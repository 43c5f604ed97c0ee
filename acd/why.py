"""Why did this caller wait, and who was passed over? Told from the journal of everybody, not of this call alone.

`acd.explain` tells a call's own way, step by step. Here the floor around it is rebuilt from the journal: what every
agent who could have helped was doing when the call joined, who stood before it, and each time somebody else was served
first, by whom and why it was not this caller; and which free agents were passed over when it was offered.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from acd.explain import CHINA
from acd.journal import JournalError, decode
from acd.model import (
    AgentRestored,
    AgentSignedIn,
    AgentState,
    AgentStateChanged,
    CallJoined,
    CallLeft,
    EngineConfig,
    Offer,
    OfferAnswered,
    Overflow,
    QueueConfig,
    QueueConfigured,
    Queued,
    TalkAdopted,
)

# Lines that say nothing about who could have been served; most of a busy day's journal.
_PASSED_OVER = ('"d":"Announce"', '"d":"QueueChanged"', '"e":"Tick"')

_WORDS: Mapping[str, tuple[str, str]] = {
    "could": ("入队时，能接此来电的坐席 {n} 人：{doing}", "when it joined, {n} agents could serve it: {doing}"),
    "none": ("入队时没有能接此来电的坐席签入", "when it joined, nobody signed in could serve it"),
    "before": ("排在前面的来电 {n} 个", "{n} calls stood before it"),
    "before_higher": (
        "排在前面的来电 {n} 个，其中 {higher} 个因优先级更高",
        "{n} calls stood before it, {higher} of them by a higher priority",
    ),
    "priority": (
        "工号 {agent} 先接了后到的 {call}：其优先级 {theirs} 高于 {ours}",
        "agent {agent} was given {call}, which came later: its priority {theirs} is higher than {ours}",
    ),
    "skill": (
        "工号 {agent} 空出，接了排在后面的 {call}：该坐席没有 {lacks}",
        "agent {agent} became free and was given {call} from further back: they do not have {lacks}",
    ),
    "queue": (
        "工号 {agent} 接了其他队列的 {call}：该坐席不在 {queue} 队列",
        "agent {agent} was given {call} of another queue: they do not serve {queue}",
    ),
    "returning": (
        "工号 {agent} 接了排在后面的 {call}：此来电当时正在振铃或返回等候",
        "agent {agent} was given {call} from further back: this call was just being rung or on its way back",
    ),
    "idle_skill": (
        "派给工号 {agent} 时，工号 {other} 空闲更久，但没有 {lacks}",
        "when it was offered to {agent}, {other} had been free for longer but does not have {lacks}",
    ),
}

_DOING: Mapping[str, tuple[str, str]] = {
    AgentState.READY.value: ("空闲", "free"),
    AgentState.OFFERED.value: ("振铃中", "being rung"),
    AgentState.TALKING.value: ("通话中", "talking"),
    AgentState.WRAP_UP.value: ("话后整理", "in wrap-up"),
    AgentState.NOT_READY.value: ("示忙", "not ready"),
    "unreachable": ("话机不在线", "without a reachable phone"),
    "in_use": ("话机使用中或在其他通话中", "on another call"),
}


@dataclass(slots=True)
class _Agent:
    skills: Mapping[str, int] = field(default_factory=dict)
    queues: tuple[str, ...] = ()
    state: AgentState = AgentState.SIGNED_OUT
    idle_since_ms: int = 0
    unreachable: bool = False
    in_use: bool = False

    @property
    def doing(self) -> str:
        if self.state in (AgentState.READY, AgentState.NOT_READY):
            if self.unreachable:
                return "unreachable"
            if self.in_use and self.state is AgentState.READY:
                return "in_use"
        return self.state.value


@dataclass(slots=True)
class _Call:
    call_id: str
    queue: str
    priority: int
    skills: Mapping[str, int]
    joined_ms: int
    offered: bool = False

    @property
    def key(self) -> tuple[int, int]:
        return -self.priority, self.joined_ms


class _Floor:
    """What the journal says of everybody, and sentences about one call."""

    def __init__(self, call_id: str, lang: str) -> None:
        self.told: list[str] = []
        self._call_id, self._at = call_id, int(lang.startswith("en"))
        self._agents: dict[str, _Agent] = {}
        self._line: dict[str, _Call] = {}
        self._joining: CallJoined | None = None
        self._priorities: dict[str, int] = {}

    def take(self, now_ms: int, item: object) -> None:
        match item:
            case (EngineConfig() as config, _):
                self._agents.clear()
                self._line.clear()
                self._priorities = {queue.queue: queue.priority for queue in config.queues}
            case QueueConfigured(config=QueueConfig() as config):
                self._priorities[config.queue] = config.priority
            case CallJoined():
                self._joining = item
            case Queued():
                self._queued(now_ms, item)
            case AgentSignedIn() | AgentRestored():
                agent = self._agents.setdefault(item.agent_id, _Agent())
                agent.skills, agent.queues = item.skills, item.queues
            case AgentStateChanged():
                self._agent_is(now_ms, item)
            case Offer():
                self._offered(now_ms, item)
            case CallLeft() | Overflow() | OfferAnswered() | TalkAdopted():
                self._line.pop(item.call_id, None)

    def _say(self, now_ms: int, name: str, **values: object) -> None:
        at = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(CHINA)
        self.told.append(f"{at:%H:%M:%S} {_WORDS[name][self._at].format(**values)}")

    def _queued(self, now_ms: int, item: Queued) -> None:
        joined = self._joining
        if joined is None or joined.call_id != item.call_id:
            known = self._line.get(item.call_id)
            if known is not None:
                known.offered = False
            return
        known = self._line.get(item.call_id)
        joined_ms = min(joined.joined_ms or now_ms, now_ms) if known is None else known.joined_ms
        priority = joined.priority + self._priorities.get(item.queue, 0)
        call = _Call(item.call_id, item.queue, priority, dict(joined.skills), joined_ms)
        self._line[item.call_id] = call
        if item.call_id == self._call_id and known is None:
            self._say_how_it_stood(now_ms, call)

    def _say_how_it_stood(self, now_ms: int, call: _Call) -> None:
        able = [
            agent
            for agent in self._agents.values()
            if agent.state is not AgentState.SIGNED_OUT and call.queue in agent.queues and not _lacks(agent, call)
        ]
        if able:
            counted = Counter(agent.doing for agent in able)
            parts = [f"{_DOING[doing][self._at]} {number}" for doing, number in counted.most_common()]
            self._say(now_ms, "could", n=len(able), doing=("、", ", ")[self._at].join(parts))
        else:
            self._say(now_ms, "none")
        before = [one for one in self._line.values() if one.queue == call.queue and one.key < call.key]
        higher = sum(one.priority > call.priority for one in before)
        if before:
            self._say(now_ms, "before_higher" if higher else "before", n=len(before), higher=higher)

    def _agent_is(self, now_ms: int, item: AgentStateChanged) -> None:
        agent = self._agents.setdefault(item.agent_id, _Agent())
        if agent.state in (AgentState.TALKING, AgentState.SIGNED_OUT) and item.state is not agent.state:
            agent.idle_since_ms = now_ms
        agent.state = item.state
        agent.unreachable, agent.in_use = item.unreachable, item.in_use or item.busy_outside

    def _offered(self, now_ms: int, offer: Offer) -> None:
        ours, theirs = self._line.get(self._call_id), self._line.get(offer.call_id)
        agent = self._agents.setdefault(offer.agent_id, _Agent())
        if theirs is not None:
            theirs.offered = True
        if ours is None:
            return
        if offer.call_id == self._call_id:
            self._say_who_was_passed_over(now_ms, offer, agent, ours)
        elif theirs is not None and theirs.joined_ms > ours.joined_ms:
            self._say_who_came_first(now_ms, offer, agent, ours, theirs)

    def _say_who_was_passed_over(self, now_ms: int, offer: Offer, chosen: _Agent, ours: _Call) -> None:
        for agent_id, agent in self._agents.items():
            longer = agent.idle_since_ms < chosen.idle_since_ms
            if agent.doing == AgentState.READY.value and longer and ours.queue in agent.queues:
                lacks = _lacks(agent, ours)
                if lacks:
                    self._say(now_ms, "idle_skill", agent=offer.agent_id, other=agent_id, lacks=lacks)

    def _say_who_came_first(self, now_ms: int, offer: Offer, agent: _Agent, ours: _Call, theirs: _Call) -> None:
        values = {"agent": offer.agent_id, "call": offer.call_id}
        lacks = _lacks(agent, ours)
        if ours.queue not in agent.queues:
            self._say(now_ms, "queue", queue=ours.queue, **values)
        elif lacks:
            self._say(now_ms, "skill", lacks=lacks, **values)
        elif theirs.priority > ours.priority:
            self._say(now_ms, "priority", theirs=theirs.priority, ours=ours.priority, **values)
        elif ours.offered:
            self._say(now_ms, "returning", **values)


def _lacks(agent: _Agent, call: _Call) -> str:
    """The skills that the call needs and the agent does not have, as `yue:2`."""
    missing = [f"{skill}:{level}" for skill, level in sorted(call.skills.items()) if agent.skills.get(skill, 0) < level]
    return ",".join(missing)


def why(lines: Iterable[str], call_id: str, lang: str = "zh") -> list[str]:
    """Sentences with their times in China, in order; empty for a call that the lines do not know.

    `lines` should begin early enough to know the agents: with the header of the engine's life. Reading ends when the
    call has been answered or is gone. Lines that cannot be read are passed over.
    """
    floor = _Floor(call_id, lang)
    known = False
    for line in lines:
        if any(one in line for one in _PASSED_OVER):
            continue
        try:
            now_ms, item = decode(line)
        except JournalError:
            continue
        floor.take(now_ms, item)
        if getattr(item, "call_id", None) == call_id:
            known = True
            if isinstance(item, OfferAnswered | CallLeft | TalkAdopted):
                break
    return floor.told if known else []
