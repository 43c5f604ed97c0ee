"""The public telephone network: a second Asterisk from which citizens call, and where dialled numbers answer or not.

It also plays agents' desk phones where a real one is too much (demos, load): they register from an address of
their own.
"""

from __future__ import annotations

import itertools
import queue
import secrets
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from app.settings import Settings
from app.tools import tool
from asterisk_conf.manager_probe import wait_ready
from tests.peers import audio, network_conf
from tests.peers.agi import AgiChannel, AgiServer, HungUp, Script
from tests.peers.asterisk_process import AsteriskProcess
from tests.peers.manager import Event, Manager
from tests.peers.ports import PortBlock, port_block
from tests.peers.waiting import wait_until

NORMAL, BUSY, NO_ANSWER, CONGESTION, UNALLOCATED = 16, 17, 19, 34, 1


class Line:
    """One call as the outside party has it. Every action waits until it is done, unless said otherwise.

    `heard` is the sound file of what this party hears; it grows while the call lasts.
    """

    def __init__(self, network: PublicNetwork, ident: str, number: str) -> None:
        self.network, self.ident, self.number = network, ident, number
        self.heard: Path = network.root / "heard" / f"{ident}.wav"
        self.answered = threading.Event()
        self.ended = threading.Event()
        self.cause: int | None = None
        self.channel = ""
        self._work: queue.Queue[tuple[Callable[[AgiChannel], object], Future[object]] | None] = queue.Queue()

    def wait_answered(self, timeout: float = 10.0) -> Line:
        """Until both sides can talk."""
        if not self.answered.wait(timeout):
            raise AssertionError(f"call of {self.number} not answered within {timeout:g} s (cause {self.cause})")
        return self

    def wait_ended(self, timeout: float = 15.0) -> int:
        """Until the call is over; returns the cause (Q.850)."""
        if not self.ended.wait(timeout):
            raise AssertionError(f"call of {self.number} still there after {timeout:g} s")
        return self.cause or 0

    def do(self, work: Callable[[AgiChannel], object], timeout: float | None = 60.0) -> object:
        """Runs commands on the channel; `timeout=None` returns at once. Raises HungUp when the call is over."""
        done: Future[object] = Future()
        if self.ended.is_set():
            raise HungUp
        self._work.put((work, done))
        return done.result(timeout) if timeout is not None else None

    def press(self, digits: str) -> None:
        """Presses keys ("w" is a pause of half a second)."""
        self.do(lambda channel: channel.exec("SendDTMF", f"{digits},120,150"))

    def play(self, file: Path) -> None:
        """Plays a sound file once."""
        self.do(lambda channel: channel.exec("Playback", str(file.with_suffix(""))))

    def tone(self, hz: int) -> None:
        """Sends a tone from now on (one of network_conf.TONES); returns at once."""
        self.do(lambda channel: channel.exec("StartMusicOnHold", f"tone{hz}"))

    def quiet(self) -> None:
        """Stops the tone."""
        self.do(lambda channel: channel.exec("StopMusicOnHold"))

    def wait(self, seconds: float) -> None:
        """Stays on the line."""
        self.do(lambda channel: channel.exec("Wait", str(seconds)))

    def wait_hears(self, hz: float, timeout: float = 15.0, since: float = 0.0, threshold_db: float = -35.0) -> float:
        """Until the tone is heard (0.2 s of it) after `since` seconds of the call; returns where (seconds)."""

        scan = audio.ToneScan(self.heard, hz, threshold_db, since)

        def what() -> str:
            return f"{self.number} hears {hz:g} Hz (heard: {self.spectrum()})"

        return wait_until(scan.first, timeout, what, every=0.15)

    def heard_s(self) -> float:
        """Seconds heard so far: a place in the call for `wait_hears(since=...)`."""
        return audio.duration(self.heard) if self.heard.exists() else 0.0

    def hears(self, hz: float, last: float = 0.6) -> bool:
        """Whether the tone is heard right now (in the last `last` seconds)."""
        return self.heard.exists() and audio.has_tone(self.heard, hz, -last)

    def spectrum(self) -> str:
        """Which of the known tones were heard, for messages."""
        from tests.peers.prompts import MUSIC_HZ, PROMPT_HZ

        if not self.heard.exists():
            return "nothing"
        names = {"music": MUSIC_HZ, **PROMPT_HZ, **{f"{hz} Hz": hz for hz in network_conf.TONES}}
        found = {name: audio.tone_seconds(self.heard, hz) for name, hz in names.items()}
        return ", ".join(f"{name} {seconds:.1f} s" for name, seconds in found.items() if seconds) or "silence"

    def send_fax(self, tiff: Path, t38: bool, timeout: float = 120.0) -> dict[str, str]:
        """Sends a fax and hangs up; returns Status, Error, Pages, Mode. T.38 needs a line called `via` hotline-t38."""
        mark = self.network.manager.mark()

        def work(channel: AgiChannel) -> None:
            channel.exec("Set", "FAXOPT(ecm)=yes")
            channel.exec("SendFAX", f"{tiff},{'zf' if t38 else 'F'}")

        self.do(work, timeout=None)
        self.ended.wait(timeout)
        return self.network.manager.wait_event("Fax", 5, mark, Peer=self.ident)

    def hang_up(self) -> None:
        """Hangs up; returns when the channel is gone."""
        if not self.ended.is_set():
            self.network.hang_up(self.channel)
        self.wait_ended(10)

    def serve(self, channel: AgiChannel) -> None:
        """Runs this line's commands on its channel until it is over."""
        self.channel = channel.environment["channel"]
        self.answered.set()
        while (item := self._work.get()) is not None:
            work, done = item
            try:
                done.set_result(work(channel))
            except BaseException as error:  # the caller of do() gets whatever went wrong
                done.set_exception(error)
                if isinstance(error, HungUp):
                    return

    def over(self, cause: int) -> None:
        """The network tells that the channel is gone."""
        self.cause = cause
        self.ended.set()
        self._work.put(None)


