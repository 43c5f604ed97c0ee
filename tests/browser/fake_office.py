"""The back office's half of the fake backend: lists, what is opened from them, and what is changed in them."""

from __future__ import annotations

from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from app.workdays.sheet import read_sheet
from tests.browser.fake_knowledge import FakeKnowledge
from tests.browser.samples import calls, office, people, room, rules, workdays

Json = dict[str, Any]


class FakeOffice:
    """What the lists hold, from memory; `asked` are the bodies of searches."""

    def __init__(self) -> None:
        self.lists = office.lists() | {
            "announcements": office.announcements(),
            "callbacks": office.callbacks(),
            "nuisance-rules": rules.nuisances(),
            "clock-rules": workdays.clock_rules(),
            "alerts": room.alert_rows(),
        }
        self.alert_rules = room.rules()
        self.texts = {1: office.voicemail_text()}
        self.years = workdays.years()
        self.imported: list[Json] = []
        self.asked: list[Json] = []
        self.spoken: list[Json] = []
        self.voices: list[Json] = list(office.VOICES)
        self.me = "1001"
        self.unread = 0
        self.knowledge = FakeKnowledge()
        self.queue_rules: Json = {}  # what is different in the answer about the queues' rules

    def answer(self, request: Request, path: str, body: Json) -> Response:
        """The answer to /api/`path`."""
        parts = path.split("/")
        if parts[-1] == "search" and parts[0] in self.lists:
            self.asked.append(body)
            if parts[0] == "voicemails" and body.get("q"):
                return JSONResponse(office.page(self._messages_with(body["q"]), {**body, "q": ""}))
            return JSONResponse(office.page(self.lists[parts[0]], body))
        if parts[0] == "announcements" and request.method != "GET":
            return self._announcement(parts, body)
        if parts[0] == "nuisance-rules" and request.method != "GET":
            return self._rule(parts, body)
        if parts[0] == "workdays":
            return self._workdays(request, parts, body)
        if path.startswith("alerts/rules"):
            return self._alert_rule(parts, body)
        if parts[0] == "staffing":
            return JSONResponse(room.figures() if parts[1] == "figures" else room.staffing())
        if parts[0] == "clock-rules":
            return self._clock_rule(request.method, parts, body)
        if path == "notices/unread":
            return JSONResponse({"unread": self.unread, "urgent": 0})
        if path == "queue-rules":
            english = request.headers.get("Accept-Language", "").startswith("en")
            return JSONResponse(rules.queue_rules(english) | self.queue_rules)
        if parts[0] == "boards":
            return JSONResponse(None if parts[-1] == "next" else {"follow_up": {"all": 1, "late": 0}})
        if parts[0] == "knowledge":
            return self.knowledge.answer(parts[1:], request.method, body)
        if parts[0] == "callbacks" and len(parts) > 1:
            return self._callback(self.row("callbacks", int(parts[1])), parts[-1], body)
        if path == "announcements/languages":
            return JSONResponse(self.voices)
        if parts[0] == "announcements" and parts[-1] == "hours":
            row = self.row("announcements", int(parts[1]))
            return JSONResponse([{"hour": calls.AT, **row["callers"]}])
        if path == "announcements":
            state = request.query_params.get("state")
            return JSONResponse([row for row in self.lists[path] if state in (None, row["state"])])
        if path in self.lists and request.method == "GET":
            return JSONResponse(office.page(self.lists[path], request.query_params))
        if path == "agents":
            told = {"user_name": "1002", "one_time_password": "stone-river-42", "sip": people.SIP}
            return JSONResponse({**people.new_agent(body), **told})
        if parts[0] == "agents" and parts[-1] == "sip":
            return JSONResponse(people.SIP)
        if parts[0] == "calls":
            return JSONResponse(calls.call_detail())
        if parts[0] == "recordings" and parts[-1] == "peaks":
            return JSONResponse({"per_second": 8, "left": "AEBAgP//gEA=", "right": "AAAAAEBAQEA="})
        if parts[0] == "recordings" and parts[-1] in ("transcript", "comments"):
            return JSONResponse([])
        if parts[0] == "voicemails" and parts[-1] == "text":
            return self._voicemail_text(self.row("voicemails", int(parts[1])), request.method, body)
        if parts[0] in ("recordings", "voicemails") and parts[-1] == "audio":
            return office.audio(request.headers.get("Range"))
        if parts[0] == "faxes":
            return Response(office.PDF, media_type="application/pdf")
        return error(404, "not_found", "没有找到")

    def row(self, what: str, ident: int) -> Json:
        """One row of a list, to be looked at or changed."""
        return next(row for row in self.lists[what] if row["id"] == ident)

    def _messages_with(self, words: str) -> list[Json]:
        found = []
        for ident, said in self.texts.items():
            before, mark, after = said["text"].partition(words)
            if mark:
                pieces = [(before, False), (mark, True), (after, False)]
                parts = [{"text": text, "found": here} for text, here in pieces if text]
                found.append({**self.row("voicemails", ident), "parts": parts})
        return found

    def _voicemail_text(self, row: Json, method: str, body: Json) -> Response:
        kept = self.texts.get(row["id"])
        if method == "GET":
            return JSONResponse(kept) if kept else error(404, "not_found", "没有找到")
        if body["version"] != (kept["version"] if kept else 0):
            return error(409, "version_conflict", "这条留言的文字刚被别人改过", current=kept)
        kept = {**office.voicemail_text(), "text": body["text"], "source": "hand", "version": body["version"] + 1}
        self.texts[row["id"]] = {**kept, "by_name": "李班长", "confidence": None}
        row["text_source"] = "hand"
        return JSONResponse(self.texts[row["id"]])

    def _announcement(self, parts: list[str], body: Json) -> Response:
        rows = self.lists["announcements"]
        if parts[-1] == "spoken":
            self.spoken.append(body)
            return office.audio(None)
        if len(parts) == 1:
            rows.insert(0, office.announcement(len(rows) + 1, **body, created_by_name="李班长"))
            return JSONResponse(rows[0], status_code=201)
        row = self.row("announcements", int(parts[1]))
        if parts[-1] == "end":
            row |= {"state": "past", "heard": False, "version": row["version"] + 1}
        elif body.pop("version") != row["version"]:
            return error(409, "version_conflict", "已被他人修改", current=row, changed_by=row["updated_by_name"])
        else:
            row |= {**body, "version": row["version"] + 1, "updated_by_name": "李班长"}
        return JSONResponse(row)

    def _rule(self, parts: list[str], body: Json) -> Response:
        rows = self.lists["nuisance-rules"]
        if len(parts) == 1:
            given = {"number": "13812345678"} if body.get("call_id") else {}
            rows.insert(0, rules.nuisance(len(rows) + 1, **{**body, **given}, created_by_name="李班长"))
            return JSONResponse(rows[0], status_code=201)
        row = self.row("nuisance-rules", int(parts[1]))
        row |= {"state": "ended", "ended_at": calls.AT, "ended_by_name": "李班长", "end_why": body["why"]}
        return JSONResponse(row)

    def _workdays(self, request: Request, parts: list[str], body: Json) -> Response:
        if parts[1] == "count":
            return JSONResponse({"day": "2026-10-15", "provisional": False})
        if parts[1] != "days":
            return self._year(int(parts[1]), parts[-1] == "import", body)
        number = int(parts[2][:4])
        kept = [one for one in self.years.get(number, []) if one["day"] != parts[2]]
        self.years[number] = kept
        if request.method == "DELETE":
            return Response(status_code=204)
        kept.append(workdays.workday(parts[2], body["kind"], body["note"], "edit", "李班长"))
        return JSONResponse(kept[-1])

    def _year(self, number: int, imports: bool, body: Json) -> Response:
        if not imports:
            last = self.imported[-1]["published_by"] if self.imported else ""
            return JSONResponse(workdays.year(number, self.years.get(number, []), last))
        sheet = read_sheet(body["text"], number)
        days = [{"day": one.day.isoformat(), "kind": one.kind.value, "note": one.note} for one in sheet.days]
        faults = [{"row": one.row, "column": one.column, "message": one.told("zh")} for one in sheet.faults]
        stored = not faults and not body["dry_run"]
        if stored:
            self.imported.append(body)
            self.years[number] = [workdays.workday(**one, source="import", by="李班长") for one in days]
        counts = {"added": len(days), "changed": 0, "removed": 0}
        return JSONResponse({"stored": stored, "faults": faults, "days": days, **counts})

    def _clock_rule(self, method: str, parts: list[str], body: Json) -> Response:
        rows = self.lists["clock-rules"]
        if method == "GET":
            return JSONResponse(rows)
        names = ("kind", "case_type", "urgency", "way")
        key = {name: None if said == "any" else said for name, said in zip(names, parts[1:], strict=True)}
        row = next((one for one in rows if key.items() <= one.items()), None)
        if method == "DELETE":
            assert row is not None
            rows.remove(row)
            return Response(status_code=204)
        if row is None:
            row = {**workdays.clock_rule(parts[1], 1, "hours", shipped=None), **key}
            rows.append(row)
        row |= {"limit": body, "own": True, "changed_at": calls.AT, "changed_by_name": "李班长"}
        return JSONResponse(row)

    def _alert_rule(self, parts: list[str], body: Json) -> Response:
        if len(parts) == 2:
            return JSONResponse(self.alert_rules)
        row = next(one for one in self.alert_rules if one["kind"] == parts[2])
        if body.pop("version") != row["version"]:
            return error(409, "version_conflict", "已被他人修改", current=row)
        row |= {**body, "version": row["version"] + 1, "changed_at": calls.AT, "changed_by_name": "李班长"}
        return JSONResponse(row)

    def _callback(self, row: Json, step: str, body: Json) -> Response:
        if row["state"] == "taken" and row["agent_id"] != self.me and step != "release":
            return error(409, "taken", f"该回拨正由坐席 {row['agent_id']} {row['agent_name']} 处理。")
        after = {
            "take": {"state": "taken", "agent_id": self.me, "agent_name": "王小丽", "attempts": row["attempts"] + 1},
            "release": {"state": "open", "agent_id": None, "agent_name": None, "attempts": row["attempts"] - 1},
            "reached": {"state": "done", "result": "reached"},
            "missed": {"state": "open", "agent_id": None, "result": body.get("why", "")},
            "cancel": {"state": "cancelled", "result": body.get("why", "")},
            "reopen": {"state": "open", "agent_id": None, "most_attempts": row["attempts"] + 1},
        }
        row |= after[step]
        return JSONResponse(row)


def error(status: int, code: str, message: str, **more: Any) -> Response:
    """An answer that tells what went wrong."""
    return JSONResponse({"error": {"code": code, "message": message}, **more}, status_code=status)
