"""Documents over HTTP, on both databases: what stands in them, who gets them, what is hidden, what the audit says."""

from __future__ import annotations

import io
import itertools
import zipfile
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlmodel import col, select

from app.actor import SYSTEM
from app.assignments import giving, working
from app.assignments.giving import Gift
from app.audit.model import Action
from app.audit.tables import AuditEntry
from app.auth.model import Role
from app.cases import loop
from app.cases.model import HandlingWay
from app.db import Database
from app.faxes.tables import Fax
from app.letters import facts, service
from app.settings import Settings
from app.units import service as units
from app.units.fields import Phone
from app.units.model import PhoneKind
from tests.case_kit.documents import read, squeezed
from tests.case_kit.world import World
from tests.integration.web_browser import Browser, SeenBy

SECRETS = ("13800138000", "138 0013 8000", "王小明", "幸福里")
FORMS = ("docx", "pdf")
DOCUMENTS = [f"{kind}.{form}" for kind, form in itertools.product(("order", "letter"), FORMS)]


def parts(data: bytes) -> list[bytes]:
    """The bytes as they are, and those of every file inside a docx."""
    if not data.startswith(b"PK"):
        return [data]
    with zipfile.ZipFile(io.BytesIO(data)) as folder:
        return [data, *(folder.read(name) for name in folder.namelist())]


def fetched(browser: Browser, work_id: int, name: str) -> str:
    answer = browser.get(f"/api/assignments/{work_id}/{name}")
    assert answer.status_code == 200, answer.text
    return squeezed(read(name.rsplit(".", 1)[1], answer.content))


def drafted(browser: Browser, work_id: int, fields: dict[str, Any] | None = None) -> dict[str, Any]:
    answer = browser.send("POST", f"/api/assignments/{work_id}/letter-draft", json={"fields": fields or {}})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def audited(db: Database) -> list[tuple[str, dict[str, Any]]]:
    wanted = select(AuditEntry).where(col(AuditEntry.action) == Action.case_exported.value).order_by(col(AuditEntry.id))
    with db.read() as session:
        return [(entry.object, entry.detail) for entry in session.execute(wanted).scalars()]


def test_an_order_says_what_a_unit_has_to_know(world: World, seen_by: SeenBy):
    case_id = world.case()
    world.act("taker", loop.set_items, case_id, ["路灯不亮", "树枝遮挡路灯"])
    world.act("taker", loop.submit, case_id)
    gift = Gift(world.units["WATER"], instructions="请三日内办结，注意安全")
    world.act("dispatcher", giving.dispatch, case_id, HandlingWay.written, [gift])
    work_id = world.work_of(case_id, "WATER")
    with world.db.read() as session:
        number = world.stored(session, case_id).number
    asked = ("书面交办", "一般", "投诉", "1.路灯不亮", "2.树枝遮挡路灯", "人民路路灯三天不亮", "请三日内办结，注意安全")
    citizen = ("王小明", "13800138000", "幸福里5号")
    frame = (
        "12345热线受理交办单",
        f"编号：{number}",
        "热线中心",
        "水务局",
        "单位盖章",
        "审签人",
        "2026年11月24日09:00",
    )
    for form in FORMS:
        shown = fetched(seen_by("WATER.handler"), work_id, f"order.{form}")
        for text in (*asked, *citizen, *frame, world.people["dispatcher"].display_name):
            assert text in shown, (form, text)
        assert "24:00前" in shown  # of the last working day
        assert "保密件" not in shown
        assert "（未审签）" not in shown


