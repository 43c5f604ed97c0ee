"""Two holders of the core's lock in a network of their own, one of which is cut off from the database.

A program, for `unshare --net`: prints as JSON after how many seconds the one that is cut off may not act any more, and
after how many the other, which reaches the server by its unix socket, gets the lock.
"""

from __future__ import annotations

import json
import subprocess
import threading
import time

from cti_bridge.activity import ACTING, Effect, Holder, Sight
from cti_bridge.core_lock import AdvisoryLock
from cti_bridge.standby import boot_clock_s
from tests.integration.postgres_server import PostgresServer

LONGEST_S = 40.0


def main() -> None:
    """See the module's text."""
    _loopback("up")
    server = PostgresServer(listen="127.0.0.1")
    far = Holder(AdvisoryLock("postgresql://hotline@127.0.0.1:5432/postgres", "cut"), boot_clock_s)
    near = Holder(AdvisoryLock(server.url("postgres"), "cut"), boot_clock_s)
    assert far.see(far.look()) is Effect.begin
    assert far.look() is Sight.held
    _loopback("down")
    cut = time.monotonic()
    stopped: list[float] = []

    def looks() -> None:
        while far.state in ACTING:
            far.see(far.look())
            time.sleep(0.1)

    def acts() -> None:
        while far.may_act():
            time.sleep(0.01)
        stopped.append(time.monotonic() - cut)

    threads = [threading.Thread(target=work, daemon=True) for work in (looks, acts)]
    for thread in threads:
        thread.start()
    while near.look() is not Sight.taken and time.monotonic() - cut < LONGEST_S:
        time.sleep(0.1)
    taken = time.monotonic() - cut
    for thread in threads:
        thread.join(5)
    _loopback("up")
    server.stop()
    print(json.dumps({"stopped_s": round(stopped[0], 2), "taken_s": round(taken, 2)}))


def _loopback(state: str) -> None:
    subprocess.run(["ip", "link", "set", "lo", state], check=True)


if __name__ == "__main__":
    main()
