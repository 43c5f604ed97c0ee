"""REST: lists, their filters and pages, and searches whose words never stand in an address."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.auth.model import Role
from app.calls.service import record
from app.db import Database
from tests.integration.web_browser import Browser, draft_for

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
# Ids of our own making. A call id is Asterisk's name of a channel: it tells of no person, whatever it looks like.
OWN_IDS = {"call_id", "call"}
PERSONAL = ("13800138000", "02155551234", "王小芳", "li.wang")


def test_lists_have_the_agreed_shape(browser: Callable[..., Browser], db: Database):
    chief = browser(Role.supervisor)
    draft_for(db, "1001")
    cases = chief.get("/api/cases?state=draft&source=call&page_size=10&from=2020-01-01&to=2099-01-01").json()
    assert (cases["total"], cases["page"], cases["page_size"]) == (1, 1, 10)
    assert "content" not in cases["items"][0]["fields"]
    calls = chief.send("POST", "/api/calls/search", json={"number": "13800138000"}).json()
    assert calls["items"][0]["case_number"] == cases["items"][0]["number"]
    call = chief.get("/api/calls/h-1.1", headers={"Accept-Language": "en"}).json()
    assert call["explain"] == ["why en"]
    assert call["events"][0]["event"] == "started"
    assert call["recordings"] == []
    assert call["foretold"] is None
    told = {"foretold_at": NOW, "foretold_low_s": 60, "foretold_middle_s": 90, "foretold_high_s": 120}
    record(db, "h-1.1", **told)
    assert chief.get("/api/calls/h-1.1").json()["foretold"] == {"low_s": 60, "high_s": 120, "came_s": None}
    record(db, "h-1.1", answered_at=NOW + timedelta(seconds=75))
    assert chief.get("/api/calls/h-1.1").json()["foretold"]["came_s"] == 75


@pytest.mark.parametrize("what", ["cases", "calls"])
def test_a_search_takes_every_filter_of_its_list_and_the_words_besides(
    browser: Callable[..., Browser], db: Database, what: str
):
    chief = browser(Role.supervisor)
    draft_for(db, "1001")

    def found(**body: Any) -> int:
        answer = chief.send("POST", f"/api/{what}/search", json=body)
        assert answer.status_code == 200, answer.text
        return int(answer.json()["total"])

    assert found() == found(number="138 0013 8000", agent="1001", **{"from": "2026-11-01"}) == 1
    assert found(number="13900139000") == found(agent="1009") == found(to="2020-01-01") == 0
    assert found(page=2, page_size=1) == 1


def test_the_audit_is_searched_by_account(browser: Callable[..., Browser]):
    auditor = browser(Role.auditor)
    account = auditor.get("/api/me").json()["user"]["name"]
    entries = auditor.send("POST", "/api/audit/search", json={"who": account.upper(), "action": "login"}).json()
    assert [entry["actor"] for entry in entries["items"]] == [account]
    assert auditor.send("POST", "/api/audit/search", json={"who": "nobody"}).json()["total"] == 0


@pytest.mark.parametrize(
    "query",
    [
        "page=0",
        "page=999999999",
        "page_size=0",
        "page_size=101",
        "from=yesterday",
        "state=murdered",
        "page=a",
        "agent=x",
    ],
)
def test_impossible_queries_are_bad_input(browser: Callable[..., Browser], query: str):
    assert browser(Role.supervisor).get(f"/api/cases?{query}").status_code == 422


@pytest.mark.parametrize("path", ["/api/calls", "/api/cases"])
@pytest.mark.parametrize("query", ["number=13800138000", "q=%E7%8E%8B"])
def test_a_number_or_a_name_in_an_address_is_refused_rather_than_ignored(
    browser: Callable[..., Browser], path: str, query: str
):
    assert browser(Role.supervisor).get(f"{path}?{query}").status_code == 422


@pytest.mark.parametrize(
    "sought", [{"q": "\0"}, {"from": "0001-01-01", "to": "9999-12-31"}, {"number": "';--"}, {"q": "%_"}]
)
def test_odd_searches_are_answered(browser: Callable[..., Browser], sought: dict[str, str]):
    one = browser(Role.supervisor)
    for path in ("/api/cases", "/api/calls"):
        assert one.send("POST", f"{path}/search", json=sought).status_code == 200
    surrogate = one.send(
        "POST", "/api/calls/search", content=b'{"q": "\\ud800"}', headers={"Content-Type": "application/json"}
    )
    assert surrogate.status_code in (200, 422)


def test_no_address_of_the_interface_has_a_place_for_a_number_or_a_name(client: TestClient):
    """Every parameter of a path or a query is of a kind that a telephone number or a name can't take."""
    document = client.get("/api/openapi.json").json()
    seen = 0
    for path, operations in document["paths"].items():
        for operation in operations.values():
            for parameter in operation.get("parameters", []):
                if parameter["in"] not in ("path", "query") or parameter["name"] in OWN_IDS:
                    continue
                seen += 1
                assert not _takes_personal_data(parameter["schema"]), f"{path}: {parameter['name']}"
    assert seen > 40


def _takes_personal_data(schema: dict[str, Any]) -> bool:
    if "anyOf" in schema:
        return any(_takes_personal_data(one) for one in schema["anyOf"])
    if "$ref" in schema or "enum" in schema or "const" in schema or schema.get("format") in ("date", "date-time"):
        return False  # the document's references in parameters are enumerations
    if schema["type"] in ("integer", "number"):
        return int(schema.get("maximum", 10**20)) >= 10**10  # a mobile number has eleven digits
    if schema["type"] == "string":
        pattern = schema.get("pattern")
        return pattern is None or any(re.search(pattern, one) for one in PERSONAL)
    return bool(schema["type"] not in ("boolean", "null"))


@pytest.mark.parametrize(
    ("schema", "takes"),
    [
        ({"type": "string"}, True),
        ({"type": "string", "const": "any"}, False),
        ({"type": "string", "pattern": "^[0-9]{0,11}$"}, True),
        ({"type": "string", "pattern": "^[0-9]{0,8}$"}, False),
        ({"type": "integer"}, True),
        ({"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]}, False),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, True),
    ],
)
def test_the_look_at_parameters_itself_tells_free_text_from_ids(schema: dict[str, Any], takes: bool):
    assert _takes_personal_data(schema) is takes
