"""Taking faxes in: TIFF to PDF, a row whatever happened, and a draft case for what can be read (T11)."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from app import intake
from app.actor import Actor
from app.auth.model import Permission
from app.calls.service import merge
from app.cases.messages import case_in_sight, message_case
from app.cases.model import Source
from app.cases.tables import Case
from app.clock import iso, utc_now
from app.db import Database, found
from app.errors import NotFound
from app.faxes.model import FaxStatus
from app.faxes.tables import Fax
from app.faxes.tiff import Converted, to_pdf
from app.intake import Entry, Receipt, Stored
from app.paging import Leaf, Page, equal, page_of
from app.settings import Settings
from app.text import clean, masked_number
from app.tools import tool

KIND = "faxes"


def take_in(db: Database, settings: Settings, spool_entry: Path, *, now: datetime | None = None) -> Receipt:
    """Take one fax in and clear it from the spool; the same call's fax again gives the same receipt.

    `spool_entry` is the sidecar, or the TIFF of an orphan. Complete and partial faxes become a case; a failed one is
    recorded with its cause. Raises Busy or StorageFull (all stays in the spool), BadInput while the sidecar is being
    written, ToolMissing.
    """
    now = now or utc_now()

    def take(entry: Entry, tiff: Path | None) -> Receipt:
        return _take(db, settings, entry, tiff, now)

    return intake.take_in(spool_entry, ".tif", "fax", take, lambda call_id: receipt_of(db, call_id))


def receipt_of(db: Database, call_id: str) -> Receipt:
    """What became of this call's fax. Raises NotFound."""
    with db.read() as session:
        row = _of_call(session, call_id)
        if row is None:
            raise NotFound()
        return _receipt(session, row)


def _take(db: Database, settings: Settings, entry: Entry, tiff: Path | None, now: datetime) -> Receipt:
    with db.read() as session:
        known = _of_call(session, entry.call_id)
        if known is not None:
            return _receipt(session, known)
    original = pdf = None
    converted = Converted(None, 0, "")
    if tiff is not None:
        original = intake.store(settings, KIND, entry.call_id, tiff, entry.started_at)
        converted = to_pdf(settings.home / original.path, lambda name: tool(name, settings))
        if converted.pdf is not None:
            pdf = intake.store_bytes(settings, KIND, entry.call_id, ".pdf", converted.pdf, entry.started_at)
    try:
        with db.session() as session:
            known = _of_call(session, entry.call_id)
            if known is not None:
                return _receipt(session, known)
            row = _row(entry, converted, original, pdf, now)
            call = merge(session, entry.call_id, number=entry.number or None, line=entry.line)
            merge(session, entry.call_id, started_at=entry.started_at, outcome="fax")
            if row.status != FaxStatus.failed.value:
                title = f"传真({row.pages} 页)"
                case = message_case(session, settings, call, Source.fax, title, now=now, key=entry.call_id)
                row.case_id, row.section = case.id, case.section
            session.add(row)
            session.flush()
            return _receipt(session, row)
    except IntegrityError:  # PostgreSQL: two took it in at once
        return receipt_of(db, entry.call_id)


def _row(entry: Entry, converted: Converted, original: Stored | None, pdf: Stored | None, now: datetime) -> Fax:
    said = entry.count("pages")
    reported = entry.status if entry.status in FaxStatus.__members__ else ""
    told = entry.text("error", 120)
    causes = [cause for cause in (told, converted.cause) if cause]
    if pdf is None:
        status = FaxStatus.failed
        causes = causes or ["nothing received" if original is None else "no readable page"]
    elif converted.cause or reported in ("partial", "failed") or not entry.complete:
        status = FaxStatus.partial
        causes = causes or ["interrupted"]
    elif said is not None and said > converted.pages:
        status = FaxStatus.partial
        causes.append(f"{converted.pages} of {said} pages arrived")
    else:
        status, causes = FaxStatus.complete, []
    return Fax(
        call_id=entry.call_id,
        number=entry.number,
        line=entry.line,
        remote_station=entry.text("station", 64),
        received_at=entry.started_at,
        taken_at=now,
        mode=entry.text("mode", 8),
        status=status.value,
        error=clean("; ".join(causes), 200) or None,
        pages=converted.pages,
        pages_sent=said,
        tiff_path=original.path if original else None,
        tiff_sha256=original.sha256 if original else None,
        pdf_path=pdf.path if pdf else None,
        pdf_sha256=pdf.sha256 if pdf else None,
    )


def _of_call(session: Session, call_id: str) -> Fax | None:
    return session.execute(select(Fax).where(col(Fax.call_id) == call_id)).scalar_one_or_none()


def _receipt(session: Session, row: Fax) -> Receipt:
    case = session.get(Case, row.case_id) if row.case_id is not None else None
    return Receipt(case.number if case else "", row.status)


def list_faxes(session: Session, actor: Actor, *, status: str = "", leaf: Leaf | None = None) -> Page[Fax]:
    """Faxes, newest first. Raises Forbidden."""
    actor.require(Permission.messages_read)
    statement = select(Fax).order_by(col(Fax.received_at).desc(), col(Fax.id).desc())
    return page_of(session, equal(statement, {Fax.status: status}), leaf)


def get(session: Session, actor: Actor, fax_id: int) -> Fax:
    """One fax. Raises Forbidden, NotFound."""
    actor.require(Permission.messages_read)
    return found(session, Fax, fax_id)


def may_read(session: Session, actor: Actor, row: Fax) -> bool:
    """Whether the pages may be shown: handwriting and letterheads tell who wrote (篇6 第19条)."""
    return actor.may(Permission.messages_read) and case_in_sight(session, actor, row.case_id)[1]


def fax_json(session: Session, actor: Actor, row: Fax) -> dict[str, Any]:
    """One fax as the asker may see it."""
    case, clear = case_in_sight(session, actor, row.case_id)
    return {
        "id": row.id,
        "call_id": row.call_id,
        "number": row.number if clear else masked_number(row.number),
        "received_at": iso(row.received_at),
        "pages": row.pages,
        "mode": row.mode,
        "status": row.status,
        "error": row.error,
        "section": row.section,
        "case_id": row.case_id,
        "case_number": case.number if case else None,
        "remote_station": row.remote_station if clear else "",
        "pdf_url": f"/api/faxes/{row.id}/pdf" if row.pdf_path and not row.expired_at else None,
    }
