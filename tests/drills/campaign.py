"""Drill: a campaign of fifty calls into the public network, with busy lines, people, machines, faxes and numbers that
do not exist among them, and the core killed in the middle.

Each call is told for what it was; nobody is called more often than an attempt was written for; and at every moment each
call on its way has an agent of its own who is free and kept for it. People hear within two seconds who calls.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from sqlmodel import select

from app.actor import SYSTEM
from app.calls.tables import Call
from app.campaigns import service, targets
from app.campaigns.model import CampaignAct, Kind, Mode, Outcome
from app.campaigns.service import Wanted
from app.campaigns.tables import CampaignAttempt, CampaignTarget
from app.clock import to_ms
from app.db import Database
from app.destinations import Destinations
from app.prompting import speak
from tests.drills._report import Report, Scenario, p99
from tests.drills._run import command_line
from tests.drills._scene import Scene, until
from tests.peers import audio
from tests.peers.network import BUSY, NO_ANSWER, UNALLOCATED, Line

AGENTS = 5
PLACED = {"human": 15, "busy": 8, "no_answer": 8, "machine": 7, "fax": 5, "unallocated": 7}
SHORT = {"human": 4, "busy": 2, "no_answer": 2, "machine": 2, "fax": 1, "unallocated": 1}
KILL_AFTER = 0.4  # of all attempts
GREETINGS = ("喂？", "喂，你好。", "你好。")
MACHINE = "您好，我现在不方便接听您的电话，有事请在提示音之后留言，我会尽快给您回复，谢谢。"
TALK_S = 1.0
END, BEGINS_MS = 2**53, 500


def make_scene(report: Report) -> Scene:
    """Five agents and a way out; none of them is kept back for citizens, so the pace is bound by the agents alone."""
    open_all_day = {"calling_opens": "00:00", "calling_closes": "24:00"}
    shares = {"campaign_agents_kept": 0, "campaign_lines_kept": 0}
    return Scene(report.progress, agents=AGENTS, calls_out=True, **open_all_day, **shares)


async def steps(report: Report, scene: Scene, short: bool) -> None:
    """One campaign, and a SIGKILL for the core while it calls."""
    async with report.scenario("campaign") as one:
        await Campaign(scene, SHORT if short else PLACED).run(report, one)


@dataclass(frozen=True)
class Sounds:
    """What people and machines say when they pick up."""

    people: tuple[Path, ...]
    machine: Path


@dataclass
class Told:
    """What the engine's journal tells of agents, by the core's clock (ms): their states, when they were kept and let
    go, and when a life of the core began."""

    states: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    kept: dict[str, list[tuple[int, bool]]] = field(default_factory=dict)
    lives: list[int] = field(default_factory=list)

    def state(self, agent_id: str, at: int) -> str:
        """The agent's state at a moment."""
        return next((state for when, state in reversed(self.states.get(agent_id, [])) if when <= at), "")

    def let_go(self, agent_id: str, at: int, begun: Sequence[int]) -> int:
        """When the agent who was kept at a moment was let go; `begun`: when their calls began.

        A core that starts anew keeps them again at once if their call goes on; else it ended with the old core, and
        they are kept next for another call, which begins right then.
        """
        for when, busy in self.kept.get(agent_id, []):
            if when < at:
                continue
            life = next((one for one in self.lives if at < one <= when), None)
            if busy and life is not None and any(at < one and when <= one <= when + BEGINS_MS for one in begun):
                return life
            if not busy:
                return when
        return END


def journal(folder: Path) -> Told:
    """Reads the journal of all lives."""
    told = Told()
    for file in sorted(folder.glob("acd-*.jsonl")):
        for text in file.read_text().splitlines():
            line = json.loads(text)
            if "v" in line:
                told.lives.append(line["t"])
            elif line.get("d") == "AgentStateChanged":
                told.states.setdefault(line["agent_id"], []).append((line["t"], line["state"]))
            elif line.get("e") == "AgentBusyOutside":
                told.kept.setdefault(line["agent_id"], []).append((line["t"], line["busy"]))
    return told


