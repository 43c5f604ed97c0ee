"""How often somebody may try to sign in, or to guess a code. Counted in the database, so a restart forgets nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import delete, func, select
from sqlmodel import Session, col

from app.auth.tables import LoginAttempt
from app.errors import TooMany

WINDOW = timedelta(minutes=15)
KEEP = timedelta(days=1)


class Door(StrEnum):
    """What is tried. Every door counts for itself: whoever guesses at one keeps nobody from another.

    A mark begins with a blank, as no name that was typed at the sign-in does.
    """

    login = ""  # a name and a password
    progress = " progress:"  # a case's number and its code, which anybody may try


@dataclass(frozen=True)
class Limit:
    """At most `tries` failures in the window for the same name and/or address."""

    by_name: bool
    by_address: bool
    tries: int


# One guesser at one place is stopped soon; a name under attack from many places later, so that a stranger can't
# easily lock an agent out; an office behind one address may mistype a lot.
LIMITS = (
    Limit(by_name=True, by_address=True, tries=5),
    Limit(by_name=True, by_address=False, tries=30),
    Limit(by_name=False, by_address=True, tries=60),
)


def begin_attempt(session: Session, name: str, address: str, now: datetime, door: Door = Door.login) -> LoginAttempt:
    """Note one try, as failed until `succeeded` is set. Raises TooMany with the seconds to wait.

    The note is stored before the password is looked at, so tries sent in parallel count each other. `name` is what is
    tried: an account, or the number of a case.
    """
    name, address = f"{door}{name}"[:64], f"{door}{address}"[:64]
    for limit in LIMITS:
        failures = select(func.count(), func.min(LoginAttempt.at)).where(
            col(LoginAttempt.at) > now - WINDOW, col(LoginAttempt.succeeded).is_(False)
        )
        if limit.by_name:
            failures = failures.where(col(LoginAttempt.name) == name)
        if limit.by_address:
            failures = failures.where(col(LoginAttempt.address) == address)
        count, _ = session.execute(failures).one()
        if count >= limit.tries:
            raise TooMany(retry_after=_wait(session, limit, name, address, now))
    session.execute(delete(LoginAttempt).where(col(LoginAttempt.at) < now - KEEP))
    attempt = LoginAttempt(at=now, name=name, address=address)
    session.add(attempt)
    session.flush()
    return attempt


def _wait(session: Session, limit: Limit, name: str, address: str, now: datetime) -> int:
    """Seconds until so many failures have left the window that one more try counts."""
    ages = select(col(LoginAttempt.at)).where(
        col(LoginAttempt.at) > now - WINDOW, col(LoginAttempt.succeeded).is_(False)
    )
    if limit.by_name:
        ages = ages.where(col(LoginAttempt.name) == name)
    if limit.by_address:
        ages = ages.where(col(LoginAttempt.address) == address)
    latest: list[datetime] = list(
        session.execute(ages.order_by(col(LoginAttempt.at).desc()).limit(limit.tries)).scalars()
    )
    return max(1, round((latest[-1] + WINDOW - now).total_seconds()))
