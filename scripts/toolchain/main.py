"""Set-up as a whole: what running needs, and what testing needs besides; in parallel, and only what is missing."""

from __future__ import annotations

import argparse
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from . import catalogue, pages, speech
from .native import NativeTools
from .once import only_one
from .progress import SetupError, say
from .python_env import PythonEnv

REPO = Path(__file__).resolve().parents[2]


def in_parallel(*jobs: Callable[[], None]) -> list[BaseException]:
    """Runs `jobs` in threads of their own and returns what they raised, after all have ended."""
    failures: list[BaseException] = []

    def guarded(job: Callable[[], None]) -> None:
        try:
            job()
        except Exception as error:  # handed to the caller, who reports every failure
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(job,), daemon=True) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures


def set_up(tier: str, tools_folder: Path) -> list[BaseException]:
    """Everything `tier` needs ("run" or "test"). Returns what failed; the rest is in place all the same."""
    native = NativeTools(tools_folder)
    env = PythonEnv(REPO, native.host_apt)

    def node_and_pages() -> None:
        if (node := env.node_folder()) is not None:
            pages.bring_in_node(native.bin, node)
            pages.build(REPO / "app/frontend", native.bin)

    spoken = threading.Event()

    def run_tools() -> None:
        try:
            native.bring_in("run", catalogue.RUN_TOOLS)
        finally:
            spoken.set()

    def python_and_model() -> None:
        env.bring_in(tier)
        if tier == "test":
            spoken.wait()
            speech.bring_in(REPO, tools_folder, env.python)

    jobs = [python_and_model, node_and_pages, native.bring_in_asterisk, native.bring_in_fonts, run_tools]
    if tier == "test":
        jobs.append(lambda: native.bring_in("test", catalogue.TEST_TOOLS))
    failures = in_parallel(*jobs)
    if not failures:
        native.clean()
    return failures


def main() -> int:
    """`scripts/setup [run|test]`: exit status 0 if everything is in place, 1 with remedies if not."""
    parser = argparse.ArgumentParser(prog="scripts/setup", description=__doc__)
    parser.add_argument("tier", nargs="?", choices=("run", "test"), default="run")
    tier = parser.parse_args().tier
    tools = Path(os.environ.get("HOTLINE_TOOLS") or REPO / ".telephony").absolute()
    try:
        with only_one(tools / ".lock"):
            failures = set_up(tier, tools)
    except KeyboardInterrupt:
        say("stopped; the next run goes on from here")
        # Worker threads may be inside pip or apt, which got the same Ctrl-C: nothing is left to wait for.
        os._exit(130)
    for failure in failures:
        if not isinstance(failure, SetupError):
            raise failure
        print(f"\nsetup: {failure}", file=sys.stderr)
    return 1 if failures else 0
