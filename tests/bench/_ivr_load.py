"""The IVR bench's world: one Asterisk with three ways to run one menu, callers (sipp), and what is measured on it."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from agi_scripts.safe_agi import SafeAgi
from app.db import migrate
from app.settings import REPO
from app.tools import tool
from ivr import audio
from ivr.prompts import PromptSettings, build_prompts
from tests.bench._ivr_texts import CALLER, DIALPLAN, INFO
from tests.bench._load import cpu_s, others, processors, quantile, rss_mb
from tests.peers.hotline import AsteriskUnderTest

OURS, NATIVE, PROCESS = "ours", "native dialplan", "process AGI"
ARMS = (OURS, NATIVE, PROCESS)
NUMBERS = {OURS: "7001", NATIVE: "7002", PROCESS: "7003"}
CALLERS = "127.0.0.2"
RTP = (40_000, 59_999)
MOST_CALLS = 3000
SAMPLED = 4
"""The native menu has no commands of its own: of so many of its calls one is asked, where ours sends its last."""


OUTCOME = {
    "HOTLINE_QUEUE": "general",
    "HOTLINE_SKILLS": "",
    "HOTLINE_PRIORITY": "0",
    "HOTLINE_PATH": "welcome>announcements>main>queue",
    "HOTLINE_NEXT": "queue",
    "HOTLINE_DONE": "1",
}
"""What the voice menu sets at the end of such a call, beside the language."""


@dataclass
class Step:
    """One arm at one rate: what happened."""

    arm: str
    rate: float
    calls: int = 0
    failed: int = 0
    achieved: float = 0.0
    command_ms: list[float] = field(default_factory=list)
    probe_ms: list[float] = field(default_factory=list)
    cpu_s: float = 0.0
    rss_mb: float = 0.0
    others: float = 0.0
    """Part of the machine that programs which are not of this bench took meanwhile (0…1)."""

    @property
    def p99_ms(self) -> float:
        """The slower of the arm's own commands and of the probe's: both must stay quick."""
        return max(quantile(self.command_ms, 0.99), quantile(self.probe_ms, 0.99))

    @property
    def cpu_ms_per_call(self) -> float:
        """Milliseconds of one core per call, Asterisk and whatever serves the menu together."""
        return 1000 * self.cpu_s / self.calls if self.calls else 0.0


class World:
    """Asterisk with the three menus, our voice process, the probe, and sipp as the callers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.hotline = AsteriskUnderTest(
            folder / "home", max_calls=MOST_CALLS, opens="00:00", closes="23:59", rtp_start=RTP[0], rtp_end=RTP[1]
        )
        self.settings = self.hotline.settings
        self.times = folder / "process-times"
        self.voice: subprocess.Popen[str] | None = None
        self._probe_door = socket.create_server(("127.0.0.1", 0))
        self._probe: list[float] = []
        self._sampler_door = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._samples: list[float] = []
        self._stopping = threading.Event()
        self._sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sink.bind((CALLERS, 0))
        self._said: list[str] = []
        self._said_news = threading.Condition()

    @contextlib.contextmanager
    def running(self) -> Iterator[World]:
        """Everything started for the body, everything ended after it."""
        try:
            self._prepare()
            self.hotline.start()
            self._add_contexts()
            self._start_voice()
            self._start_probe()
            yield self
        finally:
            self._stopping.set()
            if self.voice is not None:
                assert self.voice.stdin is not None
                self.voice.stdin.close()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.voice.wait(5)
                if self.voice.poll() is None:
                    self.voice.kill()
            self.hotline.stop()
            self._probe_door.close()
            self._sampler_door.close()
            self._sink.close()

    def _prepare(self) -> None:
        self.settings.ensure_dirs()
        report = build_prompts(PromptSettings(self.settings.home, lambda name: tool(name, self.settings)))
        if not report.ok:
            raise SystemExit(f"prompts can't be built: {report.faults[:3]}")
        zh = self.settings.paths.prompts / "zh"
        parts = [zh / f"{name}.wav" for name in ("greeting", "recording_notice")]
        for key, language in enumerate(("zh", "yue", "en"), 1):
            folder = self.settings.paths.prompts / language
            parts += [folder / "choose_language.wav", folder / f"number_{key}.wav"]
        audio.write(zh / "welcome_joined.wav", audio.join(parts, 0.12))
        migrate(self.settings)
        (self.folder / "caller.xml").write_text(
            CALLER.format(
                sink=self._sink.getsockname()[1],
                info_1=INFO.format(cseq=2, key=1),
                info_0=INFO.format(cseq=3, key=0),
            )
        )

    def _add_contexts(self) -> None:
        script = self.folder / "process-agi"
        source = (Path(__file__).parent / "_ivr_process_agi.py").read_text()
        # Its first line names this very Python, as a script in a virtual environment has it.
        script.write_text(f"#!{sys.executable}\n" + source.split("\n", 1)[1])
        script.chmod(0o755)
        file = self.settings.paths.asterisk / "etc/extensions.conf"
        added = DIALPLAN.format(
            script=script,
            prompts=self.settings.paths.prompts,
            times=self.times,
            database=self.settings.home / "hotline.sqlite3",
            probe=self._probe_door.getsockname()[1],
            sampler=self._sampler_door.getsockname()[1],
            sampled=SAMPLED,
        )
        file.write_text(file.read_text() + added)
        self.hotline.manager.action("Reload", Module="pbx_config")

    # -- our voice process ----------------------------------------------------------------------------------------

    def _start_voice(self) -> None:
        self.voice = subprocess.Popen(
            [sys.executable, "-m", "tests.bench._ivr_voice"],
            cwd=REPO,
            env={**os.environ, **self.settings.environment()},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=(self.folder / "voice.log").open("w"),
            text=True,
            start_new_session=True,  # as the supervisor starts it: Linux shares the processors among sessions
        )
        threading.Thread(target=self._read_voice, daemon=True).start()
        self.voice_times()

    def _read_voice(self) -> None:
        assert self.voice is not None
        assert self.voice.stdout is not None
        with (self.folder / "voice.out").open("w") as log:
            for line in self.voice.stdout:
                if line.startswith("BENCH "):
                    with self._said_news:
                        self._said.append(line[6:])
                        self._said_news.notify()
                else:
                    log.write(line)

    def voice_times(self) -> list[float]:
        """Seconds of our commands since the last question."""
        assert self.voice is not None
        assert self.voice.stdin is not None
        self.voice.stdin.write("\n")
        self.voice.stdin.flush()
        with self._said_news:
            if not self._said_news.wait_for(lambda: self._said, 30):
                raise SystemExit(f"the voice process does not answer; see {self.folder}/voice.log")
            return list(json.loads(self._said.pop(0))["times"])

    # -- the probe: one AGI command every 20 ms on a channel of its own, whatever arm runs -------------------------

    def _start_probe(self) -> None:
        threading.Thread(target=self._run_probe, daemon=True).start()
        threading.Thread(target=self._run_sampler, daemon=True).start()
        self.hotline.manager.send(
            "Originate",
            Channel="Local/s@bench-probe/n",
            Context="bench-probe",
            Exten="wait",
            Priority="1",
            Async="true",
        )

    def _run_probe(self) -> None:
        with contextlib.suppress(Exception):
            connection, _ = self._probe_door.accept()
            agi = SafeAgi(connection)
            agi.read_header()
            while not self._stopping.wait(0.02):
                started = time.perf_counter()
                agi.call_command("NOOP", within_s=30)
                self._probe.append(time.perf_counter() - started)

    def _run_sampler(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._sampler_door.accept()
                threading.Thread(target=self._sample, args=(connection,), daemon=True).start()

    def _sample(self, connection: socket.socket) -> None:
        """Times one command on a native call: what ours sends last, where ours sends it, before the last announcement.

        It is the outcome, which the other native calls set by themselves. To set variables takes Asterisk some wake-ups
        of other threads, and so under load several times as long as a command that does nothing.
        """
        with contextlib.suppress(Exception), connection:
            agi = SafeAgi(connection)
            header = agi.read_header()
            started = time.perf_counter()
            agi.set_variables(HOTLINE_LANG=header["agi_arg_1"], **OUTCOME)
            self._samples.append(time.perf_counter() - started)

    # -- callers --------------------------------------------------------------------------------------------------

    def run(self, arm: str, rate: float, seconds: float) -> Step:
        """Callers of one arm at `rate` a second for `seconds`, and until the last of them has ended."""
        step = Step(arm, rate)
        self._wait_quiet()
        self.voice_times()
        self.times.unlink(missing_ok=True)
        self._probe.clear()
        self._samples.clear()
        wanted = max(3, round(rate * seconds))
        before, machine = cpu_s(self._pids(arm)), processors(self._pids(OURS))
        step.failed, step.calls, step.achieved, step.rss_mb = self._sipp(arm, rate, wanted)
        step.cpu_s = cpu_s(self._pids(arm)) - before
        step.others = others(machine, processors(self._pids(OURS)))
        step.probe_ms = [1000 * one for one in self._probe]
        step.command_ms = [1000 * one for one in self._command_times(arm)]
        return step

    def _command_times(self, arm: str) -> list[float]:
        """Seconds of the commands on the arm's own calls."""
        if arm == OURS:
            return self.voice_times()
        return self._process_times() if arm == PROCESS else list(self._samples)

    def _sipp(self, arm: str, rate: float, wanted: int) -> tuple[int, int, float, float]:
        statistics = self.folder / "sipp.csv"
        statistics.unlink(missing_ok=True)
        port = _free_udp(CALLERS)
        argv = [
            *tool("sipp", self.settings), f"{self.settings.sip_host}:{self.settings.sip_port}",
            "-sf", str(self.folder / "caller.xml"), "-s", NUMBERS[arm], "-i", CALLERS, "-p", str(port),
            "-r", f"{rate:g}", "-m", str(wanted), "-l", str(MOST_CALLS), "-nostdin", "-buff_size", "8388608",
            "-trace_stat", "-stf", str(statistics), "-fd", "1", "-timeout", "60", "-recv_timeout", "20000",
        ]  # fmt: skip
        rss = 0.0
        started = time.monotonic()
        with subprocess.Popen(
            argv,
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # callers are machines of their own
        ) as child:
            try:
                while child.poll() is None:
                    rss = max(rss, rss_mb(self._pids(arm)))
                    if time.monotonic() - started > 75:
                        child.send_signal(signal.SIGTERM)
                    time.sleep(0.25)
            finally:
                if child.poll() is None:
                    child.kill()
        return (*_read_statistics(statistics, wanted), rss)

    def _wait_quiet(self) -> None:
        """Until only the probe's channels are left."""
        end = time.monotonic() + 90
        while time.monotonic() < end:
            if len(self.hotline.manager.channels()) <= 2:
                return
            time.sleep(0.2)
        raise SystemExit("calls of the last step do not end")

    def _process_times(self) -> list[float]:
        with contextlib.suppress(OSError):
            return [float(one) for one in self.times.read_text().split()]
        return []

    def _pids(self, arm: str) -> list[int]:
        assert self.hotline.process is not None
        assert self.hotline.process.child is not None
        assert self.voice is not None
        return [self.hotline.process.child.pid] + ([self.voice.pid] if arm == OURS else [])


def _read_statistics(file: Path, wanted: int) -> tuple[int, int, float]:
    """(failed, ended calls, calls begun per second) of a sipp run. A run without statistics failed altogether."""
    try:
        rows = list(csv.DictReader(file.open(), delimiter=";"))
    except OSError:
        rows = []
    if not rows:
        return wanted, 0, 0.0
    last = rows[-1]
    good, created = int(last["SuccessfulCall(C)"]), int(last["TotalCallCreated"])
    # The rate while calls were still being begun: the end of a run is only waiting for the last ones.
    begun = [(_seconds(row["ElapsedTime(C)"]), int(row["TotalCallCreated"])) for row in rows]
    full = next((elapsed for elapsed, count in begun if count >= wanted), begun[-1][0])
    return wanted - good, good, created / full if full else 0.0


def _seconds(clock: str) -> float:
    """sipp's HH:MM:SS or HH:MM:SS:micros."""
    hours, minutes, seconds, *rest = clock.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds) + (int(rest[0]) / 1e6 if rest else 0)


def _free_udp(address: str) -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])
