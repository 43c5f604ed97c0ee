"""One whole hotline, started the way `make run` starts it: Asterisk, voice and core under the supervisor."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from app.agents.service import create_agent, phone_accounts
from app.db import Database
from app.phones import publish
from app.settings import REPO, Settings
from asterisk_conf.instance import PhoneAccount
from tests.peers.baresip import BaresipPhone
from tests.peers.ports import port_block

PASSWORD = "Hotline-test-2026"
PORTS = ("http_port", "sip_port", "sip_tls_port", "ws_port", "wss_port", "ami_port", "agi_port")


class NotUp(RuntimeError):
    """The instance did not come up, or something in it did not happen in time; the text holds the logs' ends."""


class HotlineSystem:
    """An instance in a home of its own. Use as a context manager; everything it started is gone afterwards."""

    def __init__(self, home: Path, **settings: object) -> None:
        self.home = home
        self._block = port_block()
        ports: dict[str, object] = {name: self._block.take() for name in PORTS}
        ports |= {"rtp_start": self._block.rtp_start, "rtp_end": self._block.rtp_end}
        self._given: dict[str, object] = {}
        # Most tests end no process: what waits to follow one would take the machine's time from them.
        self.configure(**{**ports, "spares": False, **settings})
        self._supervisor: subprocess.Popen[bytes] | None = None
        self._output = home.parent / f"{home.name}-up.log"

    def configure(self, **settings: object) -> None:
        """Settings that were not known at first; they count from the next start."""
        self._given |= settings
        self._env = {
            **{name: value for name, value in os.environ.items() if not name.startswith("HOTLINE_")},
            "HOTLINE_HOME": str(self.home),
            **{f"HOTLINE_{name.upper()}": _text(value) for name, value in self._given.items()},
        }
        self.settings = Settings(home=self.home, **self._given)  # type: ignore[arg-type]

    def take_port(self) -> int:
        """One more port that is this instance's own."""
        return self._block.take()

    @property
    def http(self) -> str:
        """Base address of the pages."""
        return f"http://{self.settings.http_host}:{self.settings.http_port}"

    def __enter__(self) -> HotlineSystem:
        self.home.mkdir(parents=True, exist_ok=True)
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def cli(self, *args: str) -> str:
        """Run `hotline ARGS` for this instance; its output. Raises NotUp when it fails."""
        done = subprocess.run(
            [sys.executable, "-m", "app.cli.main", *args],
            cwd=REPO,
            env=self._env,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if done.returncode != 0:
            raise NotUp(f"hotline {' '.join(args)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def start(self, timeout: float = 90.0) -> None:
        """`hotline up`, until every part is healthy."""
        with self._output.open("ab") as output:
            self._supervisor = subprocess.Popen(
                [sys.executable, "-m", "app.cli.main", "up"],
                cwd=REPO,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.wait_healthy(timeout)

    def stop(self) -> None:
        """End it as Ctrl-C does; a part that does not end is killed."""
        if self._supervisor is None:
            return
        pids = self.pids()
        self._supervisor.send_signal(signal.SIGTERM)
        try:
            self._supervisor.wait(30)
        except subprocess.TimeoutExpired:
            self._supervisor.kill()
            self._supervisor.wait()
        self._supervisor = None
        for pid in pids.values():
            _signal(pid, signal.SIGKILL)
        self._block.release()

    def pids(self) -> dict[str, int]:
        """Name → process id of the running parts (asterisk, voice, core)."""
        return {name: part["pid"] for name, part in self._status().items() if part.get("pid")}

    def _status(self) -> dict[str, dict[str, Any]]:
        try:
            processes: dict[str, dict[str, Any]] = json.loads((self.home / "run/status.json").read_text())["processes"]
        except (OSError, ValueError):
            return {}
        return processes

    def spares(self) -> dict[str, str | None]:
        """Name → whether its spare is "reading" or "ready", None for none."""
        return {name: part.get("spare") for name, part in self._status().items()}

    def spare_pid(self, name: str) -> int | None:
        """The process id of this part's spare."""
        return self._status()[name].get("spare_pid")

    def wait_spares(self, timeout: float = 60.0) -> float:
        """Seconds until voice and core each have a spare that is ready."""
        return self.wait(
            lambda: {self.spares().get(name) for name in ("voice", "core")} == {"ready"}, timeout, "spares"
        )

    def kill(self, *names: str, number: int = signal.SIGKILL) -> None:
        """Send a signal to parts by name."""
        pids = self.pids()
        for name in names:
            _signal(pids[name], number)

    def healthy(self) -> bool:
        """Whether the web part says that all parts work."""
        try:
            return bool(self.get("/healthz").get("status") == "ok")
        except (OSError, ValueError):
            return False

    def get(self, path: str) -> Any:
        """GET of a public JSON page."""
        with urllib.request.urlopen(self.http + path, timeout=3) as answer:
            return json.load(answer)

    def wait_healthy(self, timeout: float) -> float:
        """Seconds until healthy. Raises NotUp with the ends of the logs."""
        return self.wait(self.healthy, timeout, "the instance to be healthy")

    def wait(self, condition: Callable[[], object], timeout: float, what: str) -> float:
        """Seconds until `condition()` is true; looks every 50 ms. Raises NotUp naming `what`."""
        began = time.monotonic()
        while True:
            if condition():
                return time.monotonic() - began
            if self._supervisor is not None and self._supervisor.poll() is not None:
                raise NotUp(f"hotline up ended with {self._supervisor.returncode}\n{self.tails()}")
            if time.monotonic() - began > timeout:
                raise NotUp(f"waited {timeout:.0f} s for {what}\n{self.tails()}")
            time.sleep(0.05)

    def tails(self, lines: int = 25) -> str:
        """The last lines of every log of the instance."""
        files = [self._output, *sorted((self.home / "log").glob("*.log")), self.home / "asterisk/log/messages"]
        parts = []
        for file in files:
            if file.exists():
                last = file.read_text(errors="replace").splitlines()[-lines:]
                parts.append(f"--- {file.name}\n" + "\n".join(last))
        return "\n".join(parts)

    def add_agent(self, agent_id: str, *, skills: str = "zh:5,yue:5,en:5", name: str = "") -> PhoneAccount:
        """Make an agent who signs in as `agent_id` with PASSWORD; returns the telephone's account."""
        self._env["HOTLINE_NEW_PASSWORD"] = PASSWORD
        self.cli("agent", "add", name or f"测试{agent_id}", "--number", agent_id, "--skills", skills)
        return next(account for account in self.accounts() if account.agent_id == agent_id)

    def add_agents(self, agent_ids: Iterable[str]) -> dict[str, PhoneAccount]:
        """Make several agents at once, who sign in with PASSWORD and speak every language; staff number → telephone."""
        wanted = list(agent_ids)
        database = Database(self.settings.url)
        try:
            for agent_id in wanted:
                skills = {"zh": 5, "yue": 5, "en": 5}
                create_agent(database, name=f"测试{agent_id}", agent_id=agent_id, skills=skills, password=PASSWORD)
            publish(self.settings, database)
            return {one.agent_id: one for one in phone_accounts(database) if one.agent_id in wanted}
        finally:
            database.dispose()

    def accounts(self) -> list[PhoneAccount]:
        """The telephone accounts of all agents."""
        database = Database(self.settings.url)
        try:
            return list(phone_accounts(database))
        finally:
            database.dispose()

    def phone(self, folder: Path, account: PhoneAccount, **kind: Any) -> BaresipPhone:
        """A desk phone for an agent, not yet started."""
        folder.mkdir(parents=True, exist_ok=True)
        return BaresipPhone(folder, self.settings, account, self._block, **kind)


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value) if isinstance(value, list | dict) else str(value)


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
