"""Replies: their life, what a citizen may think of them, and how the unit spoke with the citizen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from app.reply_templates.model import LONGEST_SOURCES, SOURCES


class ReplyState(StrEnum):
    """Where a reply stands."""

    draft = "draft"  # 起草中
    submitted = "submitted"  # 待单位负责人审核
    approved = "approved"  # 已审签


class Opinion(StrEnum):
    """What the citizen thinks of the result, in five levels (C9)."""

    very_satisfied = "very_satisfied"  # 非常满意
    satisfied = "satisfied"  # 满意
    fair = "fair"  # 基本满意
    dissatisfied = "dissatisfied"  # 不满意
    very_dissatisfied = "very_dissatisfied"  # 非常不满意


UNSATISFIED = frozenset({Opinion.dissatisfied, Opinion.very_dissatisfied})


class Contact(StrEnum):
    """How the unit spoke with the citizen."""

    phone = "phone"  # 电话
    visit = "visit"  # 上门
    letter = "letter"  # 书面
    none = "none"  # 未能联系


@dataclass(frozen=True)
class TextLimit:
    """The longest text of a field, whether it may have several lines, and what it must look like if it is not empty (a
    regular expression; "" for anything)."""

    limit: int
    lines: bool = True
    shape: str = ""


REPLY_TEXTS: Mapping[str, TextLimit] = {
    "result": TextLimit(10_000),
    "measures": TextLimit(10_000),
    "next_step": TextLimit(2_000),
    "letter": TextLimit(10_000),
    "opinion_why": TextLimit(500, lines=False),
    "signed_name": TextLimit(64, lines=False),
    "template_source": TextLimit(LONGEST_SOURCES, lines=False, shape=SOURCES),
}
LONGEST_ANSWER = 4_000
LONGEST_INSTRUCTIONS = 4_000
MOST_UNITS = 20
