"""How the supervisor starts a program."""

from __future__ import annotations

import subprocess
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import IO

Command = tuple[list[str], Mapping[str, str], Path]
"""Arguments, environment, folder."""


def begin(command: Command, log: IO[bytes], pass_fds: Collection[int] = ()) -> subprocess.Popen[bytes]:
    """Starts it in a session of its own (the terminal's Ctrl-C is the supervisor's to pass on), talking to `log`.

    Raises OSError if the program can't be started.
    """
    argv, env, cwd = command
    return subprocess.Popen(
        argv,
        cwd=cwd,
        env=env,
        pass_fds=pass_fds,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
