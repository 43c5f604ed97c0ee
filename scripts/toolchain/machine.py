"""What this machine says about itself: distribution, architecture, and where it gets its packages from."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

MIRROR_VARIABLE = "HOTLINE_DEBIAN_MIRROR"


@dataclass(frozen=True)
class Release:
    """The distribution: id ("debian", "ubuntu"), its codename ("bookworm") and a name for people."""

    id: str
    codename: str
    pretty: str


@dataclass(frozen=True)
class Source:
    """One entry of the apt sources: a mirror, the suites and components taken from it, and its options as written."""

    uri: str
    suites: tuple[str, ...]
    components: tuple[str, ...]
    signed_by: str = ""
    trusted: bool = False

    def lines(self) -> list[str]:
        """The entry as one-line `deb` entries for a private sources.list."""
        options = []
        if self.signed_by:
            options.append(f"signed-by={self.signed_by}")
        if self.trusted:
            options.append("trusted=yes")
        shown = f"[{' '.join(options)}] " if options else ""
        return [f"deb {shown}{self.uri} {suite} {' '.join(self.components)}" for suite in self.suites]


def release(os_release: Path = Path("/etc/os-release")) -> Release:
    """Reads os-release; unknown systems give empty ids rather than an error."""
    try:
        pairs = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', os_release.read_text(), re.MULTILINE))
    except OSError:
        pairs = {}
    return Release(pairs.get("ID", ""), pairs.get("VERSION_CODENAME", ""), pairs.get("PRETTY_NAME", "this system"))


def architecture() -> str:
    """Debian's name of the architecture ("amd64", "arm64")."""
    return subprocess.run(["dpkg", "--print-architecture"], check=True, capture_output=True, text=True).stdout.strip()


def parse_one_line(text: str) -> list[Source]:
    """Parses the classic format: `deb [options] uri suite components…`."""
    found = []
    for raw in text.splitlines():
        line = raw.split("#", 1)[0].strip()
        match = re.match(r"deb\s+(?:\[(?P<options>[^\]]*)\]\s*)?(?P<uri>\S+)\s+(?P<suite>\S+)\s*(?P<rest>.*)$", line)
        if match:
            options = dict(part.split("=", 1) for part in (match["options"] or "").split() if "=" in part)
            found.append(
                Source(
                    match["uri"],
                    (match["suite"],),
                    tuple(match["rest"].split()),
                    options.get("signed-by", ""),
                    options.get("trusted", "") in ("yes", "true"),
                )
            )
    return found


def parse_deb822(text: str) -> list[Source]:
    """Parses the `.sources` format: stanzas of fields, with continuation lines and comments between fields."""
    found = []
    kept = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for stanza in re.split(r"\n[ \t]*\n", kept):
        fields: dict[str, str] = {}
        name = ""
        for line in stanza.splitlines():
            if line[:1] in " \t" and name:
                fields[name] += "\n" + line.strip()
            elif ":" in line:
                name, value = line.split(":", 1)
                name = name.strip().lower()
                fields[name] = value.strip()
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes").lower() in ("no", "false"):
            continue
        # A key given inline has no file to point at; the distribution's own keyrings serve then.
        signed_by = fields.get("signed-by", "")
        if "\n" in signed_by or "BEGIN PGP" in signed_by:
            signed_by = ""
        suites, components = tuple(fields.get("suites", "").split()), tuple(fields.get("components", "").split())
        for uri in fields.get("uris", "").split():
            found.append(Source(uri, suites, components, signed_by, fields.get("trusted", "").lower() == "yes"))
    return found


def all_sources(etc_apt: Path = Path("/etc/apt")) -> list[Source]:
    """Every package source the machine is set up with, in apt's own order."""
    files = [etc_apt / "sources.list", *sorted((etc_apt / "sources.list.d").glob("*"))]
    found: list[Source] = []
    for file in files:
        try:
            text = file.read_text(errors="replace")
        except OSError:
            continue
        if file.suffix == ".sources":
            found += parse_deb822(text)
        elif file.suffix == ".list":
            found += parse_one_line(text)
    return found


def own_sources(sources: list[Source], codename: str) -> list[Source]:
    """Those of `sources` that are the distribution itself: its suites, its `main` component; no third parties."""
    allowed = {codename, f"{codename}-updates", f"{codename}-security", f"{codename}/updates"}
    kept = []
    for source in sources:
        suites = tuple(suite for suite in source.suites if suite.rstrip("/") in allowed)
        if suites and "main" in source.components:
            kept.append(Source(source.uri, suites, source.components, source.signed_by, source.trusted))
    return kept


def debian_mirror(sources: list[Source], system: Release) -> str:
    """The Debian mirror to take newer suites from; "" if the machine has none and the user named none."""
    named = os.environ.get(MIRROR_VARIABLE, "").strip()
    if named:
        return named
    if system.id != "debian":
        return ""
    for source in sources:
        if system.codename in source.suites and "main" in source.components:
            return source.uri
    return ""
