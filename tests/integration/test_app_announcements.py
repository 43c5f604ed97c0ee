"""Surge announcements: what callers hear, who may change it, and two people who change one at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from agi_scripts.guarded import MOST_ANNOUNCEMENTS
from app.actor import SYSTEM, Actor
from app.announcements import service as announcements
from app.announcements.model import MOST_HEARD, AnnouncementState, state_of
from app.announcements.tables import Announcement
from app.audit.tables import AuditEntry
from app.auth.model import Role
from app.db import Database
from app.errors import BadInput, Forbidden, Refused, VersionConflict
from app.settings import Settings
from app.voice_services import VoiceServices
from tests.integration.web_browser import Browser

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
People = Callable[..., Actor]


def announced(db: Database, text: str = "城南停水", actor: Actor = SYSTEM, **more: Any) -> Announcement:
    times = {"active_from": NOW - HOUR, "active_until": NOW + HOUR, **more}
    with db.session() as session:
        return announcements.create(session, actor, {"zh": text}, **times, now=NOW)


def changed(db: Database, actor: Actor, row: Announcement, version: int, text: str, **more: Any) -> Announcement:
    values = {"active_from": row.active_from, "active_until": row.active_until, "priority": row.priority, **more}
    with db.session() as session:
        return announcements.change(session, actor, row.id or 0, version, {"zh": text}, **values, now=NOW)


def test_announcements_are_heard_while_they_are_on_most_urgent_first(db: Database):
    with db.session() as session:
        made = [
            announcements.create(session, SYSTEM, {"zh": text, "en": "e"}, start, end, priority=priority, now=NOW)
            for text, start, end, priority in (
                ("停水", NOW - HOUR, NOW + HOUR, 0),
                ("爆管", NOW - HOUR, NOW + HOUR, 5),
                ("明天", NOW + HOUR, NOW + 2 * HOUR, 9),
            )
        ]
    with db.read() as session:
        heard = announcements.active(session, NOW)
    assert [announcements.text_for(row, "zh") for row in heard] == ["爆管", "停水"]
    assert announcements.text_for(heard[0], "yue") == "爆管"
    assert announcements.text_for(heard[0], "en") == "e"
    with db.session() as session:
        announcements.end(session, SYSTEM, made[1].id or 0, now=NOW)
    with db.read() as session:
        assert len(announcements.active(session, NOW)) == 1


@pytest.mark.parametrize(
    ("texts", "minutes"),
    [({}, 60), ({"en": "only English"}, 60), ({"zh": "x" * 301}, 60), ({"zh": "x"}, -1), ({"zh": "x", "fr": "y"}, 60)],
)
def test_announcements_nobody_could_understand_are_refused(db: Database, texts: dict[str, str], minutes: int):
    with pytest.raises(BadInput), db.session() as session:
        announcements.create(session, SYSTEM, texts, NOW, NOW + timedelta(minutes=minutes), now=NOW)


def test_english_callers_hear_english_or_nothing_and_cantonese_callers_the_same_characters(
    db: Database, settings: Settings
):
    announced(db, "只有中文")
    voice = VoiceServices(settings, db)
    assert [said.text for said in voice.active_announcements(NOW, "yue")] == ["只有中文"]
    assert voice.active_announcements(NOW, "en") == []


def test_pages_and_voice_agree_on_how_many_are_heard(db: Database):
    rows = [announced(db, str(n), priority=n) for n in range(MOST_ANNOUNCEMENTS + 1)]
    assert MOST_HEARD == MOST_ANNOUNCEMENTS
    with db.read() as session:
        assert announcements.heard_now(session, NOW) == [row.id for row in reversed(rows[1:])]


@pytest.mark.parametrize(
    ("begins", "ends", "state"),
    [(-1, 1, "active"), (0, 1, "active"), (1, 2, "coming"), (-2, -1, "past"), (-1, 0, "past"), (1, 0, "past")],
)
def test_the_state_follows_from_the_times(begins: int, ends: int, state: str):
    assert state_of(NOW + begins * HOUR, NOW + ends * HOUR, NOW) is AnnouncementState(state)


def test_the_list_tells_what_is_on_then_what_is_coming_then_what_is_past(db: Database):
    later = announced(db, "later", active_from=NOW + 5 * HOUR, active_until=NOW + 6 * HOUR)
    soon = announced(db, "soon", active_from=NOW + HOUR, active_until=NOW + 2 * HOUR)
    calm, urgent = announced(db, "calm"), announced(db, "urgent", priority=9)
    with db.session() as session:
        announcements.end(session, SYSTEM, calm.id or 0, now=NOW)
    with db.read() as session:
        rows = announcements.list_all(session, SYSTEM, now=NOW)
        assert [row.id for row in rows] == [urgent.id, soon.id, later.id, calm.id]
        for state, expected in (("active", [urgent]), ("coming", [soon, later]), ("past", [calm])):
            found = announcements.list_all(session, SYSTEM, state=state, now=NOW)
            assert [row.id for row in found] == [row.id for row in expected]


def test_who_changed_what_from_what_to_what_is_audited(db: Database, person: People):
    chief, leader = person(Role.supervisor), person(Role.duty_leader)
    row = announced(db, actor=chief)
    changed(db, leader, row, 1, "城南、城北停水", priority=5)
    changed(db, leader, row, 2, "城南、城北停水", priority=5)  # nothing new: no entry
    with db.session() as session:
        for _ in range(2):
            announcements.end(session, chief, row.id or 0, now=NOW)
    with db.read() as session:
        entries = session.exec(select(AuditEntry).where(AuditEntry.action == "announcement.changed")).all()
    assert [entry.user_id for entry in entries] == [chief.user_id, leader.user_id, chief.user_id]
    assert [entry.detail for entry in entries] == [
        {"created": True},
        {
            "fields": {
                "texts": {"from": {"zh": "城南停水"}, "to": {"zh": "城南、城北停水"}},
                "priority": {"from": 0, "to": 5},
            }
        },
        {"ended": True},
    ]


def test_the_second_of_two_editors_is_shown_what_the_first_one_stored(db: Database, person: People):
    chief, leader = person(Role.supervisor), person(Role.duty_leader)
    row = announced(db, actor=chief)
    changed(db, leader, row, 1, "leader's")
    with pytest.raises(VersionConflict) as told:
        changed(db, chief, row, 1, "chief's")
    assert told.value.current["texts"] == {"zh": "leader's"}
    assert told.value.current["version"] == 2
    assert told.value.extra["changed_by"] == told.value.current["updated_by_name"] != ""
    assert changed(db, chief, row, 2, "chief's").version == 3


def test_what_somebody_has_ended_is_not_brought_back_by_an_edit(db: Database, person: People):
    chief = person(Role.supervisor)
    row = announced(db)
    with db.session() as session:
        announcements.end(session, chief, row.id or 0, now=NOW)
    with pytest.raises(VersionConflict):
        changed(db, chief, row, 1, "x", active_until=NOW + HOUR)
    with pytest.raises(Refused):
        changed(db, chief, row, 2, "x", active_until=NOW + HOUR)


@pytest.mark.parametrize("role", [Role.agent, Role.quality, Role.dispatcher, Role.auditor])
def test_others_change_nothing(db: Database, person: People, role: Role):
    actor = person(agent_id="1001") if role is Role.agent else person(role)
    row = announced(db)
    with pytest.raises(Forbidden):
        announced(db, actor=actor)
    with pytest.raises(Forbidden):
        changed(db, actor, row, 1, "x")
    with pytest.raises(Forbidden), db.session() as session:
        announcements.end(session, actor, row.id or 0)


# ---- over REST

WHEN = {"active_from": "2026-01-01T00:00:00+08:00", "active_until": "2199-01-01T00:00:00+08:00"}


def test_an_announcement_is_made_changed_and_ended_over_rest(browser: Callable[..., Browser]):
    leader = browser(Role.duty_leader)
    made = leader.send("POST", "/api/announcements", json={"texts": {"zh": "城南停水", "en": "No water"}, **WHEN})
    assert (made.status_code, made.json()["state"], made.json()["heard"]) == (201, "active", True)
    path = f"/api/announcements/{made.json()['id']}"
    edit = {"texts": {"zh": "城北停水"}, **WHEN, "version": 1}
    assert leader.send("PATCH", path, json=edit).json()["version"] == 2
    stale = leader.send("PATCH", path, json=edit)
    assert (stale.status_code, stale.json()["error"]["code"]) == (409, "version_conflict")
    assert (stale.json()["current"]["texts"], bool(stale.json()["changed_by"])) == ({"zh": "城北停水"}, True)
    assert leader.send("POST", f"{path}/end").json()["state"] == "past"
    assert [row["state"] for row in leader.get("/api/announcements?state=past").json()] == ["past"]
    assert leader.get("/api/announcements?state=active").json() == []
    made_by_agent = browser(agent_id="1001").send("POST", "/api/announcements", json={"texts": {"zh": "x"}, **WHEN})
    assert made_by_agent.status_code == 403


@pytest.mark.parametrize("when", [{"active_from": "1990-01-01T00:00:00Z"}, {"active_until": "2026-01-01T00:00:00"}])
def test_times_that_cannot_be_counted_are_told_by_field(browser: Callable[..., Browser], when: dict[str, str]):
    answer = browser(Role.supervisor).send("POST", "/api/announcements", json={"texts": {"zh": "x"}, **WHEN, **when})
    assert (answer.status_code, set(answer.json()["error"]["fields"])) == (422, set(when))


def test_a_text_is_listened_to_before_anybody_hears_it(browser: Callable[..., Browser], client: Any, tmp_path: Path):
    asked: list[tuple[str, str]] = []

    def speak(text: str, language: str) -> Path:
        asked.append((text, language))
        sound = tmp_path / "spoken.wav"
        sound.write_bytes(b"RIFF....")
        return sound

    web = client.app.state.web
    client.app.state.web = type(web)(**{**vars(web), "speak": speak})
    body = {"language": "yue", "text": "城南停水"}
    heard = browser(Role.supervisor).send("POST", "/api/announcements/spoken", json=body)
    assert (heard.status_code, heard.headers["content-type"], heard.content) == (200, "audio/wav", b"RIFF....")
    assert asked == [("城南停水", "yue")]
    assert browser(agent_id="1001").send("POST", "/api/announcements/spoken", json=body).status_code == 403
    too_long = browser(Role.supervisor).send("POST", "/api/announcements/spoken", json={**body, "text": "x" * 301})
    assert too_long.status_code == 422
