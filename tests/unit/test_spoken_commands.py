"""What may be said in the voice menu: words of the flow, the keys they stand for, and when nothing is understood."""

from __future__ import annotations

from pathlib import Path

import pytest

from agi_scripts.ear import is_ours
from app.speech.model import MOST_PHRASES, HeardWord, Utterance, grammar_of, utterance_of
from ivr import flow as flow_module
from ivr import verifier
from ivr.commands import STAR, commands_at
from ivr.model import Menu, Number, exits
from tests.unit.test_ivr_flow import SMALL, faults, load
from tests.unit.test_ivr_verifier import SHIPPED, codes

FLOW = flow_module.shipped()
KEYS = "    keys: {1: person}\n"


def keys(node: str, *words: str, language: str = "zh", more: bool = False) -> str:
    return commands_at(FLOW, FLOW.nodes[node], language).meant(words, more=more)


def test_a_word_is_the_key_that_leads_where_it_says() -> None:
    assert [keys("main", word) for word in ("人工", "投诉", "留言", "紧急")] == ["0", "1", "3", "9"]
    assert keys("main", "转", "人工") == keys("main", "人工", "人工") == "0"
    assert keys("main", "operator", language="en") == "0"
    assert keys("main", "leave", "a", "message", language="en") == "3"
    assert keys("welcome", "粤语") == "2"
    assert keys("closed", "人工") == "0", "nobody is there: the message is what leads to a person"
    assert keys("confirm_110", "确认") == "1"
    assert keys("confirm_110", "返回") == "2"


def test_digits_are_said_where_they_are_a_choice() -> None:
    assert [keys("main", word) for word in "零一幺二两九"] == ["0", "1", "1", "2", "2", "9"]
    assert keys("main", "八") == "", "no choice here"
    assert keys("emergency", *"幺幺零") == "110"
    assert keys("emergency", *"幺幺") == ""
    assert keys("case_number", *"二零二六") == "2026"
    assert keys("case_number", "人工") == STAR
    assert keys("case_code", *"一二三四五六七八") == "", "a secret is not said aloud"
    assert keys("case_code", "人工") == STAR
    assert keys("sms_consent", "一") == keys("sms_consent", "人工") == "", "consent takes a finger"
    assert not commands_at(FLOW, FLOW.nodes["queue"], "zh")


def test_what_is_not_clear_is_no_key() -> None:
    for said in ((), ("人工", "投诉"), ("人工", "一"), ("政策", "什么")):
        assert keys("main", *said) == "", said
    assert keys("main", "人工", language="en") == ""
    assert keys("main", "人工", more=True) == "0", "please, a person"
    assert keys("main", "一", more=True) == "", "a digit is as short as many a sound"


def test_every_word_of_the_shipped_menu_can_be_listened_for_and_does_what_a_key_does() -> None:
    for node in FLOW.nodes.values():
        for language in FLOW.languages:
            said = commands_at(FLOW, node, language)
            if said:
                assert grammar_of(said.phrases)
            if isinstance(node, Menu):
                assert set(said.keys.values()) <= set(node.keys)
                assert not node.spoken or said, f"{node.id} hears nothing in {language}"
            elif isinstance(node, Number):
                assert set(said.keys.values()) <= {STAR}
    assert verifier.MOST_PHRASES <= MOST_PHRASES
    with_person = [node.id for node in FLOW.nodes.values() if ("key 0", "person") in set(exits(node))]
    for language, word in (("zh", "人工"), ("yue", "人工"), ("en", "operator")):
        missed = [name for name in with_person if keys(name, word, language=language) != "0" and name != "sms_consent"]
        assert missed == [], language


