"""Empty seats of the duty roster: the wallboard hears of them, and the core lives on when nobody can be asked."""

from __future__ import annotations

import pytest

from cti_bridge import seats
from tests.bridge_kit.served import Json, Served, command, frame

pytest_plugins = ["tests.bridge_kit.fixtures"]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seats, "LOOK_EVERY_S", 0.05)


async def empty_seat(board: object) -> Json:
    while (got := await frame(board, "delta"))["data"].get("code") != "empty_seat":  # type: ignore[arg-type]
        continue
    data: Json = got["data"]
    return data


async def test_the_wallboard_hears_that_a_seat_is_empty_and_only_a_ready_agent_fills_it(served: Served) -> None:
    agent = await served.page()
    await frame(agent, "snapshot")
    await command(agent, "agent.sign_in")
    board = await served.page("token-watch", streams=["wallboard"])
    await frame(board, "snapshot")
    served.rig.domain.seats = {"supervision-1": "1001"}
    told = await empty_seat(board)
    assert (told["post"], told["level"]) == ("supervision-1", "warning")
    assert "空机" in told["text"]
    await command(agent, "agent.ready")
    looked: list[dict[str, bool]] = []
    real = served.rig.domain.look_at_seats

    def look(at_work: dict[str, bool], now_ms: int) -> object:
        looked.append(dict(at_work))
        return real(at_work, now_ms)

    served.rig.domain.look_at_seats = look  # type: ignore[method-assign,assignment]
    await served.rig.until(lambda: looked, "a look")
    assert looked[-1]["1001"] is True
    served.rig.domain.locked = True
    await command(agent, "agent.not_ready", reason="meeting")
    await served.rig.until(lambda: looked[-1]["1001"] is False, "a look that fails")
    served.rig.domain.locked = False
    await empty_seat(board)
