"""Every route of the pages, and of nothing else: what the telephone needs must not wait for this module.

It is a third of what a core imports, so a core that is started anew reads it when calls are looked after again (see
`compose.py`); whoever asks for a page's data meanwhile waits for it.
"""

from __future__ import annotations

from starlette.routing import BaseRoute

from app.agents.routes import router as agents
from app.alerts.routes import router as alerts
from app.announcements.routes import router as announcements
from app.assignments.case_routes import kept as recusals
from app.assignments.case_routes import lists as boards
from app.assignments.case_routes import router as case_loop
from app.assignments.extension_routes import office as extensions
from app.assignments.extension_routes import router as asking_more_time
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
from app.faxes.routes import router as faxes
from app.flows.routes import router as flows
from app.hours.routes import router as hours
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
from app.staffing.routes import router as staffing
from app.understanding.routes import router as understanding
from app.units.routes import router as units
from app.voicemails.routes import router as voicemails
from app.workdays.routes import router as workdays
from recordings.routes import router as recordings
from recordings.talk_routes import router as talk

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


ROUTES: tuple[BaseRoute, ...] = tuple(route for router in ROUTERS for route in router.routes)
"""Every route as its router made it. A router that is included makes each of its routes once more, at the first request
and on the event loop: calls waited a second for that."""
