"""REST: what an office sets up: agents and their telephones, special days, announcements."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from fastapi.testclient import TestClient

from app.actor import Actor
from app.auth.model import Role
from tests.integration.web_browser import Browser

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
People = Callable[..., Actor]


def test_an_agent_is_made_with_a_telephone_and_a_password(browser: Callable[..., Browser], client: TestClient):
    admin = browser(Role.admin)
    made = admin.send("POST", "/api/agents", json={"name": "王芳", "skills": {"zh": 5, "yue": 3}}).json()
    assert (made["agent_id"], made["sip"]["username"], made["skills"]) == ("1001", "1001", {"zh": 5, "yue": 3})
    answer = client.post("/api/login", json={"name": "1001", "password": made["one_time_password"]})
    assert answer.json()["agent"]["agent_id"] == "1001"
    assert admin.get("/api/agents/1001/sip").json()["password"] == made["sip"]["password"]
    assert "password" not in admin.get("/api/agents").text
    audit = admin.get("/api/audit?action=agent.phone_read").json()
    assert audit["items"][0]["object"] == "agent:1001"


def test_an_agent_sees_only_their_own_telephone(browser: Callable[..., Browser]):
    mine = browser(agent_id="1001")
    browser(agent_id="1002")
    assert mine.get("/api/agents/1001/sip").status_code == 200
    assert mine.get("/api/agents/1002/sip").status_code == 403


def test_a_page_gets_the_account_of_its_own_browser_phone_and_of_no_other(browser: Callable[..., Browser]):
    mine, other = browser(agent_id="1001"), browser(agent_id="1002")
    answer = mine.get("/api/agents/me/browser-phone")
    told = answer.json()
    assert (told["username"], told["uri"].split("@")[0]) == ("1001w", "sip:1001w")
    assert told["wss_url"].startswith("wss://")
    assert told["password"] == mine.get("/api/agents/1001/sip").json()["password"]
    assert told["password"] != other.get("/api/agents/me/browser-phone").json()["password"]
    assert told["password"] not in told["wss_url"]
    assert answer.headers["cache-control"] == "no-store"
    assert browser(Role.admin).get("/api/agents/me/browser-phone").status_code == 403


def test_announcements_and_special_days_are_kept(browser: Callable[..., Browser]):
    leader = browser(Role.duty_leader)
    body = {
        "texts": {"zh": "城南停水", "en": "No water in the south"},
        "active_from": "2026-01-01T00:00:00+08:00",
        "active_until": "2199-01-01T00:00:00+08:00",
    }
    made = leader.send("POST", "/api/announcements", json=body)
    assert (made.status_code, made.json()["active"]) == (201, True)
    ended = leader.send("POST", f"/api/announcements/{made.json()['id']}/end").json()
    assert ended["active"] is False
    day = leader.send("PUT", "/api/hours/days/2026-10-01", json={"opens": "09:00", "closes": "17:00"})
    assert (day.status_code, day.json()["kind"], day.json()["note"]) == (200, "holiday", "国庆节")
    days = leader.get("/api/hours?year=2026").json()["days"]
    assert [item["day"] for item in days if item["opens"]] == ["2026-10-01"]
    assert leader.send("DELETE", "/api/hours/days/2026-10-01").status_code == 204
    assert browser(agent_id="1001").send("POST", "/api/announcements", json=body).status_code == 403
