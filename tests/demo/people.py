"""Who lives in the demo: what citizens say in three languages, and the agents who answer them."""

from __future__ import annotations

import random
from dataclasses import dataclass

LANGUAGE_KEY = {"zh": "1", "yue": "2", "en": "3"}
"""The key of the shipped menu's first question."""


@dataclass(frozen=True)
class Matter:
    """One reason to call: what the citizen says, and what the agent writes on the card."""

    language: str
    spoken: str
    type: str
    title: str
    content: str
    area: str


MATTERS = (
    Matter("zh", "您好，我们小区从昨天晚上开始停水，到现在还没有来水，请问什么时候能恢复？",
           "help", "小区停水", "来电人反映所住小区自昨晚起停水，询问恢复时间。", "城南"),
    Matter("zh", "你好，我家楼下的工地半夜还在施工，吵得老人睡不着觉。",
           "complaint", "夜间施工噪音", "来电人反映楼下工地夜间施工扰民，要求处理。", "城北"),
    Matter("zh", "请问老年人公交卡在哪里办理，需要带什么材料？",
           "consult", "老年公交卡办理", "来电人咨询老年公交卡办理地点与材料。", "城东"),
    Matter("zh", "路口的红绿灯坏了两天了，上下班特别危险。",
           "help", "红绿灯故障", "来电人反映路口信号灯故障两天，存在安全隐患。", "城西"),
    Matter("yue", "你好，我想问下屋企附近嗰条路几时修好，成日塞车。",
           "consult", "道路维修工期", "来电人（粤语）咨询住所附近道路维修工期。", "城西"),
    Matter("yue", "楼上漏水漏到我屋企，物业又唔理，想你哋帮手。",
           "complaint", "物业不处理漏水", "来电人（粤语）反映楼上漏水，物业未处理。", "城东"),
    Matter("en", "Hello, I would like to know how to renew my residence permit, and where the office is.",
           "consult", "居留许可续签", "来电人（英语）咨询居留许可续签地点与材料。", "高新区"),
    Matter("en", "Good morning. The street light in front of our building has been out for a week.",
           "help", "路灯不亮", "来电人（英语）反映楼前路灯一周不亮。", "高新区"),
)  # fmt: skip

SURNAMES = "王李张刘陈杨赵黄周吴"


@dataclass(frozen=True)
class DemoAgent:
    """One simulated agent; `ring_s` is how long the phone rings before it is picked up."""

    agent_id: str
    name: str
    skills: dict[str, int]
    ring_s: float


AGENTS = (
    DemoAgent("2001", "周敏", {"zh": 5, "yue": 2}, 2.0),
    DemoAgent("2002", "李强", {"zh": 5, "en": 4}, 3.0),
    DemoAgent("2003", "陈嘉欣", {"zh": 4, "yue": 5}, 2.5),
    DemoAgent("2004", "王芳", {"zh": 5, "en": 3, "yue": 3}, 4.0),
    DemoAgent("2005", "赵磊", {"zh": 5}, 2.0),
    DemoAgent("2006", "黄丽", {"zh": 4, "yue": 4, "en": 5}, 3.0),
)

AGENT_WORDS = "您好，这里是一二三四五政务服务热线，请问有什么可以帮您？好的，我已经为您登记，会尽快转相关部门办理。"


def citizen_number(chance: random.Random) -> str:
    """A mobile number of a range that is not given to anybody (199 0000 ….); a few of them call again and again."""
    return f"1990000{chance.randrange(40):04d}"


def matter_for(chance: random.Random, language: str | None = None) -> Matter:
    """A reason to call, in the language asked for or in any; Mandarin is the most frequent."""
    if language is None:
        language = chance.choices(["zh", "yue", "en"], [6, 2, 2])[0]
    return chance.choice([matter for matter in MATTERS if matter.language == language])
