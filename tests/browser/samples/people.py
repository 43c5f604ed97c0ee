"""Who is signed in, agent 1001 on the wallboard's terms, and a telephone account."""

from __future__ import annotations

from typing import Any

from tests.browser.samples.office import lists

Json = dict[str, Any]


PERMISSIONS = [
    "agents.control",
    "announcements.write",
    "audit.read",
    "callbacks.handle",
    "calendar.write",
    "calls.handle",
    "calls.read",
    "cases.follow_up",
    "cases.read",
    "cases.write",
    "citizens.read",
    "clocks.write",
    "knowledge.internal",
    "knowledge.read",
    "knowledge.review",
    "knowledge.use",
    "knowledge.write",
    "messages.read",
    "nuisance.write",
    "personal.read",
    "recordings.listen",
    "rules.read",
    "users.manage",
    "wallboard.read",
]

SIP: Json = {
    "username": "1002",
    "password": "p-8fk2-qq91-zm",
    "server": "127.0.0.1",
    "port": 5060,
    "transport": "udp",
    "tls_port": 5061,
    "wss_url": "wss://127.0.0.1:8089/ws",
}


def me(name: str, must_change: bool, now: int) -> Json:
    """Who is signed in; "boss" has no staff number."""
    agent = {"agent_id": "1001", "name": "王小丽", "endpoint": "1001"} if name != "boss" else None
    user = {
        "id": 7,
        "name": name,
        "display_name": "王小丽" if agent else "李班长",
        "roles": ["agent", "admin"] if agent else ["supervisor", "admin"],
        "permissions": PERMISSIONS,
        "must_change_password": must_change,
    }
    return {"user": user, "agent": agent, "csrf": "csrf-1", "server_ms": now}


def agent_view() -> Json:
    """Agent 1001, off shift, phone connected."""
    return {
        "agent_id": "1001",
        "name": "王小丽",
        "state": "signed_out",
        "since_ms": None,
        "reason": "",
        "not_ready_reason": "",
        "unreachable": False,
        "in_use": False,
        "busy_outside": False,
        "endpoint": "1001",
        "phone_registered": True,
        "until_ms": None,
        "wrapup_until_ms": None,
        "next_state": None,
        "next_reason": "",
        "set_by": "",
        "call_id": None,
        "overseeing": None,
    }


def new_agent(body: Json) -> Json:
    """The agent that the page asked for."""
    agent = lists()["agents"][0]
    return {**agent, "agent_id": body.get("agent_id") or "1002", "name": body["name"], "skills": body["skills"]}
