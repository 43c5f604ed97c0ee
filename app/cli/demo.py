"""`hotline demo`: the whole hotline with simulated citizens and agents, in a home of its own."""

from __future__ import annotations

import os

from app.cli.output import Failure, settings
from app.settings import PREFIX, REPO

# The demo neither mixes its people with real ones nor goes home in the evening, unless it is told to.
DEFAULTS = {"HOME": str(REPO / "var-demo"), "OPENS": "00:00", "CLOSES": "23:59"}


def command() -> int:
    """Run the hotline with simulated citizens who really call and agents who really answer."""
    from app.cli.up import one_at_a_time
    from app.demo.run import run

    if not (REPO / "tests/demo").is_dir():
        raise Failure("the simulated city is not here", "run the demo from a checkout of the project")
    for name, value in DEFAULTS.items():
        os.environ.setdefault(PREFIX + name, value)
    chosen = settings()
    with one_at_a_time(chosen):
        return run(chosen)
