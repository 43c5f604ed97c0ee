"""What the supervisor starts as a process: `python -m app.backend ROLES`, with the settings in the environment.

`hotline serve` does the same for people; this one imports no command line, for a restart is waited for.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from app import starting
from app.warm import wait_if_spare


def main(argv: Sequence[str]) -> None:
    """Run the roles, a list with commas, until SIGTERM or SIGINT."""
    starting.begun()
    roles = argv[0].split(",")
    wait_if_spare(roles)
    from app.compose import serve
    from app.settings import get_settings

    serve(get_settings(), roles)


if __name__ == "__main__":
    main(sys.argv[1:])
