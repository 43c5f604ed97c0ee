"""The case: its types, the ways of handling it, its number, its fields. Its states are in `app.cases.states`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any


class CaseType(StrEnum):
    """What a citizen wants (C1, 篇6 第六条)."""

    consult = "consult"  # 咨询
    help = "help"  # 求助
    suggestion = "suggestion"  # 建议
    opinion = "opinion"  # 意见
    complaint = "complaint"  # 投诉
    report = "report"  # 举报
    praise = "praise"  # 表扬


class Source(StrEnum):
    """Which door a matter came through."""

    call = "call"
    voicemail = "voicemail"
    fax = "fax"
    manual = "manual"
    callback = "callback"  # the hotline called a citizen back


class HandlingWay(StrEnum):
    """How a matter is handled (C2, 篇6 第十二条). The first three end at once, the others ask something of units."""

    answer = "answer"  # 当即答复
    guide = "guide"  # 引导咨询投诉
    refer = "refer"  # 转阅
    telephone = "telephone"  # 电话交办
    written = "written"  # 书面交办
    coordinated = "coordinated"  # 协调办理
    research = "research"  # 调研和专报


GIVEN_TO_UNITS = frozenset({HandlingWay.telephone, HandlingWay.written, HandlingWay.coordinated, HandlingWay.research})


class Ground(StrEnum):
    """Why the hotline may not take a matter up (C1, 篇6); the caller is told."""

    litigation = "litigation"  # 已进入诉讼程序
    arbitration = "arbitration"  # 已进入仲裁程序
    petition = "petition"  # 已进入信访程序
    reconsideration = "reconsideration"  # 已进入行政复议程序
    disclosure = "disclosure"  # 已进入政府信息公开程序
    secret = "secret"  # 涉及国家秘密、商业秘密或个人隐私
    outside = "outside"  # 不属于本级政府职责范围
    emergency = "emergency"  # 应由 110、119、120 等紧急热线受理


@dataclass(frozen=True)
class TextField:
    """An editable text: its longest length, whether it may have several lines, and what it must look like if it is not
    empty (a regular expression; "" for anything)."""

    limit: int
    lines: bool = False
    shape: str = ""


TEXT_FIELDS: Mapping[str, TextField] = {
    "title": TextField(200),
    "content": TextField(20_000, lines=True),
    "answer": TextField(20_000, lines=True),
    "answer_source": TextField(
        120, shape=r"(knowledge|template):\d{1,9}@\d{1,6}( (knowledge|template):\d{1,9}@\d{1,6}){0,4}"
    ),
    "proposed_unit": TextField(32, shape=r"[A-Z0-9][A-Z0-9-]{0,31}"),
    "caller_name": TextField(64),
    "caller_number": TextField(32),
    "area": TextField(64),
    "address": TextField(200),
}
FIELDS = ("type", *TEXT_FIELDS, "confidential")
REQUIRED = ("type", "title", "content")  # to register
PERSONAL = ("caller_name", "caller_number", "address")

_SPOKEN_NUMBER = re.compile(r"(\d{8})(\d{6,})")


def format_number(day: date, sequence: int) -> str:
    """The case number of a day and a sequence from 1: "20261124-000123" (C14).

    Date first, then six digits: it is read in two breaths, sorts by age, and a keypad can enter its digits alone.
    """
    return f"{day:%Y%m%d}-{sequence:06d}"


def parse_number(text: str) -> str | None:
    """The case number that somebody typed or keyed, however grouped or in whatever digits; None if it is none."""
    digits = "".join(c for c in unicodedata.normalize("NFKC", text) if c.isdigit())[:32]
    found = _SPOKEN_NUMBER.fullmatch(digits)
    if not found:
        return None
    try:
        date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return None
    return f"{found[1]}-{found[2]}"


def masked_number(number: str) -> str:
    """The form for print (篇8: 20***33645): enough for its owner, too little for others."""
    digits = number.replace("-", "")
    return f"{digits[:2]}***{digits[-5:]}"


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What changed, field by field: {"title": {"from": …, "to": …}}."""
    return {name: {"from": before[name], "to": after[name]} for name in after if before.get(name) != after[name]}
