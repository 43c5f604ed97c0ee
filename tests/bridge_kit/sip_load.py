"""Telephones and citizens for load, in a few hundred lines of SIP over UDP: no sound, just signalling.

Hundreds of telephones share one socket (their contact names them), all citizens another. Enough of RFC 3261 for a
register with digest, a call in either direction and its end; nothing is sent twice, loopback does not lose packets.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import re
import secrets
from collections.abc import Callable

Address = tuple[str, int]
_URI = re.compile(r"(?P<uri>sips?:(?:(?P<user>[^@;>]*)@)?[^>]*)")
_START = re.compile(r"(?:SIP/2\.0 (?P<status>\d{3})|(?P<method>[A-Z]+) (?P<uri>\S+) SIP/2\.0)")
SDP = "v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio 9 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n"


def address_of(header: str) -> tuple[str, str]:
    """(URI, its user part) of a From, To or Contact header; "" for what it has not."""
    found = _URI.search(header)
    return (found["uri"], found["user"] or "") if found else ("", "")


class Message:
    """One SIP message, parsed as far as it is needed."""

    def __init__(self, data: bytes) -> None:
        head, _, self.body = data.decode(errors="replace").partition("\r\n\r\n")
        first, *lines = head.split("\r\n")
        start = _START.match(first)
        self.status = int(start["status"]) if start and start["status"] else 0
        self.method = start["method"] if start and start["method"] else ""
        self.uri = start["uri"] if start and start["uri"] else ""
        self.headers: list[tuple[str, str]] = []
        for line in lines:
            name, _, value = line.partition(":")
            self.headers.append((name.strip().lower(), value.strip()))

    def get(self, name: str) -> str:
        """The first header of this name."""
        return next((value for key, value in self.headers if key == name), "")

    def all(self, name: str) -> list[str]:
        """All headers of this name."""
        return [value for key, value in self.headers if key == name]


class Wire(asyncio.DatagramProtocol):
    """One UDP socket. `on_message(message, from)` hears everything."""

    def __init__(self, ip: str, port: int) -> None:
        self.ip, self.port = ip, port
        self.on_message: Callable[[Message, Address], None] = lambda _m, _a: None

    async def open(self) -> None:
        """Bind."""
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(self.ip, self.port))

    def close(self) -> None:
        """Unbind."""
        self._transport.close()

    def datagram_received(self, data: bytes, addr: Address) -> None:
        """Called by the loop."""
        self.on_message(Message(data), addr)

    def send(self, text: str, to: Address) -> None:
        """Send one message."""
        self._transport.sendto(text.encode(), to)

    def request(self, to: Address, method: str, uri: str, headers: list[str], body: str = "") -> None:
        """Send a request; Via, Max-Forwards and lengths are added."""
        via = f"Via: SIP/2.0/UDP {self.ip}:{self.port};branch=z9hG4bK{secrets.token_hex(8)};rport"
        kind = ["Content-Type: application/sdp"] if body else []
        lines = [f"{method} {uri} SIP/2.0", via, "Max-Forwards: 70", *headers, *kind, f"Content-Length: {len(body)}"]
        self.send("\r\n".join(lines) + "\r\n\r\n" + body, to)

    def answer(
        self, to: Address, request: Message, status: str, tag: str = "", more: list[str] | None = None, body: str = ""
    ) -> None:
        """Send an answer to a request."""
        called = request.get("to") + (f";tag={tag}" if tag and ";tag=" not in request.get("to") else "")
        lines = [
            f"SIP/2.0 {status}",
            *[f"Via: {via}" for via in request.all("via")],
            f"From: {request.get('from')}",
            f"To: {called}",
            f"Call-ID: {request.get('call-id')}",
            f"CSeq: {request.get('cseq')}",
            *(more or []),
            *(["Content-Type: application/sdp"] if body else []),
            f"Content-Length: {len(body)}",
        ]
        self.send("\r\n".join(lines) + "\r\n\r\n" + body, to)


def digest(challenge: str, user: str, password: str, method: str, uri: str) -> str:
    """The Authorization header that answers a WWW-Authenticate header."""
    fields = dict(re.findall(r'(\w+)="?([^",]*)"?', challenge))

    def md5(text: str) -> str:
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

    secret, what, nonce = md5(f"{user}:{fields['realm']}:{password}"), md5(f"{method}:{uri}"), fields["nonce"]
    common = f'Authorization: Digest username="{user}",realm="{fields["realm"]}",nonce="{nonce}",uri="{uri}"'
    opaque = f',opaque="{fields["opaque"]}"' if "opaque" in fields else ""
    if "qop" not in fields:
        response = md5(f"{secret}:{nonce}:{what}")
        return f'{common},response="{response}"{opaque}'
    response = md5(f"{secret}:{nonce}:00000001:abcdef:auth:{what}")
    return f'{common},qop=auth,nc=00000001,cnonce="abcdef",response="{response}"{opaque}'


class Phones:
    """Desk phones that register, ring for `ring_s`, and answer.

    `talk_s` tells from the caller's number after how many seconds of talk the phone hangs up; None: it never does.
    """

    def __init__(
        self,
        ip: str,
        port: int,
        server: Address,
        *,
        ring_s: float,
        talk_s: Callable[[str], float | None] = lambda _number: None,
    ) -> None:
        self._wire, self._server, self._ring_s, self._talk_s = Wire(ip, port), server, ring_s, talk_s
        self._wire.on_message = self._hear
        self._registering: dict[str, tuple[str, str, asyncio.Future[None]]] = {}
        self._ringing: dict[str, asyncio.TimerHandle] = {}
        self._talking: dict[str, asyncio.TimerHandle] = {}
        self.answered = 0

    async def register(self, accounts: list[tuple[str, str]]) -> None:
        """Register every (user, password)."""
        await self._wire.open()
        for user, password in accounts:
            done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            call = f"reg-{user}-{secrets.token_hex(4)}"
            self._registering[call] = (user, password, done)
            self._register(call, user, 1, [])
            await asyncio.wait_for(done, 5)

    def close(self) -> None:
        """Vanish."""
        self._wire.close()

    def _register(self, call: str, user: str, cseq: int, more: list[str]) -> None:
        host = f"{self._server[0]}:{self._server[1]}"
        headers = [
            f"From: <sip:{user}@{host}>;tag={user}",
            f"To: <sip:{user}@{host}>",
            f"Call-ID: {call}",
            f"CSeq: {cseq} REGISTER",
            f"Contact: <sip:{user}@{self._wire.ip}:{self._wire.port}>;expires=3600",
            *more,
        ]
        self._wire.request(self._server, "REGISTER", f"sip:{host}", headers)

    def _hear(self, message: Message, source: Address) -> None:
        call = message.get("call-id")
        if message.status and call in self._registering:
            user, password, done = self._registering[call]
            if message.status == 401:
                uri = f"sip:{self._server[0]}:{self._server[1]}"
                self._register(
                    call, user, 2, [digest(message.get("www-authenticate"), user, password, "REGISTER", uri)]
                )
            elif not done.done():
                del self._registering[call]
                done.set_result(None) if message.status == 200 else done.set_exception(
                    RuntimeError(str(message.status))
                )
        elif message.method == "INVITE":
            self._wire.answer(source, message, "180 Ringing", call[:8])
            later = asyncio.get_running_loop().call_later(self._ring_s, self._pick_up, message, source)
            self._ringing[call] = later
        elif message.method == "CANCEL":
            self._wire.answer(source, message, "200 OK", call[:8])
            if (ringing := self._ringing.pop(call, None)) is not None:
                ringing.cancel()
        elif message.method in ("BYE", "OPTIONS", "NOTIFY", "UPDATE"):
            self._wire.answer(source, message, "200 OK", call[:8])
            if message.method == "BYE" and (talking := self._talking.pop(call, None)) is not None:
                talking.cancel()

    def _pick_up(self, invite: Message, source: Address) -> None:
        self._ringing.pop(invite.get("call-id"), None)
        user = invite.uri.removeprefix("sip:").partition("@")[0]
        contact = [f"Contact: <sip:{user}@{self._wire.ip}:{self._wire.port}>"]
        call = invite.get("call-id")
        self._wire.answer(source, invite, "200 OK", call[:8], contact, SDP.format(ip=self._wire.ip))
        self.answered += 1
        if (talk_s := self._talk_s(address_of(invite.get("from"))[1])) is not None:
            later = asyncio.get_running_loop().call_later(talk_s, self._hang_up, invite, source)
            self._talking[call] = later

    def _hang_up(self, invite: Message, source: Address) -> None:
        call = invite.get("call-id")
        if self._talking.pop(call, None) is None:
            return
        headers = [
            f"From: {invite.get('to')};tag={call[:8]}",
            f"To: {invite.get('from')}",
            f"Call-ID: {call}",
            "CSeq: 1 BYE",
        ]
        self._wire.request(source, "BYE", address_of(invite.get("contact"))[0], headers)


class Citizens:
    """Callers. `call` begins a call that ends itself `talk_s` after `hang_up_after(call)` said so, or when asked."""

    def __init__(self, ip: str, port: int, server: Address) -> None:
        self._wire, self._server = Wire(ip, port), server
        self._wire.on_message = self._hear
        self._numbers = itertools.count(1)
        self._calls: dict[str, tuple[str, str]] = {}  # Call-ID → (number, To with tag)
        self.answered = 0
        self.refused = 0
        self.ended = 0

    async def open(self) -> None:
        """Be there."""
        await self._wire.open()

    def close(self) -> None:
        """Vanish."""
        self._wire.close()

    def call(self, number: str, to: str) -> str:
        """Dial; the call's id for `hang_up`."""
        ident = f"c{next(self._numbers)}-{secrets.token_hex(6)}"
        self._calls[ident] = (number, f"<sip:{to}@{self._server[0]}>")
        headers = [*self._dialog(ident, 1, "INVITE"), f"Contact: <sip:{number}@{self._wire.ip}:{self._wire.port}>"]
        uri = f"sip:{to}@{self._server[0]}:{self._server[1]}"
        self._wire.request(self._server, "INVITE", uri, headers, SDP.format(ip=self._wire.ip))
        return ident

    def hang_up(self, ident: str) -> None:
        """End a call that has been answered."""
        if ident in self._calls:
            uri = f"sip:{self._server[0]}:{self._server[1]}"
            self._wire.request(self._server, "BYE", uri, self._dialog(ident, 2, "BYE"))
            del self._calls[ident]
            self.ended += 1

    def _dialog(self, ident: str, cseq: int, method: str) -> list[str]:
        number, to = self._calls[ident]
        sender = f"From: <sip:{number}@{self._wire.ip}>;tag={ident[-8:]}"
        return [sender, f"To: {to}", f"Call-ID: {ident}", f"CSeq: {cseq} {method}"]

    def _hear(self, message: Message, source: Address) -> None:
        ident = message.get("call-id")
        if message.status >= 200 and message.get("cseq").endswith("INVITE") and ident in self._calls:
            number, _ = self._calls[ident]
            self._calls[ident] = (number, message.get("to"))
            uri = f"sip:{self._server[0]}:{self._server[1]}"
            self._wire.request(self._server, "ACK", uri, self._dialog(ident, 1, "ACK"))
            if message.status == 200:
                self.answered += 1
            else:
                self.refused += 1
                del self._calls[ident]
        elif message.method == "BYE":
            self._wire.answer(source, message, "200 OK")
            if self._calls.pop(ident, None) is not None:
                self.ended += 1
        elif message.method in ("OPTIONS", "UPDATE", "NOTIFY"):
            self._wire.answer(source, message, "200 OK")
