"""Ports for one test instance: a block that no other test on this machine uses, for as long as the process lives."""

from __future__ import annotations

import fcntl
import random
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

BLOCK = 500
# Below the ports that the system itself gives to outgoing connections (32768 and up).
FIRST, LAST = 11_000, 32_500
SERVICES = 40
PHONES = 96
PORTS_OF_A_PHONE = 8


@dataclass
class PortBlock:
    """`take()` gives single ports from the block's head, `rtp_start`..`rtp_end` its middle, telephones have its tail."""

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

    def take_phone(self) -> int:
        """The first of eight ports for the voices of a telephone; they are given again in turn."""
        self.phones += 1
        return self.rtp_end + 1 + (self.phones - 1) * PORTS_OF_A_PHONE % PHONES

    def take(self, step: int = 1) -> int:
        """Another free single port."""
        for _attempt in range(SERVICES):
            # Begins again at the head when it is used up: telephones of former tests have given theirs back.
            port = self.base + self.taken % SERVICES
            self.taken += step
            if _free(port):
                return port
        raise RuntimeError("this block of ports has no single port left")

    def release(self) -> None:
        """Lets others have the block."""
        self.lock.close()


def port_block() -> PortBlock:
    """A block of ports, locked against the other tests on this machine. Raises RuntimeError when all are in use."""
    folder = Path(tempfile.gettempdir()) / "hotline-test-ports"
    folder.mkdir(exist_ok=True)
    folder.chmod(0o777)
    blocks = list(range(FIRST, LAST - BLOCK, BLOCK))
    random.shuffle(blocks)
    for base in blocks:
        file = (folder / str(base)).open("w")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            continue
        return PortBlock(base, file)
    raise RuntimeError("every block of test ports is in use: too many tests run at once")


def _free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True
