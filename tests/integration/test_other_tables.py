"""Knowledge and the roster as tables: tried first, every fault by row and column, what goes out comes in unchanged."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import Session, col, select

from app import bringing_in
from app.actor import Actor
from app.audit.tables import AuditEntry
from app.auth.model import Role
from app.auth.tables import User
from app.db import Database
from app.knowledge import exchange as articles
from app.knowledge import finding, gaps
from app.knowledge.finding import View
from app.knowledge.starter import load
from app.roster import exchange as turns
from app.roster import service as roster
from tests.integration.web_browser import Browser, People

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
TODAY = date(2026, 11, 24)
HEAD = "标题,电话答复,类型,内部,复核日期\r\n"


def audited(session: Session, action: str) -> list[dict[str, Any]]:
    wanted = select(AuditEntry).where(AuditEntry.action == action).order_by(col(AuditEntry.id))
    return [dict(row.detail) for row in session.exec(wanted).all()]


def test_knowledge_comes_in_as_drafts_and_goes_out_as_it_is_told(db: Database, person: People):
    writer, plain = person(Role.section_head), person(Role.city_leader)
    wrong = HEAD + "停水,请储水。,公告,,昨天\r\n停水,,政策解答,也许,2020-01-01\r\n"
    with db.session() as session:
        load(session, ZONE, now=NOW)
    tried = articles.import_articles(db, writer, wrong.encode(), ZONE, dry_run=False, now=NOW)
    assert {(one.row, one.column) for one in tried.faults} == {
        *((2, "类型"), (2, "复核日期"), (3, "标题"), (3, "电话答复"), (3, "内部")),
    }
    out = articles.export_articles(db, writer)
    again = articles.import_articles(db, writer, out, ZONE, dry_run=False, now=NOW)
    assert (again.created, again.faults, again.unchanged > 5) == ([], [], True)
    hidden = len(articles.export_articles(db, plain)) < len(out)
    assert hidden, "what is internal does not leave with everybody"
    right = (HEAD + "雨后路面积水,请绕行。,公共服务,否,2027-01-05\r\n").encode()
    assert not articles.import_articles(db, writer, right, ZONE, dry_run=True, now=NOW).written
    made = articles.import_articles(db, writer, right, ZONE, dry_run=False, now=NOW)
    assert (made.created, made.written) == (["雨后路面积水"], True)
    with db.read() as session:
        drafts = finding.listed(session, writer, View.drafts, ZONE, now=NOW).items
        assert [(version.title, version.review_on) for _, version in drafts] == [("雨后路面积水", date(2027, 1, 5))]
        assert audited(session, "knowledge.imported") == [{"rows": 1}]
        assert len(audited(session, "knowledge.exported")) == 2


def test_articles_come_in_a_few_at_a_time_and_others_write_meanwhile(
    db: Database, person: People, monkeypatch: pytest.MonkeyPatch
):
    """On SQLite whoever writes keeps everybody else out: a thousand articles did for four seconds, a trial as well."""
    writer, meanwhile = person(Role.section_head), []
    text = (HEAD + "".join(f"停水{n},请储水。,公共服务,否,\r\n" for n in range(5))).encode()
    monkeypatch.setattr(bringing_in, "AT_ONCE", 2)

    def somebody_writes(_seconds: float) -> None:
        with db.session() as session:
            gaps.note(session, writer, f"井盖{len(meanwhile)}", now=NOW)
        meanwhile.append(1)

    monkeypatch.setattr(bringing_in, "time", SimpleNamespace(sleep=somebody_writes))
    with db.session():
        assert len(articles.import_articles(db, writer, text, ZONE, dry_run=True, now=NOW).created) == 5
    assert len(articles.import_articles(db, writer, text, ZONE, dry_run=False, now=NOW).created) == 5
    assert len(meanwhile) == 2
    assert articles.import_articles(db, writer, text, ZONE, dry_run=False, now=NOW).unchanged == 5


def names(db: Database, *actors: Actor) -> list[str]:
    with db.read() as session:
        found = {user.id: user.name for user in session.exec(select(User)).all()}
    return [found[one.user_id] for one in actors]


def test_the_roster_comes_in_by_day_and_post_and_two_change_places(db: Database, person: People):
    head, one, other, stranger = person(Role.section_head), *(person(Role.agent) for _ in range(3))
    a, b, c = names(db, one, other, stranger)
    with db.session() as session:
        for post in ("supervision-1", "leader"):
            roster.set_people(session, head, post, [one.user_id or 0, other.user_id or 0], now=NOW)
        first = f"日期,岗位,账户,备注\r\n2026-11-24,带班领导,{a},\r\n2026/11/24,supervision-1,{b},代班\r\n"
        made = turns.import_turns(session, head, first.encode(), dry_run=False, now=NOW)
        assert (len(made.created), made.written, made.faults) == (2, True, [])
        out = turns.export_turns(session, head, TODAY, TODAY + timedelta(days=6))
        same = turns.import_turns(session, head, out, dry_run=False, now=NOW)
        assert (same.unchanged, same.created, same.changed) == (2, [], [])
        wrong = (
            f"日期,岗位,账户\r\n2026-11-24,leader,{b}\r\n昨天,门卫,{a}\r\n2026-11-25,leader,{c}\r\n"
            f"2026-11-26,leader,{a}\r\n2026-11-26,带班领导,{b}\r\n2028-11-26,leader,{a}\r\n"
        )
        faults = turns.import_turns(session, head, wrong.encode(), dry_run=False, now=NOW).faults
        assert {(fault.row, fault.column) for fault in faults} == {
            *((2, "账户"), (3, "日期"), (3, "岗位"), (4, "账户"), (6, "岗位"), (7, "日期")),
        }
        swapped = f"日期,岗位,账户\r\n2026-11-24,leader,{b}\r\n2026-11-24,supervision-1,{a}\r\n"
        assert len(turns.import_turns(session, head, swapped.encode(), dry_run=False, now=NOW).changed) == 2
        stand = {turn.post: turn.user_id for turn in roster.roster(session, head, TODAY, TODAY).turns}
        assert stand == {"leader": other.user_id, "supervision-1": one.user_id}
        told = {"created": 0, "changed": 0}
        assert audited(session, "roster.imported") == [{**told, "created": 2}, told, {**told, "changed": 2}]
        assert len(audited(session, "roster.exported")) == 1


def test_both_over_http(browser: Callable[..., Browser]):
    head, agent = browser(Role.section_head), browser(Role.agent)
    for name in ("knowledge", "roster"):
        out = head.get(f"/api/{name}/export")
        assert out.headers["content-disposition"] == f'attachment; filename="{name}.csv"'
        sent = {"file": ("x.csv", b"\xff\xff")}
        tried = head.send("POST", f"/api/{name}/import", files=sent).json()
        assert (tried["written"], [one["row"] for one in tried["faults"]]) == (False, [1])
        assert agent.send("POST", f"/api/{name}/import", files=sent).status_code == 403
