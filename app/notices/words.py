"""The words of a notice, in both languages. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo

from app.clocks.limits import due_day
from app.clocks.model import ClockKind
from app.notices.model import OF_KNOWLEDGE, OF_QUALITY, NoticeKind
from app.text import covered

K = NoticeKind
WORDS: Mapping[NoticeKind, tuple[str, str]] = {
    K.given: ("新交办工单，请及时签收办理", "a case was given to your unit: sign and handle it"),
    K.redo: ("工单须重新办理", "to be handled again"),
    K.return_refused: ("退单不成立，请继续办理", "it can't be given back: go on handling it"),
    K.withdrawn: ("工单已撤回，不再由本单位办理", "taken back from your unit"),
    K.resumed: ("挂账期满，恢复办理", "off the account again: to be handled"),
    K.to_approve: ("办理结果待审签", "a reply waits for your signature"),
    K.reworked: ("办理结果退回修改", "the reply came back to be improved"),
    K.from_below: ("下级单位已报送办理结果", "the unit below has replied"),
    K.returned: ("单位退单，待裁定", "given back by a unit: to be judged"),
    K.replied: ("单位已回复，待审核", "the units have replied: to be reviewed"),
    K.proposal: ("回访建议重办，请研究", "the citizen's answer asks for it to be done again"),
    K.near: ("即将超期", "is nearly late"),
    K.chased: ("催办：已超期，请立即办理并报告", "is late: handle it at once and report"),
    K.chased_again: ("二次催办：仍未办理，请立即办理并报告", "second reminder: handle it at once and report"),
    K.late: ("已超期", "is late"),
    K.reprimand_draft: ("两次催办未果，通报稿待审定", "two reminders in vain: the draft of a reprimand waits"),
    K.reprimand: ("因超期未办被通报", "your unit was reprimanded for being late"),
    K.exposure_draft: ("通报后仍未办结，曝光建议待审定", "still not done after the reprimand: exposure is proposed"),
    K.exposure: ("因长期未办决定公开曝光", "will be made public for being left undone"),
    K.ordered: ("督办单：请按期办结", "supervision order: handle it by the day named"),
    K.order_unmet: ("督办期满，仍未办结", "not done by the day of the supervision order"),
    K.urgent: ("紧急工单，请确认收到并处置", "urgent: acknowledge and see to it"),
    K.extension_asked: ("申请延期，待审批", "more time is asked for"),
    K.article_due: ("待复审，请核对后确认或修订", "is due for review: confirm or revise it"),
    K.article_late: ("已过复审期限或有效期，请立即核对", "is past its day of review or expiry: see to it at once"),
    K.article_to_vet: ("待本单位负责人审核", "waits for you, the leader of its unit"),
    K.gap_given: ("有市民要问而没有答案的，请补写", "something that callers ask has no answer: write one"),
    K.review_published: ("质检单已发布，请查看", "the review was published: read it"),
    K.appealed: ("坐席提出申诉，待裁定", "the agent appeals: to be decided"),
    K.appeal_decided: ("申诉已有裁定，请查看", "your appeal was decided: read it"),
    K.trained: ("培训已登记，可以重新上岗", "your training was recorded: you may take calls again"),
    K.extension_decided: ("延期申请已有结果", "the request for more time was decided"),
}
del K
STEPS: Mapping[str, tuple[str, str]] = {
    ClockKind.dispatch.value: ("派单", "dispatch"),
    ClockKind.sign.value: ("签收", "signing"),
    ClockKind.handle.value: ("办理", "handling"),
    ClockKind.review.value: ("审核", "review"),
    ClockKind.follow_up.value: ("回访", "follow-up"),
}
SENDER = "12345"
CONFIDENTIAL = "（保密工单）"
_DIGITS = re.compile(r"[+＋]?\d(?:[\s\-‐-―－·.()（）]{0,3}\d){6,}")


@dataclass(frozen=True)
class Told:
    """What a notice says."""

    kind: NoticeKind
    number: str
    title: str = ""
    unit: str = ""
    step: str = ""
    due_at: datetime | None = None


def subject(told: Told) -> str:
    """The line above an e-mail."""
    if told.kind in OF_KNOWLEDGE:
        return f"【{SENDER}】知识库：{WORDS[told.kind][0]}"
    if told.kind in OF_QUALITY:
        return f"【{SENDER}】质检：{WORDS[told.kind][0]}"
    return f"【{SENDER}】工单 {told.number}：{WORDS[told.kind][0]}"


def text(told: Told, zone: tzinfo, language: str = "zh") -> str:
    """The notice as one sentence, for an SMS or a list."""
    zh, en = WORDS[told.kind]
    step = STEPS.get(told.step)
    if told.kind in OF_KNOWLEDGE:
        return _of_knowledge(told, zone, language)
    if told.kind in OF_QUALITY:
        return _of_quality(told, zone, language)
    if language.startswith("zh"):
        about = f"{told.unit}：" if told.unit else ""
        matter = f"（{told.title}）" if told.title and told.title != CONFIDENTIAL else told.title
        at = f"，时限 {due_words(told.due_at, zone)}" if told.due_at else ""
        return f"{about}工单 {told.number}{matter}{step[0] if step else ''}{zh}{at}。"
    about = f"{told.unit}: " if told.unit else ""
    named = f" ({told.title})" if told.title else ""
    at = f"; due {told.due_at.astimezone(zone):%Y-%m-%d %H:%M}" if told.due_at else ""
    return f"{about}case {told.number}{named}, {f'{step[1]}: ' if step else ''}{en}{at}."


def _of_knowledge(told: Told, zone: tzinfo, language: str) -> str:
    zh, en = WORDS[told.kind]
    if language.startswith("zh"):
        about, at = (
            f"{told.unit}：" if told.unit else "",
            f"，期限 {due_words(told.due_at, zone)}" if told.due_at else "",
        )
        return f"{about}知识库{f'“{told.title}”' if told.title else ''}{zh}{at}。"
    about, at = f"{told.unit}: " if told.unit else "", f"; due {due_day(told.due_at, zone)}" if told.due_at else ""
    return f"{about}knowledge base: {f'“{told.title}” ' if told.title else ''}{en}{at}."


def _of_quality(told: Told, zone: tzinfo, language: str) -> str:
    zh, en = WORDS[told.kind]
    if language.startswith("zh"):
        about = f"（{told.title} 的通话）" if told.title else ""
        return f"质检{about}：{zh}{f'，可申诉至 {due_words(told.due_at, zone)}' if told.due_at else ''}。"
    about = f", talk of {told.title}" if told.title else ""
    return f"quality{about}: {en}{f'; appeal until {due_day(told.due_at, zone)}' if told.due_at else ''}."


def body(told: Told, zone: tzinfo) -> str:
    """An e-mail's text, Chinese first."""
    return f"{text(told, zone)}\n\n{text(told, zone, 'en')}\n\n请登录热线系统查看。此邮件由系统发出，请勿回复。\n"


def due_words(due_at: datetime, zone: tzinfo) -> str:
    """An end as people say it: a limit in days ends at 24:00 of its last one."""
    local = due_at.astimezone(zone)
    if (local.hour, local.minute) == (0, 0):
        day = due_day(due_at, zone)
        return f"{day.year}年{day.month}月{day.day}日24:00"
    return f"{local.year}年{local.month}月{local.day}日{local:%H:%M}"


def plain_title(title: str, personal: Iterable[str], *, confidential: bool) -> str:
    """A case's title for people who may see it on a lock screen: no name, number, address; nothing of a secret one."""
    if confidential:
        return CONFIDENTIAL
    return impersonal(title, personal, "***")[:200]


def impersonal(text: str, personal: Iterable[str], mask: str) -> str:
    """`text` with `mask` in place of these words, whole (even a family name is too much), and of whatever may be a
    telephone number."""
    for word in sorted(personal, key=len, reverse=True):
        text = covered(text, word, mask)
    return _DIGITS.sub(mask, text)
