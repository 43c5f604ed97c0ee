"""Native tools: the machine's own where it has them, else its distribution's, unpacked into `.telephony`."""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import catalogue, machine, wrappers
from .catalogue import Tool
from .once import build_folder, digest, is_stamped, write_if_changed
from .private_apt import PrivateApt, is_available
from .progress import SetupError, say, step

FORMAT = 1  # raise it when an unpacked prefix of an older set-up must not be used any more
ARCHIVE_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
NEWER_SUITES = ("forky", "sid")
# For trying what a machine without any tools would do.
IGNORE_SYSTEM = os.environ.get("HOTLINE_IGNORE_SYSTEM_TOOLS", "") == "1"


class NativeTools:
    """Everything below one `.telephony` folder. Methods may run in parallel threads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin = folder / "bin"
        self.system = machine.release()
        self.sources = machine.all_sources()
        self._host = PrivateApt(f"packages of {self.system.pretty}", folder / ".apt/host", self._host_lines())
        self._host_lock = threading.Lock()
        self._host_ready = False

    def _host_lines(self) -> list[str]:
        own = machine.own_sources(self.sources, self.system.codename)
        return [line for source in own for line in source.lines()]

    def host_apt(self) -> PrivateApt:
        """The distribution's own packages, with the lists fetched once however many threads ask."""
        if not is_available():
            raise SetupError(
                f"{self.system.pretty} has no apt, so tools can't be brought in",
                "install asterisk (18 or newer), espeak-ng, sox and libtiff's tools so that they are on PATH",
            )
        with self._host_lock:
            if not self._host_ready:
                if not self._host.sources:
                    raise SetupError(
                        f"no package source of {self.system.pretty} was found in /etc/apt",
                        "put the distribution's own mirror back into /etc/apt/sources.list",
                    )
                self._host.update()
                self._host_ready = True
        return self._host

    def clean(self) -> None:
        """Removes what apt downloaded, once everything is unpacked."""
        self._host.clean()

    # -- small tools -------------------------------------------------------------------------------------------

    def bring_in(self, group: str, tools: Sequence[Tool]) -> None:
        """Makes every one of `tools` available in `bin`; those the machine lacks go to `.telephony/group`."""
        missing: list[Tool] = []
        for tool in tools:
            if found := None if IGNORE_SYSTEM else tool.on_system():
                wrappers.link_system(self.bin, tool.name, found)
            else:
                missing.append(tool)
        if not missing:
            return
        root = self._unpacked(group, missing)
        for tool in missing:
            wrappers.wrap(self.bin, tool, root)

    def bring_in_fonts(self) -> None:
        """Makes `.telephony/fonts`: a link to where the Chinese fonts are, the machine's own or unpacked ones."""
        font = catalogue.FONTS
        found = None if IGNORE_SYSTEM else font.on_system()
        if found is None:
            found = self._unpacked("noto", [font]) / font.in_prefix
        wrappers.link_system(self.folder, font.name, found.parent)

    def _unpacked(self, group: str, missing: list[Tool]) -> Path:
        """`.telephony/group` with the packages of what is missing in it."""
        packages = catalogue.packages_of(missing)
        root = self.folder / group
        fingerprint = digest([FORMAT, self.system.id, self.system.codename, packages])
        if not self._covers(root, packages, fingerprint):
            build_folder(root, fingerprint, lambda temporary: self._fill(temporary, group, missing))
        return root

    def _covers(self, root: Path, packages: list[str], fingerprint: str) -> bool:
        """True if `root` was unpacked for this system and holds at least `packages` (more is fine)."""
        if is_stamped(root, fingerprint):
            return True
        try:
            stamp = json.loads((root / ".complete.json").read_text())
        except (OSError, ValueError):
            return False
        held = stamp.get("packages", [])
        again = digest([FORMAT, self.system.id, self.system.codename, held])
        return set(packages) <= set(held) and stamp.get("fingerprint") == again

    def _fill(self, root: Path, group: str, missing: list[Tool]) -> dict[str, Any]:
        apt = self.host_apt()
        packages = catalogue.packages_of(missing)
        for tool in missing:
            for package in tool.packages:
                if not apt.candidate(package):
                    raise SetupError(
                        f"{tool.name} is neither on PATH nor among the {apt.name} (package {package})",
                        tool.remedy or f"install {tool.name} so that it is on PATH",
                    )
        apt.extract(apt.download(packages, group), root, with_c_library=False)
        return {"packages": packages, "from": self.system.pretty}

    # -- Asterisk ----------------------------------------------------------------------------------------------

    def bring_in_asterisk(self) -> None:
        """Makes `bin/asterisk` and `asterisk.json` (where its parts are): the system's, else the distribution's, else
        one from a newer Debian run on its own loader."""
        system = _usable_system_asterisk(self.folder / "asterisk.json")
        if system:
            wrappers.link_system(self.bin, "asterisk", Path(system["binary"]))
            self._describe(system)
            return
        root = self.folder / "asterisk"
        fingerprint = digest([FORMAT, self.system.id, self.system.codename, *catalogue.ASTERISK_PACKAGES])
        build_folder(root, fingerprint, self._fill_asterisk)
        facts = json.loads((root / ".complete.json").read_text())
        wrappers.wrap_with_loader(self.bin, "asterisk", root / "usr/sbin/asterisk", root)
        share = root / "usr/share/asterisk"
        self._describe(
            {
                "source": facts["source"],
                "version": facts["version"],
                "binary": str(self.bin / "asterisk"),
                "modules": str(_modules(root)),
                "data": str(share),
                "sounds": str(share / "sounds"),
                "documentation": str(share / "documentation"),
                "loader": True,
            }
        )

    def _describe(self, facts: dict[str, Any]) -> None:
        write_if_changed(self.folder / "asterisk.json", json.dumps(facts, indent=1, sort_keys=True) + "\n")

    def _fill_asterisk(self, root: Path) -> dict[str, Any]:
        apt, source = self._apt_with_asterisk()
        extras = [package for package in catalogue.ASTERISK_EXTRAS if apt.candidate(package)]
        debs = apt.download([*catalogue.ASTERISK_PACKAGES, *extras], "asterisk")
        apt.extract(debs, root, with_c_library=True)
        # Maintainer scripts don't run; this link is the one thing of theirs that Asterisk can't do without (RECORD
        # FILE with a beep fails when the default language has no sounds).
        sounds = root / "usr/share/asterisk/sounds"
        english = sorted(path.name for path in sounds.glob("en_US_*")) if sounds.is_dir() else []
        if english and not (sounds / "en").exists():
            (sounds / "en").symlink_to(english[0])
        start = wrappers.start_with_loader(root / "usr/sbin/asterisk", root)
        shown = subprocess.run([*start, "-V"], capture_output=True, text=True)
        if shown.returncode or not _modules(root).is_dir():
            raise SetupError(
                f"the unpacked Asterisk does not run: {(shown.stderr or shown.stdout).strip()}",
                "install asterisk 18 or newer on the system, then run the same command again",
            )
        say(f"{shown.stdout.strip()} unpacked from {source}")
        if apt is not self._host:
            apt.clean()
        return {"source": source, "version": shown.stdout.strip()}

    def _apt_with_asterisk(self) -> tuple[PrivateApt, str]:
        newer: dict[str, PrivateApt] = {}
        mirror = machine.debian_mirror(self.sources, self.system)
        # Fetching both lists at once costs nothing where the distribution has no Asterisk, which is the usual case.
        ahead = threading.Thread(target=lambda: newer.update(self._newer(mirror, NEWER_SUITES[0])), daemon=True)
        if mirror and self.system.id == "debian":
            ahead.start()
        host = self.host_apt()
        version = host.candidate("asterisk")
        if version and _major(version) >= catalogue.ASTERISK_OLDEST:
            return host, f"{self.system.pretty}"
        if mirror:
            if ahead.ident:
                ahead.join()
            for suite in NEWER_SUITES:
                apt = newer.get(suite) or self._newer(mirror, suite).get(suite)
                if apt and _major(apt.candidate("asterisk")) >= catalogue.ASTERISK_OLDEST:
                    return apt, f"Debian {suite}"
        raise SetupError(
            f"no Asterisk ≥ {catalogue.ASTERISK_OLDEST} is on PATH, among the {host.name}, or on a Debian mirror",
            f"install asterisk, or name a Debian mirror in {machine.MIRROR_VARIABLE}",
        )

    def _newer(self, mirror: str, suite: str) -> dict[str, PrivateApt]:
        signed = [source.signed_by for source in self.sources if source.uri == mirror and source.signed_by]
        key = signed[0] if signed and Path(signed[0]).exists() else ARCHIVE_KEYRING
        options = f"[signed-by={key}] " if Path(key).exists() else ""
        apt = PrivateApt(f"Debian {suite}", self.folder / f".apt/{suite}", [f"deb {options}{mirror} {suite} main"])
        try:
            apt.update()
        except SetupError as error:
            say(str(error))
            return {}
        return {suite: apt}


