"""The tiny Mandarin model that the tests of speech recognition hear with; made here, once, from espeak-ng's voice."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from .once import build_folder, digest, digest_files, is_stamped, only_one
from .progress import SetupError, step

KIT = "tests/speech_kit"


def folder(repo: Path) -> Path:
    """Where the model is."""
    return repo / "var/speech-test"


def bring_in(repo: Path, tools: Path, python: Path | None = None) -> Path:
    """The model's folder; the model is made unless it is there already, by whoever comes first. Raises SetupError.

    `python` is an interpreter with the project's packages; None: the one that runs.
    """
    target = folder(repo)
    fingerprint = digest([digest_files(repo, list((repo / KIT).glob("*.py"))), _voice(tools)])
    if is_stamped(target, fingerprint):
        return target
    interpreter = python or Path(sys.executable)

    def fill(aside: Path) -> dict[str, Any]:
        argv = [str(interpreter), "-m", f"{KIT.replace('/', '.')}.build", str(aside), str(tools)]
        with step("Speech: making the tiny model for the tests"):
            done = subprocess.run(
                argv,
                cwd=repo,
                capture_output=True,
                text=True,
                stdin=subprocess.DEVNULL,
                env=os.environ | {"PYTHONPATH": ""},
            )
        if done.returncode:
            tail = "\n    ".join(done.stderr.strip().splitlines()[-8:])
            raise SetupError(f"the tiny speech model could not be made:\n    {tail}", "make setup-test")
        return {"frames_wrong": float(done.stdout.split()[-1])}

    with only_one(repo / "var/.speech-test.lock"):
        build_folder(target, fingerprint, fill)
    return target


def _voice(tools: Path) -> list[int]:
    """What changes when another espeak-ng speaks: its library's size."""
    return [found.stat().st_size for found in sorted(tools.glob("run/usr/lib/*/libespeak-ng.so.1"))]
