"""Who is told of what, and by which channel (C5, C8, C11; 篇6 第16、17、20条). Pure: tables and the back-off.

A notice is told to a person. One of a case carries the case's number, its title without personal words, a unit and a
time; never whoever called.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from app.auth.model import Permission
from app.outgoing import Patience


class NoticeKind(StrEnum):
    """What is told."""

    given = "given"  # 新交办
    redo = "redo"  # 重办
    return_refused = "return_refused"  # 退单不成立
    withdrawn = "withdrawn"  # 撤回
    resumed = "resumed"  # 挂账期满，恢复办理
    to_approve = "to_approve"  # 待审签
    reworked = "reworked"  # 退回修改
    from_below = "from_below"  # 下级报送
    returned = "returned"  # 退单待裁定
    replied = "replied"  # 待审核
    proposal = "proposal"  # 建议重办
    near = "near"  # 临期
    chased = "chased"  # 催办
    chased_again = "chased_again"  # 二次催办
    late = "late"  # 本级环节超期
    reprimand_draft = "reprimand_draft"  # 通报待审定
    reprimand = "reprimand"  # 通报
    exposure_draft = "exposure_draft"  # 曝光建议待审定
    exposure = "exposure"  # 曝光
    ordered = "ordered"  # 督办
    order_unmet = "order_unmet"  # 督办到期未办结
    urgent = "urgent"  # 紧急工单
    extension_asked = "extension_asked"  # 延期申请
    extension_decided = "extension_decided"  # 延期审批结果
    article_due = "article_due"  # 知识待复审
    article_late = "article_late"  # 知识逾期未复审
    article_to_vet = "article_to_vet"  # 知识待单位审核
    gap_given = "gap_given"  # 没找到的交单位补写
    review_published = "review_published"  # 质检单已发布
    appealed = "appealed"  # 质检申诉待裁定
    appeal_decided = "appeal_decided"  # 质检申诉已裁定
    trained = "trained"  # 培训已登记


class Desk(StrEnum):
    """Whose notice it is."""

    handlers = "handlers"  # 承办单位经办人
    leaders = "leaders"  # 承办单位负责人
    above = "above"  # 上级单位经办人
    giver = "giver"  # 交办方：上级单位，或派单员
    dispatch = "dispatch"  # 派单员、处室负责人
    review = "review"  # 审核人员
    follow_up = "follow_up"  # 回访人员
    extensions = "extensions"  # 审批延期的人
    heads = "heads"  # 处室负责人
    duty = "duty"  # 带班领导
    today = "today"  # 当日带班领导: who the roster says it is


OF_KNOWLEDGE = frozenset(
    {NoticeKind.article_due, NoticeKind.article_late, NoticeKind.article_to_vet, NoticeKind.gap_given}
)
"""They are about no case."""

OF_QUALITY: Mapping[NoticeKind, tuple[Permission, ...]] = {
    NoticeKind.review_published: (Permission.quality_own,),
    NoticeKind.appealed: (Permission.quality_decide, Permission.quality_review),
    NoticeKind.appeal_decided: (Permission.quality_own,),
    NoticeKind.trained: (Permission.quality_own,),
}
"""They are about a person's work, and told to whoever may do one of these still. Of a talk they say its day and its
agent, never who called nor what was said."""

WHOLE_UNIT = (Desk.handlers, Desk.leaders)

# Who sits at a desk of the centre: who may do the first and not the second. Leaders on duty may do nearly everything,
# and are told only of what is for them.
P = Permission
AT_THE_CENTRE: Mapping[Desk, tuple[Permission, Permission | None]] = {
    Desk.dispatch: (P.cases_dispatch, P.urgent_acknowledge),
    Desk.review: (P.cases_review, P.urgent_acknowledge),
    Desk.follow_up: (P.cases_follow_up, P.calls_handle),
    Desk.extensions: (P.extensions_decide, P.urgent_acknowledge),
    Desk.heads: (P.chases_decide, P.urgent_acknowledge),
    Desk.duty: (P.urgent_acknowledge, None),
}
del P


class Channel(StrEnum):
    """How a notice leaves the house; the web inbox has every notice anyway."""

    email = "email"
    sms = "sms"


K, D = NoticeKind, Desk
PRESSING = frozenset(
    {K.urgent, K.chased, K.chased_again, K.late, K.reprimand, K.exposure, K.ordered, K.order_unmet, K.exposure_draft}
)  # also by SMS


@dataclass(frozen=True)
class Telling:
    """Who is told when something happens to a case; `needs` is a word of the line's detail that must be true."""

    kind: NoticeKind
    desks: tuple[Desk, ...]
    needs: str = ""


BY_EVENT: Mapping[str, Telling] = {
    "unit.given": Telling(K.given, (D.handlers,)),
    "unit.redo": Telling(K.redo, (D.handlers, D.leaders)),
    "unit.return_refused": Telling(K.return_refused, (D.handlers,)),
    "unit.return_upheld": Telling(K.withdrawn, (D.handlers,)),
    "unit.withdrawn": Telling(K.withdrawn, (D.handlers,)),
    "unit.submitted": Telling(K.to_approve, (D.leaders,)),
    "unit.reworked": Telling(K.reworked, (D.handlers,)),
    "unit.replied": Telling(K.from_below, (D.above,)),
    "unit.returned": Telling(K.returned, (D.giver,)),
    "replied": Telling(K.replied, (D.review,)),
    "followed_up": Telling(K.proposal, (D.review,), needs="propose_redo"),
    "clock.extension_asked": Telling(K.extension_asked, (D.extensions,)),
    "clock.extension_decided": Telling(K.extension_decided, (D.handlers, D.leaders)),
}
del K, D

PATIENCE = Patience(first=timedelta(seconds=30), longest_pause=timedelta(hours=1), whole=timedelta(days=7))
"""With notices that could not be sent: the next try after 30 s, 1 min, 2 min, … an hour."""


def channels_of(kind: NoticeKind) -> tuple[Channel, ...]:
    """By which channels a notice goes out to whoever has given an address for them."""
    return (Channel.email, Channel.sms) if kind in PRESSING else (Channel.email,)
