"""The demo agents' accounts, made once; their passwords are secrets of the instance."""

from __future__ import annotations

from dataclasses import dataclass

from app.agents.service import create_agent, list_agents
from app.db import Database
from app.phones import publish
from app.secrets import secret
from app.settings import Settings
from tests.demo.people import AGENTS


@dataclass(frozen=True)
class Account:
    """How a demo agent signs in and how the telephone registers."""

    agent_id: str
    password: str
    phone_secret: str


def ensure_agents(settings: Settings) -> list[Account]:
    """The accounts of all demo agents, with those that were missing made and told to Asterisk."""
    database = Database(settings.url)
    try:
        known = {agent.agent_id for agent in list_agents(database)}
        for agent in AGENTS:
            if agent.agent_id not in known:
                create_agent(
                    database,
                    name=agent.name,
                    agent_id=agent.agent_id,
                    skills=agent.skills,
                    password=_password(settings, agent.agent_id),
                )
        publish(settings, database)
        phones = {agent.agent_id: agent.phone_secret for agent in list_agents(database)}
    finally:
        database.dispose()
    return [Account(a.agent_id, _password(settings, a.agent_id), phones[a.agent_id]) for a in AGENTS]


def _password(settings: Settings, agent_id: str) -> str:
    return secret(settings, f"demo_{agent_id}")
