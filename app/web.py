"""The web application: REST under /api, health and metrics, and the pages for everything else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog
from fastapi import APIRouter, FastAPI

from app.agents.routes import router as agents
from app.alarms.service import clear_alarm, raise_alarm
from app.alerts.routes import router as alerts
from app.announcements.routes import router as announcements
from app.assignments.case_routes import kept as recusals
from app.assignments.case_routes import lists as boards
from app.assignments.case_routes import router as case_loop
from app.assignments.extension_routes import office as extensions
from app.assignments.extension_routes import router as asking_more_time
from app.assignments.inbox import open_work
from app.assignments.routes import router as assignments
from app.audit.routes import router as audit
from app.auth.routes import router as auth
from app.batches.routes import router as batches
from app.callbacks.routes import router as callbacks
from app.calls.routes import router as calls
from app.campaigns.routes import router as campaigns
from app.cases.exchange_routes import router as case_tables
from app.cases.routes import router as cases
from app.certificates.routes import router as certificates
from app.chasing.routes import orders as supervision
from app.chasing.routes import router as chases
from app.chasing.routes import urgent as urgent_matters
from app.citizens.routes import router as citizens
from app.clocks.routes import router as clocks
from app.consents.routes import router as consents
from app.db import Database
from app.faxes.routes import router as faxes
from app.flows.routes import router as flows
from app.hours.routes import router as hours
from app.http import errors
from app.http.context import Web
from app.http.explain import from_journal
from app.http.guard import Figures, Guard
from app.http.health import router as health
from app.http.schema import ERRORS
from app.knowledge.routes import router as knowledge
from app.letters.routes import of_cases as receipts
from app.letters.routes import router as letters
from app.machines.routes import router as machines
from app.measures.loop_routes import router as loop_measures
from app.measures.routes import router as measures
from app.notices.routes import router as notices
from app.nuisance.routes import router as nuisance
from app.number_audits.register_routes import router as published_numbers
from app.number_audits.routes import router as number_audits
from app.phrases.routes import router as phrases
from app.places.routes import router as places
from app.progress.routes import router as progress
from app.prompting import speak as speak_text
from app.prompting import voices
from app.pushes.routes import router as pushes
from app.quality.edition_routes import router as quality_editions
from app.quality.finding_routes import router as quality_findings
from app.quality.list_routes import router as quality_lists
from app.quality.quarter_routes import router as quarters
from app.quality.routes import router as quality
from app.queues.routes import router as queues
from app.reply_templates.routes import offers as template_offers
from app.reply_templates.routes import router as reply_templates
from app.roster.routes import router as roster
from app.settings import Settings
from app.staffing.routes import router as staffing
from app.understanding.routes import router as understanding
from app.units.routes import router as units
from app.voicemails.routes import router as voicemails
from app.workdays.routes import router as workdays
from recordings.routes import router as recordings
from recordings.store import Store
from recordings.talk_routes import router as talk

log = structlog.get_logger(__name__)

ROUTERS = (
    letters,
    notices, chases, supervision, urgent_matters, asking_more_time, extensions, loop_measures,
    auth, agents, citizens, calls, cases, recordings, voicemails, faxes, callbacks, announcements, hours, measures,
    nuisance, queues, workdays, clocks, units, knowledge, audit, case_loop, boards, recusals, assignments, roster,
    case_tables, batches, places, machines, pushes, certificates, talk, quality, quarters,
    alerts, staffing, quality_lists, quality_editions,
    progress, receipts, reply_templates, template_offers,
    campaigns, consents,
    published_numbers, number_audits,
    phrases, quality_findings, understanding,
    flows,
)  # fmt: skip


def _ours() -> APIRouter:
    """Every route of ours. What a route asks and answers is worked out at its first request; all applications of a
    process share it, for that takes as long as fifty requests."""
    together = APIRouter()
    for router in ROUTERS:
        together.include_router(router, responses=ERRORS)
    together.include_router(health)
    return together


OURS = _ours()


def create_app(
    settings: Settings,
    db: Database,
    *,
    realtime: Any = None,
    phones_changed: Callable[[], None] | None = None,
    explain: Callable[[str, str], list[str]] | None = None,
    speak: Callable[[str, str], Path] | None = None,
) -> FastAPI:
    """The application of one instance.

    `realtime` is asked for health, telephones and reasons (its own router is included by the caller).
    `phones_changed` runs after agents changed; by default it has Asterisk read the new telephone accounts. `speak` is
    the instance's own voice unless a test has another.
    """
    app = FastAPI(
        title="12345 Hotline",
        version="0.1.0",
        openapi_url="/api/openapi.json",
        docs_url=None,  # their pages load scripts from elsewhere; any client generator reads the JSON
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.web = Web(
        settings=settings,
        db=db,
        store=Store(settings, db),
        phones_changed=phones_changed or _publisher(settings, db),
        explain=explain or getattr(realtime, "explain", None) or from_journal(settings),
        speak=speak or (lambda text, language: speak_text(settings, text, language)),
        realtime=realtime,
        voices=lambda: voices(settings),
        unit_work=(open_work,),
    )
    app.state.figures = Figures()
    app.add_middleware(Guard, settings=settings, figures=app.state.figures)
    errors.install(app)
    app.router.routes.extend(OURS.routes)
    _include_demo(app, settings)
    return app


def _publisher(settings: Settings, db: Database) -> Callable[[], None]:
    def publish() -> None:
        from app.phones import publish as publish_phones

        try:
            publish_phones(settings, db)
        except Exception as error:  # the agent is stored; the telephone follows when Asterisk can be told
            log.exception("telephone accounts could not be written")
            raise_alarm(db, "phones_not_published", {"problem": type(error).__name__})
        else:
            clear_alarm(db, "phones_not_published")

    return publish


def _include_demo(app: FastAPI, settings: Settings) -> None:
    from app.demo import routes

    if routes.wanted():
        app.include_router(routes.router(settings))