def test_the_second_page_is_filled_when_the_unit_has_replied(world: World, seen_by: SeenBy):
    case_id, [work_id] = world.dispatched("WATER")
    with world.db.session() as session:
        came = {"received_at": world.now, "taken_at": world.now, "status": "received"}
        session.add(Fax(id=7, call_id="h-7.1", case_id=case_id, **came))
    chief = seen_by("WATER.leader")
    blank = fetched(chief, work_id, "order.pdf")
    assert "1.传真（编号7）" in blank
    assert "已修复全部" not in blank
    world.handed_in(case_id, "WATER", next_step="每周巡查", papers={"fax:7": "照片已核对"})
    done = (
        "已修复全部6盏路灯。",
        "更换灯泡并检修线路。",
        "已更换灯泡，照明恢复正常。",
        "每周巡查",
        "传真（编号7）：照片已核对",
    )
    signed = ("电话联系", "满意", "李工", "同意", "已在系统内加盖单位印章", world.people["WATER.leader"].display_name)
    for form in FORMS:
        shown = fetched(chief, work_id, f"order.{form}")
        for text in (*done, *signed):
            assert text in shown, (form, text)


def test_a_coordinated_order_says_who_leads(world: World, seen_by: SeenBy):
    _, [water, city] = world.dispatched("WATER", "CITY")
    assert "水务局（主办）" in fetched(seen_by("WATER.handler"), water, "order.docx")
    assert "城管局（协办）" in fetched(seen_by("CITY.handler"), city, "order.docx")


def test_an_order_that_was_handed_down_names_the_unit_that_gave_it(world: World, seen_by: SeenBy):
    case_id, [work_id] = world.dispatched("WATER")
    world.work("WATER.handler", working.sign, work_id)
    world.work("WATER.handler", giving.hand_down, work_id, [Gift(world.units["WATER-S"], instructions="今日到场")])
    below = world.work_of(case_id, "WATER-S")
    shown = fetched(seen_by("WATER-S.handler"), below, "order.pdf")
    assert "今日到场" in shown
    assert "交办单位水务局" in shown


def test_what_was_given_by_telephone_has_no_order(world: World, seen_by: SeenBy):
    _, [work_id] = world.dispatched("WATER", way=HandlingWay.telephone)
    answer = seen_by("WATER.handler").get(f"/api/assignments/{work_id}/order.pdf")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "no_order")
    assert audited(world.db) == []


def test_a_letter_is_proposed_edited_kept_and_handed_out(world: World, seen_by: SeenBy):
    with world.db.session() as session:
        values = {"code": "WATER", "kind": "bureau", "name": "水务局"}
        phones = [Phone(PhoneKind.voice, "0571-88886666")]
        units.change(session, SYSTEM, world.units["WATER"], 1, values, phones, now=world.now)
    case_id, [work_id] = world.dispatched("WATER")
    world.work("WATER.handler", working.sign, work_id)
    fields = {**world.reply_fields(case_id, next_step="每周巡查一次。"), "contacted_at": world.now.isoformat()}
    browser = seen_by("WATER.handler")
    none = browser.get(f"/api/assignments/{work_id}/letter.pdf")
    assert (none.status_code, none.json()["error"]["code"]) == (409, "no_letter")

    proposal = drafted(browser, work_id, fields)
    assert proposal["warnings"] == []
    letter = proposal["letter"]
    assert letter.startswith("尊敬的市民王小明：\n\n您好！")
    for text in (
        "路灯不亮",
        "已修复全部 6 盏路灯。",
        "更换灯泡并检修线路。",
        "每周巡查一次。",
        "88886666",
        "12345",
    ):
        assert text in letter, text
    fields["letter"] = letter.replace("您好！", "您好！感谢来电。")
    body = {"version": 0, "fields": fields}
    assert browser.send("PUT", f"/api/assignments/{work_id}/reply", json=body).status_code == 200
    assert browser.get(f"/api/assignments/{work_id}").json()["warnings"] == []

    for form in FORMS:
        shown = fetched(browser, work_id, f"letter.{form}")
        for text in ("水务局回复函", "感谢来电。", "尊敬的市民王小明：", "每周巡查一次。", "（未审签）"):
            assert text in shown, (form, text)
    world.handed_in(case_id, "WATER", next_step="每周巡查一次。")
    assert "（未审签）" not in fetched(browser, work_id, "letter.pdf")


