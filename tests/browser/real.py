"""The whole hotline behind a real page: Asterisk, backend, the telephone network, agents' telephones, and the steps
that citizens and agents take.

Every test has an agent of its own, so that nothing of one test reaches into the next.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from playwright.sync_api import Browser, BrowserContext, Error, Page, expect

from app.secrets import secret
from asterisk_conf.accounts import PhoneAccount
from tests.browser.house import WIDE
from tests.harness.system import PASSWORD, HotlineSystem
from tests.peers import audio
from tests.peers.baresip import BaresipPhone
from tests.peers.manager import Manager
from tests.peers.network import Line, PublicNetwork

CITIZEN, AGENT, COLLEAGUE, OUTSIDE = 440, 880, 700, 500
"""What each party says, in hertz."""
SLOW_MS = 20_000
"""For what real telephones do: they ring, and sentences are spoken to their end."""
LOUD_DB = -40.0


class World:
    """One running hotline and its surroundings. Use as a context manager."""

    def __init__(self, folder: Path, agents: int, **settings: object) -> None:
        self.folder = folder
        given = {"opens": "00:00", "closes": "00:00", "outbound_allowed": ["110", "025[0-9]{8}"], **settings}
        self.system = HotlineSystem(folder / "home", **given)
        self.city = PublicNetwork(folder / "city", self.system.settings)
        self._ids = [str(1001 + index) for index in range(agents)]
        self._numbers = itertools.count(13_900_000_001)
        self._phones: list[BaresipPhone] = []

    def __enter__(self) -> Self:
        # The network first: a trunk that does not answer the first look counts as unreachable for half a minute.
        self.city.start()
        try:
            self.system.configure(trunk_out=self.city.address)
            self.system.__enter__()
            self.accounts = iter(self.system.add_agents(self._ids).values())
            settings = self.system.settings
            self.manager = Manager(settings.ami_host, settings.ami_port, "hotline", secret(settings, "ami"))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.forget()
        if hasattr(self, "manager"):
            self.manager.close()
        self.system.stop()
        self.city.stop()

    def account(self) -> PhoneAccount:
        """The telephone account of an agent that no test has used."""
        return next(self.accounts)

    def phone(self, account: PhoneAccount, *, answer: str = "manual", tone_hz: int = AGENT) -> BaresipPhone:
        """The agent's desk phone, registered."""
        folder = self.folder / f"phone-{account.agent_id}"
        one = self.system.phone(folder, account, answer=answer, tone_hz=tone_hz)
        self._phones.append(one)
        return one.start()

    def call(self, number: str = "") -> Line:
        """A citizen (whom nobody knows, unless a number is given) dials 12345 and hears the greeting."""
        citizen = self.city.call(number or str(next(self._numbers))).wait_answered(20)
        citizen.wait(2.0)
        return citizen

    def wants_a_person(self, citizen: Line) -> None:
        """Through the menu: Mandarin, then a person."""
        citizen.press("1")
        citizen.wait(1.5)
        citizen.press("0")

    def forget(self) -> None:
        """Ends what a test has left: calls and telephones."""
        for line in self.city.lines.values():
            if line.channel and not line.ended.is_set():
                line.hang_up()
        for phone in self._phones:
            phone.stop()
        self._phones.clear()
        self.city.forget()


