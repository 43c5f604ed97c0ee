"""Surge announcements: what callers hear, who may change it, and two people who change one at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, func
from sqlmodel import select

from agi_scripts.guarded import MOST_ANNOUNCEMENTS
from app.actor import SYSTEM, Actor
from app.announcements import counting
from app.announcements import service as announcements
from app.announcements.model import MOST_HEARD, AnnouncementState, state_of
from app.announcements.tables import Announcement, AnnouncementHour
from app.audit.tables import AuditEntry
from app.auth.model import Role
from app.clock import to_ms
from app.db import Database
from app.errors import BadInput, Forbidden, Refused, VersionConflict
from app.settings import Settings
from app.voice_services import VoiceServices
from cti_bridge.domain import AppDomain
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


# ---- who heard it


def over(
    db: Database, settings: Settings, call: str, note: str, *, outcome: str = "self_service", at: int = 14
) -> None:
    """The end of a call, as the core tells it: begun on the hour, over `at` seconds later."""
    began = to_ms(NOW)
    facts = {"started_at": began, "ended_at": began + at * 1000, "outcome": outcome, "cause": "16", "news": note}
    AppDomain(settings, db).record([(call, facts)])


def told(db: Database, announcement_id: int = counting.TOGETHER) -> dict[str, int]:
    with db.read() as session:
        return counting.sums(session, [announcement_id]).get(announcement_id, counting.Sum()).as_json()


def test_callers_are_counted_once_by_hour_however_often_their_end_is_told(
    db: Database, settings: Settings, browser: Callable[..., Browser]
):
    first, second = (announced(db, text).id or 0 for text in ("停水", "停运"))
    began = to_ms(NOW) + 2_000
    both = f"{first}:5000.{second}:9000>{began}"
    for _ in range(2):  # a fact that was applied when the core died is applied again
        over(db, settings, "h-1.1", both)
        over(db, settings, "h-1.2", both, at=9)
        over(db, settings, "h-1.3", f"{both}>{began + 6_000}", outcome="answered", at=300)
        over(db, settings, "h-1.4", both, at=3)
    AppDomain(settings, db).record_unseen("h-1.4", {"started_at": began, "ended_at": began, "news": both})
    nobody = {"callers": 4, "early": 1, "person": 1}
    assert told(db) == {**nobody, "whole": 3, "satisfied": 2, "alone": 0}
    assert told(db, first) == {**nobody, "whole": 3, "satisfied": 1, "alone": 1}
    assert told(db, second) == {**nobody, "whole": 1, "early": 2, "satisfied": 1, "alone": 0}
    seen = browser(Role.supervisor)
    assert seen.get("/api/announcements").json()[0]["callers"] == told(db, second)
    hours = seen.get(f"/api/announcements/{first}/hours").json()
    assert hours == [{"hour": "2026-11-24T01:00:00.000Z", **told(db, first)}]
    figures = seen.get("/api/staffing/figures?day=2026-11-24").json()
    assert figures["announced"] == told(db)
    assert browser(Role.auditor).get(f"/api/announcements/{first}/hours").status_code in (200, 403)
    assert seen.get("/api/announcements/99999/hours").status_code == 404


def test_a_caller_whose_menu_died_has_not_heard_what_it_would_have_said(db: Database, settings: Settings):
    row, began = announced(db).id or 0, to_ms(NOW)
    facts = {"started_at": began, "joined_at": began + 3_000, "ended_at": began + 90_000, "outcome": "failsafe"}
    AppDomain(settings, db).record([("h-1.1", {**facts, "cause": "16", "news": f"{row}:9000>{began}"})])
    assert told(db, row) == {"callers": 1, "whole": 0, "satisfied": 0, "early": 0, "person": 1, "alone": 0}


def test_what_came_while_nobody_listened_counts_and_what_cannot_be_does_not(db: Database, settings: Settings):
    row = announced(db).id or 0
    began = to_ms(NOW)
    note = f"{row}:5000>{began}"
    facts = {"started_at": began, "ended_at": began + 9_000, "outcome": "self_service", "cause": "16", "news": note}
    for _ in range(2):
        AppDomain(settings, db).record_unseen("h-1.1", facts)
    assert told(db, row)["satisfied"] == 1
    for call, wrong in (
        ("h-1.2", f"99999:5000>{began}"),  # never made
        ("h-1.3", f"{row}:5000>{began - 60_000}"),  # before the call
        ("h-1.4", f"{row}:5000>{began + 60_000}"),  # after it
        ("h-1.5", "'; drop table announcement;--"),
    ):
        over(db, settings, call, wrong)
    assert told(db)["callers"] == 1


def test_pages_read_sums_by_hour_and_never_the_calls(db: Database, settings: Settings):
    row = announced(db).id or 0
    for number in range(30):
        over(db, settings, f"h-1.{number}", f"{row}:5000>{to_ms(NOW)}")
    asked: list[str] = []
    with db.read() as session:
        event.listen(session.get_bind(), "before_cursor_execute", lambda *given: asked.append(given[2]))
        counting.sums(session, [row])
        counting.together(session, NOW - HOUR, NOW + HOUR)
        assert [told.callers for _, told in counting.by_hour(session, SYSTEM, row)] == [30]
        assert session.execute(select(func.count()).select_from(AnnouncementHour)).scalar_one() == 2
    assert not [one for one in asked if " call " in one or "announcement_hearing" in one]


def test_listening_is_audited_without_the_words_and_publishes_nothing(
    db: Database, browser: Callable[..., Browser], client: Any, tmp_path: Path
):
    sound = tmp_path / "spoken.wav"
    sound.write_bytes(b"RIFF....")
    web = client.app.state.web
    client.app.state.web = type(web)(**{**vars(web), "speak": lambda *_: sound})
    chief = browser(Role.supervisor)
    assert [one["language"] for one in chief.get("/api/announcements/languages").json()] == ["zh", "yue", "en"]
    for language, status in (("en", 200), ("qaa", 422)):
        body = {"language": language, "text": "No water"}
        assert chief.send("POST", "/api/announcements/spoken", json=body).status_code == status
    with db.read() as session:
        entries = session.exec(select(AuditEntry).where(AuditEntry.action == "announcement.tried")).all()
        assert [entry.detail for entry in entries] == [{"language": "en", "characters": 8}]
        assert announcements.list_all(session, SYSTEM) == []


def test_what_no_voice_can_say_is_published_to_nobody(db: Database, browser: Callable[..., Browser], client: Any):
    said: list[tuple[str, str]] = []

    def speak(text: str, language: str) -> Path:
        said.append((text, language))
        if text == "……":
            raise Refused("语音合成没有成功。", "The voice failed.", code="speech_failed")
        return Path("x.wav")

    web = client.app.state.web
    client.app.state.web = type(web)(**{**vars(web), "speak": speak})
    chief = browser(Role.supervisor)
    told = chief.send("POST", "/api/announcements", json={"texts": {"zh": "停水", "en": "……"}, **WHEN})
    assert told.json()["error"]["code"] == "speech_failed"
    assert chief.get("/api/announcements").json() == []
    assert said == [("停水", "zh"), ("停水", "yue"), ("……", "en")], "as callers of each language would hear it"
    made = chief.send("POST", "/api/announcements", json={"texts": {"zh": "停水"}, **WHEN}).json()
    edit = {"texts": {"zh": "……"}, **WHEN, "version": 1}
    assert chief.send("PATCH", f"/api/announcements/{made['id']}", json=edit).status_code == told.status_code
    assert chief.get("/api/announcements").json()[0]["texts"] == {"zh": "停水"}
