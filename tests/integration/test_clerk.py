"""The clerk is a real process here: it answers like the domain itself, and nothing is lost when it dies or freezes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.actor import SYSTEM
from app.citizens import service as citizens
from app.db import Database
from app.errors import BadInput, Busy
from app.settings import REPO, Settings
from cti_bridge import clerk as clerk_module
from cti_bridge.clerk import QUESTIONS, Away, Clerk, ClerkDomain, ClerkFailed
from cti_bridge.domain import AppDomain

START = 1_790_000_000_000
CALL = {"call_id": "h-1.1", "number": "13800138000", "name": "", "language": "zh", "started_at": START}


@contextmanager
def clerk_of(settings: Settings) -> Iterator[Clerk]:
    """A clerk at work."""
    clerk = Clerk(settings)
    clerk.start()
    try:
        until(lambda: clerk.pid is not None)
        yield clerk
    finally:
        clerk.stop()


def until(true: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def gone(pid: int) -> bool:
    """The process has ended, whether or not somebody has asked how."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def instance(template: Path, folder: Path) -> Settings:
    """Settings with a fresh SQLite file."""
    shutil.copyfile(template, folder / "hotline.sqlite3")
    made = Settings(home=folder / "home", database_url=f"sqlite:///{folder}/hotline.sqlite3", min_free_mb=0)
    made.ensure_dirs()
    return made


@pytest.fixture
def sqlite(sqlite_template: Path, tmp_path: Path) -> Settings:
    return instance(sqlite_template, tmp_path)


@pytest.fixture(scope="module")
def clerk(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clerk]:
    """One for the tests that do it no harm."""
    with clerk_of(instance(sqlite_template, tmp_path_factory.mktemp("clerk"))) as one:
        yield one


def of_clerk(clerk: Clerk, settings: Settings) -> ClerkDomain:
    return ClerkDomain(settings, Database(settings.url), clerk)


def test_the_clerk_answers_what_the_domain_itself_answers(settings: Settings, db: Database) -> None:
    with db.session() as session:
        citizens.create(session, SYSTEM, numbers=["13800138000"], name="王芳", area="城南", flags=["elderly"])
    itself = AppDomain(settings, db)
    with clerk_of(settings) as clerk:
        clerk.ask("record", [("h-1.1", {"number": "13800138000", "started_at": START})])
        card = clerk.ask("card", CALL, "1001")
        again = itself.card(CALL, "1001")
        assert card == again | {"waited_s": card["waited_s"]}
        assert (card["name"], card["draft"]["state"]) == ("王芳", "draft")
        draft = itself.draft("h-1.1")
        assert draft is not None
        assert draft.items() < card["draft"].items()
        assert [seen.started_ms for seen in itself.open_calls(0)] == [START]


def test_a_draft_without_a_card_is_the_one_that_the_card_shows_later(settings: Settings, db: Database) -> None:
    itself = AppDomain(settings, db)
    with clerk_of(settings) as clerk:
        assert clerk.ask("open_drafts", [(CALL, "1001"), (CALL | {"call_id": "h-1.2"}, "1001")]) is None
        assert clerk.ask("open_drafts", [(CALL, "1001")]) is None, "twice"
        draft = itself.draft("h-1.1")
        assert draft is not None
        of_clerk(clerk, settings).open_drafts([(CALL, "1002")])
        card = itself.card(CALL, "1002")
    assert card["draft"]["case_id"] == draft["case_id"]
    assert itself.draft("h-1.2") is not None
    of_clerk(clerk, settings).open_drafts([(CALL, "1003")])  # there is no clerk any more
    assert itself.card(CALL, "1003")["draft"]["case_id"] == draft["case_id"]


def test_only_what_may_be_done_twice_is_given_to_the_clerk(clerk: Clerk) -> None:
    assert {name for name in vars(ClerkDomain) if not name.startswith("_")} == set(QUESTIONS)
    with pytest.raises(ClerkFailed, match="no such question"):
        clerk.ask("take_callback", 1, "1001")


