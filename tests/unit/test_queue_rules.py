"""The rules of the queues as a file: what it says is what the engine gets, and what is wrong is named with its line."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from acd.config import (
    CallbackFirst,
    CallbackRules,
    Choice,
    EngineConfig,
    HourRule,
    OverflowTo,
    QueueConfig,
    RelaxRule,
    RelaxStep,
    Window,
)
from app.cli.main import main
from app.queues.rules import SCHEMA, SHIPPED, load
from app.queues.source import RulesFile
from app.settings import Settings, get_settings
from cti_bridge.ports import UnusableRules
from cti_bridge.rules import changes
from ivr.marked_yaml import DataFileError

# The engine's fields that no file may set, each with its reason.
NOT_IN_THE_FILE = {
    "queues",  # the other half of the file
    "nuisance",  # a rule about a caller begins by an event that is audited
    "behaviour",  # for the replay of old journals
    "zone_offset_min",  # the settings' time zone
}
NOT_IN_A_QUEUE = {
    "queue",  # its name is the key
    "groups",  # the staff list knows no groups yet: a rule would keep everybody out
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    chosen = Settings(home=tmp_path / "home")
    chosen.ensure_dirs()
    return chosen


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "queues.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def faults(tmp_path: Path, settings: Settings, text: str) -> list[str]:
    with pytest.raises(DataFileError) as caught:
        load(written(tmp_path, text), settings)
    return [str(problem) for problem in caught.value.problems]


def test_the_shipped_rules_are_the_engines_defaults_with_the_settings_times(settings: Settings) -> None:
    chosen = settings.model_copy(update={"offer_timeout_s": 17, "wrapup_s": 44})
    assert load(SHIPPED, chosen) == EngineConfig(offer_timeout_s=17, wrapup_s=44)


def test_nobody_is_called_back_by_the_queue_under_the_shipped_rules(settings: Settings) -> None:
    assert all(queue.callback is None for queue in load(SHIPPED, settings).queues)


def test_every_field_of_the_engine_can_be_set_or_is_left_out_for_a_reason() -> None:
    fields = {field.name for field in dataclasses.fields(EngineConfig)}
    assert set(SCHEMA["properties"]["engine"]["properties"]) == fields - NOT_IN_THE_FILE


def test_every_field_of_a_queue_can_be_set_or_is_left_out_for_a_reason() -> None:
    fields = {field.name for field in dataclasses.fields(QueueConfig)}
    assert set(SCHEMA["$defs"]["queue"]["properties"]) == fields - NOT_IN_A_QUEUE


def test_every_field_of_a_call_back_can_be_set() -> None:
    fields = {field.name for field in dataclasses.fields(CallbackRules)}
    assert set(SCHEMA["$defs"]["callback"]["properties"]) == fields


def test_a_queues_call_back_becomes_the_engines_rules(tmp_path: Path, settings: Settings) -> None:
    text = """
queues:
  general:
    callback:
      first: citizen
      offer_after_s: null
      offer_predicted_s: 300
      windows: [{from: "08:00", to: "12:00"}, {from: "14:00", to: "20:00", weekdays: [1, 2, 3, 4, 5]}]
      attempts: 2
      dial_timeout_s: 45
  social: {callback: {}}
  quiet: {callback: null}
"""
    windows = (Window(480, 720), Window(840, 1200, (1, 2, 3, 4, 5)))
    rules = CallbackRules(None, 300, CallbackFirst.CITIZEN, windows, attempts=2, dial_timeout_s=45)
    general, social, quiet = load(written(tmp_path, text), settings).queues
    assert (general.callback, social.callback, quiet.callback) == (rules, CallbackRules(), None)


def test_a_whole_file_becomes_the_engines_rules(tmp_path: Path, settings: Settings) -> None:
    path = written(
        tmp_path,
        """
engine: {flag_priority: {elderly: 10}, rare_skills: [yue], choice: longest_idle, hold_max_s: null}
queues:
  general:
    relax: [{skill: yue, steps: [{after_s: 20, skills: {yue: 1}}, {after_s: 40, skills: {interpreter: 1}}]}]
    hours: [{from: "22:00", to: "08:00", weekdays: [6, 7], closed: true, overflow_to: callback}]
    last_agent_s: 15
    overflow_wait_s: null
  social:
""",
    )
    config = load(path, settings)
    general, social = config.queues
    assert general.relax == (RelaxRule("yue", (RelaxStep(20, {"yue": 1}), RelaxStep(40, {"interpreter": 1}))),)
    window = Window(22 * 60, 8 * 60, (6, 7))
    assert general.hours == (HourRule(window, closed=True, overflow_to=OverflowTo.CALLBACK),)
    assert (general.last_agent_s, general.overflow_wait_s) == (15, None)
    assert social == QueueConfig("social")
    assert (config.choice, config.rare_skills, config.hold_max_s) == (Choice.LONGEST_IDLE, ("yue",), None)
    assert config.flag_priority == {"elderly": 10}


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("queues:\n  general:\n    overflow_wait: 5\n", 3, "overflow_wait"),
        ("queues:\n  general:\n    overflow_wait_s: soon\n", 3, "not of type"),
        ("queues:\n  general:\n    hours:\n      - {from: '8:00', to: '22:00'}\n", 4, "8:00"),
        ("engine:\n  default_queue: other\nqueues:\n  general: {}\n", 2, "no queue 'other', only general"),
        ("queues:\n  general:\n    callback:\n      first: nobody\n", 4, "'agent', 'citizen'"),
        ("queues:\n  general:\n    callback: {windows: []}\n", 3, "windows"),
        ("queues:\n  general:\n    callback:\n      dial_timeout_s: 3\n", 4, "minimum of 20"),
        ("queues:\n  general:\n    callback:\n      ring_s: 20\n", 4, "ring_s"),
        (
            "queues:\n  general:\n    callback:\n      attempts: 3\n      retry_s: 3600\n      max_age_s: 7200\n",
            3,
            "max_age_s",
        ),
        ("queues:\n  general:\n    groups: []\n", 3, "groups"),
        ("queues: {}\n", 1, "queues"),
        ("queues:\n  general: [\n", 3, "not YAML"),
        (
            "queues:\n  general:\n    relax:\n      - skill: yue\n        steps:\n"
            "          - {after_s: 40, skills: {yue: 1}}\n          - {after_s: 20, skills: {en: 1}}\n",
            5,
            "one after the other",
        ),
    ],
)
def test_a_fault_is_named_with_its_line(tmp_path: Path, settings: Settings, text: str, line: int, words: str) -> None:
    (told,) = faults(tmp_path, settings, text)
    assert told.startswith(f"line {line},")
    assert words in told


def test_without_a_file_of_its_own_an_instance_has_the_shipped_rules(settings: Settings) -> None:
    source = RulesFile(settings)
    assert source.path == SHIPPED
    before = source.stamp()
    settings.paths.queues.write_text("queues: {general: {priority: 5}}\n")
    assert source.stamp() != before
    assert source.read().queues[0].priority == 5


def test_a_start_with_a_broken_file_goes_on_with_the_last_rules_that_could_be_used(settings: Settings) -> None:
    settings.paths.queues.write_text("queues: {general: {priority: 5}}\n")
    RulesFile(settings).read()
    settings.paths.queues.write_text("queues: {general: {priority: high}}\n")
    config, trouble = RulesFile(settings).first()
    assert config.queues[0].priority == 5
    assert "line 1" in trouble
    with pytest.raises(UnusableRules, match="line 1"):
        RulesFile(settings).read()


def test_a_first_start_with_a_broken_file_takes_the_shipped_rules(settings: Settings) -> None:
    settings.paths.queues.write_text("queues: 5\n")
    config, trouble = RulesFile(settings).first()
    assert config == load(SHIPPED, settings)
    assert trouble


def test_only_queues_that_differ_are_told_to_the_engine_and_the_rest_waits_for_a_start() -> None:
    running = EngineConfig(queues=(QueueConfig("general"), QueueConfig("social"), QueueConfig("old")))
    wanted = EngineConfig(
        queues=(QueueConfig("general"), QueueConfig("social", priority=5), QueueConfig("new")), redial_s=60
    )
    queues, later = changes(running, wanted)
    assert [one.queue for one in queues] == ["social", "new"]
    assert later == ["redial_s", "queues.old"]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The home of the instance that the command line is about."""
    monkeypatch.setenv("HOTLINE_HOME", str(tmp_path))
    get_settings.cache_clear()
    yield tmp_path
    get_settings.cache_clear()


def test_the_command_line_checks_a_file(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["acd", "check", str(written(home, "queues: {general: {}}\n"))]) == 0
    assert "general" in capsys.readouterr().out
    assert main(["acd", "check", str(written(home, "queues: {general: {priority: high}}\n"))]) == 1
    assert "line 1" in capsys.readouterr().err
    assert main(["acd", "check", str(home / "none.yaml")]) == 2


@pytest.mark.parametrize(
    ("lang", "told"), [("zh", "等满 9 秒还没有轮到：转语音留言"), ("en", "has waited 9 s: goes to")]
)
def test_the_command_line_says_in_words_what_a_file_does(
    home: Path, capsys: pytest.CaptureFixture[str], lang: str, told: str
) -> None:
    file = written(home, "queues: {general: {overflow_wait_s: 9}}\n")
    assert main(["acd", "check", str(file), "--words", "--lang", lang]) == 0
    assert told in capsys.readouterr().out