def test_words_that_cannot_be_are_told_where_they_stand(tmp_path: Path) -> None:
    def told(body: str, top: str = "") -> list[str]:
        whole = SMALL.replace(KEYS, f"{KEYS}{body}").replace("nodes:", f"{top}nodes:")
        return [text for _, _, text in faults(tmp_path, whole)]

    assert "would do what no key does" in told("    words: {2: {zh: [人工]}}\n")[0]
    assert "language 'en'" in told("    words: {1: {en: [person]}}\n")[0]
    assert "no node 'nobody'" in told("", "words: {nobody: {zh: [人工]}}\n")[0]
    assert "language 'en'" in told("", 'digits: {en: {one: "1"}}\n')[0]
    for phrase in ('"[unk]"', '"人\\"工"', '""', "[]", '" 人工"', f'"{"长" * 41}"'):
        assert told(f"    words: {{1: {{zh: [{phrase}]}}}}\n"), phrase
    assert told("", 'digits: {zh: {十: "10"}}\n')
    flow = load(tmp_path, SMALL.replace(KEYS, f"{KEYS}    words: {{1: {{zh: [人工]}}}}\n"))
    assert commands_at(flow, flow.nodes["welcome"], "zh").meant(["人工"]) == "1"


def test_the_verifier_refuses_what_would_mislead(tmp_path: Path) -> None:
    many = "".join(f"  q{n}: {{zh: [{', '.join(f'词{n}a{m}' for m in range(10))}]}}\n" for n in range(20))
    nodes = "".join(f"  q{n}: {{kind: set, priority: 1, next: person}}\n" for n in range(20))
    keys = ", ".join(f'"{20 + n}": q{n}' for n in range(20))
    text = SHIPPED + nodes
    for before, after in (
        ("1: {zh: [投诉, ", "1: {zh: [留言, "),
        ("    words: {0: {zh: [人工], yue", "    words: {0: {zh: [二], yue"),
        ("    spoken: false\n    say: [sms_consent]", "    say: [sms_consent]"),
        ("hint: [say_it]", "hint: [no_such_prompt]"),
        ("    languages: announcements\n", "    languages: announcements\n    hint: [say_it]\n    spoken: false\n"),
        ("\ndigits:\n", f"\n{many}digits:\n"),
        ("say: [reopen_confirm]\n    keys: {", f"say: [reopen_confirm]\n    keys: {{{keys}, "),
    ):
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    assert codes(tmp_path, text) == {
        ("main", "said-twice"),
        ("closed", "said-twice"),
        ("sms_consent", "consent"),
        ("main", "missing-prompt"),
        ("welcome", "false-hint"),
        ("case_reopen", "too-much-to-hear"),
    }


def said(*words: tuple[str, int, int], more: bool = False) -> Utterance:
    return Utterance(tuple(HeardWord(text, start, end, 1.0) for text, start, end in words), more)


OURS = [("人工", 900, 1_300)]


@pytest.mark.parametrize(
    ("began_ms", "start", "more", "ours", "expected"),
    [
        (0, 950, False, OURS, True),  # out of the loudspeaker
        (500, 950, False, OURS, True),
        (0, 2_200, True, OURS, True),  # … with a long delay, in the midst of our sentence
        (0, 2_200, False, OURS, False),  # somebody repeats what they are offered
        (0, 2_400, True, OURS, False),  # "please, an operator", long after we said it
        (0, 100, True, OURS, False),  # … or before
        (0, 950, True, [("投诉", 900, 1_300)], False),  # another word
        (0, 950, True, [], False),
        (0, 1_000, True, None, True),  # nobody knows what we say in these five seconds
        (0, 1_000, False, None, False),
        (0, 6_100, True, None, False),
    ],
)
def test_our_own_voice_out_of_a_loudspeaker_presses_no_key(
    began_ms: int, start: int, more: bool, ours: list[tuple[str, int, int]] | None, expected: bool
) -> None:
    known = None if ours is None else said(*ours).words
    assert is_ours(said(("人工", start, start + 400), more=more), began_ms, known, 5_000) is expected


def test_a_result_tells_whether_there_was_more_than_the_words() -> None:
    told = '{"result": [{"word": "[unk]", "start": 0, "end": 1}, {"word": "人工", "start": 1, "end": 2, "conf": 1}]}'
    one = utterance_of(told)
    assert one is not None
    assert one.more
    other = utterance_of('{"result": [{"word": "人工", "start": 1, "end": 2, "conf": 1}]}')
    assert other == one
    assert other is not None
    assert not other.more
