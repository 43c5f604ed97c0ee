"""How fast does the queue engine decide, and how does its time per event grow with callers and agents?

A full floor in steady state: a thousand agents with one to eight of fifty skills in two queues, up to ten thousand
callers waiting in some 130 different demands. Talks end one after the other, the next in line is offered and answers,
somebody new joins, somebody gives up, time passes, waits are foretold and announced, needs are relaxed; as in the
running hotline the engine is woken (`Tick`, an event like others) whenever something is due. Measured is
`Engine.handle` alone: no journal, no telephone. What a journal line costs is measured beside it. Also: a crowd that
joins at once, and taking a full floor over after a restart.

The goal for growth: from the smallest to the largest floor, an event may cost more only as much as the logarithm of
the number waiting has grown.

    make bench-engine        (or: python -m tests.bench.engine)
"""

from __future__ import annotations

import gc
import json
import random
import resource
import statistics
import sys
import time
from dataclasses import dataclass
from math import log

from acd import journal
from acd.engine import Engine
from acd.model import (
    AgentSignedIn,
    CallJoined,
    CallLeft,
    Decision,
    EngineConfig,
    Event,
    Offer,
    OfferAnswered,
    QueueConfig,
    RelaxRule,
    RelaxStep,
    TalkAdopted,
    TalkEnded,
    Tick,
)

SIZES = (10, 100, 1_000, 10_000)  # callers waiting
AGENTS = 1_000
CYCLES = 2_000
GROWTH = log(SIZES[-1]) / log(SIZES[0])
GOALS = {
    "events_per_second": 20_000,
    "growth": GROWTH,
    "p99_us": 1_000,
    "crowd_of_1000_ms": 500,
    "adopt_10000_ms": 5_000,
}
AT_LEAST = {"events_per_second"}
T0 = 1_795_000_000_000

SKILLS = [f"s{number}" for number in range(50)]
QUEUES = ("general", "enterprise")
RELAX = (RelaxRule("s0", (RelaxStep(30, {"s1": 1}),)), RelaxRule("s2", (RelaxStep(60, {"s3": 1}),)))


@dataclass(frozen=True)
class Row:
    waiting: int
    median_us: float
    p99_us: float
    worst_us: float
    mean_us: float
    events: int
    decisions: int
    cpu_s: float
    memory_mb: float

    @property
    def per_second(self) -> int:
        """Events for each second of processor time, the bench's own part included."""
        return round(self.events / self.cpu_s)


class Floor:
    """The engine under load, and how long each event took (nanoseconds)."""

    def __init__(self, waiting: int, agents: int, seed: int = 1) -> None:
        queues = tuple(QueueConfig(queue, wrapup_s=0, overflow_wait_s=None) for queue in QUEUES)
        self.engine = Engine(EngineConfig(queues=queues, relax=RELAX, rare_skills=("s40", "s41")))
        self.random = random.Random(seed)
        self.now = T0
        self.took: list[int] = []
        self.decided = 0
        self.calls = 0
        for number in range(agents):
            chosen = self.random.sample(SKILLS, self.random.randint(1, 8))
            skills = {"zh": 5, **{skill: self.random.randint(1, 5) for skill in chosen}}
            self.do(AgentSignedIn(f"{1000 + number}", skills, QUEUES, True))
        self.agents = [f"{1000 + number}" for number in range(agents)]
        self.talks: dict[str, str] = {}  # agent → call
        while len(self.talks) < agents and self.calls < 50 * agents:
            self.now += 10
            self.join()
        while sum(len(self.engine.waiting_order(queue)) for queue in QUEUES) < waiting:
            self.now += 10
            self.join()

    def do(self, event: Event) -> list[Decision]:
        begin = time.perf_counter_ns()
        decisions = self.engine.handle(event, self.now)
        self.took.append(time.perf_counter_ns() - begin)
        self.decided += len(decisions)
        for decision in decisions:
            if isinstance(decision, Offer):
                self.talks[decision.agent_id] = decision.call_id
                self.do(OfferAnswered(decision.call_id, decision.agent_id, decision.offer_id))
        return decisions

    def join(self) -> None:
        self.calls += 1
        rest = self.random.random()
        skills = {"zh": 1} if rest < 0.5 else {self.random.choice(SKILLS): self.random.choice((1, 1, 3))}
        queue = self.random.choice(QUEUES)
        priority = self.random.choice((0, 0, 0, 0, 10))
        self.do(CallJoined(f"c{self.calls}", queue, self.now, priority, skills, attempt=1))

    def cycle(self) -> None:
        """A quarter of a second: a talk ends, the next begins, somebody joins; now and then somebody gives up."""
        until = self.now + 250
        while (wake := self.engine.next_wake_ms()) is not None and wake <= until:
            self.now = max(self.now, wake)
            self.do(Tick())
        self.now = until
        agent_id = self.random.choice(self.agents)
        call_id = self.talks.pop(agent_id, None)
        if call_id is not None:
            self.do(TalkEnded(call_id, agent_id))
            self.do(CallLeft(call_id))
            self.join()
        if self.random.random() < 0.1:
            first = self.engine._floor.lines[self.random.choice(QUEUES)].order.first()
            if first is not None:
                self.do(CallLeft(first[3]))
                self.join()


