"""Voicemails and faxes: from the spool to a case, whatever the file is like and whenever the power goes."""

from __future__ import annotations

import io
import json
import os
import struct
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw
from sqlmodel import select

from app import intake, spool
from app.actor import SYSTEM
from app.alarms.service import open_alarms
from app.audio import write_wav
from app.calls.service import record
from app.calls.tables import Call
from app.cases import service as cases
from app.cases.tables import Case
from app.clock import to_ms
from app.db import Database
from app.errors import BadInput, StorageFull
from app.faxes import service as faxes
from app.faxes.tables import Fax
from app.pop import build_card
from app.settings import Settings
from app.voicemails import service as voicemails
from app.voicemails.tables import Voicemail

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
RATE = 8000


def speech(seconds: float = 3.0) -> np.ndarray:
    """Something with the rises and falls of a voice."""
    t = np.arange(int(seconds * RATE)) / RATE
    return (8000 * np.sin(2 * np.pi * 300 * t) * (0.5 + 0.5 * np.sin(2 * np.pi * 3 * t))).astype(np.int16)


def spooled(settings: Settings, call_id: str, samples: np.ndarray | None, **facts: Any) -> Path:
    """A voicemail as Asterisk leaves it; the sidecar's path."""
    folder = settings.paths.voicemail_spool
    if samples is not None:
        write_wav(folder / f"{call_id}.wav", samples, RATE)
    sidecar = folder / f"{call_id}.json"
    base = {"kind": "voicemail", "call": call_id, "number": "13800138000", "line": "12345", "lang": "zh"}
    base |= {"started": to_ms(NOW), "status": "complete", "duration": 3}
    sidecar.write_text(json.dumps(base | facts))
    return sidecar


def only(db: Database, table: Any) -> Any:
    with db.read() as session:
        return session.exec(select(table)).one()


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


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


def test_a_sidecar_that_is_being_written_is_left_alone_and_a_dead_one_is_not(db: Database, settings: Settings):
    sidecar = spooled(settings, "h-1", speech())
    sidecar.write_text('{"kind":"voicem')
    with pytest.raises(BadInput):
        voicemails.take_in(db, settings, sidecar)
    assert spool.scan(db, settings) == 0
    assert spool.scan(db, settings, now=datetime.now(UTC) + timedelta(minutes=11)) == 1
    assert only(db, Voicemail).status == "partial"
    assert files(settings.paths.voicemail_spool) == []


def test_an_orphan_is_taken_in_once_it_has_stopped_growing(db: Database, settings: Settings):
    wav = spooled(settings, "h-1", speech()).with_suffix(".wav")
    wav.with_suffix(".json").unlink()
    assert spool.scan(db, settings) == 0
    old = (datetime.now(UTC) - timedelta(minutes=11)).timestamp()
    os.utime(wav, (old, old))
    assert spool.scan(db, settings) == 1
    assert (only(db, Voicemail).status, only(db, Case).state) == ("partial", "draft")


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


def test_with_a_full_disk_the_message_waits_with_an_alarm(db: Database, settings: Settings):
    full = settings.model_copy(update={"min_free_mb": 10**9})
    sidecar = spooled(settings, "h-1", speech())
    with pytest.raises(StorageFull):
        voicemails.take_in(db, full, sidecar)
    assert spool.scan(db, full) == 0
    with db.read() as session:
        assert [alarm.code for alarm in open_alarms(session)] == [spool.INTAKE_FULL]
    assert sidecar.exists()
    assert spool.scan(db, settings) == 1
    with db.read() as session:
        assert open_alarms(session) == []
    assert only(db, Voicemail).status == "new"


def test_one_bad_entry_does_not_hold_up_the_others(db: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch):
    real = voicemails._examine
    monkeypatch.setattr(
        voicemails, "_examine", lambda wav: (_ for _ in ()).throw(RuntimeError()) if "h-1" in str(wav) else real(wav)
    )
    for n in range(3):
        spooled(settings, f"h-{n}", speech(1))
    assert spool.scan(db, settings) == 2
    with db.read() as session:
        assert [alarm.code for alarm in open_alarms(session)] == [spool.ENTRY_FAILED]
    monkeypatch.undo()
    assert spool.scan(db, settings) == 1


# ---- faxes


def page(words: str) -> Image.Image:
    image = Image.new("1", (1728, 2200), 1)
    ImageDraw.Draw(image).text((200, 200), words)
    return image


def faxed(settings: Settings, call_id: str, count: int, **facts: Any) -> Path:
    """A fax as Asterisk leaves it: Group 4, 204×196 dpi."""
    folder = settings.paths.fax_spool
    if count:
        images = [page(f"page {n}") for n in range(count)]
        images[0].save(
            folder / f"{call_id}.tif", save_all=True, append_images=images[1:], compression="group4", dpi=(204, 196)
        )
    sidecar = folder / f"{call_id}.json"
    base = {"kind": "fax", "call": call_id, "number": "02155551234", "line": "12340", "started": to_ms(NOW)}
    base |= {"status": "complete" if count else "failed", "pages": count, "mode": "T38", "error": "", "station": "SH"}
    sidecar.write_text(json.dumps(base | facts))
    return sidecar


