"""Reading certificates: the files, and what is really shown at the port of secure WebSocket."""

from __future__ import annotations

import socket
import ssl
from datetime import datetime
from pathlib import Path

from app.alarms.service import clear_alarm, open_subjects, raise_alarm
from app.certificates.model import Judged, Kind, Seen, judge
from app.clock import iso
from app.db import Database
from app.settings import Settings

ALARM = "certificate_ends"
PATIENCE_S = 2.0


def files(settings: Settings) -> list[tuple[Path, Kind]]:
    """The certificates that are looked after: the telephone lines' (once there is one), and those of the settings."""
    own, made = settings.home / "tls/hotline.crt", settings.paths.asterisk / "lib/tls/hotline.crt"
    mine = [(own, Kind.own)] if own.exists() else [(made, Kind.made)] if made.exists() else []
    return [*mine, *((Path(one).expanduser(), Kind.other) for one in settings.certificates)]


def look(settings: Settings) -> list[Seen]:
    """Every certificate as it is now. Waits PATIENCE_S at most for the port, and for nothing else."""
    found = []
    for file, kind in files(settings):
        try:
            ends = end_of(file.read_bytes())
        except (OSError, ValueError) as error:
            found.append(Seen(file, kind, None, type(error).__name__))
            continue
        served = None if kind is Kind.other else served_end(settings.sip_host, settings.wss_port)
        found.append(Seen(file, kind, ends, served_ends=served if served != ends else None))
    return found


def end_of(pem: bytes) -> datetime:
    """When the first certificate in a PEM file ends. Raises ValueError."""
    from cryptography import x509

    return x509.load_pem_x509_certificate(pem).not_valid_after_utc


def served_end(host: str, port: int) -> datetime | None:
    """When the certificate ends that is shown there; None while nobody answers. It need not be one that is trusted."""
    from cryptography import x509

    anything = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anything.check_hostname, anything.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection((host, port), timeout=PATIENCE_S) as line,
            anything.wrap_socket(line, server_hostname=host) as tls,
        ):
            shown = tls.getpeercert(binary_form=True)
        return x509.load_der_x509_certificate(shown).not_valid_after_utc if shown else None
    except (OSError, ValueError):
        return None


def watch(db: Database, settings: Settings, now: datetime) -> int:
    """Raise an alarm at each threshold, clear what is settled; how many certificates need somebody."""
    judged = [judge(one, now) for one in look(settings)]
    wanted = {_subject(one): one for one in judged if one.stage is not None}
    for subject in open_subjects_of(db) - wanted.keys():
        clear_alarm(db, ALARM, subject=subject, now=now)
    for subject, one in wanted.items():
        detail = {"file": one.seen.subject, "state": one.code, "ends_at": iso(one.ends), "days": one.stage}
        raise_alarm(db, ALARM, detail, subject=subject, now=now)
    return len(wanted)


def open_subjects_of(db: Database) -> set[str]:
    """What alarms about certificates are open about."""
    with db.read() as session:
        return open_subjects(session, ALARM)


def _subject(one: Judged) -> str:
    """Another threshold is another alarm: what was seen and put off is told anew."""
    return f"{one.stage}:{one.seen.subject}"[:60]
