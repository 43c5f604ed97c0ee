"""The network's rules by themselves: every kind below every place, hours, initials, and the suggestion of a unit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.units.fields import Phone, written
from app.units.model import (
    LEVELS,
    LOWEST,
    Hindrance,
    PhoneKind,
    Place,
    UnitKind,
    hands_down,
    hindrances,
    initials,
    level_below,
    office_hours,
    place_faults,
    split_words,
)
from app.units.suggest import Example, Suggester, UnitWords, by_keyword
from app.units.suggestions import examples
from tests.bench.suggest import network, shares, split

PARENTS = [
    None,
    *(Place(kind, level, 1) for kind in UnitKind for level in LEVELS[kind]),
    Place(UnitKind.neighbour, None, None),
]


@pytest.mark.parametrize("parent", PARENTS)
@pytest.mark.parametrize("kind", list(UnitKind))
def test_a_units_parent_is_exactly_one_level_above_and_centre_and_neighbours_have_none(
    kind: UnitKind, parent: Place | None
):
    alone = kind in (UnitKind.centre, UnitKind.neighbour)
    fits = (
        parent is None
        if alone
        else parent is not None and parent.level is not None and parent.level + 1 in LEVELS[kind]
    )
    assert (place_faults(kind, parent) == {}) is fits
    if fits and not alone:
        assert level_below(parent) in LEVELS[kind]


@pytest.mark.parametrize("depth", range(4))
def test_a_unit_moves_with_all_below_it_and_nothing_gets_deeper_than_the_lowest_level(depth: int):
    bureau = Place(UnitKind.bureau, 1, 1)
    assert (place_faults(UnitKind.subordinate, bureau, depth) == {}) is (2 + depth <= LOWEST)


def test_nobody_stands_below_a_closed_unit():
    assert list(place_faults(UnitKind.bureau, Place(UnitKind.centre, 0, None, active=False))) == ["parent"]


def test_work_is_handed_only_to_own_direct_children_and_only_while_both_work():
    giver, child = Place(UnitKind.bureau, 1, 1), Place(UnitKind.subordinate, 2, 7)
    assert hands_down(7, giver, child)
    assert not hands_down(8, giver, child), "somebody else's child"
    assert not hands_down(7, giver, Place(UnitKind.subordinate, 3, 9)), "a grandchild"
    assert not hands_down(7, giver, Place(UnitKind.subordinate, 2, 7, active=False))
    assert not hands_down(7, Place(UnitKind.bureau, 1, 1, active=False), child)


def test_what_hinders_closing_is_named_one_by_one_and_what_is_none_is_not():
    work = [Hindrance("cases", 3, "还有 3 件工单", "3 cases"), Hindrance("letters", 0, "", "")]
    assert [(one.what, one.count) for one in hindrances(2, work)] == [("children", 2), ("cases", 3)]
    assert hindrances(0) == []


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("", ""),
        ("9:00-12:00", "09:00-12:00"),
        ("09：00–12：00、13:30至17:30", "09:00-12:00,13:30-17:30"),
        ("00:00-24:00", "00:00-24:00"),
    ],
)
def test_office_hours_are_kept_in_one_spelling(text: str, kept: str):
    assert office_hours(text) == kept
    assert office_hours(kept) == kept


@pytest.mark.parametrize(
    "text", ["9-12", "12:00-09:00", "09:00-12:00,11:00-13:00", "全天", "09:00-25:00", "09:00-09:00"]
)
def test_what_are_no_office_hours_is_refused(text: str):
    with pytest.raises(ValueError):
        office_hours(text)


def test_units_are_found_by_the_first_letters_of_their_sounds():
    assert initials("水务局") == "swj"
    assert initials("市场监管局") == "scjgj"
    assert initials("12345热线中心") == "12345rxzx"


@given(st.text(max_size=40))
def test_any_name_has_initials_in_plain_letters_and_digits(name: str):
    assert all(char.isascii() and char.isalnum() for char in initials(name))


def test_a_written_unit_is_cleaned_and_its_faults_are_named_by_field():
    values = {"code": " sw-1 ", "name": "云川市水务局", "kind": "bureau", "keywords": ["供水、停水", "供水"]}
    right = written(values, [Phone(PhoneKind.voice, "+86 21 5555 1234"), Phone(PhoneKind.fax, " ")])
    assert right.faults == {}
    assert (right.columns["code"], right.columns["short_name"]) == ("SW-1", "云川市水务局")
    assert right.columns["keywords"] == ["供水", "停水"]
    assert right.phones == (Phone(PhoneKind.voice, "02155551234"),)
    wrong = written(
        {**values, "code": "水", "name": "\u0000", "office_hours": "随时", "topics": ["长" * 21]},
        [Phone(PhoneKind.duty, "1")],
    )
    assert set(wrong.faults) == {"code", "name", "office_hours", "topics", "phones"}


def test_words_are_split_however_they_are_parted():
    assert split_words("供水、水表, 停水;水压　水质/供水") == ["供水", "水表", "停水", "水压", "水质"]


UNITS = (
    UnitWords(1, "城市公共供水，水表维护", ("自来水",), ("供水",)),
    UnitWords(2, "集中供热", ("暖气",), ("供热",)),
    UnitWords(3, "公共汽车", ("公交",), (), ("东湖区",)),
)


def test_a_suggestion_names_the_unit_and_the_words_that_decided():
    suggester = Suggester(UNITS, [Example("供水", "龙头里没有水"), Example("供热", "屋里冷得像冰窖")])
    best = suggester.suggest("邻居家屋里冷得很，暖气不热")[0]
    assert best.unit_id == 2
    assert set(best.words) == {"暖气", "屋里冷得"}
    assert suggester.suggest("拧开龙头没有")[0].unit_id == 1, "learned from an example, no keyword is in it"
    assert suggester.suggest("在东湖区")[0].unit_id == 3, "the area that it serves"


def test_words_of_which_nothing_is_known_suggest_nobody():
    suggester = Suggester(UNITS, [])
    assert suggester.suggest("") == []
    assert suggester.suggest("xyz 123 🙂") == []
    assert Suggester([], []).suggest("停水") == []


@given(st.text(max_size=200))
def test_whatever_is_said_the_words_told_are_parts_of_it(text: str):
    for guess in Suggester(UNITS, [Example("供水", "停水")]).suggest(text):
        assert all(word in text.lower() for word in guess.words)
        assert guess.words


def test_the_suggestion_beats_a_search_for_keywords_on_matters_it_has_never_seen():
    units, (learned, asked) = network(), split(examples())
    assert not {one.text for one in learned} & {one.text for one in asked}
    assert len({one.topic for one in asked}) >= 20
    suggester = Suggester(units, learned)
    first, three = shares(units, asked, lambda text: [one.unit_id for one in suggester.suggest(text)])
    base_first, base_three = shares(units, asked, lambda text: by_keyword(units, text))
    assert first > base_first + 0.1
    assert three > base_three + 0.2


def test_the_shipped_matters_are_many_different_ones_of_each_kind_and_every_kind_has_a_unit():
    counted = {
        topic: len({one.text for one in examples() if one.topic == topic}) for topic in {e.topic for e in examples()}
    }
    assert len(counted) >= 20
    assert all(count >= 20 for count in counted.values())
    assert counted.keys() <= {topic for unit in network() for topic in unit.topics}
