"""REST: cases are typed, registered and found again; what cannot be is told by field."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient

from app.actor import Actor
from app.auth.model import Role
from app.db import Database
from app.settings import Settings
from app.web import create_app
from tests.integration.web_browser import Browser, draft_for

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
People = Callable[..., Actor]


def test_a_draft_is_typed_registered_and_read_again(browser: Callable[..., Browser], db: Database):
    agent = browser(agent_id="1001")
    draft = draft_for(db, "1001")
    path = f"/api/cases/{draft['case_id']}"
    saved = agent.send("PATCH", path, json={"version": 1, "fields": {"content": "人民路路灯不亮"}})
    assert (saved.status_code, saved.json()["version"]) == (200, 2)
    missing = agent.send("POST", f"{path}/register", json={"version": 2, "fields": {}})
    assert (missing.status_code, set(missing.json()["error"]["fields"])) == (422, {"type"})
    for _ in range(2):  # a double click
        done = agent.send("POST", f"{path}/register", json={"version": 2, "fields": {"type": "complaint"}})
        assert (done.status_code, done.json()["state"], done.json()["version"]) == (200, "registered", 3)
    full = agent.get(path).json()
    assert (full["fields"]["title"], full["call"]["call_id"], full["citizen"]["numbers"]) == (
        "人民路路灯不亮",
        "h-1.1",
        ["13800138000"],
    )
    events = agent.get(f"{path}/events").json()
    assert [event["event"] for event in events] == ["opened", "edited", "registered"]


def test_an_old_version_is_answered_with_what_is_stored(browser: Callable[..., Browser], db: Database):
    agent, chief = browser(agent_id="1001"), browser(Role.supervisor)
    path = f"/api/cases/{draft_for(db, '1001')['case_id']}"
    chief.send("PATCH", path, json={"version": 1, "fields": {"content": "newer"}})
    answer = agent.send("PATCH", path, json={"version": 1, "fields": {"content": "mine"}})
    body = answer.json()
    assert (answer.status_code, body["error"]["code"]) == (409, "version_conflict")
    assert (body["current"]["version"], body["current"]["fields"]["content"]) == (2, "newer")
    assert body["changed_by"]


def test_bad_input_names_the_field_and_never_repeats_what_was_sent(browser: Callable[..., Browser], db: Database):
    agent = browser(agent_id="1001")
    path = f"/api/cases/{draft_for(db, '1001')['case_id']}"
    for body in (
        {"version": 1, "fields": {"secretfield": "13911112222"}},
        {"version": "13911112222x", "fields": {}},
        {"version": 1, "fields": {"title": ["13911112222"]}},
    ):
        answer = agent.send("PATCH", path, json=body)
        assert answer.status_code == 422
        assert answer.json()["error"]["fields"]
        assert "13911112222" not in answer.text


def test_a_case_opened_by_hand_with_one_key_is_one_case(browser: Callable[..., Browser]):
    agent = browser(agent_id="1001")
    ids = {
        agent.send("POST", "/api/cases", json={"fields": {"content": "x"}}, headers={"Idempotency-Key": "k"}).json()[
            "id"
        ]
        for _ in range(3)
    }
    assert len(ids) == 1


@pytest.mark.parametrize("case_id", ["0", "-1", "99999999999999999999", "abc", "1%00"])
def test_impossible_ids_are_bad_input_not_a_crash(browser: Callable[..., Browser], case_id: str):
    assert browser(Role.supervisor).get(f"/api/cases/{case_id}").status_code in (404, 422)


def test_a_busy_database_is_told_with_a_time_to_come_back(settings: Settings, db: Database, person: People):
    impatient = Database(db.url.render_as_string(hide_password=False), wait_s=0.3)
    app = create_app(settings, impatient, phones_changed=lambda: None)
    one = Browser(TestClient(app, base_url="http://hotline.test"))
    agent = person(agent_id="1001")
    one.sign_in(agent.name)
    draft = draft_for(db, "1001")
    with db.session() as session:
        session.connection().exec_driver_sql("UPDATE case_file SET updated_at = updated_at")
        answer = one.send("PATCH", f"/api/cases/{draft['case_id']}", json={"version": 1, "fields": {"title": "x"}})
    impatient.dispose()
    assert (answer.status_code, answer.json()["error"]["code"], answer.headers["retry-after"]) == (503, "busy", "2")
