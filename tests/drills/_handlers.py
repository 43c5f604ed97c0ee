"""People of units who all save at once, and what they were told is kept."""

from __future__ import annotations

import hashlib
import random
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from app.actor import Actor
from app.auth.sessions import COOKIE
from app.auth.tables import UserSession
from app.db import Database

CSRF = "x"
ANSWER_S = 20.0


@dataclass
class Ledger:
    """What the backend has acknowledged: by assignment, each version of the reply with its text; and every act."""

    saved: dict[tuple[int, int], str] = field(default_factory=dict)
    twice: list[tuple[int, int]] = field(default_factory=list)
    acts: list[tuple[int, str, int]] = field(default_factory=list)  # assignment, act, version that was acted on
    refused: int = 0
    broken: int = 0  # the backend was away
    faults: list[str] = field(default_factory=list)  # 5xx, and what nobody expects
    took: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def save(self, work_id: int, version: int, text: str) -> None:
        """The backend said that this is kept."""
        with self.lock:
            if (work_id, version) in self.saved:
                self.twice.append((work_id, version))
            self.saved[work_id, version] = text

    def act(self, work_id: int, act: str, version: int) -> None:
        """The backend said that this was done."""
        with self.lock:
            self.acts.append((work_id, act, version))


def open_session(database: Database, actor: Actor) -> str:
    """A session of this person's as a sign-in leaves it; its token."""
    token, now = secrets.token_urlsafe(32), datetime.now(UTC)
    with database.session() as session:
        session.add(
            UserSession(
                token_hash=hashlib.sha256(token.encode()).hexdigest(),
                user_id=actor.user_id or 0,
                csrf=CSRF,
                created_at=now,
                seen_at=now,
                expires_at=now + timedelta(hours=10),
                address="127.0.0.1",
            )
        )
    return token


class Handler(threading.Thread):
    """Opens one of their assignments, writes some more, saves, now and then hands it in; until told to stop."""

    def __init__(
        self, base: str, token: str, works: list[int], ledger: Ledger, going: Callable[[], bool], seed: int
    ) -> None:
        super().__init__(name=f"handler-{seed}", daemon=True)
        self.works, self.ledger, self.going, self.random = works, ledger, going, random.Random(seed)
        self.seed = seed
        cookies, headers = {COOKIE: token}, {"X-CSRF-Token": CSRF}
        self.client = httpx.Client(base_url=base, cookies=cookies, headers=headers, timeout=ANSWER_S)

    def run(self) -> None:
        """One turn after the other, with breath between them."""
        turn = 0
        while self.going():
            turn += 1
            try:
                self.turn(turn)
            except httpx.TransportError:
                with self.ledger.lock:
                    self.ledger.broken += 1
                time.sleep(0.2)
            time.sleep(self.random.uniform(0.1, 0.4))
        self.client.close()

    def turn(self, turn: int) -> None:
        """One page that is opened, and what is done on it."""
        work_id = self.random.choice(self.works)
        seen = self.ask("GET", f"/api/assignments/{work_id}")
        if seen is None:
            return
        acts = seen["acts"]
        if "signed" in acts:
            self.act(work_id, "sign", "signed", {"version": seen["version"]}, seen["version"])
        elif "reworked" in acts:
            self.act(work_id, "rework", "reworked", {"version": seen["version"], "reason": "再补充"}, seen["version"])
        elif "submitted" in acts:
            reply = seen["replies"][-1] if seen["replies"] else {"version": 0}
            text = f"{self.name} {turn} {secrets.token_hex(8)}"
            if self.random.random() < 0.15:
                self.hand_in(work_id, seen, reply["version"], text)
            else:
                body = {"version": reply["version"], "fields": {"result": text}}
                saved = self.ask("PUT", f"/api/assignments/{work_id}/reply", body)
                if saved is not None:
                    self.ledger.save(work_id, saved["version"], text)

    def hand_in(self, work_id: int, seen: dict[str, Any], reply_version: int, text: str) -> None:
        """The whole reply, to the unit's leader."""
        fields = {
            "result": text,
            "answers": {item["id"]: "已经办理完毕" for item in seen["items"]},
            "contact": "none",
            "opinion_why": "市民电话无人接听",
            "signed_name": self.name,
        }
        body = {"version": seen["version"], "reply_version": reply_version, "fields": fields}
        if self.act(work_id, "submit", "submitted", body, seen["version"]):
            self.ledger.save(work_id, reply_version + 1, text)

    def act(self, work_id: int, path: str, act: str, body: dict[str, Any], version: int) -> bool:
        """One act; whether it was done."""
        done = self.ask("POST", f"/api/assignments/{work_id}/{path}", body) is not None
        if done:
            self.ledger.act(work_id, act, version)
        return done

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """What the backend answers; None if it refuses, as it may when somebody else was quicker."""
        began = time.monotonic()
        answer = self.client.request(method, path, json=body)
        with self.ledger.lock:
            self.ledger.took.append(time.monotonic() - began)
            if answer.status_code in (403, 409):
                self.ledger.refused += 1
            elif answer.status_code != 200:
                self.ledger.faults.append(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
        return answer.json() if answer.status_code == 200 else None
