"""Addresses in what was said: a road or an estate, and the house on it (人民路一百二十号 → 人民路120号). Pure.

Chinese has no blanks, so that where a name begins is the question: a name that is known already (`app.places`)
answers it, else the words before which no name goes on (我住在, 这边的). What may be any road (马路, 我们小区) is no
address. A kind of place that is also an everyday word (里, 城, 中心) counts where the name is known or a house follows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from app.understanding.model import Found, Kind
from app.understanding.numerals import DIGIT, NUMERAL, written

STRONG = (
    "大道 大街 商业街 步行街 胡同 小区 社区 家园 花园 新村 公寓 广场 大厦 街道 工业区 开发区 工业园 新城 路 街 巷 村 镇"
)
WEAK = "弄 里 苑 园 城 坊 庄 湾 桥 中心 市场 商场 小学 中学 大学 学校 学院 医院 公园 车站 地铁站 码头 府 庭 居"
_KINDS = sorted([*STRONG.split(), *WEAK.split()], key=len, reverse=True)
_STRONG = frozenset(STRONG.split())
_KIND = re.compile(rf"(?:{'|'.join(_KINDS)})(?:{'|'.join(one for one in _KINDS if len(one) > 1)})*")
_EACH = re.compile("|".join(_KINDS))
LONGEST_NAME, MOST_CANDIDATES = 8, 2_000
SURE_KNOWN, SURE_HOUSE, SURE_NAMED, SURE_LONG, SURE_BARE = 0.95, 0.8, 0.65, 0.4, 0.5

_STOPS = sorted(
    ("住在 位于 地址是 地址在 地址 就在 是在 靠近 经过 路过 沿着 家住 这边 那边 这里 那里 这个 那个 这条 "
    "那条 我们 咱们 你们 他们 我家 有个 有一条 反映 投诉 举报 咨询 请问 你好 您好 关于 现在 最近 今天 "
    "昨天 前天 昨晚 今早 早上 晚上 上午 下午 附近 旁边 对面 门口 楼下 想问 一下 因为 所以 市民 麻烦 住 在 "
    "是 到 从 叫 去 的 了 往 我 你 他 她 们 说 把 被 给 对 离 走 修 挖 堵 喂 嗯 啊 呃 哦 那 这 有 就 还 "
    "跟 咱 俺 于是 得 着 过 来 吧 呢 吗 也 都 要 想 找 问").split(),
    key=len,
    reverse=True,
)  # fmt: skip
_STOP = re.compile(rf"{NUMERAL}{{1,3}}点半?|[一两二三四五几]个|{'|'.join(_STOPS)}")
_INSIDE = re.compile(r"有(?=[恒为])|那(?=曲)|来(?=[安福])|过(?=街楼)")
"""Names that have such a word in them."""
_AND = re.compile(r"[和与跟]")
_ANY = re.compile(
    r"(?:个|整|本|全|每|该|几|条|隔壁|居民|住宅|封闭|高档|老旧?|旧|所在|别|农|乡|城中|各|邻|步行|商业|小吃|美食|街心|后|小|服务)$"
)
"""What makes any place of a kind of place behind it, and no name: 整个小区, 步行街, 城中村."""
_ANY_ROAD = frozenset("路跑马公铁道线电思销沿半让迷条网弯绕封岔灯字")
"""路 behind these is none that has a name (马路, 电路, 半路)."""
_NUMBERED = re.compile(rf"{NUMERAL}$")
_NAMED_BY_NUMBER = frozenset(["五一", "八一", "五四", "七一", "统一", "三八"])
"""Roads whose name ends with a numeral; any other is a bus (公交三路)."""
_GOES_ON = re.compile(r"[东南西北中新老]{0,2}(?:路|街|大道|大街|巷)")
"""Behind a kind that is an everyday word: it was a part of the road's name (杏园南路)."""
_UNITS = "号楼|号院|号|弄|栋|幢|座|单元|室|户|层楼|层|楼|组|门|排|队"
_HOUSE = re.compile(
    rf"(?P<number>(?:{NUMERAL}|幺){{1,8}})(?P<unit>{_UNITS})|(?P<letter>[A-Za-z甲乙丙丁])(?P<block>座|栋|幢|区)"
)
_ROOM = re.compile(rf"{DIGIT}{{3,4}}(?!{DIGIT}|[年月天块元个多户人次分度平点年])")
_WITHIN = re.compile(r"里面|里头|里的|内|[东南西北]门|大门|门口|对面|旁边|附近")
_BEHIND = re.compile(r"的?(?:交叉口|交汇处|交界|路口|对面|门口|附近|旁边)")
_ESTATES = frozenset("园苑城府庭湾坊庄居")
_NO_ESTATE = re.compile(r"(?:幼儿|公|校|果|菜|茶|陵|墓|乐|动物|植物|校|全|进|出|县|新|老|商|工业|科技)$")
"""What is no estate though it ends like one: 幼儿园, 公园."""
_CLAUSE = re.compile(r"[，,。！？；\s\n]")
_DISTRICT = re.compile(r"[\u4e00-\u9fff]{2,3}?(?:区|县|市)(?=[\u4e00-\u9fff]{2})")


