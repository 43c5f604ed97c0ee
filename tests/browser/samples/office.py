"""What the back office's lists hold, how a list is leafed through, and a file to open or to hear."""

from __future__ import annotations

import io
import wave
from collections.abc import Mapping
from typing import Any

from fastapi import Response

from tests.browser.samples.calls import AT, call_row, case, case_list_row

Json = dict[str, Any]


PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj "
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF"
)


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
        "text_source": "vosk",
        "parts": [],
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
        "cases": cases(),
        "voicemails": [
            voicemail,
            {
                **voicemail,
                "id": 2,
                "status": "dropped",
                "reason": "silent",
                "audio_url": None,
                "text_source": None,
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


def cases() -> list[Json]:
    """Thirty drafts."""
    return [case_list_row(case(n, None)) for n in range(1, 31)]


VOICES = [
    {"language": "zh", "speaks": True, "reads": []},
    {"language": "yue", "speaks": True, "reads": ["zh"]},
    {"language": "en", "speaks": True, "reads": []},
]
"""The languages of the menu, as the page of announcements asks for them."""


def callers(**changes: int) -> Json:
    """What became of those who heard an announcement."""
    return {"callers": 0, "whole": 0, "satisfied": 0, "early": 0, "person": 0, "alone": 0, **changes}


def announcement(serial: int, **changes: Any) -> Json:
    """A surge announcement that callers hear now."""
    row = {
        "id": serial,
        "texts": {"zh": "城南水管爆裂，抢修人员已经到场。", "en": "A water main has burst in the south."},
        "area": "城南区",
        "priority": 10,
        "active_from": AT,
        "active_until": "2026-11-24T09:30:00Z",
        "state": "active",
        "heard": True,
        "callers": callers(),
        "version": 1,
        "created_at": AT,
        "created_by_name": "李班长",
        "updated_at": None,
        "updated_by_name": None,
    }
    return {**row, **changes}


def announcements() -> list[Json]:
    """One that is heard, one that has to wait behind more urgent ones, one coming, one past."""
    return [
        announcement(1, callers=callers(callers=120, whole=98, satisfied=45, early=20, person=40, alone=15)),
        announcement(2, texts={"zh": "地铁二号线停运检修。"}, priority=0, heard=False),
        announcement(3, texts={"zh": "明晚台风登陆。"}, state="coming", heard=False),
        announcement(4, texts={"zh": "昨天的停电已恢复。"}, state="past", heard=False),
    ]


def callback(serial: int, **changes: Any) -> Json:
    """A promise to call back."""
    row = {
        "id": serial,
        "number": f"139123456{serial:02d}",
        "call_id": f"hotline1-1795.{serial}",
        "language": ["zh", "yue", "en"][serial % 3],
        "queue": "general",
        "state": "open",
        "requested_at": AT,
        "due_at": AT,
        "attempts": 0,
        "most_attempts": 3,
        "agent_id": None,
        "agent_name": None,
        "taken_at": None,
        "closed_at": None,
        "result": "",
        "in_line": False,
    }
    return {**row, **changes}


def callbacks() -> list[Json]:
    """Two open ones, one that a colleague has, one that was given up."""
    return [
        callback(1),
        callback(2, attempts=1, result="no_answer"),
        callback(3, state="taken", agent_id="1002", agent_name="陈晓", attempts=1),
        callback(4, state="given_up", agent_id="1002", agent_name="陈晓", attempts=3, result="busy"),
    ]


def voicemail_text() -> Json:
    """What a machine heard in the first message."""
    lines = [("人工", 800, 0.97), ("一三八零零一三八零零零", 2100, 0.91), ("投诉", 6400, 0.74)]
    return {
        "text": "人工，一三八零零一三八零零零，投诉",
        "source": "vosk",
        "confidence": 0.87,
        "version": 1,
        "at": AT,
        "by_name": "",
        "lines": [{"text": text, "start_ms": at, "end_ms": at + 900, "confidence": sure} for text, at, sure in lines],
    }


def page(rows: list[Json], query: Mapping[str, Any]) -> Json:
    """One page of a list, filtered by outcome and caller's number like the real one."""
    if outcome := query.get("outcome"):
        rows = [row for row in rows if row["outcome"] == outcome]
    if state := query.get("state"):
        rows = [row for row in rows if row["state"] == state]
    if number := query.get("number") or query.get("q"):
        rows = [row for row in rows if number in (row.get("number"), row.get("fields", {}).get("caller_number"))]
    size, number = int(query.get("page_size", 25)), int(query.get("page", 1))
    start = (number - 1) * size
    return {"items": rows[start : start + size], "total": len(rows), "page": number, "page_size": size}


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
