"""What texts are found by: pairs of characters, words, numbers; what is shown of them; what is kept of a search."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.search.index import MOST_WEIGHED, rarest
from app.search.tokens import MOST_WANTED, Wanted, excerpt, impersonal, key_of, marked, parts, sought, tokens
from app.search.variants import TO_SIMPLIFIED


def words(text: str) -> list[str]:
    return [token.text for token in tokens(text)]


def shown(text: str, query: str) -> str:
    return "".join(f"[{part.text}]" if part.found else part.text for part in parts(text, sought(query)))


def test_chinese_is_cut_into_pairs_and_everything_else_into_words():
    assert words("城南停水") == ["城南", "南停", "停水", "水"]
    assert words("接种HPV疫苗, 2026年") == ["接种", "种", "hpv", "疫苗", "苗", "2026", "年"]


def test_width_case_and_the_commonest_traditional_characters_do_not_matter():
    assert words("ＨＰＶ　１２３４５") == ["hpv", "12345"]
    assert words("供電中斷") == words("供电中断")
    assert len(TO_SIMPLIFIED) > 400
    assert not set(TO_SIMPLIFIED.values()) & {chr(code) for code in TO_SIMPLIFIED}, "simplified in one step"


def test_a_query_wants_its_pairs_and_takes_what_is_still_being_typed_for_a_beginning():
    assert sought("停水通知") == [Wanted("停水"), Wanted("水通"), Wanted("通知")]
    assert sought("水") == [Wanted("水", begins=True)]
    assert sought("医保 ic") == [Wanted("医保"), Wanted("ic", begins=True)]
    assert sought("ic 卡") == [Wanted("ic"), Wanted("卡", begins=True)]


def test_a_token_is_marked_with_the_texts_in_which_a_search_may_want_it():
    assert marked(["停水", "停电", "恢复"]) == [
        *("a停水", "a水", "b停水", "b水", "c停水", "c水"),
        *("b停电", "b电", "c停电", "c电", "c恢复", "c复"),
    ]


@given(st.text(max_size=60), st.text(max_size=20))
def test_the_pieces_are_the_text_whatever_it_and_the_query_are(text: str, query: str):
    assert "".join(part.text for part in parts(text, sought(query))) == text
    for pieces in (parts(text, sought(query)), excerpt(text, sought(query), 10)):
        assert all(a.found != b.found for a, b in pairwise(pieces))


@given(st.text(max_size=60))
def test_a_text_is_found_by_itself_and_tokens_hold_nothing_that_an_index_could_read_as_more(text: str):
    made = set(words(text))
    assert all(any(one.fits(token) for token in made) for one in sought(text))
    assert all(token.isalnum() or ord(token[0]) > 0x3000 for token in made)


@pytest.mark.parametrize("query", ["", " ", '"', "'; DROP TABLE", "AND OR NOT", "a*", "\0", "😀", "(((", "停" * 10_000])
def test_no_query_wants_more_than_can_be_asked(query: str):
    assert len(sought(query)) <= MOST_WANTED


def test_what_was_sought_is_marked_where_it_stands():
    assert shown("因停水，电话停机", "停水") == "因[停水]，电话停机"
    assert shown("供電所電話", "电话") == "供電所[電話]"
    assert shown("水压低，放水", "水") == "[水]压低，放[水]"
    assert shown("HPV疫苗", "hp") == "[HP]V疫苗"


def test_an_excerpt_shows_where_most_of_it_stands():
    text = "前言" * 40 + "停水期间有送水车，" + "后话" * 60
    pieces = excerpt(text, sought("停水 送水车"), 40)
    told = "".join(piece.text for piece in pieces)
    assert "停水期间有送水车" in told
    assert told.startswith("…")
    assert told.endswith("…")
    assert len(told) <= 42
    assert "".join(piece.text for piece in excerpt("短\n句", sought("无"))) == "短 句"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("王先生 138 0013 8000 停水", "王先生 停水"),
        ("１３８００１３８０００停水", "停水"),
        ("身份证44010119900101123X补办", "身份证 补办"),
        ("li.wang@example.cn 退税", "退税"),
        ("1-2-3-4-5号楼", "号楼"),
        ("2026 年 1200 元", "2026 年 1200 元"),
    ],
)
def test_long_numbers_and_addresses_are_dropped_from_what_is_kept_of_a_search(text: str, kept: str):
    assert impersonal(text) == kept


def test_searches_that_mean_the_same_have_one_key():
    assert key_of("停水 ，HPV！") == key_of("停水　ＨＰＶ") == "停水 hpv"
    assert key_of("！？") == ""


def test_what_has_the_rarer_words_comes_first_and_common_words_alone_find_nothing():
    assert rarest({0: [7], 1: [8, 9], 2: list(range(1, 80))}, 100) == [7, 9, 8]
    assert rarest({0: [7], 1: [7, 8, 9]}, 100) == [7], "half as good as the best is not good enough"
    assert rarest({0: list(range(60))}, 100) == []
    common = list(range(MOST_WEIGHED + 1))
    assert rarest({0: common, 1: [5]}, 100_000) == [5], "a word in so many counts for nothing beside another"
