"""`hotline demo`: the whole hotline with simulated citizens and agents, in a home of its own."""

from __future__ import annotations

import os
import sys

from app.cli.output import Failure, err, settings
from app.settings import PREFIX, REPO

# The demo neither mixes its people with real ones nor goes home in the evening, unless it is told to.
DEFAULTS = {"HOME": str(REPO / "var-demo"), "OPENS": "00:00", "CLOSES": "23:59"}


def command() -> int:
    """Run the hotline with simulated citizens who really call and agents who really answer."""
    from app.cli.up import bring_up_or_fail
    from app.supervisor.child import ChildSpec

    if not (REPO / "tests/demo").is_dir():
        raise Failure("the simulated city is not here", "run the demo from a checkout of the project")
    for name, value in DEFAULTS.items():
        os.environ.setdefault(PREFIX + name, value)
    os.environ[f"{PREFIX}DEMO"] = "1"
    chosen = settings()
    argv = [sys.executable, "-m", "tests.demo"]
    city = ChildSpec("demo", lambda: (argv, {**os.environ, **chosen.environment(), "PYTHONUNBUFFERED": "1"}, REPO))

    def announce() -> None:
        address = f"http://{chosen.http_host}:{chosen.http_port}/demo"
        err().print(f"\n  The city is alive within half a minute: {address}   (press “call 12345 now” there)\n")

    return bring_up_or_fail(chosen, extra=[city], on_ready=announce)
