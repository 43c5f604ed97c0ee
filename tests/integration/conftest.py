"""Fixtures of the integration tier: every test that asks for `db` runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from app.actor import Actor
from app.auth import passwords
from app.auth.model import Role
from app.auth.service import create_user
from app.auth.sessions import actor_of
from app.db import Database
from app.migrations.run import upgrade
from app.settings import Settings
from app.web import create_app
from tests.case_kit.chasing import swept
from tests.case_kit.world import World
from tests.integration.in_memory import in_memory
from tests.integration.postgres_server import PostgresServer
from tests.integration.web_browser import PASSWORD, Browser, SeenBy

_serial = itertools.count(1)


@pytest.fixture(scope="session", autouse=True)
def cheap_hashing() -> Iterator[None]:
    """Argon2 as cheap as it gets: hundreds of users are made, and none of their passwords matters."""
    real = passwords._hash
    passwords._hash = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=64, parallelism=1),))
    yield
    passwords._hash = real


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One PostgreSQL server for the session; a missing PostgreSQL is an error that names the remedy."""
    server = PostgresServer(folder=in_memory())
    try:
        server.create("template_hotline")
        upgrade(server.url("template_hotline"))
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    file = tmp_path_factory.mktemp("template") / "hotline.sqlite3"
    upgrade(f"sqlite:///{file}")
    return file


def built(url: str) -> World:
    """The small city in that database, which is a template from now on."""
    db = Database(url)
    city = World(db)
    db.dispose()  # the last one out puts everything into one file, and nobody may look at a template
    return city


@pytest.fixture(scope="session")
def sqlite_city(sqlite_template: Path) -> tuple[Path, World]:
    """The same with the small city in it, and the city."""
    file = sqlite_template.with_name("city.sqlite3")
    shutil.copyfile(sqlite_template, file)
    return file, built(f"sqlite:///{file}")


@pytest.fixture(scope="session")
def postgres_city(postgres_server: PostgresServer) -> tuple[str, World]:
    """The name of a database with the small city in it, and the city."""
    postgres_server.create("template_city", "template_hotline")
    return "template_city", built(postgres_server.url("template_city"))


@pytest.fixture(params=["sqlite", "postgresql"])
def db_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a fresh, migrated database, once on each kind; with the small city in it for who asks for that."""
    with_city = "city" in request.fixturenames
    if request.param == "sqlite":
        file = request.getfixturevalue("sqlite_city")[0] if with_city else request.getfixturevalue("sqlite_template")
        with tempfile.TemporaryDirectory(prefix="hotline-db-", dir=in_memory()) as folder:
            copied = shutil.copyfile(file, Path(folder) / "hotline.sqlite3")
            yield f"sqlite:///{copied}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    template = request.getfixturevalue("postgres_city")[0] if with_city else "template_hotline"
    name = f"test_{next(_serial)}"
    server.create(name, template)
    yield server.url(name)
    server.drop(name)


@pytest.fixture
def db(db_url: str) -> Iterator[Database]:
    """A fresh, migrated database."""
    database = Database(db_url)
    yield database
    database.dispose()


@pytest.fixture
def settings(db_url: str, tmp_path: Path) -> Settings:
    """Settings of an instance in a temporary home on that database."""
    made = Settings(home=tmp_path / "home", database_url=db_url, min_free_mb=0)
    made.ensure_dirs()
    return made


@pytest.fixture
def person(db: Database) -> Callable[..., Actor]:
    """Makes a user with these roles and gives the actor; `agent_id` makes them an agent."""

    def make(*roles: Role, agent_id: str | None = None, name: str | None = None) -> Actor:
        name = name or f"{'-'.join(roles) or 'agent'}-{next(_serial)}".replace("_", "-")
        if agent_id is not None:
            from app.agents.service import create_agent

            create_agent(db, name=f"坐席{agent_id}", agent_id=agent_id, user_name=name, password=PASSWORD)
            from app.agents.service import actor_for

            return actor_for(db, agent_id)
        user, _ = create_user(db, name, roles=roles, password=PASSWORD)
        return actor_of(user)

    return make


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    """What a build leaves."""
    dist = tmp_path / "dist"
    (dist / "assets").mkdir(parents=True)
    (dist / "index.html").write_text("<!doctype html><title>12345</title>")
    (dist / "assets" / "index-abc123.js").write_text("console.log(1)")
    (dist / "assets" / "index-abc123.js.br").write_bytes(b"packed small")
    (dist / "assets" / "index-abc123.js.gz").write_bytes(b"packed")
    (dist / "favicon.svg").write_text("<svg/>")
    (tmp_path / "secret.txt").write_text("secret")
    return dist


@pytest.fixture
def client(settings: Settings, db: Database, pages: Path) -> TestClient:
    """The web application of that instance, asked by somebody who has not signed in."""
    app = create_app(settings, db, phones_changed=lambda: None, explain=lambda call_id, lang: [f"why {lang}"])
    app.state.pages = pages
    return TestClient(app, base_url="http://hotline.test", raise_server_exceptions=False)


@pytest.fixture
def browser(client: TestClient, person: Callable[..., Actor]) -> Callable[..., Browser]:
    """A browser signed in as somebody with these roles."""

    def open_(*roles: Role, agent_id: str | None = None) -> Browser:
        actor = person(*roles, agent_id=agent_id)
        one = Browser(TestClient(client.app, base_url="http://hotline.test", raise_server_exceptions=False))
        assert one.sign_in(actor.name).status_code == 200
        return one

    return open_


@pytest.fixture
def city(request: pytest.FixtureRequest, db: Database) -> World:
    """A small city on this database. It is built once and copied: its people and units take longer than many a test."""
    template: World = request.getfixturevalue("sqlite_city" if db.dialect == "sqlite" else "postgres_city")[1]
    return template.copied_to(db)


@pytest.fixture
def world(city: World) -> World:
    """The city as a test wants it, which may have another one of this name."""
    return city


@pytest.fixture
def time_passes(world: World, settings: Settings) -> Callable[..., int]:
    """Let time pass, then do everything that the worker does about lateness; how much that was."""

    def pass_(**span: float) -> int:
        world.later(**span)
        return swept(world, settings)

    return pass_


@pytest.fixture
def seen_by(client: TestClient, world: World) -> SeenBy:
    """A browser in which that person of the city has signed in, the same one every time."""
    known: dict[str, Browser] = {}

    def open_(who: str) -> Browser:
        if who not in known:
            one = Browser(TestClient(client.app, base_url="http://hotline.test", raise_server_exceptions=False))
            assert one.sign_in(world.people[who].name).status_code == 200
            known[who] = one
        return known[who]

    return open_
