"""`python -m tests.browser.old_chromium [VERSION …]`: walks a call by keys in old Chromiums, against the fake backend.

An old Chromium comes whole in the npm package chrome-aws-lambda (8.0.2: Chromium 90, 9.1.0: 91); it is packed once into
`.telephony/old-chromium`. Not part of `make test`; tests/browser/test_old_browsers.py reads the pages instead.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from pathlib import Path

from app.tools import tool
from tests.browser.fake_backend import FakeBackend, wait_for
from tests.browser.unseen import Tab, Unseen, unseen

PACKAGE, VERSIONS = "chrome-aws-lambda", ("8.0.2", "9.1.0")
KEPT = Path(__file__).resolve().parents[2] / ".telephony/old-chromium"
UNPACK = """
const { createReadStream, createWriteStream } = require('fs')
const { createBrotliDecompress } = require('zlib')
const { pipeline } = require('stream')
for (const [packed, plain] of [['chromium.br', 'chromium'], ['aws.tar.br', 'aws.tar']])
  pipeline(createReadStream('package/bin/' + packed), createBrotliDecompress(), createWriteStream(plain), (wrong) => {
    if (wrong) throw wrong
  })
"""


def fetched(version: str) -> Path:
    """The folder of that version, with `chromium` and `lib` in it."""
    folder = KEPT / version
    if (folder / "lib").exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run([*tool("npm"), "pack", f"{PACKAGE}@{version}"], cwd=folder, check=True, timeout=600)
    for archive in folder.glob("*.tgz"):
        with tarfile.open(archive) as packed:
            packed.extractall(folder, [one for one in packed.getmembers() if one.name.startswith("package/bin/")])
        archive.unlink()
    subprocess.run([*tool("node"), "-e", UNPACK], cwd=folder, check=True, timeout=120)
    (folder / "chromium").chmod(0o755)
    with tarfile.open(folder / "aws.tar") as packed:
        packed.extractall(folder)
    return folder


class Walk:
    """One agent's page, moved by keys."""

    def __init__(self, chromium: Unseen, fake: FakeBackend) -> None:
        self.fake, self.tab = fake, Tab(chromium, f"{fake.base}/agent")

    def shows(self, name: str, text: str = "") -> None:
        """Until something of that name with this text in it is on the page."""
        named = f"[...document.querySelectorAll('[data-testid={name}]')]"
        look = f"{named}.some((one) => one.textContent.includes('{text}'))"
        wait_for(lambda: self.tab.does(look), f"{name} {text}", timeout=20)

    def press(self, key: str, shift: bool = False, where: str = "window") -> None:
        """A key, for the page or for what has the focus."""
        event = f"{{ key: '{key}', shiftKey: {str(shift).lower()}, bubbles: true, cancelable: true }}"
        self.tab.does(f"void {where}.dispatchEvent(new KeyboardEvent('keydown', {event}))")

    def call(self) -> None:
        """From the sign-in to the wrap-up."""
        self.shows("start")
        self.tab.does("document.querySelector('[data-testid=start]').click()")
        self.shows("ready")
        self.press("F8")
        self.shows("agent-state", "示闲")
        self.fake.offer()
        wait_for(lambda: self.fake.acks, "the pop to be acknowledged")
        self.shows("answer")
        self.press("F2")
        self.shows("talking", "通话中")
        self.press("F8")
        self.shows("muted")
        self.press("F8")
        self.press("F2")
        self.shows("talking", "已保持")
        self.press("F2")
        self.press("F4")
        self.shows("call-menu")
        self.press("p", where="document.activeElement")
        self.shows("paused")
        self.press("F4", shift=True)
        self.shows("emergency-menu")
        self.press("3", where="document.activeElement")
        self.shows("parties", "120")
        box = "document.querySelector('textarea')"
        self.tab.does(f"{box}.value = '停水'; {box}.dispatchEvent(new Event('input', {{ bubbles: true }}))")
        wait_for(lambda: self.fake.patches, "what was typed to be stored")
        self.tab.does("location.reload()")
        self.shows("talking", "通话中")
        self.press("F2", shift=True)
        self.shows("wrap-left")


def main(versions: list[str]) -> None:
    """Every version walks one call."""
    for version in versions or VERSIONS:
        folder = fetched(version)
        fake = FakeBackend()
        fake.start()
        fake.signed_in = "1001"
        env = {**os.environ, "LD_LIBRARY_PATH": f"{folder / 'lib'}:{libraries()}"}
        with unseen([str(folder / "chromium"), "--headless", "--no-zygote"], env) as chromium:
            product = chromium.ask("Browser.getVersion")["product"]
            Walk(chromium, fake).call()
        fake.stop()
        print(f"{product}: a call by keys, from sign-in to wrap-up")


def libraries() -> str:
    """Where the libraries of the present Chromium are: the old one needs most of them."""
    lines = Path(tool("chromium")[0]).read_text(encoding="utf-8").splitlines()
    return next(line.split("=", 1)[1].split("$")[0] for line in lines if "LD_LIBRARY_PATH=" in line)


if __name__ == "__main__":
    main(sys.argv[1:])
