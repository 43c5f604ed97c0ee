"""The core process as benches run it, and the agents it knows."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import secrets
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.agents.tables import Agent
from app.auth.tables import User, UserSession
from app.db import Database
from app.heartbeat import http_answers
from app.settings import REPO, Settings
from asterisk_conf.instance import PhoneAccount


def phone_accounts(count: int) -> list[PhoneAccount]:
    """So many agents' telephones, 1001 and on."""
    return [PhoneAccount(str(1001 + n), f"secret-{1001 + n}-bench", f"坐席{n}", False) for n in range(count)]


def add_agents(
    database: Database, accounts: Sequence[PhoneAccount], levels: Mapping[str, int] | None = None
) -> dict[str, str]:
    """Stores these agents, with an open session for each; staff number → session token. `levels`: how well those speak
    Mandarin who do not speak it best (5)."""
    now = datetime.now(UTC)
    tokens = {account.agent_id: secrets.token_urlsafe(32) for account in accounts}
    with database.session() as session:
        for n, account in enumerate(accounts, start=1000):
            session.add(
                User(id=n, name=account.agent_id, display_name=account.name, password_hash="!", roles=["agent"],
                     agent_id=account.agent_id, must_change_password=False, created_at=now)
            )  # fmt: skip
        session.flush()
        for n, account in enumerate(accounts, start=1000):
            session.add(
                Agent(agent_id=account.agent_id, user_id=n, name=account.name, queues=["general"],
                      skills={"zh": (levels or {}).get(account.agent_id, 5)}, phone_secret=account.secret,
                      endpoint=account.agent_id, created_at=now)
            )  # fmt: skip
            digest = hashlib.sha256(tokens[account.agent_id].encode()).hexdigest()
            session.add(
                UserSession(token_hash=digest, user_id=n, csrf="x", created_at=now, seen_at=now,
                            expires_at=now + timedelta(hours=10), address="127.0.0.1")
            )  # fmt: skip
    return tokens


@contextlib.asynccontextmanager
async def served(settings: Settings, log: Path, roles: str) -> AsyncIterator[int]:
    """A backend with these roles, in a session of its own as the supervisor starts it; its process id."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("HOTLINE_")} | settings.environment()
    out = await asyncio.to_thread(log.open, "a")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "app.backend", roles,
        cwd=REPO, env=env, stdout=out, stderr=out, start_new_session=True,
    )  # fmt: skip
    try:
        async with asyncio.timeout(30):
            while not await http_answers(settings.http_host, settings.http_port):
                if process.returncode is not None:
                    raise RuntimeError(f"the core ended with {process.returncode}, see {log}")
                await asyncio.sleep(0.1)
        yield process.pid
    finally:
        process.terminate()
        await process.wait()
        out.close()
