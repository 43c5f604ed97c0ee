"""`hotline up`: prepares everything an instance needs, then supervises its processes until it is told to stop."""

from __future__ import annotations

from app.cli.output import Failure, settings


def command() -> int:
    """Run the hotline: Asterisk and the backend under one supervisor. Ctrl-C stops it."""
    from app.instance.up import bring_up
    from app.supervisor.single import AlreadyRunning

    chosen = settings()
    try:
        return bring_up(chosen)
    except AlreadyRunning as error:
        address = f"http://{chosen.http_host}:{chosen.http_port}/"
        raise Failure(
            f"{error}; its pages are at {address}",
            "stop it with `make stop`, or run another copy: HOTLINE_HOME=/another/folder and other ports",
        ) from error
