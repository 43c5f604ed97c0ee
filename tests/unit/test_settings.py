"""Settings: where values come from, and what is refused before anything starts on it."""

import json
import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from app.settings import Settings


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in list(os.environ):
        if name.startswith("HOTLINE_"):
            monkeypatch.delenv(name)


def test_defaults_make_an_instance_that_listens_on_this_machine_only(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    hosts = {settings.http_host, settings.sip_host, settings.ami_host, settings.agi_host}
    assert hosts == {"127.0.0.1"}
    assert settings.url == f"sqlite:///{tmp_path}/hotline.sqlite3"


def test_environment_wins_over_the_file_and_the_file_over_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hotline.toml").write_text('http_port = 8100\nsip_port = 5100\nmain_number = "96180"\n')
    monkeypatch.setenv("HOTLINE_HOME", str(tmp_path))
    monkeypatch.setenv("HOTLINE_HTTP_PORT", "8200")
    settings = Settings()
    assert (settings.http_port, settings.sip_port, settings.main_number) == (8200, 5100, "96180")
    assert settings.ami_port == 5038


def test_lists_are_json_in_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTLINE_TRUNK_ADDRESSES", '["10.1.0.0/16", "127.0.0.3"]')
    assert Settings(home=tmp_path).trunk_addresses == ["10.1.0.0/16", "127.0.0.3"]


def test_a_misspelt_name_in_the_file_is_refused_and_named(tmp_path: Path) -> None:
    (tmp_path / "hotline.toml").write_text("htpp_port = 8100\n")
    with pytest.raises(ValidationError, match="htpp_port"):
        Settings(home=tmp_path)


NODE = {"name": "hotline2", "sip": "10.0.0.2:5070"}


def test_further_nodes_come_from_the_file_and_reach_a_child_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hotline.toml").write_text('[[nodes]]\nname = "hotline2"\nsip = "10.0.0.2:5070"\nami_port = 5040\n')
    monkeypatch.setenv("HOTLINE_HOME", str(tmp_path))
    (node,) = Settings().nodes
    assert node.manager == ("10.0.0.2", 5040)
    for name, value in Settings().environment().items():
        monkeypatch.setenv(name, value)
    (tmp_path / "hotline.toml").unlink()
    assert Settings().nodes == [node]


@pytest.mark.parametrize(
    ("nodes", "words"),
    [
        ([NODE, {**NODE, "sip": "10.0.0.3"}], "two nodes have one name"),
        ([NODE, {**NODE, "name": "hotline3"}], "two nodes have one sip host"),
        ([{**NODE, "name": "hotline1"}], "two nodes have one name"),
        ([{**NODE, "name": "third"}], "not agent or third"),
        ([{**NODE, "name": "telephones2northern"}], "at most 16 characters"),
        ([{**NODE, "sip": "10.0.0.2;drop"}], "sip of a node is a host"),
        ([{**NODE, "sip": "127.0.0.2"}], "would pass for citizens"),
        ([{**NODE, "sipp": "x"}], "sipp"),
    ],
)
def test_nodes_that_cannot_be_told_apart_are_refused_in_words(
    tmp_path: Path, nodes: list[dict[str, str]], words: str
) -> None:
    with pytest.raises(ValidationError, match=words):
        Settings(home=tmp_path, nodes=nodes)  # type: ignore[arg-type]


def test_a_relative_home_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Settings(home=Path("here")).home == tmp_path / "here"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("http_port", 0),
        ("http_port", 70000),
        ("node", "Hotline 1"),
        ("node", "a\nb"),
        ("timezone", "Asia/Atlantis"),
        ("timezone", "../../etc/passwd"),
        ("main_number", "12345; DROP"),
        ("main_number", "12340"),
        ("trunk_addresses", ["not an address"]),
        ("trunk_out", "host\nallow=all"),
        ("trunk_out", "sip:host"),
        ("outbound_allowed", ["["]),
        ("callback_allowed", ["mobiles"]),
        ("talk_event_phones", ["["]),
        ("opens", "25:00"),
        ("opens", "8am"),
        ("rtp_end", 10001),
        ("beat_stale_s", 2),
        ("max_calls", 0),
        ("standby", True),  # with SQLite, which has no lock for it
    ],
)
def test_nonsense_is_refused(tmp_path: Path, name: str, value: object) -> None:
    with pytest.raises(ValidationError):
        Settings(home=tmp_path, **{name: value})  # type: ignore[arg-type]


def test_every_folder_is_made_and_closed_to_others(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "new")
    settings.ensure_dirs()
    settings.ensure_dirs()
    assert all(folder.is_dir() for folder in settings.paths.all())
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
    assert settings.paths.secrets.stat().st_mode & 0o777 == 0o700


def test_a_child_process_given_the_environment_has_the_same_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hotline.toml").write_text("http_port = 8100\n")
    settings = Settings(home=tmp_path, trunk_addresses=["127.0.0.7"], trunk_out="gw.example:5070", opens="09:30")
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)
    assert Settings() == settings
    assert json.loads(settings.environment()["HOTLINE_TRUNK_ADDRESSES"]) == ["127.0.0.7"]


def test_settings_cannot_be_changed_once_made(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    with pytest.raises(ValidationError):
        settings.http_port = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"sms_body": "mobile={mobile}"}, "sms_body must be JSON"),
        ({"sms_body": '{"to": "{mobile}"}'}, "{text}"),
        ({"sms_url": "gateway.test/send"}, "http"),
        ({"sms_url": "http://gateway.test:70000/send"}, "sms_url is written"),
        ({"sms_url": "http://gateway.test:eighty/send"}, "sms_url is written"),
        ({"smtp_from": "hotline"}, "smtp_from is an address"),
        ({"smtp_from": "热线 <12345@城市>"}, "smtp_from is an address"),
        ({"smtp_from": "a@city.test\r\nBcc: b@city.test"}, "smtp_from is an address"),
        ({"smtp_user": "hotline"}, "smtp_password_file"),
        ({"chase_after_days": [2, 2]}, "chase_after_days"),
        ({"chase_after_days": [0, 2, 3]}, "chase_after_days"),
    ],
)
def test_channels_and_pauses_that_could_not_work_are_refused_and_named(
    tmp_path: Path, values: dict[str, object], named: str
) -> None:
    with pytest.raises(ValidationError, match=re.escape(named)):
        Settings(home=tmp_path, **values)  # type: ignore[arg-type]
