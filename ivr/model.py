"""What a voice menu is made of. A flow is data: frozen, checked when it is loaded, the same for every caller."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

Place = tuple[int, int]
Words = Mapping[str, Mapping[str, tuple[str, ...]]]
"""What is chosen → language → what may be said for it, each with a blank between the words of the recogniser."""


class Fact(StrEnum):
    """What a branch may ask about a call."""

    OPEN = "open"
    ELDERLY = "elderly"


class Subject(StrEnum):
    """What a lookup may ask the services."""

    ANNOUNCEMENTS = "announcements"
    CASE_PROGRESS = "case_progress"
    CASE_RESULT = "case_result"
    CASE_RATING = "case_rating"
    CASE_REOPENING = "case_reopening"
    CALL_RATING = "call_rating"  # of the latest call about which this caller was asked by SMS
    TOPIC_ANSWERS = "topic_answers"  # the titles of a topic, some at a time
    ANSWER_CHOSEN = "answer_chosen"  # one of the titles
    ANSWER_NUMBERED = "answer_numbered"  # by its public number
    READING = "reading"  # a part of what is being read out
    ANSWER_SMS = "answer_sms"
    UNIT = "unit"


class Next(StrEnum):
    """Where a call goes when the menu is over (HOTLINE_NEXT)."""

    QUEUE = "queue"
    VOICEMAIL = "voicemail"
    TRANSFER = "transfer"
    CALLBACK = "callback"
    GOODBYE = "goodbye"


TITLES_AT_ONCE = 5
"""Answers that a caller is offered in one breath; more can't be kept in mind."""
OUTCOMES: Mapping[Subject, tuple[str, ...]] = {
    Subject.ANNOUNCEMENTS: ("some", "none"),
    Subject.CASE_PROGRESS: ("found", "settled", "not_found", "locked"),
    Subject.CASE_RESULT: ("found", "other_language", "none", "withheld"),
    Subject.CASE_RATING: ("kept", "kept_before", "refused"),
    Subject.CASE_REOPENING: ("reopened", "too_late", "refused"),
    Subject.CALL_RATING: ("kept", "none"),
    Subject.TOPIC_ANSWERS: ("some", "none"),
    Subject.ANSWER_CHOSEN: ("found", "other_language", "not_found"),
    Subject.ANSWER_NUMBERED: ("found", "other_language", "not_found"),
    Subject.READING: ("part", "last", "gone"),
    Subject.ANSWER_SMS: ("sent", "sent_before", "impossible"),
    Subject.UNIT: ("open", "duty", "closed", "not_found"),
}
"""The answers that each lookup may give, besides none at all (`otherwise`)."""
NEEDS: Mapping[Subject, tuple[str, ...]] = {
    Subject.ANNOUNCEMENTS: (),
    Subject.CASE_PROGRESS: ("case_number", "code"),
    Subject.CASE_RESULT: ("case_number", "code"),
    Subject.CASE_RATING: ("case_number", "code", "level"),
    Subject.CASE_REOPENING: ("case_number", "code"),
    Subject.CALL_RATING: ("level",),
    Subject.TOPIC_ANSWERS: ("topic", "from"),
    Subject.ANSWER_CHOSEN: ("choices", "choice"),
    Subject.ANSWER_NUMBERED: ("answer_number",),
    Subject.READING: ("reading", "part", "move", "pace"),
    Subject.ANSWER_SMS: ("reading",),
    Subject.UNIT: ("unit_code",),
}
"""What the caller must have said, or an earlier lookup found, before this one can be asked."""
BRINGS: Mapping[Subject, tuple[str, ...]] = {
    Subject.CASE_RESULT: ("reading", "part", "move", "pace"),
    Subject.TOPIC_ANSWERS: ("choices", "from"),
    Subject.ANSWER_CHOSEN: ("reading", "part", "move", "pace"),
    Subject.ANSWER_NUMBERED: ("reading", "part", "move", "pace"),
    Subject.READING: ("part", "move"),
    Subject.UNIT: ("unit_number",),
}
"""What is known of the call after a lookup, by the names under which it is remembered."""


@dataclass(frozen=True)
class Menu:
    """Says `say` and takes one choice, which it notes in `into`. A wrong key is told and asked again; `silence` needs
    no key.

    `words`: key → language → what may be said instead of that key; `hint` is said first where somebody listens for it.
    `spoken`: False where a choice takes a finger.
    """

    id: str
    place: Place
    say: tuple[str, ...]
    keys: Mapping[str, str]
    silence: str
    exhausted: str
    timeout_ms: int
    into: str = ""
    words: Words = field(default_factory=dict)
    hint: tuple[str, ...] = ()
    spoken: bool = True


@dataclass(frozen=True)
class Number:
    """Takes `shortest`…`longest` digits, ended by # or a pause, into the variable `into`; `spoken`: also said ones."""

    id: str
    place: Place
    say: tuple[str, ...]
    into: str
    shortest: int
    longest: int
    wrong: str
    next: str
    star: str
    silence: str
    exhausted: str
    timeout_ms: int
    spoken: bool = False


@dataclass(frozen=True)
class Branch:
    """Asks a fact; hears and says nothing."""

    id: str
    place: Place
    on: Fact
    yes: str
    no: str


@dataclass(frozen=True)
class Note:
    """Writes something down about the call (kind `set`); `remember`: for lookups to come."""

    id: str
    place: Place
    next: str
    language: str | None = None
    priority: int | None = None
    queue: str | None = None
    skills: Mapping[str, int] = field(default_factory=dict)
    warn: bool | None = None
    remember: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Lookup:
    """Asks the services while `say` is spoken; each outcome has a node, anything else is `otherwise`."""

    id: str
    place: Place
    of: Subject
    say: tuple[str, ...]
    outcomes: Mapping[str, str]
    otherwise: str


@dataclass(frozen=True)
class End:
    """The menu is over; for Next.TRANSFER `transfer_to` is the number, or `transfer_from` what it is remembered as."""

    id: str
    place: Place
    next: Next
    say: tuple[str, ...] = ()
    transfer_to: str = ""
    transfer_from: str = ""


Node = Menu | Number | Branch | Note | Lookup | End


@dataclass(frozen=True)
class Flow:
    """A whole voice menu. The first of `languages` is spoken until a caller has chosen another.

    `words`: node → language → what may be said wherever a key leads to that node; `digits`: language → word → digit.
    """

    name: str
    languages: tuple[str, ...]
    start: str
    person: str
    tries: int
    patience: int
    wrong_key: str
    nodes: Mapping[str, Node]
    words: Words = field(default_factory=dict)
    digits: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def exits(node: Node) -> Iterator[tuple[str, str]]:
    """Every way out of `node` as (what leads there, node id)."""
    match node:
        case Menu():
            yield from ((f"key {key}", target) for key, target in node.keys.items())
            yield "silence", node.silence
            yield "tries exhausted", node.exhausted
        case Number():
            yield "number given", node.next
            yield "key *", node.star
            yield "silence", node.silence
            yield "tries exhausted", node.exhausted
        case Branch():
            yield f"{node.on}", node.yes
            yield f"not {node.on}", node.no
        case Note():
            yield "on", node.next
        case Lookup():
            yield from node.outcomes.items()
            yield "otherwise", node.otherwise
        case End():
            pass
