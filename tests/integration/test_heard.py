"""What is heard again: wave forms, words and comments of recordings, and reviews of them, on both databases."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from sqlmodel import Session, select

from app.actor import SYSTEM, Actor
from app.agents.tables import Agent
from app.audio import write_wav
from app.audit.tables import AuditEntry
from app.auth.model import Role
from app.calls.service import record
from app.citizens.service import create
from app.cli import transcripts as command
from app.cli.output import Failure
from app.db import Database
from app.errors import BadInput, Forbidden, NotFound, Refused, VersionConflict
from app.quality import drawing, quarters, service
from app.quality.access import seen
from app.quality.service import Form, Mark
from app.quality.tables import QualityReview
from app.settings import Settings
from cti_bridge.domain import AppDomain
from recordings import comments, transcripts
from recordings.lines import Channel, Line
from recordings.peaks import KEPT
from recordings.retention import prune
from recordings.store import Store
from tests.integration.web_browser import Browser

RATE = 8000
NOW = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)  # a Wednesday
GOOD = {"timely": "good", "skilled": "good", "first_asked": "good", "warm": "good", "polite": "good"}
SECRET = "13912345678"
People = Callable[..., Actor]
Browsers = Callable[..., Browser]


def line(text: str, start_ms: int = 0, channel: Channel = Channel.agent) -> Line:
    return Line(channel, start_ms, start_ms + 900, text)


@pytest.fixture
def talk(db: Database, settings: Settings) -> Callable[..., int]:
    """Stores a recorded talk; the recording's number."""
    store = Store(settings, db)

    def make(
        call_id: str, agent_id: str, *said: Line, number: str = "13800138000", seconds: float = 30, **facts: Any
    ) -> int:
        at = facts.pop("started_at", NOW - timedelta(hours=1))
        more = {"answered_at": at, "ended_at": at + timedelta(seconds=seconds), "outcome": "answered", **facts}
        record(db, call_id, number=number, agent_id=agent_id, started_at=at, **more)
        wav = settings.paths.record_spool / f"{call_id}-1-r.wav"
        write_wav(wav, np.full(int(RATE * seconds), 9000, np.int16), RATE)
        row = store.adopt(call_id, 1, wav, None)
        assert row is not None
        if said:
            with db.session() as session:
                transcripts.put(session, SYSTEM, row.seq, "asr", said)
        return row.seq

    return make


def audited(db: Database, action: str) -> list[str]:
    with db.read() as session:
        rows = session.exec(select(AuditEntry).where(AuditEntry.action == action)).all()
        return [row.object for row in rows]


def test_words_lead_to_their_second_and_only_to_what_the_asker_may_hear(
    db: Database, talk: Callable[..., int], person: People
):
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
    db: Database, settings: Settings, talk: Callable[..., int], browser: Browsers
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
    db: Database, talk: Callable[..., int], person: People
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


def test_a_recording_in_which_nobody_spoke_is_told_as_well(db: Database, talk: Callable[..., int], person: People):
    person(agent_id="1001")
    silent = talk("h-1.2", "1001")
    assert not told(db, silent)
    with db.session() as session:
        assert transcripts.put(session, SYSTEM, silent, "asr", [line(" ")]) == 0
    assert told(db, silent), "nobody needs to listen to it again"


