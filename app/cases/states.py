"""How a case and what it asks of units move, and who may move them: the one table (C2, C3, C6, C8, C16).

A line says: this act takes the subject from any of these states to that one, these may do it, and this must be said
with it. Whatever is no line is refused. `docs/case-states.md` is written from here (`hotline cases states`).

A case goes the way of its leading assignment: the lines of a case that units cause name `system` as who does them, for
nobody moves a case to "signed" but by signing the assignment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from app.transitions import step_in

State = TypeVar("State", bound=StrEnum)
Act = TypeVar("Act", bound=StrEnum)
Word = TypeVar("Word", bound=StrEnum)


class CaseState(StrEnum):
    """Where a case stands."""

    draft = "draft"  # 草稿
    discarded = "discarded"  # 作废 (nothing was said, a wrong number, …)
    registered = "registered"  # 已登记
    answered = "answered"  # 当即答复
    guided = "guided"  # 已引导
    referred = "referred"  # 已转阅
    transferred = "transferred"  # 已转电话办理
    declined = "declined"  # 不予受理
    to_dispatch = "to_dispatch"  # 待派单
    dispatched = "dispatched"  # 已派单
    signed = "signed"  # 已签收
    in_progress = "in_progress"  # 办理中
    replied = "replied"  # 已回复
    in_review = "in_review"  # 审核中
    to_follow_up = "to_follow_up"  # 待回访
    closed = "closed"  # 已办结
    archived = "archived"  # 已归档
    returned = "returned"  # 已退单
    redo = "redo"  # 重办
    deferred = "deferred"  # 挂账
    merged = "merged"  # 已并案


class AssignmentState(StrEnum):
    """Where a unit's work stands."""

    dispatched = "dispatched"  # 待签收
    signed = "signed"  # 已签收
    in_progress = "in_progress"  # 办理中
    in_review = "in_review"  # 单位审核中: the unit's leader looks at what its handler wrote
    replied = "replied"  # 已回复: before whoever gave the work
    accepted = "accepted"  # 已采纳
    returned = "returned"  # 已退单: before whoever gave the work, to be judged
    redo = "redo"  # 重办
    withdrawn = "withdrawn"  # 已撤回


class CaseAct(StrEnum):
    """What is done to a case; each is one line of its history (C16)."""

    opened = "opened"
    taken = "taken"  # offered or handed to another agent
    edited = "edited"
    attached = "attached"  # a voicemail or a fax came
    registered = "registered"
    amended = "amended"
    discarded = "discarded"
    restored = "restored"
    answered = "answered"
    guided = "guided"
    referred = "referred"
    transferred = "transferred"
    declined = "declined"
    reopened = "reopened"  # what was ended at once is taken up again
    submitted = "submitted"  # 交派单: somebody else must handle it
    sent_back = "sent_back"  # 退回补充: the dispatcher needs more from whoever took it in
    dispatched = "dispatched"
    signed = "signed"
    started = "started"
    replied = "replied"
    review_begun = "review_begun"
    accepted = "accepted"
    redo = "redo"
    returned = "returned"
    return_refused = "return_refused"
    return_upheld = "return_upheld"
    deferred = "deferred"
    resumed = "resumed"
    followed_up = "followed_up"  # a call-back was tried, whatever it brought
    closed = "closed"
    archived = "archived"
    merged = "merged"
    unmerged = "unmerged"
    taken_back = "taken_back"  # 撤回: the last step was a mistake, and nobody has gone on from it


class WorkAct(StrEnum):
    """What is done to an assignment; each is a line in the history of its case, as `unit.…`."""

    given = "given"
    signed = "signed"
    started = "started"
    handed_down = "handed_down"
    submitted = "submitted"
    reworked = "reworked"  # the unit's leader wants it better
    replied = "replied"  # the unit's leader has signed it
    accepted = "accepted"
    redo = "redo"
    returned = "returned"
    return_refused = "return_refused"
    return_upheld = "return_upheld"
    withdrawn = "withdrawn"
    taken_back = "taken_back"  # that its result was accepted, with its case


class By(StrEnum):
    """Who may do it. What each needs is in `app.cases.parties`."""

    taker = "taker"  # 首问责任人: who took the matter in, or who may act for them
    dispatcher = "dispatcher"  # 派单员
    reviewer = "reviewer"  # 督办处室: judges what units reply and return
    follower = "follower"  # 回访员
    leader = "leader"  # 带班领导
    handler = "handler"  # 承办单位经办人
    unit_leader = "unit_leader"  # 承办单位负责人
    giver = "giver"  # who gave the work: the centre, or the unit above
    system = "system"  # 随办理自动流转


