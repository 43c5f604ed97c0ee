"""Of an address only the road, the estate or the village may be told to others: never a house, a door or a name."""

from __future__ import annotations

import pytest

from app.demo.cases.matters import ESTATES, ROADS
from app.places.model import area_of, road_of, split


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("幸福里 5 号", "幸福里"),
        ("人民路128号5单元302室", "人民路"),
        ("翠竹园３栋２单元", "翠竹园"),
        ("城南街道翠竹园小区三号楼张三家", "城南街道翠竹园小区"),
        ("保密巷七十七号", "保密巷"),
        ("五一路与中山路交叉口东北角", "五一路与中山路交叉口"),
        ("三里屯村李四家后院", "三里屯村"),
        ("第一中学对面", "第一中学"),
        ("建设东路（找王小明，13800138000）", "建设东路"),
        ("锦绣园A座1201", "锦绣园"),
        ("王小明家", ""),
        ("13800138000", ""),
        ("楼下", ""),
        ("", ""),
        ("路" * 60, ""),
        ("<b>人民路</b>", "人民路"),
    ],
)
def test_the_road_is_told_and_the_house_is_not(address: str, place: str):
    assert road_of(address) == place


def test_every_place_of_the_invented_city_is_one_with_any_house_behind_it():
    for place in [*ROADS, *ESTATES]:
        assert road_of(f"{place}35号") == road_of(f"{place}5号楼") == place


def test_no_digit_is_ever_told():
    for address in ("1号路12号", "107国道旁", "5一2弄人民路9", "人民路1️⃣号", "①号院人民路"):
        assert not any(char.isdigit() for char in road_of(address)), address


def test_what_stands_before_the_house_is_what_is_looked_up():
    assert split("人民路12号3楼") == ("人民路", "12号3楼")
    assert split("人民路") == ("人民路", "")
    assert split("人民路１２８号") == ("人民路", "128号")


def test_an_area_is_a_plain_name():
    assert area_of(" 东湖区 ") == "东湖区"
    assert area_of("东湖区（张三）") == area_of("城南12") == ""
