"""What the fake backend has in store: people, calls and cases that never were."""

from __future__ import annotations

import io
import wave
from collections.abc import Mapping
from typing import Any

from fastapi import Response

Json = dict[str, Any]
AT = "2026-11-24T01:30:12Z"
PERMISSIONS = [
    "audit.read",
    "calls.handle",
    "calls.read",
    "cases.read",
    "cases.write",
    "citizens.read",
    "messages.read",
    "recordings.listen",
    "users.manage",
    "wallboard.read",
]
SIP: Json = {
    "username": "1002",
    "password": "p-8fk2-qq91-zm",
    "server": "127.0.0.1",
    "port": 5060,
    "transport": "udp",
    "tls_port": 5061,
    "wss_url": "wss://127.0.0.1:8089/ws",
}
PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj "
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF"
)
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
}


def me(name: str, must_change: bool, now: int) -> Json:
    """Who is signed in; "boss" has no staff number."""
    agent = {"agent_id": "1001", "name": "王小丽", "endpoint": "1001"} if name != "boss" else None
    user = {
        "id": 7,
        "name": name,
        "display_name": "王小丽" if agent else "李班长",
        "roles": ["agent", "admin"] if agent else ["supervisor", "admin"],
        "permissions": PERMISSIONS,
        "must_change_password": must_change,
    }
    return {"user": user, "agent": agent, "csrf": "csrf-1", "server_ms": now}


def agent_view() -> Json:
    """Agent 1001, off shift, phone connected."""
    return {
        "agent_id": "1001",
        "name": "王小丽",
        "state": "signed_out",
        "since_ms": None,
        "reason": "",
        "not_ready_reason": "",
        "unreachable": False,
        "in_use": False,
        "busy_outside": False,
        "endpoint": "1001",
        "phone_registered": True,
        "until_ms": None,
        "wrapup_until_ms": None,
        "next_state": None,
        "next_reason": "",
        "call_id": None,
    }


def members() -> list[Json]:
    """Citizen and agent."""
    return [
        {"role": "citizen", "agent_id": "", "number": "13912345678", "state": "up"},
        {"role": "agent", "agent_id": "1001", "number": "", "state": "up"},
    ]


