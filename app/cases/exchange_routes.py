"""REST: cases as a table."""

from __future__ import annotations

from fastapi import APIRouter, UploadFile
from fastapi.responses import Response

from app.cases import exchange
from app.cases.routes import CaseSearch
from app.http.context import ActorDep, WebDep
from app.http.tables import CSV, TableOutcome, table

router = APIRouter(prefix="/api/case-tables", tags=["cases"])


@router.post("/export", operation_id="export_cases", response_class=Response, responses=CSV)
def export_cases(body: CaseSearch, actor: ActorDep, web: WebDep) -> Response:
    """The cases of a search as a table, as far as the asker may see each."""
    return table("cases", exchange.export_cases(web.db, actor, web.settings.zone, body.wanted()))


@router.get("/blank", operation_id="blank_case_table", response_class=Response, responses=CSV)
def blank_case_table(actor: ActorDep) -> Response:
    """An empty table with the heads that an import reads."""
    return table("cases", exchange.blank(actor))


@router.post("/import", operation_id="import_cases")
def import_cases(file: UploadFile, actor: ActorDep, web: WebDep, dry_run: bool = True) -> TableOutcome:
    """Cases from a table: tried only, or written when nothing is wrong with any row.

    Where the database fails on the way, the error says how many are in; the same table again takes up the rest.
    """
    return TableOutcome.of(exchange.import_cases(web.db, actor, file.file.read(), dry_run=dry_run))
