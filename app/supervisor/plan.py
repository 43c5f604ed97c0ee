"""Which processes an instance consists of, and how each shows that it works."""

from __future__ import annotations

import os
import resource
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

from app.settings import REPO, Settings
from app.supervisor.child import ChildSpec

# 1,000 callers need two descriptors each for their audio alone, and Asterisk is set up for this many.
OPEN_FILES = 65536
PROBE_TIMEOUT_S = 3.0
SPARE_NEEDS_MB = 600
"""Memory that must be free for another spare: nobody who works is to be pressed out by one that waits."""


def specs(settings: Settings) -> list[ChildSpec]:
    """Asterisk, the voice scripts, and everything else unless that is elsewhere, in the order they are started."""
    from asterisk_conf import instance

    return [
        ChildSpec(
            "asterisk",
            lambda: instance.command(settings),
            probe=lambda: manager_answers(settings.ami_host, settings.ami_port),
            survives=True,
            grace_s=6.0,
        ),
        _backend(settings, "voice", "voice", grace_s=5.0),
        *([_backend(settings, "core", "realtime,web,worker", grace_s=8.0)] if settings.core else []),
    ]


def _backend(settings: Settings, name: str, roles: str, grace_s: float) -> ChildSpec:
    return ChildSpec(
        name,
        lambda: _serve(settings, roles),
        beats=True,
        grace_s=grace_s,
        spare=lambda: has_room_for_spare(settings),
    )


def has_room_for_spare(settings: Settings, meminfo: Path = Path("/proc/meminfo")) -> bool:
    """Whether spares are wanted and the machine has the memory; False where it doesn't say."""
    if not settings.spares:
        return False
    try:
        kilobytes = meminfo.read_text().partition("MemAvailable:")[2].split()[0]
        return int(kilobytes) // 1000 >= SPARE_NEEDS_MB
    except (OSError, IndexError, ValueError):
        return False


def _serve(settings: Settings, roles: str) -> tuple[list[str], Mapping[str, str], Path]:
    argv = [sys.executable, "-m", "app.backend", roles]
    return argv, {**os.environ, **settings.environment(), "PYTHONUNBUFFERED": "1"}, REPO


def manager_answers(host: str, port: int, timeout: float = PROBE_TIMEOUT_S) -> bool:
    """True if Asterisk's manager line accepts a connection and answers; needs no password and leaves no trace."""
    try:
        with socket.create_connection((host, port), timeout=timeout) as line:
            line.settimeout(timeout)
            line.sendall(b"Action: Challenge\r\nAuthType: MD5\r\n\r\n")
            heard = b""
            while b"Challenge:" not in heard:
                part = line.recv(1024)
                if not part or len(heard) > 8192:
                    return False
                heard += part
            return heard.startswith(b"Asterisk Call Manager/")
    except OSError:
        return False


def raise_open_files(wanted: int = OPEN_FILES) -> int:
    """Lifts this process's limit of open files (children inherit it) as far as it may; returns the limit in force."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    target = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < target:
        resource.setrlimit(resource.RLIMIT_NOFILE, (target, hard))
        return target
    return soft
