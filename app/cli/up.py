"""`hotline up`: prepares everything an instance needs, then supervises its processes until it is told to stop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from app.cli.output import Failure, settings

if TYPE_CHECKING:
    from app.settings import Settings
    from app.supervisor.child import ChildSpec


def command() -> int:
    """Run the hotline: Asterisk and the backend under one supervisor. Ctrl-C stops it."""
    return bring_up_or_fail(settings())


def bring_up_or_fail(
    chosen: Settings, *, extra: Sequence[ChildSpec] = (), on_ready: Callable[[], None] | None = None
) -> int:
    """`app.instance.up.bring_up`, with a remedy when a hotline runs here already. Raises Failure."""
    from app.instance.up import bring_up
    from app.supervisor.single import AlreadyRunning

    try:
        return bring_up(chosen, extra=extra, on_ready=on_ready)
    except AlreadyRunning as error:
        address = f"http://{chosen.http_host}:{chosen.http_port}/"
        raise Failure(
            f"{error}; its pages are at {address}",
            "stop it with `make stop`, or run another copy: HOTLINE_HOME=/another/folder and other ports",
        ) from error
