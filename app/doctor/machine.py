"""The machine and what set-up put there: Python packages, native tools, pages, disk, open files, certificate."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import os
import re
import resource
import shutil
from collections.abc import Iterator

from app.certificates.model import Judged, judge
from app.doctor.model import Finding, broken, ok, warning
from app.settings import REPO, Settings
from app.tools import RUN_TOOLS, ToolMissing, asterisk_dirs, tool

MEGABYTE = 1024 * 1024


def python_packages(settings: Settings) -> Iterator[Finding]:
    """Every package of the lock is installed in the locked version."""
    lock = (REPO / "requirements.lock").read_text()
    wrong = []
    total = 0
    for name, version, marker in re.findall(r"^([a-zA-Z0-9._-]+)==(\S+)(?: ; ([^\\\n]+))?", lock, re.MULTILINE):
        if marker and not _applies(marker):
            continue
        total += 1
        try:
            found = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found = "nothing"
        if found != version:
            wrong.append(f"{name} {version} (found {found})")
    if wrong:
        yield broken("python", f"not as locked: {', '.join(wrong[:5])}{' …' if len(wrong) > 5 else ''}", "make setup")
    else:
        yield ok("python", f"{total} packages as locked")


def _applies(marker: str) -> bool:
    from packaging.markers import InvalidMarker, Marker

    try:
        return Marker(marker.strip()).evaluate()
    except InvalidMarker:
        return True


def native_tools(settings: Settings) -> Iterator[Finding]:
    """Asterisk and the audio and fax tools are there."""
    missing = []
    for name in RUN_TOOLS:
        try:
            tool(name, settings)
        except ToolMissing:
            missing.append(name)
    if missing:
        yield broken("tools", f"missing: {', '.join(missing)}", "make setup")
        return
    try:
        parts = asterisk_dirs(settings)
    except ToolMissing as error:
        yield broken("tools", str(error), "make setup")
        return
    yield ok("tools", f"{parts.version} ({parts.source}), {', '.join(RUN_TOOLS[1:])}")


def pages(settings: Settings) -> Iterator[Finding]:
    """The pages are built."""
    if (REPO / "app/frontend/dist/index.html").exists():
        yield ok("pages", "built")
    else:
        yield broken("pages", "not built: browsers get no page", "make setup")


def disk(settings: Settings) -> Iterator[Finding]:
    """There is room for recordings, and the home can be written to."""
    probe = settings.home
    while not probe.exists():
        probe = probe.parent
    free = shutil.disk_usage(probe).free // MEGABYTE
    if not os.access(probe, os.W_OK):
        yield broken("disk", f"{probe} can't be written to by this user", f"chown or chmod {probe}")
    elif free < settings.min_free_mb:
        text = f"{free} MB free on {probe}: new recordings are refused below {settings.min_free_mb} MB"
        yield broken("disk", text, "make room, or move HOTLINE_HOME to a larger disk")
    elif free < 5 * settings.min_free_mb:
        text = f"{free} MB free on {probe}; recordings stop below {settings.min_free_mb} MB"
        yield warning("disk", text, "make room, shorten HOTLINE_RETENTION_DAYS, or move HOTLINE_HOME")
    else:
        yield ok("disk", f"{free / 1024:.0f} GB free")


def open_files(settings: Settings) -> Iterator[Finding]:
    """A thousand callers need thousands of descriptors."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 20000:
        text = f"at most {hard} open files: about {hard // 12} calls at once"
        yield warning("open files", text, "raise the limit (LimitNOFILE= in systemd, or /etc/security/limits.conf)")
    else:
        yield ok("open files", "enough for 1,000 calls")


def secrets(settings: Settings) -> Iterator[Finding]:
    """Nobody else can read the secrets."""
    folder = settings.paths.secrets
    if not folder.exists():
        yield ok("secrets", "none made yet")
        return
    open_ones = [file.name for file in folder.iterdir() if file.is_file() and file.stat().st_mode & 0o077]
    if open_ones or folder.stat().st_mode & 0o077:
        names = ", ".join(open_ones) or str(folder)
        yield broken("secrets", f"readable by others: {names}", f"rm -r {folder}, then start again: new ones are made")
    else:
        yield ok("secrets", "closed to others")


def certificate(settings: Settings) -> Iterator[Finding]:
    """No certificate lapses unnoticed: the telephone lines', that of wss, and those that the settings name."""
    from app.certificates.service import look

    seen = look(settings)
    if not seen:
        yield ok("certificate", "made at the first start")
    for one in seen:
        yield judge_certificate(judge(one, dt.datetime.now(dt.UTC)))


def judge_certificate(judged: Judged) -> Finding:
    """Warns 30, 7 and 1 days before the end; broken after it."""
    if judged.stage is None:
        return ok("certificate", judged.text)
    return (warning if judged.stage else broken)("certificate", judged.text, judged.remedy)
