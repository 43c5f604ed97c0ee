"""/livez, /healthz, /metrics: for the supervisor, for `hotline doctor`, for Prometheus."""

from __future__ import annotations

import ipaddress
import shutil
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from prometheus_client import REGISTRY as PROCESS_REGISTRY

from app import spool
from app.alarms.model import WARNINGS
from app.alarms.service import open_alarms, present_codes
from app.auth.model import Permission
from app.auth.sessions import visit_of
from app.errors import Forbidden, HotlineError
from app.http.context import Web, WebDep, address_of, token_of
from app.http.guard import Figures
from app.measures.service import counts

router = APIRouter()

STANDBY = "standby"


@router.get("/livez", operation_id="livez", tags=["health"], response_class=PlainTextResponse)
async def livez() -> str:
    """Whether the event loop turns; asks nothing of the database."""
    return "ok"


@router.get("/healthz", operation_id="healthz", tags=["health"], response_model=None)
def healthz(web: WebDep) -> JSONResponse:
    """Every part and how it is; 503 when one is not well, and for a core that stands by: pages belong to the other."""
    parts = health(web)
    unwell = {state for state in parts.values() if state != "ok"}
    status = "degraded" if unwell - {STANDBY} else "standby" if unwell else "ok"
    return JSONResponse({"status": status, "parts": parts}, status_code=200 if status == "ok" else 503)


@router.get("/metrics", operation_id="metrics", tags=["health"], response_model=None)
def metrics(request: Request, web: WebDep) -> Response:
    """Prometheus text; for this machine and for those who may see the system. Holds no personal data."""
    if not _is_local(address_of(request)):
        visit = visit_of(web.db, token_of(request), address=address_of(request))
        if visit is None or not visit.actor.may(Permission.system_read):
            raise Forbidden()
    figures: Figures = request.app.state.figures
    text = generate_latest(figures.registry) + generate_latest(PROCESS_REGISTRY) + generate_latest(_state(web))
    return Response(text, media_type=CONTENT_TYPE_LATEST)


def health(web: Web) -> dict[str, str]:
    """Each part: "ok", or what is wrong with it."""
    parts: dict[str, str] = {}
    alarms = set(present_codes())
    try:
        with web.db.read() as session:
            alarms |= {alarm.code for alarm in open_alarms(session)}
        parts["database"] = "ok"
    except HotlineError as error:
        parts["database"] = error.code
    except Exception as error:
        parts["database"] = f"broken: {type(error).__name__}"
    free = shutil.disk_usage(web.settings.home).free // 1_000_000
    enough = free >= web.settings.min_free_mb
    parts["disk"] = "ok" if enough else f"only {free} MB free, {web.settings.min_free_mb} MB needed"
    parts["alarms"] = ", ".join(sorted(alarms - WARNINGS)) or "ok"
    parts["pages"] = "ok" if web.whole.is_set() else "starting"
    if web.realtime is not None:
        more: Any = getattr(web.realtime, "health", None)
        parts |= more() if callable(more) else {}
        healthy: Any = getattr(web.realtime, "healthy", None)
        standby: Any = getattr(web.realtime, "stands_by", None)
        if standby is not None and standby():
            parts["realtime"] = STANDBY
        else:
            parts["realtime"] = "ok" if healthy is None or healthy() else "no connection to Asterisk"
    return parts


def _state(web: Web) -> CollectorRegistry:
    registry = CollectorRegistry()
    waiting = Gauge("hotline_spool_files", "Files that wait to be taken in", ("spool",), registry=registry)
    for name, count in spool.waiting(web.settings).items():
        waiting.labels(name).set(count)
    free = Gauge("hotline_disk_free_bytes", "Free space where recordings are kept", registry=registry)
    free.set(shutil.disk_usage(web.settings.home).free)
    up = Gauge("hotline_database_up", "Whether the database answers", registry=registry)
    calls = Gauge("hotline_calls", "Stored calls by outcome", ("outcome",), registry=registry)
    alarms = Gauge("hotline_alarms_open", "Alarms that nobody has ended", registry=registry)
    try:
        with web.db.read() as session:
            for outcome, count in counts(session).items():
                calls.labels(outcome).set(count)
            alarms.set(len(open_alarms(session)))
        up.set(1)
    except HotlineError:
        up.set(0)
    return registry


def _is_local(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
