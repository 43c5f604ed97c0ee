"""Every page that the router knows, and where to look at it. One that is missing fails test_everyone_can_use_it.py."""

from __future__ import annotations

PLAYED = {
    "/agent": "/agent",
    "/wallboard": "/wallboard",
    "/cases": "/cases",
    "/cases/:id": "/cases/3",
    "/calls": "/calls",
    "/calls/:id": "/calls/hotline1-1795.1",
    "/voicemails": "/voicemails",
    "/faxes": "/faxes",
    "/callbacks": "/callbacks",
    "/announcements": "/announcements",
    "/knowledge/search": "/knowledge/search",
    "/knowledge/gaps": "/knowledge/gaps",
    "/knowledge/new": "/knowledge/new",
    "/knowledge/articles/:id": "/knowledge/articles/2",
    "/knowledge/articles/:id/edit": "/knowledge/articles/2/edit",
    "/knowledge/own": "/knowledge/own",
    "/knowledge/units": "/knowledge/units",
    "/knowledge/vet": "/knowledge/vet",
    "/knowledge/review": "/knowledge/review",
    "/knowledge/due": "/knowledge/due",
    "/knowledge/drafts": "/knowledge/drafts",
    "/knowledge/published": "/knowledge/published",
    "/knowledge/withdrawn": "/knowledge/withdrawn",
    "/rules/queues": "/rules/queues",
    "/rules/nuisance": "/rules/nuisance",
    "/rules/workdays": "/rules/workdays",
    "/rules/clocks": "/rules/clocks",
    "/admin/agents": "/admin/agents",
    "/admin/users": "/admin/users",
    "/admin/audit": "/admin/audit",
    "/room": "/room",
    "/room/alerts": "/room/alerts",
    "/room/rules": "/room/rules",
    "/room/figures": "/room/figures",
    "/room/staffing": "/room/staffing",
    "/demo": "/demo",
    "/password": "/password",
    "/:rest(.*)*": "/no/such/page",
}
"""Pages on the fake backend: the router's address, and one of them to look at."""
LIVED = {
    "/cases/import": "/cases/import",
    "/boards/dispatch": "/boards/dispatch",
    "/boards/returns": "/boards/returns",
    "/boards/under_way": "/boards/under_way",
    "/boards/review": "/boards/review",
    "/boards/proposals": "/boards/proposals",
    "/boards/deferred": "/boards/deferred",
    "/follow-up/:id?": "/follow-up",
    "/notices": "/notices",
    "/chases/drafts": "/chases/drafts",
    "/chases/first": "/chases/first",
    "/chases/second": "/chases/second",
    "/chases/reprimand": "/chases/reprimand",
    "/chases/exposure": "/chases/exposure",
    "/chases/order": "/chases/order",
    "/chases/units": "/chases/units",
    "/extensions": "/extensions",
    "/urgent": "/urgent",
    "/roster": "/roster",
    "/recordings/search": "/recordings/search",
    "/quality/mine": "/quality/mine",
    "/quality/own": "/quality/own",
    "/quality/appeals": "/quality/appeals",
    "/quality/all": "/quality/all",
    "/quality/quarters": "/quality/quarters",
    "/number-audits/rounds": "/number-audits/rounds",
    "/number-audits/register": "/number-audits/register",
    "/admin/systems": "/admin/systems",
    "/admin/pushes": "/admin/pushes",
    "/admin/state": "/admin/state",
    "/units/:id?": "/units",
}
"""Pages on the real backend: nobody would believe a fake that plays twenty states."""
OF_UNITS = {
    "/work/:box": "/work/to_sign",
    "/work/assignments/:id": "/work/assignments/1",
    "/number-audits/own": "/number-audits/own",
}
"""The same, for people of units."""
SIGNED_OUT = {"/login"}
"""Pages for whoever has not signed in."""
BY_THEIR_TESTS = {
    "/quality/reviews/:id": "test_quality.py",
    "/number-audits/rounds/:id": "test_number_audits.py",
    "/number-audits/numbers/:id": "test_number_audits.py",
}
"""Pages that are looked at where their story is told: there is none without a talk that was had."""
