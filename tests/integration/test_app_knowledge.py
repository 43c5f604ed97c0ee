"""The knowledge base on both databases: written, reviewed by another, kept true, found, missed, and for whom."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from app.actor import Actor
from app.audit.tables import AuditEntry
from app.auth.model import Role
from app.db import Database
from app.errors import BadInput, Forbidden, NotFound, Refused, VersionConflict
from app.knowledge import finding, gaps, reading, service, uses, views
from app.knowledge.finding import View
from app.knowledge.model import Content, GapState, GapStep, KnowledgeType, Step
from app.knowledge.starter import load
from tests.integration.web_browser import Browser, People

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
TODAY = date(2026, 11, 24)
DAY = timedelta(days=1)
WATER = Content(
    title="计划停水怎么查询",
    question="明天停不停水",
    phone_answer="请先储水。",
    letter_answer="停水提前二十四小时公布。",
    keywords=("断水",),
    type=KnowledgeType.notice,
    unit_name="市供水公司",
    review_on=TODAY + 90 * DAY,
    expires_on=TODAY + 60 * DAY,
)


class Desk:
    """Somebody at work on the knowledge base, one transaction a step."""

    def __init__(self, db: Database, actor: Actor) -> None:
        self.db, self.actor = db, actor

    def writes(self, content: Content = WATER) -> int:
        with self.db.session() as session:
            return service.create(session, self.actor, content, ZONE, now=NOW).id or 0

    def edits(self, article: int, revision: int, content: Content) -> None:
        with self.db.session() as session:
            service.edit(session, self.actor, article, revision, content, ZONE, now=NOW)

    def takes(self, article: int, step: Step, revision: int = 1, now: datetime = NOW, **more: Any) -> None:
        with self.db.session() as session:
            service.take(session, self.actor, article, step, revision, ZONE, now=now, **more)

    def reads(self, article: int, now: datetime = NOW) -> dict[str, Any]:
        with self.db.read() as session:
            return views.article(session, self.actor, reading.seen(session, self.actor, article), ZONE, now=now)

    def uses(self, article: int, call: str = "", helped: bool | None = None) -> None:
        with self.db.session() as session:
            uses.read_out(session, self.actor, article, call_id=call, helped=helped, now=NOW)

    def finds(self, text: str, now: datetime = NOW) -> list[int]:
        with self.db.read() as session:
            return [one.article.id or 0 for one in finding.search(session, self.actor, text, now=now)]

    def lists(self, view: View, now: datetime = NOW) -> list[int]:
        with self.db.read() as session:
            page = finding.listed(session, self.actor, view, ZONE, now=now)
            return [article.id or 0 for article, _ in page.items]

    def misses(self, text: str, useless: bool = False) -> int | None:
        with self.db.session() as session:
            row = gaps.note(session, self.actor, text, useless=useless, now=NOW)
            return row.id if row else None

    def settles(self, gap: int, step: GapStep, **more: Any) -> None:
        with self.db.session() as session:
            gaps.take(session, self.actor, gap, step, now=NOW, **more)

    def gaps(self) -> list[tuple[str, int, int, str]]:
        with self.db.read() as session:
            rows = gaps.listed(session, self.actor).items
            return [(row.words, row.missed, row.useless, row.state) for row in rows]


@pytest.fixture
def desk(db: Database, person: People) -> Callable[..., Desk]:
    return lambda role: Desk(db, person(role))


@pytest.fixture
def writer(desk: Callable[..., Desk]) -> Desk:
    return desk(Role.dispatcher)


@pytest.fixture
def chief(desk: Callable[..., Desk]) -> Desk:
    return desk(Role.supervisor)


def published(writer: Desk, chief: Desk, content: Content = WATER) -> int:
    article = writer.writes(content)
    writer.takes(article, Step.submit)
    chief.takes(article, Step.approve)
    return article


def steps(desk: Desk, article: int, at: int = 0) -> list[str]:
    return list(desk.reads(article)["versions"][at]["steps"])


def test_an_article_is_written_sent_back_with_a_reason_and_published_by_somebody_else(
    db: Database, writer: Desk, chief: Desk
):
    article = writer.writes()
    assert steps(writer, article) == ["edit", "submit", "discard"]
    writer.takes(article, Step.submit)
    assert writer.finds("停水") == []
    with pytest.raises(BadInput, match="marked"):
        chief.takes(article, Step.send_back, reason=" ")
    chief.takes(article, Step.send_back, reason="写明送水点")
    assert writer.reads(article)["versions"][0]["reason"] == "写明送水点"
    writer.edits(article, 1, Content(**{**WATER.__dict__, "phone_answer": "请先储水，送水点见公告。"}))
    with pytest.raises(VersionConflict):
        writer.takes(article, Step.submit, 1)
    writer.takes(article, Step.submit, 2)
    with pytest.raises(Forbidden):
        writer.takes(article, Step.approve, 2)
    chief.takes(article, Step.approve, 2)
    told = writer.reads(article)
    assert (told["current"], told["open"], told["versions"][0]["state"]) == (1, None, "published")
    assert chief.finds("停水") == chief.finds("断水") == chief.finds("二十四小时") == [article]
    with db.read() as session:
        details = session.execute(sa.select(AuditEntry.detail).order_by(AuditEntry.id)).scalars()  # type: ignore[call-overload]
        taken = [detail["step"] for detail in details if "step" in detail]
    assert taken == ["create", "submit", "send_back", "edit", "submit", "approve"]


def test_who_may_both_write_and_review_does_not_approve_their_own_words(desk: Callable[..., Desk], chief: Desk):
    article = chief.writes()
    chief.takes(article, Step.submit)
    with pytest.raises(Refused) as caught:
        chief.takes(article, Step.approve)
    assert caught.value.code == "own_work"
    desk(Role.section_head).takes(article, Step.approve)


def test_the_old_words_stay_in_force_until_the_new_ones_are_approved(writer: Desk, chief: Desk):
    article = published(writer, chief)
    writer.takes(article, Step.revise)
    with pytest.raises(Refused):
        writer.takes(article, Step.revise)
    fresh = Content(
        **{**WATER.__dict__, "title": "检修断供怎么查询", "question": "", "keywords": (), "letter_answer": ""}
    )
    writer.edits(article, 1, fresh)
    assert [one["state"] for one in writer.reads(article)["versions"]] == ["draft", "published"]
    assert (chief.finds("停水"), chief.finds("断供")) == ([article], [])
    writer.takes(article, Step.submit, 2)
    chief.takes(article, Step.approve, 2)
    told = writer.reads(article)
    assert [(one["number"], one["state"]) for one in told["versions"]] == [(2, "published"), (1, "replaced")]
    assert (chief.finds("停水"), chief.finds("断供")) == ([], [article])


def test_a_draft_that_nobody_wants_leaves_the_version_in_force_alone(
    desk: Callable[..., Desk], writer: Desk, chief: Desk
):
    article = published(writer, chief)
    writer.takes(article, Step.revise)
    writer.takes(article, Step.discard)
    told = writer.reads(article)
    assert (told["open"], [one["state"] for one in told["versions"]]) == (None, ["discarded", "published"])
    assert [one["state"] for one in desk(Role.agent).reads(article)["versions"]] == ["published"]
    assert chief.finds("停水") == [article]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE knowledge_version SET phone_answer = 'x'",
        "UPDATE knowledge_version SET title = 'x'",
        "UPDATE knowledge_version SET state = 'draft'",
        "DELETE FROM knowledge_version",
    ],
)
def test_what_was_published_cannot_be_rewritten_even_with_plain_sql(
    db: Database, writer: Desk, chief: Desk, statement: str
):
    published(writer, chief)
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), db.session() as session:
        session.connection().exec_driver_sql(statement)


def test_an_expired_article_is_shown_as_expired_and_last_and_found_true_again(writer: Desk, chief: Desk):
    first = published(writer, chief)
    second = published(writer, chief, Content(**{**WATER.__dict__, "title": "抢修", "expires_on": None}))
    last_day = NOW + 60 * DAY
    assert chief.finds("停水", last_day) == [first, second]
    over = last_day + DAY
    assert chief.finds("停水", over) == [second, first]
    assert chief.reads(first, over)["versions"][0]["state"] == "expired"
    assert chief.lists(View.due, NOW) == []
    assert chief.lists(View.due, NOW + 31 * DAY) == [first]
    assert chief.lists(View.due, over) == [first, second]
    later = over.date() + 90 * DAY
    with pytest.raises(BadInput) as caught:
        chief.takes(first, Step.confirm, now=over, review_on=over.date(), expires_on=over.date() - DAY)
    assert caught.value.fields.keys() == {"review_on", "expires_on"}
    chief.takes(first, Step.confirm, now=over, review_on=later, expires_on=later)
    assert chief.finds("停水", over) == [first, second]
    assert chief.reads(first, over)["versions"][0]["state"] == "published"


def test_what_is_withdrawn_is_found_no_more_but_not_lost(writer: Desk, chief: Desk):
    article = published(writer, chief)
    with pytest.raises(Forbidden):
        writer.takes(article, Step.withdraw, reason="旧")
    chief.takes(article, Step.withdraw, reason="政策已废止")
    assert (chief.finds("停水"), chief.lists(View.withdrawn), chief.lists(View.published)) == ([], [article], [])
    with pytest.raises(Refused):
        chief.uses(article)
    writer.takes(article, Step.revise)
    writer.takes(article, Step.submit)
    chief.takes(article, Step.approve)
    assert chief.finds("停水") == [article]


def test_agents_read_what_is_in_force_and_no_drafts(desk: Callable[..., Desk], writer: Desk, chief: Desk):
    agent, draft = desk(Role.agent), writer.writes()
    with pytest.raises(NotFound):
        agent.reads(draft)
    with pytest.raises(Forbidden):
        agent.lists(View.drafts)
    with pytest.raises(Forbidden):
        agent.writes()
    article = published(writer, chief, Content(**{**WATER.__dict__, "title": "停水通告"}))
    writer.takes(article, Step.revise)
    assert [one["state"] for one in agent.reads(article)["versions"]] == ["published"]
    assert (agent.lists(View.published), writer.lists(View.drafts)) == ([article], [article, draft])


def test_internal_articles_are_not_for_everybody(desk: Callable[..., Desk], writer: Desk, chief: Desk):
    article = published(writer, chief, Content(**{**WATER.__dict__, "internal": True}))
    leader, handler = desk(Role.city_leader), desk(Role.unit_handler)
    assert (leader.finds("停水"), leader.lists(View.published), chief.finds("停水")) == ([], [], [article])
    with pytest.raises(NotFound):
        leader.reads(article)
    assert (handler.finds("停水"), handler.lists(View.published)) == ([], [])
    with pytest.raises(NotFound):
        handler.reads(article)


def test_reading_to_a_caller_counts_once_a_call_and_a_changed_mind_replaces_the_first_word(
    desk: Callable[..., Desk], writer: Desk, chief: Desk
):
    agent = desk(Role.agent)
    first, second = published(writer, chief), published(writer, chief)
    assert agent.finds("停水") == [second, first]
    agent.uses(first, "h-1.1")
    agent.uses(first, "h-1.1", helped=False)
    agent.uses(first, "h-1.1", helped=True)
    agent.uses(first, "h-1.2")
    told = agent.reads(first)
    assert (told["used"], told["helped"], told["not_helped"]) == (2, 1, 0)
    assert agent.finds("停水") == [first, second], "what is read more often comes first"


def test_searches_in_vain_are_counted_by_words_without_numbers_or_who_searched(
    desk: Callable[..., Desk], writer: Desk, chief: Desk
):
    agent = desk(Role.agent)
    gap = agent.misses("充电桩 安装")
    assert agent.misses("充电桩　安装！") == writer.misses("充电桩 安装", useless=True) == gap
    agent.misses("王先生 138 0013 8000 养犬登记")
    assert [agent.misses(nothing) for nothing in ("13800138000", "", "。", "水", "😀")] == [None] * 5
    assert writer.gaps() == [("充电桩 安装", 2, 1, "open"), ("王先生 养犬登记", 1, 0, "open")]
    with pytest.raises(Forbidden):
        agent.gaps()


def test_a_search_in_vain_is_claimed_by_one_and_closed_with_its_answer_or_a_word(
    desk: Callable[..., Desk], writer: Desk, chief: Desk
):
    gap = writer.misses("充电桩安装") or 0
    other = desk(Role.dispatcher)
    writer.settles(gap, GapStep.claim)
    with pytest.raises(Refused) as caught:
        other.settles(gap, GapStep.close, note="x")
    assert caught.value.code == "taken"
    for nothing in ({}, {"article_id": 4711}):
        with pytest.raises(BadInput):
            writer.settles(gap, GapStep.close, **nothing)
    writer.settles(gap, GapStep.close, article_id=published(writer, chief))
    assert writer.gaps()[0][-1] == GapState.closed
    writer.misses("充电桩安装")
    assert writer.gaps()[0][-1] == GapState.open, "what was thought to answer it does not"


def test_a_long_and_odd_search_in_vain_is_kept_within_its_column(writer: Desk):
    writer.misses("a停" * 5_000)
    writer.misses("㍿" * 200)
    assert [len(words) <= 200 for words, *_ in writer.gaps()] == [True, True]


def test_the_starter_set_is_published_once_and_answers_what_callers_ask(db: Database, desk: Callable[..., Desk]):
    with db.session() as session:
        count = load(session, ZONE, now=NOW)
    with db.session() as session:
        assert load(session, ZONE, now=NOW) == 0
    assert count >= 40
    agent, leader = desk(Role.agent), desk(Role.city_leader)

    def first(who: Desk, text: str) -> str:
        found = who.finds(text)
        return str(who.reads(found[0])["versions"][0]["title"]) if found else ""

    assert first(agent, "停水") == "突然停水、水管爆裂怎么报修"
    assert first(agent, "医保斷繳") == "医保断缴以后还能报销吗"
    assert first(agent, "ＨＰＶ") == "HPV疫苗接种预约"
    assert first(agent, "我家暖气片不热室温只有十五度") == "冬季供暖不热怎么投诉"
    assert (first(agent, "记者采访"), first(leader, "记者采访")) == ("坐席内部：媒体来电采访怎样应答", "")


def test_rest_searches_notes_writes_reviews_and_counts(browser: Callable[..., Browser]):
    chief, writer, agent = browser(Role.supervisor), browser(Role.dispatcher), browser(Role.agent, agent_id="1001")
    days = {"review_on": (datetime.now(UTC) + 90 * DAY).date().isoformat()}
    body = {"title": "停水通知", "phone_answer": "请先储水。", **days}
    assert agent.send("POST", "/api/knowledge/articles", json=body).status_code == 403
    made = writer.send("POST", "/api/knowledge/articles", json=body)
    assert made.status_code == 201, made.text
    path = f"/api/knowledge/articles/{made.json()['id']}"
    changed = writer.send("PATCH", path, json={**body, "question": "停水吗", "revision": 1}).json()
    assert changed["versions"][0]["revision"] == 2
    stale = writer.send("PATCH", path, json={**body, "revision": 1})
    assert (stale.status_code, stale.json()["current"]["question"]) == (409, "停水吗")
    assert writer.send("POST", f"{path}/steps", json={"step": "submit", "revision": 2}).status_code == 200
    assert [one["title"] for one in chief.get("/api/knowledge/articles?view=review").json()["items"]] == ["停水通知"]
    assert chief.send("POST", f"{path}/steps", json={"step": "approve", "revision": 2}).status_code == 200
    (hit,) = agent.send("POST", "/api/knowledge/search", json={"q": "停水"}).json()["items"]
    assert hit["title"] == [{"text": "停水", "found": True}, {"text": "通知", "found": False}]
    assert agent.send("POST", f"{path}/uses", json={"call_id": "h-1.1", "helped": True}).json()["helped"] == 1
    assert agent.get("/api/knowledge/search?q=停水").status_code in (404, 405), "words stand in no address"
    typing = agent.send("POST", "/api/knowledge/search", json={"q": "充电桩"}).json()
    done = agent.send("POST", "/api/knowledge/search", json={"q": "充电桩", "done": True}).json()
    assert (typing, done) == ({"items": [], "noted": False}, {"items": [], "noted": True})
    assert agent.send("POST", "/api/knowledge/gaps", json={"q": "充电桩"}).json() == {"noted": True}
    (gap,) = writer.get("/api/knowledge/gaps?state=open").json()["items"]
    assert (gap["words"], gap["missed"], gap["useless"]) == ("充电桩", 1, 1)
    answer = {"step": "close", "article_id": made.json()["id"]}
    assert writer.send("POST", f"/api/knowledge/gaps/{gap['id']}/steps", json=answer).json()["state"] == "closed"
