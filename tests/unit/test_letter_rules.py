"""Documents by themselves: templates and what is wrong with them, words, and what a letter lacks."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import docx
import pypdfium2
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PIL import Image
from typer.testing import CliRunner

from app import tools
from app.assignments import check
from app.assignments.model import Contact, Opinion
from app.cli.main import app as command_line
from app.errors import HotlineError
from app.letters import model, pdf, service, shelf, word, words
from app.letters.model import (
    Cell,
    Document,
    Form,
    Grid,
    Heading,
    Kind,
    Line,
    NewPage,
    Paragraph,
    Place,
    Prose,
    Row,
    paragraphs_of,
)
from app.letters.templates import Fault, fill_layout, fill_wording, read_layout, read_wording
from app.settings import Settings, get_settings
from app.text import clean

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
NUMBER = "20261124-000123"
FORM = Document(
    "受理交办单",
    NUMBER,
    (
        Heading("受理交办单"),
        Line("编号", "保密件"),
        Grid((Row((Cell("诉求内容", label=True), Cell("路灯\n不亮", span=3)), 40), Row((Cell("备注", span=4),)))),
        NewPage(),
        Prose((Paragraph("尊敬的市民：", Place.flush), Paragraph("正文"), Paragraph("水务局", Place.sign))),
    ),
)
WHOLE = {
    "addressee": "尊敬的市民王小明",
    "number": NUMBER,
    "title": "路灯不亮",
    "received": "2026年11月24日",
    "measures": "更换灯泡并检修线路。",
    "result": "已修复全部 6 盏路灯。",
    "answers": "1. 路灯不亮：已更换灯泡。",
    "next_step": "每周巡查一次。",
    "phone": "0571-88886666",
    "hotline": "12345",
    "unit": "市水务局",
    "date": "2026年11月25日",
}


def shipped(name: str) -> str:
    return (shelf.SHIPPED / name).read_text(encoding="utf-8")


def pdf_text(data: bytes) -> str:
    return "\n".join(page.get_textpage().get_text_bounded() for page in pypdfium2.PdfDocument(data))


def told(faults: object) -> list[tuple[int, str]]:
    assert isinstance(faults, list | tuple)
    return [(fault.line, fault.zh) for fault in faults]


# ---- templates


def test_the_templates_that_come_with_the_hotline_have_no_fault():
    settings = get_settings()
    assert [one.name for one in shelf.check(settings)] == list(shelf.FIELDS)
    assert [one.faults for one in shelf.check(settings)] == [()] * len(shelf.FIELDS)


def test_every_field_of_an_order_is_printed_by_the_shipped_template():
    layout = read_layout(shipped("order.yaml"), model.ORDER_FIELDS)
    values = {name: f"<{name}>" for name in model.ORDER_FIELDS}
    printed = str(fill_layout(layout, values, title="t", foot="f"))
    assert {name for name in values if f"<{name}>" not in printed} == {"unit_code", "printed"}


@pytest.mark.parametrize(
    ("text", "line", "zh"),
    [
        ("- title: ok\n- line: [a, '{nummer}']\n", 2, "没有名为 {nummer} 的字段"),
        ("- table:\n    - [a, '{number}']\n    - [b, '{ }']\n", 3, "没有名为 { } 的字段"),
        ("- letter: |\n    a\n    b {wrong} c\n", 3, "没有名为 {wrong} 的字段"),
        ("- titel: a\n", 1, "没有名为“titel”的块"),
        ("- title: a\n- page: old\n", 2, "换页写作 page: new"),
        ("- title: a\n- line: [a, b, c]\n", 2, "line 应有左、右两段文字"),
        ("- table:\n    - [a, b]\n    - [a, b, c]\n", 3, "一行应有 1、2 或 4 格"),
        ("- table:\n    - {cells: [a, b], height: 400}\n", 2, "height 应为 0 至 200 毫米"),
        ("- table:\n    - {cell: [a, b]}\n", 2, "这一行应有 cells，可有 height"),
        ("- table: []\n", 1, "table 应有 1 至 100 行"),
        ("- title: {number}\n", 1, "这里应是一段文字（含 { 时加引号）"),
        ("- a\n", 1, "每一块应写成“名称: 内容”"),
        ("- title: a\n  heading: b\n", 1, "每一块应写成“名称: 内容”"),
        ("title: a\n", 1, "模板应是一个列表"),
        ("", 1, "模板应是一个列表"),
        ("- title: a\n- title: 'b\n", 3, "这一行的 YAML 写法有误"),
    ],
)
def test_a_fault_of_a_layout_is_named_by_its_line(text: str, line: int, zh: str):
    assert told(read_layout(text, {"number"}).faults) == [(line, zh)]


def test_no_fault_hides_another():
    text = "- title: '{a}'\n- titel: x\n- line: ['{b}']\n- table:\n    - ['{c}', '{d}']\n"
    assert [fault.line for fault in read_layout(text, ()).faults] == [1, 2, 3, 5, 5]


def test_a_fault_of_a_wording_is_named_by_its_line_and_remarks_are_no_wording():
    assert told(read_wording("# {anything}\n\n您好\n{wrong}\n", {"right"}).faults) == [(4, "没有名为 {wrong} 的字段")]
    assert told(read_wording("# only this\n", ()).faults) == [(1, "模板里没有内容")]


def test_a_paragraph_whose_field_is_empty_is_left_out():
    wording = read_wording("{unit}好：\n\n下一步：{next_step}\n\n{unit}\n{date}", model.TEXT_FIELDS)
    assert fill_wording(wording, {"unit": "局", "date": "今天", "next_step": " "}) == "局好：\n\n局\n今天"


def test_what_a_value_says_in_braces_is_not_filled_again():
    layout = read_layout("- title: '{title}'\n", {"title", "phone"})
    document = fill_layout(layout, {"title": "{phone}", "phone": "13800138000"}, title="", foot="")
    assert document.blocks == (Heading("{phone}"),)


@given(st.text())
def test_any_text_may_be_read_as_a_template(text: str):
    for fault in [*read_layout(text, ()).faults, *read_wording(text, ()).faults]:
        assert isinstance(fault, Fault)
        assert fault.line >= 1


def test_an_office_has_templates_of_its_own_and_a_broken_one_is_refused_not_passed_over(tmp_path: Path):
    settings = Settings(home=tmp_path)
    own = settings.paths.letters
    own.mkdir()
    (own / "letter.yaml").write_text("- title: 我市回复函\n- letter: '{letter}'\n", encoding="utf-8")
    assert shelf.layout(settings, Kind.letter).parts[0] == Heading("我市回复函")
    (own / "letter.yaml").write_text("- title: '{nobody}'\n", encoding="utf-8")
    with pytest.raises(shelf.BrokenTemplate, match="letters check"):
        shelf.layout(settings, Kind.letter)
    (own / "letter.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(shelf.BrokenTemplate) as broken:
        shelf.wording(settings)
    assert "UTF-8" in broken.value.fields["letter.txt"]
    assert shelf.layout(settings, Kind.order).faults == []


def test_the_command_names_what_is_wrong_where_and_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    own = tmp_path / "letters"
    own.mkdir()
    (own / "order.yaml").write_text("- title: 交办单\n- table:\n    - [编号, '{nummer}']\n", encoding="utf-8")
    (own / "ordre.yaml").write_text("- title: a\n", encoding="utf-8")
    monkeypatch.setenv("HOTLINE_HOME", str(tmp_path))
    get_settings.cache_clear()
    try:
        shown = CliRunner().invoke(command_line, ["letters", "check"], standalone_mode=False)
    finally:
        get_settings.cache_clear()
    assert shown.return_value == 1
    assert "order.yaml:3: 没有名为 {nummer} 的字段" in shown.output
    assert "ordre.yaml:1: 没有这个模板" in shown.output
    assert "2 处有误" in shown.output


# ---- words


def test_an_end_at_midnight_is_said_as_the_end_of_the_day_before():
    midnight = datetime(2026, 12, 1, 16, 0, tzinfo=UTC)  # 00:00 of the 2nd in the city
    assert words.due(midnight, ZONE) == "2026年12月1日 24:00 前"
    assert words.due(midnight, ZONE, provisional=True) == "2026年12月1日 24:00 前（暂定）"
    assert words.due(NOW, ZONE) == "2026年11月24日 09:00 前"
    assert words.due(None, ZONE) == ""


@pytest.mark.parametrize(
    ("name", "begins"),
    [("", "尊敬的市民"), ("王小明", "尊敬的市民王小明"), ("王女士", "尊敬的王女士"), ("李先生", "尊敬的李先生")],
)
def test_whom_a_letter_addresses(name: str, begins: str):
    assert words.addressee(name) == begins


def test_the_lines_of_a_letter_stand_where_letters_have_them():
    text = "尊敬的市民：\n\n您好：情况如下。\n已办结。\n\n市水务局\n2026年11月25日\n"
    places = [(one.place, one.text) for one in paragraphs_of(text)]
    assert [place for place, _ in places] == [Place.flush, Place.body, Place.body, Place.sign, Place.sign]
    assert paragraphs_of("没有称呼。\n没有落款。") == (Paragraph("没有称呼。"), Paragraph("没有落款。"))
    assert paragraphs_of(" \n ") == ()


# ---- what a letter lacks


def complete(letter: str) -> check.Written:
    return check.Written(
        result=WHOLE["result"],
        measures=WHOLE["measures"],
        contact=Contact.phone,
        contacted_at=NOW,
        opinion=Opinion.satisfied,
        letter=letter,
    )


def remarks(letter: str) -> list[str]:
    found = check.warnings(complete(letter), number=NUMBER, units={"水务局", "市水务局"})
    return [one.zh for one in found]


def proposal(**other: str) -> str:
    wording = read_wording(shipped("letter.txt"), model.TEXT_FIELDS)
    return fill_wording(wording, {**WHOLE, **other})


@pytest.mark.parametrize("left_out", ["", "next_step", "phone", "answers"])
def test_a_letter_of_the_shipped_wording_passes(left_out: str):
    assert remarks(proposal(**{left_out: ""} if left_out else {})) == []


@pytest.mark.parametrize(
    ("before", "after", "remark"),
    [
        ("尊敬的市民王小明：\n\n您好！", "", "回复函没有称呼"),
        (NUMBER, "", "回复函没有工单编号"),
        ("2026年11月25日", "", "回复函没有落款日期"),
        ("市水务局\n", "\n", "回复函没有落款单位"),
        ("每周巡查一次", "每周巡查 XX 次", "回复函有未填写的内容：XX"),
        ("更换灯泡", "更换（  ）", "回复函有未填写的内容：（  ）"),
        ("更换灯泡", "更换 {result}", "回复函有未填写的内容：{result}"),
        ("更换灯泡", "<b>更换</b>灯泡", "回复函里有网页代码"),
        ("更换灯泡", "更换&nbsp;灯泡", "回复函里有网页代码"),
    ],
)
def test_what_a_letter_lacks_is_said(before: str, after: str, remark: str):
    letter = proposal()
    assert before in letter
    assert remarks(letter.replace(before, after)) == [remark]


def test_a_letter_that_says_nothing_is_told_all_of_it():
    letter = f"您好！您的工单 {NUMBER} 收悉。我单位高度重视，请您放心。电话 12345。\n市水务局\n2026年11月25日"
    assert remarks(letter) == [
        "回复函没有说明反映的事项",
        "回复函没有说明采取的措施",
        "回复函没有说明结果",
        "回复函没有说明下一步安排",
    ]
    assert "回复函没有联系电话" in remarks(letter.replace("12345", ""))


# ---- docx and PDF


def test_a_docx_holds_the_form_and_names_nobody():
    made = docx.Document(io.BytesIO(word.write(FORM, now=NOW)))
    table = made.tables[0]
    assert table.cell(0, 0).text == "诉求内容"
    assert [one.text for one in table.cell(0, 3).paragraphs] == ["路灯", "不亮"]
    assert table.rows[0].height.mm == pytest.approx(40, abs=0.1)
    assert table.cell(1, 0)._tc is table.cell(1, 3)._tc
    assert (made.core_properties.author, made.core_properties.last_modified_by) == ("", "")
    assert made.core_properties.title == "受理交办单"
    foot = made.sections[0].footer.paragraphs[0]
    assert foot.text.startswith(f"{NUMBER}\t第 ")
    assert [one.get(docx.oxml.ns.qn("w:instr")) for one in foot._p.iter(docx.oxml.ns.qn("w:fldSimple"))] == [
        "PAGE",
        "NUMPAGES",
    ]


def test_a_pdf_shows_chinese_in_fonts_of_its_own():
    data = pdf.write(FORM, get_settings())
    pages = pypdfium2.PdfDocument(data)
    assert len(pages) == 2
    shown = pdf_text(data)
    for text in ("受理交办单", "保密件", "诉求内容", "不亮", "第 1 页 共 2 页", "尊敬的市民："):
        assert text in shown, text
    assert data.count(b"/FontFile3") >= 2  # serif and sans, embedded
    assert b"NotoSerifCJK" in data.replace(b" ", b"")
    assert ink(pages[0].render(scale=1).to_pil()) > 0.005


def ink(picture: Image.Image) -> float:
    """The share of dark points."""
    grey = picture.convert("L").point(lambda value: 255 if value < 128 else 0)
    return grey.histogram()[255] / (grey.width * grey.height)


def test_a_character_that_is_rare_in_names_is_shown_as_itself_and_not_as_a_box():
    def drawn(text: str) -> bytes:
        data = pdf.write(Document("t", "", (Heading(text),)), get_settings())
        return bytes(pypdfium2.PdfDocument(data)[0].render(scale=2).to_pil().tobytes())

    pictures = [drawn(char) for char in ("喆", "堃", "㛃", "龘", "\ue000")]
    assert len(set(pictures)) == len(pictures)


def test_without_its_fonts_a_pdf_is_refused_and_the_remedy_named(tmp_path: Path):
    bare = Settings(home=tmp_path, tools=tmp_path)
    with pytest.raises(tools.ToolMissing, match="make setup"):
        pdf.write(FORM, bare)
    with pytest.raises(HotlineError, match="docx can be had") as refused:
        service.written(service.Paper(FORM, "", {}), Form.pdf, bare)
    assert refused.value.code == "no_fonts"
    assert service.written(service.Paper(FORM, "", {}), Form.docx, bare, now=NOW).startswith(b"PK")


@hypothesis_settings(max_examples=40, deadline=None)
@given(st.text(max_size=300))
def test_any_text_that_is_stored_can_be_written_in_both_forms(text: str):
    shown = clean(text, 300, lines=True)
    paper = Document(shown[:50], NUMBER, (Grid((Row((Cell("a", label=True), Cell(shown, span=3))),)),))
    made = docx.Document(io.BytesIO(word.write(paper, now=NOW)))
    assert made.tables[0].cell(0, 1).text.split() == shown.split()
    assert pdf.write(paper, get_settings()).startswith(b"%PDF-")


def test_what_looks_like_markup_stays_what_was_written():
    said = '<b>急</b> #set text(red) $x$ *fett* _a_ `c` @ref {number} \\ "quoted" // no remark'
    shown = pdf_text(pdf.write(Document("t", "", (Heading(said),)), get_settings()))
    assert shown.split()[: len(said.split())] == said.split()


def test_a_word_that_no_line_can_hold_is_broken_and_does_not_leave_the_paper():
    long = "https://example.test/" + "a" * 2000
    data = pdf.write(Document("t", "", (Grid((Row((Cell("a", label=True), Cell(long, span=3))),)),)), get_settings())
    page = pypdfium2.PdfDocument(data)[0]
    boxes = [page.get_textpage().get_charbox(at) for at in range(500)]
    assert max(right for _, _, right, _ in boxes) < page.get_width() - 50


def test_both_forms_have_a_media_type():
    assert set(model.MEDIA_TYPES) == set(Form)


def test_many_ask_for_a_pdf_at_the_same_moment():
    papers = [Document(str(at), "", (Heading(f"甲{at:02}份"),)) for at in range(12)]
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda paper: pdf.write(paper, get_settings()), papers))
    assert ["".join(pdf_text(data).split())[:4] for data in made] == [f"甲{at:02}份" for at in range(12)]
