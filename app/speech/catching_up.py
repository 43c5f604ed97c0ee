"""Earlier recordings and messages, from a time when nothing was written down."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlmodel import col

from app.calls.tables import Call
from app.db import Database
from app.settings import Settings
from app.speech import jobs
from app.speech.model import JobKind
from app.speech.tables import SpeechJob
from app.voicemails.model import VoicemailStatus
from app.voicemails.tables import Voicemail
from recordings import transcripts
from recordings.tables import Recording


def catch_up(db: Database, settings: Settings, since: datetime, now: datetime) -> int:
    """The words of what was stored since then, and nobody wrote down, are wanted as well; how many jobs were made."""
    known = select(col(SpeechJob.subject_id))
    made = 0
    with db.session() as session:
        recordings = select(Recording).where(
            col(Recording.started_at) >= since,
            col(Recording.expired_at).is_(None),
            col(Recording.duration_ms) > 0,
            col(Recording.seq).not_in(known.where(col(SpeechJob.kind) == JobKind.recording.value)),
        )
        for row in session.execute(recordings.order_by(col(Recording.seq))).scalars():
            call = session.get(Call, row.call_id)
            language = call.language if call else "zh"
            if not transcripts.is_told(session, row.seq):
                made += jobs.note(session, settings, JobKind.recording, row.seq, language, now=now)
        mails = select(Voicemail).where(
            col(Voicemail.started_at) >= since,
            col(Voicemail.expired_at).is_(None),
            col(Voicemail.path).is_not(None),
            col(Voicemail.status) != VoicemailStatus.dropped.value,
            col(Voicemail.id).not_in(known.where(col(SpeechJob.kind) == JobKind.voicemail.value)),
        )
        for mail in session.execute(mails.order_by(col(Voicemail.id))).scalars():
            made += jobs.note(session, settings, JobKind.voicemail, mail.id or 0, mail.language, now=now)
    return made
