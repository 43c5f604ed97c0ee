"""How Asterisk comes up: without a complaint, without a port too many, without a right too many."""

from __future__ import annotations

import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from asterisk_conf import instance
from asterisk_conf.instance import NotReady, PhoneAccount, PortTaken
from tests.peers.hotline import AGENTS, AsteriskUnderTest
from tests.peers.manager import ManagerError


@pytest.fixture
def hotline(tmp_path: Path) -> Iterator[AsteriskUnderTest]:
    one = AsteriskUnderTest(tmp_path / "home", trunk_out="127.0.0.2:5060")
    yield one
    one.stop()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AsteriskUnderTest]:
    one = AsteriskUnderTest(tmp_path_factory.mktemp("running") / "home")
    try:
        one.start()
        yield one
    finally:
        one.stop()


def test_it_starts_without_an_error_or_a_warning(hotline: AsteriskUnderTest) -> None:
    hotline.start()
    assert hotline.process is not None
    assert hotline.process.complaints() == []


def test_it_is_ready_within_seconds_and_stops_within_seconds(hotline: AsteriskUnderTest) -> None:
    hotline.prepare()
    with pytest.raises(NotReady, match="not ready after"):
        instance.ready(hotline.settings, timeout=0.3)
    hotline.start()
    assert hotline.process is not None
    assert hotline.process.stop(5) == 0


def test_a_reload_of_the_telephones_takes_new_agents_and_forgets_old_ones(hotline: AsteriskUnderTest) -> None:
    hotline.start()
    instance.render_phones(hotline.settings, [*AGENTS[1:], PhoneAccount("2001", "secret-of-2001", "新人", False)])
    hotline.manager.action("Reload", Module="res_pjsip.so")
    shown = instance.asterisk_rx(hotline.settings, "pjsip show endpoints")
    known = [agent_id for agent_id in ("2001", "1001", "1001w", "1002w") if f" {agent_id}/" in shown]
    assert known == ["2001", "1002w"]


@pytest.mark.parametrize("name", ["sip_port", "wss_port", "ami_port"])
def test_a_port_in_use_is_named_with_the_setting_that_moves_it(hotline: AsteriskUnderTest, name: str) -> None:
    port = getattr(hotline.settings, name)
    with socket.create_server(("127.0.0.1", port)), pytest.raises(PortTaken) as error:
        hotline.start()
    assert str(port) in str(error.value)
    assert f"HOTLINE_{name.upper()}" in str(error.value)


def test_one_port_for_two_purposes_is_refused(tmp_path: Path) -> None:
    one = AsteriskUnderTest(tmp_path / "home")
    try:
        twice = one.settings.model_copy(update={"wss_port": one.settings.ws_port})
        with pytest.raises(PortTaken, match="ws_port and to wss_port"):
            instance.check_ports(twice)
    finally:
        one.stop()


def test_secrets_are_readable_by_the_owner_alone(hotline: AsteriskUnderTest) -> None:
    hotline.prepare()
    for file in (hotline.settings.paths.asterisk / "etc").rglob("*.conf"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    for key in (hotline.settings.paths.asterisk / "lib").rglob("*.key"):
        assert stat.S_IMODE(key.stat().st_mode) == 0o600, key


@pytest.mark.parametrize(
    ("action", "headers"),
    [
        ("Command", {"Command": "core show version"}),
        ("UpdateConfig", {"SrcFilename": "manager.conf", "DstFilename": "manager.conf"}),
        ("CreateConfig", {"Filename": "more.conf"}),
    ],
)
def test_the_backends_line_has_no_console_and_writes_no_files(
    running: AsteriskUnderTest, action: str, headers: dict[str, str]
) -> None:
    with pytest.raises(ManagerError, match="Permission denied"):
        running.manager.action(action, **headers)


@pytest.mark.parametrize("variable", ["SHELL(id)", "FILE(/etc/hostname)"])
def test_the_backends_line_reads_nothing_of_the_machine(running: AsteriskUnderTest, variable: str) -> None:
    try:
        value = running.manager.action("Getvar", Variable=variable).get("Value", "")
    except ManagerError:
        value = ""
    assert value in ("", "(null)")


@pytest.mark.parametrize("application", ["System", "TrySystem", "ExternalIVR"])
def test_an_application_whose_purpose_is_to_run_programs_is_not_there(
    running: AsteriskUnderTest, application: str
) -> None:
    """MixMonitor and AGI, which can as well, are needed: see Known faults in the changelog."""
    shown = instance.asterisk_rx(running.settings, f"core show application {application}")
    assert "not registered" in shown


def test_a_home_that_asterisk_cannot_use_is_refused_with_the_reason(tmp_path: Path) -> None:
    one = AsteriskUnderTest(tmp_path / "a,b")
    try:
        with pytest.raises(instance.BadPlace, match="','"):
            one.prepare()
    finally:
        one.stop()


def test_a_home_with_a_long_path_and_a_space_works(tmp_path: Path) -> None:
    one = AsteriskUnderTest(tmp_path / ("deep " * 8).strip() / ("and-deeper-" * 6))
    try:
        one.start()
        assert "System uptime" in instance.asterisk_rx(one.settings, "core show uptime")
    finally:
        one.stop()


def test_two_instances_live_side_by_side(hotline: AsteriskUnderTest, tmp_path: Path) -> None:
    other = AsteriskUnderTest(tmp_path / "other", node="second")
    try:
        hotline.start()
        other.start()
        for one, node in ((hotline, "test"), (other, "second")):
            shown = one.manager.action("CoreSettings")
            assert shown["SystemName"] == node
    finally:
        other.stop()
