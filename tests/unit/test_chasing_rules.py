"""The tables of chasing and notices: every pair, every rung, and what a notice may say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise, product
from zoneinfo import ZoneInfo

import pytest

from app.auth.model import PERMISSIONS, Role
from app.cases.states import CaseAct, WorkAct
from app.chasing.model import (
    RESPONSES,
    RUNGS,
    TRANSITIONS,
    URGENT_LADDER,
    ChaseEvent,
    ChaseState,
    Level,
    Moment,
    Whose,
    after,
    ladder_of,
    next_state,
    urgent_desks,
)
from app.clocks.model import ClockKind
from app.errors import Refused
from app.notices.channels import filled
from app.notices.model import (
    AT_THE_CENTRE,
    BY_EVENT,
    OF_KNOWLEDGE,
    OF_QUALITY,
    PATIENCE,
    PRESSING,
    Channel,
    Desk,
    NoticeKind,
    channels_of,
)
from app.notices.words import STEPS, WORDS, Told, body, due_words, plain_title, subject, text

ZONE = ZoneInfo("Asia/Shanghai")
DUE = datetime(2026, 12, 3, 16, 0, tzinfo=UTC)  # 24:00 of 3 December in the city
# Which steps a unit has and which the centre has.
STEPS_OF = {
    Whose.unit: {ClockKind.sign, ClockKind.handle},
    Whose.centre: {ClockKind.dispatch, ClockKind.handle, ClockKind.review, ClockKind.follow_up},
}


@pytest.mark.parametrize(("state", "event"), list(product(ChaseState, ChaseEvent)))
def test_every_pair_of_state_and_event_is_a_line_or_refused(state: ChaseState, event: ChaseEvent):
    if (state, event) in TRANSITIONS:
        assert next_state(state, event) is TRANSITIONS[state, event]
    else:
        with pytest.raises(Refused) as refused:
            next_state(state, event)
        assert refused.value.code == "wrong_state"


def test_only_a_draft_can_be_decided_on_and_only_once():
    decided = {state for state, event in TRANSITIONS if event in (ChaseEvent.confirm, ChaseEvent.drop)}
    assert decided == {ChaseState.draft}


def test_every_step_that_is_timed_has_an_answer_when_it_is_nearly_late_and_when_it_is_late():
    wanted = {(whose, kind, moment) for whose, kinds in STEPS_OF.items() for kind in kinds for moment in Moment}
    assert set(RESPONSES) == wanted
    for (_, _, moment), response in RESPONSES.items():
        assert response.desks
        assert bool(response.ladder) is (moment is Moment.late)


def test_a_unit_that_does_not_handle_climbs_the_whole_ladder_in_its_order():
    climbed, level = [], Level.first
    while level is not None:
        climbed.append(level)
        level = after(Whose.unit, ClockKind.handle, level)
    assert climbed == [Level.first, Level.second, Level.reprimand, Level.exposure]
    assert after(Whose.unit, ClockKind.sign, Level.second) is None
    assert after(Whose.centre, ClockKind.dispatch, Level.first) is None
    assert after(Whose.unit, ClockKind.handle, Level.order) is None
    assert all(ladder[0] is Level.first for ladder in (r.ladder for r in RESPONSES.values()) if ladder)


def test_what_a_unit_is_blamed_for_in_public_is_always_a_draft_first():
    drafts = {level for level, rung in RUNGS.items() if rung.begins is ChaseState.draft}
    assert drafts == {Level.reprimand, Level.exposure}
    assert all((rung.confirmed_kind is not None) is (level in drafts) for level, rung in RUNGS.items())
    assert set(RUNGS) == set(Level)
    assert ladder_of(Whose.centre, ClockKind.sign) == ()


def test_an_urgent_matter_is_told_to_more_people_each_time_and_never_to_fewer():
    for fewer, more in pairwise(URGENT_LADDER):
        assert set(fewer) < set(more)
    assert urgent_desks(0) == (Desk.today,)
    assert urgent_desks(99) == URGENT_LADDER[-1]


def test_every_desk_of_the_centre_has_a_role_that_sits_at_it():
    for desk, (must, never) in AT_THE_CENTRE.items():
        assert [role for role in Role if must in PERMISSIONS[role] and never not in PERMISSIONS[role]], desk


def test_every_event_that_is_told_of_is_one_that_can_happen():
    known = {act.value for act in CaseAct} | {f"unit.{act.value}" for act in WorkAct}
    assert set(BY_EVENT) <= known | {"clock.extension_asked", "clock.extension_decided"}


def test_every_kind_of_notice_has_words_and_every_step_has_a_name():
    assert set(WORDS) == set(NoticeKind)
    assert set(STEPS) == {kind.value for kind in ClockKind}
    for kind in NoticeKind:
        told = Told(kind, "20261124-000001", "路灯不亮", "水务局", "handle", DUE)
        for words in (text(told, ZONE), text(told, ZONE, "en"), body(told, ZONE), subject(told)):
            assert ("20261124-000001" in words) == (kind not in OF_KNOWLEDGE | set(OF_QUALITY))
        assert ("水务局" in text(told, ZONE)) == (kind not in OF_QUALITY)
        if kind not in OF_QUALITY:
            assert "2026年12月3日24:00" in text(told, ZONE)


def test_an_end_is_said_as_people_say_it():
    assert due_words(DUE, ZONE) == "2026年12月3日24:00"
    assert due_words(DUE - timedelta(hours=6, minutes=30), ZONE) == "2026年12月3日17:30"


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("王小明反映路灯不亮", "***反映路灯不亮"),
        ("请回电 13800138000", "请回电 ***"),
        ("幸福里 5 号停水，电话 0371-6655 1234", "***停水，电话 ***"),
        ("身份证 410102199001011234 被冒用", "身份证 *** 被冒用"),
        ("30 路公交 3 天没来", "30 路公交 3 天没来"),
        ("王 小 明反映停水", "***反映停水"),
        ("回电 138 0013-8000 或 １３８００１３８０００", "回电 *** 或 ***"),
        ("他人电话 139·1234·5678、(0371)6655-1234", "他人电话 ***、(***"),
        ("幸福里5号路灯不亮", "***路灯不亮"),
    ],
)
def test_a_title_loses_name_number_and_address(title: str, shown: str):
    assert plain_title(title, {"王小明", "13800138000", "幸福里 5 号"}, confidential=False) == shown


def test_nothing_of_the_title_of_a_secret_case_is_told():
    assert plain_title("举报城管局张某", set(), confidential=True) == "（保密工单）"


def test_only_what_presses_goes_by_sms():
    assert all(channels_of(kind) == (Channel.email, Channel.sms) for kind in PRESSING)
    assert channels_of(NoticeKind.given) == (Channel.email,)


def test_pauses_between_tries_grow_to_an_hour_and_no_further():
    pauses = [PATIENCE.pause(tries) for tries in range(1, 40)]
    assert pauses[:3] == [timedelta(seconds=30), timedelta(minutes=1), timedelta(minutes=2)]
    assert pauses == sorted(pauses)
    assert pauses[-1] == PATIENCE.longest_pause


def test_what_is_filled_into_a_message_never_becomes_more_than_a_text():
    template = '{"to": ["{mobile}"], "msg": "热线：{text}", "n": 3, "other": "{nothing}"}'
    nasty = '"} , {"x": "{mobile}'
    assert filled(template, {"mobile": "13900139000", "text": nasty}) == {
        "to": ["13900139000"],
        "msg": f"热线：{nasty}",
        "n": 3,
        "other": "{nothing}",
    }
