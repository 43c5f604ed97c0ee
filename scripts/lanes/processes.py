"""Processes that yield: the work of a lane that must never make a telephone late."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import IO


def start(
    argv: Sequence[str], cwd: Path, env: Mapping[str, str], output: IO[bytes] | None = None, niceness: int = 0
) -> subprocess.Popen[bytes]:
    """Starts a program. With `output` it writes there and yields to others by `niceness`, in a session of its own;
    without, it has our terminal and our share."""
    if output is None:
        return subprocess.Popen(argv, cwd=cwd, env=env)
    return subprocess.Popen(
        argv,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=partial(_yield_to_others, niceness),
    )


def end(process: subprocess.Popen[bytes], whole_session: bool) -> None:
    """Ends a program, and with `whole_session` what it has started."""
    if process.poll() is None:
        if whole_session:
            os.killpg(process.pid, signal.SIGTERM)
        else:
            process.terminate()


def _yield_to_others(niceness: int) -> None:
    os.nice(niceness)
    # Linux may share the processors among sessions first, and niceness then counts within one session only.
    try:
        Path("/proc/self/autogroup").write_text(str(niceness))
    except OSError:
        pass  # a system without such shares
