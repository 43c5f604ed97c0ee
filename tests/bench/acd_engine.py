"""How does the queue engine's time per event grow with callers and agents?

A full floor in steady state: every agent talks, talks end one after the other, the next in line is offered and answers,
somebody new joins, somebody gives up, timers are looked after. Waiting callers grow a hundredfold, agents sixteenfold;
thirty different demands (queue and required skills) throughout. Also measured: a crowd that joins at once, and taking a
full floor over after a restart.

    make bench-acd-engine        (or: python -m tests.bench.acd_engine)
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
    TalkAdopted,
    TalkEnded,
    Tick,
)

SIZES = ((100, 50), (1_000, 200), (10_000, 200), (10_000, 800))  # callers waiting, agents
CYCLES = 4_000
GOALS = {"p99_us": 1_000, "growth": 3.0, "crowd_of_1000_ms": 500, "adopt_10000_ms": 5_000}
T0 = 1_795_000_000_000

LANGUAGES = ({"zh": 1}, {"zh": 3}, {"yue": 2}, {"yue": 4}, {"en": 2})
SUBJECTS: tuple[dict[str, int], ...] = ({}, {"water": 2}, {"roads": 3})
QUEUES = ("general", "enterprise")


@dataclass(frozen=True)
class Row:
    waiting: int
    agents: int
    median_us: float
    p99_us: float
    worst_us: float
    events: int
    cpu_s: float


class Floor:
    """The engine under load, and how long each event took (nanoseconds)."""

    def __init__(self, waiting: int, agents: int, seed: int = 1) -> None:
        queues = tuple(QueueConfig(queue, wrapup_s=0, overflow_wait_s=None) for queue in QUEUES)
        self.engine = Engine(EngineConfig(queues=queues))
        self.random = random.Random(seed)
        self.now = T0
        self.took: list[int] = []
        self.calls = 0
        self.waiting: list[str] = []
        for number in range(agents):
            skills = {"zh": 5, **{name: self.random.randint(1, 5) for name in ("yue", "en", "water", "roads")}}
            self.do(AgentSignedIn(f"{1000 + number}", skills, QUEUES, True))
        self.agents = [f"{1000 + number}" for number in range(agents)]
        for _ in range(waiting + agents):
            self.now += 10
            self.join()

    def do(self, event: Event) -> list[Decision]:
        begin = time.perf_counter_ns()
        decisions = self.engine.handle(event, self.now)
        self.took.append(time.perf_counter_ns() - begin)
        for decision in decisions:
            if isinstance(decision, Offer):
                self.do(OfferAnswered(decision.call_id, decision.agent_id, decision.offer_id))
        return decisions

    def join(self) -> None:
        self.calls += 1
        skills = {**self.random.choice(LANGUAGES), **self.random.choice(SUBJECTS)}
        queue = self.random.choice(QUEUES)
        priority = self.random.choice((0, 0, 0, 0, 10))
        self.do(CallJoined(f"c{self.calls}", queue, self.now, priority, skills, attempt=1))

    def cycle(self) -> None:
        """A quarter of a second: a talk ends, the next begins, somebody joins; now and then somebody gives up."""
        self.now += 250
        wake = self.engine.next_wake_ms()
        if wake is not None and wake <= self.now:
            self.do(Tick())
        agent = self.engine._floor.agents[self.random.choice(self.agents)]
        if agent.call_id is not None:
            call_id = agent.call_id
            self.do(TalkEnded(call_id, agent.agent_id))
            self.do(CallLeft(call_id))
            self.join()
        if self.random.random() < 0.1:
            line = self.engine._floor.lines[self.random.choice(QUEUES)].order
            first = line.first()
            if first is not None:
                self.do(CallLeft(first[3]))
                self.join()


def measure(waiting: int, agents: int) -> Row:
    floor = Floor(waiting, agents)
    floor.took.clear()
    gc.collect()
    cpu = time.process_time()
    for _ in range(CYCLES):
        floor.cycle()
    cpu = time.process_time() - cpu
    took = sorted(floor.took)
    return Row(
        waiting,
        agents,
        statistics.median(took) / 1000,
        took[int(len(took) * 0.99)] / 1000,
        took[-1] / 1000,
        len(took),
        cpu,
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


def main() -> int:
    """Exit status 0 only if every goal is met."""
    rows = []
    for waiting, agents in SIZES:
        print(f"… {waiting} waiting, {agents} agents", file=sys.stderr, flush=True)
        rows.append(measure(waiting, agents))
    crowd, adopt = crowd_ms(), adopt_ms()
    memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    print(f"{'waiting':>8} {'agents':>7} {'median µs':>10} {'p99 µs':>8} {'worst µs':>9} {'events':>7} {'CPU s':>6}")
    for row in rows:
        print(
            f"{row.waiting:>8} {row.agents:>7} {row.median_us:>10.1f} {row.p99_us:>8.1f} {row.worst_us:>9.1f} "
            f"{row.events:>7} {row.cpu_s:>6.2f}"
        )
    print(
        f"1,000 callers at once: {crowd:.0f} ms; 800 talks and 10,000 callers taken over: {adopt:.0f} ms; "
        f"memory {memory_mb:.0f} MB"
    )
    figures = {
        "median_us": round(rows[-1].median_us, 1),
        "p99_us": round(max(row.p99_us for row in rows), 1),
        "growth": round(rows[-1].median_us / rows[0].median_us, 2),
        "crowd_of_1000_ms": round(crowd, 1),
        "adopt_10000_ms": round(adopt, 1),
        "events_per_second": round(rows[-1].events / rows[-1].cpu_s),
        "memory_mb": round(memory_mb),
    }
    met = all(figures[name] <= goal for name, goal in GOALS.items())
    goals = {name: f"<= {goal}" for name, goal in GOALS.items()}
    print(json.dumps({"name": "acd-engine", "figures": figures, "goals": goals, "met": met}))
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
