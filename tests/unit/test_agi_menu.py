"""A published menu is walked by the next call, by no call on its way, and by nobody while it cannot be used."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from agi_scripts import menu as menu_module
from agi_scripts.menu import GOOD, LOOK_AGAIN_S, Menu
from ivr import flow as flow_module
from ivr.flow import OWN, PUBLISHED, path_in
from ivr.model import Flow
from tests.unit.agi_world import World

SMALL = """\
flow: small
languages: [zh]
start: {first}
person: person
nodes:
  {first}:
    kind: menu
    say: [greeting]
    keys: {{1: person}}
    silence: person
  person:
    kind: end
    next: queue
"""


class House:
    """A home with a menu, whose clock stands still."""

    def __init__(self, home: Path) -> None:
        self.home, self.now, self.told = home, 100.0, list[str]()
        self.menu = self.started()

    def started(self) -> Menu:
        """As a process that begins."""
        return Menu(self.home, self.told.append, clock=lambda: self.now)

    def put(self, text: str, name: str = PUBLISHED) -> None:
        aside = self.home / "aside"
        aside.write_text(text, encoding="utf-8")
        (self.home / name).parent.mkdir(exist_ok=True)
        os.replace(aside, self.home / name)
        self.now += LOOK_AGAIN_S

    def start(self) -> str:
        """The first node of the menu that a call would walk now."""
        return self.menu.walks().flow.start


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_what_is_published_goes_before_the_own_file_and_that_before_the_projects(house: House) -> None:
    assert path_in(house.home) == flow_module.SHIPPED
    assert house.start() == "caller"
    house.put(SMALL.format(first="own"), OWN)
    assert house.start() == "own"
    house.put(SMALL.format(first="published"))
    assert house.start() == "published"
    house.put(SMALL.format(first="other"), OWN)
    assert house.start() == "published", "the file below is not looked at"
    (house.home / PUBLISHED).unlink()
    house.now += LOOK_AGAIN_S
    assert house.start() == "other"
    assert house.told == []


def test_a_call_keeps_the_walks_it_began_with_and_looks_are_some_time_apart(house: House) -> None:
    begun = house.menu.walks()
    house.put(SMALL.format(first="fresh"))
    house.now -= LOOK_AGAIN_S / 2
    assert house.menu.walks() is begun
    house.now += LOOK_AGAIN_S / 2
    later = house.menu.walks()
    assert (later.flow.start, begun.flow.start) == ("fresh", "caller")
    assert house.menu.walks() is later, "what has not changed is not read again"


@pytest.mark.parametrize(
    "broken", ["flow: [", "", "flow: x", SMALL.format(first="a").replace("1: person", "1: gone"), "\xff"]
)
def test_a_menu_that_cannot_be_used_leaves_the_last_good_one_and_is_told_once(house: House, broken: str) -> None:
    house.put(SMALL.format(first="good"))
    assert house.start() == "good"
    (house.home / "raw").write_bytes(broken.encode("latin-1"))
    os.replace(house.home / "raw", house.home / PUBLISHED)
    for _ in range(3):
        house.now += LOOK_AGAIN_S
        assert house.start() == "good"
    assert house.told == ["published.yaml: DataFileError"] or house.told == ["published.yaml: UnicodeDecodeError"]
    house.menu = house.started()
    assert house.start() == "good", "also after a start"
    (house.home / GOOD).unlink()
    house.menu = house.started()
    assert house.start() == "caller", "without any, the project's"
    house.told.clear()
    house.put(SMALL.format(first="mended"))
    assert house.start() == "mended"
    assert house.told == [""]


def test_a_file_that_cannot_be_read_for_a_moment_is_read_later(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.put(SMALL.format(first="good"))
    assert house.start() == "good"
    house.put(SMALL.format(first="next"))
    with monkeypatch.context() as away:
        away.setattr(Path, "read_text", lambda *_, **__: (_ for _ in ()).throw(OSError("away")))
        for _ in range(3):
            house.now += LOOK_AGAIN_S
            assert house.start() == "good"
    house.now += LOOK_AGAIN_S
    assert house.start() == "next"
    assert house.told == ["published.yaml: OSError", ""]


def test_while_one_call_reads_a_new_menu_the_others_go_on_with_the_one_before(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert house.start() == "caller"
    reads, may_go_on, real = threading.Event(), threading.Event(), flow_module.read

    def slow(text: str, path: Path) -> Flow:
        reads.set()
        assert may_go_on.wait(10)
        return real(text, path)

    monkeypatch.setattr(menu_module.flow_module, "read", slow)
    house.put(SMALL.format(first="fresh"))
    first: list[str] = []
    reader = threading.Thread(target=lambda: first.append(house.start()))
    reader.start()
    assert reads.wait(10)
    house.now += LOOK_AGAIN_S
    assert house.start() == "caller"
    may_go_on.set()
    reader.join(10)
    assert first == ["fresh"]
    assert house.start() == "fresh"


def test_a_process_that_starts_well_takes_back_what_was_told_and_tells_what_is_wrong(tmp_path: Path) -> None:
    def started() -> World:
        world = World(tmp_path, tmp_path / "spool")
        world.guarded._threads.run = lambda job: job()  # type: ignore[method-assign]
        world.guarded.menu.settle()
        return world

    assert started().services.menu_troubles == [""]
    (tmp_path / PUBLISHED).parent.mkdir()
    (tmp_path / PUBLISHED).write_text("flow: [")
    broken = started()
    assert broken.services.menu_troubles == ["published.yaml: DataFileError"]
    assert broken.guarded.menu.walks().flow.start == "caller"
