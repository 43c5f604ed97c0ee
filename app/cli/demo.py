"""`hotline demo`: the whole hotline with simulated citizens and agents."""

from __future__ import annotations

from app.cli.output import settings


def command() -> int:
    """Run the hotline with simulated citizens who really call and agents who really answer."""
    from app.demo import run

    return run(settings())
