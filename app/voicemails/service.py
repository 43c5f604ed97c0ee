"""Taking voicemails in: from the spool to a row, a stored file and a draft case in rotation (T10)."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from app import intake
from app.actor import Actor
from app.audio import Loudness, listen, read_wav
from app.auth.model import Permission
from app.calls.service import merge
from app.cases.messages import case_in_sight, message_case
from app.cases.model import Source
from app.cases.tables import Case
from app.clock import iso, utc_now
from app.db import Database, found
from app.errors import BadInput, NotFound, Refused
from app.intake import Entry, Receipt, Stored
from app.paging import Leaf, Page, equal, page_of
from app.settings import Settings
from app.speech.jobs import note
from app.speech.model import JobKind
from app.text import masked_number
from app.voicemails.model import DropReason, VoicemailStatus
from app.voicemails.tables import Voicemail

KIND = "voicemails"
MOST_PER_CALL = 9


def take_in(db: Database, settings: Settings, spool_entry: Path, *, now: datetime | None = None) -> Receipt:
    """Take one message in and clear it from the spool; the same call's message again gives the same receipt.

    `spool_entry` is the sidecar, or the WAV of an orphan. When this returns, the message, its file and its case are
    on the disk. Silent and empty messages are dropped with a reason that is kept. Raises Busy or StorageFull (all
    stays in the spool), BadInput while the sidecar is being written.
    """
    now = now or utc_now()

    def take(entry: Entry, wav: Path | None) -> Receipt:
        return _take(db, settings, entry, wav, now)

    return intake.take_in(spool_entry, ".wav", "voicemail", take, lambda call_id: receipt_of(db, call_id))


def receipt_of(db: Database, call_id: str) -> Receipt:
    """What became of this call's message. Raises NotFound."""
    with db.read() as session:
        row = _of_call(session, call_id)
        if row is None:
            raise NotFound()
        return _receipt(session, row)


def _take(db: Database, settings: Settings, entry: Entry, wav: Path | None, now: datetime) -> Receipt:
    duration, loudness, reason, damaged = _examine(wav)
    stored = None
    if wav is not None and reason not in (DropReason.empty, DropReason.missing):
        stored = intake.store(settings, KIND, entry.call_id, wav, entry.started_at)
    for _ in range(2):
        try:
            with db.session() as session:
                row = _known(session, entry.call_id, stored)
                if isinstance(row, Voicemail):
                    return _receipt(session, row)
                return _new(session, settings, entry, row, stored, duration, loudness, reason, damaged, now)
        except IntegrityError:  # PostgreSQL: two took it in at once; the other's row is there now
            continue
    return receipt_of(db, entry.call_id)


def _new(
    session: Session,
    settings: Settings,
    entry: Entry,
    key: str,
    stored: Stored | None,
    duration: float,
    loudness: Loudness,
    reason: DropReason | None,
    damaged: bool,
    now: datetime,
) -> Receipt:
    partial = damaged or not entry.complete or entry.status == "error"
    status = VoicemailStatus.dropped if reason else VoicemailStatus.partial if partial else VoicemailStatus.new
    row = Voicemail(
        call_id=key,
        number=entry.number,
        language=entry.language,
        started_at=entry.started_at,
        taken_at=now,
        status=status.value,
        reason=reason.value if reason else ("interrupted" if partial else None),
        duration_s=round(duration, 2),
        voiced_s=round(loudness.voiced_s, 2),
        path=stored.path if stored else None,
        sha256=stored.sha256 if stored else None,
        bytes=stored.bytes if stored else 0,
    )
    call = merge(session, entry.call_id, number=entry.number or None, line=entry.line, started_at=entry.started_at)
    if call.language != entry.language and call.joined_at is None:
        call.language = entry.language
    if call.outcome != "answered":
        call.outcome = "abandoned" if reason and call.joined_at else "voicemail"
    if reason is None:
        case = message_case(
            session, settings, call, Source.voicemail, f"语音留言({round(duration)} 秒)", now=now, key=key
        )
        row.case_id, row.section = case.id, case.section
    session.add(row)
    session.flush()
    if reason is None and row.path:
        note(session, settings, JobKind.voicemail, row.id or 0, row.language, now=now)
    return _receipt(session, row)


