"""How the demo's city and its page meet: one file with the present state, one folder with wishes to call."""

from __future__ import annotations

from pathlib import Path


def board_file(run: Path) -> Path:
    """The state of the simulated city."""
    return run / "demo.json"


def wishes_folder(run: Path) -> Path:
    """Each file in it is a call that somebody asked for on the page."""
    return run / "demo-calls"
