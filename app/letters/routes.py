"""REST: documents of an assignment, the proposal of a letter, and the receipt of a case."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import Field

from app.actor import Actor
from app.assignments.shapes import ReplyFields, Warning_
from app.assignments.views import warnings_json
from app.http.context import ActorDep, Web, WebDep
from app.http.schema import Answer, Body, Id
from app.letters import receipts, service
from app.letters.model import MEDIA_TYPES, Form, Kind
from app.letters.service import Paper

router = APIRouter(prefix="/api/assignments", tags=["letters"])
of_cases = APIRouter(prefix="/api/cases", tags=["letters"])


class LetterAsked(Body):
    """What was typed into the reply since it was stored."""

    fields: ReplyFields = Field(default_factory=ReplyFields)


class LetterDraft(Answer):
    """A letter as it is proposed, and what is weak in it."""

    letter: str
    warnings: list[Warning_]


def _file(form: Form) -> dict[str, Any]:
    return {"response_class": Response, "responses": {200: {"content": {MEDIA_TYPES[form]: {}}}}}


def _export(web: Web, actor: Actor, work_id: int, kind: Kind, form: Form) -> Response:
    with web.db.read() as session:
        paper = service.gathered(session, actor, work_id, kind, form, web.settings)
    with web.db.session() as session:
        service.audited(session, actor, work_id, paper)
    return _handed_out(web, paper, form)


def _receipt(web: Web, actor: Actor, case_id: int, form: Form) -> Response:
    with web.db.read() as session:
        paper = receipts.gathered(session, actor, case_id, form, web.settings)
    with web.db.session() as session:
        receipts.audited(session, actor, case_id, paper)
    return _handed_out(web, paper, form)


def _handed_out(web: Web, paper: Paper, form: Form) -> Response:
    data = service.written(paper, form, web.settings)
    headers = {
        "Content-Disposition": f'attachment; filename="{paper.filename}"',
        "Cache-Control": "private, no-store",
    }
    return Response(data, media_type=MEDIA_TYPES[form], headers=headers)


@router.get("/{work_id}/order.docx", operation_id="order_docx", **_file(Form.docx))
def order_docx(work_id: Id, actor: ActorDep, web: WebDep) -> Response:
    """《受理交办单》 as docx; audited."""
    return _export(web, actor, work_id, Kind.order, Form.docx)


@router.get("/{work_id}/order.pdf", operation_id="order_pdf", **_file(Form.pdf))
def order_pdf(work_id: Id, actor: ActorDep, web: WebDep) -> Response:
    """《受理交办单》 as PDF; audited."""
    return _export(web, actor, work_id, Kind.order, Form.pdf)


@router.get("/{work_id}/letter.docx", operation_id="letter_docx", **_file(Form.docx))
def letter_docx(work_id: Id, actor: ActorDep, web: WebDep) -> Response:
    """The reply letter (回复函) as docx; audited."""
    return _export(web, actor, work_id, Kind.letter, Form.docx)


@router.get("/{work_id}/letter.pdf", operation_id="letter_pdf", **_file(Form.pdf))
def letter_pdf(work_id: Id, actor: ActorDep, web: WebDep) -> Response:
    """The reply letter (回复函) as PDF; audited."""
    return _export(web, actor, work_id, Kind.letter, Form.pdf)


@of_cases.get("/{case_id}/receipt.docx", operation_id="receipt_docx", **_file(Form.docx))
def receipt_docx(case_id: Id, actor: ActorDep, web: WebDep) -> Response:
    """受理回执 as docx, with the code of the case; audited."""
    return _receipt(web, actor, case_id, Form.docx)


@of_cases.get("/{case_id}/receipt.pdf", operation_id="receipt_pdf", **_file(Form.pdf))
def receipt_pdf(case_id: Id, actor: ActorDep, web: WebDep) -> Response:
    """受理回执 as PDF, with the code of the case; audited."""
    return _receipt(web, actor, case_id, Form.pdf)


@router.post("/{work_id}/letter-draft", operation_id="draft_letter")
def draft_letter(work_id: Id, body: LetterAsked, actor: ActorDep, web: WebDep) -> LetterDraft:
    """Propose the letter from what the reply says; nothing is stored."""
    with web.db.read() as session:
        proposal = service.draft_letter(session, actor, work_id, body.fields.given(), web.settings)
    warnings = [Warning_(**one) for one in warnings_json(proposal.warnings)]
    return LetterDraft(letter=proposal.text, warnings=warnings)
