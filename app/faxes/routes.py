"""REST: faxes."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from app.audit.model import Action
from app.audit.service import write_once
from app.errors import Forbidden
from app.faxes import service
from app.faxes.model import FaxStatus
from app.http.context import ActorDep, WebDep
from app.http.files import file_response, stored_file
from app.http.schema import Answer, Id, Listing, PageOf

router = APIRouter(prefix="/api/faxes", tags=["faxes"])


class FaxOut(Answer):
    """A fax; `error` says why it is partial or failed."""

    id: int
    call_id: str
    number: str
    received_at: str
    pages: int
    mode: str
    status: str
    error: str | None
    section: str | None
    case_id: int | None
    case_number: str | None
    remote_station: str
    pdf_url: str | None


class FaxFilter(Listing):
    """Which faxes."""

    status: FaxStatus | None = None


@router.get("", operation_id="list_faxes")
def list_faxes(actor: ActorDep, web: WebDep, filters: Annotated[FaxFilter, Query()]) -> PageOf[FaxOut]:
    """Faxes, newest first."""
    with web.db.read() as session:
        page = service.list_faxes(session, actor, **filters.wanted(), leaf=filters.leaf)
        return PageOf.of(page, [FaxOut(**service.fax_json(session, actor, row)) for row in page.items])


@router.get("/{fax_id}", operation_id="get_fax")
def get_fax(fax_id: Id, actor: ActorDep, web: WebDep) -> FaxOut:
    """One fax."""
    with web.db.read() as session:
        return FaxOut(**service.fax_json(session, actor, service.get(session, actor, fax_id)))


@router.get(
    "/{fax_id}/pdf",
    operation_id="fax_pdf",
    response_class=Response,
    responses={200: {"content": {"application/pdf": {}}}, 206: {"content": {"application/pdf": {}}}, 416: {}},
)
def fax_pdf(fax_id: Id, request: Request, actor: ActorDep, web: WebDep, download: bool = False) -> Response:
    """The pages, inline or as a download; audited."""
    with web.db.read() as session:
        row = service.get(session, actor, fax_id)
        if not service.may_read(session, actor, row):
            raise Forbidden()
    path = stored_file(web.settings.home, row.pdf_path, row.expired_at)
    write_once(web.db, actor, Action.fax_exported if download else Action.fax_read, f"fax:{fax_id}")
    name = f"fax-{fax_id}.pdf" if download else ""
    return file_response(request, path, "application/pdf", etag=row.pdf_sha256 or "", filename=name)
