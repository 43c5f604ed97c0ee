"""A text of any length becomes parts that one can listen to, and nothing that would be said is lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ivr.parts import LONGEST_PART, MOST_PARTS, is_spoken, parts

SENTENCE = "计划停水由供水公司提前二十四小时公布，请提前储水。"


def spoken_characters(text: str) -> str:
    return "".join(character for character in text if is_spoken(character))


def weight(text: str) -> float:
    return sum(1.0 if ord(character) > 0x2E7F else 1 / 3 for character in text)


def test_an_answer_of_5000_characters_is_cut_behind_sentences() -> None:
    text = SENTENCE * 200
    assert len(text) >= 5000
    pieces = parts(text)
    assert "".join(pieces) == text
    assert all(piece.endswith("。") and len(piece) <= LONGEST_PART for piece in pieces)
    assert len(pieces) <= MOST_PARTS


def test_what_has_no_end_is_cut_all_the_same() -> None:
    assert [len(piece) for piece in parts("停" * 250)] == [100, 100, 50]
    assert [len(piece) for piece in parts("停水，" * 80)] == [99, 99, 42]
    assert max(map(len, parts("water " * 300))) <= 3 * LONGEST_PART
    assert parts("x" * 301) == ["x" * 300, "x"]


def test_a_decimal_point_ends_no_sentence_and_nothing_is_nothing() -> None:
    assert parts("The fee is 3.5 yuan. It is due.", longest=8) == ["The fee is 3.5 yuan.", "It is due."]
    for nothing in ("", "  \n", "……——！", "\u200b"):
        assert parts(nothing) == []


@given(st.text(st.sampled_from("停水通知ab 1。，.!\n… <>"), max_size=900), st.integers(4, 120))
def test_whatever_is_said_is_in_the_parts_in_its_order(text: str, longest: int) -> None:
    pieces = parts(text, longest)
    assert spoken_characters("".join(pieces)) == spoken_characters(text)
    assert all(is_spoken(piece) and weight(piece) <= longest + 1 for piece in pieces)