def _major(version: str) -> int:
    """The major release in a package version such as `1:22.10.0~dfsg+~cs6-1`; 0 if there is none."""
    found = re.match(r"(?:\d+:)?(\d+)\.", version)
    return int(found[1]) if found else 0


def _modules(root: Path) -> Path:
    for folder in (*sorted(root.glob("usr/lib/*/asterisk/modules")), root / "usr/lib/asterisk/modules"):
        if folder.is_dir():
            return folder
    return root / "usr/lib/asterisk/modules"


def _usable_system_asterisk(known: Path) -> dict[str, Any] | None:
    """The machine's own Asterisk if it is new enough and complete; its facts are remembered until the file changes."""
    found = Tool("asterisk", (), "", on_path=("asterisk", "/usr/sbin/asterisk")).on_system()
    if not found or IGNORE_SYSTEM:
        return None
    identity = f"{found}:{found.stat().st_mtime_ns}"
    try:
        facts = json.loads(known.read_text())
        if facts.get("identity") == identity:
            return dict(facts)
    except (OSError, ValueError):
        pass
    with step(f"checking {found}"):
        shown = subprocess.run([str(found), "-V"], capture_output=True, text=True)
    version = re.search(r"Asterisk (?:certified[/-])?(\d+)\.", shown.stdout)
    if shown.returncode or not version or int(version[1]) < catalogue.ASTERISK_OLDEST:
        say(f"{found} is older than {catalogue.ASTERISK_OLDEST}; another one is used")
        return None
    modules = _modules(Path("/"))
    lacking = [name for name in catalogue.ASTERISK_MODULES if not (modules / f"{name}.so").exists()]
    if lacking:
        say(f"{found} lacks {', '.join(lacking)}; another one is used")
        return None
    share = next(
        (p for p in (Path("/usr/share/asterisk"), Path("/var/lib/asterisk")) if (p / "documentation").is_dir()), None
    )
    if not share:
        say(f"{found} lacks its documentation folder; another one is used")
        return None
    return {
        "source": "system",
        "version": shown.stdout.strip(),
        "identity": identity,
        "binary": str(found),
        "modules": str(modules),
        "data": str(share),
        "sounds": str(share / "sounds"),
        "documentation": str(share / "documentation"),
        "loader": False,
    }
