"""A server that speaks the pages' half of the contract from memory: for tests of what a page does, in milliseconds.

It promises nothing about the real server; tests/browser/test_real_call.py walks the whole chain.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response, WebSocket, WebSocketDisconnect
from fastapi.responses import JSONResponse

from app.http.pages import page_for
from app.phrases.shipped import SHIPPED
from tests.browser.fake_commands import obey
from tests.browser.fake_office import FakeOffice, error
from tests.browser.samples import board, calls, office, people

DIST = Path(__file__).resolve().parents[2] / "app/frontend/dist"
Json = dict[str, Any]


def now_ms() -> int:
    """The fake's clock is the machine's."""
    return time.time_ns() // 1_000_000


class FakeBackend:
    """One agent, 1001, with whatever calls and cases a test gives it. Methods may be called from any thread."""

    def __init__(self, dist: Path = DIST) -> None:
        self.dist = dist
        self.base = ""
        self.passwords = {"1001": "a-good-password", "boss": "a-good-password"}
        self.must_change = False
        self.signed_in: str | None = None
        self.agent: Json = people.agent_view()
        self.calls: dict[str, Json] = {}
        self.cases: dict[int, Json] = {}
        self.similar: list[Json] = []
        self.similar_asked: list[Json] = []
        self.places: list[Json] = []
        self.places_asked: list[Json] = []
        self.suggested: list[Json] = []  # units for a matter
        self.said: list[Json] = []  # suggestions from what was said: of a case's messages and talks …
        self.said_live: list[Json] = []  # … and of a talk that goes on
        self.said_asked: list[Json] = []
        self.recorded: list[Json] = []  # recordings of a call
        self.earlier: Json = {"open_cases": [], "last_cases": [], "last_calls": []}
        self.registered: list[int] = []
        self.patches: list[tuple[float, Json]] = []
        self.acts: list[Json] = []  # what was done to registered cases
        self.commands: list[Json] = []
        self.acks: list[tuple[float, int]] = []
        self.pongs: list[float] = []
        self.hellos: list[Json] = []
        self.demo_calls: list[Json] = []
        self.board: Json = board.board(now_ms())
        self.demo = False
        self.fail_saves: list[int] = []  # status codes for the next saves; 0 = cut the connection
        self.refuse_ws = False
        self.quiet = False  # True: no pings, nothing: a frozen server
        self.phone_can_answer = True
        self.refusals: dict[str, Json] = {}  # command → the error it is answered with
        self.office = FakeOffice()
        self._epoch, self._seq = "e1", 0
        self._kept: list[str] = []
        self._sockets: set[WebSocket] = set()
        self._numbers = itertools.count(1)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: uvicorn.Server | None = None
        self.app = self._make_app()

    # ------------------------------------------------------------------------------------------------ life and levers

    def start(self) -> str:
        """Serve on a free port; the base address."""
        self._server = uvicorn.Server(
            uvicorn.Config(self.app, host="127.0.0.1", port=0, log_level="warning", loop="asyncio", lifespan="off")
        )
        threading.Thread(target=self._server.run, daemon=True, name="fake-backend").start()
        wait_for(lambda: self._server is not None and self._server.started, "the fake backend to listen")
        port = self._server.servers[0].sockets[0].getsockname()[1]
        self.base = f"http://127.0.0.1:{port}"
        return self.base

    def stop(self) -> None:
        """End it and every connection."""
        self.drop()
        if self._server is not None:
            self._server.should_exit = True
            self._server.force_exit = True

    def emit(self, event: str, data: Json) -> int:
        """Send one delta to every page; its number. Pages that are away get it when they resume."""
        self._seq += 1
        text = json.dumps({"type": "delta", "seq": self._seq, "event": event, "data": data}, ensure_ascii=False)
        self._kept.append(text)
        if not self.quiet:
            self._run(self._send_all, text)
        return self._seq

    def ping(self) -> None:
        """Tell every page that the server is there, now."""
        self._run(self._send_all, json.dumps({"type": "ping", "server_ms": now_ms()}))

    def drop(self, code: int = 1011) -> None:
        """Cut every websocket."""
        self._run(self._close_all, code)

    def restart(self) -> None:
        """What was numbered before is not known any more, as after a restart."""
        self._epoch, self._seq, self._kept = f"e{next(self._numbers)}x", 0, []
        self.drop()

    def set_agent(self, **changes: Any) -> None:
        """Change the agent's view and tell the pages."""
        self.agent = {**self.agent, **changes, "since_ms": now_ms()}
        self.emit("agent.state", self.agent)

    def offer(
        self,
        call_id: str = "hotline1-1.1",
        *,
        with_card: bool = True,
        rings_s: int = 20,
        callback: bool = False,
        **card: Any,
    ) -> Json:
        """Offer a call: the draft is stored, the pop goes out, the phone rings. Gives the card."""
        case = self.case_of(call_id)
        whole = calls.card(call_id, case, now_ms(), **card)
        sent = (
            whole
            if with_card
            else {**whole, "draft": None, "citizen": None, "open_cases": [], "last_cases": [], "last_calls": []}
        )
        deadline = now_ms() + rings_s * 1000
        self.calls[call_id] = calls.call_view(call_id, sent, now_ms(), {"offer_id": "o1", "deadline_ms": deadline})
        self.agent = {**self.agent, "state": "offered", "since_ms": now_ms(), "call_id": call_id, "until_ms": deadline}
        self.emit("agent.state", self.agent)
        pop = {"offer_id": "o1", "call_id": call_id, "deadline_ms": deadline, "card": sent, "callback": callback}
        self.calls[call_id]["callback"] = callback
        self.emit("call.pop", pop)
        self.emit("call.ringing", {"offer_id": "o1", "call_id": call_id})
        return whole

    def answer(self, call_id: str = "hotline1-1.1") -> None:
        """The phone was picked up."""
        self.calls[call_id] |= {"phase": "talk", "answered_ms": now_ms(), "offer": None}
        self.set_agent(state="talking", until_ms=None)
        self.emit("call.answered", {"call_id": call_id, "channel": "PJSIP/1001-1", "at_ms": now_ms()})
        self.parties("call.room", call_id, talked=False)
        self.parties("call.room", call_id, talked=True)  # the staff number has been said

    def parties(self, event: str, call_id: str, **changes: Any) -> None:
        """Something about who is in the call has changed; the pages are told."""
        call = self.calls[call_id] = {**self.calls[call_id], **changes}
        call["held"] = call["phase"] == "held"
        self.emit(event, {name: call[name] for name in ("call_id", "phase", "members", "talked")})

    def mark(self, call_id: str, **changes: Any) -> Json | None:
        """Something else about a talk has changed; the pages are told. The error when there is no such call."""
        if call_id not in self.calls:
            return {"code": "not_found", "message": "没有这个通话,或不是您的通话。"}
        call = self.calls[call_id] = {**self.calls[call_id], **changes}
        self.emit("call.marks", {name: call[name] for name in ("call_id", "members", *calls.MARKS)})
        return None

    def show_board(self, **changes: Any) -> None:
        """The board, as it is from now on."""
        self.board = {**self.board, **changes, "as_of_ms": now_ms()}
        self.emit("wallboard.figures", self.board)

    def oversee(self, call_id: str, mode: str, state: str = "up", agent_id: str = "1002") -> None:
        """This agent, a supervisor, oversees a colleague's talk."""
        told = {"call_id": call_id, "agent_id": agent_id, "mode": mode, "state": state}
        self.set_agent(overseeing=told)

    def no_answer(self, call_id: str = "hotline1-1.1") -> None:
        """It rang in vain."""
        self.calls.pop(call_id, None)
        self.emit("call.offer_ended", {"call_id": call_id, "offer_id": "o1", "why": "offer_timeout"})
        self.set_agent(state="not_ready", not_ready_reason="no_answer", call_id=None, until_ms=None)

    def end_call(self, call_id: str = "hotline1-1.1", wrapup_s: int = 30) -> None:
        """Somebody hung up; wrap-up begins."""
        self.calls.pop(call_id, None)
        case = self.case_of(call_id)
        until = now_ms() + wrapup_s * 1000
        self.set_agent(state="wrap_up", call_id=None, until_ms=until, wrapup_until_ms=until)
        draft = {
            "case_id": case["id"],
            "case_number": case["number"],
            "version": case["version"],
            "state": case["state"],
        }
        self.emit("call.ended", {"call_id": call_id, "at_ms": now_ms(), "why": "hangup", "draft": draft})

    def case_of(self, call_id: str) -> Json:
        """The one case of a call: made at the first question."""
        for case in self.cases.values():
            if case["call_id"] == call_id:
                return case
        number = next(self._numbers)
        self.cases[number] = calls.case(number, call_id)
        return self.cases[number]

    def commanded(self, name: str) -> list[Json]:
        """The commands of this name that have come."""
        return [one for one in self.commands if one["name"] == name]

    # --------------------------------------------------------------------------------------------------------- inside

    def _run(self, what: Callable[..., Any], *args: Any) -> None:
        if self._loop is not None and self._loop.is_running():
            asyncio.run_coroutine_threadsafe(what(*args), self._loop)

    async def _send_all(self, text: str) -> None:
        for socket in list(self._sockets):
            try:
                await socket.send_text(text)
            except (RuntimeError, WebSocketDisconnect):
                self._sockets.discard(socket)

    async def _close_all(self, code: int) -> None:
        for socket in list(self._sockets):
            self._sockets.discard(socket)
            try:
                await socket.close(code)
            except RuntimeError:
                continue

    def _snapshot(self) -> str:
        data = {"agent": self.agent, "calls": list(self.calls.values()), "wallboard": self.board, "server_ms": now_ms()}
        return json.dumps(
            {"type": "snapshot", "epoch": self._epoch, "seq": self._seq, "data": data}, ensure_ascii=False
        )

    def _me(self) -> Json:
        return people.me(str(self.signed_in), self.must_change, now_ms())

    def _make_app(self) -> FastAPI:
        app = FastAPI()
        app.state.pages = self.dist
        app.add_api_websocket_route("/ws", self._ws)
        app.add_api_route("/api/login", self._login, methods=["POST"])
        app.add_api_route("/api/{path:path}", self._api, methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
        app.add_api_route("/{path:path}", self._page, methods=["GET"])
        return app

    async def _page(self, request: Request) -> Response:
        return page_for(request) or error(404, "not_found", "没有找到")

    async def _login(self, request: Request) -> Response:
        self._loop = asyncio.get_running_loop()
        body = await request.json()
        if self.passwords.get(body["name"]) != body["password"]:
            return error(401, "bad_credentials", "账户或密码不对")
        self.signed_in = body["name"]
        return JSONResponse(self._me())

    async def _api(self, path: str, request: Request) -> Response:
        self._loop = asyncio.get_running_loop()
        if self.signed_in is None:
            return error(401, "signed_out", "登录已过期")
        if request.method != "GET" and request.headers.get("X-CSRF-Token") != "csrf-1":
            return error(403, "csrf", "CSRF")
        body = await request.json() if request.method != "GET" and await request.body() else {}
        parts = path.split("/")
        if path == "cases/duplicates":
            self.similar_asked.append(body)
            return JSONResponse(self.similar)
        if path == "places/suggest":
            self.places_asked.append(body)
            return JSONResponse(self.places if body["q"][:1] in "".join(one["address"] for one in self.places) else [])
        if path == "phrases":
            return JSONResponse({"edition": 0, "phrases": [asdict(one) for one in SHIPPED]})
        if path == "suggestions":
            self.said_asked.append(body)
            return JSONResponse(self.said_live)
        if path == "recordings":
            return JSONResponse(self.recorded)
        if path == "units/suggest":
            return JSONResponse(self.suggested)
        if path == "units/search":
            return JSONResponse([one["unit"] for one in self.suggested if body["q"] in one["unit"].values()])
        if parts[0] == "cases" and parts[-1] not in ("cases", "search"):
            return self._case(request.method, parts, body)
        self.office.lists["cases"] = [calls.case_list_row(case) for case in self.cases.values()] or office.cases()
        if path == "me":
            return JSONResponse(self._me())
        if path == "me/password":
            self.must_change, self.passwords[str(self.signed_in)] = False, body["new"]
            return Response(status_code=204)
        if path == "logout":
            self.signed_in = None
            return Response(status_code=204)
        if parts[0] == "demo":
            return self._demo(request.method, body)
        return self.office.answer(request, path, body)

    def _case(self, method: str, parts: list[str], body: Json) -> Response:
        case = self.cases.get(int(parts[1])) or calls.case(int(parts[1]), None)
        if parts[-1] == "events":
            return JSONResponse(office.page(calls.EVENTS, {}))
        if parts[-1] == "loop":
            return JSONResponse(calls.loop(case["state"]))
        if parts[-1] == "suggestions":
            return JSONResponse(self.said)
        if parts[-1] == "earlier":
            return JSONResponse(self.earlier)
        if parts[-1] == "progress-code":
            return JSONResponse({"number": case["number"], "code": "1234 5678"})
        if parts[-2] == "reply-templates":
            return JSONResponse(calls.offers(case["number"]))
        if method == "GET":
            return JSONResponse({**case, "citizen": None, "call": None, "attachments": []})
        if self.fail_saves:
            status = self.fail_saves.pop(0)
            return error(status, "busy" if status == 503 else "server", "忙")
        if body["version"] != case["version"]:
            already = (parts[-1], case["state"]) in (("register", "registered"), ("answer-at-once", "answered"))
            if not already:
                refusal = {
                    "error": {"code": "version_conflict", "message": "已被修改"},
                    "current": case,
                    "changed_by": "李班长",
                }
                return JSONResponse(refusal, status_code=409)
            return JSONResponse(case)
        if parts[-1] in calls.ENDS:
            self.acts.append({"act": parts[-1], **body})
            case |= {"state": calls.ENDS[parts[-1]], "version": case["version"] + 1}
            return JSONResponse({**{name: case[name] for name in ("id", "state", "version")}, "due_at": None})
        self.patches.append((time.monotonic(), {"register": parts[-1] in ("register", "answer-at-once"), **body}))
        case["fields"] |= body["fields"]
        case["type"] = case["fields"]["type"]
        case["version"] += 1
        if parts[-1] in ("register", "answer-at-once"):
            case["state"] = "registered" if parts[-1] == "register" else "answered"
            self.registered.append(case["id"])
            return JSONResponse(case)
        return JSONResponse({"version": case["version"], "updated_at": calls.AT})

    def _demo(self, method: str, body: Json) -> Response:
        if not self.demo:
            return error(404, "not_found", "没有演示")
        if method == "POST":
            self.demo_calls.append(body)
            return JSONResponse({"number": "13800001234"}, status_code=202)
        return JSONResponse(board.demo(now_ms()))

    async def _ws(self, socket: WebSocket) -> None:
        self._loop = asyncio.get_running_loop()
        if self.refuse_ws:
            return await socket.close(1011)
        await socket.accept()
        if self.signed_in is None:
            return await socket.close(4401)
        pings = asyncio.create_task(self._ping(socket))
        try:
            while True:
                await self._frame(socket, json.loads(await socket.receive_text()))
        except (WebSocketDisconnect, RuntimeError):
            pass
        finally:
            pings.cancel()
            self._sockets.discard(socket)

    async def _ping(self, socket: WebSocket) -> None:
        while True:
            await asyncio.sleep(1)
            if not self.quiet:
                await socket.send_text(json.dumps({"type": "ping", "server_ms": now_ms()}))

    async def _frame(self, socket: WebSocket, frame: Json) -> None:
        if frame["type"] == "hello":
            self.hellos.append(frame)
            resume = frame["resume"]
            if resume and resume["epoch"] == self._epoch:
                for text in self._kept[resume["seq"] :]:
                    await socket.send_text(text)
                await socket.send_text(json.dumps({"type": "ping", "server_ms": now_ms()}))
            else:
                await socket.send_text(self._snapshot())
            self._sockets.add(socket)
        elif frame["type"] == "pong":
            self.pongs.append(time.monotonic())
        elif frame["type"] == "ack":
            self.acks.append((time.monotonic(), frame["event_seq"]))
        elif frame["type"] == "command":
            self.commands.append({"name": frame["name"], "args": frame["args"], "at": time.monotonic()})
            refusal = obey(self, frame["name"], frame["args"])
            result: Json = {"type": "result", "id": frame["id"], "ok": refusal is None}
            result |= {"data": {"call_id": "out-1"}} if refusal is None else {"error": refusal}
            await socket.send_text(json.dumps(result))


def wait_for(condition: Callable[[], object], what: str, timeout: float = 10.0) -> None:
    """Until `condition()` is true, looking every 10 ms. Fails the test naming `what`."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout} s in vain for {what}")
        time.sleep(0.01)
