"""Two cores on one real Asterisk and one PostgreSQL: the one that acts is killed, and callers notice nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.bridge_kit.core import CoreProcess, seed
from tests.bridge_kit.page import OpenPage, board, talking
from tests.integration.postgres_server import PostgresServer
from tests.peers.fixtures import Exchange, PhoneMaker
from tests.peers.hotline import AGENTS, AsteriskUnderTest
from tests.peers.network import PublicNetwork
from tests.peers.ports import port_block

pytest_plugins = ["tests.bridge_kit.fixtures"]

KNOWN_AGAIN_WITHIN_S = 8.0


@pytest.fixture(scope="module")
def cores(exchange: Exchange, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[CoreProcess]]:
    """The one that acts and the one that stands by, with one home."""
    postgres, ports, logs = PostgresServer(), port_block(), tmp_path_factory.mktemp("cores")
    postgres.create("hotline")
    settings = exchange.hotline.settings.model_copy(
        update={"wrapup_s": 5, "offer_timeout_s": 8, "database_url": postgres.url("hotline"), "standby": True}
    )
    exchange.hotline.manager.action("PJSIPQualify", Endpoint="trunk")
    seed(settings, {account.agent_id: account.name for account in AGENTS})
    both = [CoreProcess(settings, logs / "first.log").start()]
    other = settings.model_copy(update={"http_port": ports.take()})
    both.append(CoreProcess(other, logs / "second.log").start())
    yield both
    for core in both:
        core.stop()
    ports.release()
    postgres.stop()


@pytest.fixture(scope="module")
def core_process(cores: list[CoreProcess]) -> CoreProcess:
    """Where pages begin."""
    return cores[0]


def test_waiting_and_talking_callers_are_taken_over_by_the_standby_of_a_killed_core(
    hotline: AsteriskUnderTest,
    public_network: PublicNetwork,
    phone: PhoneMaker,
    page: OpenPage,
    cores: list[CoreProcess],
) -> None:
    agents = []
    for agent_id in ("1001", "1002"):
        phone(agent_id)
        agents.append(page(agent_id).ready())
    talkers = [talking(public_network, agent, f"1380000000{n}") for n, agent in enumerate(agents)]
    watch = page("watch", streams=("wallboard",))
    waiting = [public_network.call(f"1370000000{n}").wait_answered() for n in range(6)]
    watch.until(lambda: board(watch)["depth"] == 6, "six waiting")
    before = [one["call_id"] for one in board(watch)["waiting"]]

    cores[0].kill()
    began = time.monotonic()
    for one in (watch, *agents):
        one.base = cores[1].base
    watch.reconnect()
    watch.until(lambda: board(watch)["depth"] == 6 and board(watch)["by_state"].get("talking") == 2, "all known", 15)
    took = time.monotonic() - began
    assert took < KNOWN_AGAIN_WITHIN_S, f"{took:.1f} s"
    assert [one["call_id"] for one in board(watch)["waiting"]] == before
    for agent, (citizen, call_id) in zip(agents, talkers, strict=True):
        agent.reconnect()
        assert [call["call_id"] for call in agent.snapshot["calls"]] == [call_id]
        assert citizen.hears(880)
    for agent, expected in zip(agents, before[:2], strict=True):
        agent.command("call.hangup")
        agent.wait_state("wrap_up")
        mark = agent.mark()
        agent.command("wrapup.done")
        assert agent.wait("call.pop", after=mark).data["call_id"] == expected, "the first in line is served first"
    popped = [
        one.data["call_id"] for agent in agents for one in agent.told[agent.told_before :] if one.event == "call.pop"
    ]
    assert popped == before[:2], "nobody twice"
    for line in [*waiting, *(citizen for citizen, _ in talkers)]:
        line.hang_up()
