"""The demo's page inside the hotline: it shows the simulated city and passes its button on. Off unless `make demo`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.settings import Settings


def run(settings: Settings) -> int:
    """See `app.demo.run.run`; loaded only when somebody asks for the demo."""
    from app.demo.run import run as run_demo

    return run_demo(settings)