def call_view(call_id: str, card: Json, now: int, offer: Json) -> Json:
    """A call that is being offered."""
    return {
        "call_id": call_id,
        "number": card["number"],
        "phase": "connect",
        "outbound": False,
        "agent_id": "1001",
        "started_ms": now - 60_000,
        "joined_ms": card["joined_ms"],
        "answered_ms": None,
        "held": False,
        "members": members(),
        "talked": False,
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


def case_list_row(stored: Json) -> Json:
    """A case in a list: without the long texts."""
    fields = {name: value for name, value in stored["fields"].items() if name not in ("content", "answer")}
    return {**stored, "fields": fields}


def case_row(number: int, title: str, state: str, kind: str = "complaint") -> Json:
    """A case on a card."""
    shown = {"id": number, "number": f"20261101-{number:06d}", "type": kind, "state": state, "title": title}
    return {**shown, "created_at": "2026-11-01T03:12:00Z", "area": "城南区"}


def card(call_id: str, stored: Json, now: int, **changes: Any) -> Json:
    """The card of a caller who is known."""
    whole = {
        "call_id": call_id,
        "number": "13912345678",
        "name": "",
        "line": "12345",
        "language": "zh",
        "queue": "general",
        "menu_path": ["caller", "welcome", "mandarin", "hours", "main", "person"],
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
    return {**call_row(1), "events": events, "explain": explain, "recordings": [recording]}


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


def lists() -> dict[str, list[Json]]:
    """What the back office's lists hold."""
    outcomes = ["answered", "abandoned", "voicemail", "callback", "transferred", "fax", "self_service", "failsafe"]
    calls = [
        call_row(n, outcome=outcomes[n % 8], language=["zh", "yue", "en"][n % 3], number=f"139123456{n:02d}")
        for n in range(60)
    ]
    voicemail = {
        "id": 1,
        "call_id": "hotline1-1795.9",
        "number": "13912345678",
        "started_at": AT,
        "duration_s": 34,
        "status": "new",
        "reason": None,
        "section": "办件督查一处",
        "case_id": 88,
        "case_number": "20261124-000088",
        "language": "yue",
        "audio_url": "/api/voicemails/1/audio",
    }
    fax = {
        "id": 1,
        "call_id": "hotline1-1795.8",
        "number": "02588886666",
        "received_at": AT,
        "pages": 2,
        "mode": "T38",
        "status": "complete",
        "error": None,
        "section": "办件督查二处",
        "case_id": 89,
        "case_number": "20261124-000089",
        "pdf_url": "/api/faxes/1/pdf",
    }
    user = {
        "id": 7,
        "name": "1001",
        "display_name": "王小丽",
        "roles": ["agent"],
        "active": True,
        "last_login_at": AT,
        "agent_id": "1001",
    }
    agent = {
        "agent_id": "1001",
        "user_id": 7,
        "name": "王小丽",
        "skills": {"zh": 5, "yue": 3},
        "queues": ["general"],
        "may_dial_out": True,
        "endpoint": "1001",
        "phone_registered": True,
    }
    audit = {
        "id": 1,
        "at": AT,
        "actor": 7,
        "actor_name": "王小丽",
        "ip": "127.0.0.1",
        "action": "recording.played",
        "object": "recording 5",
        "detail": {"call": "hotline1-1795.1"},
    }
    return {
        "calls": calls,
        "cases": [case_list_row(case(n, None)) for n in range(1, 31)],
        "voicemails": [
            voicemail,
            {
                **voicemail,
                "id": 2,
                "status": "dropped",
                "reason": "silent",
                "audio_url": None,
                "case_id": None,
                "case_number": None,
            },
        ],
        "faxes": [
            fax,
            {
                **fax,
                "id": 2,
                "status": "failed",
                "error": "对方中途挂断",
                "pages": 0,
                "pdf_url": None,
                "case_id": None,
                "case_number": None,
            },
        ],
        "users": [
            user,
            {
                **user,
                "id": 8,
                "name": "li",
                "display_name": "李班长",
                "roles": ["supervisor", "admin"],
                "agent_id": None,
            },
        ],
        "agents": [
            agent,
            {**agent, "agent_id": "1002", "name": "陈晓", "phone_registered": False, "may_dial_out": False},
        ],
        "audit": [audit, {**audit, "id": 2, "action": "login", "object": None, "detail": None}],
    }


def new_agent(body: Json) -> Json:
    """The agent that the page asked for."""
    agent = lists()["agents"][0]
    return {**agent, "agent_id": body.get("agent_id") or "1002", "name": body["name"], "skills": body["skills"]}


def page(rows: list[Json], query: Mapping[str, str]) -> Json:
    """One page of a list, filtered by the caller's number and the outcome like the real one."""
    if outcome := query.get("outcome"):
        rows = [row for row in rows if row["outcome"] == outcome]
    size, number = int(query.get("page_size", 25)), int(query.get("page", 1))
    start = (number - 1) * size
    return {"items": rows[start : start + size], "total": len(rows), "page": number, "page_size": size}


def board(now: int, waiting: int = 3, agents: int = 14) -> Json:
    """A busy wallboard."""
    states = ["ready", "talking", "talking", "wrap_up", "not_ready", "talking", "offered"]
    people = [
        {
            "agent_id": str(1001 + n),
            "name": ["王小丽", "陈晓", "李明", "赵敏", "欧阳建国"][n % 5],
            "state": states[n % 7],
            "since_ms": now - 1000 * (17 + 61 * n),
            "reason": ["break", "meal", "no_answer"][n % 3] if states[n % 7] == "not_ready" else "",
            "unreachable": n == 13,
        }
        for n in range(agents)
    ]
    return {
        "depth": waiting,
        "longest_wait_s": 17 + 15 * waiting if waiting else 0,
        "waiting": [
            {
                "position": n + 1,
                "call_id": f"hotline1-9.{n}",
                "number_masked": f"139****{5678 + n}",
                "language": ["zh", "yue", "en"][n % 3],
                "waited_s": 17 + 15 * (waiting - n),
            }
            for n in range(waiting)
        ],
        "agents": people,
        "by_state": {state: sum(one["state"] == state for one in people) for state in set(states)},
        "answered_in_15s": {"num": 1180, "den": 1300, "rate": 1180 / 1300},
        "connect_24h": {"num": 1288, "den": 1402, "rate": 1288 / 1402},
        "as_of_ms": now,
    }


def demo(now: int) -> Json:
    """A small simulated city."""
    return {
        "citizens": [
            {"number": "13800000001", "language": "zh", "state": "menu", "since_ms": now - 4000},
            {"number": "13800000002", "language": "yue", "state": "waiting", "since_ms": now - 21000},
            {"number": "13800000003", "language": "en", "state": "talking", "since_ms": now - 61000},
        ],
        "agents": [
            {"agent_id": "1001", "name": "王小丽", "state": "talking", "since_ms": now - 61000},
            {"agent_id": "1002", "name": "陈晓", "state": "ready", "since_ms": now - 9000},
        ],
        "events": [
            {"at_ms": now - 4000, "text_zh": "138 0000 0001 拨打了 12345", "text_en": "138 0000 0001 dialled 12345"},
            {"at_ms": now - 61000, "text_zh": "1001 接听", "text_en": "1001 answered"},
        ],
        "running": True,
    }


def audio(wanted: str | None) -> Response:
    """Two seconds of silence, by ranges."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(8000)
        wav.writeframes(bytes(32000))
    data = buffer.getvalue()
    if wanted and wanted.startswith("bytes="):
        first, _, last = wanted[6:].partition("-")
        start, end = int(first or 0), int(last) if last else len(data) - 1
        headers = {"Content-Range": f"bytes {start}-{end}/{len(data)}", "Accept-Ranges": "bytes"}
        return Response(data[start : end + 1], status_code=206, media_type="audio/wav", headers=headers)
    return Response(data, media_type="audio/wav", headers={"Accept-Ranges": "bytes"})
