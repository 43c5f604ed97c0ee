"""apt with its own folders: it resolves, verifies and downloads as any user, and nothing on the machine changes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import machine
from .progress import SetupError, step

# Documentation, manuals and translations: a third of the bytes, used by nothing here.
UNWANTED = ("doc", "man", "locale", "info", "lintian", "bug", "gtk-doc", "help")
# The C library must be the one of the loader that starts the program. Programs started by the machine's own loader
# therefore never see another one.
C_LIBRARY = frozenset({"libc6", "libc-bin", "libc-l10n", "locales", "libc6-i386", "libcrypt1"})
# apt's own folders are unsafe to guess; what it needs from the machine's configuration is how to reach its mirrors.
KEPT_OPTIONS = re.compile(r'^Acquire::(http|https|ftp|Retries|ForceIPv4|ForceIPv6|Check-Valid-Until)\b.*";$', re.I)


def is_available() -> bool:
    """True on Debian-like systems, where the needed programs are part of the base system."""
    return all(shutil.which(name) for name in ("apt-get", "apt-cache", "apt-config", "dpkg-deb", "tar"))


class PrivateApt:
    """One apt world under `folder`, fed by `sources`, believing that no package is installed."""

    def __init__(self, name: str, folder: Path, sources: Sequence[str]) -> None:
        self.name = name
        self.folder = folder
        self.sources = list(sources)

    def update(self) -> None:
        """Writes the configuration and fetches the package lists. Raises SetupError if no list could be had."""
        for part in ("state/lists/partial", "cache", "etc/parts", "log"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        (self.folder / "state/status").write_text("")
        (self.folder / "etc/sources.list").write_text("\n".join(self.sources) + "\n")
        kept = subprocess.run(["apt-config", "dump"], check=True, capture_output=True, text=True).stdout
        reach = [line for line in kept.splitlines() if KEPT_OPTIONS.match(line)]
        arch = machine.architecture()
        own = {
            "Dir::State": f"{self.folder}/state",
            "Dir::State::lists": f"{self.folder}/state/lists",
            "Dir::State::status": f"{self.folder}/state/status",
            "Dir::Cache": f"{self.folder}/cache",
            "Dir::Log": f"{self.folder}/log",
            "Dir::Etc::sourcelist": f"{self.folder}/etc/sources.list",
            "Dir::Etc::sourceparts": "-",
            "Dir::Etc::parts": f"{self.folder}/etc/parts",
            "Dir::Etc::main": "-",
            "Dir::Etc::preferences": "-",
            "Dir::Etc::preferencesparts": "-",
            "APT::Architecture": arch,
            "APT::Install-Recommends": "false",
            "APT::Install-Suggests": "false",
            "APT::Sandbox::User": "root" if os.geteuid() == 0 else "",
            "APT::Get::Assume-Yes": "true",
            "Acquire::Languages": "none",
            "Acquire::PDiffs": "false",
            "pkgCacheGen::Essential": "none",
            "Debug::NoLocking": "true",
        }
        lines = [f'{key} "{value}";' for key, value in own.items()]
        lines.append(f'APT::Architectures {{ "{arch}"; }};')
        (self.folder / "etc/apt.conf").write_text("\n".join([*reach, *lines]) + "\n")
        with step(f"{self.name}: reading the package lists", self._progress):
            result = self._run("apt-get", "-q", "update")
        if result.returncode or not any((self.folder / "state/lists").glob("*Packages*")):
            raise SetupError(f"{self.name}: the package lists could not be fetched:\n{_tail(result)}", _remedy(result))

    def candidate(self, package: str) -> str:
        """The version that would be installed, or "" if these sources don't carry `package`."""
        shown = self._run("apt-cache", "policy", package).stdout
        found = re.search(r"^  Candidate: (\S+)$", shown, re.MULTILINE)
        return "" if found is None or found[1] == "(none)" else found[1]

    def download(self, packages: Sequence[str], shelf: str) -> list[Path]:
        """Downloads `packages` with everything they need onto the `shelf` (a folder of their own, so that several
        downloads can run at once); apt checks every signature and hash. Returns the .deb files."""
        archives = self.folder / "cache" / shelf
        (archives / "partial").mkdir(parents=True, exist_ok=True)
        with step(f"{self.name}: downloading {', '.join(packages)}", self._progress):
            result = self._run("apt-get", "-q", "-d", "-o", f"Dir::Cache::archives={archives}", "install", *packages)
        if result.returncode:
            raise SetupError(
                f"{self.name}: apt could not download {' '.join(packages)}:\n{_tail(result)}",
                "check the network, then run the same command again: what is already there is not fetched twice",
            )
        return sorted(archives.glob("*.deb"))

    def extract(self, packages: Sequence[Path], root: Path, *, with_c_library: bool) -> None:
        """Unpacks `packages` under `root` as an unprivileged user would; no maintainer script runs."""
        for link in ("bin", "sbin", "lib", "lib64"):
            (root / "usr" / link).mkdir(parents=True, exist_ok=True)
            if not (root / link).exists():
                (root / link).symlink_to(f"usr/{link}")
        wanted = [deb for deb in packages if with_c_library or deb.name.split("_", 1)[0] not in C_LIBRARY]
        with step(f"{self.name}: unpacking {len(wanted)} packages"), ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda deb: _unpack(deb, root), wanted))

    def clean(self) -> None:
        """Removes everything apt made here."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, *argv: str) -> subprocess.CompletedProcess[str]:
        env = {
            **os.environ,
            "APT_CONFIG": f"{self.folder}/etc/apt.conf",
            "LC_ALL": "C",
            "DEBIAN_FRONTEND": "noninteractive",
        }
        return subprocess.run(argv, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL)

    def _progress(self) -> str:
        files = [*self.folder.glob("cache/**/*.deb"), *self.folder.glob("state/lists/**/*")]
        total = 0
        for file in files:
            try:
                total += file.stat().st_size
            except OSError:
                continue
        return f"{total / 1e6:.0f} MB so far"


def _unpack(deb: Path, root: Path) -> None:
    with tempfile.TemporaryFile() as errors:
        archive = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(deb)], stdout=subprocess.PIPE, stderr=errors)
        excludes = [f"--exclude=./usr/share/{name}" for name in UNWANTED]
        options = ["--no-same-owner", "--keep-directory-symlink", "--delay-directory-restore"]
        tar = subprocess.run(["tar", "-x", "-C", str(root), *options, *excludes], stdin=archive.stdout, stderr=errors)
        if archive.stdout:
            archive.stdout.close()
        if archive.wait() or tar.returncode:
            errors.seek(0)
            raise SetupError(
                f"{deb.name} could not be unpacked: {errors.read().decode(errors='replace').strip()}",
                "check that the disk has room, then run the same command again",
            )


def _remedy(result: subprocess.CompletedProcess[str]) -> str:
    if "is expired" in result.stdout + result.stderr:
        return f"this mirror is out of date (or this clock is wrong): name another one in {machine.MIRROR_VARIABLE}"
    return f"check the network and the mirrors in /etc/apt, or name a Debian mirror in {machine.MIRROR_VARIABLE}"


def _tail(result: subprocess.CompletedProcess[str]) -> str:
    lines = (result.stdout + result.stderr).strip().splitlines()
    return "\n".join("    " + line for line in lines[-8:])
