"""What a person is told when the hotline is up: where it is, how to get in, how to call it, how to stop it."""

from __future__ import annotations

import os
from pathlib import Path

from app.instance.prepare import Prepared
from app.settings import Settings
from app.speech.models import fault_of


def banner(settings: Settings, prepared: Prepared, seconds: float) -> str:
    """The text shown once all parts work."""
    demo = os.environ.get("HOTLINE_DEMO") == "1"
    sip = f"{settings.sip_host}:{settings.sip_port}"
    if prepared.admin_password:
        admin = f"{prepared.admin_name}   one-time password: {prepared.admin_password}"
    else:
        admin = f"{prepared.admin_name}   (its password has been changed)"
    pages = [("Pages", f"http://{settings.http_host}:{settings.http_port}/"), ("Administrator", admin)]
    rows = [
        *(pages if settings.core else [("This is", f"node {settings.node}; pages and queue are on another machine")]),
        ("Citizens call", f"sip:{settings.main_number}@{sip}   (from {', '.join(settings.trunk_addresses)})"),
        ("Fax", f"sip:{settings.fax_number}@{sip}"),
        *(("Speech", told_of(language, folder)) for language, folder in settings.speech_folders.items()),
        ("Agent's phone", ".venv/bin/hotline agent add NAME   prints what a SIP phone needs; or use the browser's"),
        *([] if demo else [("Watch it live", "make demo   simulated citizens and agents")]),
        ("Check it", "make doctor   places a test call"),
        ("Stop it", "Ctrl-C here, or make stop"),
        ("Files", str(settings.home)),
    ]
    line = "─" * 78
    body = "\n".join(f"  {name:<15}{text}" for name, text in rows)
    return f"\n{line}\n  12345 is up after {seconds:.1f} s\n\n{body}\n{line}"


def told_of(language: str, folder: Path) -> str:
    """Whether what is said in a language is written down."""
    if fault := fault_of(folder):
        return f"{language}: {fault}; calls go on, nothing is written down"
    return f"{language}: what is said is written down ({folder.name})"