def _examine(wav: Path | None) -> tuple[float, Loudness, DropReason | None, bool]:
    """(seconds, loudness, why to drop it, whether the file was damaged)."""
    nothing = Loudness(0.0, -96.0)
    if wav is None:
        return 0.0, nothing, DropReason.missing, False
    try:
        sound = read_wav(wav)
    except BadInput:
        empty = wav.stat().st_size == 0
        return 0.0, nothing, DropReason.empty if empty else DropReason.unreadable, not empty
    if not len(sound.samples):
        return 0.0, nothing, DropReason.empty, False
    loudness = listen(sound)
    return sound.duration_s, loudness, DropReason.silent if loudness.is_silent else None, sound.repaired


def _known(session: Session, call_id: str, stored: Stored | None) -> Voicemail | str:
    """The row of this very message, or the key for a new one. A second message in one call gets a key of its own."""
    n = 1
    while True:
        key = call_id if n == 1 else f"{call_id}.{n}"
        row = _of_call(session, key)
        if row is None:
            return key
        if stored is None or row.sha256 == stored.sha256 or n == MOST_PER_CALL:
            return row
        n += 1


def _of_call(session: Session, key: str) -> Voicemail | None:
    return session.execute(select(Voicemail).where(col(Voicemail.call_id) == key)).scalar_one_or_none()


def _receipt(session: Session, row: Voicemail) -> Receipt:
    case = session.get(Case, row.case_id) if row.case_id is not None else None
    return Receipt(case.number if case else "", "dropped" if row.status == "dropped" else "kept")


def list_voicemails(
    session: Session, actor: Actor, *, status: str = "", section: str = "", leaf: Leaf | None = None
) -> Page[Voicemail]:
    """Voicemails, newest first; dropped ones only when asked for. Raises Forbidden."""
    actor.require(Permission.messages_read)
    statement = select(Voicemail).order_by(col(Voicemail.started_at).desc(), col(Voicemail.id).desc())
    if not status:
        statement = statement.where(col(Voicemail.status) != VoicemailStatus.dropped.value)
    return page_of(session, equal(statement, {Voicemail.status: status, Voicemail.section: section}), leaf)


def get(session: Session, actor: Actor, voicemail_id: int) -> Voicemail:
    """One voicemail. Raises Forbidden, NotFound."""
    actor.require(Permission.messages_read)
    return found(session, Voicemail, voicemail_id)


def set_done(
    session: Session, actor: Actor, voicemail_id: int, done: bool, *, now: datetime | None = None
) -> Voicemail:
    """Mark as dealt with, or take that back. Raises Refused for a dropped one."""
    row = get(session, actor, voicemail_id)
    if row.status == VoicemailStatus.dropped.value:
        raise Refused(code="wrong_state")
    row.status = VoicemailStatus.done.value if done else VoicemailStatus.new.value
    row.done_by = actor.user_id if done else None
    row.done_at = (now or utc_now()) if done else None
    return row


def voicemail_json(session: Session, actor: Actor, row: Voicemail) -> dict[str, Any]:
    """One voicemail as the asker may see it."""
    case, clear = case_in_sight(session, actor, row.case_id)
    return {
        "id": row.id,
        "call_id": row.call_id,
        "number": row.number if clear else masked_number(row.number),
        "started_at": iso(row.started_at),
        "duration_s": round(row.duration_s),
        "status": row.status,
        "reason": row.reason,
        "section": row.section,
        "case_id": row.case_id,
        "case_number": case.number if case else None,
        "language": row.language,
        "sha256": row.sha256,
        "audio_url": f"/api/voicemails/{row.id}/audio" if row.path and not row.expired_at else None,
    }


def may_hear(session: Session, actor: Actor, row: Voicemail) -> bool:
    """A voice betrays whose it is: a confidential message is heard only by those who may know (篇6 第19条)."""
    case, clear = case_in_sight(session, actor, row.case_id)
    # Without a case nobody has asked for secrecy yet, and somebody must listen to make one.
    return actor.may(Permission.messages_read) and (case is None or clear)
