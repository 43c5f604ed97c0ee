"""A caller that writes its own SIP, byte by byte: for what no well-behaved telephone would send.

It says nothing and hears nothing; it calls, waits for the answer, and hangs up.
"""

from __future__ import annotations

import re
import secrets
import socket

from tests.peers import network_conf


class RawCaller:
    """One call from the public network's address. `from_header` is the value of From without its tag, as bytes."""

    def __init__(self, host: str, port: int, to: str, from_header: bytes, extra: bytes = b"") -> None:
        self.there = (host, port)
        self.to = to
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((network_conf.ADDRESS, 0))
        self.socket.settimeout(8)
        self.port = self.socket.getsockname()[1]
        self.call_id = secrets.token_hex(8)
        self.tag = secrets.token_hex(4)
        self.from_header, self.extra = from_header, extra
        self.to_tag = b""

    def call(self) -> int:
        """Sends the INVITE and waits for the final answer; returns its status code, 0 for no answer at all."""
        sdp = (
            f"v=0\r\no=- 1 1 IN IP4 {network_conf.ADDRESS}\r\ns=-\r\nc=IN IP4 {network_conf.ADDRESS}\r\nt=0 0\r\n"
            f"m=audio {self.port + 1 if self.port < 65000 else 64000} RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n"
        ).encode()
        self._send("INVITE", 1, b"Content-Type: application/sdp\r\n" + self.extra, sdp)
        while True:
            try:
                answer = self.socket.recv(65535)
            except TimeoutError:
                return 0
            found = re.match(rb"SIP/2.0 (\d{3})", answer)
            if not found:
                continue
            status = int(found[1])
            if tag := re.search(rb"^To:.*?;tag=([^\s;]+)", answer, re.M | re.I):
                self.to_tag = tag[1]
            if status >= 200:
                self._send("ACK", 1)
                return status

    def hang_up(self) -> None:
        """Sends BYE."""
        self._send("BYE", 2)
        self.socket.close()

    def _send(self, method: str, sequence: int, headers: bytes = b"", body: bytes = b"") -> None:
        uri = f"sip:{self.to}@{self.there[0]}:{self.there[1]}".encode()
        here = f"{network_conf.ADDRESS}:{self.port}".encode()
        to_tag = b";tag=" + self.to_tag if self.to_tag else b""
        message = b"\r\n".join(
            [
                method.encode() + b" " + uri + b" SIP/2.0",
                b"Via: SIP/2.0/UDP " + here + b";branch=z9hG4bK" + secrets.token_hex(6).encode() + b";rport",
                b"Max-Forwards: 70",
                b"From: " + self.from_header + b";tag=" + self.tag.encode(),
                b"To: <" + uri + b">" + to_tag,
                b"Call-ID: " + self.call_id.encode(),
                f"CSeq: {sequence} {method}".encode(),
                b"Contact: <sip:raw@" + here + b">",
                headers + b"Content-Length: " + str(len(body)).encode(),
                b"",
                body,
            ]
        )
        self.socket.sendto(message, self.there)
