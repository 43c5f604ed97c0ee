"""The core begins a campaign's calls at the pace of the house, keeps an agent for each, and settles what it finds."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from app.campaigns.model import OpenAttempt, Order, Work, call_of
from app.errors import Refused
from cti_bridge import campaigns
from tests.bridge_kit.rig import Rig, channel, ms

pytest_plugins = ["tests.bridge_kit.fixtures"]

BY_AGENTS, BY_LINES = Work(1, True, "general", 10), Work(2, False, "general", 2)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(campaigns, "LOOK_EVERY_S", 0.05)
    monkeypatch.setattr(campaigns, "SWEEP_EVERY_S", 0.1)


@pytest.fixture
async def started(tmp_path: Path) -> AsyncIterator[Callable[..., object]]:
    rigs: list[Rig] = []

    async def start(prepare: Callable[[Rig], None] = lambda _rig: None, **settings: object) -> Rig:
        given = {"trunk_out": "127.0.0.2:5060", "campaign_agents_kept": 0, "campaign_lines_kept": 0, **settings}
        rig = Rig(tmp_path / "home", **given)
        rigs.append(rig)
        prepare(rig)
        return await rig.start()

    yield start
    for rig in rigs:
        await rig.stop()


def order(rig: Rig, attempt: int, *, by_agents: bool, agent_id: str = "") -> Order:
    said = {part: f"/x/{part}" for part in ("who", "keys", "message", "question", "refused", "thanks", "through")}
    return Order(
        attempt, call_of(rig.settings.node, attempt), 1 if by_agents else 2, f"1390000000{attempt}", "zh", "general", 0,
        by_agents, agent_id, 20, "12", True, said,
    )  # fmt: skip


def variables(originate: dict[str, str]) -> dict[str, str]:
    return dict(line.partition("=")[::2] for line in originate["Variable"].split("\n"))


async def dialled(rig: Rig, count: int) -> list[dict[str, str]]:
    return [one for one in await rig.asterisk.arrival("Originate", count) if one["Context"] == "acd-campaign"]


def ends(rig: Rig, call_id: str, cause: int, **told: str) -> None:
    rig.asterisk.event("Newstate", Uniqueid=call_id, Channel="PJSIP/trunk-1", ChannelStateDesc="Ringing")
    fields = {"Heard": "", "Said": "", "Answer": "", "Wish": "", **told}
    rig.asterisk.user_event("CampaignEnd", call_id, "PJSIP/trunk-1", Cause=cause, **fields)
    rig.asterisk.hangs_up(call_id, cause)


async def settled(rig: Rig, call_id: str) -> dict[str, str]:
    await rig.until(lambda: any(one == call_id for one, _ in rig.domain.settled), f"{call_id} settled")
    (told,) = [told for one, told in rig.domain.settled if one == call_id]
    return told


async def test_by_agents_each_call_has_one_who_is_offered_nothing_else_until_the_called_person_is_put_through(
    started: Callable[..., object],
) -> None:
    rig: Rig = await started()  # type: ignore[assignment]
    book = rig.bridge.core.book.on_shift
    rig.domain.orders = [order(rig, n, by_agents=True) for n in range(1, 6)]
    rig.domain.campaigns = [BY_AGENTS]
    for agent in ("1001", "1002"):
        await rig.ready(agent)
    calls = await dialled(rig, 2)
    assert {variables(one)["HOTLINE_KEPT_AGENT"] for one in calls} == {"1001", "1002"}
    told = variables(calls[0])
    assert (told["HOTLINE_SAY"], told["HOTLINE_SAY_MACHINE"]) == ("/x/who&/x/keys", ""), "the agent has the message"
    assert (told["CHANNEL(hangup_handler_push)"], told["HOTLINE_CAMPAIGN"]) == ("acd-campaign-end\\,s\\,1", "agents")
    assert calls[0]["Channel"] == "PJSIP/13900000001@trunk"
    await rig.until(lambda: all(book[one].busy_outside for one in ("1001", "1002")), "both kept")
    caller = rig.asterisk.citizen("13800138000", ms())
    rig.asterisk.join(caller, "13800138000", ms())
    await rig.until(lambda: rig.bridge.engine.waiting_order("general") == [caller], "a citizen in line")
    assert len(rig.domain.orders) == 3, "no third call without a third agent"

    first, second = (one["ChannelId"] for one in calls)
    kept = {one["ChannelId"]: variables(one)["HOTLINE_KEPT_AGENT"] for one in calls}
    ends(rig, first, 17)
    assert (await settled(rig, first))["cause"] == "17"
    redirect = (await rig.redirects("acd-connect"))[0]
    assert redirect["Exten"].split("*")[1] == kept[first], "whoever is let go serves citizens first"
    rig.asterisk.user_event("CampaignHeard", second, Heard="human", Why="HUMAN-500-500")
    assert book[kept[second]].busy_outside
    rig.asterisk.join(second, "13900000002", ms(), Prio=99)
    redirect = (await rig.redirects("acd-connect", 2))[1]
    assert (redirect["Exten"].split("*")[1], redirect["Channel"]) == (kept[second], rig.asterisk.name_of(second))
    await rig.until(lambda: rig.domain.calls.get(second, {}).get("direction") == "out", "the call in the database")
    assert len(rig.domain.orders) == 3


async def test_by_lines_the_pace_falls_to_nothing_while_citizens_wait_too_long_and_a_lost_origination_is_unknown(
    started: Callable[..., object],
) -> None:
    rig: Rig = await started(campaign_wait_target_s=5)  # type: ignore[assignment]
    caller = rig.asterisk.citizen("13800138000", ms() - 60_000)
    rig.asterisk.join(caller, "13800138000", ms() - 60_000)
    await rig.until(lambda: rig.bridge.engine.waiting_order("general") == [caller], "a citizen in line")
    rig.domain.orders = [order(rig, n, by_agents=False) for n in range(1, 6)]
    rig.domain.campaigns = [BY_LINES]
    looks = rig.bridge.campaigns
    assert looks._pace(BY_LINES) == 0
    rig.asterisk.hangs_up(caller)
    calls = await dialled(rig, 2)
    told = variables(calls[0])
    assert (told["HOTLINE_SAY"], told["HOTLINE_ASK"]) == ("/x/who&/x/keys&/x/message", "/x/question")
    assert (told["HOTLINE_SAY_MACHINE"], told["HOTLINE_KEYS"]) == ("/x/who&/x/message", "12")
    assert len(rig.domain.orders) == 3, "two lines at most"
    one, two = (call["ChannelId"] for call in calls)
    ends(rig, one, 16, Heard="human", Said="1", Answer="2")
    assert await settled(rig, one) == {"heard": "human", "said": "1", "answer": "2", "wish": "", "cause": "16"}
    rig.asterisk.event("OriginateResponse", Response="Failure", Uniqueid=two, Reason=0)
    assert await settled(rig, two) == {"outcome": "failed"}
    assert not looks._may_dial(), "the way out is away: no number after number is tried in vain"


async def test_a_core_that_starts_anew_keeps_the_agent_again_and_settles_by_note_or_as_unknown(
    started: Callable[..., object],
) -> None:
    long_ago = ms() - 60_000

    def prepare(rig: Rig) -> None:
        goes_on, noted, lost, young = (call_of(rig.settings.node, n) for n in (1, 2, 3, 4))
        marks = {
            "CALL": goes_on,
            "NUMBER": "13900000001",
            "PHASE": "campaign",
            "QUEUE": "general",
            "KEPT_AGENT": "1001",
        }
        rig.asterisk.channels[goes_on] = channel(goes_on, name="PJSIP/trunk-1", **marks)
        rig.domain.open_attempts = [
            *(OpenAttempt(n, call, long_ago) for n, call in enumerate((goes_on, noted, lost), 1)),
            OpenAttempt(4, young, ms()),
        ]
        spool = rig.settings.paths.campaign_spool
        spool.mkdir(parents=True, exist_ok=True)
        told = {"heard": "fax", "said": "0", "answer": "", "wish": "", "cause": "16"}
        (spool / f"{noted}.json").write_text(json.dumps({"call": noted, **told}))
        (spool / "hotline1-1795521600.7.json").write_text("{}")
        (spool / f"{young}x.json").write_text("not JSON")

    rig: Rig = await started(prepare)  # type: ignore[assignment]
    goes_on, noted, lost = (call_of(rig.settings.node, n) for n in (1, 2, 3))
    assert (await settled(rig, noted))["heard"] == "fax"
    assert await settled(rig, lost) == {"outcome": "unknown"}
    await rig.until(lambda: not list(rig.settings.paths.campaign_spool.iterdir()), "notes taken in")
    assert {one for one, _ in rig.domain.settled} == {noted, lost}, "one goes on, one may yet be dialled"
    assert rig.bridge.campaigns._kept == {goes_on: "1001"}
    assert not rig.bridge.engine.waiting_order("general")
    ends(rig, goes_on, 16, Heard="human", Said="1")
    assert (await settled(rig, goes_on))["heard"] == "human"
    assert rig.bridge.campaigns._kept == {}


async def test_an_agent_cannot_dial_whoever_said_never_to_call(started: Callable[..., object]) -> None:
    rig: Rig = await started()  # type: ignore[assignment]
    await rig.ready("1001")
    rig.domain.unwanted = {"13900000001"}
    agent = rig.bridge.core.book.on_shift["1001"]
    dialling = rig.bridge.control._dialling
    with pytest.raises(Refused) as refused:
        await dialling.dial(agent, "139 0000 0001")
    assert refused.value.code == "do_not_call"
    await dialling.dial(agent, "13900000002")
    assert (await rig.asterisk.arrival("Originate", 1))[0]["Exten"] == "13900000002"
