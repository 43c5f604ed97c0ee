"""The journal: one line each, and the way back to the same bytes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd import journal
from acd.model import (
    AgentNotReady,
    AgentRestored,
    AgentSignedIn,
    AgentState,
    CallJoined,
    CallLeft,
    CancelOffer,
    EngineConfig,
    FailCause,
    NextState,
    Offer,
    OfferFailed,
    Overflow,
    OverflowTo,
    QueueConfig,
    QueueConfigured,
    Reason,
    ReasonCode,
    Refused,
    Tick,
    Why,
)
from tests.acd_kit.lab import T0, Lab, patient


def a_day() -> Lab:
    """A little of everything."""
    lab = Lab(EngineConfig(queues=(patient(overflow_wait_s=100, overflow_length=4), patient("enterprise"))))
    lab.sign_in("1001", zh=5)
    lab.join("c1", skills={"zh": 2}, caller="13912345678", attempt=1)
    lab.fail("c1", FailCause.NO_ANSWER)
    lab.sign_in("1002", zh=3)
    lab.answer("c1")
    for number in range(2, 9):
        lab.join(f"c{number}")
        lab.wait(5)
    lab.do(NextState("1002", AgentState.NOT_READY, "小休"))
    lab.end_talk("c1")
    lab.do(CallLeft("c1", "hangup"), CallLeft("c99"), QueueConfigured(patient("new", priority=2)))
    now = lab.now
    lab.do(AgentRestored("1003", {"zh": 1}, ("general",), AgentState.WRAP_UP, now, now, now + 5_000))
    lab.wait(120)
    return lab


def test_a_journal_replays_to_the_same_bytes():
    lab = a_day()
    assert len(lab.seen) > 40
    assert journal.verify(lab.lines) is None
    assert journal.replay(lab.lines) == lab.seen
    only_events = [line for line in lab.lines if '"d":' not in line]
    assert journal.replay(only_events) == lab.seen


def test_every_line_is_one_line_of_json_and_decodes_to_what_was_encoded():
    lab = a_day()
    for line in lab.lines:
        assert "\n" not in line
        assert json.loads(line)["t"] >= T0
    for decision in lab.seen:
        now_ms, again = journal.decode(journal.encode(decision, 5))
        assert (now_ms, again) == (5, decision)


@pytest.mark.parametrize(
    "item",
    [
        CallJoined("c1", "general", 5, -1, {"zh": 5}, "yue", "", 3),
        AgentSignedIn("1001", {"en": 1}, ("a", "b"), True),
        AgentNotReady("1001", "用餐", "2001"),
        OfferFailed("c1", "1001", "o1", FailCause.DESKTOP_SILENT),
        NextState("1001", AgentState.SIGNED_OUT),
        QueueConfigured(QueueConfig("q", overflow_to=OverflowTo.CALLBACK, overflow_wait_s=None)),
        Offer("o1", "c1", "1001", 9, Reason(ReasonCode.LONGEST_IDLE, {"idle_s": 4, "skills": "zh:5"})),
        CancelOffer("o1", "c1", "1001", Reason(ReasonCode.PHONE_LOST), recall=False),
        Overflow("c1", OverflowTo.VOICEMAIL, Reason(ReasonCode.QUEUE_FULL)),
        Refused("CallLeft", Why.BAD_VALUE),
        Tick(),
    ],
    ids=lambda item: type(item).__name__,
)
def test_events_and_decisions_come_back_equal(item):
    assert journal.decode(journal.encode(item, 1)) == (1, item)


@given(st.text(max_size=200), st.text(max_size=80), st.integers())
def test_no_text_breaks_a_line(call_id, reason, number):
    line = journal.encode(CallLeft(call_id, reason), number)
    assert "\n" not in line
    assert "\r" not in line
    line.encode()
    journal.decode(line)


def test_a_journal_of_the_first_release_replays_to_the_same_bytes():
    old = (Path(__file__).parents[1] / "acd_kit" / "journal_v1.jsonl").read_text().splitlines()
    assert sum('"v":' in line for line in old) == 0
    assert len(old) > 1_500
    assert journal.verify(old) is None


def test_a_field_of_a_later_version_is_passed_over():
    line = journal.encode(CallJoined("c1", attempt=2), 5).replace("}", ',"mood":"calm"}')
    assert journal.decode(line) == (5, CallJoined("c1", attempt=2))
    header = journal.header(EngineConfig(), 0, 5).replace('"c":{', '"c":{"colour":"red"')
    assert journal.decode(header) == (5, (EngineConfig(), 0))


def test_a_telephone_number_given_as_caller_key_is_not_written_and_counts_as_none():
    lab = Lab()
    lab.do(CallJoined("c1", caller_key="+86 139-1234-5678"), CallJoined("c2", caller_key="k7f2"))
    assert not any("1234" in line for line in lab.lines)
    assert [bool(lab.engine._floor.calls[call_id].caller_key) for call_id in ("c1", "c2")] == [False, True]
    assert journal.verify(lab.lines) is None


def test_a_callers_number_is_not_in_the_journal():
    assert "13912345678" not in "".join(a_day().lines)


def test_a_tampered_decision_is_found():
    lab = a_day()
    at = next(number for number, line in enumerate(lab.lines) if '"d":"Offer"' in line)
    lab.lines[at] = lab.lines[at].replace('"agent_id":"1001"', '"agent_id":"1002"')
    difference = journal.verify(lab.lines)
    assert difference is not None
    assert "1002" in difference


def test_a_last_line_torn_by_a_crash_is_passed_over():
    lab = a_day()
    torn = [*lab.lines, journal.encode(CallLeft("c7"), lab.now)[:17]]
    assert journal.replay(torn) == lab.seen
    assert journal.verify(torn) is None


def test_decisions_not_written_before_a_crash_are_forgiven_at_the_end_only():
    lab = a_day()
    cut = max(number for number, line in enumerate(lab.lines) if '"d":' in line)
    assert journal.verify(lab.lines[:cut]) is None
    middle = next(number for number, line in enumerate(lab.lines) if '"d":' in line)
    assert journal.verify(lab.lines[:middle] + lab.lines[middle + 1 :]) is not None


def test_a_journal_may_hold_several_lives_with_a_torn_line_between():
    first, second = a_day(), a_day()
    both = [*first.lines, '{"t":17', *second.lines]
    assert journal.replay(both) == first.seen + second.seen
    assert journal.verify(both) is None


def test_a_journal_broken_inside_says_where():
    lab = a_day()
    lab.lines[10] = "not json"
    with pytest.raises(journal.JournalError, match="line 11"):
        journal.replay(lab.lines)


@pytest.mark.parametrize(
    "line",
    ["", "{}", "[]", "7", '{"t":1}', '{"t":1,"e":"Nothing"}', '{"t":1,"e":"CallLeft"}', '{"t":1,"d":"Offer","x":1}'],
)
def test_what_is_no_journal_line_raises_journal_error(line):
    with pytest.raises(journal.JournalError):
        journal.decode(line)


def test_events_before_any_header_are_refused():
    with pytest.raises(journal.JournalError, match="header"):
        journal.replay([journal.encode(Tick(), 1)])


def test_the_configuration_is_part_of_the_journal():
    config = EngineConfig(queues=(QueueConfig("a", overflow_to=OverflowTo.CALLBACK), patient("b")), wrapup_s=7)
    assert journal.decode(journal.header(config, 3, 9)) == (9, (config, 3))
