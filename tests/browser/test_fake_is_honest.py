"""The fake backend is held to the real one: same steps on the page, same pictures, frames of the same shape."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, WebSocket, expect

from tests.browser.conftest import WIDE
from tests.browser.fake_backend import FakeBackend
from tests.browser.real import SLOW_MS, World, offered
from tests.browser.real import Desk as RealDesk

PLACES = ("agent-state", "ringing", "talking", "consult", "wrapup", "hold", "resume", "case-form", "registered")
"""What is written down after each step: which of these are on the page."""


class Stage(Protocol):
    """A backend with an agent at the page, and the people on the telephone."""

    page: Page

    def ring(self) -> None:
        """A citizen reaches this agent."""

    def pick_up(self) -> None:
        """The agent picks the telephone up."""

    def third_number(self) -> str:
        """A number that rings for long."""


@dataclass
class Fake:
    """The fake backend, its agent logged in through the form."""

    page: Page
    backend: FakeBackend

    def ring(self) -> None:
        self.backend.offer(number="13900000001")

    def pick_up(self) -> None:
        self.backend.answer()

    def third_number(self) -> str:
        return "110"


@dataclass
class Real:
    """The whole system."""

    page: Page
    world: World
    desk: RealDesk
    number: str = "13900000001"

    def ring(self) -> None:
        self.phone = self.world.phone(self.desk.account)
        expect(self.desk.see("phone")).to_contain_text("话机已注册", timeout=SLOW_MS)
        offered(self.world, self.desk, self.number)

    def has_called_before(self) -> None:
        """So that the card has a history."""
        self.ring()
        self.pick_up()
        self.desk.talk_began()
        write(self.page)
        self.desk.shows("registered")
        self.desk.click("hangup")
        self.desk.click("wrap-finish")
        self.desk.is_in("ready")
        self.world.forget()

    def pick_up(self) -> None:
        self.phone.wait_ringing()
        self.phone.pick_up()

    def third_number(self) -> str:
        self.world.city.answers("110", ring_s=60)
        return "110"


@dataclass
class Story:
    """What a run of the steps looked like: pictures after each step, and the shape of every kind of frame."""

    pictures: dict[str, dict[str, str]] = field(default_factory=dict)
    shapes: dict[str, dict[str, set[str]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(set)))
    results: dict[str, bool] = field(default_factory=dict)
    _asked: dict[str, str] = field(default_factory=dict)

    def listen(self, socket: WebSocket) -> None:
        """Writes down what goes over the page's websocket."""
        socket.on("framesent", lambda text: self._sent(json.loads(text)))
        socket.on("framereceived", lambda text: self._received(json.loads(text)))

    def _sent(self, frame: dict[str, Any]) -> None:
        if frame["type"] == "command":
            self._asked[frame["id"]] = frame["name"]

    def _received(self, frame: dict[str, Any]) -> None:
        if frame["type"] == "result":
            self.results[self._asked[frame["id"]]] = frame["ok"]
        elif frame["type"] == "delta":
            self._note(frame["event"], frame["data"])
        elif frame["type"] == "snapshot":
            self._note("snapshot", {key: value for key, value in frame["data"].items() if key != "wallboard"})

    def _note(self, place: str, data: dict[str, Any]) -> None:
        """Every field with its kinds of value, those of nested things under their path; rows share one path."""
        for name, value in data.items():
            self.shapes[place][name].add(_kind(value))
            for row in value if isinstance(value, list) else [value]:
                if isinstance(row, dict):
                    self._note(f"{place}.{name}", row)

    def picture(self, page: Page) -> dict[str, str]:
        """What the page shows of the places that matter."""
        shown = {name: page.get_by_test_id(name) for name in PLACES}
        seen = {name: "shown" for name, place in shown.items() if place.count()}
        seen["agent-state"] = str(shown["agent-state"].get_attribute("data-state"))
        if "talking" in seen:
            seen["talking"] = str(shown["talking"].locator("strong").text_content())
        return seen


def _kind(value: object) -> str:
    return {bool: "bool", int: "number", float: "number", str: "text", type(None): "nothing"}.get(type(value), "more")


