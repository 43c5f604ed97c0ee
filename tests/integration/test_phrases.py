"""Phrases in stored transcripts: found in the transaction that stores them, as secret as they are"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session, col, select

from app.actor import SYSTEM, Actor
from app.auth.model import Role
from app.calls.tables import CallPause, CallThird
from app.citizens.service import create
from app.db import Database
from app.editions.service import make as make_edition
from app.errors import BadInput, Forbidden, Refused
from app.phrases import reading, service
from app.phrases.editing import PHRASES_FORM
from app.phrases.model import Kind, Phrase
from app.phrases.shipped import SHIPPED
from app.phrases.tables import PhraseCheck, PhraseFinding
from app.quality import drawing, findings
from app.quality.sampling import Rules
from app.settings import Settings
from recordings import transcripts
from recordings.lines import Channel, Line
from recordings.retention import prune
from recordings.tables import Recording
from tests.integration.talks import NOW, SECRET, Talk, audited, line, maker
from tests.integration.web_browser import Browser

People = Callable[..., Actor]
Browsers = Callable[..., Browser]
RUDE = Line(
    Channel.agent,
    3_000,
    6_000,
    "嗯，再说一遍",
    words=(("嗯", 3_000, 3_200), ("再说", 4_000, 4_600), ("一遍", 4_600, 5_000)),
)
POLITE = line("您好，12345热线", 500), line("您还有别的事吗？感谢来电，再见。", 25_000)


@pytest.fixture
def talk(db: Database, settings: Settings) -> Talk:
    return maker(db, settings)


def found(db: Database, *recordings: int) -> list[tuple[str, str, int]]:
    """Codes, states and seconds of what was found in these."""
    with db.read() as session:
        return [
            (one.row.code, one.row.state, one.row.at_ms // 1000) for one in reading.of_recordings(session, recordings)
        ]


def put_and_fail(session: Session, recording: int) -> None:
    """Words are stored, and then something goes wrong in the same transaction."""
    transcripts.put(session, SYSTEM, recording, "asr", [RUDE])
    transcripts.put(session, SYSTEM, recording, "asr", [line("晚了", 99_000)])


def put(db: Database, recording: int, *lines: Line) -> None:
    with db.session() as session:
        transcripts.put(session, SYSTEM, recording, "asr", lines)


def test_what_was_said_is_found_with_its_second_when_the_transcript_is_stored_and_goes_with_it(
    db: Database, settings: Settings, talk: Talk, person: People
):
    person(agent_id="1001")
    rec = talk("h-1.1", "1001", *POLITE, RUDE, line("什么态度！再说一遍", 9_000, Channel.citizen))
    assert found(db, rec) == [
        ("greeting", "said", 0), ("names_itself", "said", 0), ("say_again", "said", 4),
        ("anything_else", "said", 25), ("closing", "said", 25),
    ]  # fmt: skip
    with db.read() as session:
        [seen] = [one for one in reading.of_recordings(session, [rec]) if one.row.code == "say_again"]
        assert (seen.line, seen.row.variant, seen.row.side, seen.row.edition) == (
            "嗯，再说一遍",
            "再说一遍",
            "agent",
            0,
        )
        assert reading.editions_of(session, [rec]) == {rec: 0}
    put(db, rec, line("喂", 900), line("这件事我记下来了", 15_000))
    assert {(code, state) for code, state, _ in found(db, rec)} == {
        (code, "missing") for code in ("greeting", "names_itself", "anything_else", "closing")
    }
    with pytest.raises(BadInput), db.session() as session:
        put_and_fail(session, rec)
    assert "say_again" not in {code for code, _, _ in found(db, rec)}, "both are stored, or neither"
    prune(db, settings, now=datetime.now(UTC) + timedelta(days=settings.retention_days + 1))
    with db.read() as session:
        assert session.exec(select(PhraseFinding)).all() == []
        assert session.exec(select(PhraseCheck)).all() == []


def test_a_talk_of_two_parts_misses_its_end_only_when_both_are_written_down_whoever_is_first(
    db: Database, talk: Talk, person: People
):
    person(agent_id="1001")
    first = talk("h-1.1", "1001")
    with db.session() as session:
        row = session.get(Recording, first)
        assert row is not None
        values = {**row.model_dump(), "seq": first + 1, "segment": 2, "chain": "f" * 64, "path": "y.wav"}
        session.add(Recording(**values))
    second = first + 1
    put(db, second, line("再见", 29_000))
    assert found(db, first, second) == [("closing", "said", 29)]

    def beside() -> None:
        put(db, first, line("喂", 1_000))

    other = threading.Thread(target=beside)
    with db.session() as session:
        transcripts.put(session, SYSTEM, second, "asr", [line("好的", 29_000)])
        other.start()
        other.join(0.3)  # it waits for this one to be stored; it would be done by now
    other.join()
    assert [(code, state) for code, state, _ in found(db, first, second)] == [
        ("greeting", "missing"), ("names_itself", "missing"), ("anything_else", "missing"), ("closing", "missing"),
    ]  # fmt: skip


def test_pauses_third_parties_transfers_and_calls_of_ours_are_not_held_against_anybody(
    db: Database, talk: Talk, person: People
):
    person(agent_id="1001")
    begun = NOW - timedelta(hours=1)

    def meanwhile(row: Any) -> None:
        with db.session() as session:
            session.add(row)

    rec = talk("h-1.1", "1001")
    with db.read() as session:
        kept = session.get(Recording, rec)
        assert kept is not None
        began = kept.started_at
    meanwhile(CallPause(call_id="h-1.1", since=began, due_at=began, until=began + timedelta(seconds=12)))
    third = {"leg": "x", "kind": "conference", "dialled_at": began, "by_agent": "1001"}
    meanwhile(CallThird(call_id="h-1.1", joined_at=began + timedelta(seconds=2), left_at=None, **third))
    put(db, rec, line("什么态度", 15_000), line("你不要骂人", 1_000))
    with db.read() as session:
        rows = [one.row for one in reading.of_recordings(session, [rec])]
        assert {(row.code, row.state, row.shared) for row in rows} == {
            ("do_not_swear", "said", False), ("attitude", "said", True),
        }  # fmt: skip
    ours = talk("h-1.2", "1001", line("喂", 900), RUDE, started_at=begun, direction="out")
    assert found(db, ours) == [("say_again", "said", 4)]


def test_another_list_holds_from_its_day_and_for_earlier_talks_only_when_somebody_asks(
    db: Database, settings: Settings, talk: Talk, browser: Browsers, person: People
):
    head, chief, agent = person(Role.section_head), person(Role.quality), person(agent_id="1001")
    before = datetime.now(UTC)
    rec = talk("h-1.1", "1001", line("等着吧", 900), started_at=before)
    fresh = [*SHIPPED, Phrase("", Kind.forbidden, "zh", "等着", "wait", ("等着吧",))]
    with pytest.raises(Forbidden), db.session() as session:
        make_edition(session, chief, PHRASES_FORM, 0, date(2026, 12, 1), "加", fresh, settings.zone, now=NOW)
    yesterday = before - timedelta(days=1)
    with db.session() as session:
        today = before.astimezone(settings.zone).date()
        made = make_edition(session, head, PHRASES_FORM, 0, today, "加一条", fresh, settings.zone, now=yesterday)
        assert (made[0].number, [one.what for one in made[0].changes]) == (1, ["added"])
    assert "p1" not in {code for code, _, _ in found(db, rec)}
    put(db, talk("h-1.2", "1001", started_at=before), line("等着吧", 900))
    put(db, talk("h-1.3", "1001", started_at=yesterday), line("等着吧", 900))
    assert [bool([1 for code, _, _ in found(db, n) if code == "p1"]) for n in (rec + 1, rec + 2)] == [True, False]
    with pytest.raises(Forbidden), db.session() as session:
        service.look_again(session, agent, "h-1.1", "1001")
    reviewer = browser(Role.quality)
    asked = reviewer.send("POST", "/api/quality/findings/again", json={"call_id": "h-1.1", "agent_id": "1001"})
    assert (asked.status_code, asked.json()["found"] > 0) == (200, True)
    assert "p1" in {code for code, _, _ in found(db, rec)}
    assert service.look_through_since(db, 3) == 3
    assert all("p1" in {code for code, _, _ in found(db, n)} for n in (rec, rec + 1, rec + 2))
    assert audited(db, "phrases.checked") == ["call:h-1.1"]
    listed = reviewer.get("/api/quality/findings", params={"code": "p1"}).json()
    assert {one["call_id"] for one in listed["items"]} == {"h-1.1", "h-1.2", "h-1.3"}
    assert ["等着", "wait"] in [one["name"] for one in listed["items"][0]["findings"]]
    in_force = browser(agent_id="1002").get("/api/phrases").json()
    assert (in_force["edition"], in_force["phrases"][-1]["code"]) == (1, "p1")
    assert browser(Role.auditor).get("/api/phrases").status_code == 403


def test_what_was_found_is_listed_for_those_alone_who_may_hear_it_and_taken_on_once(
    db: Database, settings: Settings, talk: Talk, browser: Browsers, person: People
):
    with db.session() as session:
        create(session, SYSTEM, numbers=[SECRET], flags=["confidential"])
    now = datetime.now(UTC)
    for agent_id in ("1001", "1002"):
        person(agent_id=agent_id)
    talk("h-1.1", "1001", RUDE, *POLITE, started_at=now)
    talk("h-1.2", "1001", *POLITE, started_at=now)
    talk("h-1.3", "1002", *POLITE, line("你提的建议太夫浅", 9_000), started_at=now)
    talk("h-1.4", "1002", RUDE, number=SECRET, started_at=now)
    leader, reviewer, agent = browser(Role.quality, Role.duty_leader), browser(Role.quality), browser(agent_id="1003")

    def shown(who: Browser, **wanted: str) -> set[str]:
        answer = who.get("/api/quality/findings", params=wanted)
        assert answer.json()["total"] == len(answer.json()["items"])
        return {one["call_id"] for one in answer.json()["items"]}

    assert shown(leader) == {"h-1.1", "h-1.3", "h-1.4"}
    assert shown(reviewer) == {"h-1.1", "h-1.3"}
    assert shown(reviewer, what="forbidden") == {"h-1.1"}
    assert shown(reviewer, what="perhaps") == {"h-1.3"}
    assert shown(leader, what="missing") == {"h-1.4"}
    assert shown(reviewer, agent="1002", code="shallow") == {"h-1.3"}
    assert shown(reviewer, **{"to": (now - timedelta(days=3)).date().isoformat()}) == set()
    chief, later = person(Role.quality), now + timedelta(days=40)
    with db.read() as session:
        assert reading.talks(session, chief, settings.zone, now=later).total == 0, "of the last month"
        assert reading.talks(session, chief, settings.zone, start=now.date() - timedelta(days=1), now=later).total == 2
    assert agent.get("/api/quality/findings").status_code == 403
    assert set(audited(db, "transcripts.searched")) == {"phrases"}, "never which words"

    picks = "/api/quality/picks"
    first = reviewer.send("POST", picks, json={"call_id": "h-1.1", "agent_id": "1001"})
    again = reviewer.send("POST", picks, json={"call_id": "h-1.1", "agent_id": "1001"})
    assert (first.status_code, first.json()) == (201, again.json()), "a double click"
    late = leader.send("POST", picks, json={"call_id": "h-1.1", "agent_id": "1001"})
    assert (late.status_code, late.json()["error"]["code"]) == (409, "drawn_already")
    for body, status in (
        ({"call_id": "h-1.2", "agent_id": "1001"}, 404),
        ({"call_id": "h-1.4", "agent_id": "1002"}, 403),
        ({"call_id": "h-9.9", "agent_id": "1001"}, 404),
    ):
        assert reviewer.send("POST", picks, json=body).status_code == status
    assert agent.send("POST", picks, json={"call_id": "h-1.1", "agent_id": "1001"}).status_code == 403
    [row] = [one for one in reviewer.get("/api/quality/findings").json()["items"] if one["call_id"] == "h-1.1"]
    assert (row["review"], row["mine"], row["state"]) == (first.json()["review"], True, "drawn")
    review = reviewer.get(f"/api/quality/reviews/{row['review']}").json()
    assert (review["reason"], review["looked_by"], [line["step"] for line in review["history"]]) == (
        "picked",
        0,
        ["draw"],
    )
    assert [(one["at_ms"], one["line"]) for one in review["hints"] if one["kind"] == "forbidden"] == [
        (4_000, "嗯，再说一遍")
    ]


def test_a_pick_is_nobodys_own_talk_and_leaves_the_draw_as_it_was(
    db: Database, settings: Settings, talk: Talk, person: People
):
    both = replace(person(agent_id="1001"), roles=frozenset({Role.quality, Role.agent}))
    chief, second = person(Role.quality), person(Role.quality)
    for n in range(6):
        talk(f"h-1.{n}", "1001", *((RUDE,) if n < 2 else ()))
    with pytest.raises(Forbidden), db.session() as session:
        findings.pick(session, both, "h-1.0", "1001", settings.zone, now=NOW)
    with db.session() as session:
        findings.pick(session, chief, "h-1.0", "1001", settings.zone, now=NOW)
        rules = Rules(at_least=2, new_agents=2, forbidden=1)
        drawn = drawing.fill(session, chief, NOW.date(), settings.zone, rules=rules, seed="s", now=NOW)
        assert (len(drawn), [one.reason for one in drawn if one.call_id == "h-1.1"]) == (3, ["phrases"])
        assert "h-1.0" not in {one.call_id for one in drawn}
    with pytest.raises(Refused), db.session() as session:
        findings.pick(session, second, "h-1.0", "1001", settings.zone, now=NOW)


def test_a_list_is_tried_on_a_text_and_what_is_wrong_in_it_is_told_by_its_place(browser: Browsers):
    head = browser(Role.section_head)
    one = {"kind": "forbidden", "language": "zh", "zh": "等着", "en": "wait", "variants": ["等着吧", "你等着吧"]}
    greeting = {
        "kind": "required",
        "language": "zh",
        "zh": "问候",
        "en": "greeting",
        "variants": ["您好"],
        "where": "begin",
        "seconds": 10,
    }
    body = {"phrases": [one, greeting], "language": "zh", "text": "<b>那你，等着吧\u202e</b>"}
    told = head.send("POST", "/api/phrases/try", json=body)
    assert [(piece["text"], piece["name"]) for piece in told.json()["pieces"]] == [
        ("<b>那", []), ("你，等着吧", ["等着", "wait"]), ("</b>", []),
    ]  # fmt: skip
    assert told.json()["missing"] == [["问候", "greeting"]]
    wrong = head.send("POST", "/api/phrases/try", json={**body, "phrases": [{**one, "variants": ["啊"]}]})
    assert (wrong.status_code, set(wrong.json()["error"]["fields"])) == (422, {"phrases.0.variants"})
    assert browser(agent_id="1001").send("POST", "/api/phrases/try", json=body).status_code == 403
    assert (
        browser(Role.quality)
        .send("POST", "/api/phrases/editions", json={"after": 0, "since": "2030-01-01", "note": "x", "phrases": []})
        .status_code
        == 403
    )


def test_nothing_is_looked_for_where_no_agent_was(db: Database, talk: Talk, person: People):
    person(agent_id="1001")
    rec = talk("h-1.1", "1001")
    with db.session() as session:
        row = session.get(Recording, rec)
        assert row is not None
        assert service.look_through(session, Recording(**{**row.model_dump(), "agent_id": None})) == 0
    with db.read() as session:
        assert _count(session) == 0


def _count(session: Session) -> int:
    return len(session.execute(select(col(PhraseFinding.id))).all())
