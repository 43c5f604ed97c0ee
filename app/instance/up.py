"""Runs an instance: one supervisor per home, everything prepared, the processes watched, a person told where it is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from app.cli.output import err
from app.instance.banner import banner
from app.instance.prepare import Prepared, prepare
from app.instance.readiness import waits_for
from app.settings import Settings
from app.supervisor import plan
from app.supervisor.child import ChildSpec
from app.supervisor.loop import Supervisor
from app.supervisor.single import only_supervisor

READY_WITHIN_S = 60.0


def bring_up(
    settings: Settings,
    *,
    extra: Sequence[ChildSpec] = (),
    on_ready: Callable[[], None] | None = None,
) -> int:
    """Prepares the instance and supervises it until SIGINT or SIGTERM; returns the exit status 0.

    `extra` processes are started after the instance's own and stopped before them; `on_ready` is called in a thread
    once all parts work. Raises AlreadyRunning, Failure.
    """
    console = err()
    began = time.monotonic()
    with only_supervisor(settings.paths.run):
        plan.raise_open_files()
        prepared = prepare(settings, console.print)
        supervisor = Supervisor(
            [*plan.specs(settings), *extra],
            settings.paths.run,
            settings.paths.logs,
            say=lambda line: console.print(f"{time.strftime('%H:%M:%S')}  {line}", markup=False),
        )
        supervisor.run(on_started=lambda: _announce(settings, prepared, began, on_ready))
    console.print("stopped")
    return 0


def _announce(settings: Settings, prepared: Prepared, began: float, on_ready: Callable[[], None] | None) -> None:
    """Waits until all parts work, then tells a person all there is to know; names what is late."""
    console = err()
    deadline = time.monotonic() + READY_WITHIN_S
    pause = threading.Event()
    late: list[str] = []
    while time.monotonic() < deadline:
        late = waits_for(settings)
        if not late:
            console.print(banner(settings, prepared, time.monotonic() - began), markup=False)
            if on_ready:
                on_ready()
            return
        pause.wait(0.1)
    console.print(f"not ready after {READY_WITHIN_S:.0f} s: {'; '.join(late)}", markup=False)
    console.print(f"  Remedy: see {settings.paths.logs} and run `hotline doctor` in another terminal", markup=False)
