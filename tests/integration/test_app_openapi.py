"""The OpenAPI document: a client generator can read it, and the application does what it says."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from app.auth.model import Role
from app.auth.service import create_user, login
from app.auth.sessions import COOKIE
from app.calls.model import CallFacts
from app.calls.service import record
from app.db import Database
from app.pop import build_card
from app.settings import Settings
from app.web import create_app
from tests.integration.web_browser import PASSWORD

# What would sign the tester out, lock them out, or write into Asterisk's folders.
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
LEFT_OUT = ["logout", "change_password", "change_user", "reset_password", "login"]


@dataclass
class Api:
    """An application with one of everything and somebody who may do everything."""

    app: FastAPI
    headers: dict[str, str]
    cookies: dict[str, str]


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Api]:
    home = tmp_path_factory.mktemp("openapi")
    shutil.copyfile(sqlite_template, home / "hotline.sqlite3")
    chosen = Settings(home=home, database_url=f"sqlite:///{home}/hotline.sqlite3", min_free_mb=0)
    chosen.ensure_dirs()
    db = Database(chosen.url)
    create_user(db, "tester", roles=[Role.admin, Role.section_head, Role.duty_leader], password=PASSWORD)
    record(db, "h-1.1", number="13800138000", started_at=datetime.now(UTC), agent_id="1001")
    build_card(db, CallFacts("h-1.1", number="13800138000"), "1001")
    app = create_app(chosen, db, phones_changed=lambda: None, explain=lambda *_: [])
    made = login(db, "tester", PASSWORD, "testclient")
    yield Api(app, {"X-CSRF-Token": made.csrf}, {COOKIE: made.token})
    db.dispose()


@pytest.fixture(scope="module")
def document(api: Api) -> dict[str, Any]:
    """The document itself."""
    answer: dict[str, Any] = TestClient(api.app).get("/api/openapi.json").json()
    return answer


@pytest.fixture(scope="module")
def openapi_schema(api: Api) -> Any:
    """The document as schemathesis reads it."""
    return schemathesis.openapi.from_asgi("/api/openapi.json", api.app)


def names_of_operations() -> list[str]:
    """Every operation that is tried, from the application as it is built (no database is opened for that)."""
    with tempfile.TemporaryDirectory() as home:
        chosen = Settings(home=Path(home))
        paths = create_app(chosen, Database(chosen.url)).openapi()["paths"]
    ours = [item for path, item in paths.items() if path.startswith("/api/")]
    names = [operation["operationId"] for item in ours for operation in item.values()]
    return [name for name in names if name not in LEFT_OUT]


@pytest.mark.parametrize("name", names_of_operations())
def test_the_application_does_what_its_document_says(name: str, api: Api, openapi_schema: Any):
    operation = openapi_schema.find_operation_by_id(name)

    @settings(
        max_examples=12,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def tried(case: schemathesis.Case) -> None:
        answer = case.call(headers=api.headers, cookies=api.cookies)
        case.validate_response(answer, checks=CHECKS)

    tried()


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, method, operation) for path, item in document["paths"].items() for method, operation in item.items()]


def test_every_operation_has_a_name_of_its_own_that_a_language_can_use(document: dict[str, Any]):
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(set(names)) == len(names)
    assert all(name.isidentifier() for name in names)


def test_every_operation_says_what_it_answers_and_how_it_fails(document: dict[str, Any]):
    for path, method, operation in operations(document):
        if not path.startswith("/api/"):
            continue
        assert operation["summary"], path
        for status in ("401", "403", "422", "503"):
            shape = operation["responses"][status]["content"]["application/json"]["schema"]
            assert shape == {"$ref": "#/components/schemas/ErrorBody"}, f"{method} {path} {status}"
        good = [answer for status, answer in operation["responses"].items() if status.startswith("2")]
        assert good, path


def test_every_reference_of_the_document_leads_somewhere(document: dict[str, Any]):
    def references(part: Any) -> Iterator[str]:
        if isinstance(part, dict):
            for key, value in part.items():
                if key == "$ref":
                    yield value
                else:
                    yield from references(value)
        elif isinstance(part, list):
            for value in part:
                yield from references(value)

    for reference in references(document):
        place: Any = document
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]
