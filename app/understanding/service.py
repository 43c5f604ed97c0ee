"""What may be taken over into a case from its voicemails, its call's transcript, or the words of a talk that goes on.

Nothing is kept here, and nothing is read that the asker may not read: a message's words and a transcript are asked for
by the same questions as on their own pages. Who asked for secrecy has no transcript, unless it is older than the wish;
then it is guarded as its sound is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlmodel import Session, col

from app.actor import Actor
from app.audit.model import Action
from app.auth.model import Permission
from app.cases import access
from app.cases.tables import Case
from app.errors import Forbidden
from app.places import service as places
from app.understanding.addresses import candidates
from app.understanding.model import Kind, Said, Suggestion
from app.understanding.reading import ranked, read
from app.understanding.spoken import BETWEEN, Spoken, put_right, spoken
from app.units.suggestions import guesses
from app.voicemails.service import may_hear
from app.voicemails.tables import Voicemail, VoicemailText
from app.voicemails.texts import HAND
from recordings import transcripts
from recordings.lines import Channel
from recordings.service import for_listening
from recordings.tables import Recording, TranscriptLine

LONGEST_READ = 8_000
"""Characters of one talk or message that are read: the first ones; nobody fills in a card from what comes later."""
LONGEST_MATTER = 1_000  # of what is told of it, to find the unit
UNIT_IS_RIGHT = ((0.65, 0.75), (0.6, 0.55), (0.54, 0.45), (0.0, 0.3))
"""(from this share of what speaks for the first two units, how often the first is right): counted on the matters of
`make bench-suggest` that nothing was learned from."""


@dataclass(frozen=True)
class Heard:
    """One sound's words: `source` names it, `at` is the local moment at which it began."""

    source: str
    at: datetime
    spoken: Spoken
    parts: tuple[str, ...]


@dataclass(frozen=True)
class OfCase:
    """What may be taken over into a case, and what was read for it: for the audit."""

    suggestions: list[Suggestion] = field(default_factory=list)
    was_read: list[tuple[Action, str]] = field(default_factory=list)


def of_case(session: Session, actor: Actor, case_id: int, zone: ZoneInfo) -> OfCase:
    """What may be taken over into a case that the asker may edit, from what they may hear of it. Raises Forbidden,
    NotFound."""
    actor.require(Permission.cases_write)
    case = access.require_visible(session, actor, session.get(Case, case_id))
    if not access.may_edit(session, actor, case):
        raise Forbidden()
    heard: list[Heard] = []
    was_read: list[tuple[Action, str]] = []
    for mail, text in _messages(session, actor, case):
        heard.append(_of_message(mail, text, zone))
        was_read.append((Action.voicemail_read, f"voicemail:{mail.id}"))
    for recording, lines in _talks(session, actor, case):
        heard.append(_of_talk(recording, lines, zone))
        was_read.append((Action.recording_read, f"recording:{recording.seq}"))
    return OfCase(_suggested(session, actor, heard), was_read)


def of_words(session: Session, actor: Actor, said: Mapping[int, Sequence[Said]], at: datetime) -> list[Suggestion]:
    """What may be taken over from the words of a citizen in a talk that goes on, by segment of its recording; `at` is
    the local moment. Raises Forbidden."""
    actor.require(Permission.cases_write)
    heard = [_heard(f"live:{segment}", at, parts) for segment, parts in said.items()]
    return _suggested(session, actor, heard)


def _suggested(session: Session, actor: Actor, heard: Sequence[Heard]) -> list[Suggestion]:
    if not heard:
        return []
    areas = places.areas(session, actor)
    known = places.named(session, actor, set().union(*(candidates(one.spoken.text) for one in heard)))
    told: list[Suggestion] = []
    for one in heard:
        found = read(one.spoken, one.parts, one.at, areas=areas, known=known)
        found += _units(session, actor, one.spoken, found)
        told += [replace(it, source=one.source) for it in found]
    return ranked(told)


