"""The shapes of requests and answers about the voice menu."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from app.clock import iso
from app.flows.checking import Checked
from app.flows.model import LONGEST_NOTE, LONGEST_TEXT, Changes
from app.flows.service import fault_json
from app.flows.tables import FlowVersion
from app.http.schema import MOST, Answer, Body

MOST_TYPED = 100
Seen = Annotated[int, Field(ge=0, le=MOST - 1)]
Code = Annotated[str, Field(max_length=40)]


class TextIn(Body):
    """A menu as text."""

    model_config = ConfigDict(extra="forbid", str_max_length=LONGEST_TEXT)
    text: str


class NodeIn(TextIn):
    """A node as it is to be in that text; no `body`: it goes."""

    id: Code
    body: dict[str, Any] | None = None


class TryIn(TextIn):
    """A call to that menu: when and by whom, what they typed so far, and what lookups answer (by subject)."""

    open: bool = True
    elderly: bool = False
    language: Code | None = None
    typed: list[Code] = Field(default_factory=list, max_length=MOST_TYPED)
    outcomes: dict[str, Code] = Field(default_factory=dict, max_length=20)


class PublishIn(TextIn):
    """A text to publish, what was changed, and the newest version that the editor saw."""

    after: Seen
    note: str = Field(max_length=LONGEST_NOTE + 1)


class RestoreIn(Body):
    """The newest version that was seen."""

    after: Seen


class ChangesOut(Answer):
    """Names of nodes that were added, removed, changed; `frame`: what stands beside the nodes."""

    added: list[str]
    removed: list[str]
    changed: list[str]
    frame: list[str]


class VersionOut(Answer):
    """A version; `restores`: it is that older one again."""

    number: int
    note: str
    restores: int | None
    nodes: int
    changes: ChangesOut
    made_by_name: str
    since: str

    @classmethod
    def of(cls, row: FlowVersion) -> VersionOut:
        """From its row."""
        return cls(
            number=row.number,
            note=row.note,
            restores=row.restores,
            nodes=row.nodes,
            changes=ChangesOut(**row.changes),
            made_by_name=row.made_by_name,
            since=iso(row.since),
        )


class MenuOut(Answer):
    """What callers walk now (`number` 0: nothing was published), and every version, newest first.

    `own`: below all versions is the instance's own file; `overlooked`: it was changed and has no effect.
    """

    number: int
    text: str
    own: bool
    overlooked: bool
    versions: list[VersionOut]


class TextOut(Answer):
    """A text."""

    text: str


class PublishedOut(Answer):
    """The new version; `laid_down`: callers hear it now, else as soon as the disk lets it be written."""

    version: VersionOut
    laid_down: bool


class SubjectOut(Answer):
    """What a lookup may ask, and what it may be answered."""

    of: str
    outcomes: list[str]


class WordsOut(Answer):
    """Everything that nodes may say, in each language (left out where it has none), and what lookups may ask."""

    prompts: dict[str, dict[str, str]]
    subjects: list[SubjectOut]
    languages: list[str]


class FaultOut(Answer):
    """What is wrong where."""

    line: int
    column: int
    node: str
    code: str
    zh: str
    en: str


class ExitOut(Answer):
    """A way out of a node: "key 1", "outcome found", "silence" …"""

    why: str
    to: str


class NodeOut(Answer):
    """A node as it stands in the text; `body` is all of it."""

    id: str
    line: int
    kind: str
    say: list[str]
    exits: list[ExitOut]
    body: dict[str, Any]


class OutlineOut(Answer):
    """What a picture is drawn from."""

    frame: dict[str, Any]
    nodes: list[NodeOut]


class CheckedOut(Answer):
    """What is wrong with a text; `outline` unless it is no YAML; `changes` against what callers walk now."""

    faults: list[FaultOut]
    outline: OutlineOut | None
    changes: ChangesOut | None

    @classmethod
    def of(cls, seen: Checked, differs: Changes | None) -> CheckedOut:
        """From what was found."""
        drawn = seen.outline
        nodes = [
            NodeOut(
                id=one.id,
                line=one.line,
                kind=one.kind,
                say=list(one.say),
                exits=[ExitOut(why=way.why, to=way.to) for way in one.exits],
                body=dict(one.body),
            )
            for one in (drawn.nodes if drawn else ())
        ]
        return cls(
            faults=[FaultOut(**fault_json(one)) for one in seen.faults],
            outline=OutlineOut(frame=dict(drawn.frame), nodes=nodes) if drawn else None,
            changes=ChangesOut(**differs.as_json()) if differs else None,
        )


class MomentOut(Answer):
    """One thing that happens in a call that is tried. `said` by language; `way`: the nodes it went through."""

    node: str
    way: list[str]
    language: str
    said: dict[str, str]
    asks: bool
    given: str | None
    of: str
    fetched: str
    next: str
    transfer_to: str


class TriedOut(Answer):
    """The whole call so far; `over`: nothing can be typed any more."""

    moments: list[MomentOut]
    over: bool
