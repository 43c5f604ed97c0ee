"""Rules about callers reach the running queue: set, ended and over a restart, whatever the database does."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from cti_bridge import nuisance
from cti_bridge.ports import NuisanceSeen
from tests.bridge_kit.rig import Rig, ms

pytest_plugins = ["tests.bridge_kit.fixtures"]

NUMBER = "13800000001"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nuisance, "LOOK_EVERY_S", 0.01)


def rule(rule_id: str = "7", action: str = "announcement", value: int = 0, for_s: float = 3600) -> NuisanceSeen:
    return NuisanceSeen(rule_id, NUMBER, action, value, ms() + round(for_s * 1000), "user:9")


def in_force(rig: Rig) -> list[str]:
    key = rig.bridge.core.caller_key(NUMBER)
    return sorted(rig.bridge.engine._floor.nuisance.by_key.get(key, {}))


def journal(rig: Rig) -> list[str]:
    """What the engine was told and has decided."""
    rig.bridge._engine_file.flush()
    files = sorted(rig.settings.paths.journal.glob("acd-*.jsonl"))
    return [line for file in files for line in file.read_text().splitlines()]


async def waits(rig: Rig) -> bool:
    """Whether a call from the number waits in line; the other way is voicemail."""
    sent = len([one for one in rig.asterisk.got("Redirect") if one["Context"] == "hotline-voicemail"])
    call = rig.asterisk.citizen(NUMBER, ms())
    rig.asterisk.join(call, NUMBER, ms())

    def seen() -> bool | None:
        turned = [one for one in rig.asterisk.got("Redirect") if one["Context"] == "hotline-voicemail"][sent:]
        line = [one.call_id for one in rig.bridge.engine.snapshot().waiting]
        return False if turned else (True if call in line else None)

    await rig.until(lambda: seen() is not None, "the caller in line or sent on")
    rig.asterisk.hangs_up(call)
    return bool(seen())


async def test_a_rule_that_is_set_turns_the_next_call_away_and_one_that_is_ended_does_not(rig: Rig) -> None:
    assert await waits(rig)
    rig.domain.nuisance = [rule()]
    await rig.until(lambda: in_force(rig) == ["7"], "the rule in force")
    assert not await waits(rig)
    rig.domain.nuisance = [replace(rig.domain.nuisance[0], ended_by="user:12")]
    await rig.until(lambda: in_force(rig) == [], "the rule lifted")
    assert await waits(rig)
    assert [line for line in journal(rig) if "user:9" in line]
    assert not [line for line in journal(rig) if NUMBER in line]


async def test_rules_hold_from_the_first_call_after_a_start(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    await rig.bridge.stop()
    monkeypatch.setattr(nuisance, "LOOK_EVERY_S", 3600)
    rig.domain.nuisance = [rule()]
    await rig.start_bridge()
    assert in_force(rig) == ["7"]
    assert not await waits(rig)


async def test_a_rule_ends_by_itself_and_is_not_set_again(rig: Rig) -> None:
    rig.domain.nuisance = [rule(for_s=1.2)]
    await rig.until(lambda: in_force(rig) == ["7"], "the rule in force")
    await rig.until(lambda: in_force(rig) == [], "the rule over")
    assert await waits(rig)


async def test_a_rule_that_the_queue_refuses_is_told_once_and_disturbs_no_other(rig: Rig) -> None:
    rig.domain.nuisance = [replace(rule("6"), value=-1), rule("7")]
    await rig.until(lambda: in_force(rig) == ["7"], "the other rule")
    rig.domain.nuisance.append(rule("8"))
    await rig.until(lambda: in_force(rig) == ["7", "8"], "a later look")
    assert len([line for line in journal(rig) if '"Refused"' in line and '"NuisanceRuleSet"' in line]) == 1


async def test_a_locked_database_keeps_the_rules_that_hold(rig: Rig) -> None:
    rig.domain.nuisance = [rule()]
    await rig.until(lambda: in_force(rig) == ["7"], "the rule in force")
    rig.domain.locked = True
    assert not await waits(rig)
    rig.domain.locked, rig.domain.nuisance = False, [replace(rig.domain.nuisance[0], ended_by="user:12")]
    await rig.until(lambda: in_force(rig) == [], "the end is heard of")


async def test_a_start_does_not_wait_for_a_domain_that_hangs(rig: Rig) -> None:
    await rig.bridge.stop()
    rig.domain.slow = threading.Event()
    try:
        await rig.start_bridge()
        assert in_force(rig) == []
    finally:
        rig.domain.slow.set()
    rig.domain.nuisance = [rule()]
    await rig.until(lambda: in_force(rig) == ["7"], "the rule, once the domain answers")
