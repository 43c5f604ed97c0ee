"""Streams: numbers without gaps, what was missed, acknowledgements; and the small rules of facts, words and masks."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cti_bridge import facts, hub
from cti_bridge.hub import Hub, StreamKey
from cti_bridge.model import Call, Phase
from cti_bridge.offers import fail_cause
from cti_bridge.say import announcement, files
from cti_bridge.views import mask
from cti_bridge.writer import Fact
from tests.bridge_kit.rig import Listener

AGENT = StreamKey("1001", False)
BOTH = StreamKey("1001", True)
BOARD = StreamKey("", True)


@pytest.fixture
def now() -> list[int]:
    return [0]


@pytest.fixture
def streams(now: list[int]) -> Hub:
    return Hub(lambda: now[0])


def frames(page: Listener) -> list[dict[str, Any]]:
    return [json.loads(text) for text in page.frames]


def test_each_stream_counts_for_itself_without_gaps(streams: Hub) -> None:
    own, both, board = Listener(), Listener(), Listener()
    streams.join(AGENT, own)
    streams.join(BOTH, both)
    streams.join(BOARD, board)
    streams.to_boards("wallboard.figures", {"depth": 1})
    streams.to_agent("1001", "notice", {"n": 1})
    streams.to_agent("1002", "notice", {"n": 2})
    streams.to_boards("wallboard.figures", {"depth": 2})
    assert [(f["seq"], f["event"]) for f in frames(own)] == [(1, "notice")]
    assert [(f["seq"], f["event"]) for f in frames(both)] == [
        (1, "wallboard.figures"),
        (2, "notice"),
        (3, "wallboard.figures"),
    ]
    assert [f["seq"] for f in frames(board)] == [1, 2]


def test_a_wallboard_message_is_encoded_once_for_all(streams: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(50):
        streams.join(StreamKey(str(n), True), Listener())
    encoded = []
    monkeypatch.setattr(hub, "encode", lambda value: encoded.append(value) or "{}")
    streams.to_boards("wallboard.figures", {"depth": 1})
    assert len(encoded) == 1


def test_who_controls_agents_may_be_told_more_on_the_board_and_hears_what_they_are_told_themselves(
    streams: Hub,
) -> None:
    boss, wall = Listener(), Listener()
    streams.join(StreamKey("1001", True, floor=True), boss)
    streams.join(BOARD, wall)
    streams.to_boards("wallboard.figures", {"depth": 1}, {"depth": 1, "more": 2})
    streams.to_boards("notice", {"n": 1})
    streams.to_agent("1001", "agent.state", {})
    assert [f["data"] for f in frames(boss)] == [{"depth": 1, "more": 2}, {"n": 1}, {}]
    assert [f["data"] for f in frames(wall)] == [{"depth": 1}, {"n": 1}]
    assert streams.pages("1001") == 1


def test_for_an_agent_who_has_only_a_telephone_nothing_is_put_into_words(
    streams: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "encode", lambda _value: pytest.fail("nobody hears this"))
    assert not streams.has_stream("1009")
    streams.to_agent("1009", "agent.state", {})
    streams.stream(StreamKey("1009", False))
    assert streams.has_stream("1009")


def test_what_was_missed_is_complete_or_refused(streams: Hub) -> None:
    stream = streams.join(AGENT, Listener())
    for n in range(300):
        streams.to_agent("1001", "notice", {"n": n})
    assert stream.missed(stream.epoch, 300) == []
    assert len(stream.missed(stream.epoch, 290) or []) == 10
    assert stream.missed(stream.epoch, 300 - 256) is not None
    assert stream.missed(stream.epoch, 300 - 257) is None
    assert stream.missed(stream.epoch, 301) is None
    assert stream.missed("other", 300) is None


def test_long_boards_are_kept_up_to_two_megabytes_and_the_newest_always(streams: Hub) -> None:
    stream = streams.join(StreamKey("1001", True), Listener())
    for _ in range(50):
        streams.to_boards("wallboard.figures", {"agents": "x" * 100_000})
    assert sum(len(text) for _, text in stream.kept) <= hub.MOST_KEPT_CHARS
    assert len(stream.missed(stream.epoch, 40) or []) == 10
    assert stream.missed(stream.epoch, 20) is None  # a snapshot says it shorter
    streams.to_boards("wallboard.figures", {"agents": "x" * 3_000_000})
    assert len(stream.missed(stream.epoch, 50) or []) == 1


def test_a_stream_nobody_listened_to_for_long_begins_anew(streams: Hub, now: list[int]) -> None:
    page = Listener()
    stream = streams.join(AGENT, page)
    streams.leave(stream, page)
    now[0] = 9 * 60_000
    streams.sweep()
    assert streams.join(AGENT, page) is stream
    streams.leave(stream, page)
    now[0] = 20 * 60_000
    streams.sweep()
    assert streams.join(AGENT, page).epoch != stream.epoch


def test_the_first_acknowledgement_of_any_page_counts_once(streams: Hub) -> None:
    one, two = streams.join(AGENT, Listener()), streams.join(BOTH, Listener())
    heard: list[int] = []
    streams.to_agent("1001", "notice", {})
    streams.to_agent("1001", "call.pop", {}, heard=lambda: heard.append(1))
    one.acknowledged(1)
    assert heard == []
    one.acknowledged(2)
    one.acknowledged(2)
    assert heard == [1]
    two.acknowledged(7)  # another page of the agent, a little later
    assert heard == [1]


def test_presence_is_told_when_pages_come_and_go(streams: Hub) -> None:
    told: list[tuple[str, int]] = []
    streams.on_presence = lambda agent_id: told.append((agent_id, streams.pages(agent_id)))
    one, two = Listener(), Listener()
    stream = streams.join(AGENT, one)
    other = streams.join(BOTH, two)
    streams.join(BOARD, Listener())
    streams.leave(stream, one)
    streams.leave(stream, one)
    streams.leave(other, two)
    assert told == [("1001", 1), ("1001", 2), ("1001", 1), ("1001", 0)]


# -------------------------------------------------------------------------------------------------------- small rules


@pytest.mark.parametrize(
    ("phase", "answered", "outbound", "how", "outcome"),
    [
        (Phase.hold, None, False, "", "abandoned"),
        (Phase.connect, None, False, "", "abandoned"),
        (Phase.menu, None, False, "", "self_service"),
        (Phase.menu, None, False, "callback", "callback"),
        (Phase.voicemail, None, False, "", "voicemail"),
        (Phase.hold, None, False, "voicemail", "voicemail"),
        (Phase.fax, None, False, "", "fax"),
        (Phase.failsafe, None, False, "", "failsafe"),
        (Phase.transfer, None, False, "", "transferred"),
        (Phase.transfer, 5, False, "", "transferred"),
        (Phase.survey, 5, False, "", "answered"),
        (Phase.talk, 5, True, "", "answered"),
        (Phase.outbound, None, True, "", "failed"),
    ],
)
def test_how_a_call_ended(phase: Phase, answered: int | None, outbound: bool, how: str, outcome: str) -> None:
    call = Call("c", answered_ms=answered, outbound=outbound)
    assert facts.outcome(call, phase, how) == outcome


def test_facts_of_one_call_become_one_with_the_earliest_times_and_nothing_erased() -> None:
    given = [
        Fact(1, 0, "call", "a", {"started_at": 10, "number": "139", "agent_id": "1001"}),
        Fact(2, 0, "call", "b", {"number": "1"}),
        Fact(3, 0, "call", "a", {"started_at": 9, "answered_at": 30, "agent_id": "1002", "number": None}),
        Fact(4, 0, "call", "a", {"answered_at": 40, "ended_at": 50}),
    ]
    assert facts.merged(given) == [
        ("a", {"started_at": 9, "number": "139", "agent_id": "1002", "answered_at": 30, "ended_at": 50}),
        ("b", {"number": "1"}),
    ]


@pytest.mark.parametrize(
    ("status", "cause", "meaning"),
    [("NOANSWER", 0, "no_answer"), ("BUSY", 17, "busy"), ("BUSY", 21, "rejected"), ("CHANUNAVAIL", 20, "unreachable"),
     ("CONGESTION", 34, "unreachable"), ("CANCEL", 0, "cancelled"), ("", 0, "cancelled"), ("NEWS", 0, "cancelled")],
)  # fmt: skip
def test_what_the_telephone_says_is_put_into_the_queues_words(status: str, cause: int, meaning: str) -> None:
    assert fail_cause(status, cause).value == meaning


@pytest.mark.parametrize(
    ("given", "ids"),
    [
        ((3, 60, 150), ["you_are_number", "number_3", "position_suffix", "wait_about", "number_3", "minutes"]),
        ((1, 0, 59), ["you_are_number", "number_1", "position_suffix", "less_than_a_minute"]),
        ((1, None, None), ["you_are_number", "number_1", "position_suffix"]),
        ((100, 6000, 9999), []),
        ((100, 60, 60), ["wait_about", "number_1", "minutes"]),
    ],
)
def test_what_a_waiting_caller_is_told(given: tuple[int, int | None, int | None], ids: list[str]) -> None:
    assert announcement(*given) == ids


def test_half_an_announcement_is_not_made() -> None:
    assert files("/p", "zh", ["a", "b"], lambda path: path.endswith("a.wav")) == ""
    assert files("/p", "yue", ["a", "b"], lambda _path: True) == "/p/yue/a&/p/yue/b"
    assert files("/p", "zh", [], lambda _path: True) == ""


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("13800138000", "138****8000"),
        ("02155551234", "021****1234"),
        ("110", "***"),
        ("", ""),
        ("12345", "1**45"),
        ("+8613800138000", "+86*******8000"),
    ],
)
def test_numbers_on_the_wall_are_masked(number: str, masked: str) -> None:
    assert mask(number) == masked


async def test_a_stream_that_lost_something_is_given_up_and_who_comes_back_begins_anew() -> None:
    hub, listener = Hub(lambda: 0), Listener()
    stream = hub.stream(StreamKey("machine:1", False))
    hub.join(stream.key, listener)
    stream.push("call.ringing", "{}")
    hub.give_up(stream, 4408, "the database does not keep up")
    assert listener.closed == (4408, "the database does not keep up")
    assert not hub.is_kept(stream)
    again = hub.stream(stream.key)
    assert again.missed(stream.epoch, 0) is None, "a snapshot, not the rest"


def test_a_tap_hears_its_agents_and_is_no_page() -> None:
    heard: list[tuple[str, str]] = []

    class Tap:
        def reaches(self, agent_id: str) -> bool:
            return agent_id == "1001"

        def hear(self, agent_id: str, event: str, data: object) -> None:
            heard.append((agent_id, event))

    hub, tap = Hub(lambda: 0), Tap()
    hub.tap(tap)
    hub.to_agent("1001", "call.ringing", {})
    hub.to_agent("1002", "call.ringing", {})
    hub.to_pages("1001", "notices.changed", {})
    assert heard == [("1001", "call.ringing")], "what is for pages alone is for no system of others"
    assert (hub.has_stream("1001"), hub.has_stream("1002"), hub.pages("1001")) == (True, False, 0)
    hub.untap(tap)
    hub.untap(tap)
    hub.to_agent("1001", "call.ringing", {})
    assert len(heard) == 1
