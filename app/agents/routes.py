"""REST: agents and their telephones."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import Field

from app.agents import service
from app.agents.tables import Agent
from app.http.context import ActorDep, Web, WebDep
from app.http.schema import AgentId, Answer, Body

router = APIRouter(prefix="/api/agents", tags=["agents"])

Level = Annotated[int, Field(ge=1, le=5)]
Word = Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,32}$")]


class AgentIn(Body):
    """A new agent; without `agent_id` the next staff number."""

    agent_id: str | None = Field(default=None, pattern=r"^[1-9][0-9]{2,7}$")
    name: str = Field(min_length=1, max_length=64)
    skills: dict[Word, Level] = Field(default_factory=lambda: dict(service.SKILLS), max_length=50)
    queues: list[Word] = Field(default_factory=lambda: list(service.QUEUES), min_length=1, max_length=50)
    may_dial_out: bool = False
    user_name: str | None = Field(default=None, max_length=64)


class AgentPatch(Body):
    """What is to change."""

    name: str | None = Field(default=None, min_length=1, max_length=64)
    skills: dict[Word, Level] | None = Field(default=None, max_length=50)
    queues: list[Word] | None = Field(default=None, min_length=1, max_length=50)
    may_dial_out: bool | None = None
    active: bool | None = None


class AgentOut(Answer):
    """An agent."""

    agent_id: str
    user_id: int | None
    name: str
    skills: dict[str, int]
    queues: list[str]
    may_dial_out: bool
    endpoint: str
    active: bool
    phone_registered: bool | None = None


class Sip(Answer):
    """What a telephone must be told to register."""

    username: str
    password: str
    server: str
    port: int
    transport: str
    tls_port: int
    ws_url: str
    wss_url: str


class BrowserPhone(Answer):
    """What the page's own telephone registers with."""

    uri: str
    username: str
    password: str
    wss_url: str


class NewAgentOut(AgentOut):
    """A new agent with what is told once."""

    user_name: str
    one_time_password: str | None
    sip: Sip


@router.get("", operation_id="list_agents")
def list_agents(actor: ActorDep, web: WebDep) -> list[AgentOut]:
    """Every agent; for administrators and whoever sees the wallboard."""
    from app.auth.model import Permission

    if not actor.may(Permission.users_manage):
        actor.require(Permission.wallboard_read)
    return [AgentOut(**_agent(web, agent)) for agent in service.list_agents(web.db, inactive=True)]


@router.post("", operation_id="create_agent", status_code=201)
def create_agent(body: AgentIn, request: Request, actor: ActorDep, web: WebDep) -> NewAgentOut:
    """Add an agent with a telephone and a sign-in."""
    made = service.create_agent(
        web.db,
        name=body.name,
        agent_id=body.agent_id,
        skills=body.skills,
        queues=body.queues,
        may_dial_out=body.may_dial_out,
        user_name=body.user_name,
        actor=actor,
    )
    web.phones_changed()
    return NewAgentOut(
        **_agent(web, made.agent),
        user_name=made.user_name,
        one_time_password=made.one_time_password,
        sip=_sip(web, request, made.agent),
    )


@router.patch("/{agent_id}", operation_id="change_agent")
def change_agent(agent_id: AgentId, body: AgentPatch, actor: ActorDep, web: WebDep) -> AgentOut:
    """Change an agent."""
    agent = service.change_agent(web.db, actor, agent_id, **body.model_dump(exclude_unset=True))
    web.phones_changed()
    return AgentOut(**_agent(web, agent))


@router.get("/me/browser-phone", operation_id="my_browser_phone")
def my_browser_phone(request: Request, actor: ActorDep, web: WebDep) -> BrowserPhone:
    """The asker's own browser phone; nobody else's can be asked for here."""
    agent = service.own_phone(web.db, actor)
    name = f"{agent.agent_id}w"
    sip = _sip(web, request, agent)
    return BrowserPhone(uri=f"sip:{name}@{sip.server}", username=name, password=sip.password, wss_url=sip.wss_url)


@router.get("/{agent_id}/sip", operation_id="agent_sip")
def agent_sip(agent_id: AgentId, request: Request, actor: ActorDep, web: WebDep) -> Sip:
    """What this agent's telephone must be told: for themselves and for administrators, who are audited."""
    return _sip(web, request, service.phone_account(web.db, actor, agent_id))


def _agent(web: Web, agent: Agent) -> dict[str, Any]:
    return {
        "agent_id": agent.agent_id,
        "user_id": agent.user_id,
        "name": agent.name,
        "skills": dict(agent.skills),
        "queues": list(agent.queues),
        "may_dial_out": agent.may_dial_out,
        "endpoint": agent.endpoint,
        "active": agent.active,
        "phone_registered": _registered(web, agent.agent_id),
    }


def _registered(web: Web, agent_id: str) -> bool | None:
    """Whether the telephone is known to Asterisk; None when nobody can say."""
    asked: Any = getattr(web.realtime, "phone_registered", None)
    return asked(agent_id) if callable(asked) else None


def _sip(web: Web, request: Request, agent: Agent) -> Sip:
    settings = web.settings
    host = request.url.hostname or settings.sip_host
    return Sip(
        username=agent.agent_id,
        password=agent.phone_secret,
        server=settings.sip_host,
        port=settings.sip_port,
        transport="udp",
        tls_port=settings.sip_tls_port,
        ws_url=f"ws://{host}:{settings.ws_port}/ws",
        wss_url=f"wss://{host}:{settings.wss_port}/ws",
    )
