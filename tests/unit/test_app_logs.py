"""A citizen's number never reaches the logs by accident."""

from __future__ import annotations

import io
import json
import logging

import pytest
import structlog

from app import logs


@pytest.fixture(autouse=True)
def _restore_logging(monkeypatch: pytest.MonkeyPatch):
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


def test_a_log_whose_reader_is_gone_stops_nobody(monkeypatch: pytest.MonkeyPatch):
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr("sys.stdout", Gone())
    logs.configure("core")
    structlog.get_logger("t").info("call started", call="hotline1-1.1")


def test_records_of_the_standard_library_are_lines_of_the_same_kind(capsys: pytest.CaptureFixture[str]):
    logs.configure("core")
    structlog.get_logger("t").debug("too small to tell")
    logging.getLogger("other").warning("careful")
    line = json.loads(capsys.readouterr().out)
    assert (line["process"], line["level"], line["event"]) == ("core", "warning", "careful")
