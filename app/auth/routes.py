"""REST: sign in and out, who am I, users."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from app.agents.tables import Agent
from app.auth import service
from app.auth.model import Role
from app.auth.sessions import LONGEST
from app.auth.tables import User
from app.clock import iso, to_ms, utc_now
from app.errors import BadInput
from app.http.context import ActorDep, VisitDep, Web, WebDep, address_of, require_own_origin, token_of
from app.http.schema import Answer, Body, Id

router = APIRouter(prefix="/api", tags=["auth"])


class LoginIn(Body):
    """A name and a password."""

    name: str = Field(max_length=100)
    password: str = Field(max_length=200)


class PasswordIn(Body):
    """The old password and a new one."""

    old: str = Field(max_length=200)
    new: str = Field(max_length=200)


class MeUser(Answer):
    """The signed-in person."""

    id: int
    name: str
    display_name: str
    roles: list[str]
    must_change_password: bool
    permissions: list[str]


class MeAgent(Answer):
    """Their telephone, if they take calls."""

    agent_id: str
    name: str
    endpoint: str
    phone_uri: str


class Me(Answer):
    """Who is signed in; `csrf` goes into X-CSRF-Token of every request that changes something."""

    user: MeUser
    agent: MeAgent | None
    csrf: str
    server_ms: int


class UserIn(Body):
    """A new person."""

    name: str = Field(max_length=64)
    display_name: str = Field(default="", max_length=64)
    roles: list[Role] = Field(max_length=12)


class UserPatch(Body):
    """What is to change."""

    active: bool | None = None
    roles: list[Role] | None = Field(default=None, max_length=12)
    display_name: str | None = Field(default=None, max_length=64)


class UserOut(Answer):
    """A person."""

    id: int
    name: str
    display_name: str
    roles: list[str]
    active: bool
    must_change_password: bool
    last_login_at: str | None
    agent_id: str | None


class OneTime(BaseModel):
    """A password to be told once."""

    one_time_password: str


class NewUserOut(UserOut):
    """A new person with the password to be told once."""

    one_time_password: str | None


@router.post("/login", operation_id="login")
def login(body: LoginIn, request: Request, response: Response, web: WebDep) -> Me:
    """Sign in; sets the session cookie."""
    require_own_origin(request)
    agent = request.headers.get("user-agent", "")
    made = service.login(web.db, body.name, body.password, address_of(request), user_agent=agent)
    response.set_cookie(
        service.COOKIE,
        made.token,
        max_age=int(LONGEST.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
        path="/",
    )
    return _me(web, service.Visit(made.actor, made.csrf), request)


@router.post("/logout", operation_id="logout", status_code=204)
def logout(request: Request, response: Response, visit: VisitDep, web: WebDep) -> None:
    """End this session."""
    service.logout(web.db, token_of(request), visit.actor)
    response.delete_cookie(service.COOKIE, path="/")


@router.get("/me", operation_id="me")
def me(request: Request, visit: VisitDep, web: WebDep) -> Me:
    """Who is signed in."""
    return _me(web, visit, request)


@router.post("/me/password", operation_id="change_password", status_code=204)
def change_password(body: PasswordIn, request: Request, visit: VisitDep, web: WebDep) -> None:
    """Change one's own password."""
    service.change_password(web.db, visit.actor, body.old, body.new, token=token_of(request))


@router.get("/users", operation_id="list_users")
def list_users(actor: ActorDep, web: WebDep) -> list[UserOut]:
    """Everybody who may sign in."""
    with web.db.read() as session:
        return [UserOut(**_user(user)) for user in service.list_users(session, actor)]


@router.post("/users", operation_id="create_user", status_code=201)
def create_user(body: UserIn, actor: ActorDep, web: WebDep) -> NewUserOut:
    """Add a person; the answer holds their one-time password."""
    user, password = service.create_user(
        web.db, body.name, display_name=body.display_name, roles=body.roles, actor=actor
    )
    return NewUserOut(**_user(user), one_time_password=password)


@router.patch("/users/{user_id}", operation_id="change_user")
def change_user(user_id: Id, body: UserPatch, actor: ActorDep, web: WebDep) -> UserOut:
    """Change a person's roles or name, or close their account."""
    if body.active is False and user_id == actor.user_id:
        raise BadInput(fields={"active": "不能停用自己的账号 (not one's own account)"})
    user = service.change_user(
        web.db, actor, user_id, active=body.active, roles=body.roles, display_name=body.display_name
    )
    return UserOut(**_user(user))


@router.post("/users/{user_id}/reset-password", operation_id="reset_password")
def reset_password(user_id: Id, actor: ActorDep, web: WebDep) -> OneTime:
    """A new one-time password for somebody."""
    return OneTime(one_time_password=service.reset_password(web.db, actor, user_id))


def _user(user: User) -> dict[str, Any]:
    return {
        "id": user.id,
        "name": user.name,
        "display_name": user.display_name,
        "roles": list(user.roles),
        "active": user.active,
        "must_change_password": user.must_change_password,
        "last_login_at": iso(user.last_login_at),
        "agent_id": user.agent_id,
    }


def _me(web: Web, visit: service.Visit, request: Request) -> Me:
    actor = visit.actor
    agent = None
    if actor.agent_id is not None:
        with web.db.read() as session:
            row = session.get(Agent, actor.agent_id)
        if row is not None and row.active:
            host = f"{web.settings.sip_host}:{web.settings.sip_port}"
            agent = MeAgent(
                agent_id=row.agent_id, name=row.name, endpoint=row.endpoint, phone_uri=f"sip:{row.endpoint}@{host}"
            )
    return Me(
        user=MeUser(
            id=actor.user_id or 0,
            name=actor.name,
            display_name=actor.display_name,
            roles=sorted(role.value for role in actor.roles),
            must_change_password=actor.must_change_password,
            permissions=sorted(permission.value for permission in actor.permissions),
        ),
        agent=agent,
        csrf=visit.csrf,
        server_ms=to_ms(utc_now()),
    )