@dataclass
class Answering:
    """How a number outside behaves: rings `ring_s`, then gives `cause`, or answers (cause 0) and runs `then`."""

    ring_s: float = 0.0
    cause: int = 0
    then: Callable[[Line], None] | None = None


class PublicNetwork:
    """Start it after our Asterisk's settings are known. `address` is what `settings.trunk_out` must name.

    `further` are the hotline's other nodes: `call(…, via=<name of the node>)`.
    """

    def __init__(
        self,
        root: Path,
        ours: Settings,
        agents: Iterable[tuple[str, str]] = (),
        further: Iterable[Settings] = (),
    ) -> None:
        self.root, self.ours, self.agents, self.further = root, ours, list(agents), list(further)
        self.block: PortBlock = port_block()
        self.ports = {name: self.block.take() for name in ("sip", "agents_sip", "ami")}
        self.ports |= {"rtp_start": self.block.rtp_start, "rtp_end": self.block.rtp_end}
        self.numbers: dict[str, Answering] = {}
        self.lines: dict[str, Line] = {}
        self.incoming: queue.Queue[Line] = queue.Queue()
        self._ids = itertools.count(1)
        self._secret = secrets.token_hex(8)
        self._server: AgiServer | None = None
        self.process: AsteriskProcess | None = None
        self.manager: Manager

    @property
    def address(self) -> str:
        """host:port of the network's SIP side."""
        return f"{network_conf.ADDRESS}:{self.ports['sip']}"

    def start(self) -> None:
        """Writes its configuration, starts it, waits until it can call."""
        self._server = AgiServer(self._script)
        self.ports["agi"] = self._server.port
        network_conf.write(self.root, self.ours, self.ports, self.agents, self._secret, self.further)
        argv = [*tool("asterisk", self.ours), "-f", "-C", str(self.root / "etc/asterisk.conf")]
        self.process = AsteriskProcess(argv, {"PATH": "/usr/bin:/bin"}, self.root, self.root / "log/messages")
        self.process.start()
        wait_ready("127.0.0.1", self.ports["ami"], "network", self._secret, 20, self.root / "log/messages")
        self.manager = Manager("127.0.0.1", self.ports["ami"], "network", self._secret)
        threading.Thread(target=self._watch, name="network-watch", daemon=True).start()

    def stop(self) -> None:
        """Ends every call and the process."""
        if hasattr(self, "manager"):
            self.manager.close()
        if self.process is not None:
            self.process.stop()
        if self._server is not None:
            self._server.close()
        self.block.release()

    def call(self, number: str, to: str = "", name: str = "", via: str = "hotline", ring_s: float = 30.0) -> Line:
        """A citizen at `number` calls `to` (12345 by default); returns at once.

        `via`: hotline (A-law first), hotline-ulaw, hotline-t38 for a line whose gateway can do T.38, or a further node.
        """
        ident = f"c{next(self._ids)}"
        line = self.lines[ident] = Line(self, ident, number)
        self.manager.send(
            "Originate",
            Channel=f"PJSIP/{to or self.ours.main_number}@{via}",
            ChannelId=f"network-{ident}",
            Context="citizen",
            Exten="s",
            Priority="1",
            CallerID=f'"{name}" <{number}>',
            Timeout=str(int(ring_s * 1000)),
            Variable=f"PEER_ID={ident}",
            Async="true",
        )
        return line

    def answers(self, number: str, ring_s: float = 0.3, then: Callable[[Line], None] | None = None) -> None:
        """The number outside will ring and answer; `then` runs on a thread of its own with the line."""
        self.numbers[number] = Answering(ring_s, 0, then)

    def refuses(self, number: str, cause: int, ring_s: float = 0.0) -> None:
        """The number outside will end the attempt with `cause`: BUSY, NO_ANSWER, CONGESTION, UNALLOCATED."""
        self.numbers[number] = Answering(ring_s, cause)

    def wait_incoming(self, timeout: float = 10.0) -> Line:
        """The next call that a number here has answered."""
        try:
            return self.incoming.get(timeout=timeout)
        except queue.Empty:
            raise AssertionError(f"no call reached the network within {timeout:g} s") from None

    def forget(self) -> None:
        """Forgets every number's behaviour and who has called."""
        self.numbers.clear()
        while not self.incoming.empty():
            self.incoming.get_nowait()

    def hang_up(self, channel: str) -> None:
        """Hangs a channel up, if it is still there."""
        self.manager.send("Hangup", Channel=channel)

    def _script(self, path: str) -> Script | None:
        kind, _slash, rest = path.partition("/")
        if kind == "talk":
            return self.lines[rest].serve
        if kind == "ring":
            return lambda channel: self._ring(channel, rest)
        return None

    def _ring(self, channel: AgiChannel, number: str) -> None:
        behaviour = self.numbers.get(number, Answering(cause=UNALLOCATED))
        if behaviour.ring_s:
            channel.exec("Ringing")
            channel.exec("Wait", str(behaviour.ring_s))
        if behaviour.cause:
            channel.set("PEER_CAUSE", str(behaviour.cause))
            return
        ident = f"i{next(self._ids)}"
        line = self.lines[ident] = Line(self, ident, number)
        line.channel = channel.environment["channel"]
        channel.command("ANSWER")
        channel.set("PEER_ID", ident)
        self.incoming.put(line)
        if behaviour.then:
            threading.Thread(target=_quietly, args=(behaviour.then, line), name=f"answer-{number}", daemon=True).start()

    def _watch(self) -> None:
        seen = 0
        while not self.manager._closed:
            with self.manager._news:
                self.manager._news.wait(0.5)
                events, seen = self.manager.events[seen:], len(self.manager.events)
            for event in events:
                self._notice(event)

    def _notice(self, event: Event) -> None:
        if event.get("Event") != "Hangup":
            return
        ident = event.get("Uniqueid", "").removeprefix("network-")
        line = self.lines.get(ident)
        if line is None:
            line = next((one for one in self.lines.values() if one.channel == event.get("Channel")), None)
        if line is not None:
            line.over(int(event.get("Cause", "0")))


def _quietly(then: Callable[[Line], None], line: Line) -> None:
    try:
        line.wait_answered()
        then(line)
    except (HungUp, AssertionError, TimeoutError):
        pass


def run_script(line: Line, *steps: Callable[[Line], object]) -> threading.Thread:
    """Runs steps such as `press("1")` one after the other on a thread of their own, after the call was answered."""

    def work() -> None:
        try:
            line.wait_answered(30)
            for step in steps:
                step(line)
        except (HungUp, AssertionError):
            pass

    thread = threading.Thread(target=work, name=f"script-{line.ident}", daemon=True)
    thread.start()
    return thread


def pause(seconds: float) -> Callable[[Line], object]:
    """A step that stays on the line."""
    return lambda line: line.wait(seconds)


def now_ms() -> int:
    """The wall clock in epoch milliseconds, to compare with HOTLINE_STARTED."""
    return int(time.time() * 1000)
