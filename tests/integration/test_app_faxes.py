"""Faxes: complete, partial or failed, each with what arrived and why not more."""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Callable

import pytest
from PIL import Image

from app import intake
from app.calls.tables import Call
from app.cases.tables import Case
from app.db import Database
from app.faxes import service as faxes
from app.faxes.tables import Fax
from app.settings import Settings
from tests.integration.spooled import NOW, faxed, files, only, pdf_pages


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
