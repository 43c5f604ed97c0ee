"""Voicemails: from the spool to a case, whatever the file is like and whenever the power goes."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlmodel import select

from app import intake
from app.actor import SYSTEM
from app.audio import read_wav
from app.calls.service import record
from app.calls.tables import Call
from app.cases import service as cases
from app.cases.tables import Case
from app.db import Database
from app.pop import build_card
from app.settings import Settings
from app.voicemails import service as voicemails
from app.voicemails.tables import Voicemail
from tests.integration.spooled import NOW, RATE, files, only, speech, spooled


def test_a_spoken_message_becomes_a_case_and_leaves_the_spool(db: Database, settings: Settings):
    samples = speech()
    receipt = voicemails.take_in(db, settings, spooled(settings, "h-1.1", samples), now=NOW)
    row, case = only(db, Voicemail), only(db, Case)
    assert receipt == intake.Receipt(case.number, "kept")
    assert (row.status, row.duration_s, row.number) == ("new", 3.0, "13800138000")
    assert (case.source, case.state, case.section, case.call_id) == ("voicemail", "draft", "supervision-1", "h-1.1")
    assert only(db, Call).outcome == "voicemail"
    assert files(settings.paths.voicemail_spool) == []
    stored = settings.home / row.path
    assert np.array_equal(np.frombuffer(stored.read_bytes()[44:], np.int16), samples)


def test_messages_go_to_the_three_sections_in_rotation(db: Database, settings: Settings):
    for n in range(4):
        voicemails.take_in(db, settings, spooled(settings, f"h-{n}", speech(1)), now=NOW)
    with db.read() as session:
        sections = [row.section for row in session.exec(select(Voicemail).order_by(Voicemail.id)).all()]
    assert sections == ["supervision-1", "supervision-2", "supervision-3", "supervision-1"]


@pytest.mark.parametrize(
    ("samples", "reason"),
    [
        (np.zeros(0, np.int16), "empty"),
        (np.zeros(3 * RATE, np.int16), "silent"),
        ((np.random.default_rng(1).normal(0, 20, 3 * RATE)).astype(np.int16), "silent"),
        (speech(0.2), "silent"),
        (None, "missing"),
    ],
)
def test_nothing_said_is_dropped_with_the_reason_and_makes_no_case(
    db: Database, settings: Settings, samples: np.ndarray | None, reason: str
):
    receipt = voicemails.take_in(db, settings, spooled(settings, "h-1", samples), now=NOW)
    assert receipt == intake.Receipt("", "dropped")
    assert (only(db, Voicemail).reason, only(db, Voicemail).case_id) == (reason, None)
    with db.read() as session:
        assert session.exec(select(Case)).all() == []
    assert files(settings.paths.voicemail_spool) == []


def test_a_quiet_voice_on_a_hissing_line_is_a_message(db: Database, settings: Settings):
    noise = np.random.default_rng(2).normal(0, 12, 3 * RATE)
    receipt = voicemails.take_in(db, settings, spooled(settings, "h-1", (speech() / 60 + noise).astype(np.int16)))
    assert receipt.status == "kept"


def test_a_file_whose_writer_was_killed_is_read_by_its_size(db: Database, settings: Settings):
    sidecar = spooled(settings, "h-1", speech())
    wav = sidecar.with_suffix(".wav")
    data = bytearray(wav.read_bytes())
    data[4:8] = data[40:44] = b"\0\0\0\0"
    wav.write_bytes(data)
    assert voicemails.take_in(db, settings, sidecar, now=NOW).status == "kept"
    row = only(db, Voicemail)
    assert (row.status, row.reason, row.duration_s) == ("partial", "interrupted", 3.0)


@pytest.mark.parametrize("content", [b"", b"RIFF", b"\0" * 5000, b"not audio at all" * 100])
def test_what_is_no_sound_is_dropped_and_kept_on_record(db: Database, settings: Settings, content: bytes):
    sidecar = spooled(settings, "h-1", None)
    sidecar.with_suffix(".wav").write_bytes(content)
    assert voicemails.take_in(db, settings, sidecar, now=NOW).status == "dropped"
    assert only(db, Voicemail).reason in ("empty", "unreadable")


def test_ten_minutes_are_taken_in_whole(db: Database, settings: Settings):
    sidecar = spooled(settings, "h-1", np.tile(speech(60), 10), duration=600)
    assert voicemails.take_in(db, settings, sidecar, now=NOW).status == "kept"
    row = only(db, Voicemail)
    assert (row.status, row.duration_s) == ("new", 600.0)
    stored = read_wav(settings.home / row.path)
    assert stored.duration_s == 600.0


def test_taking_in_twice_gives_the_same_receipt(db: Database, settings: Settings):
    sidecar = spooled(settings, "h-1", speech())
    text, sound = sidecar.read_text(), sidecar.with_suffix(".wav").read_bytes()
    first = voicemails.take_in(db, settings, sidecar, now=NOW)
    sidecar.write_text(text)
    sidecar.with_suffix(".wav").write_bytes(sound)
    assert voicemails.take_in(db, settings, sidecar, now=NOW) == first
    assert only(db, Voicemail)
    assert files(settings.paths.voicemail_spool) == []


def test_two_processes_that_take_the_same_message_in_make_one_case(db: Database, settings: Settings):
    sidecar = spooled(settings, "h-1", speech())
    receipts: list[object] = []
    gate = threading.Barrier(4)

    def take() -> None:
        gate.wait()
        try:
            receipts.append(voicemails.take_in(db, settings, sidecar, now=NOW))
        except Exception as error:
            receipts.append(error)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    number = only(db, Case).number
    assert set(receipts) == {intake.Receipt(number, "kept")}


class Killed(BaseException):
    """Stands for kill -9: nothing catches it."""


@pytest.mark.parametrize("where", ["after the copy", "before the commit", "after the commit"])
def test_killed_in_between_nothing_is_lost_and_nothing_is_twice(
    db: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch, where: str
):
    sidecar = spooled(settings, "h-1", speech())
    with monkeypatch.context() as patch:

        def die(*_: object, **__: object) -> None:
            raise Killed

        if where == "after the copy":
            patch.setattr(voicemails, "_known", die)
        elif where == "before the commit":
            patch.setattr(voicemails, "_receipt", die)
        else:
            patch.setattr(Path, "unlink", die)
        with pytest.raises(Killed):
            voicemails.take_in(db, settings, sidecar, now=NOW)
    assert sidecar.exists()
    receipt = voicemails.take_in(db, settings, sidecar, now=NOW)
    assert receipt.case_number == only(db, Case).number
    stored = list((settings.home / "voicemails").rglob("*.wav"))
    assert len(stored) == 1


def test_a_second_message_in_the_same_call_is_kept_too(db: Database, settings: Settings):
    voicemails.take_in(db, settings, spooled(settings, "h-1", speech(2)), now=NOW)
    voicemails.take_in(db, settings, spooled(settings, "h-1", speech(4)), now=NOW)
    with db.read() as session:
        rows = session.exec(select(Voicemail).order_by(Voicemail.id)).all()
    assert [row.duration_s for row in rows] == [2.0, 4.0]
    assert rows[0].case_id == rows[1].case_id


def test_a_caller_who_waited_in_vain_leaves_the_draft_to_a_section(db: Database, settings: Settings):
    from app.calls.model import CallFacts

    record(db, "h-1", number="13800138000", started_at=NOW, joined_at=NOW)
    card = build_card(db, CallFacts("h-1", number="13800138000"), "1001", now=NOW)
    assert card.draft is not None
    receipt = voicemails.take_in(db, settings, spooled(settings, "h-1", speech()), now=NOW)
    case = only(db, Case)
    assert receipt.case_number == card.draft["case_number"]
    assert (case.agent_id, case.section) == (None, "supervision-1")
    with db.read() as session:
        assert [e.event for e in cases.case_events(session, SYSTEM, case.id)] == ["opened", "attached"]


@pytest.mark.parametrize(
    "facts",
    [
        {"number": "13800\r\nX: y", "lang": "zh\0"},
        {"started": "yesterday"},
        {"started": 1e300},
        {"duration": -5, "status": None},
        {"number": 13800138000, "lang": ["x"], "line": {}},
    ],
)
def test_a_hostile_sidecar_is_only_data(db: Database, settings: Settings, facts: dict[str, Any]):
    assert voicemails.take_in(db, settings, spooled(settings, "h-1", speech(), **facts), now=NOW).status == "kept"
    row = only(db, Voicemail)
    assert all(character in "0123456789+*#" for character in row.number)
