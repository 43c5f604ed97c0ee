"""The use cases: a document of an assignment, and the proposal of a letter; for whoever sees the assignment."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlmodel import Session

from app.actor import Actor
from app.assignments import check, working
from app.assignments.inbox import get_work
from app.assignments.tables import Reply
from app.assignments.views import names_in_letter
from app.audit.model import Action
from app.audit.service import write
from app.cases.model import HandlingWay
from app.clock import utc_now
from app.errors import HotlineError, Refused
from app.letters import facts, shelf
from app.letters.facts import Seen
from app.letters.model import Document, Form, Kind
from app.letters.templates import fill_layout
from app.settings import Settings
from app.tools import ToolMissing

IN_WRITING = frozenset({HandlingWay.written.value, HandlingWay.coordinated.value})
NAMES: Mapping[Kind, str] = {Kind.order: "受理交办单", Kind.letter: "回复函", Kind.receipt: "受理回执"}


class Paper(NamedTuple):
    """A document before it is written; its file's name tells the case and the unit, and nobody's name.

    `detail` is what the audit is told of it.
    """

    document: Document
    filename: str
    detail: Mapping[str, Any]


class Proposal(NamedTuple):
    """A letter that nobody has read yet, and what is weak in it all the same."""

    text: str
    warnings: list[check.Remark]


def gathered(
    session: Session,
    actor: Actor,
    work_id: int,
    kind: Kind,
    form: Form,
    settings: Settings,
    *,
    now: datetime | None = None,
) -> Paper:
    """The document as the asker may read it; before it is written, `audited` says who takes it.

    Raises NotFound, Refused (no_order for what was not given in writing, no_letter), BrokenTemplate.
    """
    seen = _seen(session, actor, work_id, settings, now)
    values = _order(seen) if kind is Kind.order else _letter(seen)
    title = f"{NAMES[kind]} {seen.case.number}"
    document = fill_layout(shelf.layout(settings, kind), values, title=title, foot=seen.case.number)
    detail = {"document": kind.value, "form": form.value, "case": seen.case.id, "clear": seen.clear}
    return Paper(document, f"{kind}-{seen.case.number}-{seen.unit_code}.{form}", detail)


def audited(session: Session, actor: Actor, work_id: int, paper: Paper, *, now: datetime | None = None) -> None:
    """The audit's line about a document that somebody takes."""
    write(session, actor, Action.case_exported, f"assignment:{work_id}", paper.detail, now=now or utc_now())


def written(paper: Paper, form: Form, settings: Settings, *, now: datetime | None = None) -> bytes:
    """The document's bytes; takes a good part of a second, so no transaction should wait for it.

    Raises HotlineError (no_fonts) when a PDF is asked for and its fonts are not there.
    """
    if form is Form.docx:
        from app.letters import word  # the writers take time to load, which a core that starts has not

        return word.write(paper.document, now=now or utc_now())
    try:
        from app.letters import pdf

        return pdf.write(paper.document, settings)
    except ToolMissing as error:
        raise HotlineError(
            "没有生成 PDF 所需的字体，请管理员运行 make setup；可先下载 docx。",
            "The fonts for PDF are not there: an administrator runs make setup. The docx can be had meanwhile.",
            code="no_fonts",
        ) from error


def draft_letter(
    session: Session,
    actor: Actor,
    work_id: int,
    fields: Mapping[str, Any],
    settings: Settings,
    *,
    now: datetime | None = None,
) -> Proposal:
    """What the letter could say, from the reply as it is stored and, over it, what was typed since (`fields`).

    Nothing is stored: whoever writes the reply edits it and keeps it there. Raises NotFound, BrokenTemplate.
    """
    seen = _seen(session, actor, work_id, settings, now)
    stored = working.reply_of(session, seen.work)
    reply = {**(working.reply_json(stored) if stored is not None else {}), **fields}
    text = facts.proposed(seen, reply, shelf.wording(settings))
    typed = check.Written(
        result=str(reply.get("result") or ""),
        measures=str(reply.get("measures") or ""),
        letter=text,
    )
    found = check.warnings(typed, **names_in_letter(session, seen.case, seen.work))
    return Proposal(text, [one for one in found if one.where in ("letter", "wording")])


def _seen(session: Session, actor: Actor, work_id: int, settings: Settings, now: datetime | None) -> Seen:
    case, work = get_work(session, actor, work_id)
    return Seen(session, actor, case, work, settings, now or utc_now())


def _order(seen: Seen) -> dict[str, str]:
    if seen.work.way not in IN_WRITING:
        raise Refused(
            "只有书面交办、协调办理的任务有《受理交办单》。",
            "Only what is given in writing has this form.",
            code="no_order",
        )
    return facts.order_values(seen)


def _letter(seen: Seen) -> dict[str, str]:
    reply: Reply | None = working.reply_of(seen.session, seen.work)
    if reply is None or not reply.letter.strip():
        raise Refused(
            "还没有回复函，请先起草并保存。", "There is no letter yet: write one and save it.", code="no_letter"
        )
    return facts.letter_values(seen, reply)
