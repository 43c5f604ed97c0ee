"""No decision of the queue engine falls through the bridge: the table is complete, and holds nothing else."""

from __future__ import annotations

from typing import get_args

import pytest

from acd import decisions
from acd.model import Decision
from cti_bridge.deciding import Deciding


@pytest.mark.parametrize("kind", get_args(Decision), ids=lambda kind: kind.__name__)
def test_every_decision_of_the_engine_has_a_handler(kind: type) -> None:
    assert kind in Deciding._DECISIONS


def test_the_table_holds_nothing_that_the_engine_never_decides() -> None:
    assert set(Deciding._DECISIONS) == set(get_args(Decision))


def test_no_decision_is_defined_that_the_engine_does_not_name_among_its_decisions() -> None:
    defined = {one for one in vars(decisions).values() if isinstance(one, type) and one.__module__ == "acd.decisions"}
    assert defined == set(get_args(Decision))


def test_a_decision_that_nobody_has_heard_of_is_an_error_not_silence() -> None:
    deciding = object.__new__(Deciding)
    with pytest.raises(KeyError):
        deciding.decide(object())  # type: ignore[arg-type]