def _units(session: Session, actor: Actor, said: Spoken, found: Iterable[Suggestion]) -> list[Suggestion]:
    """The unit that the matter speaks for most, as the card itself suggests it from what is typed."""
    matter = next((one.value for one in found if one.kind is Kind.matter), "")[:LONGEST_MATTER]
    if not matter or not actor.may(Permission.units_read):
        return []
    likely = [(unit, guess) for unit, guess in guesses(session, actor, matter) if any(map(_is_word, guess.words))]
    if not likely:
        return []
    unit, guess = likely[0]
    others = likely[1][1].score if len(likely) > 1 else 0.0
    word = next(filter(_is_word, guess.words))
    at = said.text.lower().find(word)
    start, end = said.span(at, at + len(word)) if at >= 0 else (None, None)
    share = guess.score / (guess.score + others) if guess.score > 0 else 0.0
    sure = next(right for least, right in UNIT_IS_RIGHT if share >= least)
    quote = "、".join(guess.words)
    return [Suggestion(Kind.unit, unit.code, quote, start, end, sure, label=unit.short_name or unit.name)]


def _is_word(word: str) -> bool:
    return len(word) > 1


def _messages(session: Session, actor: Actor, case: Case) -> list[tuple[Voicemail, VoicemailText]]:
    """The messages of a case that the asker may hear and that somebody wrote down."""
    if not actor.may(Permission.messages_read):
        return []
    statement = (
        select(Voicemail, VoicemailText)
        .join(VoicemailText, col(VoicemailText.voicemail_id) == col(Voicemail.id))
        .where(col(Voicemail.case_id) == case.id, col(Voicemail.expired_at).is_(None))
        .order_by(col(Voicemail.started_at))
    )
    rows = session.execute(statement).all()
    return [(mail, text) for mail, text in rows if may_hear(session, actor, mail)]


def _talks(session: Session, actor: Actor, case: Case) -> list[tuple[Recording, list[TranscriptLine]]]:
    """The recordings of the case's call that the asker may hear and that somebody wrote down."""
    if case.call_id is None:
        return []
    wanted = select(col(Recording.seq)).where(
        col(Recording.call_id) == case.call_id, col(Recording.expired_at).is_(None)
    )
    found: list[tuple[Recording, list[TranscriptLine]]] = []
    for seq in session.execute(wanted.order_by(col(Recording.segment))).scalars():
        try:
            recording = for_listening(session, actor, seq)
        except Forbidden:
            continue
        lines = transcripts.said_by(session, seq, Channel.citizen)
        if lines:
            found.append((recording, lines))
    return found


def _of_message(mail: Voicemail, text: VoicemailText, zone: ZoneInfo) -> Heard:
    said = [
        Said(one[0], one[1], one[2], tuple((word[0], word[1], word[2]) for word in one[4]), float(one[3]))
        for one in text.heard
    ]
    at = mail.started_at.astimezone(zone)
    if text.source != HAND:
        return _heard(f"voicemail:{mail.id}", at, said)
    by_hand = text.text[:LONGEST_READ]
    return Heard(f"voicemail:{mail.id}", at, put_right(by_hand, spoken(said)), tuple(by_hand.split(BETWEEN)))


def _of_talk(recording: Recording, lines: Sequence[TranscriptLine], zone: ZoneInfo) -> Heard:
    said = [
        Said(
            line.text,
            line.start_ms,
            line.end_ms,
            tuple((word[0], word[1], word[2]) for word in line.words or ()),
            1.0 if line.confidence is None else line.confidence,
        )
        for line in lines
    ]
    at = recording.started_at.astimezone(zone)
    return _heard(f"recording:{recording.seq}", at, said)


def _heard(source: str, at: datetime, said: Sequence[Said]) -> Heard:
    """These stretches of speech, as many of them as are read."""
    kept, length = [], 0
    for one in said:
        length += len(one.text) + 1
        if length > LONGEST_READ:
            break
        kept.append(one)
    return Heard(source, at, spoken(kept), tuple(one.text for one in kept))
