"""What runs: the supervisor and its processes, Asterisk, the backend's own opinion, or free ports if nothing runs."""

from __future__ import annotations

import time
from collections.abc import Iterator

from app.doctor.model import Finding, broken, ok, warning
from app.instance import ports, readiness
from app.settings import Settings
from app.supervisor import single
from app.supervisor.plan import manager_answers

RESTARTED_LATELY_S = 600.0


def processes(settings: Settings) -> Iterator[Finding]:
    """The supervisor runs and so do all its processes; or nothing runs and the ports are free."""
    run = settings.paths.run
    supervisor = single.running_supervisor(run)
    if supervisor is None:
        if left := single.leftovers(run):
            text = f"nobody watches over {', '.join(left)}: their supervisor was killed"
            yield broken("processes", text, "make run: it takes Asterisk with its calls over")
            return
        yield broken("processes", "no hotline is running here", "make run")
        for conflict in ports.conflicts(settings):
            yield broken("ports", conflict, "stop that program, or set the port as shown")
        return
    known = single.status(run).get("processes", {})
    for name, item in known.items():
        since = time.time() - (item.get("started_at") or 0)
        if item.get("state") != "running":
            text = f"{name} is {item.get('state')}: {item.get('last_reason')}"
            yield broken("processes", text, f"see {settings.paths.logs / name}.log")
        elif item.get("restarts") and since < RESTARTED_LATELY_S:
            text = f"{name} was started again {since:.0f} s ago: {item.get('last_reason')}"
            yield warning("processes", text, f"see {settings.paths.logs / name}.log")
    if known and all(item.get("state") == "running" for item in known.values()):
        yield ok("processes", f"{', '.join(known)} under supervisor {supervisor.pid}")


def asterisk(settings: Settings) -> Iterator[Finding]:
    """Asterisk's manager line answers and takes our password."""
    from app.doctor.manager import Manager, ManagerError

    if not manager_answers(settings.ami_host, settings.ami_port):
        where = f"{settings.ami_host}:{settings.ami_port}"
        yield broken("asterisk", f"does not answer on its manager line ({where})", f"see {settings.paths.asterisk}/log")
        return
    try:
        with Manager(settings) as manager:
            channels = manager.request("CoreStatus").get("CoreCurrentCalls", "?")
    except ManagerError as error:
        yield broken("asterisk", str(error), "make stop, then make run: the configuration is written anew")
        return
    yield ok("asterisk", f"answers; {channels} calls at this moment")


def backend(settings: Settings) -> Iterator[Finding]:
    """Voice scripts and pages answer, and no part of the backend complains."""
    log = f"see {settings.paths.logs}"
    if readiness.accepts(settings.agi_host, settings.agi_port):
        yield ok("voice", f"scripts answer on {settings.agi_host}:{settings.agi_port}")
    else:
        yield broken("voice", "the voice scripts do not answer: callers hear the failsafe", f"{log}/voice.log")
    health = readiness.healthz(settings)
    if not health:
        yield broken("backend", "does not answer: no pages, and calls are queued by Asterisk alone", f"{log}/core.log")
    elif unwell := readiness.unwell(health):
        yield broken("backend", "; ".join(unwell), f"{log}/core.log")
    else:
        yield ok("backend", f"pages at http://{settings.http_host}:{settings.http_port}/, all parts well")
