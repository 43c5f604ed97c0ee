"""What kind of matter it is, by words that speak for one, and the matter itself without greetings. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import accumulate

from app.cases.model import CaseType
from app.understanding.model import Found, Kind

_NAMED, _TELLING, _HINT = 5, 2, 1
WORDS: Mapping[CaseType, Mapping[int, str]] = {
    CaseType.complaint: {
        _NAMED: "投诉",
        _TELLING: "没人管 无人管 不管 没人来 没人联系 还没人 打不通 不给 不让 不给退 不肯退 拒绝退 态度恶劣 "
        "态度很差 骂人 乱收费 多收 扰民 太吵 吵得 推诿 踢皮球 欺骗 坑人 强制 过期 发臭 臭气 克扣 拖欠 "
        "欠薪 不发工资 占道 油烟 臭味 刺鼻 偷排",
        _HINT: "一直没 没解决 三天了 好几天 噪音 堵着 影响 脏 乱",
    },
    CaseType.report: {
        _NAMED: "举报 检举 揭发",
        _TELLING: "违建 违章建筑 私自 偷税 假货 黑车 无证 传销 赌博 地下 违法 偷工减料 造假 卖假",
        _HINT: "偷偷",
    },
    CaseType.consult: {
        _NAMED: "咨询 想问 请问 问一下 问问 打听 了解一下",
        _TELLING: "怎么办理 能[^，。]{1,6}吗 怎么申请 怎么办手续 需要什么材料 要什么材料 要带什么 什么条件 "
        "什么时候能 多少钱 几点上班 能不能(?![^，。]{0,8}(?:派|帮|来|修|加装|增设|增加)) 什么时候开始 "
        "哪一步 (?<!听得)[^，。]吗(?=$|[，。？?]) 可不可以 可以吗 是不是要 在哪里办 在哪办 去哪办 怎么查 "
        "怎么交 如何办理 如何申请 标准是",
        _HINT: "怎么 多久 哪里 什么",
    },
    CaseType.help: {
        _NAMED: "求助 帮帮 救急",
        _TELLING: "帮我 帮忙 水管爆 爆管 爆了 停水 停电 停的[水电] 没水 没电 不亮 坏了 漏水 堵了 不热 积水 麻烦你们 "
        "能不能派人 派人来 来修 修一下 修修 走丢 走失 困难 没饭吃 困在 被困 快来 救",
        _HINT: "没来 麻烦",
    },
    CaseType.suggestion: {
        _NAMED: "建议 提个意见建议 我的建议",
        _TELLING: "应该增加 最好能 可以考虑 能否增设 增设 加装 多设 希望增加 希望能加 不妨",
        _HINT: "希望能 应该",
    },
    CaseType.opinion: {
        _NAMED: "提意见 提个意见 有意见 意见是",
        _TELLING: "不合理 不同意 不赞成 有看法 反对",
    },
    CaseType.praise: {
        _NAMED: "表扬 感谢信 要感谢 点赞 锦旗",
        _TELLING: "特别感谢 非常感谢 热心 好人好事 拾金不昧 服务很好 态度特别好 态度很好",
        _HINT: "多亏",
    },
}
"""Weight → words (expressions, parted by blanks) that speak for a type of matter."""
LEAST, AHEAD = 2, 1
"""So much must speak for it, and so much more than for the next."""
_PATTERNS = [
    (kind, weight, re.compile("|".join(words.split())))
    for kind, table in WORDS.items()
    for weight, words in table.items()
]
_DENIED = re.compile(r"(?:不是|不想|没有|没|不|别|不用|并非|不敢)(?:要|来|想|是)?$")
_SMALL_TALK = re.compile(
    r"喂|你好|您好|哎|嗯+|啊|呃|额|哦|噢|好的?|行|对的?|是的?|没有了?|谢谢你?您?|再见|拜拜|麻烦了|辛苦了|听得?[见到]吗?|在吗|"
    r"可以|知道了?|明白了?|没了|就这样|不客气|[\W\d_]"
)
_ONLY_DIGITS = re.compile(r"[零〇幺一二两三四五六七八九十\d\W个]+")
_NAMES_ASIDE = re.compile(
    r"我|您|你|他|她|的|是|就|记一?下|联系方式|联系电话|电话号码?|手机号?码?|号码|座机|工单号?|单号|编号"
)
LONGEST = 500


def kind_of(text: str) -> Found | None:
    """The type of matter that most of the words speak for; None where too little does, or as much for another."""
    weights: dict[CaseType, int] = {}
    told: dict[CaseType, tuple[int, int, int]] = {}
    for kind, weight, pattern in _PATTERNS:
        seen = set[str]()
        for one in pattern.finditer(text):
            if one[0] in seen or _DENIED.search(text[max(0, one.start() - 4) : one.start()]):
                continue
            seen.add(one[0])
            weights[kind] = weights.get(kind, 0) + weight
            if weight > told.get(kind, (0, 0, 0))[0]:
                told[kind] = (weight, one.start(), one.end())
    ranked = sorted(weights, key=lambda kind: -weights[kind])
    if not ranked or weights[ranked[0]] < LEAST:
        return None
    best, next_best = weights[ranked[0]], weights[ranked[1]] if len(ranked) > 1 else 0
    if best < next_best + AHEAD:
        return None
    _, start, end = told[ranked[0]]
    return Found(Kind.type, ranked[0].value, start, end, round(min(0.9, 0.5 + 0.08 * (best - next_best)), 2))


def matter_of(parts: Sequence[str], aside: Sequence[Found] = ()) -> Found | None:
    """What was said, part by part, without greetings, consent, mere numbers and parts that hold nothing but what is
    told `aside` (who calls, their number); None where nothing is left. Places are those in the parts joined by one
    character."""
    starts = [0, *accumulate(len(part) + 1 for part in parts)]
    telling = [at for at, part in enumerate(parts) if _tells(_without(part, starts[at], aside))]
    if not telling:
        return None
    kept: list[int] = []
    length = 0
    for at in telling:
        length += len(parts[at]) + 1
        if length > LONGEST and kept:
            break
        kept.append(at)
    value = "，".join(parts[at].strip("，, ") for at in kept)[:LONGEST]
    return Found(Kind.matter, value, starts[kept[0]], starts[kept[-1]] + len(parts[kept[-1]]), 0.7)


def _without(part: str, start: int, aside: Sequence[Found]) -> str:
    """The part from `start` of the text without what is told aside."""
    inside = [
        (one.start - start, one.end - start) for one in aside if one.start < start + len(part) and one.end > start
    ]
    left = "".join(char for at, char in enumerate(part) if not any(first <= at < last for first, last in inside))
    return _NAMES_ASIDE.sub("", left) if inside else left


def _tells(part: str) -> bool:
    return len(_SMALL_TALK.sub("", part)) >= 3 and not _ONLY_DIGITS.fullmatch(part)