def measure(waiting: int) -> Row:
    floor = Floor(waiting, AGENTS)
    for _ in range(200):
        floor.cycle()
    floor.took.clear()
    floor.decided = 0
    gc.collect()
    cpu = time.process_time()
    for _ in range(CYCLES):
        floor.cycle()
    cpu = time.process_time() - cpu
    took = sorted(floor.took)
    return Row(
        waiting,
        statistics.median(took) / 1000,
        took[int(len(took) * 0.99)] / 1000,
        took[-1] / 1000,
        statistics.fmean(took) / 1000,
        len(took),
        floor.decided,
        cpu,
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


def crowd_ms() -> float:
    """A thousand callers join a floor that has no free agent, within one moment."""
    floor = Floor(0, 200)
    begin = time.perf_counter()
    for _ in range(1_000):
        floor.join()
    return (time.perf_counter() - begin) * 1000


def adopt_ms() -> float:
    """A new engine learns of 800 talks and 10,000 callers, each with the first join time."""
    engine = Engine(EngineConfig(queues=(QueueConfig("general", overflow_wait_s=None),)))
    begin = time.perf_counter()
    for number in range(800):
        engine.handle(TalkAdopted(f"t{number}", f"{1000 + number}", T0 - 60_000), T0)
        engine.handle(AgentSignedIn(f"{1000 + number}", {"zh": 5}, ("general",)), T0)
    for number in range(10_000):
        engine.handle(CallJoined(f"c{number}", "general", T0 - number * 7, 0, {"zh": 1}, attempt=2), T0)
    took = (time.perf_counter() - begin) * 1000
    assert len(engine.waiting_order("general")) == 10_000
    return took


def journal_line_us() -> float:
    """One event or decision written as a journal line, a mixture as it comes."""
    engine = Engine(EngineConfig(queues=(QueueConfig("general"),)))
    items: list[Event | Decision] = []
    for number in range(500):
        event = CallJoined(f"c{number}", joined_ms=T0, skills={"zh": 1}, attempt=1)
        items += [event, *engine.handle(event, T0)]
    begin = time.perf_counter()
    for item in items:
        journal.encode(item, T0)
    return (time.perf_counter() - begin) * 1_000_000 / len(items)


def main() -> int:
    """Exit status 0 only if every goal is met."""
    rows = []
    for waiting in SIZES:
        print(f"… {waiting} waiting, {AGENTS} agents", file=sys.stderr, flush=True)
        rows.append(measure(waiting))
    crowd, adopt, line = crowd_ms(), adopt_ms(), journal_line_us()

    print(
        f"{'waiting':>8} {'median µs':>10} {'p99 µs':>8} {'worst µs':>9} {'mean µs':>8} {'events':>7} "
        f"{'decisions':>10} {'CPU s':>6} {'events/s':>9} {'MB':>5}"
    )
    for row in rows:
        print(
            f"{row.waiting:>8} {row.median_us:>10.1f} {row.p99_us:>8.1f} {row.worst_us:>9.1f} {row.mean_us:>8.1f} "
            f"{row.events:>7} {row.decisions:>10} {row.cpu_s:>6.2f} {row.per_second:>9,} {row.memory_mb:>5.0f}"
        )
    print(
        f"1,000 callers at once: {crowd:.0f} ms; 800 talks and 10,000 callers taken over: {adopt:.0f} ms; "
        f"a journal line: {line:.1f} µs"
    )
    figures = {
        "median_us": round(rows[-1].median_us, 1),
        "p99_us": round(max(row.p99_us for row in rows), 1),
        "growth": round(rows[-1].median_us / rows[0].median_us, 2),
        "events_per_second": min(row.per_second for row in rows),
        "crowd_of_1000_ms": round(crowd, 1),
        "adopt_10000_ms": round(adopt, 1),
        "journal_line_us": round(line, 1),
        "memory_mb": round(rows[-1].memory_mb),
    }
    met = all(figures[name] >= goal if name in AT_LEAST else figures[name] <= goal for name, goal in GOALS.items())
    goals = {name: f"{'>=' if name in AT_LEAST else '<='} {round(goal, 2)}" for name, goal in GOALS.items()}
    print(json.dumps({"name": "engine", "figures": figures, "goals": goals, "met": met}))
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