def test_what_is_stored_of_a_reply_is_proposed_without_being_sent_again(world: World, seen_by: SeenBy):
    case_id, [work_id] = world.dispatched("WATER")
    world.handed_in(case_id, "WATER")
    proposal = drafted(seen_by("WATER.leader"), work_id)
    assert "已修复全部 6 盏路灯。" in proposal["letter"]
    assert proposal["warnings"] == []
    with world.db.read() as session:
        [reply] = working.replies_of(session, work_id)
        assert reply.letter == ""


def test_a_proposal_is_never_longer_than_a_letter_may_be_and_keeps_its_end(world: World, seen_by: SeenBy):
    _, [work_id] = world.dispatched("WATER")
    long = {"measures": "检修线路。" * 2000, "result": "已修复。" * 2500, "next_step": "巡查。" * 600}
    letter = drafted(seen_by("WATER.handler"), work_id, long)["letter"]
    assert 9_000 < len(letter) <= 10_000
    assert "日" in letter[-2:]
    assert "水务局" in letter[-20:]


def test_a_confidential_case_leaves_no_trace_of_its_citizen_for_the_unit(world: World, seen_by: SeenBy):
    told = "我是王小明，电话 138 0013 8000，住幸福里5号，隔壁施工扰民"
    case_id = world.case(confidential=True, content=told, title="王小明反映施工扰民")
    _, [work_id] = world.dispatched("WATER", case_id=case_id)
    named = {"measures": "已联系王小明（13800138000）", "letter": "尊敬的王小明：\n幸福里 5 号已办结"}
    world.handed_in(case_id, "WATER", **named)
    world.people["duty"] = world.somebody(Role.duty_leader)
    unit, duty = seen_by("WATER.handler"), seen_by("duty")
    for name in DOCUMENTS:
        answer = unit.get(f"/api/assignments/{work_id}/{name}")
        assert answer.status_code == 200
        shown = squeezed(read(name.rsplit(".", 1)[1], answer.content))
        for secret in SECRETS:
            assert squeezed(secret) not in shown, (name, secret)
            assert not any(secret.encode() in part for part in parts(answer.content))
            assert secret not in answer.headers["content-disposition"]
        if name.startswith("order"):
            assert "保密件" in shown
            assert shown.count("（保密）") >= 3  # name, number, address
        # Whoever may see the citizen gets the same document whole.
        assert "王小明" in fetched(duty, work_id, name)
    proposal = drafted(unit, work_id)
    letter = proposal["letter"]
    assert letter.startswith("尊敬的市民：")
    assert "王**反映施工扰民" in letter
    assert proposal["warnings"] == []
    assert not [secret for secret in SECRETS if squeezed(secret) in squeezed(letter)]
    assert [detail["clear"] for _, detail in audited(world.db)] == [False, True] * len(DOCUMENTS)


def test_an_ordinary_citizen_is_masked_for_those_who_read_no_personal_data(world: World, seen_by: SeenBy):
    _, [work_id] = world.dispatched("WATER")
    shown = fetched(seen_by("auditor"), work_id, "order.docx")
    assert "王**" in shown
    assert "138****8000" in shown
    assert not [secret for secret in SECRETS if squeezed(secret) in shown]


def test_a_document_is_for_those_who_see_the_assignment(world: World, seen_by: SeenBy, client: TestClient):
    case_id, [work_id] = world.dispatched("WATER")
    world.handed_in(case_id, "WATER", letter="尊敬的市民：\n已办结")
    nobody = TestClient(client.app, base_url="http://hotline.test")
    for name in DOCUMENTS:
        path = f"/api/assignments/{work_id}/{name}"
        assert nobody.get(path).status_code == 401
        assert seen_by("CITY.handler").get(path).status_code == 404
        assert seen_by("head").get(path).status_code == 200
        assert seen_by("head").get(f"/api/assignments/{work_id + 99}/{name}").status_code == 404
    draft = seen_by("CITY.handler").send("POST", f"/api/assignments/{work_id}/letter-draft", json={})
    assert draft.status_code == 404
    assert len(audited(world.db)) == len(DOCUMENTS)


