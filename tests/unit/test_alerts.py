"""Alerts over the board: every step of the table, hysteresis, who is watched, what a restart leaves alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.alerts.model import DEFAULTS, SHAPES, STEPS, AlertKind, AlertRule, Effect, Phase, Signal, faults, judge
from app.alerts.watching import Alert, Change, Key, Standing, acknowledged, look, open_alerts, read, resumed

NOW = 1_795_521_600_000
DEPTH = AlertRule(AlertKind.depth, True, 5, 2, for_s=10, clear_s=20)
RULES = {**DEFAULTS, AlertKind.depth: DEPTH}


def board(at_s: float = 0, **more: Any) -> dict[str, Any]:
    """A quiet floor so many seconds after NOW."""
    none = {"num": 0, "den": 0, "rate": None}
    quiet: dict[str, Any] = {
        "depth": 0, "longest_wait_s": 0, "by_state": {"ready": 3}, "agents": [], "telephone_connected": True,
        "connect_24h": none, "answered_in_15s": none, "as_of_ms": NOW + int(at_s * 1000),
    }  # fmt: skip
    return quiet | more


def agent(agent_id: str, state: str, for_s: float, at_s: float = 0, **more: Any) -> dict[str, Any]:
    since = NOW + int((at_s - for_s) * 1000)
    return {"agent_id": agent_id, "name": f"坐席{agent_id}", "state": state, "since_ms": since, **more}


class Watcher:
    """What stands, from one look to the next."""

    def __init__(self, rules: dict[AlertKind, AlertRule] | None = None) -> None:
        self.rules = rules or RULES
        self.standing: dict[Key, Standing] = {}

    def at(self, at_s: float, free_mb: float | None = 50_000, **more: Any) -> list[Change]:
        seen = read(board(at_s, **more), self.rules, free_mb)
        self.standing, changes = look(self.standing, self.rules, seen, NOW + int(at_s * 1000))
        return changes

    def kinds(self) -> list[str]:
        return [alert.kind.value for alert in open_alerts(self.standing)]


def test_every_pair_of_phase_and_signal_has_a_step_and_every_phase_is_come_to_and_left():
    assert set(STEPS) == {(phase, signal) for phase in Phase for signal in Signal}
    for (phase, signal), (after, effect) in STEPS.items():
        # What is raised once is cleared once, and only there.
        had, has = phase in (Phase.raised, Phase.falling), after in (Phase.raised, Phase.falling)
        expected = {(False, True): Effect.raise_, (True, False): Effect.clear}.get((had, has), Effect.none)
        assert effect is expected, (phase, signal)
        if signal is Signal.off:
            assert after is Phase.quiet
        if signal is Signal.unknown:
            assert had == has  # nobody is warned, and nobody put at rest, by not knowing
    assert {after for after, _ in STEPS.values()} == set(Phase)


@pytest.mark.parametrize(
    ("kind", "value", "signal"),
    [
        (AlertKind.depth, 5, Signal.bad),
        (AlertKind.depth, 3, Signal.between),
        (AlertKind.depth, 2, Signal.good),
        (AlertKind.connect_24h, 0.9499, Signal.bad),
        (AlertKind.connect_24h, 0.95, Signal.between),
        (AlertKind.connect_24h, 0.955, Signal.good),
        (AlertKind.long_talk, 1_200, Signal.bad),
        (AlertKind.long_talk, 1_199, Signal.good),
        (AlertKind.disk, None, Signal.unknown),
    ],
)
def test_which_way_is_bad_depends_on_the_kind(kind, value, signal):
    assert judge(RULES[kind], value) is signal
    assert judge(replace(RULES[kind], enabled=False), value) is Signal.off


def test_a_line_that_is_long_for_a_moment_warns_nobody_and_one_that_trembles_warns_once():
    watch = Watcher()
    assert watch.at(0, depth=6) == []
    assert watch.at(5, depth=4) == []  # between: it begins anew
    assert watch.at(6, depth=6) == []
    (raised,) = watch.at(16, depth=7)
    assert (raised.effect, raised.alert.value, raised.alert.raise_at) == (Effect.raise_, 7, 5)
    for at_s, depth in ((17, 4), (18, 2), (30, 3), (31, 5), (32, 2), (51, 2)):
        assert watch.at(at_s, depth=depth) == []
        assert watch.kinds() == ["depth"]
    (cleared,) = watch.at(52, depth=1)
    assert (cleared.effect, cleared.alert.alert_id) == (Effect.clear, raised.alert.alert_id)
    assert watch.kinds() == []
    watch.at(60, depth=9)
    (again,) = watch.at(70, depth=9)
    assert again.alert.alert_id != raised.alert.alert_id  # and is to be acknowledged again


def test_nobody_ready_while_somebody_waits():
    watch = Watcher()
    watch.at(0, depth=1, by_state={"talking": 4, "ready": 0})
    assert watch.at(29, depth=1, by_state={"talking": 4}) == []
    (raised,) = watch.at(30, depth=2, by_state={"talking": 4})
    assert raised.alert.kind is AlertKind.none_ready
    watch.at(31, depth=2, by_state={"ready": 1})
    (cleared,) = watch.at(41, depth=0, by_state={"ready": 1})
    assert cleared.effect is Effect.clear


def test_an_agent_too_long_in_a_state_is_named_and_the_alert_ends_with_the_state():
    watch = Watcher()
    floor = [agent("1003", "talking", 1_300), agent("1004", "wrap_up", 100), agent("1005", "not_ready", 1_900)]
    raised = watch.at(0, agents=floor)
    assert [(one.alert.kind.value, one.alert.subject, one.alert.name) for one in raised] == [
        ("long_not_ready", "1005", "坐席1005"),
        ("long_talk", "1003", "坐席1003"),
    ]
    # The next state of the same agent is another matter, and so is signing out.
    after = watch.at(1, agents=[agent("1003", "wrap_up", 1, 1)])
    assert {(one.effect, one.alert.subject) for one in after} == {(Effect.clear, "1003"), (Effect.clear, "1005")}


def test_a_desktop_that_is_lost_is_told_until_it_is_back():
    watch = Watcher()
    lost = agent("1003", "talking", 60, page_lost_ms=NOW - 31_000)
    (raised,) = watch.at(0, agents=[lost])
    assert (raised.alert.kind, round(raised.alert.value)) == (AlertKind.desktop_lost, 31)
    (cleared,) = watch.at(1, agents=[lost | {"page_lost_ms": None}])
    assert cleared.effect is Effect.clear


def test_a_full_disk_is_told_also_while_the_telephone_is_away_and_an_unknown_one_changes_nothing():
    watch = Watcher()
    (raised,) = watch.at(0, free_mb=900, telephone_connected=False)
    assert raised.alert.kind is AlertKind.disk
    assert watch.at(100, free_mb=None) == []
    assert watch.kinds() == ["disk"]
    watch.at(101, free_mb=2_000)
    assert watch.at(161, free_mb=2_000)[0].effect is Effect.clear


@pytest.mark.parametrize(("den", "raised"), [(19, False), (20, True)])
@pytest.mark.parametrize(("kind", "figure"), [("connect_24h", "connect_24h"), ("answered_15s", "answered_in_15s")])
def test_a_share_of_few_calls_says_nothing(kind, figure, den, raised):
    watch = Watcher()
    for at_s in (0, 60):
        watch.at(at_s, **{figure: {"num": 10, "den": den, "rate": 10 / den}})
    assert watch.kinds() == [kind] * raised


def test_while_the_telephone_is_away_nothing_is_raised_and_nothing_put_at_rest():
    watch = Watcher()
    watch.at(0, agents=[agent("1003", "talking", 1_300)])
    watch.at(0, depth=9, agents=[agent("1003", "talking", 1_300)])
    watch.at(10, depth=9, agents=[agent("1003", "talking", 1_310)])
    before = watch.kinds()
    assert sorted(before) == ["depth", "long_talk"]
    assert watch.at(500, telephone_connected=False) == []
    assert watch.kinds() == before
    assert len(watch.at(501, agents=[])) == 1  # the talk is over; the line needs its while
    assert [one.alert.kind.value for one in watch.at(521, agents=[])] == ["depth"]


def test_a_rule_switched_off_ends_its_alerts_at_once():
    watch = Watcher()
    watch.at(0, depth=9)
    watch.at(10, depth=9)
    watch.rules = {**RULES, AlertKind.depth: replace(DEPTH, enabled=False)}
    assert [one.effect for one in watch.at(11, depth=9)] == [Effect.clear]
    assert watch.at(60, depth=9) == []


def test_who_acknowledged_first_stays_and_what_is_acknowledged_goes_last():
    watch = Watcher()
    floor = [agent("1003", "talking", 1_300), agent("1005", "not_ready", 1_900)]
    watch.at(0, agents=floor)
    first = open_alerts(watch.standing)[0].alert_id
    watch.standing = acknowledged(watch.standing, first, "王班长", NOW + 1_000)
    watch.standing = acknowledged(watch.standing, first, "李班长", NOW + 2_000)
    last = open_alerts(watch.standing)[-1]
    assert (last.alert_id, last.acked_by, last.acked_ms) == (first, "王班长", NOW + 1_000)
    watch.at(1, agents=[agent("1003", "talking", 1_301, 1), agent("1005", "not_ready", 1_901, 1)])
    assert open_alerts(watch.standing)[-1].acked_by == "王班长"  # a look forgets nothing
    assert acknowledged(watch.standing, "no such", "x", NOW) == watch.standing


def test_after_a_restart_what_is_still_so_goes_on_without_a_new_alert():
    left = Alert("long_talk:1003:1", AlertKind.long_talk, "1003", "", 1_250, 1_200, NOW - 50_000, "王班长", NOW - 9_000)
    watch = Watcher()
    watch.standing = resumed([left], NOW)
    assert watch.at(1, telephone_connected=False) == []
    assert watch.at(2, agents=[agent("1003", "talking", 1_302, 2)]) == []
    (alert,) = open_alerts(watch.standing)
    assert (alert.alert_id, alert.name, alert.acked_by) == ("long_talk:1003:1", "坐席1003", "王班长")
    assert watch.at(3, agents=[])[0].effect is Effect.clear


def test_a_clock_that_goes_back_raises_nothing_early():
    watch = Watcher()
    watch.at(100, depth=9)
    assert watch.at(50, depth=9) == []
    assert watch.at(110, depth=9)[0].effect is Effect.raise_


def test_the_shipped_rules_can_be_used_and_cover_every_kind():
    assert set(DEFAULTS) == set(AlertKind) == set(SHAPES)
    assert [faults(rule) for rule in DEFAULTS.values()] == [{}] * len(DEFAULTS)


@pytest.mark.parametrize(
    ("rule", "wrong"),
    [
        (AlertRule(AlertKind.depth, True, 0, 0), {"raise_at"}),
        (AlertRule(AlertKind.depth, True, 2.5, 1), {"raise_at"}),
        (AlertRule(AlertKind.depth, True, 3, 4), {"clear_at"}),
        (AlertRule(AlertKind.connect_24h, True, 0.95, 0.94), {"clear_at"}),
        (AlertRule(AlertKind.connect_24h, True, 1.2, 1.2), {"raise_at", "clear_at"}),
        (AlertRule(AlertKind.long_talk, True, 600, 500), {"clear_at"}),
        (AlertRule(AlertKind.depth, True, 5, 0, for_s=4_000), {"for_s"}),
        (AlertRule(AlertKind.depth, True, 5, 0), set()),
    ],
)
def test_a_rule_that_cannot_be_used_says_where(rule, wrong):
    assert set(faults(rule)) == wrong