def test_a_file_of_what_was_said_is_imported_by_command(
    db: Database, settings: Settings, talk: Callable[..., int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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


def test_when_the_sound_goes_its_words_go_with_it(
    db: Database, settings: Settings, talk: Callable[..., int], person: People
):
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


@pytest.fixture
def drawn(db: Database, settings: Settings, talk: Callable[..., int], person: People) -> Callable[..., Any]:
    """People, a recorded talk of 1001's that was drawn for `reviewer`, and a way to take steps."""
    people = {
        "agent": person(agent_id="1001"),
        "other": person(agent_id="1002"),
        "reviewer": person(Role.quality),
        "second": person(Role.quality),
        "head": person(Role.section_head),
        "boss": person(Role.supervisor),
    }
    talk("h-1.1", "1001", line("这种事，我们管不了！", 3_000), line("再说一遍", 5_000, Channel.citizen), rating=1)
    with db.session() as session:
        [row] = drawing.fill(session, people["reviewer"], NOW.date(), settings.zone, seed="s", now=NOW)
        review = row.id or 0

    def step(who: str, what: Callable[..., QualityReview], *args: Any, at: datetime = NOW, **more: Any) -> str:
        with db.session() as session:
            known = session.get(QualityReview, review)
            assert known is not None
            return what(session, people[who], review, known.version, *args, now=at, **more).state

    step.people, step.review = people, review  # type: ignore[attr-defined]
    return step


def test_a_review_goes_all_the_way_through_an_appeal(db: Database, settings: Settings, drawn: Any):
    people, review = drawn.people, drawn.review
    form = Form({**GOOD, "polite": "poor"}, "用语需改进", "先复述再答复", [Mark(1, 3_000, "忌语")])
    with db.read() as session:
        row = seen(session, people["reviewer"], review)
        heard = service.recordings_of(session, row)
        assert [(said.phrase, at) for at, said in service.hints(session, heard)] == [("这种事我们管不了", 1)]
        for who in ("agent", "boss", "other"):
            with pytest.raises(NotFound):
                seen(session, people[who], review)
    assert drawn("reviewer", service.save, Form({"warm": "good"}, "先记下")) == "drawn"
    for who in ("second", "head"):
        with pytest.raises((Forbidden, NotFound)):
            drawn(who, service.publish, form)
    assert drawn("reviewer", service.publish, form, settings=settings) == "published"
    with db.read() as session:
        row = seen(session, people["agent"], review)
        assert (row.total, row.passed) == (77, True)
        assert row.appeal_until == datetime(2026, 12, 2, 16, 0, tzinfo=UTC), "five working days, to their end"
        with pytest.raises(NotFound):
            seen(session, people["other"], review)
    with pytest.raises(Refused, match="over"):
        drawn("agent", service.appeal, "我没有说", at=datetime(2026, 12, 2, 16, 0, tzinfo=UTC))
    assert drawn("agent", service.appeal, "这句话说的是另一个部门") == "appealed"
    with pytest.raises(Refused):
        drawn("agent", service.appeal, "再申诉一次")
    for who in ("reviewer", "agent"):
        with pytest.raises(Forbidden):
            drawn(who, service.decide, "自己定")
    assert drawn("boss", service.coach, "再听一遍录音") == "appealed"
    assert drawn("head", service.decide, "语境不同", {**GOOD}) == "changed"
    with db.read() as session:
        row = seen(session, people["agent"], review)
        assert (row.total, row.passed) == (85, True)
        steps = [event.step for event in service.history(session, row)]
        assert steps == ["draw", "publish", "appeal", "coach", "change"]
        last = service.history(session, row)[-1].detail
        assert (last["before"]["total"], last["after"]["total"]) == (77, 85)
    assert len(audited(db, "quality.step")) == 4
    kept = ["UPDATE quality_event SET text = 'x'", "DELETE FROM quality_event"]
    for statement in [*kept, "TRUNCATE quality_event"] if db.dialect == "postgresql" else kept:
        with pytest.raises(sa.exc.DBAPIError, match="append-only"), db.session() as session:
            session.connection().exec_driver_sql(statement)


def test_to_read_a_review_that_tells_what_was_said_is_audited_as_reading_that(
    db: Database, settings: Settings, talk: Callable[..., int], browser: Browsers
):
    with db.session() as session:
        create(session, SYSTEM, numbers=[SECRET], flags=["confidential"])
    now = datetime.now(UTC)
    browser(agent_id="1001")
    leader = browser(Role.quality, Role.duty_leader)
    hinted = talk("h-1.1", "1001", line("再说一遍"), started_at=now)
    talk("h-1.2", "1001", line("您好"), started_at=now)
    secret = talk("h-1.3", "1001", number=SECRET, started_at=now)
    day = now.astimezone(settings.zone).date().isoformat()
    assert leader.send("POST", "/api/quality/draws", json={"day": day}).json()["drawn"] == 3
    assert audited(db, "recording.read") == [], "a list tells nothing"
    for row in leader.get("/api/quality/reviews").json()["items"]:
        assert leader.get(f"/api/quality/reviews/{row['id']}").status_code == 200
    assert set(audited(db, "recording.read")) == {f"recording:{hinted}", f"recording:{secret}"}


def test_two_at_once_and_a_stale_form_lose_nothing(db: Database, settings: Settings, drawn: Any):
    first, stale = Form(GOOD, "第一次"), Form(GOOD, "第二次")
    with db.session() as session:
        service.save(session, drawn.people["reviewer"], drawn.review, 1, first, now=NOW)
    with pytest.raises(VersionConflict), db.session() as session:
        service.publish(session, drawn.people["reviewer"], drawn.review, 1, stale, now=NOW, settings=settings)
    with db.read() as session:
        row = session.get(QualityReview, drawn.review)
        assert row is not None
        assert (row.note, row.state) == ("第一次", "drawn")


def test_drawing_knows_what_was_drawn_whose_it_is_and_what_is_secret(
    db: Database, settings: Settings, talk: Callable[..., int], person: People
):
    with db.session() as session:
        create(session, SYSTEM, numbers=[SECRET], flags=["confidential"])
    both = replace(person(agent_id="1001"), roles=frozenset({Role.quality, Role.agent}))
    chief, leader = person(Role.quality), person(Role.quality, Role.duty_leader)
    person(agent_id="1002")
    for n in range(12):
        talk(f"h-1.{n}", "1001" if n % 2 else "1002", seconds=25)
    talk("h-2.1", "1002", number=SECRET, rating=1, held_s=300, seconds=25)

    def draw(who: Actor) -> set[str]:
        with db.session() as session:
            return {row.call_id for row in drawing.fill(session, who, NOW.date(), settings.zone, seed="s", now=NOW)}

    mine = draw(both)
    assert len(mine) == 4, "new agents: four, none of the reviewer's own"
    assert {int(one.split(".")[1]) % 2 for one in mine} == {0}
    results: list[set[str]] = []
    threads = [threading.Thread(target=lambda: results.append(draw(chief))) for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(map(len, results)) == [0, 4], "two who draw at once draw no talk twice"
    assert "h-2.1" not in set().union(mine, *results), "secret, and asked by people without the right"
    assert draw(leader) == {"h-2.1"}
    assert draw(leader) == set()
    with db.read() as session:
        row = session.exec(select(QualityReview).where(QualityReview.call_id == "h-2.1")).one()
        with pytest.raises(NotFound):
            seen(session, chief, row.id or 0)


@pytest.fixture
def judged(db: Database, talk: Callable[..., int], person: People) -> Callable[..., None]:
    """Three reviews of an agent's talks of that day, with that score each."""
    chief = person(Role.quality)

    def make(agent_id: str, day: date, total: int, **facts: Any) -> None:
        for n in range(3):
            call_id = f"h-{agent_id}-{day:%m%d}-{n}"
            talk(call_id, agent_id, seconds=1, started_at=datetime(day.year, day.month, day.day, tzinfo=UTC))
            values = {"reason": "random", "state": "acknowledged", "drawn_at": NOW, "day": day, "week": day, **facts}
            about = {"call_id": call_id, "agent_id": agent_id, "reviewer_id": chief.user_id or 0}
            with db.session() as session:
                session.add(QualityReview(**about, **values, total=total, passed=total >= 60))

    return make


def test_two_failed_quarters_keep_an_agent_from_signing_in_until_trained(
    db: Database, settings: Settings, judged: Callable[..., None], person: People
):
    head, zone = person(Role.section_head), settings.zone
    person(agent_id="1001")
    person(agent_id="1002")
    chief = person(Role.quality)
    for agent_id, total in (("1001", 40), ("1002", 90)):
        for day in (date(2026, 2, 3), date(2026, 5, 5)):
            judged(agent_id, day, total)

    def confirm(quarter: str) -> list[str]:
        with db.session() as session:
            return list(quarters.confirm(session, head, quarter, zone, now=NOW))

    def barred() -> list[str]:
        return [agent.agent_id for agent in AppDomain(settings, db).agents() if agent.off_duty]

    with pytest.raises(Refused):
        confirm("2026Q4")
    assert confirm("2026Q1") == []
    assert barred() == []
    assert confirm("2026Q2") == ["1001"]
    assert confirm("2026Q2") == [], "a double click"
    assert barred() == ["1001"]
    with db.read() as session:
        sheet = quarters.sheet(session, head, "2026Q2", zone, now=NOW)
        rows = {row.agent.agent_id: row for row in sheet.rows}
        assert (rows["1001"].result.mean, rows["1001"].result.passed) == (400, False)
        assert (rows["1002"].result.place, len(rows["1002"].result.of)) == (1, 3)
    assert [row.agent.off_duty_since is not None for row in sheet.rows] == [True, False]

    def train(who: Actor, text: str) -> None:
        with db.session() as session:
            quarters.train(session, who, "1001", text, now=NOW)

    with pytest.raises(Forbidden):
        train(chief, "x")
    with pytest.raises(BadInput):
        train(head, " ")
    train(head, "文明用语复训")
    assert barred() == []
    assert audited(db, "quality.trained") == ["agent:1001"]
    with db.read() as session:
        assert session.get(Agent, "1001").off_duty_since is None  # type: ignore[union-attr]


def test_a_quarter_waits_for_every_appeal_that_may_come_and_is_confirmed_once(
    db: Database, settings: Settings, judged: Callable[..., None], person: People
):
    head, agent = person(Role.section_head), person(agent_id="1001")
    until = NOW + timedelta(days=1)
    judged("1001", date(2026, 5, 5), 40, state="published", appeal_until=until)

    def confirm(session: Session, now: datetime) -> list[str]:
        return list(quarters.confirm(session, head, "2026Q2", settings.zone, now=now))

    with pytest.raises(Refused) as caught, db.session() as session:
        confirm(session, NOW)
    assert caught.value.code == "appeals_may_come"
    told: list[object] = []

    def confirm_beside() -> None:
        try:
            with db.session() as session:
                told.append(confirm(session, until))
        except Refused as error:
            told.append(error.code)

    def while_it_is_open(step: Callable[[Session], object]) -> None:
        other = threading.Thread(target=confirm_beside)
        with db.session() as session:
            step(session)
            other.start()
            other.join(0.3)  # it waits for this one to be stored; it would be done by now
        other.join()

    with db.read() as session:
        review = session.exec(select(QualityReview.id)).first() or 0
    while_it_is_open(lambda session: service.appeal(session, agent, review, 1, "说的是另一件事", now=NOW))
    assert told == ["open_appeals"]
    with db.session() as session:
        service.decide(session, head, review, 2, "维持", now=NOW)
    while_it_is_open(lambda session: confirm(session, until))
    assert told == ["open_appeals", []], "a second click finds it done"


def test_a_quarter_asks_as_much_of_the_database_for_many_as_for_one(
    db: Database, settings: Settings, judged: Callable[..., None], person: People
):
    head = person(Role.section_head)
    asked: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    def looked_at() -> int:
        asked.clear()
        with db.read() as session:
            quarters.sheet(session, head, "2026Q2", settings.zone, now=NOW)
        return len(asked)

    for engine in db.engines:
        sa.event.listen(engine, "before_cursor_execute", note)
    person(agent_id="1001")
    judged("1001", date(2026, 5, 5), 40)
    alone = looked_at()
    for agent_id in ("1002", "1003", "1004"):
        person(agent_id=agent_id)
        judged(agent_id, date(2026, 5, 5), 90)
    assert looked_at() == alone
