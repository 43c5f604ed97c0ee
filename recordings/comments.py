"""What people say of a moment in a recording. Heard by whoever may hear it, changed by nobody but the author.

Taken back, a comment stays as a line that says so: whoever read it knows where it went.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select, update
from sqlmodel import Session, col

from app.actor import Actor
from app.audit.model import Action
from app.audit.service import write
from app.clock import utc_now
from app.db import found
from app.errors import BadInput, Forbidden, NotFound, Refused
from app.text import clean
from recordings.service import for_listening, is_secret
from recordings.tables import RecordingComment

LONGEST, MOST = 1_000, 200


def of_recording(session: Session, actor: Actor, recording_id: int) -> tuple[list[RecordingComment], bool]:
    """The comments on a recording that the asker may hear, by their moments, and whether reading them is audited: they
    may tell of a confidential call what was said. Raises Forbidden, NotFound.
    """
    row = for_listening(session, actor, recording_id)
    order = (col(RecordingComment.at_ms), col(RecordingComment.id))
    statement = select(RecordingComment).where(col(RecordingComment.recording) == recording_id).order_by(*order)
    comments = list(session.execute(statement).scalars())
    return comments, bool(comments) and is_secret(session, row.call_id)


def add(
    session: Session, actor: Actor, recording_id: int, at_ms: int, text: str, *, now: datetime | None = None
) -> RecordingComment:
    """Say something of a moment; the same words of the same moment by the same person are one comment.

    Raises Forbidden, NotFound, BadInput (at_ms, text), Refused (too many).
    """
    row = for_listening(session, actor, recording_id, lock=True)
    words, now = _said(text), now or utc_now()
    if actor.user_id is None:
        raise Forbidden()
    if not 0 <= at_ms <= row.duration_ms:
        raise BadInput(fields={"at_ms": "须在录音时长之内 (within the recording)"})
    of_this = select(RecordingComment).where(col(RecordingComment.recording) == row.seq)
    same = of_this.where(
        col(RecordingComment.by) == actor.user_id,
        col(RecordingComment.at_ms) == at_ms,
        col(RecordingComment.text) == words,
        col(RecordingComment.removed_at).is_(None),
    )
    known: RecordingComment | None = session.execute(same.limit(1)).scalar_one_or_none()
    if known is not None:
        return known
    if session.execute(select(func.count()).select_from(of_this.subquery())).scalar_one() >= MOST:
        raise Refused(
            "这段录音的批注已满。", "There are too many comments on this recording.", code="too_many_comments"
        )
    comment = RecordingComment(
        recording=row.seq,
        at_ms=at_ms,
        text=words,
        by=actor.user_id,
        by_name=actor.display_name or actor.name,
        at=now,
    )
    session.add(comment)
    session.flush()
    _audit(session, actor, comment, "add", now)
    return comment


def change(
    session: Session, actor: Actor, recording_id: int, comment_id: int, text: str, *, now: datetime | None = None
) -> RecordingComment:
    """Other words for one's own comment. Raises Forbidden, NotFound, BadInput (text), Refused (taken back)."""
    comment = _own(session, actor, recording_id, comment_id)
    if comment.removed_at is not None:
        raise Refused("批注已删除，不能再改。", "The comment was taken back.", code="comment_removed")
    words, now = _said(text), now or utc_now()
    if words != comment.text:
        comment.text, comment.changed_at = words, now
        _audit(session, actor, comment, "change", now)
    return comment


def remove(
    session: Session, actor: Actor, recording_id: int, comment_id: int, *, now: datetime | None = None
) -> RecordingComment:
    """Take one's own comment back; done twice it is done once. Raises Forbidden, NotFound."""
    comment = _own(session, actor, recording_id, comment_id)
    if comment.removed_at is None:
        now = now or utc_now()
        comment.text, comment.removed_at = "", now
        _audit(session, actor, comment, "remove", now)
    return comment


def forget(session: Session, recording_id: int, now: datetime) -> None:
    """The recording is gone: so is what was said of it."""
    gone = (col(RecordingComment.recording) == recording_id) & col(RecordingComment.removed_at).is_(None)
    session.execute(update(RecordingComment).where(gone).values(text="", removed_at=now))


def _own(session: Session, actor: Actor, recording_id: int, comment_id: int) -> RecordingComment:
    row = for_listening(session, actor, recording_id, lock=True)
    comment = found(session, RecordingComment, comment_id)
    if comment.recording != row.seq:
        raise NotFound()
    if comment.by != actor.user_id:
        raise Forbidden("只能改自己的批注。", "Only the author may change a comment.", code="not_yours")
    return comment


def _said(text: str) -> str:
    words = clean(text, LONGEST + 1, lines=True)
    if not words:
        raise BadInput(fields={"text": "写上批注 (say something)"})
    if len(words) > LONGEST:
        raise BadInput(fields={"text": f"最长 {LONGEST} 字 (at most {LONGEST} characters)"})
    return words


def _audit(session: Session, actor: Actor, comment: RecordingComment, what: str, now: datetime) -> None:
    detail = {"comment": comment.id, "what": what}
    write(session, actor, Action.recording_commented, f"recording:{comment.recording}", detail, now=now)