def walk(stage: Stage, story: Story) -> Story:
    """One call, with everything an agent does at the page."""
    page = stage.page
    see = page.get_by_test_id

    def step(name: str, do: Callable[[], object], *until: tuple[str, str], gone: str = "") -> None:
        do()
        for place, text in until:
            expect(see(place)).to_be_visible(timeout=SLOW_MS)
            if text:
                expect(see(place)).to_contain_text(text, timeout=SLOW_MS)
        if gone:
            expect(see(gone)).to_have_count(0, timeout=SLOW_MS)
        story.pictures[name] = story.picture(page)

    def transfer(way: str) -> None:
        see("transfer").click()
        page.get_by_label("转给").fill(stage.third_number())
        page.get_by_role("dialog").get_by_role("button", name=way).click()

    step("sign in", see("start").click, ("agent-state", "示忙"))
    step("take a break", see("break").click, ("agent-state", "小休"))
    step("ready", see("ready").click, ("agent-state", "示闲"))
    step("ringing", stage.ring, ("ringing", ""), ("case-form", ""), ("agent-state", "来电振铃"))
    step("picked up", stage.pick_up, ("agent-state", "通话中"), ("talking", "通话中"), ("hold", ""))
    step("hold", see("hold").click, ("talking", "已保持"), ("resume", ""))
    step("reloaded on hold", page.reload, ("talking", "已保持"), ("case-form", ""))
    step("resume", see("resume").click, ("talking", "通话中"), ("hold", ""))
    step("consult", lambda: transfer("先咨询"), ("consult", "110 · 振铃中"))
    back = page.get_by_role("button", name="回到来电人").click
    step("back", back, ("hold", ""), ("talking", "通话中"), gone="consult")
    step("registered", lambda: write(page), ("registered", ""))
    step("next", page.get_by_role("button", name="通话后：小休", exact=True).click)
    step("next cancelled", page.get_by_role("button", name="取消“通话后小休”").click)
    step("hung up", see("hangup").click, ("wrapup", ""), ("agent-state", "话后整理"))
    step("extended", see("wrap-extend").click)
    step("finished", see("wrap-finish").click, ("agent-state", "示闲"))
    page.get_by_text("更多原因").click()
    step("signed out", see("sign-out").click, ("agent-state", "离线"))
    return story


def write(page: Page) -> None:
    """Fills the case and registers it."""
    page.get_by_text("咨询", exact=True).first.click()
    page.get_by_label("标题").fill("停水")
    page.get_by_label("诉求内容").fill("停水三天")
    page.get_by_label("来电人姓名").fill("张建国")
    page.get_by_test_id("register").click()


def log_in(page: Page, base: str, name: str, password: str) -> None:
    """Through the form."""
    page.goto(f"{base}/agent")
    page.get_by_label("账户").fill(name)
    page.get_by_label("密码", exact=True).fill(password)
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("start")).to_be_visible(timeout=SLOW_MS)


def context_of(browser: Browser) -> BrowserContext:
    context = browser.new_context(viewport=WIDE, locale="zh-CN")
    context.set_default_timeout(SLOW_MS)
    return context


@pytest.fixture(scope="module")
def told_by_fake(browser: Browser) -> Iterator[Story]:
    """The steps against the fake backend."""
    backend = FakeBackend()
    backend.start()
    context, story = context_of(browser), Story()
    page = context.new_page()
    page.on("websocket", story.listen)
    log_in(page, backend.base, "1001", backend.passwords["1001"])
    yield walk(Fake(page, backend), story)
    context.close()
    backend.stop()


@pytest.fixture(scope="module")
def told_by_real(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """The same steps against the whole system."""
    with World(tmp_path_factory.mktemp("honest"), agents=1) as world:
        context, story = context_of(browser), Story()
        context.on("page", lambda page: page.on("websocket", story.listen))
        desk = RealDesk.open(world, context, world.account())
        stage = Real(desk.page, world, desk)
        desk.click("start")
        desk.click("ready")
        stage.has_called_before()
        desk.page.get_by_text("更多原因").click()
        desk.click("sign-out")
        desk.shows("start")
        yield walk(stage, story)
        context.close()


def test_the_page_looks_the_same_after_every_step(told_by_fake: Story, told_by_real: Story) -> None:
    assert told_by_fake.pictures == told_by_real.pictures


def test_every_command_that_works_there_works_here(told_by_fake: Story, told_by_real: Story) -> None:
    assert told_by_fake.results == told_by_real.results
    assert all(told_by_real.results.values())


def test_frames_have_the_same_fields_with_the_same_kinds_of_values(told_by_fake: Story, told_by_real: Story) -> None:
    ours = {place: dict(fields) for place, fields in told_by_fake.shapes.items()}
    theirs = {place: dict(fields) for place, fields in told_by_real.shapes.items()}
    wrong: list[str] = []
    for place in sorted(ours):
        if place not in theirs:
            wrong.append(f"only the fake sends {place}")
            continue
        for name in sorted(ours[place].keys() ^ theirs[place].keys()):
            wrong.append(f"only the {'fake' if name in ours[place] else 'real one'} has {place}.{name}")
        for name in sorted(ours[place].keys() & theirs[place].keys()):
            if not ours[place][name] <= theirs[place][name] | {"nothing"}:
                wrong.append(f"{place}.{name}: fake {ours[place][name]}, real {theirs[place][name]}")
    assert not wrong, "\n".join(wrong)
