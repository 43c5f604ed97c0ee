"""Documents over HTTP, on both databases: what stands in them, who gets them, what is hidden, what the audit says."""

from __future__ import annotations

import io
import itertools
import zipfile
from collections.abc import Callable
from typing import Any

import docx
import pypdfium2
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
from app.settings import Settings
from app.units import service as units
from app.units.fields import Phone
from app.units.model import PhoneKind
from tests.case_kit.world import World
from tests.integration.web_browser import Browser

SeenBy = Callable[[str], Browser]
SECRETS = ("13800138000", "138 0013 8000", "王小明", "幸福里")
FORMS = ("docx", "pdf")
DOCUMENTS = [f"{kind}.{form}" for kind, form in itertools.product(("order", "letter"), FORMS)]


@pytest.fixture
def world(db: Database) -> World:
    """A small city on this database."""
    return World(db)


@pytest.fixture
def seen_by(client: TestClient, world: World) -> SeenBy:
    """A browser in which that person has signed in."""

    def open_(who: str) -> Browser:
        one = Browser(TestClient(client.app, base_url="http://hotline.test", raise_server_exceptions=False))
        assert one.sign_in(world.people[who].name).status_code == 200
        return one

    return open_


def read(form: str, data: bytes) -> str:
    """Everything that the document says, its properties and foot too."""
    if form == "pdf":
        pages = pypdfium2.PdfDocument(data)
        properties = " ".join(pages.get_metadata_dict().values())
        return "\n".join([properties, *(page.get_textpage().get_text_bounded() for page in pages)])
    made = docx.Document(io.BytesIO(data))
    cells = [cell.text for table in made.tables for row in table.rows for cell in row.cells]
    lines = [paragraph.text for paragraph in (*made.paragraphs, *made.sections[0].footer.paragraphs)]
    return "\n".join([made.core_properties.title, *lines, *cells])


def parts(data: bytes) -> list[bytes]:
    """The bytes as they are, and those of every file inside a docx."""
    if not data.startswith(b"PK"):
        return [data]
    with zipfile.ZipFile(io.BytesIO(data)) as folder:
        return [data, *(folder.read(name) for name in folder.namelist())]


def squeezed(text: str) -> str:
    """Without what lines and pages put between characters."""
    return "".join(text.split()).replace("\u200b", "").replace("\ufffe", "")


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


@pytest.mark.parametrize("form", FORMS)
def test_an_order_says_what_a_unit_has_to_know(world: World, seen_by: SeenBy, form: str):
    case_id = world.case()
    world.act("taker", loop.set_items, case_id, ["路灯不亮", "树枝遮挡路灯"])
    world.act("taker", loop.submit, case_id)
    gift = Gift(world.units["WATER"], instructions="请三日内办结，注意安全")
    world.act("dispatcher", giving.dispatch, case_id, HandlingWay.written, [gift])
    work_id = world.work_of(case_id, "WATER")
    shown = fetched(seen_by("WATER.handler"), work_id, f"order.{form}")
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
    for text in (*asked, *citizen, *frame, world.people["dispatcher"].display_name):
        assert text in shown, text
    assert "24:00前" in shown  # of the last working day
    assert "保密件" not in shown
    assert "（未审签）" not in shown


@pytest.mark.parametrize("form", FORMS)
def test_the_second_page_is_filled_when_the_unit_has_replied(world: World, seen_by: SeenBy, form: str):
    case_id, [work_id] = world.dispatched("WATER")
    chief = seen_by("WATER.leader")
    assert "已修复全部" not in fetched(chief, work_id, f"order.{form}")
    world.handed_in(case_id, "WATER", next_step="每周巡查", opinion_why="")
    shown = fetched(chief, work_id, f"order.{form}")
    done = ("已修复全部6盏路灯。", "更换灯泡并检修线路。", "已更换灯泡，照明恢复正常。", "每周巡查", "电话联系", "满意")
    signed = ("李工", "同意", "已在系统内加盖单位印章", world.people["WATER.leader"].display_name)
    for text in (*done, *signed):
        assert text in shown, text


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


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_confidential_case_leaves_no_trace_of_its_citizen_for_the_unit(world: World, seen_by: SeenBy, name: str):
    told = "我是王小明，电话 138 0013 8000，住幸福里5号，隔壁施工扰民"
    case_id = world.case(confidential=True, content=told, title="王小明反映施工扰民")
    _, [work_id] = world.dispatched("WATER", case_id=case_id)
    world.handed_in(
        case_id, "WATER", measures="已联系王小明（13800138000）", letter="尊敬的王小明：\n幸福里 5 号已办结"
    )
    answer = seen_by("WATER.handler").get(f"/api/assignments/{work_id}/{name}")
    assert answer.status_code == 200
    shown = squeezed(read(name.rsplit(".", 1)[1], answer.content))
    for secret in SECRETS:
        assert squeezed(secret) not in shown, secret
        assert not any(secret.encode() in part for part in parts(answer.content))
    assert "保密件" in shown or name.startswith("letter")
    assert not [secret for secret in SECRETS if secret in answer.headers["content-disposition"]]
    letter = drafted(seen_by("WATER.handler"), work_id)["letter"]
    assert letter.startswith("尊敬的市民：")
    assert not [secret for secret in SECRETS if squeezed(secret) in squeezed(letter)]
    # Whoever may see the citizen gets the same document whole.
    world.people["duty"] = world.somebody(Role.duty_leader)
    assert "王小明" in fetched(seen_by("duty"), work_id, name)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_for_those_who_see_the_assignment(world: World, seen_by: SeenBy, client: TestClient, name: str):
    case_id, [work_id] = world.dispatched("WATER")
    world.handed_in(case_id, "WATER", letter="尊敬的市民：\n已办结")
    path = f"/api/assignments/{work_id}/{name}"
    assert seen_by("CITY.handler").get(path).status_code == 404
    assert TestClient(client.app, base_url="http://hotline.test").get(path).status_code == 401
    assert seen_by("head").get(path).status_code == 200
    assert seen_by("head").get(f"/api/assignments/{work_id + 99}/{name}").status_code == 404
    draft = seen_by("CITY.handler").send("POST", f"/api/assignments/{work_id}/letter-draft", json={})
    assert draft.status_code == 404


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


@pytest.mark.parametrize("form", FORMS)
def test_bad_input_stays_text_in_a_document_that_stays_a_document(world: World, seen_by: SeenBy, form: str):
    html = "<script>alert('1')</script><b>急</b>&nbsp;"
    matter = {
        "type": "complaint",
        "title": "长" * 200,
        "content": html + "#set text(red) {number} \x07\x00\u202e" + "路灯不亮。" * 3_900,
    }
    case_id = world.case(matter)
    world.act("taker", loop.set_items, case_id, [f"事项{at}" + "细" * 400 for at in range(1, 31)])
    _, [work_id] = world.dispatched("WATER", case_id=case_id)
    shown = fetched(seen_by("WATER.handler"), work_id, f"order.{form}")
    assert squeezed(html) in shown
    assert "#settext(red){number}" in shown
    assert "30.事项30" in shown
    assert "长" * 200 in shown
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
