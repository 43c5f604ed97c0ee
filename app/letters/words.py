"""How documents say what the tables keep in words of their own: kinds, times, lists. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, tzinfo

from app.assignments.model import Contact, Opinion
from app.cases.model import HandlingWay
from app.clocks.rules import Urgency

WAYS: Mapping[str, str] = {
    HandlingWay.answer: "当即答复",
    HandlingWay.guide: "引导咨询投诉",
    HandlingWay.refer: "转阅",
    HandlingWay.telephone: "电话交办",
    HandlingWay.written: "书面交办",
    HandlingWay.coordinated: "协调办理",
    HandlingWay.research: "调研和专报",
}
URGENCIES: Mapping[str, str] = {
    Urgency.life: "涉及生命财产安全",
    Urgency.utilities: "水电气暖等公用事业",
    Urgency.general: "一般",
}
CONTACTS: Mapping[str, str] = {
    Contact.phone: "电话联系",
    Contact.visit: "上门联系",
    Contact.letter: "书面联系",
    Contact.none: "未能联系",
}
OPINIONS: Mapping[str, str] = {
    Opinion.very_satisfied: "非常满意",
    Opinion.satisfied: "满意",
    Opinion.fair: "基本满意",
    Opinion.dissatisfied: "不满意",
    Opinion.very_dissatisfied: "非常不满意",
}
ATTACHMENTS: Mapping[str, str] = {"voicemail": "语音留言", "fax": "传真"}
_TITLES = ("先生", "女士", "同志", "老师", "小姐")


def day(moment: datetime | None, zone: tzinfo) -> str:
    """2026年11月4日, where the hotline is; "" for none."""
    if moment is None:
        return ""
    local = moment.astimezone(zone)
    return f"{local.year}年{local.month}月{local.day}日"


def time(moment: datetime | None, zone: tzinfo) -> str:
    """2026年11月4日 09:05; "" for none."""
    return f"{day(moment, zone)} {moment.astimezone(zone):%H:%M}" if moment is not None else ""


def due(moment: datetime | None, zone: tzinfo, *, provisional: bool = False) -> str:
    """The last moment that is in time. An end at midnight is that of the day before (ADR 0015), said with its 24:00."""
    if moment is None:
        return ""
    local = moment.astimezone(zone)
    if (local.hour, local.minute) == (0, 0):
        told = f"{day(moment - timedelta(hours=12), zone)} 24:00 前"
    else:
        told = f"{time(moment, zone)} 前"
    return f"{told}（暂定）" if provisional else told


def numbered(lines: Iterable[str]) -> str:
    """One line each, counted from 1."""
    return "\n".join(f"{at}. {line}" for at, line in enumerate(lines, 1))


def answered(asked: Mapping[str, str], answers: Mapping[str, str]) -> str:
    """What was said to each thing that was asked, in its order; "" while nothing was said to anything."""
    said = [(text, answers.get(key, "").strip()) for key, text in asked.items()]
    return numbered(f"{text}：{answer}" for text, answer in said if answer)


def addressee(name: str) -> str:
    """How a letter begins. What nobody knows is not guessed: who is not known as 先生 or 女士 is 市民."""
    return f"尊敬的{name}" if name.endswith(_TITLES) else f"尊敬的市民{name}"
