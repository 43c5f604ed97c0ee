"""Signing in: passwords, sessions, limits, the first administrator."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select

from app.actor import Actor
from app.audit.model import Action
from app.audit.tables import AuditEntry
from app.auth import sessions
from app.auth.model import Role
from app.auth.service import (
    change_password,
    change_user,
    create_user,
    ensure_first_admin,
    login,
    logout,
    reset_password,
    session_user,
)
from app.auth.tables import User, UserSession
from app.db import Database
from app.errors import BadCredentials, BadInput, Conflict, Forbidden, Refused, TooMany
from app.settings import Settings
from tests.integration.web_browser import PASSWORD

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
People = Callable[..., Actor]


def actions(db: Database) -> list[str]:
    with db.read() as session:
        return [entry.action for entry in session.exec(select(AuditEntry).order_by(AuditEntry.id)).all()]


def test_the_right_password_opens_a_session_that_names_its_user(db: Database, person: People):
    alice = person(Role.supervisor, name="alice")
    made = login(db, "Alice", PASSWORD, "10.0.0.1", now=NOW)
    actor = session_user(db, made.token, now=NOW)
    assert actor is not None
    assert (actor.user_id, actor.roles, actor.name) == (alice.user_id, {Role.supervisor}, "alice")
    assert actions(db)[-1] == Action.login


def test_the_token_itself_is_not_in_the_database(db: Database, person: People):
    person(Role.supervisor, name="alice")
    made = login(db, "alice", PASSWORD, "10.0.0.1")
    with db.read() as session:
        assert made.token not in session.exec(select(UserSession)).one().token_hash


@pytest.mark.parametrize(
    ("name", "password"), [("alice", "wrong"), ("nobody", PASSWORD), ("", ""), ("a\0b", "x" * 999)]
)
def test_a_wrong_name_and_a_wrong_password_are_answered_alike(db: Database, person: People, name: str, password: str):
    person(Role.supervisor, name="alice")
    with pytest.raises(BadCredentials) as caught:
        login(db, name, password, "10.0.0.1")
    assert caught.value.message_en == BadCredentials.default_en
    assert actions(db)[-1] == Action.login_failed


def test_five_failures_from_one_place_close_the_door_for_a_quarter_of_an_hour(db: Database, person: People):
    person(Role.supervisor, name="alice")
    for second in range(5):
        with pytest.raises(BadCredentials):
            login(db, "alice", "wrong", "10.0.0.1", now=NOW + timedelta(seconds=second))
    with pytest.raises(TooMany) as caught:
        login(db, "alice", PASSWORD, "10.0.0.1", now=NOW + timedelta(seconds=10))
    assert 880 <= (caught.value.retry_after or 0) <= 900
    assert actions(db)[-1] == Action.login_refused
    assert login(db, "alice", PASSWORD, "10.0.0.2", now=NOW + timedelta(seconds=10)).token
    assert login(db, "alice", PASSWORD, "10.0.0.1", now=NOW + timedelta(minutes=16)).token


def test_the_limit_survives_a_restart(db: Database, person: People):
    person(Role.supervisor, name="alice")
    for _ in range(5):
        with pytest.raises(BadCredentials):
            login(db, "alice", "wrong", "10.0.0.1")
    fresh = Database(db.url.render_as_string(hide_password=False))
    with pytest.raises(TooMany):
        login(fresh, "alice", PASSWORD, "10.0.0.1")
    fresh.dispose()


def test_guessing_many_names_from_one_place_is_stopped_too(db: Database, person: People):
    for n in range(60):
        with pytest.raises(BadCredentials):
            login(db, f"name{n}", "wrong", "10.0.0.9", now=NOW)
    with pytest.raises(TooMany):
        login(db, "another", "wrong", "10.0.0.9", now=NOW)


def test_somebody_who_signs_in_often_is_not_limited(db: Database, person: People):
    person(Role.supervisor, name="alice")
    for _ in range(8):
        assert login(db, "alice", PASSWORD, "10.0.0.1", now=NOW).token


def test_sessions_end_by_idling_by_age_and_by_signing_out(db: Database, person: People):
    person(Role.supervisor, name="alice")
    made = login(db, "alice", PASSWORD, "10.0.0.1", now=NOW)
    assert session_user(db, made.token, now=NOW + sessions.IDLE) is None
    for hours in (4, 8, 12, 16, 20):
        assert session_user(db, made.token, now=NOW + timedelta(hours=hours)) is not None
    assert session_user(db, made.token, now=NOW + timedelta(hours=24)) is None
    other = login(db, "alice", PASSWORD, "10.0.0.1", now=NOW)
    logout(db, other.token, other.actor)
    assert session_user(db, other.token, now=NOW) is None
    assert session_user(db, "", now=NOW) is None
    assert session_user(db, "x" * 5000, now=NOW) is None


def test_closing_an_account_ends_its_sessions(db: Database, person: People):
    admin, alice = person(Role.admin), person(Role.supervisor, name="alice")
    made = login(db, "alice", PASSWORD, "10.0.0.1")
    change_user(db, admin, alice.user_id or 0, active=False)
    assert session_user(db, made.token) is None
    with pytest.raises(BadCredentials):
        login(db, "alice", PASSWORD, "10.0.0.1")


def test_the_first_administrator_must_change_the_one_time_password(db: Database, settings: Settings):
    name, password = ensure_first_admin(db, settings)
    assert password is not None
    assert ensure_first_admin(db, settings) == (name, password)
    actor = login(db, name, password, "127.0.0.1").actor
    assert actor.must_change_password
    change_password(db, actor, password, "Neue-Worte-2026")
    assert ensure_first_admin(db, settings) == (name, None)
    assert not (settings.paths.secrets / "admin_password").exists()
    assert not login(db, name, "Neue-Worte-2026", "127.0.0.1").actor.must_change_password


@pytest.mark.parametrize("weak", ["short", "aaaaaaaaaaaa", "1234567890", "alice-alice-1", "x" * 200, "tab\tin-between"])
def test_weak_passwords_are_refused_with_the_field(db: Database, person: People, weak: str):
    alice = person(Role.supervisor, name="alice")
    with pytest.raises(BadInput) as caught:
        change_password(db, alice, PASSWORD, weak)
    assert "new" in caught.value.fields


def test_changing_the_password_needs_the_old_one_and_ends_other_sessions(db: Database, person: People):
    alice = person(Role.supervisor, name="alice")
    here, there = (login(db, "alice", PASSWORD, "10.0.0.1") for _ in range(2))
    with pytest.raises(BadInput) as caught:
        change_password(db, alice, "not-it", "Andere-Worte-1")
    assert "old" in caught.value.fields
    change_password(db, alice, PASSWORD, "Andere-Worte-1", token=here.token)
    assert session_user(db, here.token) is not None
    assert session_user(db, there.token) is None


def test_a_reset_gives_a_one_time_password(db: Database, person: People):
    admin, alice = person(Role.admin), person(Role.supervisor, name="alice")
    one_time = reset_password(db, admin, alice.user_id or 0)
    assert login(db, "alice", one_time, "10.0.0.1").actor.must_change_password


def test_only_those_who_manage_users_may(db: Database, person: People):
    alice = person(Role.supervisor)
    with pytest.raises(Forbidden):
        create_user(db, "mallory", roles=[Role.admin], actor=alice)
    with pytest.raises(Forbidden):
        reset_password(db, alice, 1)


def test_a_name_is_taken_once_whatever_its_case(db: Database, person: People):
    person(Role.supervisor, name="alice")
    with pytest.raises(Conflict):
        create_user(db, "ALICE", roles=[Role.agent])
    with pytest.raises(BadInput):
        create_user(db, "no spaces", roles=[Role.agent])
    with pytest.raises(BadInput):
        create_user(db, "noroles", roles=[])


def test_the_last_administrator_cannot_be_removed(db: Database, person: People):
    admin = person(Role.admin)
    with pytest.raises(Refused):
        change_user(db, admin, admin.user_id or 0, roles=[Role.agent])
    with db.read() as session:
        assert Role.admin in session.get(User, admin.user_id).roles  # type: ignore[union-attr]
