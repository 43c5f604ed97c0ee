"""What a case was, told by its history alone; and a history that contradicts itself is not believed."""

from __future__ import annotations

from typing import Any

import pytest

from app.cases.states import AssignmentState, CaseState
from tests.case_kit.rebuild import BrokenHistory, after, rebuild

FIELDS = {"type": "complaint", "title": "路灯不亮", "answer": ""}


def line(event: str, came: str | None, went: str, **detail: Any) -> dict[str, Any]:
    return {"at": event, "event": event, "from_state": came, "to_state": went, "detail": detail}


def unit(
    act: str, came: str | None, went: str, state: str, ident: int = 4, round: int = 1, **more: Any
) -> dict[str, Any]:
    told = {"assignment": ident, "unit_id": 40 + ident, "from": came, "to": went, "round": round, **more}
    return line(f"unit.{act}", state, state, **told)


OPENED = [line("opened", None, "draft"), line("registered", "draft", "registered", registered=FIELDS, fields={})]
SUBMITTED = [*OPENED, line("submitted", "registered", "to_dispatch", urgency="life", about_unit_id=9)]
GIVEN = [
    *SUBMITTED,
    line("dispatched", "to_dispatch", "dispatched", way="written", urgency="general", items=["修好"]),
    unit("given", None, "dispatched", "dispatched", parent=None, lead=True, way="written", instructions="三日内"),
]


def test_the_case_is_told_after_every_line():
    states = [one.state for one in rebuild(GIVEN)]
    assert states == ["draft", "registered", "to_dispatch", "dispatched", "dispatched"]
    draft, registered, submitted, _, last = rebuild(GIVEN)
    assert draft.fields is None
    assert registered.fields == FIELDS
    assert (submitted.urgency, submitted.about_unit_id, submitted.way) == ("life", 9, None)
    assert (last.urgency, last.way, last.items) == ("general", "written", ("修好",))
    assert (last.works[4].unit_id, last.works[4].state, last.works[4].instructions) == (44, "dispatched", "三日内")


def test_what_was_amended_is_told_and_what_it_was_amended_from_must_have_been_there():
    change = {"title": {"from": "路灯不亮", "to": "路灯全灭"}, "items": {"from": [], "to": ["修好", "回话"]}}
    amended = line("amended", "registered", "registered", fields=change)
    last = rebuild([*OPENED, amended])[-1]
    assert (last.fields or {})["title"] == "路灯全灭"
    assert last.items == ("修好", "回话")
    with pytest.raises(BrokenHistory, match="title"):
        rebuild([*OPENED, amended, amended])


def test_what_was_ended_at_once_and_taken_up_again_keeps_only_its_answer():
    answered = line("answered", "registered", "answered", answer="明早修好", way="answer")
    ended, again = rebuild([*OPENED, answered, line("reopened", "answered", "registered")])[-2:]
    assert (ended.way, ended.ended_at, (ended.fields or {})["answer"]) == ("answer", "answered", "明早修好")
    assert (again.way, again.ended_at, (again.fields or {})["answer"]) == (None, None, "明早修好")


def test_rounds_keep_the_replies_that_were_signed_in_them():
    reply, second = {"result": "换了灯泡"}, {"result": "换了电缆"}
    story = [
        *GIVEN,
        unit("signed", "dispatched", "signed", "dispatched"),
        unit("submitted", "signed", "in_review", "dispatched", reply={"result": "草稿"}),
        unit("replied", "in_review", "replied", "dispatched", reply=reply),
        unit("redo", "replied", "redo", "dispatched", round=2),
        unit("submitted", "redo", "in_review", "dispatched", round=2, reply={}),
        unit("replied", "in_review", "replied", "dispatched", round=2, reply=second),
    ]
    work = rebuild(story)[-1].works[4]
    assert (work.round, work.state, dict(work.handed_in)) == (2, "replied", {1: reply, 2: second})
    assert dict(rebuild(story[:-3])[-1].works[4].handed_in) == {1: reply}


def test_returns_are_counted_and_a_deferral_a_merger_and_the_call_backs_are_told():
    story = [*GIVEN, unit("returned", "dispatched", "returned", "dispatched", returns=1)]
    assert rebuild(story)[-1].works[4].returns == 1
    put = line("deferred", "dispatched", "deferred", until="2026-12-01T00:00:00.000Z")
    assert [one.deferred_until for one in rebuild([*GIVEN, put, line("resumed", "deferred", "in_progress")])[-2:]] == [
        "2026-12-01T00:00:00.000Z",
        None,
    ]
    merged = line("merged", "registered", "merged", original=3)
    there, back = rebuild([*OPENED, merged, line("unmerged", "merged", "to_dispatch", original=3)])[-2:]
    assert (there.merged_into_id, back.merged_into_id) == (3, None)
    asked = line("followed_up", "registered", "registered", **{"try": 1, "version": 7, "reached": "spoken"})
    assert rebuild([*OPENED, asked])[-1].tries == ({"reached": "spoken"},)


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ([GIVEN[0], GIVEN[2]], "begins at registered"),
        ([OPENED[1]], "begins at draft"),
        ([*GIVEN, unit("signed", "signed", "in_progress", "dispatched")], "it was dispatched"),
        ([*GIVEN, GIVEN[-1]], "given twice"),
        ([*GIVEN, unit("signed", "dispatched", "signed", "dispatched", ident=5)], "never given"),
        ([*GIVEN, unit("given", None, "dispatched", "dispatched", ident=5, parent=7)], "never given"),
    ],
)
def test_a_history_that_contradicts_itself_is_said_to_be_broken(broken: list[dict[str, Any]], told: str):
    with pytest.raises(BrokenHistory, match=told):
        rebuild(broken)


def test_the_fold_does_not_change_what_it_was_given():
    before = rebuild(GIVEN)[-1]
    after(before, unit("signed", "dispatched", "signed", "dispatched"))
    assert before.works[4].state == AssignmentState.dispatched
    assert before.state == CaseState.dispatched
