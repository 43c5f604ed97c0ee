"""A citizen's number never reaches the logs by accident."""

from __future__ import annotations

import json

import pytest
import structlog

from app import logs


@pytest.fixture(autouse=True)
def _restore_logging(monkeypatch: pytest.MonkeyPatch):
    import logging

    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_personal_values_are_withheld_and_the_key_stays(capsys: pytest.CaptureFixture[str], monkeypatch):
    monkeypatch.delenv("HOTLINE_LOG_PERSONAL", raising=False)
    logs.configure("core")
    structlog.get_logger("t").info("call started", call="hotline1-1.1", personal_number="13800138000")
    line = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
    assert line["call"] == "hotline1-1.1"
    assert line["personal_number"] == logs.WITHHELD
    assert line["process"] == "core"


def test_personal_values_are_shown_only_when_someone_asked_for_it(capsys: pytest.CaptureFixture[str], monkeypatch):
    monkeypatch.setenv("HOTLINE_LOG_PERSONAL", "1")
    logs.configure("core")
    structlog.get_logger("t").info("call started", personal_number="13800138000")
    assert json.loads(capsys.readouterr().out.strip().splitlines()[-1])["personal_number"] == "13800138000"
