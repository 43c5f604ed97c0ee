"""Ports that others have are told before anything starts, with who has them and which setting moves ours."""

import socket
from pathlib import Path

import pytest

from app.instance import ports
from app.settings import Settings
from asterisk_conf.ports import Port


def settings_with(tmp_path: Path, **given: int) -> Settings:
    free: dict[str, int] = {}
    sockets = []
    for name in ("http_port", "sip_port", "sip_tls_port", "ws_port", "wss_port", "ami_port", "agi_port"):
        taken = socket.create_server(("127.0.0.1", 0))
        sockets.append(taken)
        free[name] = taken.getsockname()[1]
    for taken in sockets:
        taken.close()
    return Settings(home=tmp_path, **{**free, **given})  # type: ignore[arg-type]


def test_free_ports_are_no_conflict(tmp_path: Path) -> None:
    assert ports.conflicts(settings_with(tmp_path)) == []


@pytest.mark.parametrize("name", ["http_port", "agi_port", "ami_port", "sip_port", "wss_port"])
def test_a_taken_port_names_its_holder_and_its_setting(tmp_path: Path, name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        found = ports.conflicts(settings_with(tmp_path, **{name: port}))
    assert len(found) == 1
    assert str(port) in found[0]
    assert "(process " in found[0]
    assert f"HOTLINE_{name.upper()}" in found[0]


def test_a_taken_udp_port_is_seen(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        found = ports.conflicts(settings_with(tmp_path, sip_port=other.getsockname()[1]))
    assert any("UDP" in sentence for sentence in found)


def test_two_settings_with_the_same_port_are_a_conflict(tmp_path: Path) -> None:
    settings = settings_with(tmp_path)
    doubled = settings.model_copy(update={"agi_port": settings.http_port})
    assert any("http_port" in sentence and "agi_port" in sentence for sentence in ports.conflicts(doubled))


def test_a_holder_that_cannot_be_seen_is_not_invented() -> None:
    assert ports.holder_of(Port("http_port", "127.0.0.1", 1)) == ""
