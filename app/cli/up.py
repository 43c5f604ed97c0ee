"""`hotline up`: prepares everything an instance needs, then supervises its processes until it is told to stop."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from app.cli.output import Failure, settings

if TYPE_CHECKING:
    from app.settings import Settings


def command() -> int:
    """Run the hotline: Asterisk and the backend under one supervisor. Ctrl-C stops it."""
    from app.instance.up import bring_up

    chosen = settings()
    with one_at_a_time(chosen):
        return bring_up(chosen)


@contextmanager
def one_at_a_time(chosen: Settings) -> Iterator[None]:
    """Turns AlreadyRunning into a Failure that says where the other one is and how to run a second copy."""
    from app.supervisor.single import AlreadyRunning

    try:
        yield
    except AlreadyRunning as error:
        address = f"http://{chosen.http_host}:{chosen.http_port}/"
        raise Failure(
            f"{error}; its pages are at {address}",
            "stop it with `make stop`, or run another copy: HOTLINE_HOME=/another/folder and other ports",
        ) from error
