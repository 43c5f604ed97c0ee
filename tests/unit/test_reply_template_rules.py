"""Reply templates by their rules: placeholders, what fits a case, who may do what, and the texts to begin with."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import product

import pytest

from app.assignments import check
from app.cases.model import TEXT_FIELDS
from app.errors import Forbidden, Refused
from app.knowledge.model import Party
from app.reply_templates import model, starter
from app.reply_templates.model import (
    KNOWN,
    MAY,
    OUTCOMES,
    PARTS,
    SAMPLE,
    TRANSITIONS,
    Content,
    Matter,
    Outcome,
    TemplateAct,
    TemplateState,
    Use,
    cleaned,
    faults,
    fit,
)

EVERYBODY = frozenset(Party)


def content(text: str = "已修复。", **more: object) -> Content:
    values: dict[str, object] = {"title": "路灯已修复", "use": Use.reply, "outcome": Outcome.solved}
    return cleaned(Content(**{**values, "parts": {"result": text}, **more}))  # type: ignore[arg-type]


def told(text: str) -> list[tuple[int, str]]:
    return [(fault.line, fault.zh) for fault in faults(content(text))]


def test_an_unknown_placeholder_is_named_with_its_line():
    assert told("您好：\n{工单编号}由{承办单位}办理，\n联系 {市民姓名}。") == [(3, "没有“{市民姓名}”这个占位符")]
    assert told("{ 今天 }办结") == []
    assert told("办结时间 {今天") == [(1, "括号 { } 不成对")]
    assert told("｛工单编号｝已办结") == [], "the braces of a Chinese input method count as well"
    assert [one.told for one in faults(content("{x}"))] == [
        "第 1 行：没有“{x}”这个占位符 (line 1: there is no placeholder {x})"
    ]


def test_no_placeholder_tells_who_the_citizen_is():
    assert not [name for name in KNOWN if re.search(r"市民|姓名|来电|地址|诉求人|联系人", name)]
    assert set(SAMPLE) == KNOWN


def test_what_is_not_known_is_left_to_whoever_writes_and_keeps_the_reply_from_being_handed_in():
    values = {"工单编号": "20261124-000123", "单位电话": "", "事项标题": "{今天}去了"}
    text = model.filled("{工单编号}“{事项标题}”：请拨打 {单位电话}，【待填：原因】。", values)
    assert text == "20261124-000123“{今天}去了”：请拨打 【待填：单位电话】，【待填：原因】。"
    written = check.Written(result=text, measures="已核实", contact=None, signed_name="李")
    wrong = {one.where: one.zh for one in check.faults(written, check.Asked({"7": "路灯"}))}
    assert wrong["result"] == "还有待填的内容：单位电话"
    assert "measures" not in wrong
    answers = check.Written(answers={"7": "【待填：何时】修好"})
    assert "还有待填的内容：何时" in [one.zh for one in check.faults(answers, check.Asked({}))]
    for left in (f"【待填：{'很长的提示' * 20}】", "【待填：依据\n和理由】", "【待填:依据】", "【待填：依据"):
        assert [one.where for one in check.faults(replace(written, result=left), check.Asked({}))][-1] == "result"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"title": " "}, "title"),
        ({"title": "长" * 61}, "title"),
        ({"outcome": Outcome.content}, "outcome"),
        ({"types": ("rumour",)}, "types"),
        ({"parts": {}}, "result"),
        ({"parts": {"result": " \n"}}, "result"),
        ({"parts": {"result": "长" * 3001}}, "result"),
        ({"parts": {"result": "好", "letter": "别的字段"}}, "letter"),
    ],
)
def test_what_can_not_be_a_template(wrong: dict[str, object], field: str):
    assert [one.part for one in faults(content(**wrong))] == [field]


def test_every_act_in_every_state_by_everybody():
    for state, act, party in product(TemplateState, TemplateAct, Party):
        allowed = (state, act) in TRANSITIONS and party in MAY[act]
        try:
            after = model.next_state(state, act, {party})
        except (Forbidden, Refused):
            assert not allowed, (state, act, party)
        else:
            assert allowed
            assert after is TRANSITIONS[state, act]
    assert model.acts_for(TemplateState.active, EVERYBODY) == [TemplateAct.edit, TemplateAct.retire]
    assert model.acts_for(TemplateState.retired, EVERYBODY) == [TemplateAct.restore]
    assert model.acts_for(TemplateState.active, {Party.leader}) == []


def test_what_fits_a_case():
    lamp = Matter("complaint", "人民路路灯不亮 晚上老人不敢出门")
    assert fit(content(), lamp) is not None, "no condition: any case"
    assert fit(content(types=("consult",)), lamp) is None
    assert fit(content(keywords=("停水",)), lamp) is None
    both = fit(content(types=("complaint",), keywords=("路灯", "照明", "不亮")), lamp)
    assert both is not None
    assert (both.words, both.typed) == (("路灯", "不亮"), True)
    assert fit(content(outcome=Outcome.co_unit), lamp) is None
    assert fit(content(outcome=Outcome.again), lamp) is None
    helps = fit(content(outcome=Outcome.co_unit), Matter("complaint", "路灯", co_unit=True))
    again = fit(content(outcome=Outcome.again), Matter("complaint", "路灯", again=True))
    any_ = fit(content(), lamp)
    assert helps is not None
    assert again is not None
    assert any_ is not None
    ranks = [one.rank(own=False) for one in (helps, both, any_)]
    assert ranks == sorted(ranks), "how the work stands, then the words of the case"
    assert again.rank(own=False) < both.rank(own=True)
    one_word = fit(content(keywords=("路灯",)), lamp)
    assert one_word is not None
    assert one_word.rank(own=True) < both.rank(own=False), "a unit knows its matters best"
    assert both.rank(own=False) < any_.rank(own=True)


def test_the_texts_to_begin_with_are_in_order_and_serve_every_use_and_outcome():
    shipped = [cleaned(one) for one in starter.contents()]
    assert {one.title: faults(one) for one in shipped if faults(one)} == {}
    assert len({one.title for one in shipped}) == len(shipped)
    assert {(one.use, one.outcome) for one in shipped} == {(use, one) for use, all_ in OUTCOMES.items() for one in all_}
    assert all(set(one.parts) <= set(PARTS[one.use]) for one in shipped)
    for one in shipped:
        said = "".join(model.filled(text, SAMPLE) for text in one.parts.values())
        assert "{" not in said, one.title


def test_where_words_came_from_can_be_written_down_for_replies_and_answers():
    line = f"{model.source(12, 3)} {model.source(999999999, 999999)}"
    assert re.fullmatch(model.SOURCES, line)
    assert model.sources_in(line) == [(12, 3), (999999999, 999999)]
    assert re.fullmatch(TEXT_FIELDS["answer_source"].shape, f"knowledge:1@2 {model.source(12, 3)}")
    assert not re.fullmatch(model.SOURCES, "javascript:alert(1)")
    assert len(" ".join([model.source(999999999, 999999)] * 4)) <= model.LONGEST_SOURCES
