"""A supervisor sets an agent's state over the real websocket: who may, what the agent is told, what is audited."""

from __future__ import annotations

import json
import time
from datetime import UTC

import pytest
from websockets.asyncio.client import ClientConnection

from app.actor import SYSTEM, Actor
from app.audit.service import entries
from app.auth.model import Role
from app.db import Database
from app.settings import Settings
from cti_bridge.domain import AppDomain
from tests.bridge_kit.served import Json, Served, command, frame

pytest_plugins = ["tests.bridge_kit.fixtures"]


async def supervised(served: Served, state: str = "ready") -> tuple[ClientConnection, ClientConnection]:
    """An agent's page whose agent is in this state, and a supervisor's wallboard."""
    agent = await served.page()
    await frame(agent, "snapshot")
    await command(agent, "agent.sign_in")
    if state == "ready":
        await command(agent, "agent.ready")
    boss = await served.page("token-watch", streams=["wallboard"])
    await frame(boss, "snapshot")
    return agent, boss


async def delta(page: ClientConnection, event: str) -> Json:
    """The data of the next delta of this name."""
    while (got := await frame(page, "delta"))["event"] != event:
        continue
    data: Json = got["data"]
    return data


@pytest.mark.parametrize(
    ("was", "args", "state", "words"),
    [
        ("ready", {"state": "not_ready", "reason": "meeting"}, "not_ready", "示忙"),
        ("not_ready", {"state": "ready"}, "ready", "示闲"),
        ("ready", {"state": "signed_out"}, "signed_out", "签出"),
    ],
)
async def test_a_supervisor_sets_an_agents_state_and_the_agent_is_told_who_did_it(
    served: Served, was: str, args: Json, state: str, words: str
) -> None:
    agent, boss = await supervised(served, was)
    answer = await command(boss, "agent.set_state", agent_id="1001", **args)
    assert answer["ok"], answer
    assert answer["data"]["state"] == state
    notice = await delta(agent, "notice")
    assert (notice["code"], notice["by"], notice["state"], notice["later"]) == ("state_set", "王班长", state, False)
    assert notice["text"] == f"王班长 已将您设为{words}。"
    assert served.rig.state("1001") == state
    assert served.rig.domain.audited == [("watch", "1001", state, args.get("reason", ""))]


async def test_the_agents_view_names_who_set_the_state_until_the_agent_chooses_again(served: Served) -> None:
    agent, boss = await supervised(served)
    await command(boss, "agent.set_state", agent_id="1001", state="not_ready", reason="training")
    again = await frame(await served.page(), "snapshot")
    view = again["data"]["agent"]
    assert (view["not_ready_reason"], view["reason"], view["set_by"]) == ("training", "set_by_other", "王班长")
    assert (await command(agent, "agent.ready"))["data"]["set_by"] == ""


async def test_nobody_is_torn_out_of_a_talk_what_is_set_comes_after_it(served: Served) -> None:
    agent, boss = await supervised(served)
    asterisk, now = served.rig.asterisk, time.time_ns() // 1_000_000
    call = asterisk.citizen("13800000001", now)
    asterisk.join(call, "13800000001", now)
    while (pop := await frame(agent, "delta"))["event"] != "call.pop":
        continue
    await agent.send(json.dumps({"type": "ack", "event_seq": pop["seq"]}))
    await served.rig.redirects("acd-connect")
    leg = asterisk.rings(call, "1001")
    asterisk.picks_up(call, "1001", leg, pop["data"]["offer_id"])
    await served.rig.until(lambda: served.rig.state("1001") == "talking", "a talk")
    answer = await command(boss, "agent.set_state", agent_id="1001", state="signed_out")
    assert (answer["data"]["state"], answer["data"]["next_state"]) == ("talking", "signed_out")
    assert (await delta(agent, "notice"))["later"]


@pytest.mark.parametrize(
    ("token", "args", "code"),
    [
        ("token-1002", {"agent_id": "1001", "state": "not_ready"}, "forbidden"),
        ("token-watch", {"agent_id": "1003", "state": "not_ready"}, "not_signed_in"),
        ("token-watch", {"agent_id": "9999", "state": "ready"}, "not_signed_in"),
        ("token-watch", {"agent_id": "1001", "state": "talking"}, "bad_input"),
        ("token-watch", {"agent_id": "1001"}, "bad_input"),
        ("token-watch", {"agent_id": {"a": 1}, "state": "ready"}, "bad_input"),
        ("token-watch", {"agent_id": "1001", "state": "not_ready", "reason": "x\r\ny"}, "bad_input"),
    ],
)
async def test_a_state_that_may_not_be_set_is_refused_changes_nothing_and_is_not_audited(
    served: Served, token: str, args: Json, code: str
) -> None:
    await supervised(served)
    page = await served.page(token, streams=["agent"] if token == "token-1002" else ["wallboard"])
    await frame(page, "snapshot")
    assert (await command(page, "agent.set_state", **args))["error"]["code"] == code
    assert served.rig.state("1001") == "ready"
    assert served.rig.domain.audited == []


async def test_a_supervisor_with_a_staff_number_changes_the_own_state_on_the_own_page(served: Served) -> None:
    await supervised(served)
    served.rig.domain.actors["token-both"] = Actor(7, frozenset({Role.supervisor}), "1001", "1001")
    both = await served.page("token-both")
    await frame(both, "snapshot")
    assert (await command(both, "agent.set_state", agent_id="1001", state="ready"))["error"]["code"] == "own_state"


async def test_without_an_audit_nothing_is_set(served: Served) -> None:
    _agent, boss = await supervised(served)
    served.rig.domain.locked = True
    assert (await command(boss, "agent.set_state", agent_id="1001", state="not_ready"))["error"]["code"] == "busy"
    assert served.rig.state("1001") == "ready"
    served.rig.domain.locked = False


def test_the_audit_holds_who_set_which_agents_state(db: Database, settings: Settings) -> None:
    boss = Actor(None, frozenset({Role.supervisor}), None, "watch", "王班长", "127.0.0.9")
    AppDomain(settings, db).audit_agent_state(boss, "1001", "not_ready", "meeting")
    with db.read() as session:
        (entry,) = entries(session, SYSTEM, UTC).items
        assert (entry.actor, entry.actor_name, entry.address) == ("watch", "王班长", "127.0.0.9")
        assert (entry.action, entry.object) == ("agent.overridden", "agent:1001")
        assert entry.detail == {"state": "not_ready", "reason": "meeting"}


async def test_a_double_click_sets_and_audits_once(served: Served) -> None:
    _agent, boss = await supervised(served)
    for ident in ("a", "b"):
        answer = await command(boss, "agent.set_state", ident, agent_id="1001", state="not_ready", reason="meal")
        assert answer["data"]["not_ready_reason"] == "meal"
    assert len(served.rig.domain.audited) == 1
