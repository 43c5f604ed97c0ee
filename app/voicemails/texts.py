"""What was said in voicemails: heard by a machine and marked so, put right by a person, found by its words.

As secret as the sound: whoever may not hear a message neither reads its words nor finds it by them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, exists, or_, select, true
from sqlmodel import Session, col

from app.actor import Actor
from app.audit.model import Action
from app.audit.service import write
from app.auth.model import Permission
from app.cases.access import confidential, is_confidential
from app.cases.finding import newest_page, tags_of
from app.cases.tables import Case
from app.clock import iso, utc_now
from app.errors import BadInput, Forbidden, NotFound, VersionConflict
from app.paging import Leaf, Page, equal
from app.search.index import ANYWHERE, Entry, index_of
from app.search.tokens import Part, excerpt, sought
from app.speech.model import SOURCE, Utterance
from app.text import clean
from app.voicemails.model import VoicemailStatus
from app.voicemails.service import get, may_hear
from app.voicemails.tables import VOICEMAIL_INDEX, Voicemail, VoicemailText

HAND = "hand"
LONGEST_TEXT = 20_000


def may_be_heard(actor: Actor) -> Any:
    """What `service.may_hear` decides, as a condition for statements about voicemails. Raises Forbidden."""
    actor.require(Permission.messages_read)
    if actor.may(Permission.confidential_read):
        return true()
    own = col(Case.agent_id) == (actor.agent_id or "-")
    clear = or_(own, ~confidential()) if actor.may(Permission.personal_read) else own
    of_clear_case = exists().where(col(Case.id) == col(Voicemail.case_id), clear)
    return (
        or_(of_clear_case, col(Voicemail.case_id).is_(None)) if actor.may(Permission.personal_read) else of_clear_case
    )


def is_secret(session: Session, row: Voicemail) -> bool:
    """Whether it belongs to a matter that asked for secrecy; no machine listens to it then."""
    case = session.get(Case, row.case_id) if row.case_id is not None else None
    return case is not None and is_confidential(session, case)


def keep_heard(session: Session, row: Voicemail, said: Sequence[Utterance], now: datetime) -> None:
    """What a machine heard. It takes the place of what one heard before, never of what a person wrote."""
    kept = session.get(VoicemailText, row.id, with_for_update=True)
    if kept is None:
        kept = VoicemailText(voicemail_id=row.id or 0, source=SOURCE, at=now)
        session.add(kept)
    kept.heard = [
        [one.text, one.start_ms, one.end_ms, round(one.confidence, 3),
         [[word.text, word.start_ms, word.end_ms] for word in one.words]]
        for one in said
    ]  # fmt: skip
    if kept.source == HAND:
        return
    kept.text = clean("，".join(one.text for one in said), LONGEST_TEXT)
    kept.confidence = sum(one.confidence for one in said) / len(said) if said else None
    kept.at = now
    _index(session, row, kept.text)


def of_voicemail(session: Session, actor: Actor, voicemail_id: int) -> VoicemailText | None:
    """The words of a message that the asker may hear; None if nobody wrote them down. Raises Forbidden, NotFound."""
    row = _heard_by(session, actor, voicemail_id)
    return session.get(VoicemailText, row.id)


def edit(
    session: Session, actor: Actor, voicemail_id: int, text: str, version: int, *, now: datetime | None = None
) -> VoicemailText:
    """A person puts the words right, or writes them down first (`version` 0). Raises Forbidden, NotFound, BadInput,
    VersionConflict."""
    now = now or utc_now()
    row = _heard_by(session, actor, voicemail_id)
    wanted = clean(text, LONGEST_TEXT + 1, lines=True)
    if len(wanted) > LONGEST_TEXT:
        raise BadInput(fields={"text": f"最长 {LONGEST_TEXT} 字 (at most {LONGEST_TEXT} characters)"})
    kept = session.get(VoicemailText, row.id, with_for_update=True)
    if (kept.version if kept else 0) != version:
        raise VersionConflict(
            "这条留言的文字刚被别人改过，请核对后再保存。",
            "Somebody else has just changed these words. Compare and save again.",
            current=text_json(kept) if kept else None,
        )
    if kept is None:
        kept = VoicemailText(voicemail_id=row.id or 0, source=HAND, at=now, version=0)
        session.add(kept)
    kept.text, kept.source, kept.confidence = wanted, HAND, None
    kept.version, kept.at, kept.by, kept.by_name = version + 1, now, actor.user_id, actor.display_name[:64]
    _index(session, row, wanted)
    write(session, actor, Action.voicemail_text_changed, f"voicemail:{row.id}", now=now)
    return kept


def text_json(row: VoicemailText) -> dict[str, Any]:
    """What was said in a message as the pages read it."""
    return {
        "text": row.text,
        "source": row.source,
        "confidence": row.confidence,
        "version": row.version,
        "at": iso(row.at) or "",
        "by_name": row.by_name,
        "lines": [{"text": one[0], "start_ms": one[1], "end_ms": one[2], "confidence": one[3]} for one in row.heard],
    }


def forget(session: Session, voicemail_id: int) -> None:
    """Nothing is known any more of what was said in it."""
    kept = session.get(VoicemailText, voicemail_id)
    if kept is not None:
        session.delete(kept)
    index_of(VOICEMAIL_INDEX, session).remove(session, voicemail_id)


def search(
    session: Session,
    actor: Actor,
    words: str,
    *,
    status: str = "",
    leaf: Leaf | None = None,
    now: datetime | None = None,
) -> Page[Voicemail]:
    """The messages that the asker may hear in which all of these words were said, newest first. Raises Forbidden."""
    hearable = select(Voicemail).where(col(Voicemail.expired_at).is_(None), may_be_heard(actor))
    if not status:
        hearable = hearable.where(col(Voicemail.status) != VoicemailStatus.dropped.value)
    hearable = equal(hearable, {Voicemail.status: status})
    leaf, wanted = leaf or Leaf(), sought(words)
    if not wanted:
        return Page([], 0, leaf.page, leaf.size)
    index = index_of(VOICEMAIL_INDEX, session)

    def newest(times: Sequence[str]) -> Select[Any]:
        return index.among(hearable, col(Voicemail.id), index.all_of(wanted, ANYWHERE, times))

    return newest_page(session, index, newest, leaf, now or utc_now())


def excerpts(session: Session, rows: Iterable[Voicemail], words: str) -> dict[int, list[Part]]:
    """Where these words stand in each of what `search` found, by the message's number."""
    wanted = sought(words)
    ids = [row.id for row in rows]
    found = session.execute(select(VoicemailText).where(col(VoicemailText.voicemail_id).in_(ids))).scalars()
    return {one.voicemail_id: excerpt(" ".join(one.text.split()), wanted) for one in found}


def sources(session: Session, rows: Iterable[Voicemail]) -> Mapping[int, str]:
    """Who wrote down each of these messages, where somebody did."""
    ids = [row.id for row in rows]
    wanted = select(col(VoicemailText.voicemail_id), col(VoicemailText.source))
    found = session.execute(wanted.where(col(VoicemailText.voicemail_id).in_(ids)))
    return {one.voicemail_id: one.source for one in found}


def _heard_by(session: Session, actor: Actor, voicemail_id: int) -> Voicemail:
    row = get(session, actor, voicemail_id)
    if not may_hear(session, actor, row):
        raise Forbidden()
    if row.expired_at is not None:
        raise NotFound()
    return row


def _index(session: Session, row: Voicemail, text: str) -> None:
    index = index_of(VOICEMAIL_INDEX, session)
    if not text:
        index.remove(session, row.id or 0)
        return
    entry = Entry(row.id or 0, ("", "", text), moment=row.started_at, tags=[*tags_of(row.started_at)])
    index.put(session, entry)
