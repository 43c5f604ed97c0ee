"""Whatever arrives, the engine answers; a caller is never turned away because of what decorates the call."""

from __future__ import annotations

import pytest

from acd import journal
from acd.model import (
    AgentNotReady,
    AgentReady,
    AgentSignedIn,
    AgentSignedOut,
    CallJoined,
    CallLeft,
    NextState,
    OfferAnswered,
    OfferFailed,
    PhoneChanged,
    QueueConfig,
    QueueConfigured,
    Refused,
    TalkAdopted,
    TalkEnded,
    TelephoneLink,
    Tick,
    Why,
    WrapUpExtended,
)
from tests.acd_kit.invariants import assert_sound
from tests.acd_kit.lab import Lab, of, offered


class Hostile:
    """A value that fights back."""

    def __repr__(self) -> str:
        raise RuntimeError("no")

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no")

    __hash__ = None  # type: ignore[assignment]


BAD = [
    CallLeft(""),
    CallLeft(None),
    CallLeft("x" * 129),
    CallLeft("c1\r\nAction: Originate"),
    CallLeft(Hostile()),
    CallJoined(7),
    CallJoined("c\x00"),
    OfferAnswered("c1", [], "o"),
    OfferFailed("c1", "1001", "o", "gone fishing"),
    OfferFailed("c1", "1001", "o", None),
    TalkAdopted("c1", "1001", "now"),
    TalkAdopted("c1", "1001", 10**5000),
    TalkEnded("c1", {"a": 1}),
    AgentSignedIn("1001", {"zh": 6}),
    AgentSignedIn("1001", {"zh": True}),
    AgentSignedIn("1001", {7: 1}),
    AgentSignedIn("1001", {}, "general"),
    AgentSignedIn("1001", {}, ("general",), "yes"),
    AgentReady("1001", "x" * 65),
    AgentNotReady("1001", "break\nnow"),
    NextState("1001", "asleep"),
    PhoneChanged("1001", 1),
    WrapUpExtended("1001", -1),
    WrapUpExtended("1001", 1.5),
    WrapUpExtended("1001", float("nan")),
    TelephoneLink(None),
    QueueConfigured("general"),
    QueueConfigured({"queue": "general"}),
    QueueConfigured(QueueConfig("", priority=0)),
    QueueConfigured(QueueConfig("general", announce_every_s=Hostile())),
    QueueConfigured(QueueConfig("general", overflow_to="nowhere")),
]


@pytest.mark.parametrize("event", BAD, ids=[f"{number}-{type(event).__name__}" for number, event in enumerate(BAD)])
def test_events_with_bad_values_are_refused_and_change_nothing(event):
    lab = Lab()
    lab.sign_in("1001")
    lab.join("c1")
    before = lab.engine.snapshot()
    refused = of(Refused, lab.do(event))
    assert [(item.event, item.why) for item in refused] == [(type(event).__name__, Why.BAD_VALUE)]
    assert lab.engine.snapshot() == before
    assert journal.verify(lab.lines) is None


@pytest.mark.parametrize(
    "thing", [None, 7, "CallLeft", object(), CallLeft, Hostile(), [Tick()]], ids=lambda t: type(t).__name__
)
def test_what_is_no_event_is_refused(thing):
    lab = Lab()
    refused = of(Refused, lab.do(thing))
    assert [(item.event, item.why, item.subject) for item in refused] == [(type(thing).__name__, Why.UNKNOWN_EVENT, "")]
    assert journal.verify(lab.lines) is None


@pytest.mark.parametrize(
    "decoration",
    [
        {"queue": None},
        {"queue": "a\r\nb"},
        {"joined_ms": "yesterday"},
        {"joined_ms": -5},
        {"joined_ms": 10**30},
        {"priority": "high"},
        {"priority": 10**9},
        {"priority": float("inf")},
        {"skills": "yue:3"},
        {"skills": {"": 3}},
        {"skills": {"zh": "5"}},
        {"skills": {"a\nb": 3}},
        {"skills": {1: 1}},
        {"language": b"zh"},
        {"caller": "\udcff"},
        {"caller": "<script>" * 30},
        {"attempt": -1},
        {"attempt": None},
    ],
    ids=str,
)
def test_a_caller_with_spoilt_decoration_still_gets_an_agent(decoration):
    lab = Lab()
    lab.sign_in("1001", zh=5)
    values = {"joined_ms": lab.now, **decoration}
    assert offered(lab.do(CallJoined("c1", **values))) == [("c1", "1001")]
    assert_sound(lab.engine)
    assert journal.verify(lab.lines) is None


def test_skill_levels_outside_one_to_five_are_put_right_for_callers():
    lab = Lab()
    lab.sign_in("1001", zh=5)
    assert offered(lab.join("c1", skills={"zh": 99})) == [("c1", "1001")]


def test_a_time_that_is_no_time_counts_as_now():
    lab = Lab()
    lab.join("c1")
    for now in (None, "noon", -1, 1.5, True):
        assert lab.engine.handle(Tick(), now) == []
    assert lab.engine.handle(CallLeft("c1"), None)


def test_unknown_and_repeated_reports_are_refused_by_name():
    lab = Lab()
    for event, why in (
        (CallLeft("c1"), Why.UNKNOWN_CALL),
        (TalkEnded("c1", "1001"), Why.UNKNOWN_AGENT),
        (OfferAnswered("c1", "1001", "o"), Why.UNKNOWN_CALL),
        (AgentReady("1001"), Why.UNKNOWN_AGENT),
        (AgentSignedOut("1001"), Why.UNKNOWN_AGENT),
    ):
        assert [(item.why, item.event) for item in of(Refused, lab.do(event))] == [(why, type(event).__name__)]
    lab.talk("c1", "1001")
    lab.sign_in("1002")
    assert of(Refused, lab.do(TalkEnded("c1", "1002")))[0].why is Why.NOT_THEIR_CALL


def test_memory_of_callers_whose_departure_was_never_reported_is_bounded():
    lab = Lab()
    lab.sign_in("1001")
    for number in range(2_100):
        lab.do(TalkAdopted(f"c{number}", "1001", lab.now), TalkEnded(f"c{number}", "1001"))
    assert len(lab.engine._floor.calls) == 2_000


def test_demands_nobody_has_any_more_are_forgotten():
    lab = Lab()
    for number in range(600):
        lab.join(f"c{number}", skills={f"s{number}": 1})
        lab.do(CallLeft(f"c{number}"))
    assert len(lab.engine._floor.demands) <= 257
    assert_sound(lab.engine)