class Needs(StrEnum):
    """What must be said with an act."""

    reason = "reason"  # 理由
    answer = "answer"  # 答复内容
    unit = "unit"  # 单位
    units = "units"  # 承办单位（协调办理时含主办）
    call = "call"  # 三方通话记录
    ground = "ground"  # 不予受理情形
    until = "until"  # 挂账期限
    original = "original"  # 原工单
    reply = "reply"  # 办理结果
    opinion = "opinion"  # 审核意见
    result = "result"  # 回访结果


@dataclass(frozen=True)
class Step(Generic[State, Act]):
    """One line of the table."""

    act: Act
    sources: frozenset[State]
    target: State | None  # None: it stays as it is
    by: frozenset[By]
    needs: frozenset[Needs] = frozenset()


def _case(act: CaseAct, sources: str, target: CaseState | None, by: str, needs: str = "") -> Step[CaseState, CaseAct]:
    return Step(act, _of(CaseState, sources), target, _of(By, by), _of(Needs, needs))


def _work(
    act: WorkAct, sources: str, target: AssignmentState | None, by: str, needs: str = ""
) -> Step[AssignmentState, WorkAct]:
    return Step(act, _of(AssignmentState, sources), target, _of(By, by), _of(Needs, needs))


def _of(kind: type[Word], words: str) -> frozenset[Word]:
    return frozenset(kind(word) for word in words.split())


_S, _K = CaseState, CaseAct
_ENDED_AT_ONCE = "answered guided referred transferred declined"
_AT_WORK = "signed in_progress redo"
_WITH_UNITS = f"dispatched {_AT_WORK}"
_IN_THE_LOOP = f"to_dispatch {_WITH_UNITS} replied in_review to_follow_up closed archived returned deferred merged"
CASE_STEPS: tuple[Step[CaseState, CaseAct], ...] = (
    _case(_K.taken, "draft registered", None, "system"),
    _case(_K.edited, "draft", None, "taker"),
    _case(_K.attached, f"draft registered {_ENDED_AT_ONCE} {_IN_THE_LOOP}", None, "system"),  # a message is never lost
    _case(_K.attached, "discarded", _S.draft, "system"),
    _case(_K.registered, "draft", _S.registered, "taker"),
    _case(_K.discarded, "draft", _S.discarded, "taker", "reason"),
    _case(_K.restored, "discarded", _S.draft, "taker"),
    _case(_K.amended, "registered to_dispatch returned", None, "taker dispatcher"),
    # Ended at once, or handed to the dispatcher (篇6 第12条).
    _case(_K.answered, "registered to_dispatch", _S.answered, "taker dispatcher", "answer"),
    _case(_K.guided, "registered to_dispatch", _S.guided, "taker dispatcher", "answer"),
    _case(_K.referred, "registered to_dispatch", _S.referred, "dispatcher reviewer", "unit"),
    _case(_K.transferred, "registered to_dispatch", _S.transferred, "taker dispatcher", "unit call answer"),
    _case(_K.declined, "registered to_dispatch", _S.declined, "taker dispatcher", "ground"),
    _case(_K.reopened, _ENDED_AT_ONCE, _S.registered, "dispatcher reviewer", "reason"),
    _case(_K.submitted, "registered", _S.to_dispatch, "taker dispatcher"),
    _case(_K.sent_back, "to_dispatch", _S.registered, "dispatcher", "reason"),
    # With units.
    _case(_K.dispatched, "to_dispatch", _S.dispatched, "dispatcher", "units"),  # a return is judged before
    _case(_K.dispatched, _WITH_UNITS, None, "dispatcher", "units"),  # one more unit, or another for one that returned
    _case(_K.signed, "dispatched", _S.signed, "system"),
    _case(_K.started, "dispatched signed redo", _S.in_progress, "system"),
    _case(_K.replied, _WITH_UNITS, _S.replied, "system"),
    _case(_K.returned, _WITH_UNITS, _S.returned, "system", "reason"),
    _case(_K.return_refused, "returned", _S.dispatched, "dispatcher reviewer", "reason"),
    _case(_K.return_upheld, "returned", _S.to_dispatch, "dispatcher reviewer"),
    # Looked at, asked about, ended (篇6 第14–16条).
    _case(_K.review_begun, "replied", _S.in_review, "reviewer"),
    _case(_K.accepted, "replied in_review", _S.to_follow_up, "reviewer", "opinion"),
    _case(_K.redo, "replied in_review to_follow_up closed", _S.redo, "reviewer", "reason"),
    _case(_K.followed_up, "to_follow_up", None, "follower", "result"),
    _case(_K.closed, "to_follow_up", _S.closed, "follower reviewer", "result"),
    _case(_K.closed, "merged", _S.closed, "system"),  # with its original
    _case(_K.archived, f"closed {_ENDED_AT_ONCE}", _S.archived, "reviewer"),
    # Put on account, only by a leader; and two that are one.
    _case(_K.deferred, _AT_WORK, _S.deferred, "leader", "reason until"),
    _case(_K.resumed, "deferred", _S.in_progress, "leader reviewer system"),
    _case(_K.merged, f"registered to_dispatch returned {_WITH_UNITS}", _S.merged, "dispatcher reviewer", "original"),
    _case(_K.unmerged, "merged", _S.to_dispatch, "dispatcher reviewer", "reason"),
    # Taken back while nobody has gone on from it: no unit has signed, nobody has called the citizen.
    _case(_K.taken_back, "dispatched", _S.to_dispatch, "dispatcher", "reason"),
    _case(_K.taken_back, "to_follow_up", _S.in_review, "reviewer", "reason"),
)

