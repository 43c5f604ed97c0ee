"""The voice process of the bench: exactly what `hotline serve --roles voice` runs, and it tells its times when asked.

Each line on standard input is answered by one JSON line about what happened since the line before.
"""

from __future__ import annotations

import json
import sys

from app import logs, starting
from app.compose import voice_server
from app.db import Database
from app.settings import get_settings


def main() -> None:
    """Serves until standard input ends."""
    settings = get_settings()
    logs.configure("bench")
    server = voice_server(settings, Database(settings.url))
    server.start()
    starting.settled()
    for _ in sys.stdin:
        server.ledger.write()
        times = []
        while server.ledger.quick_times:
            times.append(server.ledger.quick_times.popleft())
        # Standard output carries the log lines too; the mark tells these apart.
        print("BENCH " + json.dumps({"running": server.running, "times": times}), flush=True)
    server.stop(1.0)


if __name__ == "__main__":
    main()
