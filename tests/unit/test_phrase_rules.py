"""Phrases in what was said: found however they are written, where in a talk they belong, hints while it goes on."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.phrases.editing import PHRASES_FORM, changes_of, faults_of, kept, read, with_codes
from app.phrases.live import Hint, Told, Watch
from app.phrases.matching import LONGEST, NEAR_FROM, Hit, Matcher, pieces, plain_units
from app.phrases.model import Kind, Phrase, State, Where, spoken_in
from app.phrases.shipped import FAREWELLS, SHIPPED
from app.phrases.talks import Part, Spoken, found_in, timed

ZH = spoken_in(SHIPPED, "zh")
GREETING, NAME, MORE, CLOSING = (next(one for one in ZH if one.code == code) for code in
                                 ("greeting", "names_itself", "anything_else", "closing"))  # fmt: skip


def never(code: str, *variants: str, unless: tuple[str, ...] = ()) -> Phrase:
    return Phrase(code, Kind.forbidden, "zh", code, code, variants, unless=unless)


def codes(text: str, phrases: list[Phrase] = ZH) -> list[str]:
    return [hit.phrase.code for hit in Matcher(phrases).hits([*plain_units(text)])]


# ---- matching


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("好了，好了，就这样了！", ["cut_off"]),
        ("您 再 说 一 遍", ["say_again"]),
        ("你說的事我們解決不了", ["cannot_solve"]),
        ("这个嘛，应该是吧。", ["probably"]),
        ("您好，１２３４５热线", ["greeting", "names_itself"]),
        ("您好，幺二三四五热线", ["greeting", "names_itself"]),
        ("好了嗯好了呃就这样了", ["cut_off"]),
        ("麻烦您再说一遍，再说一遍。", ["say_again"]),
        ("麻烦您再说一遍。", []),
        ("您慢慢说，我在记录。", []),
        ("", []),
        ("<b>什么</b>态度", []),
    ],
)
def test_a_phrase_is_found_however_it_is_written(text: str, found: list[str]) -> None:
    assert codes(text) == found


def test_every_wording_of_the_shipped_lists_finds_its_phrase_and_every_excuse_excuses() -> None:
    for language in ("zh", "yue", "en"):
        phrases = spoken_in(SHIPPED, language)
        for one in phrases:
            for variant in one.variants:
                assert one.code in codes(variant, phrases), variant
            for excuse in one.unless:
                assert one.code not in codes(excuse, phrases), excuse


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("你说的是我们解决不了", True),  # taken for another
        ("你说的我们解决不了", True),  # lost
        ("你说的事啊我们解决不了", True),  # one too many
        ("你说的事我们解决不了", False),
        ("你说的事我们解决得了", None),  # says the contrary
        ("你说的事我们解决了", None),
        ("你讲的是我们解决不了", None),  # two faults
    ],
)
def test_one_fault_is_forgiven_in_a_long_phrase_unless_it_tells_yes_from_no(text: str, near: bool | None) -> None:
    [*hits] = Matcher([never("x", "你说的事我们解决不了")]).hits([*plain_units(text)])
    assert [hit.near for hit in hits] == ([] if near is None else [near])


def test_words_of_letters_are_matched_whole_and_a_silence_parts_what_does_not_belong_together() -> None:
    matcher = Matcher([never("x", "my job"), never("y", "应该是吧")])
    assert matcher.hits([*plain_units("my jobless friend")]) == []
    assert [hit.phrase.code for hit in matcher.hits([*plain_units("It is not My JOB.")])] == ["x"]
    assert matcher.hits(["应", "该", None, "是", "吧"]) == []


def test_pieces_are_the_whole_text_and_the_better_of_two_overlapping_wordings_counts_once() -> None:
    matcher = Matcher([never("x", "我们解决不了", "你说的事我们解决不了"), never("y", "再说一遍")])
    shown = pieces("哎，你说的事，我们解决不了。再 说一遍！", matcher)
    assert "".join(one.text for one in shown) == "哎，你说的事，我们解决不了。再 说一遍！"
    assert [(one.text, one.hit.phrase.code) for one in shown if one.hit] == [
        ("你说的事，我们解决不了", "x"),
        ("再 说一遍", "y"),
    ]


LETTERS, SHORTEST = "甲乙丙不", NEAR_FROM[Kind.forbidden]
WORDS = st.text(LETTERS, min_size=1, max_size=8)


def naively(text: str, variant: str) -> bool:
    """Whether the variant stands there, or with one fault in a long one, tried in every way."""
    if variant in text:
        return True
    if len(variant) < SHORTEST:
        return False
    tells = {"不"}
    changed = set()
    for at, lost in enumerate(variant):
        if lost in tells:
            continue
        changed |= {variant[:at] + variant[at + 1 :]} if 0 < at < len(variant) - 1 else set()
        changed |= {
            variant[:at] + other + variant[at + 1 :] for other in LETTERS if other not in tells and other != lost
        }
    changed |= {
        variant[:at] + more + variant[at:] for at in range(1, len(variant)) for more in LETTERS if more not in tells
    }
    return any(one in text for one in changed)


@settings(max_examples=300, deadline=None)
@given(st.text(LETTERS, max_size=60), st.lists(WORDS, min_size=1, max_size=6, unique=True))
def test_exactly_what_stands_there_is_found_exactly_and_nothing_else(text: str, variants: list[str]) -> None:
    phrases = [never(f"p{n}", one) for n, one in enumerate(variants)]
    hits = Matcher(phrases).hits([*text])
    exact = {hit.phrase.code for hit in hits if not hit.near}
    assert exact == {f"p{n}" for n, one in enumerate(variants) if one in text}
    for hit in hits:
        said = text[hit.first : hit.last + 1]
        assert said == hit.variant or hit.near
        assert naively(said, hit.variant)
    for one in phrases:
        places = [(hit.first, hit.last) for hit in hits if hit.phrase is one]
        assert all(before[1] < after[0] for before, after in pairwise(places)), "each place once"


@settings(max_examples=200, deadline=None)
@given(st.text(LETTERS, max_size=40), st.text(LETTERS, min_size=SHORTEST, max_size=10))
def test_a_near_match_is_found_if_and_only_if_there_is_one(text: str, variant: str) -> None:
    assert bool(Matcher([never("x", variant)]).hits([*text])) is naively(text, variant)


def test_time_grows_with_the_words_alone_whatever_they_and_the_phrases_are(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = 0
    lists = [[never(f"p{n}", "啊" * (n % LONGEST + 1), unless=("啊" * LONGEST,)) for n in range(40)],
             [never("x", "啊" * 20 + "哦"), never("y", "哦" + "啊" * 20)]]  # fmt: skip
    for phrases in lists:
        matcher = Matcher(phrases)
        real = matcher._near

        def counted(said: list[str | None], first: int, last: int, half: object, real: object = real) -> Hit | None:
            nonlocal looked
            looked += 1
            return real(said, first, last, half)  # type: ignore[operator, no-any-return]

        monkeypatch.setattr(matcher, "_near", counted)
        counts = []
        for size in (200, 400):
            looked = 0
            matcher.hits(["啊"] * size)
            counts.append(looked)
        assert counts[1] <= 2.5 * counts[0] + 200


# ---- talks


def said(*lines: tuple[int, str], recording: int = 1, duration_ms: int = 120_000, **facts: object) -> Part:
    spoken = [Spoken(text, at, at + 250 * len(text)) for at, text in lines]
    return Part(recording, duration_ms, spoken, **facts)  # type: ignore[arg-type]


WELL = (
    (1_000, "您好，12345热线为您服务"),
    (60_000, "请问地址"),
    (100_000, "您还有别的事吗"),
    (112_000, "感谢来电，再见"),
)


def told(*parts: Part, **how: bool) -> list[tuple[str, str, int, int]]:
    return [(one.phrase.code, one.state.value, one.recording, one.at_ms // 1000) for one in found_in(parts, ZH, **how)]


def test_a_talk_in_which_everything_was_said_misses_nothing() -> None:
    assert told(said(*WELL)) == [
        ("greeting", "said", 1, 1), ("names_itself", "said", 1, 1),
        ("anything_else", "said", 1, 100), ("closing", "said", 1, 113),
    ]  # fmt: skip


def test_what_is_forbidden_and_what_is_missing_stand_at_their_seconds() -> None:
    found = told(said((20_000, "你好，再说一遍"), (50_000, "好了好了"), (51_900, "就这样了"), (55_000, "再见")))
    assert found == [
        ("names_itself", "missing", 1, 0), ("greeting", "elsewhere", 1, 20), ("say_again", "said", 1, 20),
        ("cut_off", "said", 1, 50), ("closing", "elsewhere", 1, 55), ("anything_else", "missing", 1, 60),
    ]  # fmt: skip


def test_the_words_moments_count_where_they_are_known_and_are_spread_over_the_line_where_not() -> None:
    words = (("您好", 500, 900), ("再说", 2_000, 2_600), ("一遍", 2_600, 3_000))
    assert timed(Spoken("您好再说一遍", 500, 3_000, words))[2:4] == [("再", 2_000), ("说", 2_300)]
    assert timed(Spoken("您好再说一遍", 0, 3_000, words[:1]))[2] == ("再", 1_000), "words that are not the line's"
    assert timed(Spoken("再", 7, 7)) == [("再", 7)]


@pytest.mark.parametrize(
    ("parts", "how"),
    [
        ([said((60_000, "请问地址"), told=False)], {}),
        ([said((60_000, "请问地址")), said(recording=2, told=False)], {}),
        ([said()], {}),
        ([said((1_000, "喂"), duration_ms=12_000)], {}),
        ([said((60_000, "请问地址"))], {"expected": False}),
        ([said((60_000, "请问地址"), paused=[(0, 120_000)])], {}),
    ],
)
def test_where_nobody_can_know_nothing_is_missing(parts: list[Part], how: dict[str, bool]) -> None:
    assert told(*parts, **how) == []


def test_a_pause_or_a_transfer_takes_only_the_end_it_covers() -> None:
    missing = {"greeting", "names_itself", "anything_else", "closing"}
    of = lambda part, **how: {code for code, state, _, _ in told(part, **how) if state == "missing"}  # noqa: E731
    assert of(said((60_000, "请问地址"))) == missing
    assert of(said((60_000, "请问地址"), paused=[(5_000, 20_000)])) == {"anything_else", "closing"}
    assert of(said((60_000, "请问地址"), paused=[(70_000, 90_000)])) == {"greeting", "names_itself", "closing"}
    assert of(said((60_000, "请问地址")), goes_on=True) == {"greeting", "names_itself"}


def test_a_talk_of_several_recordings_begins_in_the_first_and_ends_in_the_last() -> None:
    after_a_hold = (1_000, "您好，久等了"), (30_000, "还有别的事吗"), (39_000, "再见")
    first, last = said(*WELL[:2], recording=7), said(*after_a_hold, recording=8, duration_ms=40_000)
    assert told(first, last) == [
        ("greeting", "said", 7, 1), ("names_itself", "said", 7, 1),
        ("anything_else", "said", 8, 30), ("closing", "said", 8, 39),
    ]  # fmt: skip


def test_what_a_third_party_may_have_said_is_marked() -> None:
    part = said((10_000, "什么态度"), (50_000, "什么态度"), shared=[(40_000, 60_000)])
    assert [one.shared for one in found_in([part], ZH) if one.phrase.code == "attitude"] == [False, True]


# ---- while it goes on


def watch(greets: bool = True) -> Watch:
    return Watch(ZH, FAREWELLS["zh"], greets=greets)


def hints(*made: list[Hint]) -> list[tuple[str, str]]:
    return [(hint.phrase.code, hint.told.value) for one in made for hint in one]


def test_a_forbidden_phrase_is_told_once_a_minute_when_its_words_are_final_and_never_of_the_citizen() -> None:
    one = watch()
    assert hints(one.words("agent", 1, 3_000, "再说一遍", False)) == []
    assert hints(one.words("citizen", 1, 3_000, "什么态度", True)) == []
    assert hints(one.words("agent", 1, 3_000, "你好，再说一遍", True)) == [("say_again", "said")]
    assert hints(one.words("agent", 1, 9_000, "再说一遍", True)) == []
    assert hints(one.words("agent", 1, 20_000, "好了好了", True)) == []
    assert hints(one.words("agent", 1, 21_500, "就这样了", True)) == [("cut_off", "said")], "two lines, one sentence"
    assert hints(one.words("agent", 1, 70_000, "再说一遍", True)) == [("say_again", "said")]


def test_a_greeting_that_was_not_heard_is_missed_once_and_is_over_when_it_comes() -> None:
    one = watch()
    assert hints(one.reached(1, 11_000)) == [], "who is just saying it is not reminded"
    assert hints(one.reached(1, 12_500)) == [("greeting", "missing")]
    assert hints(one.reached(1, 13_000), one.words("agent", 1, 13_000, "您好", False)) == [("greeting", "heard")]
    assert hints(one.words("agent", 1, 13_000, "您好，请讲", True), one.reached(1, 90_000)) == [
        ("names_itself", "missing")
    ]
    for greeted in ("您好", "你好，市民热线"):
        one = watch()
        one.words("agent", 1, 1_000, greeted, False)
        assert ("greeting", "missing") not in hints(one.reached(1, 60_000))
    assert hints(watch(greets=False).reached(1, 60_000)) == [], "whom we call is not greeted so"
    assert hints(watch().reached(2, 60_000)) == [], "a talk that goes on after a hold"


def test_a_leave_is_missed_only_when_the_citizen_takes_theirs_and_never_after_a_pause_that_may_have_had_it() -> None:
    def leaving(*before: str) -> Watch:
        one = watch()
        for n, text in enumerate(("您好，市民热线", *before)):
            one.words("agent", 1, 1_000 + n * 30_000, text, True)
        one.words("citizen", 1, 50_000, "好的没有别的了再见", True)
        return one

    assert hints(leaving().reached(1, 53_000)) == []
    assert hints(leaving().reached(1, 54_500)) == [("anything_else", "missing"), ("closing", "missing")]
    assert hints(leaving("您还有别的事吗").reached(1, 54_500)) == [("closing", "missing")]
    one = leaving("您还有别的事吗")
    one.words("agent", 1, 51_000, "感谢来电，再见", False)
    assert hints(one.reached(1, 60_000)) == []
    one = leaving()
    one.deaf(1, 52_000)
    assert hints(one.reached(1, 90_000)) == []
    one = watch()
    one.words("citizen", 1, 2_000, "再见", True)
    assert hints(one.reached(1, 9_000)) == [], "nobody takes leave in the first seconds"


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["agent", "citizen"]),
            st.integers(1, 3),
            st.integers(0, 90_000),
            st.text(max_size=30),
            st.booleans(),
        )
    )
)
def test_whatever_is_said_hints_are_few_and_of_known_phrases(words: list[tuple[str, int, int, str, bool]]) -> None:
    one, made = watch(), []
    for side, segment, at_ms, text, final in words:
        made += [*one.words(side, segment, at_ms, text, final), *one.reached(segment, at_ms)]
    missing = [hint.phrase.code for hint in made if hint.told is Told.missing]
    assert len(missing) == len(set(missing))


# ---- an office's own lists


def test_what_is_shipped_passes_its_own_checks_and_is_read_back_as_it_was_kept() -> None:
    assert faults_of(SHIPPED) == {}
    assert read(json.loads(json.dumps(kept(SHIPPED)))) == list(SHIPPED)
    assert with_codes(SHIPPED) == list(SHIPPED)
    assert PHRASES_FORM.changes(SHIPPED, read(kept(SHIPPED))) == []


OF_THE_FIELD = """快点说 再说一遍 你说的事我们解决不了 这种事我们管不了 随便你找哪里投诉都可以
不解决再来电话 你提的建议太肤浅 我们会处理 好了好了就这样了 讲短点 你不要骂人 什么态度 大概其 应该是吧 问我姓氏没有用"""


@pytest.mark.parametrize("phrase", OF_THE_FIELD.split())
def test_what_the_city_rules_forbid_is_on_the_list(phrase: str) -> None:
    [hit] = Matcher(ZH).hits([*plain_units(phrase)])
    assert (hit.phrase.kind, hit.near) == (Kind.forbidden, False)


NEW = Phrase("", Kind.forbidden, "zh", "新", "new", ("等着吧",))


@pytest.mark.parametrize(
    ("phrase", "fields"),
    [
        (NEW, set()),
        (replace(NEW, zh=""), {"zh"}),
        (replace(NEW, en="x" * 41), {"en"}),
        (replace(NEW, language="fr"), {"language"}),
        (replace(NEW, variants=()), {"variants"}),
        (replace(NEW, variants=("好",)), {"variants"}),
        (replace(NEW, variants=("！？",)), {"variants"}),
        (replace(NEW, variants=("长" * 61,)), {"variants"}),
        (replace(NEW, variants=tuple(f"说法{n}" for n in range(41))), {"variants"}),
        (replace(NEW, unless=("嗯",)), {"unless"}),
        (replace(NEW, where=Where.end, seconds=9), {"where"}),
        (replace(NEW, say="长" * 121), {"say"}),
        (replace(NEW, kind=Kind.required, where=Where.begin, seconds=0), {"seconds"}),
        (replace(NEW, kind=Kind.required, where=Where.end, seconds=301), {"seconds"}),
        (replace(NEW, kind=Kind.required, unless=("等着吧您",)), {"unless"}),
        (replace(NEW, kind=Kind.advised), {"say", "variants"}),
        (replace(NEW, kind=Kind.advised, variants=(), say="您稍等"), set()),
        (replace(NEW, zh="快点说"), {"zh"}),
        (replace(NEW, code="greeting"), {"code"}),
        (replace(NEW, code="no/such"), {"code"}),
    ],
)
def test_a_list_that_cannot_be_listened_for_says_where_it_is_wrong(phrase: Phrase, fields: set[str]) -> None:
    at = len(SHIPPED)
    assert set(faults_of(with_codes([*SHIPPED, phrase]))) == {f"phrases.{at}.{name}" for name in fields}
    assert set(faults_of([])) == {"phrases"}


def test_differences_are_told_phrase_by_phrase() -> None:
    changed = [replace(SHIPPED[0], seconds=15, variants=("您好",)), *SHIPPED[2:], replace(NEW, code="p1")]
    told_of = [(one.where[0], one.what) for one in changes_of(SHIPPED, changed)]
    assert told_of == [("问候", "variants"), ("问候", "where"), ("新", "added"), ("自报热线或工号", "removed")]
    assert changes_of(SHIPPED, changed)[1].after == ("开头 15 秒", "the first 15 s")
    assert [one.what for one in changes_of(SHIPPED, SHIPPED[::-1])] == ["order"]


def test_states_say_what_a_reviewer_need_not_hear() -> None:
    assert {one.value for one in State} == {"said", "elsewhere", "missing"}
    assert GREETING.where is NAME.where is Where.begin
    assert MORE.where is CLOSING.where is Where.end
