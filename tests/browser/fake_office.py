"""The back office's half of the fake backend: lists, what is opened from them, and what is changed in them."""

from __future__ import annotations

from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from tests.browser.samples import calls, office, people

Json = dict[str, Any]


class FakeOffice:
    """What the lists hold, from memory; `asked` are the bodies of searches."""

    def __init__(self) -> None:
        self.lists = office.lists()
        self.asked: list[Json] = []

    def answer(self, request: Request, path: str, body: Json) -> Response:
        """The answer to /api/`path`."""
        parts = path.split("/")
        if parts[-1] == "search" and parts[0] in self.lists:
            self.asked.append(body)
            return JSONResponse(office.page(self.lists[parts[0]], body))
        if path in self.lists and request.method == "GET":
            return JSONResponse(office.page(self.lists[path], request.query_params))
        if path == "agents":
            told = {"user_name": "1002", "one_time_password": "stone-river-42", "sip": people.SIP}
            return JSONResponse({**people.new_agent(body), **told})
        if parts[0] == "agents" and parts[-1] == "sip":
            return JSONResponse(people.SIP)
        if parts[0] == "calls":
            return JSONResponse(calls.call_detail())
        if parts[0] in ("recordings", "voicemails") and parts[-1] == "audio":
            return office.audio(request.headers.get("Range"))
        if parts[0] == "faxes":
            return Response(office.PDF, media_type="application/pdf")
        return error(404, "not_found", "没有找到")


def error(status: int, code: str, message: str, **more: Any) -> Response:
    """An answer that tells what went wrong."""
    return JSONResponse({"error": {"code": code, "message": message}, **more}, status_code=status)