@dataclass
class Desk:
    """An agent in front of the page."""

    world: World
    context: BrowserContext
    account: PhoneAccount
    page: Page
    problems: list[str] = field(default_factory=list)

    @classmethod
    def open(cls, world: World, context: BrowserContext, account: PhoneAccount) -> Desk:
        """Logs in through the form."""
        desk = cls(world, context, account, context.new_page())
        desk.watch(desk.page)
        try:
            desk.page.goto(f"{world.system.http}/agent")
        except Error as away:
            raise AssertionError(f"{away}\n{world.system.tails()}") from away
        desk.page.get_by_label("账户").fill(account.agent_id)
        desk.page.get_by_label("密码", exact=True).fill(PASSWORD)
        desk.page.keyboard.press("Enter")
        desk.shows("start")
        return desk

    def another_tab(self) -> Desk:
        """The same agent, in a second tab of the same browser."""
        tab = Desk(self.world, self.context, self.account, self.context.new_page(), self.problems)
        self.watch(tab.page)
        tab.page.goto(f"{self.world.system.http}/agent")
        return tab

    def watch(self, page: Page) -> None:
        """Whatever goes wrong inside the page, or is kept from it by the content policy, is noted."""
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        refused = re.compile("Content Security Policy")
        page.on("console", lambda said: self.problems.append(said.text) if refused.search(said.text) else None)

    def start(self) -> None:
        """Signs in for the shift and is ready, once the exchange says that the telephone is there."""
        self.click("start")
        expect(self.see("phone")).to_contain_text("话机已注册", timeout=SLOW_MS)
        self.click("ready")
        self.is_in("ready")

    def see(self, name: str) -> Any:
        """What is marked with this name on the page."""
        return self.page.get_by_test_id(name)

    def shows(self, name: str, text: str = "", timeout: int = SLOW_MS) -> None:
        """Until it is on the page (with this text in it)."""
        expect(self.see(name)).to_be_visible(timeout=timeout)
        if text:
            expect(self.see(name)).to_contain_text(text, timeout=timeout)

    def click(self, name: str) -> None:
        """Presses what is marked with this name."""
        self.see(name).click()

    def press(self, name: str) -> None:
        """Presses the button with this caption."""
        self.page.get_by_role("button", name=name).click()

    def is_in(self, state: str, timeout: int = SLOW_MS) -> None:
        """Until the page shows this state of the agent."""
        expect(self.see("agent-state")).to_have_attribute("data-state", state, timeout=timeout)

    def talk_began(self) -> None:
        """Until the page shows that the staff number has been said and the two are connected."""
        expect(self.see("talking")).to_have_attribute("data-talked", "true", timeout=SLOW_MS)

    def calls(self, way: str, number: str) -> None:
        """Calls somebody into the talk: 先咨询, 直接转接 or 三方通话."""
        self.click("transfer")
        self.page.get_by_label("转给").fill(number)
        self.page.get_by_role("dialog").get_by_role("button", name=way).click()
        expect(self.page.get_by_role("dialog")).to_have_count(0)

    def rest(self, method: str, path: str, body: Any = None) -> Any:
        """The decoded answer to a request with this page's login."""
        base, headers = self.world.system.http, {}
        if method != "GET":
            headers["X-CSRF-Token"] = self.context.request.get(f"{base}/api/me").json()["csrf"]
        answer = self.context.request.fetch(f"{base}{path}", method=method, data=body, headers=headers)
        assert answer.ok, (answer.status, answer.text())
        return answer.json()


@contextmanager
def seated(world: World, browser: Browser) -> Iterator[Desk]:
    """An agent who has logged in, in a browser of their own; whatever goes wrong inside the page fails the test."""
    context = browser.new_context(viewport=WIDE, locale="zh-CN")
    context.set_default_timeout(SLOW_MS)
    desk = Desk.open(world, context, world.account())
    yield desk
    world.forget()
    context.close()
    assert not desk.problems, desk.problems


@dataclass
class Talk:
    """A citizen and an agent who hear each other."""

    desk: Desk
    citizen: Line
    phone: BaresipPhone

    def both_hear_each_other(self) -> None:
        """Until each hears the other's tone right now."""
        hears_now(self.citizen, AGENT)
        self.phone.wait_hears(CITIZEN)


def offered(world: World, desk: Desk, number: str = "") -> Line:
    """A citizen calls and walks through the menu until the page rings."""
    citizen = world.call(number)
    world.wants_a_person(citizen)
    desk.shows("ringing", timeout=40_000)
    return citizen


def talk(world: World, desk: Desk, phone: BaresipPhone) -> Talk:
    """A call from the citizen's first ring to the moment when both hear each other."""
    citizen = offered(world, desk)
    phone.wait_ringing()
    phone.pick_up()
    citizen.tone(CITIZEN)
    desk.talk_began()
    one = Talk(desk, citizen, phone)
    one.both_hear_each_other()
    return one


def hears_now(line: Line, hz: int, timeout: float = 15.0) -> None:
    """Until the tone is what the line hears at this moment."""
    from tests.peers.waiting import wait_until

    wait_until(
        lambda: line.hears(hz), timeout, lambda: f"{line.number} hears {hz} Hz now ({line.spectrum()})", every=0.15
    )


def hears_music(line: Line, not_hz: int, timeout: float = 15.0) -> None:
    """Until the line hears something that is not this tone: a whole second of it."""
    from tests.peers.waiting import wait_until

    def look() -> bool:
        loud = audio.rms_level(line.heard, -1.0) > LOUD_DB
        return loud and not audio.has_tone(line.heard, not_hz, -1.0, threshold_db=LOUD_DB)

    wait_until(
        look, timeout, lambda: f"{line.number} hears music instead of {not_hz} Hz ({line.spectrum()})", every=0.15
    )


def recording(world: World, call_id: str) -> Callable[[], Path | None]:
    """Looks for the stored recording of a call: its newest segment."""
    return lambda: max(world.system.settings.paths.recordings.rglob(f"*{call_id}*.wav"), default=None)
