"""Time: aware UTC inside, the hotline's zone outside. Use cases take `now`; only the outermost layer reads a clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, tzinfo


def utc_now() -> datetime:
    """The present, aware, UTC."""
    return datetime.now(UTC)


def from_ms(epoch_ms: int) -> datetime:
    """The moment `epoch_ms` milliseconds after 1970 in UTC."""
    return datetime.fromtimestamp(epoch_ms / 1000, UTC)


def to_ms(moment: datetime) -> int:
    """Milliseconds after 1970. Raises ValueError for a naive time."""
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return round(moment.timestamp() * 1000)


def local_day(moment: datetime, zone: tzinfo) -> date:
    """The calendar day of `moment` where the hotline is."""
    return moment.astimezone(zone).date()


def iso(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC with Z, as every JSON answer writes times."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
