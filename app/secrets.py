"""Secrets: made on first use, one file each, readable by the owner alone; never a default, never in a log."""

from __future__ import annotations

import os
import re
import secrets as _random
from pathlib import Path

from app.settings import Settings

LENGTH = 32


def secret(settings: Settings, name: str) -> str:
    """The secret called `name`: 32 characters of [A-Za-z0-9_-], the same for every process of this instance.

    The first caller makes it; of two at once, one makes it and both get it. Raises ValueError for a name that is no
    plain word, PermissionError if the file is readable by others (it must be taken for known then).
    """
    path = secret_path(settings, name)
    settings.paths.secrets.mkdir(parents=True, exist_ok=True, mode=0o700)
    while True:
        try:
            value = _read(path)
        except FileNotFoundError:
            _make(path)
            continue
        if value:
            return value
        path.unlink(missing_ok=True)


def secret_path(settings: Settings, name: str) -> Path:
    """Where the secret called `name` lies."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,40}", name):
        raise ValueError(f"not a name for a secret: {name!r}")
    return settings.paths.secrets / name


def secret_in(file: Path) -> str:
    """The secret that a file given by the operator holds. Raises FileNotFoundError, PermissionError as `secret`."""
    return _read(file)


def forget(settings: Settings, name: str) -> None:
    """Removes the secret; the next use makes another one."""
    secret_path(settings, name).unlink(missing_ok=True)


def _make(path: Path) -> None:
    """Puts a new secret at `path` in one step (written aside, then linked), unless another process was faster."""
    aside = path.with_name(f".{path.name}.{os.getpid()}.{_random.token_hex(4)}")
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(handle, (_random.token_urlsafe(LENGTH)[:LENGTH] + "\n").encode())
        os.fsync(handle)
        os.link(aside, path)
    except FileExistsError:
        pass
    finally:
        os.close(handle)
        os.unlink(aside)


def _read(path: Path) -> str:
    """The stored value, or "" if someone has emptied the file."""
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        raise PermissionError(f"{path} is readable by others (mode {mode:o}); delete it so that a new one is made")
    return path.read_text().strip()
