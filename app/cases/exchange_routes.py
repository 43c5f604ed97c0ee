"""REST: cases as a table."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, UploadFile
from fastapi.responses import Response

from app import sheets
from app.cases import exchange
from app.cases.routes import CaseSearch
from app.http.context import ActorDep, WebDep
from app.http.schema import Answer

router = APIRouter(prefix="/api/case-tables", tags=["cases"])
CSV: dict[int | str, dict[str, Any]] = {200: {"content": {sheets.MEDIA_TYPE: {}}}}


class CaseFault(Answer):
    """What is wrong in which row and column."""

    row: int
    column: str
    told: str


class CaseImport(Answer):
    """What an import did, or (`written` is false) would do."""

    created: list[str]
    unchanged: int
    faults: list[CaseFault]
    written: bool


@router.post("/export", operation_id="export_cases", response_class=Response, responses=CSV)
def export_cases(body: CaseSearch, actor: ActorDep, web: WebDep) -> Response:
    """The cases of a search as a table, as far as the asker may see each."""
    data = exchange.export_cases(web.db, actor, web.settings.zone, body.wanted())
    return Response(
        data, media_type=sheets.MEDIA_TYPE, headers={"Content-Disposition": 'attachment; filename="cases.csv"'}
    )


@router.get("/blank", operation_id="blank_case_table", response_class=Response, responses=CSV)
def blank_case_table(actor: ActorDep) -> Response:
    """An empty table with the heads that an import reads."""
    data = exchange.blank(actor)
    return Response(
        data, media_type=sheets.MEDIA_TYPE, headers={"Content-Disposition": 'attachment; filename="cases.csv"'}
    )


@router.post("/import", operation_id="import_cases")
def import_cases(file: UploadFile, actor: ActorDep, web: WebDep, dry_run: bool = True) -> CaseImport:
    """Cases from a table: tried only, or written when nothing is wrong with any row.

    Where the database fails on the way, the error says how many are in; the same table again takes up the rest.
    """
    outcome = exchange.import_cases(web.db, actor, file.file.read(), dry_run=dry_run)
    faults = [CaseFault(**asdict(fault)) for fault in outcome.faults]
    return CaseImport(created=outcome.created, unchanged=outcome.unchanged, faults=faults, written=outcome.written)
