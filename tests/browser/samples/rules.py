"""The queues' rules in words and the rules about callers, as the real server tells them."""

from __future__ import annotations

from typing import Any

from tests.browser.samples.calls import AT

Json = dict[str, Any]


def nuisance(serial: int, **changes: Any) -> Json:
    """A rule in force."""
    row = {
        "id": serial,
        "number": f"139123456{serial:02d}",
        "call_id": "",
        "action": "announcement",
        "value": 0,
        "why": "一天内拨打四十多次，接通后谩骂坐席",
        "state": "active",
        "until": "2026-11-30T09:30:00Z",
        "created_at": AT,
        "created_by_name": "李班长",
        "ended_at": None,
        "ended_by_name": None,
        "end_why": "",
    }
    return {**row, **changes}


def nuisances() -> list[Json]:
    """Two in force (one set from a call), one ended early, one expired."""
    return [
        nuisance(1),
        nuisance(2, action="limit", value=1, call_id="hotline1-1795.1", why="同时占用多条线路"),
        nuisance(
            3, action="lower_priority", value=20, state="ended", ended_at=AT, ended_by_name="赵主任", end_why="申诉成立"
        ),
        nuisance(4, state="expired", why="连续空号骚扰"),
    ]


def queue_rules(english: bool = False) -> Json:
    """One queue with relaxation, hours and call-back."""
    general = {
        "relax": ["需要粤语的来电等满 20 秒，粤语 1 级以上也可以接", "需要粤语的来电等满 40 秒，译员 1 级以上也可以接"],
        "overflow": ["等满 15 分钟还没有轮到：转语音留言", "每天 22:00–次日 08:00：新来电没有坐席空闲就转语音留言"],
        "callback": [
            "按 2 登记回拨，轮到时系统自动拨打：先接通坐席，再拨市民",
            "只在每天 08:00–21:00 拨打，其余时间保留位置",
        ],
    }
    everywhere = ["排队时挂断、10 分钟内再打来的，恢复原来的位置（一次）"]
    if english:
        general = {"overflow": ["Whoever has waited 15 min: goes to voicemail"]}
        everywhere = ["Who hangs up in line and calls again within 10 min gets the old place back, once"]
    return {
        "file": "own",
        "live": True,
        "problem": "",
        "later": [],
        "opening": {
            "open": False,
            "next_open": "2026-11-25T00:00:00Z",
            "opens": "08:00",
            "closes": "22:00",
            "days": [
                {"day": "2026-12-01", "kind": "closed", "opens": "", "closes": "", "note": "停电检修"},
                {"day": "2026-12-05", "kind": "holiday", "opens": "09:00", "closes": "17:00", "note": ""},
            ],
        },
        "sections": [
            {"queue": "", "told": [{"topic": "order", "lines": everywhere}]},
            {"queue": "general", "told": [{"topic": topic, "lines": lines} for topic, lines in general.items()]},
        ],
    }
