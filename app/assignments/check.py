"""What makes a reply complete, and what is wrong with a letter (C6, C7; 篇6 第十四条, 篇8). Pure.

A fault refuses the reply; a warning is shown to whoever writes or judges it and lets it pass.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from app.assignments.model import Contact, Opinion
from app.reply_templates.model import TO_FILL

SHORTEST = 4  # characters: "已办" says nothing


@dataclass(frozen=True)
class Asked:
    """What has to be answered: items and attachments, by what they are called, each with its words."""

    items: Mapping[str, str]
    papers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Written:
    """A reply as it would be handed in."""

    result: str = ""
    measures: str = ""
    next_step: str = ""
    answers: Mapping[str, str] = field(default_factory=dict)
    papers: Mapping[str, str] = field(default_factory=dict)
    contact: Contact | None = None
    contacted_at: datetime | None = None
    opinion: Opinion | None = None
    opinion_why: str = ""
    signed_name: str = ""
    sealed: bool = False
    letter: str = ""


@dataclass(frozen=True)
class Remark:
    """One thing about a reply: where, and what, in both languages."""

    where: str
    zh: str
    en: str

    @property
    def told(self) -> str:
        """Both languages, as errors say things."""
        return f"{self.zh} ({self.en})"


def faults(reply: Written, asked: Asked) -> list[Remark]:
    """What keeps the handler from handing the reply in."""
    found = [
        Remark(f"answers.{ident}", f"事项未答复：{_short(text)}", "this item is not answered")
        for ident, text in asked.items.items()
        if len(reply.answers.get(ident, "").strip()) < SHORTEST
    ]
    found += [
        Remark(f"papers.{ident}", f"附件未回应：{_short(text)}", "nothing is said about this attachment")
        for ident, text in asked.papers.items()
        if not reply.papers.get(ident, "").strip()
    ]
    if len(reply.result.strip()) < SHORTEST:
        found.append(Remark("result", "缺少办理结果", "the result is missing"))
    if reply.contact is None:
        found.append(Remark("contact", "请选择与市民联系的方式", "say how the citizen was spoken with"))
    elif reply.contact is not Contact.none and reply.contacted_at is None:
        found.append(Remark("contacted_at", "请填写联系时间", "say when"))
    if reply.opinion is None and not reply.opinion_why.strip():
        found.append(Remark("opinion", "缺少市民意见或未征求意见的原因", "the citizen's opinion, or why there is none"))
    if reply.contact is Contact.none and reply.opinion is not None:
        found.append(Remark("opinion", "未联系市民，不能填写市民意见", "nobody asked the citizen"))
    if not reply.signed_name.strip():
        found.append(Remark("signed_name", "缺少经办人签名", "the handler's signature is missing"))
    return found + [_unfilled(where, blank[1]) for where, text in _texts(reply) if (blank := TO_FILL.search(text))]


def _texts(reply: Written) -> Iterator[tuple[str, str]]:
    for name in ("result", "measures", "next_step", "letter"):
        yield name, getattr(reply, name)
    for group in ("answers", "papers"):
        yield from ((f"{group}.{ident}", text) for ident, text in getattr(reply, group).items())


def _unfilled(where: str, what: str) -> Remark:
    return Remark(where, f"还有待填的内容：{what[:20]}", "something is still to be filled in")


def unsealed(reply: Written) -> list[Remark]:
    """What keeps a unit's leader from sending it on."""
    return [] if reply.sealed else [Remark("sealed", "缺少单位盖章", "the unit's seal is missing")]


# What a letter must not say (篇8 的通病) and why it is bad. Whole words; the first that is found is named.
_EMPTY_WORDS: Mapping[str, str] = {
    "我们会处理": "没有说明如何处理",
    "正在研究": "没有说明结果",
    "尽快解决": "没有说明期限",
    "无法解决": "没有说明依据和其他途径",
    "不归我们管": "推诿用语",
    "不属于我单位": "没有说明由谁负责",
}
_DATE = re.compile(r"\d{4}\s*年\s*\d{1,2}\s*月\s*\d{1,2}\s*日")
_PHONE = re.compile(r"(?<!\d)(?:0\d{2,3}[- ]?\d{7,8}|1[3-9]\d{9}|12345|400[- ]?\d{3}[- ]?\d{4})(?!\d)")

# Asterisks are no blanks: where the citizen is hidden a letter says 王**.
_BLANK = re.compile(r"[xX×]{2,}|[_＿]{2,}|[（(]\s*[）)]|\{[^{}\n]*\}|某某")
_MARKUP = re.compile(r"</?[a-zA-Z][^<>]*>|&[a-z]{2,8};")
# What a letter tells (C7), the words of which one speaks for it, and how its lack is told.
_PARTS: Sequence[tuple[str, str, str]] = (
    (
        r"反映|诉求|咨询|投诉|举报|求助|建议|意见|事项|来电|来信|来函",
        "回复函没有说明反映的事项",
        "the letter does not name the matter",
    ),
    (
        r"措施|采取|核实|核查|调查|协调|检修|维修|更换|整改|现场|组织|走访|督促|清理|派员|派人",
        "回复函没有说明采取的措施",
        "the letter does not say what was done",
    ),
    (r"已经?|现已|完成|修复|解决|答复如下|经核实|经查|查明", "回复函没有说明结果", "the letter tells no result"),
    (
        r"下一步|后续|今后|将继续|持续|定期|加强|如有|如对|如需|再次",
        "回复函没有说明下一步安排",
        "the letter does not say what comes next",
    ),
)


def warnings(reply: Written, *, number: str = "", units: Collection[str] = ()) -> list[Remark]:
    """What is weak in a reply and its letter; a letter should name the case by its `number`, and be signed by the unit
    with one of the names that it has.
    """
    found: list[Remark] = []
    letter = reply.letter.strip()
    if letter:
        found += _letter(letter, number, units)
    text = f"{reply.result}\n{letter}"
    for words, why in _EMPTY_WORDS.items():
        if words in text:
            found.append(Remark("wording", f"“{words}”：{why}", f"empty words: {words}"))
    if reply.contact is Contact.none:
        found.append(Remark("contact", "未联系市民", "the citizen was not spoken with"))
    if not reply.measures.strip():
        found.append(Remark("measures", "未写明采取的措施", "what was done is not said"))
    return found


def _letter(letter: str, number: str, units: Collection[str]) -> Iterable[Remark]:
    if not re.search(r"(女士|先生|市民|您好|同志|老师)", letter[:60]):
        yield Remark("letter", "回复函没有称呼", "the letter addresses nobody")
    if number and number not in letter and number.replace("-", "") not in letter:
        yield Remark("letter", "回复函没有工单编号", "the letter does not name the case")
    for words, zh, en in _PARTS:
        if not re.search(words, letter):
            yield Remark("letter", zh, en)
    if not _PHONE.search(letter):
        yield Remark("letter", "回复函没有联系电话", "the letter gives no number to call")
    if units and not any(name in letter[-120:] for name in units):
        yield Remark("letter", "回复函没有落款单位", "the letter is not signed by the unit")
    if not _DATE.search(letter[-60:]):
        yield Remark("letter", "回复函没有落款日期", "the letter has no date")
    if found := _BLANK.search(letter):
        yield Remark("letter", f"回复函有未填写的内容：{found[0][:20]}", "something in the letter is not filled in")
    if _MARKUP.search(letter):
        yield Remark("letter", "回复函里有网页代码", "there is markup of a web page in the letter")


def _short(text: str) -> str:
    return text if len(text) <= 30 else f"{text[:30]}…"
