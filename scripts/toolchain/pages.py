"""The pages: npm's locked packages and the built front end, each made again only when what it is made from changed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from . import wrappers
from .once import digest, digest_files, is_stamped, stamp
from .progress import SetupError, step

NOT_SOURCES = {"node_modules", "dist", "test-results", ".vite"}


def bring_in_node(bin_dir: Path, node_folder: Path) -> None:
    """`node`, `npm` and `npx` from the Python wheel, so that nothing is installed by hand."""
    node = node_folder / "bin/node"
    scripts = node_folder / "lib/node_modules/npm/bin"
    wrappers.wrap_command(bin_dir, "node", [str(node)])
    for name in ("npm", "npx"):
        # Scripts of packages start with `env node`: the wheel's own has to be found first.
        wrappers.wrap_command(bin_dir, name, [str(node), str(scripts / f"{name}-cli.js")], path_first=bin_dir)


def sources(frontend: Path) -> list[Path]:
    """Every file the pages are built from."""
    found = []
    for folder, folders, files in os.walk(frontend):
        folders[:] = [name for name in folders if name not in NOT_SOURCES]
        found += [Path(folder) / name for name in files]
    return found


def build(frontend: Path, bin_dir: Path) -> None:
    """Installs the locked packages and builds `frontend`/dist, if either is out of date. Does nothing without pages."""
    if not (frontend / "package.json").exists():
        return
    modules, dist = frontend / "node_modules", frontend / "dist"
    npm = str(bin_dir / "npm")
    installed = digest_files(frontend, [frontend / name for name in ("package.json", "package-lock.json")])
    built = digest([installed, digest_files(frontend, sources(frontend))])
    if is_stamped(dist, built) and (dist / "index.html").exists():
        return
    if not is_stamped(modules, installed):
        with step("Pages: installing the locked packages"):
            _run([npm, "ci", "--no-audit", "--no-fund"], frontend, "npm could not install the locked packages")
        stamp(modules, installed)
    with step("Pages: building"):
        _run([npm, "run", "build"], frontend, "the pages could not be built")
    if not (dist / "index.html").exists():
        raise SetupError(f"the build left no {dist}/index.html", "see app/frontend/vite.config.ts: outDir must be dist")
    stamp(dist, built)


def _run(argv: list[str], cwd: Path, complaint: str) -> None:
    shown = subprocess.run(argv, cwd=cwd, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if shown.returncode:
        tail = "\n    ".join((shown.stdout + shown.stderr).strip().splitlines()[-20:])
        raise SetupError(
            f"{complaint}:\n    {tail}",
            "check the network and npm's configuration (`npm config list`), then run the same command again",
        )
