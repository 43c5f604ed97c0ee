"""The case: its types, its states as a table, its number, its fields."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from app.errors import Refused


class CaseType(StrEnum):
    """What a citizen wants (C1, 篇6 第六条)."""

    consult = "consult"  # 咨询
    help = "help"  # 求助
    suggestion = "suggestion"  # 建议
    opinion = "opinion"  # 意见
    complaint = "complaint"  # 投诉
    report = "report"  # 举报
    praise = "praise"  # 表扬


class CaseState(StrEnum):
    """Where a case stands."""

    draft = "draft"  # 草稿
    registered = "registered"  # 已登记
    discarded = "discarded"  # 作废 (nothing was said, a wrong number, …)


class CaseEventKind(StrEnum):
    """What happens to a case; each is one line of its history (C16)."""

    opened = "opened"
    taken = "taken"  # offered or handed to another agent
    edited = "edited"
    attached = "attached"  # a voicemail or a fax came
    registered = "registered"
    amended = "amended"
    discarded = "discarded"
    restored = "restored"


class Source(StrEnum):
    """Which door a matter came through."""

    call = "call"
    voicemail = "voicemail"
    fax = "fax"
    manual = "manual"
    callback = "callback"  # the hotline called a citizen back


S, K = CaseState, CaseEventKind
TRANSITIONS: Mapping[tuple[CaseState, CaseEventKind], CaseState] = {
    (S.draft, K.taken): S.draft,
    (S.draft, K.edited): S.draft,
    (S.draft, K.attached): S.draft,
    (S.draft, K.registered): S.registered,
    (S.draft, K.discarded): S.discarded,
    (S.registered, K.taken): S.registered,
    (S.registered, K.attached): S.registered,
    (S.registered, K.amended): S.registered,
    (S.discarded, K.attached): S.draft,
    (S.discarded, K.restored): S.draft,
}
del S, K


def next_state(state: CaseState, event: CaseEventKind) -> CaseState:
    """The state after `event`. Raises Refused for a pair that is not in the table."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise Refused(
            "工单当前状态不允许此操作。", f"A case that is {state} can't be {event}.", code="wrong_state"
        ) from None


@dataclass(frozen=True)
class TextField:
    """An editable text: its longest length, and whether it may have several lines."""

    limit: int
    lines: bool = False


TEXT_FIELDS: Mapping[str, TextField] = {
    "title": TextField(200),
    "content": TextField(20_000, lines=True),
    "answer": TextField(20_000, lines=True),
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
