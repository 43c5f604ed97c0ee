"""The editor of the voice menu: a node is changed in its place, anything has a picture, and faults have their line."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.errors import BadInput
from app.flows import checking
from app.flows.checking import check
from app.flows.editing import with_node, written
from app.flows.model import MOST_SHOWN, changes, outline
from app.flows.service import drawn
from ivr import catalogue, marked_yaml
from ivr import flow as flow_module
from ivr.model import Flow, exits
from tests.unit.agi_world import speaking_home

WORDS = catalogue.shipped()
SHIPPED = flow_module.SHIPPED.read_text(encoding="utf-8")
BODIES = yaml.load(SHIPPED, Loader=yaml.BaseLoader)["nodes"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return speaking_home(tmp_path_factory.mktemp("home"))


def body(name: str, **more: Any) -> dict[str, Any]:
    """A node of the shipped flow as JSON gives it, with other fields."""
    [found] = [one for one in drawn(SHIPPED).nodes if one.id == name]
    return {**found.body, **more}


def anywhere(flow: Flow) -> Flow:
    """The flow, wherever its nodes stand."""
    return replace(flow, nodes={name: replace(node, place=(1, 1)) for name, node in flow.nodes.items()})


def codes(text: str, home: Path | None = None) -> set[str]:
    return {one.code for one in check(text, WORDS, home).faults}


def test_nodes_of_each_kind_that_are_written_anew_mean_what_they_meant_and_no_comment_is_lost() -> None:
    text = SHIPPED
    for name in ("caller", "welcome", "case_number", "case", "unit", "to_110"):
        text = with_node(text, name, body(name))
    assert text != SHIPPED
    assert anywhere(flow_module.read(text)) == anywhere(flow_module.shipped())
    assert re.findall(r"#.*", text) == re.findall(r"#.*", SHIPPED)


def test_a_node_is_changed_in_its_place_and_the_rest_stays_as_it_was_written() -> None:
    text = with_node(SHIPPED, "case_told", body("case_told", timeout_s=4.5, say=["progress_menu", "pause"]))
    before, after = SHIPPED.splitlines(), text.splitlines()
    at = before.index("  case_told:")
    assert after[: at + 1] == before[: at + 1]
    assert [line for line in after if line not in before] == ["    say: [progress_menu, pause]", "    timeout_s: 4.5"]
    assert flow_module.read(text).nodes["case_told"].timeout_ms == 4500  # type: ignore[union-attr]
    assert changes(drawn(SHIPPED), drawn(text)).as_json() == {
        "added": [], "removed": [], "changed": ["case_told"], "frame": []
    }  # fmt: skip


def test_a_node_is_added_behind_the_last_and_taken_out_again() -> None:
    new = {"kind": "end", "next": "transfer", "transfer_to": "110", "about": '他说: "yes"\n#1', "later": None}
    text = with_node(SHIPPED, "police", new)
    assert text.startswith(SHIPPED.rstrip("\n"))
    assert text.endswith("\n")
    assert yaml.safe_load(text)["nodes"]["police"] == {k: v for k, v in new.items() if v is not None}
    assert {(one.node, one.code) for one in check(text, WORDS).faults} == {("police", "unreachable")}
    gone = with_node(text, "police", None)
    assert gone == SHIPPED
    assert with_node(gone, "police", None) == gone
    middle = with_node(SHIPPED, "confirm_110", None)
    assert re.findall(r"#.*", middle) == re.findall(r"#.*", SHIPPED)
    assert "confirm_110" not in yaml.safe_load(middle)["nodes"]
    assert yaml.safe_load(middle)["nodes"].keys() | {"confirm_110"} == yaml.safe_load(SHIPPED)["nodes"].keys()


def test_comments_within_a_node_and_blocks_of_text_outlive_its_change() -> None:
    text = (
        "nodes:\n    a: # first\n        kind: end\n        # why\n        about: |\n          two\n          lines\n\n"
    )
    text += "    b: {kind: end}\n"
    changed = with_node(text, "a", {"kind": "end", "next": "queue"})
    assert changed == "nodes:\n    # why\n    a:\n      kind: end\n      next: queue\n\n    b: {kind: end}\n"
    assert with_node(text, "b", None) == text[: text.index("\n    b:")]


@pytest.mark.parametrize(
    ("text", "name", "new", "field"),
    [
        ("nodes: [", "a", {}, "text"),
        ("nodes: {a: {kind: end}}", "a", {}, "text"),
        ("other: 1", "a", {}, "text"),
        ("nodes:\n  a: {kind: end}\n", "a", None, "id"),
        ("nodes:\n  a: {kind: end}\n", "B c", {}, "id"),
        ("nodes:\n  a: {kind: end}\n", "b", {"x": [[[[[[1]]]]]]}, "body"),
    ],
)
def test_what_cannot_be_changed_so_is_refused(text: str, name: str, new: dict[str, Any] | None, field: str) -> None:
    with pytest.raises(BadInput) as caught:
        with_node(text, name, new)
    assert set(caught.value.fields) == {field}


@pytest.mark.parametrize("value", ["yes", "null", "1", "1.5", " x", "a: b", "# a", "*", "", "中文", "2026-11-24", "!x"])
def test_texts_that_look_like_something_else_stay_texts(value: str) -> None:
    said = written("a", {"about": value, "keys": {value: value}})
    assert yaml.safe_load(said)["a"]["about"] == value
    assert marked_yaml.parse(said, Path("x"))[0].value["a"]["keys"] == {value: value}


def test_a_picture_is_drawn_of_anything_that_is_yaml() -> None:
    text = (
        "start: a\nnodes:\n  a: {kind: menu, say: [x, 1], keys: {1: b, 2: [c]}, silence: gone}\n  b: 7\n"
        "  c: {kind: [menu], next: a}\n  d: {kind: lookup, outcomes: {found: a}, otherwise: .nan}\n"
        "  e: {kind: end, about: 2026-11-24}\n"
    )
    drawn_ = outline(marked_yaml.parse(text, Path("x"))[0])
    assert [(one.id, one.line, one.kind) for one in drawn_.nodes] == [
        ("a", 3, "menu"), ("b", 4, ""), ("c", 5, ""), ("d", 6, "lookup"), ("e", 7, "end")
    ]  # fmt: skip
    assert [(way.why, way.to) for way in drawn_.nodes[0].exits] == [("key 1", "b"), ("silence", "gone")]
    assert [(way.why, way.to) for way in drawn_.nodes[3].exits] == [("outcome found", "a")]
    assert (drawn_.nodes[0].say, drawn_.nodes[3].body["otherwise"], drawn_.nodes[4].body["about"]) == (
        ("x", "1"), "nan", "2026-11-24"
    )  # fmt: skip
    for other in ("7", "[a]", "nodes: [a]", "nodes:", "a: b"):
        assert outline(marked_yaml.parse(other, Path("x"))[0]).nodes == ()
    many = "nodes:\n" + "".join(f"  n{n}: {{kind: end}}\n" for n in range(MOST_SHOWN + 5))
    assert len(outline(marked_yaml.parse(many, Path("x"))[0]).nodes) == MOST_SHOWN


def test_every_exit_of_the_shipped_flow_is_in_its_picture() -> None:
    picture = {one.id: {way.to for way in one.exits} for one in drawn(SHIPPED).nodes}
    for name, node in flow_module.shipped().nodes.items():
        if name in picture:
            own = {to for _, to in exits(node)} - {"person"}
            assert own - {to for to in own if to.startswith("welcome_")} <= picture[name], name


@pytest.mark.parametrize(
    "text",
    [
        "", "[" * 5000, "{a: " * 5000, "\x00", "a: \ud800", 'a: "\\ud800"', '"\\udfff": 1', "a: !!python/object:x {}",
        "a: 2026-13-45", "a: &x [*x, *x]", "- &a [1,1,1,1,1,1,1,1,1]\n" + "".join(
            f"- &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(9)
        ), "a: b\n---\nc: d", "\t", "? [a]\n: b", "a: 1:99999999:1", "9" * 5000, "nodes: {a: {kind: menu}}",
        "%YAML 9.9",
        "flow: x\nlanguages: [zh]\nstart: a\nperson: a\nnodes: {a: {kind: branch, on: open, 'yes': a, 'no': a}}",
    ],
)  # fmt: skip
def test_hostile_text_is_a_fault_with_a_line_and_nothing_else(text: str) -> None:
    started = time.monotonic()
    seen = check(text, WORDS)
    assert seen.faults
    assert all(one.line >= 1 and one.zh and one.en for one in seen.faults)
    assert time.monotonic() - started < 5
    drawn(text)


def test_a_menu_of_many_lookups_is_verified_in_no_time() -> None:
    """Each asks twice for the next one: two ways each, and no way is walked twice."""
    more = "".join(
        f"\n  l{n}:\n    kind: lookup\n    of: call_rating\n    outcomes: {{kept: l{n + 1}, none: l{n + 1}}}\n"
        f"    otherwise: l{n + 1}\n"
        for n in range(60)
    )
    text = SHIPPED.replace("{kept: call_rate_after, none: call_rate_after}", "{kept: l0, none: l0}") + more
    text += "\n  l60: {kind: menu, say: [main_menu], keys: {0: person, 1: call_rate_after}, silence: person}\n"
    started = time.monotonic()
    assert codes(text) == set()
    assert time.monotonic() - started < 10


def test_faults_name_their_line_and_node_and_are_told_in_both_languages(home: Path) -> None:
    assert check(SHIPPED, WORDS, home).faults == ()
    text = SHIPPED.replace("say: [main_menu]", "say: [main_menu, no_such]").replace(
        "silence: unclear", "silence: to_110", 1
    )
    lines = text.splitlines()
    for one in check(text, WORDS).faults:
        assert lines[one.line - 1].strip().startswith(f"{one.node}:")
        assert re.search("[\u4e00-\u9fff]", one.zh)
        assert not re.search("[\u4e00-\u9fff]", one.en)
    assert codes(text) == {"missing-prompt", "silence"}
    dangling = check(SHIPPED.replace("3: voicemail, 4: answers", "3: nowhere, 4: answers", 1), WORDS)
    assert [(one.node, one.code) for one in dangling.faults] == [("main", "form")]
    assert "没有节点“nowhere”" in dangling.faults[0].zh
    assert dangling.outline is not None, "there is a picture of what has faults"
    for wrong in ("kind: menu", "timeout_s: 99", "digits: [a, b]", "kind: x"):
        seen = check(SHIPPED.replace("timeout_s: 3", wrong, 1), WORDS)
        assert all(re.search("[\u4e00-\u9fff]", one.zh) for one in seen.faults), seen.faults
        assert seen.faults, wrong


def test_a_sentence_that_nobody_has_spoken_keeps_a_menu_from_being_published(home: Path, tmp_path: Path) -> None:
    half = speaking_home(tmp_path)
    (half / "prompts/yue/main_menu.wav").unlink()
    (half / "prompts/en/greeting.wav").unlink()
    (half / "prompts/en/greeting.wav").write_bytes(b"x" * checking.HEADER_BYTES)
    found = [(one.node, one.code) for one in check(SHIPPED, WORDS, half).faults]
    assert found == [("welcome", "no-sound"), ("main", "no-sound")]
    assert "hotline prompts build" in check(SHIPPED, WORDS, half).faults[0].zh


def test_how_two_menus_differ_is_told_by_nodes_and_what_stands_beside_them() -> None:
    after = with_node(SHIPPED.replace("patience: 40", "patience: 30").replace("tries: 3\n", ""), "bye", {"kind": "end"})
    after = with_node(with_node(after, "after_sms", None), "closed", body("closed", silence="person"))
    told = changes(drawn(SHIPPED), drawn(after)).as_json()
    assert told == {"added": ["bye"], "removed": ["after_sms"], "changed": ["closed"], "frame": ["patience", "tries"]}
    assert changes(drawn(SHIPPED), drawn(SHIPPED)).as_json() == {name: [] for name in told}