@dataclass(frozen=True)
class _Name:
    """A road, an estate or a village, and how sure it is."""

    text: str
    start: int
    end: int
    sure: float
    strong: bool


def candidates(text: str) -> set[str]:
    """Every name that may be a known place, to be looked up: what ends with a kind of place."""
    found: set[str] = set()
    for one in _KIND.finditer(text):
        since = _clause_start(text, one.start())
        for length in range(1, LONGEST_NAME + 1):
            if one.start() - length < since or len(found) >= MOST_CANDIDATES:
                break
            found.add(text[one.start() - length : one.end()])
    return found


def areas_in(text: str, areas: Iterable[str]) -> list[Found]:
    """The city's areas that are named, the first mention of each."""
    found = [Found(Kind.area, area, at, at + len(area), 0.9) for area in areas if area and (at := text.find(area)) >= 0]
    return sorted(found, key=lambda one: one.start)


def find(text: str, known: Mapping[str, str] | None = None) -> list[Found]:
    """Every address, in order; `known` are the places that exist."""
    known = known or {}
    found: list[Found] = []
    at, names = 0, list(_names(text, known))
    while at < len(names):
        whole, used = _whole(text, names, at)
        if whole is not None:
            found.append(whole)
        at += used
    found += [one for one in _bare(text) if all(one.end <= it.start or one.start >= it.end for it in found)]
    return sorted(found, key=lambda one: one.start)


def _whole(text: str, names: Sequence[_Name], at: int) -> tuple[Found | None, int]:
    """An address from this name on, further names and houses that follow without a gap with it; how many names."""
    parts, sure, house, used = [names[at].text], names[at].sure, False, 1
    end = names[at].end
    while True:
        told, end = _houses(text, end)
        house = house or bool(told)
        parts += told
        joined = _joined(text, names, at + used, end)
        if joined is None:
            break
        parts += joined
        end = names[at + used].end
        sure = max(sure, names[at + used].sure)
        used += 1
    at_estate = _WITHIN.match(text, end) is not None and _is_estate(names[at + used - 1])
    behind = _BEHIND.match(text, end)
    if behind is not None:
        parts.append(behind[0].removeprefix("的"))
        end = behind.end()
    if not house and not at_estate and not any(one.strong for one in names[at : at + used]):
        return None, used
    if house:
        sure = max(sure, SURE_HOUSE) if sure >= SURE_NAMED else sure + 0.2
    return Found(Kind.address, "".join(parts), names[at].start, end, round(sure, 2)), used


def _is_estate(one: _Name) -> bool:
    return one.text[-1] in _ESTATES and _NO_ESTATE.search(one.text[:-1]) is None


