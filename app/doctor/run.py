"""The whole examination, in an order in which a cause comes before its consequences."""

from __future__ import annotations

from collections.abc import Iterator

from app.doctor import data, machine, running, speech
from app.doctor.model import Finding, Level, broken
from app.settings import Settings

CHECKS = (
    machine.python_packages,
    machine.native_tools,
    machine.pages,
    machine.disk,
    machine.open_files,
    machine.secrets,
    machine.certificate,
    data.database,
    data.prompts,
    data.menu,
    data.documents,
    speech.speech,
    running.processes,
    running.asterisk,
    running.backend,
)


def examine(settings: Settings, *, with_call: bool = True) -> Iterator[Finding]:
    """Every finding as it is made. A check that fails in an unforeseen way is a finding too, and stops no other."""
    works = True
    for check in CHECKS:
        for finding in _guarded(check.__name__, check(settings)):
            if check in (running.asterisk, running.processes) and finding.level is Level.broken:
                works = False
            yield finding
    if not with_call:
        return
    if not works:
        yield broken("test call", "not placed: Asterisk does not run", "see above")
        return
    from app.doctor import testcall

    yield from _guarded("test call", testcall.place(settings))


def _guarded(name: str, findings: Iterator[Finding]) -> Iterator[Finding]:
    try:
        yield from findings
    except Exception as error:  # whatever it is, it is what the examination found
        yield broken(name.replace("_", " "), f"could not be examined: {type(error).__name__}: {error}", "report this")
