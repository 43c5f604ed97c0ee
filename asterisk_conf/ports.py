"""Are the ports free that Asterisk is about to use? Asked before the start, so that the answer names the setting."""

from __future__ import annotations

import errno
import socket
from dataclasses import dataclass

from app.settings import Settings


@dataclass(frozen=True)
class Port:
    """One address that Asterisk listens on, and the setting that moves it."""

    setting: str
    host: str
    number: int
    udp: bool = False


class PortTaken(RuntimeError):
    """Another program has a port that is needed; the text names it and the setting to change."""


def listening(settings: Settings) -> list[Port]:
    """Every address that an instance with these settings listens on, without those of the voices (RTP)."""
    return [
        Port("sip_port", settings.sip_host, settings.sip_port, udp=True),
        Port("sip_port", settings.sip_host, settings.sip_port),
        Port("sip_tls_port", settings.sip_host, settings.sip_tls_port),
        Port("ws_port", settings.sip_host, settings.ws_port),
        Port("wss_port", settings.sip_host, settings.wss_port),
        Port("ami_port", settings.ami_host, settings.ami_port),
    ]


def check_ports(settings: Settings) -> None:
    """Raises PortTaken if any port is in use (or two settings name the same one), else returns at once."""
    if taken := [f"{text} (HOTLINE_{port.setting.upper()})" for port, text in problems(listening(settings))]:
        raise PortTaken("Asterisk cannot start: " + "; ".join(taken))


def problems(ports: list[Port]) -> list[tuple[Port, str]]:
    """Those of `ports` that cannot be had, each with the reason in words; [] if all are free."""
    found = []
    seen: dict[tuple[int, bool], str] = {}
    for port in ports:
        before = seen.setdefault((port.number, port.udp), port.setting)
        if before != port.setting:
            found.append((port, f"{port.number} is given to {before} and to {port.setting}"))
        elif reason := _taken(port):
            kind = "UDP" if port.udp else "TCP"
            found.append((port, f"{kind} port {port.number} on {port.host} {reason}"))
    return found


def _taken(port: Port) -> str:
    family = socket.AF_INET6 if ":" in port.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM if port.udp else socket.SOCK_STREAM) as probe:
        if not port.udp:
            # Connections of a former run that are still closing do not hinder Asterisk either.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((port.host, port.number))
            if not port.udp:
                probe.listen(1)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return "is in use by another program"
            if error.errno == errno.EACCES:
                return "needs more rights than this user has"
            return f"cannot be used: {error.strerror}"
    return ""
