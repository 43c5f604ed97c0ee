"""The walk through the shipped menu: what each key, each silence and each look-up leads to."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr import flow as flow_module
from ivr.interpreter import Action, Ask, Facts, Fetch, Fetched, Finish, Input, Keys, Say, State, begin, step
from ivr.model import OUTCOMES, Next, Subject

FLOW = flow_module.shipped()
CHOICES = (
    "zh:choose_language", "zh:number_1", "yue:choose_language", "yue:number_2", "en:choose_language", "en:number_3",
)  # fmt: skip


def walk(*inputs: Input, facts: Facts | None = None) -> tuple[State, list[Action]]:
    """The state and actions after `inputs`; announcements that nobody asked about answer "none"."""
    state, actions = begin(FLOW, facts or Facts())
    for given_ in inputs:
        state, actions = step(FLOW, state, given_)
        if isinstance(actions[-1], Fetch) and actions[-1].of is Subject.ANNOUNCEMENTS:
            state, actions = step(FLOW, state, Fetched("none"))
    return state, actions


def pressed(keys: str, facts: Facts | None = None) -> tuple[State, list[Action]]:
    """As `walk`, one key per question; '.' is silence."""
    return walk(*(Keys("" if key == "." else key) for key in keys), facts=facts)


def outcome(actions: list[Action]) -> dict[str, str]:
    last = actions[-1]
    assert isinstance(last, Finish), last
    return dict(last.variables)


def asked(actions: list[Action]) -> tuple[str, ...]:
    last = actions[-1]
    assert isinstance(last, Ask), last
    return last.prompts


def test_a_caller_is_greeted_told_of_the_recording_and_asked_for_a_language() -> None:
    _, actions = pressed("")
    assert asked(actions) == ("greeting", "recording_notice", *CHOICES)


@pytest.mark.parametrize(
    ("keys", "language", "skills"), [("1.", "zh", ""), ("2.", "yue", "yue:1"), ("3.", "en", "en:1"), (".", "zh", "")]
)
def test_a_language_is_chosen_and_silence_reaches_a_person(keys: str, language: str, skills: str) -> None:
    _, actions = pressed(keys)
    variables = outcome(actions)
    assert variables["HOTLINE_NEXT"] == "queue"
    assert variables["HOTLINE_LANG"] == language
    assert variables["HOTLINE_SKILLS"] == skills
    assert variables["HOTLINE_PRIORITY"] == "0"


@pytest.mark.parametrize("keys", ["0", "10", "20", "30", "90", "120*", "9.", "11"])
def test_zero_reaches_a_person_from_everywhere(keys: str) -> None:
    _, actions = pressed(keys) if keys != "120*" else walk(Keys("1"), Keys("2"), Keys("*"))
    assert outcome(actions)["HOTLINE_NEXT"] == "queue"


def test_a_registered_elderly_caller_meets_no_menu() -> None:
    _, actions = pressed("", Facts(elderly=True))
    assert actions[0] == Say(("elderly_greeting", "recording_notice"), "zh")
    assert outcome(actions)["HOTLINE_NEXT"] == "queue"
    assert outcome(actions)["HOTLINE_PRIORITY"] == "10"


def test_an_elderly_caller_is_spoken_to_in_the_language_that_is_known() -> None:
    _, actions = pressed("", Facts(elderly=True, language="yue"))
    assert actions[0] == Say(("elderly_greeting", "recording_notice"), "yue")
    assert outcome(pressed("", Facts(elderly=True, language="tlh"))[1])["HOTLINE_LANG"] == "zh"


def test_announcements_of_a_surge_are_heard_before_the_menu() -> None:
    state, actions = begin(FLOW, Facts())
    state, actions = step(FLOW, state, Keys("1"))
    assert actions == [Fetch(Subject.ANNOUNCEMENTS, {}, (), "zh")]
    state, actions = step(FLOW, state, Fetched("some", ("/files/burst_main",)))
    assert asked(actions) == ("/files/burst_main", "main_menu")


def test_announcements_of_a_surge_are_heard_while_nobody_is_at_work_too() -> None:
    state, _ = begin(FLOW, Facts(open=False))
    state, _ = step(FLOW, state, Keys("1"))
    _, actions = step(FLOW, state, Fetched("some", ("/files/burst_main",)))
    assert asked(actions) == ("/files/burst_main", "closed_notice", "closed_menu")


def test_three_wrong_keys_lead_to_a_person() -> None:
    _, actions = pressed("17")
    assert asked(actions) == ("wrong_key", "main_menu")
    _, actions = pressed("177")
    assert asked(actions) == ("wrong_key", "main_menu")
    _, actions = pressed("1777")
    assert outcome(actions)["HOTLINE_NEXT"] == "queue"


def test_outside_the_hours_the_caller_is_told_and_may_leave_a_message() -> None:
    closed = Facts(open=False)
    _, actions = pressed("1", closed)
    assert asked(actions) == ("closed_notice", "closed_menu")
    for keys in ("1.", "11", "10", "1777", ".."):
        assert outcome(pressed(keys, closed)[1])["HOTLINE_NEXT"] == "voicemail", keys
    assert outcome(pressed("13", closed)[1])["HOTLINE_NEXT"] == "callback"
    assert asked(pressed("", Facts(open=False, elderly=True))[1]) == ("closed_notice", "closed_menu")


@pytest.mark.parametrize("number", ["110", "119", "120", "122"])
@pytest.mark.parametrize("open_", [True, False])
def test_an_emergency_number_is_confirmed_and_transferred(number: str, open_: bool) -> None:
    _, actions = pressed(f"9{number}", Facts(open=open_))
    assert asked(actions) == (f"emergency_confirm_{number}",)
    _, actions = pressed(f"9{number}1", Facts(open=open_))
    variables = outcome(actions)
    assert (variables["HOTLINE_NEXT"], variables["HOTLINE_TRANSFER_TO"]) == ("transfer", number)
    assert "HOTLINE_WARN" not in variables


@pytest.mark.parametrize("keys", ["90", "9.", "91100", "9110.", "9555", "9110777", "19."])
def test_an_unclear_emergency_reaches_a_person_first_with_a_warning(keys: str) -> None:
    _, actions = pressed(keys)
    variables = outcome(actions)
    assert variables["HOTLINE_NEXT"] == "queue"
    assert variables["HOTLINE_PRIORITY"] == "100"
    assert variables["HOTLINE_WARN"] == "1"


def test_an_unclear_emergency_at_night_is_told_whom_to_dial() -> None:
    _, actions = pressed("9.", Facts(open=False))
    assert actions[0] == Say(("emergency_closed",), "zh")
    assert outcome(actions)["HOTLINE_NEXT"] == "voicemail"


def test_an_emergency_number_that_is_broken_off_is_asked_again() -> None:
    _, actions = pressed("911")
    assert isinstance(actions[-1], Ask)
    assert actions[-1].prompts == ()
    _, actions = pressed("911.")
    assert asked(actions) == ("wrong_key", "emergency_menu")
    _, actions = pressed("9113")
    assert asked(actions) == ("wrong_key", "emergency_menu")


def test_progress_of_a_case_is_fetched_and_told() -> None:
    _, actions = walk(Keys("1"), Keys("2"), Keys("20261124000123", ended=True))
    assert actions == [
        Fetch(Subject.CASE_PROGRESS, {"code": "", "case_number": "20261124000123"}, ("please_wait",), "zh")
    ]
    _, actions = walk(Keys("1"), Keys("2"), Keys("20261124000123", True), Fetched("found", ("case_is", "digit_2")))
    assert asked(actions) == ("case_is", "digit_2", "progress_menu")
    _, actions = walk(Keys("1"), Keys("2"), Keys("20261124000123", True), Fetched("not_found"))
    assert asked(actions)[0] == "case_not_found"
    _, actions = walk(Keys("1"), Keys("2"), Keys("20261124000123", True), Fetched(""))
    assert asked(actions) == ("progress_unavailable",)


@pytest.mark.parametrize("typed", ["2026", "202611240001234", "2026112400012٣"])
def test_a_number_of_the_wrong_length_is_asked_again(typed: str) -> None:
    _, actions = walk(Keys("1"), Keys("2"), Keys(typed, True))
    assert asked(actions) == ("case_number_wrong", "case_number_ask")


def test_a_lone_hash_is_a_wrong_number_not_silence() -> None:
    _, actions = walk(Keys("1"), Keys("2"), Keys("", True))
    assert asked(actions) == ("case_number_wrong", "case_number_ask")
    _, actions = walk(Keys("1"), Keys("2"), Keys("", False))
    assert outcome(actions)["HOTLINE_NEXT"] == "queue"


def test_the_path_names_what_the_caller_went_through() -> None:
    _, actions = pressed("20")
    assert outcome(actions)["HOTLINE_PATH"] == "welcome>announcements>main>queue"


def test_a_walk_that_is_over_takes_nothing_more() -> None:
    state, _ = pressed("0")
    with pytest.raises(ValueError, match="over"):
        step(FLOW, state, Keys("1"))


def test_the_wrong_kind_of_input_is_refused_loudly() -> None:
    state, _ = pressed("")
    with pytest.raises(ValueError, match="can't use"):
        step(FLOW, state, Fetched("found"))


KEYS = st.text("0123456789*#", max_size=15)
ANSWERS = st.one_of(
    st.builds(Keys, st.sampled_from(["", *"0123456789*#"])),
    st.builds(Keys, KEYS, st.booleans()),
)
OUTCOME = st.sampled_from(["", "nonsense", *(outcome_ for known in OUTCOMES.values() for outcome_ in known)])


@settings(max_examples=300, deadline=None)
@given(st.builds(Facts, st.booleans(), st.booleans(), st.sampled_from([None, "zh", "yue", "en", "xx"])), st.data())
def test_whatever_is_pressed_every_call_ends_and_is_handed_on(facts: Facts, data: st.DataObject) -> None:
    state, actions = begin(FLOW, facts)
    for _ in range(FLOW.patience + 2):
        last = actions[-1]
        if isinstance(last, Finish):
            break
        assert all(isinstance(action, Say) for action in actions[:-1])
        if isinstance(last, Fetch):
            state, actions = step(FLOW, state, Fetched(data.draw(OUTCOME)))
        else:
            assert isinstance(last, Ask)
            state, actions = step(FLOW, state, data.draw(ANSWERS))
    variables = outcome(actions)
    assert variables["HOTLINE_NEXT"] in {str(next_) for next_ in Next}
    assert (variables["HOTLINE_NEXT"] == "transfer") == ("HOTLINE_TRANSFER_TO" in variables)
    assert len(variables["HOTLINE_PATH"]) <= 255
    if not facts.open:
        assert variables["HOTLINE_NEXT"] != "queue"


def test_a_caller_who_never_tires_is_handed_to_a_person() -> None:
    state, actions = begin(FLOW, Facts())
    for count in range(1, FLOW.patience + 1):
        last = actions[-1]
        if isinstance(last, Fetch):
            state, actions = step(FLOW, state, Fetched("not_found" if last.of is Subject.CASE_PROGRESS else "none"))
        else:
            key = {"welcome": Keys("1"), "main": Keys("2"), "case_number": Keys("1" * 14, True)}
            state, actions = step(FLOW, state, key.get(state.node or "", Keys("2")))
        if count < FLOW.patience:
            assert not state.ended
    assert outcome(actions)["HOTLINE_NEXT"] == "queue"
