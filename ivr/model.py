"""What a voice menu is made of. A flow is data: frozen, checked when it is loaded, the same for every caller."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

Place = tuple[int, int]


class Fact(StrEnum):
    """What a branch may ask about a call."""

    OPEN = "open"
    ELDERLY = "elderly"


class Subject(StrEnum):
    """What a lookup may ask the services."""

    ANNOUNCEMENTS = "announcements"
    CASE_PROGRESS = "case_progress"


class Next(StrEnum):
    """Where a call goes when the menu is over (HOTLINE_NEXT)."""

    QUEUE = "queue"
    VOICEMAIL = "voicemail"
    TRANSFER = "transfer"
    CALLBACK = "callback"
    GOODBYE = "goodbye"


OUTCOMES: Mapping[Subject, tuple[str, ...]] = {
    Subject.ANNOUNCEMENTS: ("some", "none"),
    Subject.CASE_PROGRESS: ("found", "not_found"),
}
"""The answers that each lookup may give, besides none at all (`otherwise`)."""


@dataclass(frozen=True)
class Menu:
    """Says `say` and takes one choice. A wrong key is told and asked again; `silence` needs no key."""

    id: str
    place: Place
    say: tuple[str, ...]
    keys: Mapping[str, str]
    silence: str
    exhausted: str
    timeout_ms: int


@dataclass(frozen=True)
class Number:
    """Takes `shortest`…`longest` digits, ended by # or a pause, into the variable `into`."""

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
    """Writes something down about the call (kind `set`)."""

    id: str
    place: Place
    next: str
    language: str | None = None
    priority: int | None = None
    queue: str | None = None
    skills: Mapping[str, int] = field(default_factory=dict)
    warn: bool | None = None


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
    """The menu is over; `transfer_to` is the number for Next.TRANSFER."""

    id: str
    place: Place
    next: Next
    say: tuple[str, ...] = ()
    transfer_to: str = ""


Node = Menu | Number | Branch | Note | Lookup | End


@dataclass(frozen=True)
class Flow:
    """A whole voice menu."""

    name: str
    languages: tuple[str, ...]
    start: str
    person: str
    tries: int
    patience: int
    wrong_key: str
    nodes: Mapping[str, Node]


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