def pdf_pages(path: Path) -> int:
    import re

    return len(re.findall(rb"/Type\s*/Page\b", path.read_bytes()))


def test_a_fax_becomes_a_pdf_of_as_many_pages_and_a_case(db: Database, settings: Settings):
    receipt = faxes.take_in(db, settings, faxed(settings, "h-1", 2), now=NOW)
    row, case = only(db, Fax), only(db, Case)
    assert receipt == intake.Receipt(case.number, "complete")
    assert (row.pages, row.status, row.mode, row.error) == (2, "complete", "T38", None)
    assert pdf_pages(settings.home / row.pdf_path) == 2
    assert (settings.home / row.tiff_path).exists()
    assert (case.source, case.section, case.title) == ("fax", "supervision-1", "传真(2 页)")
    assert only(db, Call).outcome == "fax"
    assert files(settings.paths.fax_spool) == []


def test_a_fax_that_never_came_is_recorded_with_its_cause(db: Database, settings: Settings):
    receipt = faxes.take_in(db, settings, faxed(settings, "h-1", 0, error="no carrier"), now=NOW)
    row = only(db, Fax)
    assert receipt == intake.Receipt("", "failed")
    assert (row.status, row.error, row.case_id, row.pages) == ("failed", "no carrier", None, 0)


def test_fewer_pages_than_were_sent_make_a_partial_fax(db: Database, settings: Settings):
    faxes.take_in(db, settings, faxed(settings, "h-1", 1, status="partial", error="line dropped", pages=3), now=NOW)
    row = only(db, Fax)
    assert (row.status, row.error, row.pages, row.pages_sent) == ("partial", "line dropped", 1, 3)
    assert row.case_id is not None


def torn(data: bytes) -> bytes:
    """As when the power went before the last page's directory was written."""
    return data[: len(data) - 40]


def without_picture(data: bytes) -> bytes:
    """The last page's directory points at a picture that is not in the file."""
    with Image.open(io.BytesIO(data)) as image:
        image.seek(2)
        here = struct.pack("<I", image.tag_v2[273][0])
    place = data.rindex(here)
    return data[:place] + struct.pack("<I", len(data) + 1000) + data[place + 4 :]


@pytest.mark.parametrize("damage", [torn, without_picture])
def test_the_pages_before_a_tear_are_saved(db: Database, settings: Settings, damage: Callable[[bytes], bytes]):
    sidecar = faxed(settings, "h-1", 3)
    tiff = sidecar.with_suffix(".tif")
    tiff.write_bytes(damage(tiff.read_bytes()))
    faxes.take_in(db, settings, sidecar, now=NOW)
    row = only(db, Fax)
    assert (row.status, row.pages) == ("partial", 2)
    assert row.error
    assert pdf_pages(settings.home / row.pdf_path) == 2
    assert row.case_id is not None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"II*\0",
        b"II*\0\x08\0\0\0\xff\xff",
        b"MM\0*\0\0\0\x08\0\0",
        b"II*\0\x08\0\0\0" + b"\x01\0" + b"\0" * 12 + b"\x08\0\0\0",  # a list of pages that bites its tail
        b"\x89PNG" * 1000,
        os.urandom(4000),
    ],
)
def test_a_broken_tiff_is_recorded_as_failed_and_kept(db: Database, settings: Settings, content: bytes):
    sidecar = faxed(settings, "h-1", 0, status="complete", pages=1)
    sidecar.with_suffix(".tif").write_bytes(content)
    assert faxes.take_in(db, settings, sidecar, now=NOW).status == "failed"
    row = only(db, Fax)
    assert (row.error, row.pages, row.pdf_path) == ("no readable page", 0, None)
    assert (settings.home / row.tiff_path).read_bytes() == content


def test_a_fax_taken_in_twice_is_one_fax(db: Database, settings: Settings):
    sidecar = faxed(settings, "h-1", 1)
    text = sidecar.read_text()
    first = faxes.take_in(db, settings, sidecar, now=NOW)
    sidecar.write_text(text)
    assert faxes.take_in(db, settings, sidecar, now=NOW) == first


def test_the_scan_takes_voicemails_and_faxes(db: Database, settings: Settings):
    spooled(settings, "h-1", speech(1))
    faxed(settings, "h-2", 1)
    assert spool.scan(db, settings) == 2
    assert spool.scan(db, settings) == 0


def test_names_that_are_no_call_ids_are_not_touched(db: Database, settings: Settings):
    for name in ("..json", ".hidden.json", "a b.json", "x" * 70 + ".json"):
        (settings.paths.voicemail_spool / name).write_text("{}")
    before = files(settings.paths.voicemail_spool)
    assert spool.scan(db, settings) == 0
    assert files(settings.paths.voicemail_spool) == before
