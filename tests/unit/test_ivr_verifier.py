"""The verifier refuses every way in which a menu could leave a caller stranded."""

from __future__ import annotations

from pathlib import Path

import pytest

from ivr import catalogue, verifier
from ivr import flow as flow_module

MAIN_KEYS = "keys: {0: person, 1: person, 2: case, 3: voicemail, 4: answers, 5: unit_code, 6: call_rate, 9: emergency}"
SHIPPED = flow_module.SHIPPED.read_text(encoding="utf-8")


def codes(tmp_path: Path, text: str) -> set[tuple[str, str]]:
    """(node, code) of every finding about the flow `text`."""
    path = tmp_path / "flow.yaml"
    path.write_text(text, encoding="utf-8")
    findings = verifier.verify(flow_module.load(path), catalogue.shipped())
    assert findings == sorted(findings)
    return {(finding.node, finding.code) for finding in findings}


def changed(before: str, after: str) -> str:
    assert before in SHIPPED, before
    return SHIPPED.replace(before, after)


def test_the_shipped_flow_has_no_fault(capsys: pytest.CaptureFixture[str]) -> None:
    assert verifier.main() == 0
    assert "no fault" in capsys.readouterr().out


def test_a_node_that_no_call_reaches_is_refused(tmp_path: Path) -> None:
    assert codes(tmp_path, SHIPPED + "\n  lonely: {kind: end, next: goodbye}\n") == {("lonely", "unreachable")}


def test_a_prompt_that_one_language_lacks_is_refused_at_its_node(tmp_path: Path) -> None:
    assert ("main", "missing-prompt") in codes(
        tmp_path, changed("say: [main_menu]", "say: [main_menu, no_such_prompt]")
    )


def test_a_prompt_that_only_one_language_lacks_is_refused() -> None:
    words = catalogue.shipped()
    poorer = {**words.languages}
    english = words.languages["en"]
    poorer["en"] = catalogue.Language(
        "en", english.voice, 160, {}, {k: v for k, v in english.prompts.items() if k != "main_menu"}
    )
    less = catalogue.Catalogue(poorer, words.tones, words.series)
    findings = verifier.verify(flow_module.shipped(), less)
    assert [(finding.node, finding.code) for finding in findings] == [("main", "missing-prompt")]
    assert "'en'" in findings[0].text


def test_a_person_three_keys_away_is_refused(tmp_path: Path) -> None:
    text = changed(
        "languages: announcements\n    keys: {9: emergency, 0: person}", "languages: announcements\n    keys: {}"
    ).replace(MAIN_KEYS, "keys: {1: more, 2: case, 4: answers, 5: unit_code, 6: call_rate}")
    more = "\n  more:\n    kind: menu\n    say: [main_menu]\n    keys: {0: person, 9: emergency}\n    silence: person\n"
    found = codes(tmp_path, text + more)
    assert ("welcome", "too-far") in found
    assert ("main", "too-far") not in found


def test_two_keys_are_near_enough(tmp_path: Path) -> None:
    text = changed(
        "languages: announcements\n    keys: {9: emergency, 0: person}",
        "languages: announcements\n    keys: {9: emergency}",
    )
    assert codes(tmp_path, text) == set()


def test_silence_that_does_not_reach_a_person_is_refused(tmp_path: Path) -> None:
    text = changed("    silence: person\n    timeout_s: 3\n", "    silence: voicemail\n    timeout_s: 3\n")
    assert codes(tmp_path, text) == {("main", "silence")}


def test_a_call_that_is_asked_nothing_and_gets_no_person_while_people_work_is_refused(tmp_path: Path) -> None:
    """Registered elderly callers meet no menu: nobody's silence is looked at on their way."""
    before, _, after = SHIPPED.partition("\n  elderly_person:\n")
    text = f"{before}\n  elderly_person:\n{after.replace('next: queue', 'next: voicemail', 1)}"
    assert codes(tmp_path, text) == {("elderly_person", "unasked")}


def test_silence_that_hangs_up_is_refused(tmp_path: Path) -> None:
    text = changed("    silence: person\n    timeout_s: 4\n", "    silence: bye\n    timeout_s: 4\n")
    assert ("welcome", "silence") in codes(tmp_path, text + "\n  bye: {kind: end, next: goodbye}\n")


def test_silence_that_calls_the_police_is_refused(tmp_path: Path) -> None:
    text = SHIPPED.replace("silence: unclear", "silence: to_110", 1)
    assert ("emergency", "silence") in codes(tmp_path, text)


