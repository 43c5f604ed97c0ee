"""Which of two cores acts: the table, and for how long a core may act on what it knows of the lock."""

import itertools

import pytest

from cti_bridge.activity import ACTING, LEASE_S, TRANSITIONS, Effect, Holder, IllegalTransition, Sight, State, step
from cti_bridge.core_lock import SERVER_PATIENCE_S, AdvisoryLock, key_of
from tests.bridge_kit.fake_lock import FakeLock, FakeServer


class Clock:
    """Seconds that the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class SlowLock(FakeLock):
    """One whose answers are underway for some seconds."""

    def __init__(self, server: FakeServer, clock: Clock) -> None:
        super().__init__(server)
        self._clock = clock
        self.seconds = 0.0

    def check(self) -> Sight:
        self._clock.now += self.seconds
        return super().check()


def holder(server: FakeServer, clock: Clock) -> tuple[Holder, SlowLock]:
    lock = SlowLock(server, clock)
    return Holder(lock, clock), lock


def turn(one: Holder) -> Effect:
    """What the core's loop does."""
    return one.see(one.look())


@pytest.mark.parametrize(("state", "sight"), list(itertools.product(State, Sight)))
def test_every_pair_is_either_in_the_table_or_refused(state: State, sight: Sight) -> None:
    if (state, sight) in TRANSITIONS:
        assert step(state, sight) == TRANSITIONS[state, sight]
    else:
        with pytest.raises(IllegalTransition, match=str(sight)):
            step(state, sight)


def test_a_core_begins_only_when_the_lock_was_taken_and_whatever_ends_it_is_carried_out() -> None:
    for (state, _), (after, effect) in TRANSITIONS.items():
        assert (effect is Effect.begin) == (state not in ACTING and after in ACTING)
        assert (effect is Effect.end) == (state in ACTING and after not in ACTING)


def test_a_stop_ends_every_state() -> None:
    assert {step(state, Sight.stop)[0] for state in State} == {State.stopped}


def test_of_two_cores_one_acts_and_the_other_follows_when_the_first_lets_go() -> None:
    server, clock = FakeServer(), Clock()
    (first, lock), (second, _) = holder(server, clock), holder(server, clock)
    assert (turn(first), turn(second)) == (Effect.begin, Effect.none)
    assert (first.may_act(), second.may_act()) == (True, False)
    lock.drop()
    assert not first.may_act(), "before anybody has looked"
    assert (turn(first), turn(second)) == (Effect.end, Effect.begin)
    assert (first.may_act(), second.may_act()) == (False, True)


def test_a_database_that_is_silent_for_a_while_stops_nobody() -> None:
    clock = Clock()
    one, lock = holder(FakeServer(), clock)
    turn(one)
    lock.frozen = True
    for _ in range(7):
        clock.now += 1
        assert turn(one) is Effect.none
        assert one.may_act()
    assert one.state is State.unsure
    lock.frozen = False
    turn(one)
    clock.now += LEASE_S - 0.1
    assert (one.state, one.may_act()) == (State.active, True)


def test_a_core_without_an_answer_stops_by_its_own_clock_before_the_database_gives_it_up() -> None:
    clock = Clock()
    one, lock = holder(FakeServer(), clock)
    turn(one)
    lock.frozen = True
    clock.now += LEASE_S
    assert not one.may_act()
    assert turn(one) is Effect.end
    assert LEASE_S < SERVER_PATIENCE_S - 2, "clocks differ, and a keep-alive may be late"


def test_the_lease_counts_from_the_question_not_from_its_late_answer() -> None:
    clock = Clock()
    one, lock = holder(FakeServer(), clock)
    turn(one)
    lock.seconds = 5.0
    turn(one)
    clock.now += LEASE_S - 5.0
    assert not one.may_act()


def test_after_a_stall_the_database_is_asked_before_anything_is_done() -> None:
    clock = Clock()
    one, _ = holder(FakeServer(), clock)
    turn(one)
    clock.now += 60
    assert not one.may_act()
    assert turn(one) is Effect.none
    assert one.may_act()


def test_hotlines_that_share_a_database_have_locks_of_their_own() -> None:
    assert key_of("hotline1") != key_of("hotline2")
    assert all(-(2**31) <= key_of(f"hotline{n}") < 2**31 for n in range(200))


def test_sqlite_has_no_such_lock() -> None:
    with pytest.raises(ValueError, match="only PostgreSQL"):
        AdvisoryLock("sqlite:////tmp/x.sqlite3", "hotline1")
