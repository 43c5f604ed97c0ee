"""Do the parts of a running instance work? Asked from outside, as a caller or a browser would meet them."""

from __future__ import annotations

import json
import socket
import time
import urllib.error
import urllib.request
from typing import Any

from app.settings import Settings
from app.supervisor.model import Timing
from app.supervisor.plan import manager_answers


def waits_for(settings: Settings) -> list[str]:
    """What does not work yet, in words; [] once a citizen could call and an agent sign in."""
    missing = []
    if not manager_answers(settings.ami_host, settings.ami_port, timeout=1.0):
        missing.append("Asterisk does not answer")
    if not beats(settings, "voice"):
        missing.append("the voice scripts do not answer")
    health = healthz(settings) if settings.core else {"status": "ok"}
    if not health:
        missing.append("the pages do not answer")
    else:
        missing += [f"the backend says: {part}" for part in unwell(health)]
    return missing


def unwell(health: dict[str, Any]) -> list[str]:
    """The parts that the backend itself calls unwell, with what it says of them; a core that stands by is well."""
    if health.get("status") in ("ok", "standby"):
        return []
    parts = health.get("parts", {})
    found = [f"{name}: {_words(state)}" for name, state in parts.items() if not _is_well(state)]
    return found or [f"status {health.get('status')}"]


def _words(state: object) -> str:
    if isinstance(state, dict):
        return str(state.get("detail") or state.get("error") or state.get("status") or state)
    return str(state)


def beats(settings: Settings, name: str) -> bool:
    """True if the process has shown a sign of life lately; asking its door instead would count as a call there."""
    try:
        age = time.time() - (settings.paths.run / f"{name}.beat").stat().st_mtime
    except OSError:
        return False
    return age < Timing().beat_stale


def accepts(host: str, port: int, timeout: float = 1.0) -> bool:
    """True if somebody accepts connections there."""
    try:
        with socket.create_connection((host, port), timeout=timeout):
            return True
    except OSError:
        return False


def healthz(settings: Settings, timeout: float = 2.0) -> dict[str, Any]:
    """What the backend says about itself; {} if it says nothing."""
    url = f"http://{settings.http_host}:{settings.http_port}/healthz"
    try:
        with urllib.request.urlopen(url, timeout=timeout) as answer:
            found = json.load(answer)
    except urllib.error.HTTPError as error:  # 503 with the same body when a part is unwell
        try:
            found = json.load(error)
        except ValueError:
            return {}
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _is_well(state: object) -> bool:
    if isinstance(state, dict):
        return state.get("status", "ok") == "ok" and state.get("ok", True) is True
    return state in ("ok", True)
