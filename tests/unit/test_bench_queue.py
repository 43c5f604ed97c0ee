"""What the queue bench counts: which waits are a queue's own, told from nothing but Asterisk's events."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.bench._queue_people import number_of, talk_of
from tests.bench._queue_watch import Floor

Tell = Callable[..., None]


@pytest.fixture
def floor() -> Floor:
    return Floor({"1001", "1002"})


@pytest.fixture
def tell(floor: Floor) -> Tell:
    """Tells the floor an event at a second: `tell(0.5, "ring", "caller", "1001")`."""

    def say(at: float, what: str, caller: str, agent: str = "") -> None:
        channel = f"PJSIP/{agent}-00000001" if agent else "PJSIP/trunk-00000001"
        own = f"{caller}-leg" if agent else caller
        event = {"join": "UserEvent", "ring": "Newstate", "hangup": "Hangup"}[what]
        floor.event({"Event": event, "Timestamp": str(at), "Channel": channel, "Uniqueid": own, "Linkedid": caller})

    return say


def all_busy_and_one_waits(tell: Tell) -> None:
    for caller, agent in (("a", "1001"), ("b", "1002")):
        tell(1.0, "join", caller)
        tell(1.0, "ring", caller, agent)
    tell(2.0, "join", "c")


def test_a_caller_who_finds_an_agent_free_waits_until_a_phone_rings(floor: Floor, tell: Tell) -> None:
    tell(1.0, "join", "a")
    tell(1.02, "ring", "a", "1001")
    assert floor.times.join_to_ring == [pytest.approx(20)]
    assert floor.times.free_to_ring == []


def test_a_caller_who_finds_everybody_busy_is_no_measure_of_the_way_to_a_free_agent(floor: Floor, tell: Tell) -> None:
    tell(1.0, "join", "a")
    tell(1.0, "join", "b")
    tell(1.0, "join", "c")  # two agents, and two callers are before this one
    tell(1.1, "ring", "a", "1001")
    tell(1.1, "ring", "b", "1002")
    tell(5.0, "hangup", "a", "1001")
    tell(5.5, "ring", "c", "1001")
    assert len(floor.times.join_to_ring) == 2


def test_an_agent_who_is_needed_is_late_from_the_hangup_to_the_next_ring(floor: Floor, tell: Tell) -> None:
    all_busy_and_one_waits(tell)
    tell(3.0, "hangup", "a", "1001")
    tell(3.25, "ring", "c", "1001")
    assert floor.times.free_to_ring == [pytest.approx(250)]


def test_an_agent_whom_nobody_needs_is_not_late(floor: Floor, tell: Tell) -> None:
    tell(1.0, "join", "a")
    tell(1.0, "ring", "a", "1001")
    tell(2.0, "hangup", "a", "1001")
    tell(60.0, "join", "b")
    tell(60.1, "ring", "b", "1001")
    assert floor.times.free_to_ring == []


def test_an_agent_is_not_late_once_the_last_caller_has_given_up(floor: Floor, tell: Tell) -> None:
    all_busy_and_one_waits(tell)
    tell(3.0, "hangup", "a", "1001")
    tell(3.1, "hangup", "c")
    tell(9.0, "join", "d")
    tell(9.1, "ring", "d", "1001")
    assert floor.times.free_to_ring == []
    assert "c" not in floor.present


def test_two_agents_who_become_free_before_one_caller_are_not_both_late(floor: Floor, tell: Tell) -> None:
    all_busy_and_one_waits(tell)
    tell(3.0, "hangup", "a", "1001")
    tell(3.1, "hangup", "b", "1002")
    tell(3.2, "ring", "c", "1002")
    assert floor.times.free_to_ring == []


def test_a_beginning_forgets_times_but_not_who_waits(floor: Floor, tell: Tell) -> None:
    tell(1.0, "join", "a")
    floor.begin()
    tell(1.5, "ring", "a", "1001")
    assert floor.times.join_to_ring == []
    assert floor.times.rung == 1
    assert floor.busy == {"1001": "a-leg"}


@pytest.mark.parametrize("talk_s", [0.35, 2.0, 3.9, None])
def test_the_phone_reads_the_length_of_the_talk_in_the_callers_number(talk_s: float | None) -> None:
    assert talk_of(number_of(7, talk_s)) == talk_s


def test_other_numbers_ask_for_no_length_of_talk() -> None:
    assert talk_of("13800000001") is None
