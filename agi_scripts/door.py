"""The door of the FastAGI server: a listening socket whose connections come in ready for `SafeAgi`.

A connection inherits what is set here: its time limits, and how much must have arrived before a read returns. So a call
is accepted and its header read without a system call that only prepares, and mostly in one piece although Asterisk
sends a header line by line.
"""

from __future__ import annotations

import socket

from .safe_agi import QUICK_S, timeval

BACKLOG = 1024
SHORTEST_HEADER = 400
"""Bytes. Asterisk sends at least 22 variables, which come to some 460 with the shortest values. What sends less has its
header read when it sends no more, or when the deadline has passed."""
ENOUGH = SHORTEST_HEADER // 2
"""Bytes that a first read waits for. Half a header, not more: a read takes what is there and then waits for as many
bytes *again*, so that a header cut just below the mark must still have them."""


def open_door(host: str, port: int, header_deadline_s: float) -> socket.socket:
    """Listens on `host`:`port` (0: any free port). Accepting waits `header_deadline_s` (BlockingIOError), and so does a
    read from what was accepted. Raises OSError if the address is taken."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # Handed over only when they have begun to say what they want.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeval(header_deadline_s))
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, timeval(QUICK_S))
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, ENOUGH)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener
