"""The scan of the spool: what is complete is taken in, what is not waits, and nothing holds up the rest."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import pytest

from app import spool
from app.alarms.service import open_alarms
from app.cases.tables import Case
from app.db import Database
from app.errors import BadInput, StorageFull
from app.settings import Settings
from app.voicemails import service as voicemails
from app.voicemails.tables import Voicemail
from tests.integration.spooled import faxed, files, only, speech, spooled


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
