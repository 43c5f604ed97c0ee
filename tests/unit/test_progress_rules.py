"""What citizens see of their case, by its rules: the code, the steps, and words for everything there is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.cases.model import Ground
from app.cases.states import CaseAct, CaseState
from app.cases.words import SPOKEN
from app.progress.model import STEPS, Line, Step, Withheld, code_of, steps_of, typed_code

NOON = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
TEXTS = Path(__file__).resolve().parents[2] / "app/frontend/src/i18n"


def lines(*acts: str) -> list[Line]:
    """Acts that moved the case, an hour apart; one with a dot before it moved nothing."""
    return [Line(act.lstrip("."), NOON + timedelta(hours=at), act[0] != ".") for at, act in enumerate(acts)]


def test_a_code_is_eight_digits_that_only_the_key_and_the_number_make():
    numbers = [f"20261124-{at:06d}" for at in range(1, 500)]
    codes = [code_of("key", number) for number in numbers]
    assert all(len(code) == 8 and code.isdigit() for code in codes)
    assert len(set(codes)) > 495
    assert codes == [code_of("key", number) for number in numbers]
    assert codes != [code_of("another", number) for number in numbers]


@pytest.mark.parametrize("typed", ["12345678", " 1234 5678 ", "1234-5678", "１２３４５６７８"])
def test_a_code_is_read_however_it_is_grouped(typed: str):
    assert typed_code(typed) == "12345678"


@pytest.mark.parametrize("typed", ["", "1234567", "123456789", "abcdefgh", "١٢٣٤٥٦٧٨"])
def test_what_is_no_code(typed: str):
    assert typed_code(typed) is None


def test_a_citizen_reads_the_steps_and_nothing_of_the_offices_own_affairs():
    told = steps_of(
        lines("opened", ".edited", "registered", "submitted", "dispatched", ".unit.signed", "signed", "started",
              ".dispatched", "replied", "review_begun", "accepted", ".followed_up", "closed", "archived")
    )  # fmt: skip
    assert [one.step for one in told] == [
        Step.registered, Step.dispatched, Step.accepted, Step.handling, Step.answered, Step.follow_up, Step.closed,
    ]  # fmt: skip
    assert told[0].at == NOON + timedelta(hours=2)


def test_what_was_taken_back_has_not_been():
    told = steps_of(lines("registered", "submitted", "dispatched", "taken_back", "dispatched"))
    assert [(one.step, one.at.hour) for one in told] == [(Step.registered, 4), (Step.dispatched, 8)]
    assert steps_of(lines("taken_back")) == []


def test_every_state_step_and_reason_has_its_words_in_both_languages():
    wanted = {f"'progress.{group}.{word}'" for group in ("state", "now") for word in set(SPOKEN.values())}
    wanted |= {f"'progress.step.{step}'" for step in Step} | {f"'progress.why.{why}'" for why in Withheld}
    wanted |= {f"'ground.{ground}'" for ground in Ground}
    for language in ("zh", "en"):
        said = "".join((TEXTS / language / name).read_text(encoding="utf-8") for name in ("progress.ts", "loop.ts"))
        assert {key for key in wanted if key not in said} == set(), language


def test_every_case_state_has_a_word_and_every_step_an_act():
    assert set(SPOKEN) == set(CaseState)
    assert set(STEPS.values()) == set(Step)
    assert set(STEPS) < set(CaseAct)
