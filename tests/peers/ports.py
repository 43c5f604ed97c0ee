"""Ports for one test instance: a block that no other test on this machine uses, for as long as the process lives."""

from __future__ import annotations

import fcntl
import os
import random
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

BLOCK = 500
# Below the ports that the system itself gives to outgoing connections (32768 and up).
FIRST, LAST = 11_000, 32_500
SERVICES = 60
SINGLE = 20
PHONE_SERVICES = 3
PHONES = 96
PORTS_OF_A_PHONE = 8


@dataclass
class PortBlock:
    """`take()` gives single ports from its head, `rtp_start`..`rtp_end` is its middle, telephones have its tail."""

    base: int
    lock: IO[str]
    taken: int = 0
    phones: int = 0

    @property
    def rtp_start(self) -> int:
        """First port for voices (even)."""
        return self.base + SERVICES

    @property
    def rtp_end(self) -> int:
        """Last port for voices."""
        return self.base + BLOCK - 1 - PHONES

    def take_phone(self) -> tuple[int, int, int]:
        """A telephone's ports: SIP (the next one is its TLS port), control, the first of eight for voices. They are
        given again in turn: telephones of former tests have given theirs back."""
        for _attempt in range(PHONES // PORTS_OF_A_PHONE):
            number = self.phones % (PHONES // PORTS_OF_A_PHONE)
            self.phones += 1
            head = self.base + SERVICES - PHONE_SERVICES * (number + 1)
            if all(_free(head + offset) for offset in range(3)):
                return head, head + 2, self.rtp_end + 1 + number * PORTS_OF_A_PHONE
        raise RuntimeError("this block of ports has room for no further telephone")

    def take(self) -> int:
        """Another free single port."""
        while self.taken < SINGLE:
            port = self.base + self.taken
            self.taken += 1
            if _free(port):
                return port
        raise RuntimeError("this block of ports has no single port left")

    def release(self) -> None:
        """Lets others have the block."""
        self.lock.close()


def port_block() -> PortBlock:
    """A block of ports, locked against the other tests on this machine. Raises RuntimeError when all are in use."""
    folder = Path(tempfile.gettempdir()) / f"hotline-test-ports-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    blocks = list(range(FIRST, LAST - BLOCK, BLOCK))
    random.shuffle(blocks)
    for base in blocks:
        file = (folder / str(base)).open("w")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            continue
        if _free(base + SERVICES) and _free(base):
            return PortBlock(base, file)
        file.close()
    raise RuntimeError("every block of test ports is in use: too many tests run at once")


def _free(port: int) -> bool:
    """At every address: the telephones' network has addresses of its own, and an Asterisk may outlive its test."""
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            if kind is socket.SOCK_STREAM:
                # A connection that has just ended keeps its port for a minute; one can listen there all the same.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("", port))
            except OSError:
                return False
    return True
