"""Voice menus as files: what is wrong in one is said with its line and column."""

from __future__ import annotations

from pathlib import Path

import pytest

from ivr import flow as flow_module
from ivr.flow import FlowError
from ivr.model import End, Menu, Next

SMALL = """\
flow: small
languages: [zh]
start: welcome
person: person
nodes:
  welcome:
    kind: menu
    say: [greeting]
    keys: {1: person}
    silence: person
  person:
    kind: end
    next: queue
"""


def load(tmp_path: Path, text: str) -> flow_module.Flow:
    path = tmp_path / "flow.yaml"
    path.write_text(text, encoding="utf-8")
    return flow_module.load(path)


def faults(tmp_path: Path, text: str) -> list[tuple[int, int, str]]:
    with pytest.raises(FlowError) as caught:
        load(tmp_path, text)
    assert "flow.yaml: line " in str(caught.value)
    return [(problem.line, problem.column, problem.text) for problem in caught.value.problems]


def test_a_flow_is_read(tmp_path: Path) -> None:
    flow = load(tmp_path, SMALL)
    welcome, person = flow.nodes["welcome"], flow.nodes["person"]
    assert isinstance(welcome, Menu)
    assert welcome.keys == {"1": "person"}
    assert welcome.exhausted == "person"
    assert isinstance(person, End)
    assert person.next is Next.QUEUE


def test_the_shipped_flow_is_read() -> None:
    assert flow_module.shipped().languages == ("zh", "yue", "en")


def test_keys_written_without_quotes_are_the_keys_that_were_meant(tmp_path: Path) -> None:
    flow = load(tmp_path, SMALL.replace("{1: person}", "{010: person, 119: person, 9: person, '*': person}"))
    welcome = flow.nodes["welcome"]
    assert isinstance(welcome, Menu)
    assert set(welcome.keys) == {"010", "119", "9", "*"}


def test_a_target_that_does_not_exist_is_named_where_it_stands(tmp_path: Path) -> None:
    assert faults(tmp_path, SMALL.replace("{1: person}", "{1: nobody}")) == [
        (9, 12, "welcome: there is no node 'nobody'")
    ]
    assert faults(tmp_path, SMALL.replace("silence: person", "silence: nobody")) == [
        (10, 5, "welcome: there is no node 'nobody'")
    ]
    assert faults(tmp_path, SMALL.replace("start: welcome", "start: nowhere"))[0][0] == 3


def test_an_unknown_field_is_named_where_it_stands(tmp_path: Path) -> None:
    [(line, column, text)] = faults(tmp_path, SMALL.replace("    silence", "    sillence: person\n    silence"))
    assert (line, column) == (10, 5)
    assert "sillence" in text


@pytest.mark.parametrize(
    ("before", "after", "line", "word"),
    [
        ("    silence: person\n", "", 6, "silence"),
        ("kind: menu", "kind: menue", 7, "menue"),
        ("next: queue", "next: heaven", 13, "heaven"),
        ("next: queue", "next: transfer", 13, "transfer_to"),
        ("next: queue", "next: queue\n    transfer_to: '110'", 13, "transfer_to"),
        ("{1: person}", "{1: person, 12: person}", 9, "beginning of key 12"),
        ("{1: person}", "{x: person}", 9, "x"),
        ("flow: small", "flow: small\nflow: again", 2, "twice"),
        ("kind: menu", "kind: menu\n    timeout_s: 900", 8, "900"),
        ("languages: [zh]", "languages: zh", 2, "array"),
        ("  welcome:", "  Welcome!:", 6, "Welcome!"),
    ],
)
def test_every_kind_of_fault_is_found_at_its_line(
    tmp_path: Path, before: str, after: str, line: int, word: str
) -> None:
    found = faults(tmp_path, SMALL.replace(before, after))
    assert any(at == line and word in text for at, _, text in found), found


@pytest.mark.parametrize("text", ["", "a: [", "- just\n- a list\n", "\t", "flow: \x00"])
def test_what_is_no_flow_at_all_is_said_so_with_a_line(tmp_path: Path, text: str) -> None:
    assert faults(tmp_path, text)


def test_bytes_that_are_no_text_are_said_so(tmp_path: Path) -> None:
    path = tmp_path / "flow.yaml"
    path.write_bytes(b"flow: \xff\xfe")
    with pytest.raises(FlowError, match="not YAML"):
        flow_module.load(path)


def test_all_faults_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = SMALL.replace("{1: person}", "{1: nobody, 2: nowhere}").replace("silence: person", "silence: nothing")
    assert [line for line, _, _ in faults(tmp_path, text)] == [9, 9, 10]
