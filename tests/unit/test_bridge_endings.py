"""The dialplan's note of a call's end: read as input, whatever it holds."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from cti_bridge import endings
from cti_bridge.model import Phase

CALL = "hotline1-1795484407.7"
NOTE = {
    "call": CALL, "number": "13800138000", "line": "12345", "lang": "yue", "queue": "general", "path": "welcome>person",
    "phase": "hold", "agent": "", "failsafe": "", "started": "1795484407000", "joined": "1795484410000",
    "answered": "", "ended": "1795484470000", "cause": "16",
}  # fmt: skip


def note(spool: Path, name: str = CALL, **changed: object) -> dict[str, endings.Ending]:
    """What is read when this note lies in the spool."""
    (spool / f"{name}.json").write_text(json.dumps({**NOTE, **changed}))
    return endings.read(spool)


def test_a_note_says_what_became_of_the_call(tmp_path: Path) -> None:
    assert note(tmp_path)[CALL].facts() == {
        "number": "13800138000", "name": "", "line": "12345", "language": "yue", "path": "welcome>person",
        "queue": "general", "skills": {}, "priority": 0, "direction": "in", "started_at": 1795484407000,
        "joined_at": 1795484410000, "ended_at": 1795484470000, "outcome": "abandoned", "cause": "16",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({"phase": "menu", "joined": ""}, "self_service"),
        ({"phase": "voicemail"}, "voicemail"),
        ({"phase": "fax", "joined": ""}, "fax"),
        ({"phase": "failsafe", "failsafe": "acd-stale"}, "failsafe"),
        ({"phase": "survey", "answered": "1795484420000", "agent": "1001"}, "answered"),
        ({"phase": "transfer", "answered": "1795484420000", "agent": "1001"}, "transferred"),
        ({"phase": "nonsense", "joined": ""}, "self_service"),
    ],
)
def test_the_outcome_follows_from_what_the_call_was_doing_last(
    tmp_path: Path, changed: dict[str, str], outcome: str
) -> None:
    assert note(tmp_path, **changed)[CALL].facts()["outcome"] == outcome


@pytest.mark.parametrize(
    "changed",
    [
        {"call": "other-1.1"},
        {"started": ""},
        {"started": "9" * 40},
        {"ended": "1"},
        {"started": None},
        {"ended": 1795484470000},
    ],
)
def test_a_note_that_contradicts_itself_is_left_lying(tmp_path: Path, changed: dict[str, object]) -> None:
    assert note(tmp_path, **changed) == {}
    assert (tmp_path / f"{CALL}.json").exists()


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"call":', "[" * 5000, "\x00\xff", "x" * 100_000])
def test_a_torn_note_does_not_keep_the_others_from_being_read(tmp_path: Path, text: str) -> None:
    (tmp_path / "hotline1-1.1.json").write_text(text, encoding="latin-1")
    assert set(note(tmp_path)) == {CALL}


def test_a_note_that_could_not_be_read_for_a_day_is_removed(tmp_path: Path) -> None:
    torn, old = tmp_path / "hotline1-1.1.json", tmp_path / "hotline1-1.2.json"
    for path in (torn, old):
        path.write_text('{"call":')
    os.utime(old, (0, time.time() - 25 * 3600))
    assert set(note(tmp_path)) == {CALL}
    assert torn.exists()
    assert not old.exists()


@pytest.mark.parametrize("name", ["..", ".-.", "a b", "x;y"])
def test_a_file_whose_name_is_no_call_id_is_no_note(tmp_path: Path, name: str) -> None:
    assert note(tmp_path, name, call=name) == {}


def test_what_does_not_look_like_the_dialplans_values_is_dropped(tmp_path: Path) -> None:
    ending = note(tmp_path, number="138<script>", path="a\nb", agent="' or 1=1", lang={"a": 1}, phase="hold")[CALL]
    assert (ending.call.number, ending.call.path, ending.call.agent_id, ending.call.language) == ("", "", "", "zh")
    assert ending.phase is Phase.hold


def test_a_note_is_removed_by_its_call_id_and_nothing_else_is(tmp_path: Path) -> None:
    note(tmp_path)
    (tmp_path.parent / "x.json").touch()
    endings.remove(tmp_path, "../x")
    assert (tmp_path.parent / "x.json").exists()
    endings.remove(tmp_path, CALL)
    endings.remove(tmp_path, CALL)
    assert not list(tmp_path.iterdir())
