"""The core watches its board: an alert reaches every board and the facts, an acknowledgement is everybody's at once."""

from __future__ import annotations

from dataclasses import replace

from app.alerts.model import DEFAULTS, AlertKind
from app.alerts.watching import Alert
from cti_bridge.hub import StreamKey
from tests.bridge_kit.rig import ms
from tests.bridge_kit.served import Json, Served, command, frame

pytest_plugins = ["tests.bridge_kit.fixtures"]
NOT_READY = AlertKind.long_not_ready


async def alerts_on(board: object, count: int) -> list[Json]:
    """The alerts of the next board that has so many."""
    while True:
        got = await frame(board, "delta")  # type: ignore[arg-type]
        if got["event"] == "wallboard.figures" and len(got["data"]["alerts"]) == count:
            found: list[Json] = got["data"]["alerts"]
            return found


async def test_two_supervisors_see_the_same_alert_and_who_of_them_knows_of_it(served: Served) -> None:
    domain, bridge = served.rig.domain, served.rig.bridge
    one, other = [await served.page("token-watch", streams=["wallboard"]) for _ in range(2)]
    for page in (one, other):
        assert (await frame(page, "snapshot"))["data"]["wallboard"]["alerts"] == []
    agent = await served.page()
    await frame(agent, "snapshot")
    await command(agent, "agent.sign_in")
    domain.rules_of_alerts = {NOT_READY: replace(DEFAULTS[NOT_READY], raise_at=0.01, clear_at=0.01)}
    bridge.alert_rules_changed()
    (alert,) = await alerts_on(one, 1)
    assert (alert["kind"], alert["subject"], alert["acked_by"]) == ("long_not_ready", "1001", "")
    await served.rig.until(lambda: domain.alerts, "the alert to be kept")
    assert domain.alerts[0]["alert_id"] == alert["alert_id"]

    refused = await command(agent, "alert.acknowledge", alert_id=alert["alert_id"])
    assert refused["error"]["code"] == "forbidden"
    domain.locked = True
    assert not (await command(one, "alert.acknowledge", alert_id=alert["alert_id"]))["ok"]
    domain.locked = False
    done = await command(one, "alert.acknowledge", alert_id=alert["alert_id"])
    assert (done["data"]["acked_by"], list(domain.acknowledged)) == ("王班长", [alert["alert_id"]])
    while (await alerts_on(other, 1))[0]["acked_by"] != "王班长":
        continue

    await command(agent, "agent.ready")
    assert await alerts_on(other, 0) == []
    await served.rig.until(lambda: any("cleared_ms" in told for told in domain.alerts), "its end to be kept")
    over = await command(one, "alert.acknowledge", alert_id=alert["alert_id"])
    assert over["error"]["code"] == "alert_over"


async def test_the_board_of_who_controls_agents_is_one_of_its_own(served: Served) -> None:
    for token, streams in (("token-watch", ["wallboard"]), ("token-1001", ["agent", "wallboard"])):
        await frame(await served.page(token, streams=streams), "ping")
    assert set(served.rig.bridge.hub._streams) == {StreamKey("", True, True), StreamKey("1001", True)}


async def test_what_an_earlier_life_left_open_goes_on_or_ends(served: Served) -> None:
    domain, watch = served.rig.domain, served.rig.bridge.watch
    left = [Alert(f"depth::{n}", AlertKind.depth, "", "", 9, 5, ms() - n, "王班长", ms()) for n in (2_000, 1_000)]
    domain.left_open, watch._resumed = left, False
    served.rig.bridge.alert_rules_changed()
    await served.rig.until(lambda: watch.shown(), "the alerts of the earlier life")
    # Of two about the same the younger goes on, and the other is over.
    assert [one["alert_id"] for one in watch.shown()] == ["depth::1000"]
    await served.rig.until(lambda: domain.alerts, "the end of the other")
    assert [(one["alert_id"], "cleared_ms" in one) for one in domain.alerts] == [("depth::2000", True)]
    await served.rig.until(lambda: watch._presence.slot is not None, "the board to be looked at twice")
    await served.rig.bridge.stop()
    assert [slot["watched_s"] > 0 for slot in domain.presence.values()] in ([True], [True, True])