class Campaign:
    """The numbers outside, the campaign, and what was seen of it."""

    def __init__(self, scene: Scene, placed: dict[str, int]) -> None:
        self._scene = scene
        kinds = [kind for kind, count in placed.items() for _ in range(count)]
        np.random.default_rng(7).shuffle(kinds)
        self.placed = {str(13_700_000_001 + index): kind for index, kind in enumerate(kinds)}
        self.heard_s: list[float] = []
        self.talks = 0
        self._lock = threading.Lock()
        self._db = Database(scene.settings.url)

    async def run(self, report: Report, one: Scenario) -> None:
        """All of it."""
        scene = self._scene
        await asyncio.to_thread(self._place)
        await asyncio.to_thread(self._reach_the_network)
        await scene.pages.ready()
        mark, began = scene.network.manager.mark(), time.monotonic()
        campaign_id = await asyncio.to_thread(self._start)
        await until(lambda: len(self._attempts()) >= KILL_AFTER * len(self.placed), 300, "the campaign to be under way")
        before = scene.system.pids()
        scene.system.kill("core")
        scene.say("the core was killed")
        await scene.wait_replaced(before, "core")
        await until(lambda: self._done() == len(self.placed), 600, "every number to be settled", every=0.5)
        one.normal_s = time.monotonic() - began
        self._judge(report, campaign_id, mark)
        self._db.dispose()

    # -- before -------------------------------------------------------------------------------------------------------

    def _place(self) -> None:
        sounds = self._sounds()
        network = self._scene.network
        for index, (number, kind) in enumerate(self.placed.items()):
            greeting = sounds.people[index % len(sounds.people)]
            match kind:
                case "human":
                    network.answers(number, 0.5 + index % 3, self._person(greeting))
                case "machine":
                    network.answers(number, 0.8, lambda line: self._machine(line, sounds.machine))
                case "fax":
                    network.answers(number, 0.5, self._fax)
                case _:
                    cause = {"busy": BUSY, "no_answer": NO_ANSWER, "unallocated": UNALLOCATED}[kind]
                    network.refuses(number, cause, 2.0 if kind == "no_answer" else 0.0)

    def _sounds(self) -> Sounds:
        settings, folder = self._scene.settings, self._scene.folder
        people = tuple(speak(settings, words, "zh") for words in GREETINGS)
        spoken = audio.read(speak(settings, MACHINE, "zh"))
        beep = 0.3 * np.sin(np.arange(audio.RATE // 2) * 2 * np.pi * 1000 / audio.RATE)
        return Sounds(people, audio.write_samples(folder / "machine.wav", np.concatenate([spoken, beep])))

    def _person(self, greeting: Path) -> Callable[[Line], None]:
        """Says hello, hears who calls, is put through, and hangs up after a word with the agent."""

        def talks(line: Line) -> None:
            line.wait(0.3)
            line.play(greeting)
            line.do(lambda channel: channel.exec("Wait", "60"), timeout=None)  # as telephones do, it sends sound
            deadline = time.monotonic() + 60
            while not line.ended.is_set() and time.monotonic() < deadline:
                if any(line.hears(hz) for hz in self._scene.tones.values()):
                    with self._lock:
                        self.talks += 1
                    time.sleep(TALK_S)
                    line.hang_up()
                    return
                time.sleep(0.2)

        return talks

    @staticmethod
    def _machine(line: Line, greeting: Path) -> None:
        line.wait(0.4)
        line.play(greeting)
        line.wait(15)
        line.hang_up()

    def _fax(self, line: Line) -> None:
        file = self._scene.folder / f"fax-{line.ident}.tif"
        line.do(lambda channel: channel.exec("ReceiveFAX", str(file)))

    def _reach_the_network(self) -> None:
        """Our Asterisk was up before the network, and looks again only every half minute."""
        self._scene.manager.action("PJSIPQualify", Endpoint="trunk")

    def _start(self) -> int:
        settings = self._scene.settings
        texts = {"zh": {"purpose": "想就您反映的事项做个回访", "message": "", "question": ""}}
        wanted = Wanted(
            "演练", Kind.result, Mode.agents, texts=texts, windows=(("00:00", "24:00"),), most_attempts=2,
            spacing={"unknown": 1, "failed": 1, "congestion": 1}, ring_s=20, most_lines=20,
        )  # fmt: skip
        with self._db.session() as session:
            campaign_id = service.create(session, SYSTEM, wanted).id or 0
        table = "\r\n".join(["电话", *self.placed]).encode()
        outcome = targets.from_table(self._db, SYSTEM, campaign_id, table, Destinations.of(settings), dry_run=False)
        assert outcome.written, outcome.faults
        say = lambda text, language: speak(settings, text, language)  # noqa: E731
        service.act(self._db, SYSTEM, campaign_id, CampaignAct.start, settings=settings, speak=say)
        return campaign_id

    # -- meanwhile and after ------------------------------------------------------------------------------------------

    def _attempts(self) -> list[CampaignAttempt]:
        with self._db.read() as session:
            return list(session.execute(select(CampaignAttempt)).scalars())

    def _done(self) -> int:
        tried_again = (Outcome.unknown.value, Outcome.failed.value, Outcome.congestion.value, "")
        with self._db.read() as session:
            rows = session.execute(select(CampaignTarget)).scalars().all()
        return sum(row.state != "calling" and row.outcome not in tried_again for row in rows)

    def _judge(self, report: Report, campaign_id: int, mark: int) -> None:
        with self._db.read() as session:
            rows = {row.number: row for row in session.execute(select(CampaignTarget)).scalars()}
            joined = {row.call_id: row.joined_at for row in session.execute(select(Call)).scalars() if row.joined_at}
        told = {number: row.outcome for number, row in rows.items()}
        wrong = {number: (kind, told[number]) for number, kind in self.placed.items() if told[number] != kind}
        report.figure("campaign.calls", len(self.placed))
        for kind in sorted(set(self.placed.values())):
            report.figure(f"campaign.{kind}", sum(told[one] == kind == what for one, what in self.placed.items()))
        report.figure("campaign.wrongly_told", len(wrong))
        report.goal("campaign.wrongly_told", "==", 0)
        if wrong:
            report.figure("campaign.wrong", [f"{number} {was} told {seen}" for number, (was, seen) in wrong.items()])
        attempts = self._attempts()
        self._judge_calls(report, attempts, {row.id or 0: number for number, row in rows.items()}, mark)
        self._judge_pace(report, attempts, {call: to_ms(at) for call, at in joined.items() if at})
        onsets = [onset for line in self._scene.network.lines.values() if (onset := self._onset(line)) is not None]
        report.figure("campaign.people_told_who_calls", len(onsets))
        report.goal("campaign.people_told_who_calls", "==", sum(kind == "human" for kind in self.placed.values()))
        report.figure("campaign.who_calls_after_s_p99", p99(onsets))
        report.goal("campaign.who_calls_after_s_p99", "<=", 2.0)
        report.figure("campaign.talks", self.talks)
        report.goal("campaign.talks", "==", sum(kind == "human" for kind in self.placed.values()))

    def _judge_calls(self, report: Report, attempts: list[CampaignAttempt], numbers: dict[int, str], mark: int) -> None:
        """No number was rung more often than attempts were written for it."""
        events = self._scene.network.manager.events[mark:]
        rung = Counter(
            event.get("Exten", "")
            for event in events
            if event.get("Event") == "Newchannel" and event.get("Context") == "from-hotline"
        )
        written = Counter(numbers[one.target_id] for one in attempts)
        report.figure("campaign.attempts", len(attempts))
        report.figure("campaign.unknown_attempts", sum(one.outcome == Outcome.unknown.value for one in attempts))
        report.figure("campaign.rung_twice_for_one_attempt", sum(rung[one] > written[one] for one in self.placed))
        report.goal("campaign.rung_twice_for_one_attempt", "==", 0)

    def _judge_pace(self, report: Report, attempts: list[CampaignAttempt], joined: dict[str, int]) -> None:
        """By the core's own clock: who was kept for a call was ready when it began, and for no other call meanwhile."""
        told = journal(self._scene.settings.paths.journal)
        begun: dict[str, list[int]] = {}
        for one in attempts:
            begun.setdefault(one.agent_id, []).append(to_ms(one.at))
        spans = []
        for one in attempts:
            end = told.let_go(one.agent_id, to_ms(one.at), begun[one.agent_id])
            spans.append((one.agent_id, to_ms(one.at), min(end, joined.get(one.call_id, END))))
        moments = sorted([(began, 1) for _, began, _ in spans] + [(end, -1) for _, _, end in spans])
        under_way = most = 0
        for _, step in moments:
            under_way += step
            most = max(most, under_way)
        report.figure("campaign.most_on_their_way", most)
        report.goal("campaign.most_on_their_way", "<=", AGENTS)
        shared = sum(agent == other and began < later < end for agent, began, end in spans for other, later, _ in spans)
        report.figure("campaign.agents_kept_for_two", shared)
        report.goal("campaign.agents_kept_for_two", "==", 0)
        not_free = sum(told.state(agent, began) != "ready" for agent, began, _ in spans)
        report.figure("campaign.agents_not_free", not_free)
        report.goal("campaign.agents_not_free", "==", 0)

    def _onset(self, line: Line) -> float | None:
        """Seconds until a person heard the first word; None for a line that is no person's."""
        if self.placed.get(line.number) != "human" or not line.heard.exists():
            return None
        samples = np.abs(audio.read(line.heard))
        loud = np.flatnonzero(samples > 0.02)
        return float(loud[0]) / audio.RATE if loud.size else None


if __name__ == "__main__":
    command_line("campaign", make_scene, steps)
