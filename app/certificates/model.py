"""How long a certificate still holds, and what is to be done about it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

WARN_DAYS = (30, 7, 1)


class Kind(StrEnum):
    """Whose certificate it is, and so who must bring another."""

    own = "own"  # the operator's own, for telephone lines and wss
    made = "made"  # self-signed, made by the hotline itself
    other = "other"  # of something before the hotline, such as a reverse proxy (setting `certificates`)


@dataclass(frozen=True)
class Seen:
    """A certificate as it was read. `ends` None: it could not be, and `fault` says why.

    `served_ends`: of the one that is really shown to phones and browsers, where that is another one than the file's: it
    was exchanged, and whatever shows it has not been told.
    """

    file: Path
    kind: Kind
    ends: datetime | None
    fault: str = ""
    served_ends: datetime | None = None

    @property
    def subject(self) -> str:
        """What an alarm about it is called."""
        return self.file.name if self.kind is not Kind.other else str(self.file)[-60:]


@dataclass(frozen=True)
class Judged:
    """What is to be said. `stage`: within so many days (30, 7, 1), 0 after the end; None while all is well.

    `code`: ok, ends, lapsed, unreadable, stale (another is shown than lies in the file).
    """

    seen: Seen
    code: str
    stage: int | None
    ends: datetime | None

    @property
    def text(self) -> str:
        """In English, for the command line."""
        file, ends = self.seen.file, self.ends.astimezone(UTC).strftime("%Y-%m-%d") if self.ends else ""
        if self.code == "unreadable":
            return f"{file} can't be read: {self.seen.fault}"
        if self.code == "lapsed":
            return f"{file} lapsed on {ends}: TLS phones and browsers refuse it"
        if self.code == "stale":
            return f"{file} was exchanged, but the one that is shown to phones and browsers ends on {ends}"
        if self.code == "ends":
            return f"{file} ends on {ends}: within {self.stage} {'day' if self.stage == 1 else 'days'}"
        return f"valid until {ends}"

    @property
    def remedy(self) -> str:
        """What to do, in English; "" while all is well."""
        file = self.seen.file
        if self.code == "ok":
            return ""
        if self.code == "unreadable":
            return f"put a PEM certificate there, or remove {file}"
        if self.code == "stale":
            return "restart the hotline (make stop, make run): Asterisk reads its certificate at the start"
        if self.seen.kind is Kind.made:
            return "restart the hotline (make stop, make run): it makes another one in the last 30 days"
        if self.seen.kind is Kind.other:
            return f"put a new certificate where {file} is and reload what shows it"
        return f"put a new certificate and key where {file} is (a self-signed one is made if you remove it) and restart"


def judge(seen: Seen, now: datetime) -> Judged:
    """Warns 30, 7 and 1 days before the end of what is shown, and after it."""
    if seen.ends is None:
        return Judged(seen, "unreadable", 0, None)
    ends = min(seen.ends, seen.served_ends) if seen.served_ends else seen.ends
    left = ends - now
    reached = [days for days in WARN_DAYS if left <= timedelta(days=days)]
    if left <= timedelta():
        stage: int | None = 0
    else:
        stage = min(reached) if reached else None
    if stage is None:
        return Judged(seen, "ok", None, ends)
    if seen.served_ends is not None and seen.served_ends < seen.ends and seen.ends - now > timedelta(days=WARN_DAYS[0]):
        return Judged(seen, "stale", stage, ends)
    return Judged(seen, "lapsed" if stage == 0 else "ends", stage, ends)
