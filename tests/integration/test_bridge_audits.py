"""The core places calls of number audits: while nobody waits, each once, and the auditor is left alone meanwhile."""

from __future__ import annotations

import pytest

from acd.model import AgentBusyOutside
from app.number_audits.dialling import Dial
from cti_bridge import auditing
from tests.bridge_kit.rig import Rig, ms
from tests.bridge_kit.talking import fails

pytest_plugins = ["tests.bridge_kit.fixtures"]
NUMBER = "87654321"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auditing, "LOOK_EVERY_S", 0.05)


async def test_a_call_is_placed_with_all_that_asterisk_needs_to_end_it_alone(rig: Rig) -> None:
    rig.domain.audits_due = [Dial("audit-7-1", NUMBER), Dial("audit-8-1", NUMBER, "1002")]
    machine, person = await rig.asterisk.arrival("Originate", 2)
    assert (machine["Channel"], machine["Context"], machine["Exten"]) == (
        "Local/hold@number-audit/n",
        "number-audit",
        "dial",
    )
    assert machine["ChannelId"] == "audit-7-1"
    assert person["Channel"] == "PJSIP/1002"
    told = {"HOTLINE_AUDIT=audit-8-1", "HOTLINE_AUDIT_MODE=person", f"HOTLINE_TO={NUMBER}"}
    assert told <= set(person["Variable"].split("\n"))
    assert rig.domain.audits_released == []


async def test_citizens_come_first(rig: Rig) -> None:
    call = rig.asterisk.citizen("13800000001", ms())
    rig.asterisk.join(call, "13800000001", ms())
    await rig.until(
        lambda: (known := rig.bridge.core.call(call)) is not None and known.joined_ms, "a citizen who waits"
    )
    rig.domain.audits_due = [Dial("audit-7-1", NUMBER)]
    looks: list[bool] = []
    real = rig.domain.audit_calls

    def look(now_ms: int, calm: bool) -> object:
        looks.append(calm)
        return real(now_ms, calm)

    rig.domain.audit_calls = look  # type: ignore[method-assign,assignment]
    await rig.until(lambda: len(looks) > 2, "looks while somebody waits")
    assert not any(looks)
    assert not [one for one in rig.asterisk.actions if one["Action"] == "Originate"]
    rig.asterisk.hangs_up(call)
    await rig.asterisk.arrival("Originate")


async def test_a_call_that_asterisk_refuses_is_given_back_and_so_is_one_of_an_auditor_who_talks(rig: Rig) -> None:
    fails(rig, "Originate")
    rig.domain.audits_due = [Dial("audit-7-1", NUMBER)]
    await rig.until(lambda: rig.domain.audits_released == ["audit-7-1"], "the call given back")


async def test_an_auditor_in_a_call_is_busy_for_the_queue_until_it_is_over(rig: Rig) -> None:
    fed: list[object] = []
    real = rig.bridge.core.queue.feed
    rig.bridge.core.queue.feed = lambda *events: (fed.extend(events), real(*events))  # type: ignore[method-assign,func-returns-value]
    rig.domain.auditors = {"1001"}
    await rig.until(lambda: AgentBusyOutside("1001", True) in fed, "the auditor busy")
    rig.domain.auditors = set()
    await rig.until(lambda: AgentBusyOutside("1001", False) in fed, "the auditor free")
    assert fed.count(AgentBusyOutside("1001", True)) == 1
