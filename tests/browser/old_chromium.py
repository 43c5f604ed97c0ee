"""One call at the desk in a browser of your choice, by its debugging port alone: for browsers that are too old for what
drives the tests. Rows 1, 3, 5, 6 and 7 of docs/acceptance.md, on the fake backend.

    python -m tests.browser.old_chromium /path/to/chromium
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.browser.fake_backend import FakeBackend, wait_for

KEYS = {"F2": 113, "F8": 119, "F9": 120}
SHIFT = 8
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]


class Tab:
    """The one tab."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket, self._ids = socket, itertools.count(1)
        self.errors: list[str] = []
        for part in ("Runtime", "Page"):
            self.send(f"{part}.enable")

    def send(self, method: str, **params: Any) -> Any:
        """One command; its result."""
        ident = next(self._ids)
        self._socket.send(json.dumps({"id": ident, "method": method, "params": params}))
        while (frame := json.loads(self._socket.recv(timeout=20))).get("id") != ident:
            if frame.get("method") == "Runtime.exceptionThrown":
                self.errors.append(json.dumps(frame["params"])[:400])
        if "error" in frame:
            raise RuntimeError(f"{method}: {frame['error']}")
        return frame["result"]

    def look(self, script: str) -> Any:
        """The value of an expression in the page."""
        return self.send("Runtime.evaluate", expression=script, returnByValue=True)["result"].get("value")

    def shows(self, css: str, text: str = "") -> None:
        """Until this is on the page, with this text in it."""
        seen = f"document.querySelector({json.dumps(css)})?.textContent"
        wait_for(lambda: text in (self.look(seen) or "") if text else self.look(seen) is not None, f"{css} {text}", 15)

    def click(self, css: str) -> None:
        """Presses what this finds, by the mouse: without a gesture the page would have no sound."""
        self.shows(css)
        box = f"document.querySelector({json.dumps(css)}).getBoundingClientRect()"
        x, y = self.look(f"(() => {{ const b = {box}; return [b.x + b.width / 2, b.y + b.height / 2] }})()")
        for kind in ("mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def key(self, key: str, *, shift: bool = False) -> None:
        """A key of the legend."""
        for kind in ("keyDown", "keyUp"):
            self.send(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                code=key,
                windowsVirtualKeyCode=KEYS[key],
                modifiers=SHIFT if shift else 0,
            )

    def types(self, css: str, text: str) -> None:
        """Writes into a field as an input method does."""
        self.look(f"document.querySelector({json.dumps(css)}).focus()")
        self.send("Input.insertText", text=text)


def one_call(tab: Tab, fake: FakeBackend) -> list[str]:
    """What worked, step by step."""
    done = []
    tab.send("Page.navigate", url=f"{fake.base}/agent")
    tab.click("[data-testid=start]")
    tab.click("[data-testid=ready]")
    tab.shows("[data-testid=agent-state][data-state=ready]")
    began = time.monotonic()
    fake.offer()
    tab.shows("[data-testid=caller-number]", "139 1234 5678")
    wait_for(lambda: fake.acks, "the pop to be acknowledged")
    assert fake.acks[0][0] - began < 1.0
    done.append("1 the card is acknowledged within a second")
    tab.shows("[data-testid=caller]", "翠竹园小区三天没有自来水")
    done.append("6 earlier matters stand beside the card while it rings")
    tab.key("F2")
    tab.shows("[data-testid=hold]")
    tab.types("#case-content", "停水三天")
    wait_for(lambda: fake.cases[1]["fields"]["content"] == "停水三天", "what was typed to be stored")
    done.append("5 what is typed is stored")
    tab.send("Page.reload")
    tab.shows("[data-testid=talking]")
    wait_for(lambda: tab.look("document.querySelector('#case-content')?.value") == "停水三天", "the text to be back")
    done.append("3 after F5 the desk is in its call with its card")
    tab.key("F2")
    tab.shows("[data-testid=resume]")
    tab.key("F2")
    tab.types("#case-title", "停水")
    tab.look("document.querySelector('input[name=case-type]').click()")
    tab.key("F9")
    tab.shows("[data-testid=registered]")
    tab.key("F2", shift=True)
    tab.shows("[data-testid=wrap-left]")
    tab.key("F8")
    tab.shows("[data-testid=agent-state][data-state=ready]")
    done.append("7 the keys: answer, hold, resume, register, hang up, end wrap-up")
    return done


def main(program: str) -> bool:
    """Tries it and tells."""
    fake = FakeBackend()
    fake.start()
    fake.signed_in = "1001"
    with tempfile.TemporaryDirectory() as folder:
        argv = [program, *FLAGS, "--remote-debugging-port=0", f"--user-data-dir={folder}", "about:blank"]
        browser = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            port_file = Path(folder) / "DevToolsActivePort"
            wait_for(lambda: port_file.is_file() and port_file.read_text().strip(), "the debugging port", 30)
            base = f"http://127.0.0.1:{port_file.read_text().splitlines()[0]}"
            with urllib.request.urlopen(f"{base}/json/version", timeout=10) as answer:
                print(json.load(answer)["Browser"])
            with urllib.request.urlopen(f"{base}/json/list", timeout=10) as answer:
                address = next(one["webSocketDebuggerUrl"] for one in json.load(answer) if one["type"] == "page")
            with connect(address, max_size=2**24, compression=None) as socket:
                tab = Tab(socket)
                for line in one_call(tab, fake):
                    print(line)
                print("errors in the page:", tab.errors or "none")
                return not tab.errors
        finally:
            browser.terminate()
            browser.wait(20)
            fake.stop()


if __name__ == "__main__":
    sys.exit(0 if main(sys.argv[1]) else 1)
