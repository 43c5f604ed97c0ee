"""Telephone and case numbers in what was said: digit by digit (幺三八…), doubled (三个零), with pauses in them. Pure.

A number is suggested only where it can be one: eleven digits of a mobile, an area code with its number, a local number
behind a word for telephone. Longer runs (identity cards, accounts) are none. Whose it is is told by the words around.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from app.cases.model import parse_number
from app.text import normal_number
from app.understanding.model import Found, Kind
from app.understanding.numerals import DIGIT, DIGITS

_PIECE = re.compile(
    rf"(?P<times>[两二三四五2345])个(?P<what>{DIGIT})|(?P<one>(?!一[直下样起些点定般位]|一个(?!{DIGIT})){DIGIT})|(?P<slang>[洞拐勾])"
)
_SLANG = {"洞": "0", "拐": "7", "勾": "9"}
_REST = re.compile(r"[\s\-‐–—.,，、·()（）]{1,3}|(?:[\s,，]?(?:嗯|呃|额|啊|哦|杠|那个|然后)[\s,，]?){1,2}")
_SHAPES = (
    (re.compile(r"(?:86)?1[3-9]\d{9}"), 0.95, False),
    (re.compile(r"0(?:10|2\d)[2-8]\d{6,7}|0[3-9]\d{2}[2-8]\d{6,7}"), 0.9, False),
    (re.compile(r"[48]00\d{7}"), 0.9, False),
    (re.compile(r"[2-8]\d{6,7}"), 0.7, True),
)
"""(shape, how sure, only behind a word for telephone)"""
_CALLED = re.compile(r"电话|号码|座机|手机|打|联系|拨|回")
_WRONG = re.compile(r"[\s,，啊呃嗯]{0,2}(?:不对|错了|说错|不是这个)")
_OWN = re.compile(r"(?<!给)我|本人|咱|俺|回电|回访|联系电话|联系方式|留个?电话")
_OTHERS = re.compile(
    r"他|她|它|儿子|女儿|老伴|爱人|老公|老婆|丈夫|妻子|妈|爸|孩子|邻居|朋友|同事|亲戚|对方|老板|商家|店|公司|物业|单位|客服|房东|中介|师傅|司机|骗|骚扰|陌生|推销|经理|居委会|村委|投诉的|显示"
)
_OTHERS_AFTER = re.compile(r"打来|打过来|打给我|骚扰|诈骗|推销|一直打|老打|总打")
_OTHER_DIGITS = re.compile(r"身份证|证号|银行卡|卡号|账号|帐号|户号|表号|订单|快递|学号|车牌|验证码|编码|条码")
_CLAUSE = re.compile(r"[。！？；\n]")
BEFORE, AFTER = 14, 8
MOST_GROUPS = 6


@dataclass(frozen=True)
class _Group:
    """Digits without a rest between them."""

    digits: str
    start: int
    end: int


def find(text: str) -> list[Found]:
    """Every telephone and case number, in order."""
    found: list[Found] = []
    for groups in _runs(text):
        if _OTHER_DIGITS.search(_before(text, groups[0].start)):
            continue
        at = 0
        while at < len(groups):
            one, used = _best(text, groups[at : at + MOST_GROUPS])
            if one is not None:
                found.append(one)
            at += used
    return found


def _best(text: str, groups: list[_Group]) -> tuple[Found | None, int]:
    """What the first of these groups begin, the most of them that make a number, and how many were used."""
    for count in range(len(groups), 0, -1):
        digits = "".join(group.digits for group in groups[:count])
        one = _read(text, digits, groups[0].start, groups[count - 1].end)
        if one is not None:
            # Eleven digits with more right behind them are part of something longer.
            return (None if _WRONG.match(text, one.end) else one), count
    return None, 1


def _read(text: str, digits: str, start: int, end: int) -> Found | None:
    if len(digits) == 14 and (number := parse_number(digits)):
        return Found(Kind.case_number, number, start, end, 0.9)
    before = _before(text, start)
    for shape, sure, called in _SHAPES:
        if shape.fullmatch(digits) and (not called or _CALLED.search(before)):
            kind = Kind.other_telephone if _is_others(digits, before, text[end : end + AFTER]) else Kind.telephone
            return Found(kind, normal_number(digits), start, end, sure)
    return None


def _before(text: str, start: int) -> str:
    return _CLAUSE.split(text[max(0, start - BEFORE) : start])[-1]


def _is_others(digits: str, before: str, after: str) -> bool:
    """Whether it is somebody else's: the nearest word that tells decides; of nobody's it is the caller's own."""
    if digits.startswith(("400", "800")) or _OTHERS_AFTER.search(after):
        return True
    own = max((one.end() for one in _OWN.finditer(before)), default=-1)
    others = max((one.end() for one in _OTHERS.finditer(before)), default=-1)
    return others > own


def _runs(text: str) -> Iterator[list[_Group]]:
    """Groups of digits with no more than a rest between them; one run after the other."""
    groups: list[_Group] = []
    digits, start, at = "", 0, 0
    while at < len(text):
        piece = _PIECE.match(text, at)
        if piece is not None and (digits or piece["slang"] is None):
            if not digits:
                start = at
            digits += _digits(piece)
            at = piece.end()
            continue
        if digits:
            groups.append(_Group(digits, start, at))
            digits = ""
        rest = _REST.match(text, at) if groups else None
        if rest is not None:
            at = rest.end()
            continue
        if groups:
            yield groups
            groups = []
        at += 1
    if digits:
        groups.append(_Group(digits, start, at))
    if groups:
        yield groups


def _digits(piece: re.Match[str]) -> str:
    if piece["times"]:
        return DIGITS[piece["what"]] * int(DIGITS[piece["times"]])
    return DIGITS[piece["one"]] if piece["one"] else _SLANG[piece["slang"]]
