"""Secrets are made once, kept to their owner, and never taken from a place that others can read."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.secrets import forget, secret, secret_path
from app.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def test_a_secret_is_made_on_first_use_and_stays(settings: Settings) -> None:
    first = secret(settings, "ami")
    assert re.fullmatch(r"[A-Za-z0-9_-]{32}", first)
    assert secret(settings, "ami") == first
    assert secret(settings, "session") != first


def test_only_the_owner_can_read_it(settings: Settings) -> None:
    secret(settings, "ami")
    assert secret_path(settings, "ami").stat().st_mode & 0o777 == 0o600


def test_many_first_users_at_once_get_the_same_secret(settings: Settings) -> None:
    with ThreadPoolExecutor(16) as pool:
        values = set(pool.map(lambda _: secret(settings, "ami"), range(64)))
    assert len(values) == 1
    assert [path.name for path in settings.paths.secrets.iterdir()] == ["ami"]


def test_an_emptied_file_is_replaced(settings: Settings) -> None:
    settings.ensure_dirs()
    path = secret_path(settings, "ami")
    path.touch(mode=0o600)
    assert len(secret(settings, "ami")) == 32


def test_a_secret_that_others_could_read_is_refused_with_the_remedy(settings: Settings) -> None:
    secret(settings, "ami")
    secret_path(settings, "ami").chmod(0o644)
    with pytest.raises(PermissionError, match="delete it"):
        secret(settings, "ami")


def test_a_forgotten_secret_is_made_anew(settings: Settings) -> None:
    first = secret(settings, "admin_password")
    forget(settings, "admin_password")
    forget(settings, "admin_password")
    assert secret(settings, "admin_password") != first


@pytest.mark.parametrize("name", ["../ami", "", "AMI", "a b", "ami\n", "/etc/passwd"])
def test_a_name_that_is_no_plain_word_is_refused(settings: Settings, name: str) -> None:
    with pytest.raises(ValueError, match="not a name"):
        secret(settings, name)