def _joined(text: str, names: Sequence[_Name], at: int, end: int) -> list[str] | None:
    """The next name, if it goes on where the last part ended: at once, or as the other road of a crossing."""
    if at >= len(names):
        return None
    gap = text[end : names[at].start]
    if gap == "":
        return [names[at].text]
    crossing = _AND.fullmatch(gap) and re.match(r"(?:的)?(?:交叉口|交汇处|交界|路口)", text[names[at].end :])
    return ["与", names[at].text] if crossing else None


def _houses(text: str, at: int) -> tuple[list[str], int]:
    told: list[str] = []
    while (one := _HOUSE.match(text, at)) is not None:
        told.append(written(one["number"]) + one["unit"] if one["number"] else one["letter"].upper() + one["block"])
        at = one.end()
    room = _ROOM.match(text, at) if told else None
    if room is not None:
        told.append(written(room[0]))
        at = room.end()
    return told, at


def _bare(text: str) -> Iterator[Found]:
    """A house without its street: at least two parts, a block or a unit among them."""
    at = 0
    while (one := _HOUSE.search(text, at)) is not None:
        told, end = _houses(text, one.start())
        if len(told) > 1 and re.search("栋|幢|单元|号楼", "".join(told)):
            yield Found(Kind.address, "".join(told), one.start(), end, SURE_BARE)
        at = max(end, one.end())


def _names(text: str, known: Mapping[str, str]) -> Iterator[_Name]:
    last = 0
    for one in _KIND.finditer(text):
        if one.start() < last:
            continue
        since = max(last, _clause_start(text, one.start()), one.start() - LONGEST_NAME)
        name = _known_name(text, one, max(last, _clause_start(text, one.start())), known) or _new_name(text, one, since)
        if name is not None:
            yield name
            last = name.end
            _, last = _houses(text, last)


def _known_name(text: str, kind: re.Match[str], since: int, known: Mapping[str, str]) -> _Name | None:
    for start in range(max(since, kind.start() - LONGEST_NAME), kind.start()):
        if text[start : kind.end()] in known:
            return _Name(text[start : kind.end()], start, kind.end(), SURE_KNOWN, True)
    return None


def _new_name(text: str, kind: re.Match[str], since: int) -> _Name | None:
    window, cut = text[since : kind.start()], 0
    stops = [one for one in _STOP.finditer(window) if not _INSIDE.match(window, one.start())]
    if stops:
        cut = stops[-1].end()
    if since > 0 and cut == 0 and (first := _AND.match(window)) is not None:
        cut = first.end()
    district = _DISTRICT.match(window + kind[0], cut)
    if district is not None and len(window) - district.end() >= 2:
        cut = district.end()
    name, kinds = window[cut:], _EACH.findall(kind[0])
    strong = any(one in _STRONG for one in kinds)
    if not strong and _GOES_ON.match(text, kind.end()):
        return None
    if not 2 <= len(name) <= 6 or not name.isalpha() or _is_any(name, kinds[0]):
        return None
    return _Name(name + kind[0], since + cut, kind.end(), SURE_NAMED if len(name) <= 4 else SURE_LONG, strong)


def _is_any(name: str, kind: str) -> bool:
    """Whether it is any place of its kind (马路, 整个小区), or the inside of one (小区里)."""
    if kind == "路":
        bus = _NUMBERED.search(name) is not None and name not in _NAMED_BY_NUMBER
        return bus or name[-1] in _ANY_ROAD
    inside = kind in ("里", "中心") and any(name.endswith(one) for one in _KINDS if len(one) > 1)
    return inside or _ANY.search(name) is not None


def _clause_start(text: str, at: int) -> int:
    since = max(0, at - LONGEST_NAME - 1)
    before = [one.end() for one in _CLAUSE.finditer(text, since, at)]
    return before[-1] if before else since
