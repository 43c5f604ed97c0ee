"""What is heard again: wave forms, words and comments of recordings, on both databases."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from app.actor import SYSTEM, Actor
from app.auth.model import Role
from app.citizens.service import create
from app.cli import transcripts as command
from app.cli.output import Failure
from app.db import Database
from app.errors import Forbidden, NotFound
from app.settings import Settings
from recordings import comments, transcripts
from recordings.lines import Channel
from recordings.peaks import KEPT
from recordings.retention import prune
from recordings.store import Store
from tests.integration.talks import NOW, SECRET, Talk, audited, line, maker
from tests.integration.web_browser import Browser

People = Callable[..., Actor]
Browsers = Callable[..., Browser]


@pytest.fixture
def talk(db: Database, settings: Settings) -> Talk:
    return maker(db, settings)


def test_words_lead_to_their_second_and_only_to_what_the_asker_may_hear(db: Database, talk: Talk, person: People):
    with db.session() as session:
        create(session, SYSTEM, numbers=[SECRET], flags=["confidential"])
    mine, other, chief, leader = (
        person(agent_id="1001"),
        person(agent_id="1002"),
        person(Role.quality),
        person(Role.duty_leader),
    )
    plain = talk("h-1.1", "1001", line("您好", 0), line("城南停水三天了", 4_000, Channel.citizen))
    secret = talk("h-1.2", "1001", line("我举报城南停水", 2_000, Channel.citizen), number=SECRET)
    talk("h-1.3", "1002", line("公积金怎么提取", 1_000, Channel.citizen))

    def found(who: Actor, q: str) -> list[tuple[int, list[int]]]:
        with db.read() as session:
            page = transcripts.search(session, who, q, now=NOW)
        assert page.total == len(page.items)
        return [(hit.recording.seq, [one.start_ms for one, _ in hit.lines]) for hit in page.items]

    assert found(chief, "停水") == [(plain, [4_000])]
    assert found(leader, "停水 城南") == [(secret, [2_000]), (plain, [4_000])]
    assert found(mine, "停水") == [(secret, [2_000]), (plain, [4_000])], "the agent heard it"
    assert found(other, "停水") == []
    assert found(chief, "停水 公积金") == [], "no recording has both"
    assert found(chief, "") == []
    assert found(chief, '"停水* OR t"') == []
    with pytest.raises(Forbidden):
        found(person(Role.auditor), "停水")


def test_what_belongs_to_a_recording_is_for_those_who_may_hear_it(
    db: Database, settings: Settings, talk: Talk, browser: Browsers
):
    with db.session() as session:
        create(session, SYSTEM, numbers=[SECRET], flags=["confidential"])
    mine, other, chief = browser(agent_id="1001"), browser(agent_id="1002"), browser(Role.quality)
    leader = browser(Role.duty_leader)
    plain = talk("h-1.1", "1001")
    secret = talk("h-1.2", "1001", line("我举报"), number=SECRET)
    for who, told in ((mine, (200, 200)), (other, (403, 403)), (chief, (200, 403)), (leader, (200, 200))):
        for part in ("peaks", "transcript", "comments"):
            assert tuple(who.get(f"/api/recordings/{one}/{part}").status_code for one in (plain, secret)) == told
    assert chief.get("/api/recordings/99/peaks").status_code == 404
    assert set(audited(db, "recording.read")) == {f"recording:{secret}"}
    assert audited(db, "recording.listened") == [], "to see a wave form is no listening"
    waves(settings, chief, plain)
    said(db, settings, chief, mine, plain)
    commented(db, chief, leader, plain)


def told(db: Database, recording: int) -> bool:
    with db.read() as session:
        return transcripts.is_told(session, recording)


def waves(settings: Settings, chief: Browser, recording: int) -> None:
    """A byte for each eighth of a second and side, kept beside the file and no part of the chain."""
    told = chief.get(f"/api/recordings/{recording}/peaks").json()
    left, right = (base64.b64decode(told[side]) for side in ("left", "right"))
    assert (told["per_second"], len(left), set(left), set(right)) == (8, 240, {71}, {0})
    assert len(list(settings.paths.recordings.rglob(f"*{KEPT}"))) == 2


def said(db: Database, settings: Settings, chief: Browser, agent: Browser, recording: int) -> None:
    """A transcript is put by those who may, and takes the place of the one before."""
    assert not told(db, recording)
    path = f"/api/recordings/{recording}/transcript"
    one = {"channel": "agent", "start_ms": 100, "end_ms": 900, "text": "<b>您好</b>", "words": [["您好", 100, 900]]}
    assert agent.send("PUT", path, json={"lines": [one]}).status_code == 403
    assert chief.send("PUT", path, json={"source": "hand", "lines": [one]}).json() == {"lines": 1}
    late = chief.send("PUT", path, json={"lines": [{**one, "end_ms": 99_000}]})
    assert (late.status_code, set(late.json()["error"]["fields"])) == (422, {"lines.0.start_ms"})
    assert chief.send("PUT", path, json={"lines": [{**one, "text": "另一句话"}]}).status_code == 200
    assert [it["text"] for it in agent.get(path).json()] == ["另一句话"]
    assert told(db, recording)
    hits = chief.send("POST", "/api/recordings/transcripts/search", json={"q": "一句"}).json()["items"]
    assert [[part["text"] for part in it["lines"][0]["parts"]] for it in hits] == [["另", "一句", "话"]]
    assert chief.send("POST", "/api/recordings/transcripts/search", json={"q": "您好"}).json()["items"] == []
    assert audited(db, "transcripts.searched") == ["recordings"], "never which words"


def commented(db: Database, chief: Browser, leader: Browser, recording: int) -> None:
    """A comment is its author's, and a line stays of one that was taken back."""
    path = f"/api/recordings/{recording}/comments"
    made = chief.send("POST", path, json={"at_ms": 1500, "text": "<i>语速偏快</i>"})
    again = chief.send("POST", path, json={"at_ms": 1500, "text": "<i>语速偏快</i>"})
    assert (made.status_code, made.json()["id"]) == (201, again.json()["id"]), "a double click"
    one = f"{path}/{made.json()['id']}"
    assert leader.send("PATCH", one, json={"text": "不快"}).status_code == 403
    assert leader.send("DELETE", one).status_code == 403
    assert chief.send("PATCH", one, json={"text": "偏快"}).json()["changed_at"]
    assert [(it["text"], it["mine"]) for it in leader.get(path).json()] == [("偏快", False)]
    for _ in range(2):
        assert chief.send("DELETE", one).json()["text"] == ""
    assert [(it["text"], bool(it["removed_at"])) for it in leader.get(path).json()] == [("", True)]
    assert chief.send("PATCH", one, json={"text": "又来"}).status_code == 409
    for bad in ({"at_ms": 99_000, "text": "晚"}, {"at_ms": 1, "text": " \u202e"}, {"at_ms": 1, "text": "x" * 2000}):
        assert chief.send("POST", path, json=bad).status_code == 422
    assert len(audited(db, "recording.commented")) == 3


