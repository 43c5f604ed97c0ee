"""The knowledge base's half of the fake backend."""

from __future__ import annotations

from typing import Any

from fastapi import Response
from fastapi.responses import JSONResponse

from tests.browser.samples import knowledge, office

Json = dict[str, Any]


class FakeKnowledge:
    """What is known, and what was asked and done."""

    def __init__(self) -> None:
        self.hits = knowledge.hits()
        self.article = knowledge.article()
        self.gaps = knowledge.gaps()
        self.sought: list[Json] = []
        self.sent: list[tuple[str, Json]] = []

    def answer(self, parts: list[str], method: str, body: Json) -> Response:
        """The answer to /api/knowledge/`parts`."""
        what = "/".join(parts)
        if method != "GET" and what != "search":
            self.sent.append((what, body))
        if what == "search":
            self.sought.append(body)
            found = self.hits if "停水" in body["q"] else []
            return JSONResponse({"items": found, "noted": bool(body.get("done")) and not found})
        if what == "units":
            return JSONResponse(knowledge.units())
        if what == "gaps":
            return JSONResponse(office.page(self.gaps, {}) if method == "GET" else {"noted": True})
        if parts[0] == "gaps":
            gap = next(one for one in self.gaps if one["id"] == int(parts[1]))
            gap |= {"state": {"claim": "claimed", "release": "open", "close": "closed"}[body["step"]]}
            return JSONResponse(gap)
        if what == "articles" and method == "GET":
            return JSONResponse(office.page(knowledge.rows(), {}))
        if what == "articles":
            self.article = {**self.article, "versions": [knowledge.version(1, "draft", ["edit", "submit"], **body)]}
            self.article |= {"id": 9, "current": None, "open": 1}
        if parts[-1] == "steps" and body["step"] == "approve":
            newer, older = self.article["versions"]
            newer, older = {**newer, "state": "published"}, {**older, "state": "replaced", "steps": []}
            self.article |= {"current": 2, "open": None, "versions": [newer, older]}
        return JSONResponse(self.article, status_code=201 if what == "articles" else 200)