def test_tries_that_run_out_into_nothing_are_refused(tmp_path: Path) -> None:
    text = changed("    silence: person\n    timeout_s: 3\n", "    silence: person\n    exhausted: voicemail\n")
    assert codes(tmp_path, text) == {("main", "tries")}


def test_a_menu_without_a_way_to_a_person_is_refused(tmp_path: Path) -> None:
    text = changed(
        "say: [progress_unavailable]\n    keys: {0: person}", "say: [progress_unavailable]\n    keys: {0: bye}"
    )
    found = codes(tmp_path, text + "\n  bye: {kind: end, next: goodbye}\n")
    assert ("case_unavailable", "dead-end") in found


def test_a_closed_hotline_that_sends_callers_into_the_empty_queue_is_refused(tmp_path: Path) -> None:
    text = changed("  person:\n    kind: branch\n    on: open\n    \"yes\": queue\n    \"no\": closed",
                   "  person:\n    kind: branch\n    on: open\n    \"yes\": queue\n    \"no\": queue")  # fmt: skip
    assert ("welcome", "silence") in codes(tmp_path, text)


def test_a_circle_that_silence_walks_for_ever_is_refused(tmp_path: Path) -> None:
    text = changed("    silence: person\n    timeout_s: 3\n", "    silence: announcements\n    timeout_s: 3\n")
    assert {code for _, code in codes(tmp_path, text)} == {"circle"}


def test_a_circle_through_a_lookups_answer_is_refused_too(tmp_path: Path) -> None:
    text = changed("outcomes: {some: hours, none: hours}", "outcomes: {some: again, none: hours}")
    text += "\n  again:\n    kind: menu\n    say: [main_menu]\n    keys: {0: person}\n    silence: announcements\n"
    assert ("again", "silence") in codes(tmp_path, text)


def test_an_emergency_key_that_leads_to_another_number_is_refused(tmp_path: Path) -> None:
    text = changed("110: confirm_110, 119: confirm_119", "110: confirm_119, 119: confirm_110")
    assert codes(tmp_path, text) == {("emergency", "wrong-number")}


def test_an_emergency_number_that_is_not_offered_is_refused(tmp_path: Path) -> None:
    text = changed('transfer_to: "122"', 'transfer_to: "120"')
    assert {code for _, code in codes(tmp_path, text)} == {"no-emergency", "wrong-number"}


def test_a_question_without_words_is_refused(tmp_path: Path) -> None:
    assert ("main", "mute") in codes(tmp_path, changed("say: [main_menu]", "say: []"))


def test_the_exit_code_says_whether_the_flow_may_go_live(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "flow.yaml"
    path.write_text(SHIPPED + "\n  lonely: {kind: end, next: goodbye}\n", encoding="utf-8")
    assert verifier.main(path) == 1
    assert "lonely: no call ever comes here [unreachable]" in capsys.readouterr().out
    path.write_text("flow: [", encoding="utf-8")
    assert verifier.main(path) == 2
    assert "line 1" in capsys.readouterr().err
    assert verifier.main(tmp_path / "nowhere.yaml") == 2


def test_a_message_without_consent_is_refused(tmp_path: Path) -> None:
    assert ("reading_more", "consent") in codes(tmp_path, changed("5: sms_consent, 8: answers}", "5: sms, 8: answers}"))
    silence = changed("keys: {0: person, 1: sms, 2: after_sms}\n    silence: person",
                      "keys: {0: person, 1: sms, 2: after_sms}\n    silence: sms")  # fmt: skip
    assert ("sms_consent", "consent") in codes(tmp_path, silence)


def test_a_text_that_is_read_on_without_a_question_is_refused(tmp_path: Path) -> None:
    text = changed(
        "outcomes: {part: reading_more, last: reading_end,", "outcomes: {part: read_next, last: reading_end,"
    )
    assert ("read", "no-way-out") in codes(tmp_path, text)


def test_a_lookup_that_goes_by_what_nobody_has_said_is_refused(tmp_path: Path) -> None:
    unrated = {("case_rated", "unknown"), ("call_rated", "unknown")}
    assert codes(tmp_path, changed("    into: level\n", "")) == unrated
    assert codes(tmp_path, changed("    into: unit_code\n", "    into: other\n")) == {("unit", "unknown")}
    assert ("to_unit", "unknown") in codes(tmp_path, changed("closed: unit_closed,", "closed: unit_open,"))


def test_a_key_beside_a_choice_of_languages_that_chooses_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "flow.yaml"
    path.write_text(changed("keys: {9: emergency, 0: person}", "keys: {2: emergency, 0: person}"), encoding="utf-8")
    with pytest.raises(flow_module.FlowError, match="key 2 chooses language 'yue'"):
        flow_module.load(path)
