"""An agent's shift of many calls at the page, one call after the other without the minutes between them, and what the
page holds and how long it was busy after each stretch of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from playwright.sync_api import CDPSession, Page, expect

from tests.browser.fake_backend import FakeBackend, wait_for

CALL_S = 240
"""What a call and its wrap-up take in a shift of eight hours with 120 of them."""
PING_S = 5
"""How often the server says that it is there, see docs/websocket.md."""
ELSEWHERE = ("/cases", "/calls", "/knowledge/search", "/wallboard")
LONG_TASKS = """
  window.longTasks = []
  new PerformanceObserver((list) => window.longTasks.push(...list.getEntries().map((one) => one.duration)))
    .observe({ type: 'longtask', buffered: true })
"""


NOT_KEPT = {"native", "code", "synthetic"}
"""What else stands in V8's heap: the browser's own things (among them what its debugger records), and the code that V8
goes on compiling the more often something is done."""


@dataclass(frozen=True)
class Held:
    """What the page holds after so many calls (garbage collected): its whole heap, of that the objects, strings and
    closures that it keeps itself, nodes and listeners; and its long tasks since the last look: how many, milliseconds
    in all, and the longest."""

    calls: int
    heap_mb: float
    kept_mb: float
    nodes: int
    listeners: int
    long_tasks: int
    long_ms: float
    longest_ms: float


class Shift:
    """The desk of agent 1001 and the server behind it."""

    def __init__(self, page: Page, fake: FakeBackend) -> None:
        self._page, self._fake = page, fake
        self._tools: CDPSession = page.context.new_cdp_session(page)
        self._tools.send("Performance.enable")
        self._tools.send("HeapProfiler.enable")
        self._calls = 0

    def begins(self) -> None:
        """On shift and ready."""
        self._page.get_by_test_id("start").click()
        self._page.get_by_test_id("ready").click()
        self._is_in("ready")

    def goes_on(self, calls: int, every: int) -> Iterator[Held]:
        """So many calls; what the page holds after each `every` of them."""
        for _ in range(calls):
            self._calls += 1
            self._one_call(f"hotline1-{self._calls}.1")
            if self._calls % every == 0:
                yield self._look()

    def _one_call(self, call_id: str) -> None:
        page, fake, turn = self._page, self._fake, self._calls
        number = f"139{turn:08d}"
        fake.offer(call_id, number=number, name=f"市民{turn}", with_card=turn % 7 != 0)
        if turn % 7 == 0:
            fake.emit("call.card", {"call_id": call_id, "card": {**fake.calls[call_id]["card"], **self._card(call_id)}})
        expect(page.get_by_test_id("caller-number")).to_be_visible()
        page.keyboard.press("F2")
        expect(page.get_by_test_id("hold")).to_be_visible()
        page.get_by_label("诉求内容").press_sequentially(f"第{turn}个：小区停水三天，要求尽快恢复供水。")
        page.get_by_role("button", name="用内容首句作标题").click()
        page.get_by_text("投诉", exact=True).first.click()
        if turn % 5 == 0:
            page.keyboard.press("F2")
            expect(page.get_by_test_id("resume")).to_be_visible()
            page.keyboard.press("F2")
            expect(page.get_by_test_id("hold")).to_be_visible()
        if turn % 8 == 0:
            page.keyboard.press("Shift+F8")
            page.keyboard.type("110")
            page.keyboard.press("Enter")
            page.get_by_role("button", name="回到来电人").click()
            expect(page.get_by_test_id("consult")).to_have_count(0)
        if turn % 20 == 0:
            hellos = len(fake.hellos)
            fake.drop()
            wait_for(lambda: len(fake.hellos) > hellos, "the page to come back")
        self._pings()
        page.keyboard.press("F9")
        expect(page.get_by_test_id("registered")).to_be_visible()
        page.keyboard.press("Shift+F2")
        expect(page.get_by_test_id("wrap-left")).to_be_visible()
        page.keyboard.press("F8")
        self._is_in("ready")
        if turn % 10 == 0:
            self._looks_elsewhere(ELSEWHERE[turn // 10 % len(ELSEWHERE)])
        if turn % 15 == 0:
            page.get_by_test_id("break").click()
            self._is_in("not_ready")
            page.keyboard.press("F8")
            self._is_in("ready")

    def _card(self, call_id: str) -> dict[str, object]:
        """The card that comes after the pop."""
        case = self._fake.case_of(call_id)
        names = {"case_id": "id", "case_number": "number", "version": "version", "state": "state", "fields": "fields"}
        return {"draft": {name: case[key] for name, key in names.items()}}

    def _pings(self) -> None:
        """As many words from the server as come in the minutes of a call."""
        for _ in range(CALL_S // PING_S):
            self._fake.ping()

    def _looks_elsewhere(self, address: str) -> None:
        """Another page and back, inside the page."""
        links = self._page.locator(f"nav a[href='{address}'], nav a[href='{address.rsplit('/', 1)[0]}']")
        if not links.filter(visible=True).count():
            self._page.get_by_test_id("nav-more").click()
        links.filter(visible=True).first.click()
        self._page.wait_for_url(f"**{address}*")
        expect(self._page.locator("main :is(h1, h2)").first).to_be_attached()
        self._page.go_back()
        expect(self._page.get_by_test_id("agent-state")).to_be_visible()

    def _is_in(self, state: str) -> None:
        expect(self._page.get_by_test_id("agent-state")).to_have_attribute("data-state", state)

    def _look(self) -> Held:
        for _ in range(2):  # what a finaliser lets go of is collected by the second
            self._tools.send("HeapProfiler.collectGarbage")
        figures = {one["name"]: one["value"] for one in self._tools.send("Performance.getMetrics")["metrics"]}
        kept_mb = self._kept_mb()
        tasks: list[float] = self._page.evaluate("window.longTasks.splice(0)")
        return Held(
            self._calls,
            figures["JSHeapUsedSize"] / 1e6,
            kept_mb,
            int(figures["Nodes"]),
            int(figures["JSEventListeners"]),
            len(tasks),
            sum(tasks),
            max(tasks, default=0.0),
        )

    def _kept_mb(self) -> float:
        """What the page keeps by itself, from a snapshot of its heap."""
        parts: list[str] = []

        def take(part: dict[str, str]) -> None:
            parts.append(part["chunk"])

        self._tools.on("HeapProfiler.addHeapSnapshotChunk", take)
        self._tools.send("HeapProfiler.takeHeapSnapshot", {"reportProgress": False})
        self._tools.remove_listener("HeapProfiler.addHeapSnapshotChunk", take)
        found = json.loads("".join(parts))
        meta, nodes = found["snapshot"]["meta"], found["nodes"]
        fields, types = meta["node_fields"], meta["node_types"][0]
        kinds, sizes = (nodes[fields.index(name) :: len(fields)] for name in ("type", "self_size"))
        return sum(size for kind, size in zip(kinds, sizes, strict=True) if types[kind] not in NOT_KEPT) / 1e6
