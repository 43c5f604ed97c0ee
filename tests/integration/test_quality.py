"""Reviews of talks: drawn, judged, appealed against, and what quarters of them mean, on both databases."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import Session, select

from app.actor import SYSTEM, Actor
from app.agents.tables import Agent
from app.auth.model import Role
from app.citizens.service import create
from app.db import Database
from app.errors import BadInput, Forbidden, NotFound, Refused, VersionConflict
from app.notices import inbox
from app.notices.live import hear
from app.notices.model import NoticeKind
from app.phrases import reading as phrases
from app.quality import drawing, quarters, service
from app.quality.access import seen
from app.quality.service import Form, Mark
from app.quality.tables import QualityReview
from app.settings import Settings
from cti_bridge.domain import AppDomain
from recordings.lines import Channel
from tests.integration.talks import NOW, SECRET, Talk, audited, line, maker
from tests.integration.web_browser import Browser

GOOD = {"timely": "good", "skilled": "good", "first_asked": "good", "warm": "good", "polite": "good"}
People = Callable[..., Actor]
Browsers = Callable[..., Browser]


@pytest.fixture
def talk(db: Database, settings: Settings) -> Talk:
    return maker(db, settings)


@pytest.fixture
def drawn(db: Database, settings: Settings, talk: Talk, person: People) -> Callable[..., Any]:
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
        found = [
            one.row for one in phrases.of_recordings(session, [one.seq for one in heard]) if one.row.kind == "forbidden"
        ]
        assert [(one.variant, one.recording, one.at_ms) for one in found] == [("这种事我们管不了", 1, 3_000)]
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
    db: Database, settings: Settings, talk: Talk, browser: Browsers
):
    with db.session() as session:
        create(session, SYSTEM, numbers=[SECRET], flags=["confidential"])
    now = datetime.now(UTC)
    browser(agent_id="1001")
    leader = browser(Role.quality, Role.duty_leader)
    hinted = talk("h-1.1", "1001", line("再说一遍"), started_at=now)
    talk("h-1.2", "1001", started_at=now)
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
    db: Database, settings: Settings, talk: Talk, person: People
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


def told(db: Database, who: Actor) -> list[str]:
    """What somebody finds in their inbox, newest first."""
    with db.read() as session:
        return [row.kind for row in inbox.notices(session, who).items]


def test_who_is_concerned_is_told_of_a_review_once_at_once_and_without_the_caller(
    db: Database, settings: Settings, drawn: Any, person: People
):
    people, live = drawn.people, list[str]()
    hear(db, lambda agents: live.extend(sorted(agents)))
    with pytest.raises(BadInput):
        drawn("reviewer", service.publish, Form({}), settings=settings)
    assert (live, told(db, people["agent"])) == ([], []), "what was not stored is told to nobody"
    drawn("reviewer", service.publish, Form(GOOD), settings=settings)
    assert live == ["1001"]
    drawn("agent", service.appeal, "没有说")
    drawn("head", service.decide, "维持原评")
    with db.session() as session:
        quarters.train(session, people["head"], "1001", "复训", now=NOW)
    assert told(db, people["agent"]) == ["trained", "appeal_decided", "review_published"]
    assert live == ["1001"] * 3
    for who in ("reviewer", "second", "head"):
        assert told(db, people[who]) == ["appealed"], who
    for who in ("other", "boss"):
        assert told(db, people[who]) == [], who
    with db.read() as session:
        [row] = inbox.notices(session, people["second"]).items
        assert (row.title, row.review_id, row.number) == ("1001 2026-11-25", drawn.review, "")
        moved = replace(people["second"], roles=frozenset({Role.city_leader}))
        assert inbox.unread(session, moved)["unread"] == 0, "who is no reviewer any more reads of no review"


def test_an_appeal_about_a_secret_call_is_told_to_those_alone_who_may_know_the_citizen(
    db: Database, settings: Settings, talk: Talk, person: People
):
    with db.session() as session:
        create(session, SYSTEM, numbers=[SECRET], flags=["confidential"])
    agent, plain, head = person(agent_id="1001"), person(Role.quality), person(Role.section_head)
    leader = person(Role.quality, Role.duty_leader)
    talk("h-1.1", "1001", number=SECRET)
    with db.session() as session:
        [row] = drawing.fill(session, leader, NOW.date(), settings.zone, seed="s", now=NOW)
        service.publish(session, leader, row.id or 0, 1, Form(GOOD), now=NOW, settings=settings)
        service.appeal(session, agent, row.id or 0, 2, "不同意", now=NOW)
    kind = NoticeKind.appealed.value
    assert [told(db, who) for who in (leader, head, plain)] == [[kind], [kind], []]


@pytest.fixture
def judged(db: Database, talk: Talk, person: People) -> Callable[..., None]:
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
