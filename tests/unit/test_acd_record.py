"""Events and decisions: cheap to make, and still what a frozen dataclass is."""

from __future__ import annotations

import pickle
from dataclasses import fields, replace
from typing import get_args

import pytest

from acd.model import AgentStateChanged, CallLeft, Decision, Event, Reason, ReasonCode, TalkEnded, Unknown
from acd.states import AgentState

KINDS = [*get_args(Event), *get_args(Decision), Reason, Unknown]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_an_event_or_decision_takes_no_field_it_does_not_know(kind):
    assert set(kind.__slots__) == {field.name for field in fields(kind)}
    assert "__dict__" not in dir(kind)


def test_two_that_say_the_same_are_equal_and_hash_the_same():
    assert CallLeft("c1", "hangup") == CallLeft("c1", "hangup")
    assert len({TalkEnded("c1", "1001"), TalkEnded("c1", "1001"), TalkEnded("c1", "1002")}) == 2
    assert CallLeft("c1") != CallLeft("c2")


def test_one_can_be_kept_and_changed_into_another():
    shown = AgentStateChanged("1001", AgentState.READY, 5, Reason(ReasonCode.SIGNED_IN))
    assert pickle.loads(pickle.dumps(shown)) == shown
    assert replace(shown, in_use=True) == AgentStateChanged("1001", AgentState.READY, 5, shown.reason, in_use=True)
    assert not shown.in_use
