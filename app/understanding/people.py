"""Who the caller says they are: 我姓王, 我叫王建国, 我是王女士. Only what somebody says of themselves. Pure.

The family name decides: it stands in a table. What follows it is taken as far as it can be a name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from app.understanding.model import Found, Kind

_FAMILY = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高郑梁谢宋唐许韩邓冯曹彭曾肖萧田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟"
    "谭陆汪范金石廖贾夏韦付傅方白邹孟熊秦邱江尹薛闫阎段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤常温康施文牛樊葛邢安"
    "齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳"
    "管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤阳时穆农司卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全佟应臧闵苟"
    "邬边卞姬师和仇栾隋商刁沙荣巫寇桑郎甄丛仲虞敖巩明佘池查麻苑迟邝"
)
_DOUBLE = (
    "欧阳",
    "司马",
    "上官",
    "诸葛",
    "司徒",
    "东方",
    "皇甫",
    "尉迟",
    "慕容",
    "令狐",
    "夏侯",
    "端木",
    "南宫",
    "长孙",
)
_SPELT: Mapping[str, str] = {
    "弓长张": "张", "立早章": "章", "木子李": "李", "耳东陈": "陈", "双口吕": "吕", "草头黄": "黄", "言午许": "许",
    "古月胡": "胡", "口天吴": "吴", "双木林": "林", "三横王": "王", "三点水江": "江", "走肖赵": "赵", "禾木程": "程",
    "干勾于": "于", "人可何": "何", "草头蒋": "蒋", "双人徐": "徐", "美女姜": "姜", "文刀刘": "刘", "竹字头简": "简",
}  # fmt: skip
"""How a family name is told from its homophones."""
_TITLE = "先生|女士|小姐|老师|师傅|大爷|大妈|阿姨|同志"
_NAME = f"(?:{'|'.join(_DOUBLE)}|[{_FAMILY}])"
_CUT = "我住在是的今家电想要就有来打反投这那说呢啊吧嗯手联身，,。！？ \n啦了吗哈你您请问咨举昨前也"
_GIVEN = rf"(?:(?!{'|'.join(_SPELT)})[^\W\d_{_CUT}])"
_INTRODUCED = re.compile(
    r"(?<![你您他她姓])(?:我姓|免贵姓|本人姓|我的姓是|(?:(?<=^)|(?<=[，, 。]))姓)"
    rf"(?:(?P<spelt>{'|'.join(_SPELT)})|(?P<family>{_NAME})(?P<title>{_TITLE})?)"
    rf"(?:[，, ]?(?P<after>{'|'.join(_SPELT)}))?"
    r"(?:[，, ]?(?:名字叫|叫|单名)(?P<called>[\u4e00-\u9fff]{1,4}))?"
)
_CALLED = re.compile(
    rf"(?<![你您他她])(?:我叫|我的名字叫|我名字叫|我的名字是|我名叫|本人叫|本人名叫|姓名(?:是|叫|[:：])\s?)(?P<name>{_NAME}{_GIVEN}{{1,2}})"
)
_TITLED = re.compile(rf"(?:我是|这里是|我这边是)(?P<name>{_NAME}(?:{_TITLE}))")


def find(text: str) -> list[Found]:
    """Every name that somebody gave as their own, in order."""
    found = [_introduced(one) for one in _INTRODUCED.finditer(text)]
    found += [Found(Kind.name, one["name"], one.start("name"), one.end("name"), 0.8) for one in _CALLED.finditer(text)]
    found += [Found(Kind.name, one["name"], one.start("name"), one.end("name"), 0.85) for one in _TITLED.finditer(text)]
    return sorted(found, key=lambda one: one.start)


def _introduced(one: re.Match[str]) -> Found:
    family = _SPELT[one["after"] or one["spelt"]] if one["after"] or one["spelt"] else one["family"]
    full = re.match(rf"{_NAME}{_GIVEN}{{1,2}}", one["called"] or "")
    if full is not None and full[0].startswith(family):
        return Found(Kind.name, full[0], one.start(), one.start("called") + full.end(), 0.8)
    end = one.start("called") - 1 if one["called"] else one.end()
    return Found(Kind.name, family + (one["title"] or ""), one.start(), end, 0.9)