def test_two_who_say_the_same_at_once_say_it_once_and_of_two_transcripts_one_stays(
    db: Database, talk: Talk, person: People
):
    person(agent_id="1001")
    chief = person(Role.quality)
    rec = talk("h-1.1", "1001")
    failed: list[BaseException] = []

    def say(session: Session, text: str) -> None:
        comments.add(session, chief, rec, 1_000, "语速偏快")
        transcripts.put(session, chief, rec, "hand", [line(text)])

    def later() -> None:
        try:
            with db.session() as session:
                say(session, "第二份")
        except BaseException as error:
            failed.append(error)

    other = threading.Thread(target=later)
    with db.session() as session:
        say(session, "第一份")
        other.start()
        other.join(0.3)  # it waits for this one to be stored; it would be done by now
    other.join()
    assert failed == []
    with db.read() as session:
        assert [one.text for one in comments.of_recording(session, chief, rec)[0]] == ["语速偏快"]
        assert [one.text for one in transcripts.lines_of(session, [rec])] == ["第二份"]


def test_a_recording_in_which_nobody_spoke_is_told_as_well(db: Database, talk: Talk, person: People):
    person(agent_id="1001")
    silent = talk("h-1.2", "1001")
    assert not told(db, silent)
    with db.session() as session:
        assert transcripts.put(session, SYSTEM, silent, "asr", [line(" ")]) == 0
    assert told(db, silent), "nobody needs to listen to it again"


def test_a_file_of_what_was_said_is_imported_by_command(
    db: Database, settings: Settings, talk: Talk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    recording = talk("h-1.1", "1001")
    monkeypatch.setattr(command, "settings", lambda: settings)
    file = tmp_path / "said.json"
    file.write_text('{"lines": [{"channel": "citizen", "start_ms": 0, "end_ms": 900, "text": "停水了"}]}')
    command.import_(file, call="h-1.1", segment=1)
    with db.read() as session:
        assert [one.text for one in transcripts.lines_of(session, [recording])] == ["停水了"]
    with pytest.raises(NotFound):
        command.import_(file, call="h-1.1", segment=2)
    file.write_text('{"lines": [{"channel": "nobody"}]}')
    with pytest.raises(Failure, match="channel"):
        command.import_(file, call="h-1.1", segment=1)


def test_when_the_sound_goes_its_words_go_with_it(db: Database, settings: Settings, talk: Talk, person: People):
    person(agent_id="1001")
    chief = person(Role.quality)
    rec = talk("h-1.1", "1001", line("停水三天了"))
    with db.session() as session:
        comments.add(session, chief, rec, 0, "他说停水")
    Store(settings, db)
    next(settings.paths.recordings.rglob("*.wav")).with_suffix(KEPT).write_bytes(b"x")
    assert prune(db, settings, now=datetime.now(UTC) + timedelta(days=settings.retention_days + 1)) >= 1
    assert not list(settings.paths.recordings.rglob(f"*{KEPT}"))
    with db.read() as session:
        assert transcripts.lines_of(session, [rec]) == []
        assert session.execute(sa.text("SELECT count(*) FROM transcript_index")).scalar_one() == 0
        assert session.execute(sa.text("SELECT text FROM recording_comment")).scalar_one() == ""