def test_errors_for_people_come_back_as_they_are_and_others_by_name(clerk: Clerk) -> None:
    with pytest.raises(BadInput) as bad:
        clerk.ask("record", [("h-1.1", {"colour": "red"})])
    assert bad.value.fields == {"colour": "未知字段 (unknown)"}
    with pytest.raises(ClerkFailed, match="ValueError"):
        clerk.ask("record", [("h-1.1", {"started_at": "yesterday"})])


def test_a_database_that_somebody_holds_is_busy_for_the_clerk_too(clerk: Clerk) -> None:
    with Database(clerk.settings.url).session(), pytest.raises(Busy) as busy:
        clerk.ask("record", [("h-1.1", {"started_at": START})])
    assert (busy.value.code, busy.value.retry_after) == ("busy", 2)
    clerk.ask("record", [("h-1.1", {"started_at": START})])


def test_a_clerk_killed_over_a_question_leaves_it_to_the_core_and_comes_back(sqlite: Settings) -> None:
    holder = Database(sqlite.url)
    with clerk_of(sqlite) as clerk:
        first, domain = clerk.pid, of_clerk(clerk, sqlite)
        assert first is not None
        found: list[dict[str, Any]] = []
        asking = threading.Thread(target=lambda: found.append(domain.card(CALL, "1001")))
        with holder.session():
            asking.start()
            time.sleep(0.3)  # the clerk has the question and cannot answer it
            os.kill(first, signal.SIGKILL)
            until(lambda: clerk.pid != first)
        asking.join(10)
        assert found[0]["draft"]["state"] == "draft"
        until(lambda: clerk.pid is not None)
        assert clerk.ask("card", CALL, "1002")["draft"]["case_id"] == found[0]["draft"]["case_id"]


def test_a_frozen_clerk_is_replaced_and_whoever_waited_is_served(
    sqlite: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clerk_module, "SILENT_S", 0.5)
    with clerk_of(sqlite) as clerk:
        first = clerk.pid
        assert first is not None
        os.kill(first, signal.SIGSTOP)
        assert of_clerk(clerk, sqlite).card(CALL, "1001")["draft"]["state"] == "draft"
        assert gone(first)
        until(lambda: clerk.pid is not None)


def test_without_a_clerk_and_with_all_its_pipes_taken_the_core_does_the_work(sqlite: Settings) -> None:
    clerk = Clerk(sqlite)
    with pytest.raises(Away):
        clerk.ask("card", CALL, "1001")
    domain = of_clerk(clerk, sqlite)
    domain.record([("h-1.1", {"number": "13800138000", "started_at": START})])
    assert domain.card(CALL, "1001")["number"] == "13800138000"
    assert domain.draft("h-1.1") is not None


def test_a_clerk_ends_what_it_has_in_hand_when_it_is_let_go(sqlite: Settings) -> None:
    holder = Database(sqlite.url)
    with clerk_of(sqlite) as clerk:
        pid = clerk.pid
        assert pid is not None
        with holder.session():
            asking = threading.Thread(target=clerk.ask, args=("record", [("h-1.1", {"started_at": START})]))
            asking.start()
            time.sleep(0.3)
            letting_go = threading.Thread(target=clerk.stop)
            letting_go.start()
            time.sleep(0.3)
            assert not gone(pid)
        letting_go.join(10)
        asking.join(10)
        assert gone(pid)
        assert [seen.call_id for seen in AppDomain(sqlite, holder).open_calls(0)] == ["h-1.1"]


def test_a_clerk_ends_with_a_core_that_was_killed(sqlite: Settings) -> None:
    script = (
        "import time\nfrom app.settings import get_settings\nfrom cti_bridge.clerk import Clerk\n"
        "clerk = Clerk(get_settings())\nclerk.start()\n"
        "while clerk.pid is None: time.sleep(0.05)\nprint(clerk.pid, flush=True)\ntime.sleep(60)\n"
    )
    core = subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=REPO,
        env=os.environ | sqlite.environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert core.stdout is not None
    try:
        pid = 0
        while not pid:  # among its log
            line = core.stdout.readline()
            pid = int(line) if line.strip().isdigit() else 0
    finally:
        core.kill()
        core.wait()
        core.stdout.close()
    until(lambda: gone(pid), 5)
