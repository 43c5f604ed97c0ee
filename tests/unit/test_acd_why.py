"""Why a caller waited and who was passed over, told from everybody's journal."""

from __future__ import annotations

from acd.model import AgentNotReady, AgentReady, EngineConfig, PhoneChanged
from acd.why import why
from tests.acd_kit.lab import Lab, patient


def said(lab: Lab, call_id: str, lang: str = "zh") -> list[str]:
    return [line[9:] for line in why(lab.lines, call_id, lang)]


def test_what_everybody_who_could_have_helped_was_doing_when_the_call_joined():
    lab = Lab()
    for number in range(1, 4):
        lab.talk(f"c{number}", f"100{number}")
    lab.end_talk("c3")
    lab.sign_in("1004")
    lab.do(AgentNotReady("1004", "meal"))
    lab.sign_in("1005")
    lab.do(PhoneChanged("1005", False))
    lab.join("c9")
    assert said(lab, "c9") == ["入队时，能接此来电的坐席 5 人：通话中 2、话后整理 1、示忙 1、话机不在线 1"]
    assert said(lab, "c9", "en") == [
        "when it joined, 5 agents could serve it: talking 2, in wrap-up 1, not ready 1, without a reachable phone 1"
    ]


def test_nobody_could_help():
    lab = Lab()
    lab.sign_in("1001", zh=5)
    lab.join("c1", skills={"yue": 2})
    assert said(lab, "c1") == ["入队时没有能接此来电的坐席签入"]


def test_who_stood_before_it_and_who_came_later_with_a_higher_priority():
    lab = Lab()
    lab.talk("c0", "1001")
    lab.join("c1", priority=5)
    lab.wait(1)
    lab.join("c2")
    lab.wait(1)
    lab.join("c3", priority=9)
    lab.end_talk("c0")
    lab.wait(30)
    lines = said(lab, "c2")
    assert lines[0].startswith("入队时，能接此来电的坐席 1 人")
    assert lines[1] == "排在前面的来电 1 个，其中 1 个因优先级更高"
    assert lines[2] == "工号 1001 先接了后到的 c3：其优先级 9 高于 0"


def test_an_agent_without_the_skill_served_somebody_further_back():
    lab = Lab()
    lab.talk("c0", "1001")
    lab.sign_in("1002", zh=5)
    lab.do(AgentNotReady("1002"))
    lab.join("c1", skills={"yue": 2})
    lab.wait(5)
    lab.join("c2", skills={"zh": 1})
    lab.do(AgentReady("1002"))
    assert said(lab, "c1")[-1] == "工号 1002 空出，接了排在后面的 c2：该坐席没有 yue:2"


def test_an_agent_of_another_queue_is_said_to_be_one():
    lab = Lab(EngineConfig(queues=(patient(), patient("business"))))
    lab.join("c1")
    lab.wait(1)
    lab.join("c2", queue="business")
    lab.sign_in("1001", queues=("business",))
    assert said(lab, "c1")[-1] == "工号 1001 接了其他队列的 c2：该坐席不在 general 队列"


def test_who_had_been_free_for_longer_when_it_was_offered():
    lab = Lab()
    lab.sign_in("1001", zh=5)
    lab.wait(60)
    lab.sign_in("1002", yue=3)
    lab.join("c1", skills={"yue": 2})
    assert said(lab, "c1")[-1] == "派给工号 1002 时，工号 1001 空闲更久，但没有 yue:2"


def test_a_call_taken_at_once_has_a_short_story_and_an_unknown_call_has_none():
    lab = Lab()
    lab.sign_in("1001")
    lab.join("c1")
    lab.answer("c1")
    assert said(lab, "c1") == ["入队时，能接此来电的坐席 1 人：空闲 1"]
    assert why(lab.lines, "c77") == []


def test_damaged_lines_are_passed_over():
    lab = Lab()
    lab.sign_in("1001")
    lab.join("c1")
    assert why(["?", *lab.lines, "{"], "c1") == why(lab.lines, "c1")
