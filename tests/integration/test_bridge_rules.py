"""The rules of the queue change while it runs; a broken file changes nothing and is told to those who watch."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from acd.model import QueueConfig
from app.compose import running_app
from app.db import Database, migrate
from app.queues.source import RulesFile
from app.settings import Settings
from cti_bridge import rules
from cti_bridge.bridge import Bridge
from cti_bridge.hub import StreamKey
from tests.bridge_kit.rig import Listener, Rig, ms

pytest_plugins = ["tests.bridge_kit.fixtures"]


@pytest.fixture
async def watched(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> Listener:
    """A wallboard of a bridge whose rules come from the instance's file."""
    monkeypatch.setattr(rules, "LOOK_EVERY_S", 0.01)
    await rig.bridge.stop()
    rig.rules = RulesFile(rig.settings)
    await rig.start_bridge()
    board = Listener()
    rig.bridge.hub.join(StreamKey("", True), board)
    return board


def codes(board: Listener) -> list[str]:
    frames = [json.loads(text) for text in board.frames]
    return [one["data"]["code"] for one in frames if one.get("event") == "notice"]


def general(bridge: Bridge) -> QueueConfig:
    return next(queue for queue in bridge.rules.running.queues if queue.queue == "general")


async def test_a_saved_file_reaches_the_running_queue(rig: Rig, watched: Listener) -> None:
    rig.settings.paths.queues.write_text("queues: {general: {overflow_length: 0}}\n")
    await rig.until(lambda: "queue_rules" in codes(watched), "a notice")
    call = rig.asterisk.citizen("13800000001", ms())
    rig.asterisk.join(call, "13800000001", ms())
    (sent,) = await rig.redirects("hotline-voicemail")
    assert sent["Channel"] == rig.asterisk.name_of(call)


async def test_a_broken_file_leaves_the_old_rules_and_the_board_is_told_the_line(rig: Rig, watched: Listener) -> None:
    rig.settings.paths.queues.write_text("queues: {general: {priority: 5}}\n")
    await rig.until(lambda: general(rig.bridge).priority == 5, "the new rules")
    rig.settings.paths.queues.write_text("queues:\n  general: {priority: high}\n")
    await rig.until(lambda: "queue_rules_bad" in codes(watched), "a notice")
    assert general(rig.bridge).priority == 5
    assert "line 2" in watched.frames[-1]
    rig.settings.paths.queues.write_text("queues: {general: {priority: 5}}\n")
    await rig.until(lambda: codes(watched)[-1] == "queue_rules", "the all-clear")
    assert rig.bridge.rules.trouble == ""


async def test_what_holds_for_the_whole_engine_is_announced_for_the_next_start(rig: Rig, watched: Listener) -> None:
    rig.settings.paths.queues.write_text("engine: {redial_s: 60}\nqueues: {general: {}}\n")
    await rig.until(lambda: "queue_rules_later" in codes(watched), "a notice")
    assert "redial_s" in watched.frames[-1]
    assert rig.bridge.engine.config.redial_s == 600
    await rig.bridge.stop()
    await rig.start_bridge()
    assert rig.bridge.engine.config.redial_s == 60


async def test_a_signal_reloads_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "LOOK_EVERY_S", 3600.0)
    kept: list[Bridge] = []
    started = Bridge.start

    async def start(bridge: Bridge) -> None:
        kept.append(bridge)
        await started(bridge)

    monkeypatch.setattr(Bridge, "start", start)
    rig = Rig(tmp_path / "home")
    await rig.asterisk.start()
    settings: Settings = rig.settings.model_copy(update={"ami_port": rig.asterisk.port})
    migrate(settings)
    database = Database(settings.url)
    async with running_app(settings, database, frozenset({"realtime"})):
        settings.paths.queues.write_text("queues: {general: {priority: 7}}\n")
        os.kill(os.getpid(), signal.SIGHUP)
        await rig.until(lambda: general(kept[0]).priority == 7, "the new rules")
    await rig.asterisk.stop()
    database.dispose()
