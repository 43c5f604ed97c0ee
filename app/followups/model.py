"""Asking the citizen: what a try may bring, and when it is done (C9, 篇1, 篇6 第十五条). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from app.assignments.model import UNSATISFIED, Opinion


class Reached(StrEnum):
    """What became of a call-back."""

    spoken = "spoken"  # 已回访
    declined = "declined"  # 市民不愿回访
    no_answer = "no_answer"  # 无人接听
    wrong_number = "wrong_number"  # 号码有误
    none = "none"  # 未留联系方式
    keyed = "keyed"  # 市民来电按键评价: nobody had to call


ASKED = frozenset({Reached.spoken, Reached.keyed})  # the citizen has said what they think
UNANSWERED = frozenset({Reached.no_answer, Reached.wrong_number})  # counts only as one of several, at different times
TRIES = 3  # at different times, before a case is closed unasked
AGAIN_AFTER = timedelta(hours=4)
CLAIM = timedelta(minutes=30)  # for one call-back
LONGEST_NOTE = 2_000


@dataclass(frozen=True)
class Heard:
    """What a try brought. Whether it is solved, was told in time and is as reported is what the citizen says."""

    reached: Reached
    satisfaction: Opinion | None = None
    solved: bool | None = None
    contacted_in_time: bool | None = None
    true_to_reality: bool | None = None
    note: str = ""
    propose_redo: bool = False


def faults(heard: Heard) -> dict[str, str]:
    """What is missing in it, by field."""
    found = {}
    if heard.reached is Reached.spoken:
        if heard.satisfaction is None:
            found["satisfaction"] = "请选择满意程度 (required)"
        for name in ("solved", "contacted_in_time", "true_to_reality"):
            if getattr(heard, name) is None:
                found[name] = "请选择是或否 (yes or no)"
    elif heard.reached is Reached.keyed:
        if heard.satisfaction is None:
            found["satisfaction"] = "请选择满意程度 (required)"
    elif heard.satisfaction is not None:
        found["satisfaction"] = "未通话，不能填写满意程度 (nobody was asked)"
    if heard.propose_redo and not heard.note.strip():
        found["note"] = "建议重办须写明理由 (say why it should be done again)"
    if heard.satisfaction in UNSATISFIED and not heard.note.strip():
        found["note"] = "不满意须写明原因 (say why)"
    return found


def closes(heard: Heard, tries: int) -> bool:
    """Whether the case ends with this: asked, or asked in vain often enough. A proposal to redo is for the centre."""
    if heard.propose_redo:
        return False
    return heard.reached not in UNANSWERED or tries >= TRIES


def should_propose(heard: Heard) -> bool:
    """Whether it should be done again by the rule: unsatisfied, unsolved, or not as it was reported."""
    return heard.satisfaction in UNSATISFIED or heard.solved is False or heard.true_to_reality is False
