"""The knowledge base as the real server tells it."""

from __future__ import annotations

from typing import Any

from tests.browser.samples.calls import AT

Json = dict[str, Any]
PHONE = "请先储水，关好水龙头。恢复供水后先放水几分钟再用。"


def summary(serial: int, **changes: Any) -> Json:
    """What every list tells."""
    row = {
        "id": serial,
        "state": "published",
        "type": "notice",
        "internal": False,
        "areas": [],
        "owner_unit_id": None,
        "unit_name": "市供水公司",
        "review_on": "2027-05-01",
        "expires_on": None,
        "used": 12,
        "helped": 9,
        "not_helped": 1,
    }
    return {**row, **changes}


def hit(serial: int, title: str, **changes: Any) -> Json:
    """An article found by 停水."""
    before, found, after = title.partition("停水")
    pieces = [{"text": before, "found": False}, {"text": found, "found": True}, {"text": after, "found": False}]
    row = {
        "partly": False,
        "number": 2,
        "title": [piece for piece in pieces if piece["text"]],
        "question": [{"text": "明天", "found": False}, {"text": "停水", "found": True}, {"text": "吗", "found": False}],
        "excerpt": [{"text": PHONE, "found": False}],
        "phone_answer": f"{title}：{PHONE}",
    }
    return {**summary(serial), **row, **changes}


def hits() -> list[Json]:
    """Two in force and an expired one, which comes last."""
    over = {"state": "expired", "expires_on": "2020-01-31"}
    return [hit(1, "计划停水怎么查询"), hit(2, "突然停水怎么报修", internal=True), hit(3, "国庆停水通知", **over)]


def version(number: int, state: str, steps: list[str], **changes: Any) -> Json:
    """One version."""
    row = {
        "number": number,
        "state": state,
        "revision": 1,
        "steps": steps,
        "title": "计划停水怎么查询",
        "question": "明天停水吗",
        "phone_answer": PHONE,
        "letter_answer": "停水提前二十四小时公布。",
        "keywords": ["断水", "没水"],
        "areas": [],
        "type": "notice",
        "internal": False,
        "unit_id": None,
        "unit_name": "市供水公司",
        "review_on": "2027-05-01",
        "expires_on": None,
        "written_by_name": "陈派单",
        "written_at": AT,
        "submitted_by_name": "陈派单",
        "submitted_at": AT,
        "vetted_by_name": None,
        "vetted_at": None,
        "decided_by_name": None,
        "decided_at": None,
        "reason": "",
    }
    return {**row, **changes}


def article(serial: int = 1) -> Json:
    """In force, with a newer version that waits for review."""
    newer = "停水提前四十八小时公布。"
    return {
        "id": serial,
        "owner_unit_id": None,
        "owner_unit_name": "",
        "current": 1,
        "open": 2,
        "by_phone": {"code": str(100 + serial), "language": "zh", "original_id": serial, "spoken": True},
        **{name: summary(serial)[name] for name in ("review_on", "expires_on", "used", "helped", "not_helped")},
        "versions": [
            version(2, "in_review", ["recall", "send_back", "approve"], letter_answer=newer),
            version(1, "published", ["confirm", "revise", "withdraw"], decided_by_name="李班长", decided_at=AT),
        ],
    }


def row(serial: int, title: str, **changes: Any) -> Json:
    """A row of a list of work."""
    told = {
        "title": title,
        "number": 1,
        "due_on": "2020-01-31",
        "late": True,
        "written_by_name": "陈派单",
        "written_at": AT,
        "submitted_by_name": "陈派单",
        "submitted_at": AT,
        "reason": "",
    }
    return {**summary(serial), **told, **changes}


def rows() -> list[Json]:
    """Two rows."""
    return [row(1, "计划停水怎么查询"), row(3, "国庆停水通知", state="expired", expires_on="2020-01-31")]


def gaps() -> list[Json]:
    """One open, one closed."""
    gap = {
        "id": 1,
        "words": "充电桩 安装",
        "missed": 7,
        "useless": 2,
        "state": "open",
        "steps": ["claim", "give", "close"],
        "unit_id": None,
        "unit_name": "",
        "first_at": AT,
        "last_at": AT,
        "claimed_by_name": None,
        "closed_by_name": None,
        "closed_at": None,
        "article_id": None,
        "note": "",
    }
    closed = {"state": "closed", "steps": [], "closed_by_name": "陈派单", "closed_at": AT, "article_id": 1}
    return [gap, {**gap, "id": 2, "words": "停水在哪查", "missed": 3, **closed}]


def units() -> list[Json]:
    """Two units, one of them late."""
    late = {"unit_id": 2, "name": "水务局", "articles": 12, "due": 3, "late": 1, "vet": 1, "gaps": 2}
    return [late, {**late, "unit_id": 3, "name": "城管局", "due": 0, "late": 0, "vet": 0, "gaps": 0}]
