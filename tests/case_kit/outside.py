"""Servers of others that notices go to: a mail server and an SMS gateway, on real sockets of this machine."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class MailServer:
    """Takes mail as RFC 5321 says, but for those in `strangers`; hangs up at the names in `feared`."""

    def __init__(self, port: int = 0) -> None:
        self.mails: list[EmailMessage] = []
        self.strangers: set[str] = set()
        self.feared: set[str] = set()
        server = self

        class Session(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self.say("220 mail.test ESMTP")
                while line := self.rfile.readline().decode().strip():
                    verb = line[:4].upper()
                    if verb == "RCPT" and any(one in line for one in server.feared):
                        return
                    if verb == "EHLO":
                        self.say("250-mail.test", "250 8BITMIME")
                    elif verb == "RCPT" and any(one in line for one in server.strangers):
                        self.say("550 5.1.1 no such user")
                    elif verb == "DATA":
                        self.say("354 go ahead")
                        lines = iter(self.rfile.readline, b".\r\n")
                        made = message_from_bytes(b"".join(lines), policy=policy.default)
                        assert isinstance(made, EmailMessage)
                        server.mails.append(made)
                        self.say("250 taken")
                    elif verb == "QUIT":
                        self.say("221 bye")
                        return
                    else:
                        self.say("250 ok")

            def say(self, *lines: str) -> None:
                self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

        self._server = Server(("127.0.0.1", port), Session)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    @contextmanager
    def up(self) -> Iterator[MailServer]:
        """Serve."""
        with serving(self._server):
            yield self


def text_of(mail: EmailMessage) -> str:
    """Everything that a mail says, its headers decoded."""
    return "\n".join([*(f"{name}: {value}" for name, value in mail.items()), mail.get_content()])


class SmsGateway:
    """Takes a POST for each message; answers with `answers` first, then 200."""

    def __init__(self, *answers: int) -> None:
        self.answers = list(answers)
        self.taken: list[tuple[dict[str, Any], str]] = []
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status = gateway.answers.pop(0) if gateway.answers else 200
                if status == 200:
                    gateway.taken.append((body, self.headers.get("Authorization", "")))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/send"

    @contextmanager
    def up(self) -> Iterator[SmsGateway]:
        """Serve."""
        with serving(self._server):
            yield self


@contextmanager
def serving(server: socketserver.TCPServer) -> Iterator[None]:
    """The server answers on a thread of its own."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