def test_every_export_is_audited_by_ids_and_the_file_is_named_by_case_and_unit(world: World, seen_by: SeenBy):
    case_id, [work_id] = world.dispatched("WATER")
    world.handed_in(case_id, "WATER", letter="尊敬的市民：\n已办结")
    browser = seen_by("WATER.handler")
    with world.db.read() as session:
        number = world.stored(session, case_id).number
    for name in DOCUMENTS:
        answer = browser.get(f"/api/assignments/{work_id}/{name}")
        kind, form = name.split(".")
        assert answer.headers["content-disposition"] == f'attachment; filename="{kind}-{number}-WATER.{form}"'
        assert answer.headers["cache-control"] == "private, no-store"
    assert audited(world.db) == [
        (f"assignment:{work_id}", {"document": kind, "form": form, "case": case_id, "clear": True})
        for kind, form in itertools.product(("order", "letter"), FORMS)
    ]


@pytest.mark.parametrize("db_url", ["sqlite"], indirect=True)  # which has one writer
def test_a_document_is_gathered_and_written_while_others_write(
    world: World, seen_by: SeenBy, monkeypatch: pytest.MonkeyPatch
):
    _, (work_id,) = world.dispatched("WATER")
    browser = seen_by("WATER.handler")
    gather, make, happened = facts.order_values, service.written, []

    def gathering(seen: facts.Seen) -> dict[str, str]:
        with world.db.session(wait_s=0):
            happened.append("gathered")
        return gather(seen)

    def making(*args: Any, **more: Any) -> bytes:
        with world.db.session(wait_s=0):
            happened.append(f"made after {len(audited(world.db))} in the audit")
        return make(*args, **more)

    monkeypatch.setattr(facts, "order_values", gathering)
    monkeypatch.setattr(service, "written", making)
    assert browser.get(f"/api/assignments/{work_id}/order.docx").status_code == 200
    assert happened == ["gathered", "made after 1 in the audit"]


def test_bad_input_stays_text_in_a_document_that_stays_a_document(world: World, seen_by: SeenBy):
    html = "<script>alert('1')</script><b>急</b>&nbsp;"
    matter = {
        "type": "complaint",
        "title": "长" * 200,
        "content": html + "#set text(red) {number} \x07\x00\u202e" + "路灯不亮。" * 3_900,
    }
    case_id = world.case(matter)
    world.act("taker", loop.set_items, case_id, [f"事项{at}" + "细" * 400 for at in range(1, 31)])
    _, [work_id] = world.dispatched("WATER", case_id=case_id)
    for form in FORMS:
        shown = fetched(seen_by("WATER.handler"), work_id, f"order.{form}")
        for text in (squeezed(html), "#settext(red){number}", "30.事项30", "长" * 200):
            assert text in shown, (form, text[:20])
        assert shown.count("路灯不亮。") >= 3_800
        assert "\x07" not in shown
        assert "\u202e" not in shown


def test_a_broken_template_of_an_office_is_told_to_whoever_asks(settings: Settings, world: World, seen_by: SeenBy):
    _, [work_id] = world.dispatched("WATER")
    settings.paths.letters.mkdir()
    (settings.paths.letters / "order.yaml").write_text("- title: '{nobody}'\n", encoding="utf-8")
    answer = seen_by("WATER.handler").get(f"/api/assignments/{work_id}/order.pdf")
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "broken_template")
    told = answer.json()["error"]
    assert "hotline letters check" in told["message"]
    assert told["fields"]["order.yaml"].startswith("1: 没有名为 {nobody} 的字段")
    assert audited(world.db) == []
