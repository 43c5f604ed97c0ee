"""A citizen's call as the desk and the lists see it: card, case, members, history."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


AT = "2026-11-24T01:30:12Z"

NO_FIELDS: Json = {
    "type": "",
    "title": "",
    "content": "",
    "caller_name": "",
    "caller_number": "",
    "area": "",
    "address": "",
    "confidential": False,
    "answer": "",
    "answer_source": "",
    "proposed_unit": "",
}


def member(role: str, agent_id: str = "", number: str = "", state: str = "up", kind: str = "", **more: Any) -> Json:
    """One party of a call."""
    joined = 1_795_521_600_000 if state == "up" else None
    who = {"role": role, "agent_id": agent_id, "number": number, "state": state}
    return {**who, "joined_ms": joined, "unit_id": None, "unit_name": "", "kind": kind, **more}


def members() -> list[Json]:
    """Citizen and agent."""
    return [member("citizen", number="13912345678"), member("agent", "1001")]


MARKS: Json = {"muted_ms": None, "paused": None, "talks_with": "citizen", "help_ms": None, "overseen": None}
"""What holds in a talk in which nothing is special."""


def call_view(call_id: str, card: Json, now: int, offer: Json) -> Json:
    """A call that is being offered."""
    return {
        "call_id": call_id,
        "number": card["number"],
        "phase": "connect",
        "outbound": False,
        "callback": False,
        "agent_id": "1001",
        "started_ms": now - 60_000,
        "joined_ms": card["joined_ms"],
        "answered_ms": None,
        "held": False,
        "members": members(),
        "talked": False,
        **MARKS,
        "card": card,
        "offer": offer,
    }


def case(number: int, call_id: str | None) -> Json:
    """A stored draft."""
    return {
        "id": number,
        "number": f"20261124-{number:06d}",
        "type": None,
        "state": "draft",
        "version": 1,
        "call_id": call_id,
        "source": "call",
        "agent_id": "1001",
        "agent_name": "王小丽",
        "section": None,
        "created_at": AT,
        "updated_at": AT,
        "registered_at": None,
        "fields": {**NO_FIELDS, "caller_name": "张建国", "caller_number": "13912345678", "area": "城南区"},
    }


ENDS = {"answer": "answered", "guide": "guided", "decline": "declined", "submit": "to_dispatch", "follow-up": "closed"}
"""What an agent can do with a case, and where it stands then."""


def offers(number: str) -> list[Json]:
    """The templates for an answer that is given at once, filled from that case."""
    head: Json = {"id": 5, "version": 2, "source": "template:5@2", "unit_name": "", "fits": True}
    parts = {"answer": f"已向市民说明。可凭工单编号 {number} 查询。"}
    return [{**head, "title": "咨询当即答复", "outcome": "explained", "words": ["停水"], "parts": parts}]


def loop(state: str) -> Json:
    """What can be done with a case in that state, and that no unit has it."""
    acts = {
        "registered": ["amended", "answered", "guided", "transferred", "declined", "submitted", "merged"],
        "to_follow_up": ["followed_up", "closed"],
    }
    empty = {"items": [], "about_unit": None, "to_unit": None, "works": [], "tries": []}
    return {"acts": acts.get(state, []), **empty, "merged_into": None, "twins": [], "redo_proposed": False}


def case_list_row(stored: Json) -> Json:
    """A case in a list: without the long texts."""
    fields = {name: value for name, value in stored["fields"].items() if name not in ("content", "answer")}
    return {**stored, "fields": fields}


def case_row(number: int, title: str, state: str, kind: str = "complaint", repeats: int = 0) -> Json:
    """A case on a card."""
    shown = {"id": number, "number": f"20261101-{number:06d}", "type": kind, "state": state, "title": title}
    return {**shown, "created_at": "2026-11-01T03:12:00Z", "area": "城南区", "repeats": repeats}


def card(call_id: str, stored: Json, now: int, **changes: Any) -> Json:
    """The card of a caller who is known."""
    whole = {
        "call_id": call_id,
        "number": "13912345678",
        "name": "",
        "line": "12345",
        "language": "zh",
        "queue": "general",
        "menu_path": ["caller", "welcome", "hours", "main", "person"],
        "waited_s": 42,
        "joined_ms": now - 42_000,
        "area": "城南区",
        "citizen": {
            "id": 3,
            "numbers": ["13912345678", "02588886666"],
            "name": "张建国",
            "area": "城南区",
            "language": "zh",
            "flags": ["elderly"],
            "note": "听力不好，说慢一点。",
            "address": "翠竹园 3 栋",
            "version": 2,
        },
        "flags": ["elderly", "repeat"],
        "draft": {
            "case_id": stored["id"],
            "case_number": stored["number"],
            "version": stored["version"],
            "state": stored["state"],
            "fields": dict(stored["fields"]),
        },
        "open_cases": [case_row(88, "翠竹园小区三天没有自来水，物业说不清原因", "registered", "help")],
        "last_cases": [
            case_row(88, "翠竹园小区三天没有自来水，物业说不清原因", "registered", "help"),
            case_row(71, "路灯不亮", "registered"),
        ],
        "last_calls": [former_call(1), former_call(2, outcome="abandoned", talk_s=None, agent_name=None)],
    }
    return {**whole, **changes}


def call_row(serial: int, **changes: Any) -> Json:
    """A call in a list."""
    counted = {"case_id": 88, "case_number": "20261101-000088", "recordings": 1}
    return {**former_call(serial), **counted, **changes}


def former_call(serial: int, **changes: Any) -> Json:
    """A call on a card."""
    row = {
        "call_id": f"hotline1-1795.{serial}",
        "number": "13912345678",
        "name": "",
        "line": "12345",
        "language": "zh",
        "path": "language>main>person",
        "queue": "general",
        "direction": "in",
        "outcome": "answered",
        "cause": "16",
        "failsafe_cause": None,
        "rating": None,
        "started_at": AT,
        "joined_at": AT,
        "answered_at": AT,
        "ended_at": AT,
        "waited_s": 12,
        "talk_s": 185,
        "foretold": None,
        "agent_id": "1001",
        "agent_name": "王小丽",
    }
    return {**row, **changes}


def call_detail() -> Json:
    """One call with a recording and its story."""
    recording = {
        "id": 5,
        "call_id": "hotline1-1795.1",
        "segment": 1,
        "started_at": AT,
        "duration_s": 2,
        "bytes": 32044,
        "sha256": "ab" * 32,
        "chain_ok": True,
        "audio_url": "/api/recordings/5/audio",
    }
    events = [{"at": AT, "event": "来电", "detail": None}, {"at": AT, "event": "派给坐席 1001", "detail": None}]
    explain = ["进入队列 general，第 1 位。", "坐席 1001 空闲最久，派给他。"]
    told = {"low_s": 60, "high_s": 180, "came_s": 75}
    more = {"thirds": [third()], "pauses": [pause()]}
    return {**call_row(1), "foretold": told, "events": events, "explain": explain, "recordings": [recording], **more}


def third() -> Json:
    """A unit that joined the talk."""
    return {
        "number": "02588886666",
        "unit_id": 4,
        "unit_name": "城南水务局",
        "kind": "conference",
        "by_agent": "1001",
        "dialled_at": AT,
        "joined_at": AT,
        "left_at": AT,
        "outcome": "talked",
        "segment": 1,
    }


def pause() -> Json:
    """A confidential part of the talk."""
    return {"since": AT, "until": AT, "by_agent": "1001", "ended_by": "agent"}


EVENTS: list[Json] = [
    {
        "at": AT,
        "actor": "system",
        "actor_name": "系统",
        "event": "opened",
        "from_state": None,
        "to_state": "draft",
        "detail": None,
    },
    {
        "at": AT,
        "actor": "7",
        "actor_name": "王小丽",
        "event": "edited",
        "from_state": "draft",
        "to_state": "draft",
        "detail": {"fields": {"title": {"from": "", "to": "停水"}, "content": {"from": "", "to": "停水三天"}}},
    },
    {
        "at": AT,
        "actor": "7",
        "actor_name": "王小丽",
        "event": "registered",
        "from_state": "draft",
        "to_state": "registered",
        "detail": None,
    },
]
