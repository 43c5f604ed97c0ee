"""`hotline demo`: an instance with a simulated city beside it."""

from __future__ import annotations

import os
import sys
import time
import webbrowser
from collections.abc import Mapping
from pathlib import Path

from app.demo.files import board_file
from app.instance.up import bring_up
from app.settings import REPO, Settings
from app.supervisor.child import ChildSpec


def run(settings: Settings) -> int:
    """Bring the instance up with the city; returns the exit status. Raises what `bring_up` raises."""
    os.environ["HOTLINE_DEMO"] = "1"
    board_file(settings.paths.run).unlink(missing_ok=True)
    began = time.monotonic()

    def ready() -> None:
        address = f"http://{settings.http_host}:{settings.http_port}/demo"
        print(f"\n  the demo's page: {address}   (ready after {time.monotonic() - began:.0f} s)\n", flush=True)
        if os.environ.get("DISPLAY"):
            webbrowser.open(address)

    return bring_up(settings, extra=[ChildSpec("demo", lambda: _city(settings), beats=True)], on_ready=ready)


def _city(settings: Settings) -> tuple[list[str], Mapping[str, str], Path]:
    return [sys.executable, "-m", "tests.demo"], {**os.environ, **settings.environment()}, REPO
