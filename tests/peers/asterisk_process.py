"""A running Asterisk: started in the foreground, waited for, stopped; its log at hand when something goes wrong."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path


class AsteriskProcess:
    """Owns the process; `log` is Asterisk's own log file."""

    def __init__(self, argv: list[str], env: dict[str, str], cwd: Path, log: Path) -> None:
        self.argv, self.env, self.cwd, self.log = argv, env, cwd, log
        self.child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it; readiness is the caller's to ask."""
        with (self.cwd / "output").open("ab") as output:
            # A session of its own, as the supervisor gives it: Linux shares the processors among sessions, and callers
            # played by the test's own programs must not take Asterisk's part.
            self.child = subprocess.Popen(
                self.argv,
                env=self.env,
                cwd=self.cwd,
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def stop(self, timeout: float = 10.0) -> int:
        """Ends it politely, after `timeout` seconds by force; returns its exit status."""
        if self.child is None:
            return 0
        if self.child.poll() is None:
            self.child.terminate()
            try:
                self.child.wait(timeout)
            except subprocess.TimeoutExpired:
                self.child.kill()
        status = self.child.wait()
        self.child = None
        return status

    def kill(self) -> None:
        """Ends it as a power cut would."""
        if self.child is not None:
            os.kill(self.child.pid, signal.SIGKILL)
            self.child.wait()
            self.child = None

    def complaints(self) -> list[str]:
        """The log's ERROR and WARNING lines."""
        if not self.log.exists():
            return []
        lines = self.log.read_text(errors="replace").splitlines()
        return [line for line in lines if "] ERROR[" in line or "] WARNING[" in line]
