"""What surrounds every request: health, metrics, security headers, limits, and the pages themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient

from app.actor import Actor
from app.auth.model import Role
from app.db import Database
from app.settings import Settings
from tests.integration.web_browser import Browser

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
People = Callable[..., Actor]


def test_health_names_every_part_and_liveness_needs_no_database(client: TestClient, db: Database):
    assert client.get("/healthz").json() == {
        "status": "ok",
        "parts": {"database": "ok", "disk": "ok", "alarms": "ok", "pages": "ok"},
    }
    assert client.get("/livez").text == "ok"


def test_metrics_are_for_this_machine_and_for_those_who_may(
    browser: Callable[..., Browser], client: TestClient, settings: Settings, db: Database
):
    assert client.get("/metrics").status_code == 403
    assert browser(agent_id="1001").get("/metrics").status_code == 403
    text = browser(Role.auditor).get("/metrics").text
    assert "hotline_http_requests_total" in text
    assert "hotline_spool_files" in text
    local = TestClient(client.app, base_url="http://127.0.0.1", client=("127.0.0.1", 5000))
    assert local.get("/metrics").status_code == 200


def test_every_answer_is_guarded_by_headers(client: TestClient):
    for path in ("/", "/api/me", "/nothing", "/healthz"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert "script-src 'self';" in headers["content-security-policy"] + ";"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert client.get("/api/me").headers["cache-control"] == "no-store"


def test_a_hostile_host_header_does_not_enter_the_policy(client: TestClient):
    policy = client.get("/", headers={"Host": "x; script-src *"}).headers["content-security-policy"]
    assert "script-src *" not in policy


def test_pages_are_served_for_every_address_of_the_application(client: TestClient):
    for path in ("/", "/agent", "/calls/hotline1-1700000000.1", "/cases/1", "/admin/agents", "/login"):
        answer = client.get(path)
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")
        assert "12345" in answer.text
    asset = client.get("/assets/index-abc123.js", headers={"Accept-Encoding": "identity"})
    assert asset.text == "console.log(1)"
    assert (asset.headers["cache-control"], asset.headers["content-type"].split(";")[0]) == (
        "public, max-age=31536000, immutable",
        "text/javascript",
    )
    assert client.get("/assets/gone.js").status_code == 404
    assert client.get("/favicon.svg").headers["content-type"].startswith("image/svg")
    assert client.get("/api/nothing").json()["error"]["code"] == "not_found"


@pytest.mark.parametrize(
    ("takes", "coding", "text"),
    [
        ("gzip, deflate, br;q=0.9", "br", b"packed small"),
        ("gzip", "gzip", b"packed"),
        ("br;q=0, gzip;q=0.000", None, b"console.log(1)"),
        ("", None, b"console.log(1)"),
    ],
)
def test_pages_go_packed_to_those_who_take_them_and_not_at_all_to_those_who_have_them(
    client: TestClient, takes: str, coding: str | None, text: bytes
):
    with client.stream("GET", "/assets/index-abc123.js", headers={"Accept-Encoding": takes}) as answer:
        assert b"".join(answer.iter_raw()) == text
    headers = answer.headers
    assert (headers.get("content-encoding"), headers["vary"]) == (coding, "Accept-Encoding")
    assert headers["content-type"].split(";")[0] == "text/javascript"
    asked = {"Accept-Encoding": takes, "If-None-Match": f'"other", {headers["etag"]}'}
    again = client.get("/assets/index-abc123.js", headers=asked)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["cache-control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("path", ["/../secret.txt", "/%2e%2e/secret.txt", "/assets/..%2f..%2fsecret.txt", "/%00"])
def test_no_address_leads_out_of_the_pages(client: TestClient, path: str):
    assert "secret" not in client.get(path).text


def test_a_body_that_is_too_large_is_refused_with_and_without_a_length(browser: Callable[..., Browser]):
    one = browser(Role.supervisor)
    huge = b'{"name": "' + b"x" * 1_100_000 + b'"}'
    assert one.send("POST", "/api/cases", content=huge).status_code == 413

    def pieces() -> Iterator[bytes]:
        for _ in range(20):
            yield b"x" * 100_000

    headers = {"Content-Type": "application/json"}
    assert one.send("POST", "/api/cases", content=pieces(), headers=headers).status_code == 413
