"""REST: how long certificates still hold."""

from __future__ import annotations

from fastapi import APIRouter

from app.auth.model import Permission
from app.certificates.model import judge
from app.certificates.service import look
from app.clock import iso, utc_now
from app.http.context import ActorDep, WebDep
from app.http.schema import Answer

router = APIRouter(prefix="/api", tags=["system"])


class CertificateOut(Answer):
    """A certificate. `state`: ok, ends, lapsed, unreadable, stale; `kind`: own, made, other (`app.certificates`)."""

    file: str
    kind: str
    state: str
    days: int | None
    ends_at: str | None


@router.get("/certificates", operation_id="list_certificates")
def list_certificates(actor: ActorDep, web: WebDep) -> list[CertificateOut]:
    """The certificates that are looked after, as they are now."""
    actor.require(Permission.system_read)
    now = utc_now()
    return [
        CertificateOut(
            file=one.seen.subject, kind=one.seen.kind.value, state=one.code, days=one.stage, ends_at=iso(one.ends)
        )
        for one in (judge(seen, now) for seen in look(web.settings))
    ]
