"""Reply templates on both databases: whose they are, their versions, what fits a case, and where words came from."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import select

from app.actor import Actor
from app.assignments import judging, views, working
from app.assignments.tables import Assignment
from app.audit.tables import AuditEntry
from app.auth.model import Permission
from app.cases import loop
from app.errors import BadInput, Forbidden, NotFound, Refused, VersionConflict
from app.reply_templates import offering, reading, service
from app.reply_templates.model import Content, Outcome, TemplateAct, TemplateState, Use
from app.reply_templates.offering import Offer
from app.reply_templates.starter import contents, load
from app.settings import Settings
from tests.case_kit.world import World
from tests.integration.web_browser import SeenBy

LAMP = Content(
    "路灯已修复", Use.reply, Outcome.solved, {"result": "{工单编号}“{事项标题}”已修复。"}, keywords=("路灯",)
)


class Office:
    """The small city at work on its templates, one transaction a step."""

    def __init__(self, world: World, settings: Settings) -> None:
        self.world, self.settings = world, settings

    def of(self, who: str) -> Actor:
        return self.world.people[who]

    def write(self, who: str, content: Content = LAMP, unit: str = "") -> int:
        with self.world.db.session() as session:
            wanted = self.world.units[unit] if unit else None
            return service.create(session, self.of(who), content, wanted, now=self.world.now).id or 0

    def edit(self, who: str, template: int, version: int, text: str, **more: Any) -> None:
        content = Content(LAMP.title, LAMP.use, LAMP.outcome, {"result": text}, keywords=LAMP.keywords, **more)
        with self.world.db.session() as session:
            service.edit(session, self.of(who), template, version, content, now=self.world.now)

    def take(self, who: str, template: int, act: TemplateAct, version: int, reason: str = "") -> None:
        with self.world.db.session() as session:
            service.take(session, self.of(who), template, act, version, reason, now=self.world.now)

    def reads(self, who: str, template: int) -> dict[str, Any]:
        with self.world.db.read() as session:
            actor = self.of(who)
            return reading.template_json(session, actor, reading.seen(session, actor, template))

    def lists(self, who: str, **filters: Any) -> list[int]:
        with self.world.db.read() as session:
            return [one.id or 0 for one in reading.listed(session, self.of(who), **filters).items]

    def offered(self, who: str, work_id: int) -> list[Offer]:
        with self.world.db.read() as session:
            return offering.for_work(session, self.of(who), work_id, self.settings, now=self.world.now)


@pytest.fixture
def office(world: World, settings: Settings) -> Office:
    return Office(world, settings)


def test_a_units_template_is_written_there_used_below_it_and_kept_in_versions(office: Office):
    template = office.write("WATER.handler")
    assert office.reads("WATER.leader", template)["acts"] == [TemplateAct.edit, TemplateAct.retire]
    assert office.reads("WATER-S.handler", template)["acts"] == [], "the unit below uses it, and does not change it"
    with pytest.raises(NotFound):
        office.reads("CITY.handler", template)
    for who, expected in (("WATER-S.handler", Forbidden), ("CITY.leader", NotFound), ("taker", Forbidden)):
        with pytest.raises(expected):
            office.edit(who, template, 1, "别人的话。")

    office.edit("WATER.handler", template, 1, "已换灯泡。", note="写明措施")
    office.edit("WATER.handler", template, 2, "已换灯泡。", note="什么也没改")
    office.edit("dispatcher", template, 2, "已更换灯泡。")
    told = office.reads("WATER.handler", template)
    assert [(one["number"], one["parts"]["result"], one["note"]) for one in told["versions"]] == [
        (3, "已更换灯泡。", ""),
        (2, "已换灯泡。", "写明措施"),
        (1, "{工单编号}“{事项标题}”已修复。", ""),
    ]
    assert told["versions"][1]["written_by_name"] == office.of("WATER.handler").display_name
    assert office.reads("WATER-S.handler", template)["versions"][1]["written_by_name"] is None

    with pytest.raises(VersionConflict) as late:
        office.edit("WATER.leader", template, 2, "我也在改。")
    assert late.value.current["version"] == 3
    with pytest.raises(BadInput) as wrong:
        office.edit("WATER.leader", template, 3, "{市民姓名}您好")
    assert "没有“{市民姓名}”" in wrong.value.fields["result"]
    for statement in ("UPDATE reply_template_version SET title = 'x'", "DELETE FROM reply_template_version"):
        with pytest.raises(sa.exc.DBAPIError), office.world.db.session() as session:
            session.execute(sa.text(statement))
    with office.world.db.read() as session:
        rows = [row for row in session.exec(select(AuditEntry)).all() if row.action == "reply_template.changed"]
    assert [(row.detail["step"], row.detail["version"]) for row in rows] == [("create", 1), ("edit", 2), ("edit", 3)]


def test_who_sees_what_and_what_is_retired_is_offered_to_nobody(office: Office):
    own, centre = office.write("WATER.handler"), office.write("dispatcher")
    foreign = office.write("head", unit="CITY")
    assert office.lists("WATER.handler") == [centre, own]
    assert office.lists("WATER-S.leader") == [centre, own]
    assert office.lists("CITY.handler", unit=office.world.units["CITY"]) == [foreign]
    assert office.lists("taker", q="路灯", use=Use.reply, outcome=Outcome.solved) == [foreign, centre, own]
    assert office.lists("taker", q="%") == []
    with pytest.raises(BadInput):
        office.write("WATER.handler", unit="CITY")

    with pytest.raises(BadInput):
        office.take("WATER.leader", own, TemplateAct.retire, 1)
    office.take("WATER.leader", own, TemplateAct.retire, 1, "合并到新模板")
    assert office.lists("WATER.handler") == [centre]
    assert office.lists("WATER.handler", state=TemplateState.retired) == [own]
    with pytest.raises(Refused):
        office.edit("WATER.handler", own, 1, "改不了。")
    _, [work] = office.world.dispatched("WATER")
    assert [one.template.id for one in office.offered("WATER.handler", work)] == [centre]
    office.take("head", own, TemplateAct.restore, 1)
    assert [one.template.id for one in office.offered("WATER.handler", work)] == [own, centre], "its own first"


def test_what_is_offered_is_filled_from_the_case_and_its_source_stays_with_the_reply(
    office: Office, world: World, seen_by: SeenBy
):
    with world.db.session() as session:
        assert (load(session), load(session)) == (len(contents()), 0)
    own = office.write("WATER.handler")
    case_id = world.case(
        {"type": "complaint", "title": "王小明说路灯不亮", "content": "人民路路灯不亮"}, confidential=True
    )
    _, [work, helps] = world.dispatched("WATER", "CITY", case_id=case_id)
    offers = office.offered("WATER.handler", work)
    assert offers[0].template.id == own, "made for its words, and the unit's own"
    assert [one.version.title for one in offers if one.fit is None][:1] != ["路灯照明已修复"]
    with world.db.read() as session:
        number = world.stored(session, case_id).number
    assert offers[0].parts == {"result": f"{number}“王**说路灯不亮”已修复。"}, "nobody's name, also where it was typed"
    first = office.offered("CITY.handler", helps)[0]
    assert first.version.outcome == "co_unit"
    assert "城管局作为协办单位" in first.parts["result"]
    assert all("王小明" not in text for one in offers for text in one.parts.values())

    page = seen_by("WATER.handler")
    shown = page.get(f"/api/assignments/{work}/reply-templates").json()[0]
    assert (shown["source"], shown["fits"], shown["words"]) == (f"template:{own}@1", True, ["路灯"])
    assert seen_by("WATER-S.handler").get(f"/api/assignments/{work}/reply-templates").status_code == 404

    world.work("WATER.handler", working.sign, work)
    fields = world.reply_fields(case_id, template_source=shown["source"], result="【待填：完成日期】修好")
    with pytest.raises(BadInput) as incomplete:
        world.work("WATER.handler", working.submit, work, fields, 0)
    assert incomplete.value.fields == {"result": "还有待填的内容：完成日期 (something is still to be filled in)"}
    with pytest.raises(BadInput):
        world.work("WATER.handler", working.submit, work, {**fields, "template_source": "javascript:1"}, 0)
    office.edit("WATER.leader", own, 1, "换了说法。")
    world.handed_in(case_id, "WATER", **{**fields, "result": f"{number} 已修复。"})
    with world.db.read() as session:
        row = session.get(Assignment, work)
        assert row is not None
        told = views.work_json(session, world.people["head"], world.stored(session, case_id), row)
    assert told["replies"][0]["sources"] == [{"id": own, "version": 1, "title": "路灯已修复", "unit_name": "水务局"}]

    world.handed_in(case_id, "CITY")
    world.act("head", judging.redo_case, case_id, "重新核查")
    assert office.offered("WATER.handler", work)[0].version.outcome == "again"
    answers = seen_by("taker").get(f"/api/cases/{world.case()}/reply-templates/answer").json()
    assert {one["outcome"] for one in answers if one["fits"]} == {"guided"}, "of a complaint, which is no question"
    with pytest.raises(BadInput) as unsaid:
        world.act("taker", loop.answer, world.case(), "已向市民说明：【待填：答复口径】。")
    assert set(unsaid.value.fields) == {"answer"}
    outside = Actor(user_id=None, granted=frozenset({Permission.cases_read, Permission.personal_read}))
    with pytest.raises(Forbidden), world.db.read() as session:
        offering.for_case(session, outside, case_id, Use.answer, office.settings)


def test_a_text_is_tried_on_the_sample_case(seen_by: SeenBy):
    texts = {"use": "reply", "parts": {"result": "{工单编号}\n{姓名}", "measures": "｛今天｝"}}
    tried = seen_by("WATER.handler").send("POST", "/api/reply-templates/check", json=texts).json()
    assert tried["parts"] == {"result": "20261124-000123\n【待填：姓名】", "measures": "2026年11月26日"}
    assert [(one["part"], one["line"]) for one in tried["faults"]] == [("result", 2)]
    assert seen_by("taker").send("POST", "/api/reply-templates/check", json=texts).status_code == 403
    listed = seen_by("taker").get("/api/reply-templates/placeholders").json()
    assert {"name": "今天", "en": "today", "sample": "2026年11月26日"} in listed
    new = {**texts, "title": "新", "outcome": "solved", "parts": {"result": "{姓名}"}}
    answer = seen_by("WATER.handler").send("POST", "/api/reply-templates", json=new)
    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (422, ["result"])
    made = seen_by("WATER.handler").send("POST", "/api/reply-templates", json={**new, "parts": {"result": "好的"}})
    assert (made.status_code, made.json()["unit_name"], made.json()["version"]) == (201, "水务局", 1)
