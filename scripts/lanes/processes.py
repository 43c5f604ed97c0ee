"""Processes that yield: the work of a lane that must never make a telephone late."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

NICENESS = 10
"""A tenth of a share: next to nothing while calls want the processors, and enough to meet a deadline of seconds."""


def start(argv: Sequence[str], cwd: Path, env: Mapping[str, str], output: IO[bytes] | None) -> subprocess.Popen[bytes]:
    """Starts a program. With `output` it yields to all others, in a session of its own, and writes there; without, it
    is one of ours, and has our terminal."""
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
        preexec_fn=_yield_to_others,
    )


def end(process: subprocess.Popen[bytes], whole_session: bool) -> None:
    """Ends a program, and with `whole_session` what it has started."""
    if process.poll() is None:
        if whole_session:
            os.killpg(process.pid, signal.SIGTERM)
        else:
            process.terminate()


def _yield_to_others() -> None:
    os.nice(NICENESS)
    # Linux may share the processors among sessions first, and niceness then counts within one session only.
    try:
        Path("/proc/self/autogroup").write_text(str(NICENESS))
    except OSError:
        pass  # a system without such shares
