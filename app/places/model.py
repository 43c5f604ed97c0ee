"""What of an address may be offered to somebody else: the road, the estate or the village. Pure.

Never a house, a block, a door or a name: the address is cut where its first number begins, and whatever stands behind
the last word for a kind of place falls away. What is left is offered only once two different callers have named it
(`app.places.service`), so that "the alley behind my shop" of one person stays theirs (PIPL: no more than is needed).
"""

from __future__ import annotations

import re
import unicodedata

LONGEST_PLACE, LONGEST_AREA = 40, 64
SHORTEST_PLACE = 2
_KINDS = (
    "大道 交叉口 路口 路 大街 街 巷 弄 胡同 里 坊 村 庄 屯 寨 湾 镇 乡 街道 社区 小区 家园 花园 园区 园 苑 城 公寓 "
    "新村 广场 大厦 中心 市场 商场 小学 中学 大学 学校 学院 医院 公园 车站 地铁站 桥 码头 工业区 开发区 新区"
)
_KIND = re.compile("|".join(sorted(_KINDS.split(), key=len, reverse=True)))
_ASIDE = re.compile(r"[(\[【〔「『<《].*?(?:[)\]】〕」』>》]|$)")
_HOUSE = re.compile(
    r"[0-9#]|[一二三四五六七八九十百零〇两]+(?=[号栋幢座楼单室户层弄组门排院])|[甲乙丙丁a-z]+(?=[座栋幢区])"
)
_PLAIN = re.compile(r"[\u3400-\u9fffa-z·]+")


def road_of(address: str) -> str:
    """The part of an address that names no house: 人民路128号5单元 → 人民路, 翠竹园小区三号楼张家 → 翠竹园小区.

    "" where no road, estate or village is named.
    """
    told = _ASIDE.sub("", unicodedata.normalize("NFKC", address))
    head, _ = split(told)
    plain = "".join(_PLAIN.findall(head.casefold()))
    ends = [found.end() for found in _KIND.finditer(plain)]
    place = plain[: ends[-1]] if ends else ""
    return place if SHORTEST_PLACE <= len(place) <= LONGEST_PLACE else ""


def split(address: str) -> tuple[str, str]:
    """An address in two: what stands before its first number, however wide it is written, and the rest."""
    told = unicodedata.normalize("NFKC", address)
    house = _HOUSE.search(told)
    return (told[: house.start()], told[house.start() :]) if house else (told, "")


def area_of(area: str) -> str:
    """The area as it is kept beside a place; "" for what is no plain name."""
    plain = unicodedata.normalize("NFKC", area).strip()
    return plain if _PLAIN.fullmatch(plain.casefold()) and len(plain) <= LONGEST_AREA else ""
