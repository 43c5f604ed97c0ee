"""Articles that are a unit's, on both databases: who writes, passes, publishes, reads them, and who is asked when."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from app.actor import Actor
from app.auth.model import Role
from app.errors import BadInput, Forbidden, NotFound, Refused
from app.knowledge import asking, finding, gaps, reading, service, standing, uses, views
from app.knowledge.finding import View
from app.knowledge.model import Content, GapStep, Step
from app.notices import inbox
from app.units import members
from app.units.model import MemberRole
from tests.case_kit.world import START, World
from tests.integration.web_browser import SeenBy

ZONE = ZoneInfo("Asia/Shanghai")
TODAY = date(2026, 11, 24)
DAY = timedelta(days=1)
WATER = Content(title="停水怎么查", phone_answer="请先储水。", review_on=TODAY + 90 * DAY)


class City:
    """The small city at work on its knowledge base, one transaction a step."""

    def __init__(self, world: World) -> None:
        self.world, self.now = world, START

    def of(self, who: str) -> Actor:
        return self.world.people[who]

    def write(self, who: str, content: Content = WATER, gap: int | None = None) -> int:
        with self.world.db.session() as session:
            made = service.create(session, self.of(who), content, ZONE, gap_id=gap, now=self.now)
            return made.id or 0

    def edit(self, who: str, article: int, content: Content, revision: int = 1) -> None:
        with self.world.db.session() as session:
            service.edit(session, self.of(who), article, revision, content, ZONE, now=self.now)

    def take(self, who: str, article: int, *steps: Step, **more: Any) -> None:
        for step in steps:
            with self.world.db.session() as session:
                service.take(session, self.of(who), article, step, more.pop("revision", 1), ZONE, now=self.now, **more)

    def published(self, content: Content = WATER, gap: int | None = None) -> int:
        article = self.write("WATER.handler", content, gap)
        self.take("WATER.handler", article, Step.submit)
        self.take("WATER.leader", article, Step.vet)
        self.take("head", article, Step.approve)
        return article

    def give(self, who: str, article: int, code: str | None) -> None:
        with self.world.db.session() as session:
            unit = self.world.units[code] if code else None
            service.give(session, self.of(who), article, unit, now=self.now)

    def reads(self, who: str, article: int) -> dict[str, Any]:
        with self.world.db.read() as session:
            actor = self.of(who)
            return views.article(session, actor, reading.seen(session, actor, article), ZONE, now=self.now)

    def steps(self, who: str, article: int) -> list[str]:
        return list(self.reads(who, article)["versions"][0]["steps"])

    def lists(self, who: str, view: View, unit: str = "") -> list[int]:
        with self.world.db.read() as session:
            wanted = self.world.units[unit] if unit else None
            page = finding.listed(session, self.of(who), view, ZONE, unit=wanted, now=self.now)
            return [article.id or 0 for article, _ in page.items]

    def finds(self, who: str, text: str) -> list[int]:
        with self.world.db.read() as session:
            return [one.article.id or 0 for one in finding.search(session, self.of(who), text, now=self.now)]

    def misses(self, who: str, text: str) -> int:
        with self.world.db.session() as session:
            row = gaps.note(session, self.of(who), text, now=self.now)
            return (row.id or 0) if row else 0

    def settle(self, who: str, gap: int, step: GapStep, **more: Any) -> None:
        with self.world.db.session() as session:
            gaps.take(session, self.of(who), gap, step, now=self.now, **more)

    def gaps(self, who: str) -> list[tuple[str, str]]:
        with self.world.db.read() as session:
            return [(row.words, row.state) for row in gaps.listed(session, self.of(who)).items]

    def standing(self, who: str) -> list[tuple[str, int, int, int, int, int]]:
        with self.world.db.read() as session:
            rows = standing.of_units(session, self.of(who), ZONE, now=self.now)
            return [(one.name, one.articles, one.due, one.late, one.vet, one.gaps) for one in rows]

    def told(self, who: str) -> list[str]:
        with self.world.db.read() as session:
            return [row.kind for row in reversed(inbox.notices(session, self.of(who)).items)]


@pytest.fixture
def city(world: World) -> City:
    return City(world)


def test_a_units_article_is_written_there_passed_by_its_leader_and_published_by_the_centre(city: City):
    article = city.write("WATER.handler")
    told = city.reads("WATER.handler", article)
    assert (told["owner_unit_name"], told["versions"][0]["unit_name"]) == ("水务局", "水务局")
    assert city.steps("WATER.leader", article) == ["edit", "submit", "discard"]
    city.take("WATER.handler", article, Step.submit)
    assert (city.lists("WATER.leader", View.vet), city.lists("head", View.review)) == ([article], [])
    assert (city.told("WATER.leader"), city.told("WATER.handler")) == (["article_to_vet"], [])
    for who in ("WATER.handler", "head", "dispatcher"):
        assert "vet" not in city.steps(who, article)
        with pytest.raises(Forbidden):
            city.take(who, article, Step.vet)
    with pytest.raises(Refused):
        city.take("head", article, Step.approve)
    city.take("WATER.leader", article, Step.send_back, reason="写明送水点")
    city.edit("WATER.leader", article, replace(WATER, phone_answer="请先储水，送水点见公告。"))
    city.take("WATER.handler", article, Step.submit, revision=2)
    with pytest.raises(Refused) as caught:
        city.take("WATER.leader", article, Step.vet, revision=2)
    assert caught.value.code == "own_work"
    city.world.people["WATER.second"] = city.world.member("WATER", MemberRole.leader)
    city.take("WATER.second", article, Step.vet, revision=2)
    with pytest.raises(Forbidden):
        city.take("WATER.leader", article, Step.approve, revision=2)
    assert (city.lists("head", View.review), city.finds("taker", "停水")) == ([article], [])
    city.take("head", article, Step.approve, revision=2)
    assert [city.finds(who, "停水") for who in ("taker", "CITY.handler", "mayor")] == [[article]] * 3
    city.take("WATER.leader", article, Step.confirm, revision=2, review_on=TODAY + 120 * DAY)
    city.take("WATER.handler", article, Step.revise, revision=2)
    assert [one["state"] for one in city.reads("WATER.handler", article)["versions"]] == ["draft", "published"]
    city.take("WATER.handler", article, Step.submit)
    city.take("WATER.leader", article, Step.vet)
    city.take("head", article, Step.approve)
    assert [one["state"] for one in city.reads("WATER.handler", article)["versions"]] == ["published", "replaced"]


def test_a_unit_sees_no_draft_of_another_nothing_internal_and_nobodys_name_behind_it(city: City):
    db = city.world.db
    mine, theirs = city.published(), city.write("CITY.handler", replace(WATER, title="停水占道"))
    internal = city.write("dispatcher", replace(WATER, title="停水内部口径", internal=True))
    centre = city.write("dispatcher", replace(WATER, title="停水草稿"))
    city.take("dispatcher", internal, Step.submit)
    city.take("head", internal, Step.approve)
    city.take("WATER.handler", mine, Step.revise)
    seen = {"CITY.handler": {mine, theirs}, "CITY.leader": {mine, theirs}, "WATER.leader": {mine}, "mayor": {mine}}
    seen |= {who: {mine} for who in ("WATER-S.handler", "WATER-S.leader")}
    seen |= {who: {mine, internal} for who in ("taker", "auditor")}
    for who, able in seen.items():
        for article in (mine, theirs, internal, centre):
            if article in able:
                city.reads(who, article)
                continue
            for ask in (city.reads, city.steps):
                with pytest.raises(NotFound):
                    ask(who, article)
    foreign = city.reads("CITY.leader", mine)
    assert [(one["state"], one["steps"]) for one in foreign["versions"]] == [("published", [])]
    names = [foreign["versions"][0][f"{what}_by_name"] for what in ("written", "submitted", "vetted", "decided")]
    assert names == [None] * 4
    with db.read() as session:
        rows = finding.listed(session, city.of("CITY.leader"), View.published, ZONE, now=city.now).items
        listed = [views.row(city.of("CITY.leader"), pair, {1: "某人", 2: "某人"}, {}, TODAY) for pair in rows]
    assert [(row["id"], row["written_by_name"]) for row in listed] == [(mine, None)]
    for view in View:
        in_unit = {*city.lists("CITY.leader", view), *city.lists("CITY.leader", view, unit="WATER")}
        assert in_unit <= ({mine} if view is View.published else {theirs}), view
        if view is not View.published:
            with pytest.raises(Forbidden):
                city.lists("mayor", view)
    assert city.lists("WATER.handler", View.own) == [mine]
    assert city.lists("head", View.own, unit="CITY") == [theirs]
    for who, step, error in (
        ("CITY.leader", Step.revise, Forbidden),
        ("CITY.leader", Step.confirm, Forbidden),
        ("WATER.leader", Step.withdraw, Forbidden),
        ("mayor", Step.revise, (Forbidden, Refused)),
        ("taker", Step.revise, (Forbidden, Refused)),
    ):
        with pytest.raises(error):
            city.take(who, mine, step, reason="x", review_on=TODAY + 9 * DAY)
    with pytest.raises(BadInput):
        city.write("WATER.handler", replace(WATER, unit_id=city.world.units["CITY"]))
    with pytest.raises((Forbidden, BadInput)):
        city.write("WATER.handler", replace(WATER, internal=True))
    for who in ("WATER.handler", "CITY.leader"):
        with pytest.raises(Forbidden), db.session() as session:
            uses.read_out(session, city.of(who), mine, helped=True)
        with pytest.raises(Forbidden):
            city.misses(who, "充电桩安装")
    outsider = city.world.somebody(Role.unit_handler)
    city.world.people["outsider"] = outsider
    assert (city.lists("outsider", View.own), city.finds("outsider", "停水")) == ([], [mine])
    with pytest.raises(Forbidden):
        city.write("outsider")


def test_the_centre_gives_an_article_to_a_unit_and_what_was_written_before_stays_its_own(city: City):
    article = city.write("dispatcher", replace(WATER, title="停水旧稿"))
    city.take("dispatcher", article, Step.discard)
    city.give("dispatcher", article, "WATER")
    with pytest.raises(NotFound):
        city.reads("WATER.handler", article)
    inner = city.write("dispatcher", replace(WATER, internal=True))
    for unit in ("WATER", "C"):
        with pytest.raises(BadInput) as caught:
            city.give("dispatcher", inner, unit)
        assert caught.value.fields.keys() == {"unit_id"}
    kept = city.write("dispatcher")
    with pytest.raises(Forbidden):
        city.give("WATER.leader", kept, "WATER")
    city.give("dispatcher", kept, "WATER")
    city.take("dispatcher", kept, Step.submit)
    with pytest.raises(Refused):
        city.give("dispatcher", kept, "CITY")
    city.take("WATER.leader", kept, Step.recall)
    for wrong in ({"internal": True, "unit_id": city.world.units["WATER"]}, {"unit_id": 4711}):
        with pytest.raises(BadInput):
            city.edit("dispatcher", kept, replace(WATER, **wrong))
    city.edit("WATER.handler", kept, WATER)
    assert city.reads("WATER.handler", kept)["owner_unit_name"] == "水务局"
    with pytest.raises(Forbidden):
        city.edit("WATER.handler", kept, replace(WATER, unit_id=city.world.units["CITY"]))
    city.edit("dispatcher", kept, replace(WATER, unit_id=city.world.units["CITY"]))
    with pytest.raises(NotFound):
        city.reads("WATER.leader", kept)
    assert city.reads("CITY.handler", kept)["versions"][0]["unit_name"] == "城管局"


def test_the_unit_of_what_is_due_is_asked_once_for_each_day_and_the_centre_sees_who_is_late(city: City):
    db, article = city.world.db, city.published()
    city.write("CITY.handler")

    def swept() -> int:
        return asking.ask_units(db, ZONE, city.now)

    assert (swept(), city.lists("WATER.handler", View.due)) == (0, [])
    city.now = START + 61 * DAY
    assert (swept(), swept()) == (2, 0)
    assert city.told("WATER.handler") == ["article_due"]
    assert city.lists("WATER.handler", View.due) == city.lists("head", View.due, unit="WATER") == [article]
    assert city.lists("CITY.handler", View.due) == city.lists("head", View.due, unit="CITY") == []
    assert city.standing("head") == [("水务局", 1, 1, 0, 0, 0)]
    city.now = START + 91 * DAY
    late = city.world.people["WATER.new"] = city.world.member("WATER", MemberRole.handler)
    assert (swept(), swept()) == (3, 0)
    assert (city.told("WATER.leader"), city.told("WATER.new")) == (
        ["article_to_vet", "article_due", "article_late"],
        ["article_late"],
    )
    assert city.standing("head")[0] == ("水务局", 1, 1, 1, 0, 0)
    assert city.standing("CITY.leader") == [("城管局", 0, 0, 0, 0, 0)]
    for who in ("taker", "mayor", "auditor"):
        with pytest.raises(Forbidden):
            city.standing(who)
    later = city.now.date() + 90 * DAY
    city.take("WATER.leader", article, Step.confirm, review_on=later)
    assert (swept(), city.standing("head")) == (0, [("水务局", 1, 0, 0, 0, 0)])
    with db.session() as session:
        row = next(one.row for one in members.listed(session, city.of("head"), city.world.units["WATER"])
                   if one.user.id == late.user_id)  # fmt: skip
        members.end(session, city.of("dispatcher"), city.world.units["WATER"], row.id or 0)
    city.world.people["WATER.new"] = replace(late, unit_ids=frozenset())
    assert city.told("WATER.new") == [], "who left a unit reads its notices no more"


def test_a_search_in_vain_is_given_to_a_unit_which_answers_it_or_hands_it_back(city: City):
    first, second = city.misses("taker", "二次供水 水箱"), city.misses("taker", "井盖")
    water = city.world.units["WATER"]
    for who in ("WATER.handler", "CITY.leader"):
        with pytest.raises(NotFound):
            city.settle(who, first, GapStep.give, unit_id=water)
    with pytest.raises(BadInput):
        city.settle("dispatcher", first, GapStep.give)
    for gap in (first, second):
        city.settle("dispatcher", gap, GapStep.give, unit_id=water)
    assert city.told("WATER.handler") == ["gap_given"] * 2
    assert (len(city.gaps("WATER.leader")), city.gaps("CITY.leader")) == (2, [])
    for who in ("taker", "mayor"):
        with pytest.raises(Forbidden):
            city.gaps(who)
    with pytest.raises(BadInput):
        city.settle("WATER.handler", second, GapStep.hand_back)
    with pytest.raises(BadInput):
        city.settle("WATER.handler", second, GapStep.close, note="不写")
    city.settle("WATER.handler", second, GapStep.hand_back, note="井盖归城管局")
    with pytest.raises(NotFound):
        city.write("CITY.handler", gap=first)
    city.published(replace(WATER, title="二次供水水箱多久清洗"), gap=first)
    assert sorted(city.gaps("dispatcher")) == [("二次供水 水箱", "closed"), ("井盖", "open")]
    assert city.gaps("WATER.handler") == [("二次供水 水箱", "closed")]
    city.misses("taker", "二次供水 水箱")
    assert city.gaps("WATER.handler") == [], "what was thought to answer it does not: the centre decides again"
    with city.world.db.read() as session:
        columns = [column["name"] for column in sa.inspect(session.connection()).get_columns("knowledge_gap")]
    assert not [name for name in columns if name in ("user_id", "searched_by", "noted_by")]


def test_rest_tells_every_role_no_more_than_that(city: City, seen_by: SeenBy):
    article, gap = city.published(), city.misses("taker", "水箱清洗")
    draft = city.write("CITY.handler", replace(WATER, title="占道草稿"))
    city.settle("dispatcher", gap, GapStep.give, unit_id=city.world.units["WATER"])
    paths = {
        "own": "/api/knowledge/articles?view=own", "drafts": "/api/knowledge/articles?view=drafts",
        "units": "/api/knowledge/units", "gaps": "/api/knowledge/gaps",
        "draft": f"/api/knowledge/articles/{draft}", "article": f"/api/knowledge/articles/{article}",
    }  # fmt: skip
    nobody = {"own": 403, "drafts": 403, "units": 403, "gaps": 403, "draft": 404, "article": 200}
    unit = dict.fromkeys(paths, 200) | {"draft": 404}
    wanted = {"taker": nobody, "mayor": nobody, "auditor": nobody, "WATER.handler": unit, "WATER.leader": unit}
    wanted |= {who: unit | {"draft": 200} for who in ("dispatcher", "head", "leader", "CITY.handler", "CITY.leader")}
    wanted |= {"supervisor": wanted["head"], "quality": nobody, "admin": nobody, "citizen": dict.fromkeys(paths, 403)}
    for name in ("supervisor", "quality", "admin", "citizen"):
        city.world.people[name] = city.world.somebody(Role(name))
    assert {role for who in wanted for role in city.of(who).roles} == set(Role)
    for who, expected in wanted.items():
        one = seen_by(who)
        answers = {name: one.get(path) for name, path in paths.items()}
        assert {name: answer.status_code for name, answer in answers.items()} == expected, who
        if who.startswith("WATER"):
            assert "占道草稿" not in "".join(answer.text for answer in answers.values())
            (row,) = answers["gaps"].json()["items"]
            assert (row["words"], row["steps"], row["claimed_by_name"]) == ("水箱清洗", ["hand_back", "close"], None)
        if who.startswith("CITY"):
            assert "水箱" not in answers["gaps"].text
    handler = seen_by("WATER.handler")
    searched = handler.send("POST", "/api/knowledge/search", json={"q": "没有的事", "done": True}).json()
    assert searched == {"items": [], "noted": False}
    owner = f"/api/knowledge/articles/{article}/owner"
    assert handler.send("PUT", owner, json={"unit_id": None}).status_code == 403
    assert seen_by("dispatcher").send("PUT", owner, json={"unit_id": None}).json()["owner_unit_id"] is None
    told = handler.get("/api/notices").json()["items"]
    assert [(one["kind"], one["case_id"], one["unit"]) for one in told] == [("gap_given", None, "水务局")]
    assert "水箱" not in str(told)