_A, _W = AssignmentState, WorkAct
WORK_STEPS: tuple[Step[AssignmentState, WorkAct], ...] = (
    _work(_W.signed, "dispatched", _A.signed, "handler unit_leader"),
    _work(_W.started, "signed redo", _A.in_progress, "handler unit_leader"),
    _work(_W.handed_down, _AT_WORK, _A.in_progress, "handler unit_leader", "units"),
    _work(_W.submitted, _AT_WORK, _A.in_review, "handler unit_leader", "reply"),
    _work(_W.reworked, "in_review", _A.in_progress, "unit_leader", "reason"),
    _work(_W.replied, "in_review", _A.replied, "unit_leader", "opinion"),
    _work(_W.accepted, "replied", _A.accepted, "giver", "opinion"),
    _work(_W.redo, "replied accepted", _A.redo, "giver", "reason"),
    _work(_W.returned, f"dispatched {_AT_WORK}", _A.returned, "handler unit_leader", "reason"),
    _work(_W.return_refused, "returned", _A.dispatched, "giver", "reason"),
    _work(_W.return_upheld, "returned", _A.withdrawn, "giver"),
    _work(_W.withdrawn, f"dispatched {_AT_WORK} in_review replied", _A.withdrawn, "giver", "reason"),
    _work(_W.withdrawn, "returned", _A.withdrawn, "system", "reason"),  # with its case, which is merged; with its unit
    _work(_W.taken_back, "accepted", _A.replied, "system", "reason"),  # with its case
)
del _S, _K, _A, _W

START_OF_CASE, START_OF_WORK = CaseState.draft, AssignmentState.dispatched
LAST_OF_CASE = frozenset({CaseState.archived})
LAST_OF_WORK = frozenset({AssignmentState.withdrawn})

# Nobody waits for these any more.
CASE_DONE = _of(CaseState, f"{_ENDED_AT_ONCE} closed archived merged discarded")
WORK_DONE = frozenset({AssignmentState.accepted, AssignmentState.withdrawn})
AT_THE_UNIT = _of(AssignmentState, f"dispatched {_AT_WORK} in_review")  # the unit is to act next
CASE_WITH_UNITS = _of(CaseState, _WITH_UNITS)


def table(steps: Iterable[Step[State, Act]]) -> Mapping[tuple[State, Act], Step[State, Act]]:
    """The lines by state and act. Raises ValueError for two lines about the same pair."""
    found: dict[tuple[State, Act], Step[State, Act]] = {}
    for step in steps:
        for state in step.sources:
            if (state, step.act) in found:
                raise ValueError(f"two lines for {state} and {step.act}")
            found[state, step.act] = step
    return found


CASE_TABLE = table(CASE_STEPS)
WORK_TABLE = table(WORK_STEPS)


def case_step(state: CaseState, act: CaseAct) -> Step[CaseState, CaseAct]:
    """The line for that act in that state. Raises Refused (wrong_state) if there is none."""
    return step_in(
        CASE_TABLE,
        (state, act),
        "工单当前状态不允许此操作。",
        f"A case that is {state} can't be {act}.",
    )


def work_step(state: AssignmentState, act: WorkAct) -> Step[AssignmentState, WorkAct]:
    """The line for that act in that state. Raises Refused (wrong_state) if there is none."""
    return step_in(
        WORK_TABLE, (state, act), "该承办任务当前状态不允许此操作。", f"Work that is {state} can't be {act}."
    )


def next_case_state(state: CaseState, act: CaseAct) -> CaseState:
    """The state of a case after `act`. Raises Refused."""
    return case_step(state, act).target or state


def next_work_state(state: AssignmentState, act: WorkAct) -> AssignmentState:
    """The state of an assignment after `act`. Raises Refused."""
    return work_step(state, act).target or state
