"""A process that has read all its modules and waits to take the place of one that died.

Reading modules is most of a start (seconds of a processor); who takes over has it behind. The supervisor and its
spare hold the two ends of a line: the spare says when it is ready, is told to begin, and ends when the line breaks.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
from typing import IO

from app.supervisor.process import Command, begin

LINE = "HOTLINE_SPARE_LINE"
"""The variable that tells a process that it is a spare: the number of its end of the line."""
READY = b"ready\n"


class Spare:
    """The supervisor's side of one spare."""

    def __init__(self, command: Command, log: IO[bytes]) -> None:
        """Starts it. Raises OSError if the program can't be started."""
        self._line, theirs = socket.socketpair()
        self._line.setblocking(False)
        self.ready = False
        argv, env, cwd = command
        with theirs:
            number = theirs.fileno()
            try:
                self.process = begin((argv, {**env, LINE: str(number)}, cwd), log, pass_fds=(number,))
            except OSError:
                self._line.close()
                raise

    def alive(self) -> bool:
        """Whether it still runs; looks whether it has become ready. Never waits."""
        if self.process.poll() is not None:
            return False
        with contextlib.suppress(OSError):
            self.ready = self.ready or self._line.recv(64) == READY
        return True

    def begin(self, command: Command) -> subprocess.Popen[bytes] | None:
        """Has it begin its work with this environment; None if it isn't ready, or can't be told (it ends then)."""
        if not (self.alive() and self.ready):
            return None
        try:
            self._line.sendall(json.dumps(dict(command[1])).encode() + b"\n")
        except OSError:
            self.process.kill()  # it may have half of what it is to know
            return None
        self._line.close()
        return self.process

    def end(self) -> None:
        """Ends it, unless it has begun; returns when it is gone."""
        self._line.close()
        self.process.kill()
        self.process.wait()


def told_to_begin(line: int) -> bool:
    """The spare's side: says on `line` that it is ready, and waits; False if nobody wants it any more.

    Afterwards the environment is what the supervisor wants it to be now.
    """
    with socket.socket(fileno=line) as ours, ours.makefile("rb") as told:
        try:
            ours.sendall(READY)
            env = told.readline()
        except OSError:
            return False
    if not env.endswith(b"\n"):
        return False
    os.environ.clear()
    os.environ.update(json.loads(env))
    return True
