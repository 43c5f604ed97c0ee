"""Why a caller waited and why this agent, in words."""

from __future__ import annotations

import re

import pytest

from acd.explain import explain_call, words
from acd.model import (
    CallLeft,
    EngineConfig,
    FailCause,
    OfferAnswered,
    Reason,
    ReasonCode,
    TalkAdopted,
)
from tests.acd_kit.lab import Lab, patient


@pytest.mark.parametrize("code", ReasonCode)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_reason_has_words_in_both_languages_even_without_its_facts(code, lang):
    said = words(Reason(code), lang)
    assert said
    assert "{" not in said
    assert bool(re.search("[\u4e00-\u9fff]", said)) == (lang == "zh")


def waited() -> Lab:
    lab = Lab(EngineConfig(queues=(patient(overflow_wait_s=300, announce_first_s=20),)))
    lab.talk("c0", "1001")
    lab.join("c1", skills={"yue": 3}, attempt=1)
    lab.wait(40)
    lab.sign_in("1002", yue=4)
    lab.wait(20)
    lab.fail("c1", FailCause.NO_ANSWER)
    lab.sign_in("1003", yue=3)
    lab.wait(3)
    lab.answer("c1")
    lab.do(OfferAnswered("c1", "1003", lab.offers["c1"].offer_id))
    lab.wait(60)
    lab.end_talk("c1")
    lab.do(CallLeft("c1", "hangup"))
    return lab


def test_a_calls_way_is_told_in_chinese():
    told = explain_call(waited().lines, "c1")
    assert [sentence.split(" ", 1)[1] for sentence in told] == [
        "进入队列，排第 1 位；能接此来电的坐席 0 人，在岗 0 人，空闲 0 人；需要技能 yue:3",
        "播报：排第 1 位",
        "派给工号 1002：坐席空出，来电是其能接的人中排在最前的（第 1 位，已等 40 秒）；需要技能 yue:3",
        "工号 1002 未接成：振铃未接听；来电保留位置",
        "回到队列，保留原位置，排第 1 位，已等 60 秒",
        "派给工号 1003：坐席空出，来电是其能接的人中排在最前的（第 1 位，已等 60 秒）；需要技能 yue:3",
        "工号 1003 接听",
        "与工号 1003 的通话结束",
        "离开（hangup）",
    ]
    assert re.match(r"\d\d:\d\d:\d\d ", told[0])


def test_a_calls_way_is_told_in_english():
    told = " | ".join(explain_call(waited().lines, "c1", "en"))
    assert "0 agents could serve the call" in told
    assert "offered to agent 1002: an agent became free" in told
    assert "agent 1002 did not take it: the phone was not answered; the place is kept" in told
    assert "the talk with agent 1003 ended" in told


def test_overflow_and_adoption_and_wait_are_told():
    lab = Lab(EngineConfig(queues=(patient(overflow_wait_s=60, announce_first_s=10),)))
    lab.talk("c0", "1001")
    lab.join("c1")
    lab.wait(61)
    lab.do(TalkAdopted("c2", "1002", lab.now))
    told = explain_call(lab.lines, "c1")
    assert any(re.search(r"预计等待 \d+ 至 \d+ 秒", sentence) for sentence in told)
    assert told[-1].endswith("转语音留言：等待 60 秒，超过上限 60 秒")
    assert explain_call(lab.lines, "c2", "en")[-1].endswith("found talking with agent 1002")


def test_what_the_engine_refused_is_not_told():
    lab = waited()
    lab.do(CallLeft("c1", "again"))
    assert "again" not in " ".join(explain_call(lab.lines, "c1"))


def test_broken_lines_and_unknown_calls_tell_nothing():
    lab = waited()
    assert explain_call([*lab.lines, '{"t":1,"call_id":"c1"'], "c1") == explain_call(lab.lines, "c1")
    assert explain_call(lab.lines, "nobody") == []
    assert explain_call(lab.lines, 'c1"') == []
