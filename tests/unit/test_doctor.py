"""The examination's judgements: what was heard, when a certificate is late, what a broken check does to the others."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from app.certificates.model import Kind, Seen, judge
from app.doctor import run
from app.doctor.data import documents
from app.doctor.heard import RATE, Samples, is_silent, likeness
from app.doctor.machine import disk, judge_certificate, secrets
from app.doctor.model import Finding, Level, ok
from app.secrets import secret
from app.settings import Settings

NOW = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)


def speech_like(seed: int, seconds: float) -> Samples:
    """Noise whose loudness comes and goes as syllables do; different for every seed."""
    chance = np.random.default_rng(seed)
    count = int(seconds * RATE)
    syllables = np.repeat(chance.uniform(0, 1, count // 800 + 1), 800)[:count]
    return np.asarray(chance.normal(0, 0.2, count) * syllables, dtype=np.float64)


def through_a_telephone(sound: Samples) -> Samples:
    """8 bits a sample, a little quieter, some line noise."""
    noise = np.random.default_rng(9).normal(0, 0.004, len(sound))
    return np.asarray(np.round(sound * 0.7 * 127) / 127 + noise, dtype=np.float64)


def test_a_prompt_is_recognised_inside_a_recording() -> None:
    prompt, other = speech_like(1, 3), speech_like(2, 3)
    recording = np.concatenate([np.zeros(RATE), speech_like(3, 2), through_a_telephone(prompt), speech_like(4, 2)])
    assert likeness(recording, prompt) > 0.9
    assert likeness(recording, other) < 0.4


def test_only_the_beginning_of_a_prompt_need_be_heard() -> None:
    prompt = speech_like(1, 6)
    assert likeness(np.concatenate([speech_like(3, 1), prompt[: 2 * RATE]]), prompt) > 0.9


def test_silence_before_the_prompts_first_word_is_no_match_for_any_silence() -> None:
    prompt = np.concatenate([np.zeros(RATE), speech_like(1, 2)])
    assert likeness(np.zeros(4 * RATE), prompt) == 0.0
    assert likeness(np.concatenate([np.zeros(RATE), speech_like(5, 4)]), prompt) < 0.4


@pytest.mark.parametrize("recording", [np.zeros(0), np.zeros(10), np.ones(10)])
def test_a_recording_that_is_too_short_matches_nothing(recording: Samples) -> None:
    assert likeness(recording, speech_like(1, 2)) == 0.0


def test_silence_is_told_from_speech() -> None:
    assert is_silent(np.zeros(RATE))
    assert is_silent(np.zeros(0))
    assert is_silent(np.random.default_rng(1).normal(0, 0.0005, RATE))
    assert not is_silent(speech_like(1, 1))


@pytest.mark.parametrize(
    ("left", "level", "words"),
    [
        (dt.timedelta(days=31), Level.ok, "valid until"),
        (dt.timedelta(days=30), Level.warning, "within 30 days"),
        (dt.timedelta(days=8), Level.warning, "within 30 days"),
        (dt.timedelta(days=7), Level.warning, "within 7 days"),
        (dt.timedelta(hours=24), Level.warning, "within 1 day"),
        (dt.timedelta(seconds=1), Level.warning, "within 1 day"),
        (dt.timedelta(0), Level.broken, "lapsed"),
        (dt.timedelta(days=-400), Level.broken, "lapsed"),
    ],
)
def test_a_certificate_is_announced_before_it_lapses(left: dt.timedelta, level: Level, words: str) -> None:
    finding = judge_certificate(judge(Seen(Path("/etc/hotline.crt"), Kind.own, NOW + left), NOW))
    assert finding.level is level
    assert words in finding.text
    assert bool(finding.remedy) is (level is not Level.ok)


def test_a_disk_that_is_nearly_full_is_broken_before_recordings_are_lost(tmp_path: Path) -> None:
    assert next(disk(Settings(home=tmp_path, min_free_mb=0))).level is Level.ok
    (finding,) = disk(Settings(home=tmp_path / "not/made/yet", min_free_mb=10**9))
    assert finding.level is Level.broken
    assert finding.remedy


def test_templates_and_fonts_of_documents_are_examined(tmp_path: Path) -> None:
    (finding,) = documents(Settings(home=tmp_path))
    assert finding.level is Level.ok
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters/order.yaml").write_text("- title: a\n- title: '{nobody}'\n")
    (finding,) = documents(Settings(home=tmp_path))
    assert (finding.level, "order.yaml:2" in finding.text) == (Level.broken, True)
    (finding,) = documents(Settings(home=tmp_path, tools=tmp_path))
    assert (finding.level, finding.remedy) == (Level.broken, "make setup")


def test_secrets_that_others_can_read_are_found(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    settings.ensure_dirs()
    secret(settings, "ami")
    assert next(secrets(settings)).level is Level.ok
    (settings.paths.secrets / "ami").chmod(0o644)
    (finding,) = secrets(settings)
    assert finding.level is Level.broken
    assert "ami" in finding.text


def test_a_check_that_fails_in_an_unforeseen_way_stops_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crashes(settings: Settings) -> Iterator[Finding]:
        raise RuntimeError("what nobody thought of")
        yield

    def works(settings: Settings) -> Iterator[Finding]:
        yield ok("works", "still asked")

    monkeypatch.setattr(run, "CHECKS", (crashes, works))
    found = list(run.examine(Settings(home=tmp_path), with_call=False))
    assert [finding.level for finding in found] == [Level.broken, Level.ok]
    assert "what nobody thought of" in found[0].text


def test_every_finding_that_is_not_ok_names_a_remedy_on_a_machine_where_nothing_runs(tmp_path: Path) -> None:
    findings = list(run.examine(Settings(home=tmp_path / "home", tools=tmp_path / "tools")))
    assert {finding.check for finding in findings} >= {"tools", "database", "prompts", "processes", "test call"}
    assert all(finding.remedy for finding in findings if finding.level is not Level.ok)
    assert findings[-1] == Finding("test call", Level.broken, "not placed: Asterisk does not run", "see above")
