"""Clocks of cases: limits as data, ends and warnings, the table of states, and what can never happen to a clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from app.clocks import model
from app.clocks.limits import MOST, Limit, Reckoning, Unit, due_day, end_of, warning_of
from app.clocks.model import TRANSITIONS, Clock, ClockEvent, ClockKind, ClockState, ExtensionState, next_state
from app.clocks.rules import DEFAULTS, Key, Matter, Rule, Urgency, Way, in_force, limit_for
from app.errors import Refused
from app.workdays.model import WorkCalendar, WorkDayKind, parse_office_hours
from app.workdays.published import NOTICES, published_days

ZONE = ZoneInfo("Asia/Shanghai")
DAYS = {one.day: one.kind for year in NOTICES for one in published_days(year)}
BY = Reckoning(WorkCalendar(DAYS, frozenset(NOTICES)), ZONE, parse_office_hours("09:00-12:00,13:00-17:00"))
NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)  # a Tuesday, 09:00 in the city
HOUR = timedelta(hours=1)
SEVEN = Limit(7, Unit.working_days)
DAY_LONG = Limit(24, Unit.hours)
HANDLE, DISPATCH = ClockKind.handle, ClockKind.dispatch


def city(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


# ---- limits


@pytest.mark.parametrize(
    ("matter", "kind", "limit"),
    [
        (Matter(way=Way.written), HANDLE, (7, Unit.working_days)),
        (Matter(way=Way.telephone), HANDLE, (3, Unit.working_days)),
        (Matter(way=Way.consult), HANDLE, (2, Unit.working_days)),
        (Matter(urgency=Urgency.life), DISPATCH, (1, Unit.hours)),
        (Matter(urgency=Urgency.utilities), DISPATCH, (2, Unit.hours)),
        (Matter(), DISPATCH, (24, Unit.hours)),
        (Matter(urgency=Urgency.life, way=Way.written), HANDLE, (2, Unit.hours)),
        (Matter(urgency=Urgency.utilities, way=Way.telephone), HANDLE, (24, Unit.hours)),
    ],
)
def test_what_comes_with_the_system_are_the_limits_of_the_sources(
    matter: Matter, kind: ClockKind, limit: tuple[int, Unit]
):
    found = limit_for(DEFAULTS, kind, matter)
    assert (found.amount, found.unit) == limit


def test_every_step_has_a_limit_for_every_matter():
    for kind in ClockKind:
        for urgency in Urgency:
            for way in Way:
                assert limit_for(DEFAULTS, kind, Matter("complaint", urgency, way))


def test_an_offices_own_rule_comes_before_the_systems_and_the_closer_one_before_the_wider():
    complaint = Rule(Key(HANDLE, "complaint"), Limit(5, Unit.working_days))
    faster = Rule(Key(HANDLE, way=Way.telephone), Limit(1, Unit.working_days))
    rules = in_force([complaint, faster]).values()
    assert limit_for(rules, HANDLE, Matter("help", way=Way.telephone)).amount == 1
    assert limit_for(rules, HANDLE, Matter("complaint", way=Way.telephone)).amount == 5
    assert limit_for(rules, HANDLE, Matter("complaint", Urgency.life)).unit is Unit.hours, "urgency comes first"
    assert Key(HANDLE, "complaint").told == "handle.complaint.*.*"


@pytest.mark.parametrize(
    ("limit", "due", "warn"),
    [
        (SEVEN, "2026-12-04T00:00", "2026-12-02T00:00"),  # to the end of 3 December; its last two working days
        (Limit(1, Unit.working_days), "2026-11-26T00:00", "2026-11-25T00:00"),
        (DAY_LONG, "2026-11-25T09:00", "2026-11-25T03:00"),
        (Limit(1, Unit.hours, 50), "2026-11-24T10:00", "2026-11-24T09:30"),
        (Limit(8, Unit.working_hours), "2026-11-25T10:00", "2026-11-24T16:00"),
    ],
)
def test_a_limit_ends_and_is_warned_of_in_its_own_unit(limit: Limit, due: str, warn: str):
    end = end_of(NOW, limit.amount, limit.unit, BY)
    assert end.at == city(due)
    assert warning_of(NOW, end.at, limit, BY) == city(warn)


def test_the_day_on_which_something_is_due_is_the_last_one_on_which_it_is_in_time():
    clock = model.start(HANDLE, SEVEN, city("2026-09-24T23:59"), BY)
    assert due_day(clock.due_at, ZONE) == date(2026, 10, 12)
    assert not clock.provisional
    assert model.stop(clock, clock.due_at - timedelta(microseconds=1)).state is ClockState.met
    assert model.stop(clock, clock.due_at).state is ClockState.missed


@pytest.mark.parametrize(
    ("amount", "unit", "warn"), [(0, Unit.hours, 25), (MOST[Unit.hours] + 1, Unit.hours, 25), (1, Unit.hours, 91)]
)
def test_what_is_no_limit_cannot_be_made(amount: int, unit: Unit, warn: int):
    with pytest.raises(ValueError, match="not a limit"):
        Limit(amount, unit, warn)


# ---- states


@pytest.mark.parametrize("state", list(ClockState))
@pytest.mark.parametrize("event", list(ClockEvent))
def test_a_clock_moves_by_its_table_and_refuses_everything_else(state: ClockState, event: ClockEvent):
    if (state, event) in TRANSITIONS:
        assert next_state(state, event) is TRANSITIONS[state, event]
    else:
        with pytest.raises(Refused):
            next_state(state, event)


def test_no_way_leads_from_one_outcome_to_another():
    outcomes = {ClockState.met, ClockState.missed, ClockState.replaced}
    assert all(after is before for (before, _), after in TRANSITIONS.items() if before in outcomes)


def test_done_too_late_is_missed_whether_somebody_swept_or_not():
    clock = model.start(DISPATCH, DAY_LONG, NOW, BY)
    swept = model.expire(clock, NOW + 24 * HOUR)
    assert (swept.state, swept.open, model.expire(clock, NOW + 23 * HOUR)) == (ClockState.missed, True, clock)
    for one in (clock, swept):
        late = model.stop(one, NOW + 25 * HOUR)
        assert (late.state, late.ended_at) == (ClockState.missed, NOW + 25 * HOUR)
        with pytest.raises(Refused):
            model.stop(late, NOW + 26 * HOUR)


def test_more_time_comes_only_by_approval_and_the_clock_runs_on_until_then():
    clock = model.start(HANDLE, SEVEN, NOW, BY)
    asked = model.ask_extension(clock, 3, "待上级批复", NOW + HOUR, BY)
    assert (asked.due_at, asked.pending is not None) == (clock.due_at, True)
    with pytest.raises(Refused, match="waiting already"):
        model.ask_extension(asked, 1, "再延", NOW + HOUR, BY)
    longer = model.decide_extension(asked, True, NOW + 2 * HOUR, BY)
    assert due_day(longer.due_at, ZONE) == date(2026, 12, 8)
    assert (longer.granted, longer.warn_at) == (3, city("2026-12-07T00:00"))
    refused = model.decide_extension(asked, False, NOW + 2 * HOUR, BY)
    assert (refused.due_at, refused.extensions[0].state) == (clock.due_at, ExtensionState.refused)
    with pytest.raises(Refused, match="No request"):
        model.decide_extension(refused, True, NOW + 3 * HOUR, BY)


@pytest.mark.parametrize(("amount", "why"), [(0, "x"), (MOST[Unit.hours] + 1, "x"), (1, "")])
def test_a_request_needs_an_amount_and_a_reason(amount: int, why: str):
    with pytest.raises(Refused):
        model.ask_extension(model.start(DISPATCH, DAY_LONG, NOW, BY), amount, why, NOW, BY)


def test_what_was_not_decided_before_the_end_has_lapsed():
    clock = model.ask_extension(model.start(DISPATCH, DAY_LONG, NOW, BY), 5, "车辆故障", NOW + HOUR, BY)
    late = NOW + 24 * HOUR
    assert model.expire(clock, late).extensions[0].state is ExtensionState.lapsed
    for approved in (True, False):
        with pytest.raises(Refused):
            model.decide_extension(clock, approved, late, BY)
    with pytest.raises(Refused):
        model.ask_extension(model.start(DISPATCH, DAY_LONG, NOW, BY), 5, "太晚", late, BY)
    assert model.stop(clock, NOW + 2 * HOUR).extensions[0].state is ExtensionState.lapsed


def test_a_redo_is_a_new_clock_and_the_first_outcome_is_kept():
    first = model.stop(model.start(HANDLE, SEVEN, NOW, BY), NOW + HOUR)
    kept, again = model.restart(first, Limit(3, Unit.working_days), NOW + 2 * HOUR, BY)
    assert kept == first
    assert (again.round, again.state, due_day(again.due_at, ZONE)) == (2, ClockState.running, date(2026, 11, 27))
    late = model.expire(model.start(DISPATCH, DAY_LONG, NOW, BY), NOW + 24 * HOUR)
    kept, _ = model.restart(late, DAY_LONG, NOW + 30 * HOUR, BY)
    assert (kept.state, kept.ended_at) == (ClockState.missed, NOW + 30 * HOUR)
    with pytest.raises(Refused):
        model.restart(again, SEVEN, NOW + 3 * HOUR, BY)


def test_what_is_given_back_has_no_outcome_unless_it_was_late_already():
    clock = model.start(HANDLE, DAY_LONG, NOW, BY)
    early, late = model.give_way(clock, NOW + HOUR), model.give_way(clock, NOW + 25 * HOUR)
    assert (early.state, late.state) == (ClockState.replaced, ClockState.missed)
    assert model.running_time([early, late, clock], NOW + 2 * HOUR) == 28 * HOUR
    with pytest.raises(Refused):
        model.give_way(early, NOW + 2 * HOUR)


def test_a_child_ends_with_its_parent_at_the_latest_and_cannot_be_extended_beyond_it():
    parent = model.start(HANDLE, Limit(3, Unit.working_days), NOW, BY)
    child = model.start(HANDLE, SEVEN, NOW + HOUR, BY, parent=parent)
    assert child.due_at == parent.due_at
    with pytest.raises(Refused, match="extend that one first"):
        model.ask_extension(child, 1, "x", NOW + HOUR, BY, parent=parent)
    short = model.ask_extension(model.start(HANDLE, DAY_LONG, NOW, BY, parent=parent), 40, "x", NOW, BY, parent=parent)
    earlier = replace(parent, due_at=NOW + 50 * HOUR)
    with pytest.raises(Refused, match="extend that one first"):
        model.decide_extension(short, True, NOW + HOUR, BY, parent=earlier)
    over = model.stop(parent, NOW + 2 * HOUR)
    assert model.start(HANDLE, SEVEN, NOW + 3 * HOUR, BY, parent=over).due_at > parent.due_at


def test_a_provisional_end_is_settled_when_the_year_is_published_but_never_into_the_past():
    start = city("2026-12-28T10:00")
    clock = model.start(HANDLE, SEVEN, start, BY)
    assert (due_day(clock.due_at, ZONE), clock.provisional) == (date(2027, 1, 6), True)
    assert model.settle(clock, start + HOUR, BY) == clock, "not published yet"
    days = {**DAYS, date(2027, 1, 1): WorkDayKind.holiday, date(2027, 1, 4): WorkDayKind.holiday}
    later = replace(BY, calendar=WorkCalendar(days, frozenset({2025, 2026, 2027})))
    settled = model.settle(clock, start + HOUR, later)
    assert (due_day(settled.due_at, ZONE), settled.provisional) == (date(2027, 1, 8), False)
    days = {**DAYS, date(2027, 1, 2): WorkDayKind.makeup, date(2027, 1, 3): WorkDayKind.makeup}
    sooner = replace(BY, calendar=WorkCalendar(days, frozenset({2025, 2026, 2027})))
    kept = model.settle(clock, city("2027-01-05T00:00"), sooner)
    assert (kept.due_at, kept.provisional) == (clock.due_at, False)
    assert model.settle(model.stop(clock, start + HOUR), start + 2 * HOUR, later).provisional, "it has ended"


# ---- whatever happens, in whatever order


LIMITS = st.builds(Limit, st.integers(1, 30), st.sampled_from(Unit), st.integers(1, 90))
PUBLISHED = replace(
    BY,
    calendar=WorkCalendar(
        {**DAYS, date(2027, 1, 1): WorkDayKind.holiday, date(2027, 1, 3): WorkDayKind.makeup},
        frozenset({2025, 2026, 2027}),
    ),
)


class Clocks(RuleBasedStateMachine):
    """A case's clock and those of its assignments, through time and whatever people do, over the end of a year."""

    def __init__(self) -> None:
        super().__init__()
        self.now = city("2026-12-21T08:00")
        self.by = BY
        self.clocks: dict[int, Clock] = {}
        self.outcomes: dict[int, ClockState] = {}
        self.parent = 0

    @initialize(limit=LIMITS)
    def begin(self, limit: Limit) -> None:
        self.clocks[0] = model.start(HANDLE, limit, self.now, self.by)

    def change(self, key: int, clock: Clock, *, moves: bool = False) -> None:
        before = self.clocks[key]
        if not moves:
            assert clock.due_at == before.due_at, "an end moved without an approval"
        self.clocks[key] = clock

    def over(self, key: int) -> Clock | None:
        return None if key == self.parent else self.clocks[self.parent]

    def pick(self, data: st.DataObject) -> int:
        return data.draw(st.sampled_from(sorted(self.clocks)), label="clock")

    @rule(limit=LIMITS)
    def assign(self, limit: Limit) -> None:
        self.clocks[len(self.clocks)] = model.start(HANDLE, limit, self.now, self.by, parent=self.clocks[self.parent])

    @rule(minutes=st.integers(1, 4000))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule()
    def sweep(self) -> None:
        for key, clock in self.clocks.items():
            self.change(key, model.expire(clock, self.now))

    @rule(data=st.data(), give_up=st.booleans())
    def end(self, data: st.DataObject, give_up: bool) -> None:
        key = self.pick(data)
        clock = self.clocks[key]
        if not clock.open:
            with pytest.raises(Refused):
                model.stop(clock, self.now)
            return
        self.change(key, (model.give_way if give_up else model.stop)(clock, self.now))

    @rule(data=st.data(), amount=st.integers(1, 9))
    def ask(self, data: st.DataObject, amount: int) -> None:
        key = self.pick(data)
        try:
            asked = model.ask_extension(self.clocks[key], amount, "why", self.now, self.by, parent=self.over(key))
        except Refused:
            return
        assert self.now < asked.due_at
        self.change(key, asked)

    @rule(data=st.data(), approved=st.booleans())
    def decide(self, data: st.DataObject, approved: bool) -> None:
        key = self.pick(data)
        try:
            decided = model.decide_extension(self.clocks[key], approved, self.now, self.by, parent=self.over(key))
        except Refused:
            return
        assert self.now < self.clocks[key].due_at
        self.change(key, decided, moves=approved)

    @rule(data=st.data(), limit=LIMITS)
    def redo(self, data: st.DataObject, limit: Limit) -> None:
        key = self.pick(data)
        try:
            before, again = model.restart(self.clocks[key], limit, self.now, self.by, parent=self.over(key))
        except Refused:
            return
        self.change(key, before)
        self.clocks[len(self.clocks)] = again
        if key == self.parent:
            self.parent = len(self.clocks) - 1

    @precondition(lambda self: self.by is BY)
    @rule()
    def publish(self) -> None:
        self.by = PUBLISHED
        for key, clock in sorted(self.clocks.items(), key=lambda one: one[0] != self.parent):
            self.change(key, model.settle(clock, self.now, self.by, parent=self.over(key)), moves=clock.provisional)

    @invariant()
    def the_first_outcome_stays(self) -> None:
        for key, clock in self.clocks.items():
            if clock.state is not ClockState.running:
                assert self.outcomes.setdefault(key, clock.state) is clock.state
            else:
                assert key not in self.outcomes

    @invariant()
    def no_child_ends_after_its_parent_while_that_runs(self) -> None:
        parent = self.clocks.get(self.parent)
        if parent is None or model.expire(parent, self.now).state is not ClockState.running:
            return
        for key, clock in self.clocks.items():
            if key > self.parent and clock.state is ClockState.running:
                assert clock.due_at <= parent.due_at

    @invariant()
    def a_clock_makes_sense(self) -> None:
        for clock in self.clocks.values():
            assert clock.started_at <= clock.warn_at <= clock.due_at
            assert clock.started_at < clock.due_at
            assert clock.open == (clock.ended_at is None)
            assert sum(one.state is ExtensionState.requested for one in clock.extensions) <= 1
            assert clock.pending is None or clock.state is ClockState.running


Clocks.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestWhateverHappensToClocks = Clocks.TestCase
