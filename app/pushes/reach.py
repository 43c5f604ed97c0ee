"""Where pushes may go, and the one POST that goes there.

An administrator types addresses; none of them may become a way to this machine or into the office's own network,
unless the settings name that network (`push_networks`). So the name is looked up here, every address that it has is
judged, and the connection goes to the one that was judged. Redirects are not followed: they would name another one.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from app.outgoing import Away, as_away, judge

if TYPE_CHECKING:
    import httpx

PATIENCE_S = 5.0  # for one POST, all of it: a server that answers one letter a second is as good as none
MOST_READ = 64 * 1024

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_WRAPPERS = tuple(ipaddress.ip_network(one) for one in ("64:ff9b::/96", "::ffff:0:0:0/96", "::/96"))
"""What leads to the IPv4 address that is its end: through a NAT64 or a SIIT translator, or as "compatible"."""


def allowed(address: Address, networks: Sequence[str]) -> bool:
    """Whether a push may go to this address: everybody's, or of a network that the settings name."""
    meant: list[Address] = [getattr(address, "ipv4_mapped", None) or address]
    if any(address in one for one in _WRAPPERS):
        meant.append(ipaddress.IPv4Address(int(address) % 2**32))
    if all(map(_everybodys, meant)):
        return True
    return any(one in ipaddress.ip_network(network, strict=False) for one in meant for network in networks)


def _everybodys(address: Address) -> bool:
    return address.is_global and not address.is_multicast and not getattr(address, "is_site_local", False)


async def place(host: str, port: int, networks: Sequence[str]) -> Address:
    """The address to connect to. Raises Away (dns, private_address): the settings or the name may be set right."""
    try:
        found = [ipaddress.ip_address(host)]
    except ValueError:
        try:
            rows = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise Away("dns") from error
        found = [ipaddress.ip_address(str(row[4][0]).partition("%")[0]) for row in rows]
    if not found or not all(allowed(one, networks) for one in found):
        raise Away("private_address")
    return found[0]


async def post(url: str, body: bytes, headers: Mapping[str, str], networks: Sequence[str]) -> None:
    """Send one form. Raises Away, Refused; never takes much longer than PATIENCE_S."""
    import httpx

    parts = urlsplit(url)
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    host = parts.hostname or ""
    with as_away():
        async with asyncio.timeout(PATIENCE_S):
            address = await place(host, port, networks)
            where = f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}"
            there = urlunsplit((parts.scheme, where, parts.path or "/", parts.query, ""))
            all_headers = {
                **headers,
                "Host": parts.netloc,
                "Content-Type": "application/x-www-form-urlencoded",
                "User-Agent": "hotline-12345",
            }
            more = {"sni_hostname": host} if secure else {}
            trust = trusted() if secure else False
            async with httpx.AsyncClient(verify=trust, trust_env=False, timeout=PATIENCE_S) as client:
                request = client.build_request("POST", there, content=body, headers=all_headers, extensions=more)
                answer = await client.send(request, stream=True)
                try:
                    judge(answer.status_code)
                    await _read(answer)
                finally:
                    await answer.aclose()


@cache
def trusted() -> ssl.SSLContext:
    """Whom this machine trusts; made once, since that takes longer than most pushes. An office's own CA is among them
    when it has been put where the system keeps such."""
    return ssl.create_default_context()


async def _read(answer: httpx.Response) -> None:
    """Some servers take what they were sent for done only when their answer has been read."""
    read = 0
    async for piece in answer.aiter_raw():
        read += len(piece)
        if read > MOST_READ:
            return
