"""Are the ports free? Asked before anything starts, so that the answer names the program and the setting."""

from __future__ import annotations

import os
from pathlib import Path

from app.settings import Settings
from app.supervisor import identity as ids
from asterisk_conf.ports import Port, listening, problems

OURS = {"asterisk": "asterisk", "voice": "voice", "core": "core"}


def of_asterisk(settings: Settings) -> list[Port]:
    """What Asterisk listens on."""
    return listening(settings)


def of_backend(settings: Settings) -> list[Port]:
    """What the backend listens on."""
    return [
        Port("agi_port", settings.agi_host, settings.agi_port),
        Port("http_port", settings.http_host, settings.http_port),
    ]


def conflicts(settings: Settings) -> list[str]:
    """One sentence for every port that another program has, or that two settings share.

    Ports of our own processes (left running by a supervisor that was killed) are no conflict.
    """
    run = settings.paths.run
    wanted: list[Port] = []
    if ids.recall(run, "asterisk") is None:
        wanted += of_asterisk(settings)
    if ids.recall(run, "voice") is None and ids.recall(run, "core") is None:
        wanted += of_backend(settings)
    found = []
    for port, problem in problems(wanted):
        holder = holder_of(port) if "in use" in problem else ""
        found.append(f"{problem}{holder}; choose another: HOTLINE_{port.setting.upper()}={port.number + 1}")
    return found


def holder_of(port: Port) -> str:
    """ " by NAME (process N)" for the program that has `port`; "" if that can't be seen."""
    inode = _socket_inode(port)
    if not inode:
        return ""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            for descriptor in (process / "fd").iterdir():
                if os.readlink(descriptor) == f"socket:[{inode}]":
                    return f" by {(process / 'comm').read_text().strip()} (process {process.name})"
        except OSError:
            continue
    return ""


def _socket_inode(port: Port) -> str:
    """The kernel's number of the socket that is bound to `port`, whatever its address."""
    listening_state = {"udp": "07", "tcp": "0A"}
    kind = "udp" if port.udp else "tcp"
    for table in (kind, f"{kind}6"):
        try:
            lines = Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if int(fields[1].rpartition(":")[2], 16) == port.number and fields[3] == listening_state[kind]:
                return fields[9]
    return ""
