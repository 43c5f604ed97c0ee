"""A tab that nobody sees, in a Chromium of its own. The library that drives the other tests keeps every page in sight
and in focus, and switches off what browsers do to hidden pages; so this one speaks to the browser itself.

A page has been hidden for `SLOWED_AFTER_S` when Chromium slows it to one timer a minute (after five minutes in life).
"""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from websockets.sync.client import ClientConnection, connect

from app.tools import tool
from tests.browser.chromium import FLAGS

SLOWED_AFTER_S = 10.0
SLOWED = (
    "--enable-features=IntensiveWakeUpThrottling:grace_period_seconds/2",
    "--intensive-wake-up-throttling-policy=force-enable",
)


class Tab:
    """One tab: what is done in it is JavaScript."""

    def __init__(self, browser: Unseen, address: str) -> None:
        self._browser = browser
        self.target = browser.ask("Target.createTarget", url=address)["targetId"]
        self._session = browser.ask("Target.attachToTarget", targetId=self.target, flatten=True)["sessionId"]

    def does(self, code: str) -> Any:
        """The value of an expression; a promise is awaited."""
        wish = {"expression": code, "awaitPromise": True, "returnByValue": True, "userGesture": True}
        return self._browser.ask("Runtime.evaluate", self._session, **wish)["result"].get("value")


class Unseen:
    """A Chromium by its debugging line."""

    def __init__(self, line: ClientConnection) -> None:
        self._line, self._ids = line, itertools.count(1)

    def ask(self, method: str, session: str = "", **params: Any) -> dict[str, Any]:
        """The result of a command of the debugging protocol."""
        number = next(self._ids)
        asked = {"id": number, "method": method, "params": params} | ({"sessionId": session} if session else {})
        self._line.send(json.dumps(asked))
        while True:
            answer: dict[str, Any] = json.loads(self._line.recv(timeout=20))
            if answer.get("id") == number:
                return dict(answer["result"])

    def hide_behind_another(self) -> None:
        """A new tab comes to the front."""
        self.ask("Target.activateTarget", targetId=self.ask("Target.createTarget", url="about:blank")["targetId"])


@contextmanager
def unseen(command: Sequence[str] = (), env: Mapping[str, str] | None = None) -> Iterator[Unseen]:
    """The browser, running: the one of all tests, or the one of that command."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        begin = list(command) or [tool("chromium")[0], *SLOWED, "--headless=new"]
        flags = [*FLAGS, "--no-first-run", "--remote-debugging-port=0", f"--user-data-dir={profile}"]
        whole = [*begin, *flags, "about:blank"]
        with subprocess.Popen(whole, stderr=subprocess.PIPE, text=True, env=env) as process:
            assert process.stderr is not None
            try:
                found = (re.search(r"DevTools listening on (ws://\S+)", line) for line in process.stderr)
                with connect(next(one[1] for one in found if one), max_size=None, compression=None) as line:
                    yield Unseen(line)
            finally:
                process.terminate()
                process.wait(10)
