"""The queues' rules in words: every field that changes what a caller meets has its sentence, in both languages."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from acd.config import (
    CallbackFirst,
    CallbackRules,
    Choice,
    EngineConfig,
    GroupStep,
    HourRule,
    OverflowTo,
    QueueConfig,
    RelaxRule,
    RelaxStep,
    Window,
)
from app.destinations import CALL_BACK
from app.queues.phrases import KINDS, duration
from app.queues.words import Topic, sections
from app.settings import Settings

YUE = RelaxRule("yue", (RelaxStep(20, {"yue": 1}), RelaxStep(40, {"interpreter": 1})))
FULL = QueueConfig(
    "general",
    priority=5,
    overflow_length=30,
    hours=(
        HourRule(Window(22 * 60, 8 * 60), closed=True),
        HourRule(Window(690, 810, (6, 7)), overflow_wait_s=300, overflow_to=OverflowTo.CALLBACK),
    ),
    relax=(YUE,),
    groups=(GroupStep("城东"), GroupStep("城西", 60)),
    last_agent_s=15,
    callback=CallbackRules(offer_predicted_s=300),
)
# How the queue foretells and simulates, and what a journal needs: nothing that a supervisor would look for here.
SILENT = {
    *("queues", "default_queue", "nuisance", "behaviour", "zone_offset_min", "prediction", "expected_handling_s"),
    *("wrapup_extra_max_s", "offer_grace_s", "return_s", "rest_s", "late_wake_s", "forget_after_s"),
    *("offer_timeout_s", "wrapup_s"),  # said with each queue
}


def told(queue: QueueConfig, language: str = "zh", **engine: object) -> dict[Topic, tuple[str, ...]]:
    config = EngineConfig(queues=(queue,), **engine)  # type: ignore[arg-type]
    (section,) = [one for one in sections(config, CALL_BACK, language) if one.queue == queue.queue]
    return {one.topic: one.lines for one in section.told}


def everything(config: EngineConfig, language: str = "zh") -> str:
    return "\n".join(
        line for section in sections(config, CALL_BACK, language) for one in section.told for line in one.lines
    )


def test_relaxation_is_told_step_by_step_with_the_names_of_the_skills() -> None:
    assert told(FULL)[Topic.relax] == (
        "需要粤语的来电等满 20 秒，粤语 1 级以上也可以接",
        "需要粤语的来电等满 40 秒，译员 1 级以上也可以接",
        "某一步没有签入的坐席能接，就马上进入下一步；会粤语的坐席空出来，仍然优先",
    )
    assert told(FULL, "en")[Topic.relax][1] == (
        "A caller who needs Cantonese may after 40 s be given: interpreter 1 or better"
    )


def test_a_rule_of_the_queue_stands_in_for_the_engines_about_the_same_skill() -> None:
    engine = (RelaxRule("yue", (RelaxStep(5, {}),)), RelaxRule("en", (RelaxStep(30, {}),)))
    lines = told(FULL, relax=engine)[Topic.relax]
    assert not [line for line in lines if "5 秒" in line]
    assert "需要英语的来电等满 30 秒，任何坐席也可以接" in lines


def test_overflow_and_the_hours_that_change_it_are_told_with_where_callers_go() -> None:
    assert told(FULL)[Topic.overflow] == (
        "等满 15 分钟还没有轮到：转语音留言",
        "已有 30 人在等时，新来电没有坐席空闲就转语音留言",
        "签入的坐席里没有人能接，满 1 分钟：转语音留言",
        "优先级 100 以上的来电不转走",
        "每天 22:00–次日 08:00：新来电没有坐席空闲就转语音留言",
        "周六、周日 11:30–13:30 改为：等满 5 分钟还没有轮到：请其登记回拨",
    )
    nothing = QueueConfig("x", overflow_wait_s=None, overflow_unstaffed_s=None)
    assert told(nothing)[Topic.overflow] == ("一直等到有人接听，不转走",)


def test_the_call_back_is_told_with_its_windows_attempts_and_numbers() -> None:
    assert told(FULL)[Topic.callback] == (
        "按 2 登记回拨，轮到时系统自动拨打：先接通坐席，再拨市民",
        "可以回拨的号码：内地手机、内地固定电话",
        "等满 2 分钟或预计要等 5 分钟以上的，再提醒一次可以回拨",
        "只在每天 08:00–21:00 拨打，其余时间保留位置",
        "最多拨 3 次，间隔 15 分钟；2 天内没有联系上就停止，由班长处理",
    )
    assert "先拨市民" in told(replace(FULL, callback=CallbackRules(first=CallbackFirst.CITIZEN)))[Topic.callback][0]
    assert "由坐席" in told(replace(FULL, callback=None))[Topic.callback][0]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_field_that_a_file_may_set_changes_what_is_said(language: str) -> None:
    plain = EngineConfig(queues=(QueueConfig("general"), QueueConfig("social")))
    other = {
        "ageing_per_minute": 0,
        "emergency_priority": 90,
        "flag_priority": {"elderly": 10},
        "relax": (YUE,),
        "choice": Choice.LONGEST_IDLE,
        "level_band": 1,
        "rare_skills": ("en",),
        "redial_s": 0,
        "ready_max_s": 60,
        "not_ready_max_s": 60,
        "not_ready_limits": {"meal": 2700},
        "talk_max_s": 60,
        "hold_max_s": 60,
    }
    assert {one.name for one in fields(EngineConfig)} == other.keys() | SILENT
    said = everything(plain, language)
    for name, value in other.items():
        assert everything(replace(plain, **{name: value}), language) != said, name
    for name in ("offer_timeout_s", "wrapup_s"):
        assert everything(replace(plain, **{name: 55}), language) != said, name
    assert everything(replace(plain, default_queue="social"), language) != said


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_field_of_a_queue_changes_what_is_said(language: str) -> None:
    other = {
        "priority": -3,
        "offer_timeout_s": 9,
        "wrapup_s": 9,
        "overflow_to": OverflowTo.CALLBACK,
        "overflow_wait_s": 9,
        "overflow_length": 9,
        "overflow_unstaffed_s": 9,
        "overflow_below_priority": 9,
        "announce_first_s": 9,
        "announce_every_s": 9,
        "hours": (HourRule(Window(0, 60)),),
        "relax": (YUE,),
        "choice": Choice.LONGEST_IDLE,
        "level_band": 4,
        "groups": (GroupStep("城东"),),
        "last_agent_s": 9,
        "callback": CallbackRules(),
    }
    assert {one.name for one in fields(QueueConfig)} == {"queue", *other}
    plain = QueueConfig("general")
    said = everything(EngineConfig(queues=(plain,)), language)
    for name, value in other.items():
        changed = EngineConfig(queues=(replace(plain, **{name: value}),))
        assert everything(changed, language) != said, name


def test_both_languages_say_the_same_number_of_things() -> None:
    config = EngineConfig(queues=(FULL,), flag_priority={"elderly": 10}, rare_skills=("en",))
    counts = [
        [
            (section.queue, one.topic, len(one.lines))
            for section in sections(config, CALL_BACK, language)
            for one in section.told
        ]
        for language in ("zh", "en")
    ]
    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    ("seconds", "zh"), [(0, "0 秒"), (90, "1 分钟 30 秒"), (86_400, "1 天"), (5400, "1 小时 30 分钟")]
)
def test_durations_are_said_in_the_units_that_people_use(seconds: int, zh: str) -> None:
    assert duration(seconds)[0] == zh


def test_kinds_of_numbers_that_may_be_called_back_all_have_a_name() -> None:
    from app.destinations import KINDS as known

    assert KINDS.keys() == known.keys()
    assert set(Settings.model_fields["callback_allowed"].default) <= KINDS.keys()
