"""How much two matters are alike: other words for the same, the same words for another place."""

from __future__ import annotations

import pytest

from app.cases.likeness import LIKE, Matter, key_words, likeness, same_place
from tests.bench.duplicates import judged, pairs

WATER = Matter("幸福里小区停水两天", "5号楼从昨晚开始没有自来水，物业不解释", "幸福里5号楼")


def test_the_same_matter_in_other_words_is_alike():
    other = Matter("幸福里没有自来水", "从昨天晚上停水到现在，5号楼都没有水", "幸福里小区5号楼")
    assert likeness(WATER, other) >= LIKE


def test_a_matter_is_wholly_like_itself_and_likeness_has_no_direction():
    other = Matter("路灯坏了", "人民路的路灯夜里不亮", "人民路")
    assert likeness(WATER, WATER) == pytest.approx(1.0)
    assert likeness(WATER, other) == likeness(other, WATER)


def test_the_same_words_about_another_place_are_much_less_alike():
    elsewhere = Matter("梧桐苑停水两天", WATER.content, "梧桐苑3号楼")
    assert likeness(WATER, elsewhere) < LIKE < likeness(WATER, Matter("停水两天", WATER.content))


def test_two_matters_that_share_their_place_only_are_not_alike():
    assert likeness(WATER, Matter("幸福里5号楼噪音", "幸福里5号楼楼上装修", "幸福里5号楼")) < LIKE


def test_what_has_hardly_been_begun_is_like_nothing():
    for begun in (Matter(), Matter("停"), Matter("停水"), Matter("", "", "幸福里5号楼"), Matter("😀%_", "\0")):
        assert likeness(begun, WATER) == 0.0


def test_what_is_always_said_makes_nothing_alike():
    assert (
        likeness(Matter("市民来电反映问题", "希望有关部门尽快处理"), Matter("市民来电咨询", "希望有关部门尽快核实"))
        == 0.0
    )


def test_a_place_is_the_same_by_its_words_and_its_numbers():
    assert same_place(Matter(address="幸福里 5 号楼"), Matter(address="幸福里５号楼"))
    assert not same_place(Matter(address="幸福里5号楼"), Matter(address="幸福里6号楼"))
    assert not same_place(Matter(address="幸福里5号楼"), Matter(address="梧桐苑5号楼"))
    assert not same_place(Matter(), Matter())


def test_a_matter_is_looked_up_by_its_title_or_the_beginning_of_its_content():
    assert key_words(Matter("市民反映路灯不亮", "人民路")).split() == ["路灯不亮"]
    assert key_words(Matter("", "路灯不亮" + "啊" * 100)).startswith("路灯不亮")
    assert len(key_words(Matter("", "啊" * 100))) <= 60


def test_on_pairs_that_people_have_judged_most_are_found_and_most_of_the_found_are_right():
    """Pairs that had no part in choosing the threshold; `make bench-duplicates` prints the figures."""
    precision, recall = judged(pairs()[1::2])
    assert len(pairs()) >= 60
    assert precision >= 0.8
    assert recall >= 0.75
