"""A browser without a screen: it keeps the cookie and sends the CSRF word, as the pages do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fastapi.testclient import TestClient
from httpx import Response

from app.actor import Actor
from app.calls.model import CallFacts
from app.calls.service import record
from app.db import Database
from app.pop import build_card

PASSWORD = "Stiller-Ozean-42"
NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
People = Callable[..., Actor]


@dataclass
class Browser:
    """A signed-in browser: it keeps the cookie and sends the CSRF word."""

    client: TestClient
    csrf: str = ""

    def sign_in(self, name: str) -> Response:
        """Sign in and remember the word."""
        answer = self.client.post("/api/login", json={"name": name, "password": PASSWORD})
        self.csrf = answer.json().get("csrf", "")
        return answer

    def send(self, method: str, path: str, **more: Any) -> Response:
        """An unsafe request as the page makes it."""
        headers = {"X-CSRF-Token": self.csrf, **more.pop("headers", {})}
        return self.client.request(method, path, headers=headers, **more)

    def get(self, path: str, **more: Any) -> Response:
        """A safe request."""
        return self.client.get(path, **more)


SeenBy = Callable[[str], Browser]
"""Opens a browser in which that person of `tests.case_kit.world` has signed in."""


def draft_for(db: Database, agent_id: str, call_id: str = "h-1.1") -> dict[str, Any]:
    record(db, call_id, number="13800138000", started_at=NOW, agent_id=agent_id)
    card = build_card(db, CallFacts(call_id, number="13800138000"), agent_id, now=NOW)
    assert card.draft is not None
    return dict(card.draft)
