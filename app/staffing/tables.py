"""Who was at the telephones, by half-hour."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel

from app.db import UTCDateTime


class StaffedSlot(SQLModel, table=True):
    """One half-hour as one life of the core has seen it (`app.staffing.presence`); a restart adds another row.

    `watched_s` is how much of it was seen, the others are seconds of all agents together in a state.
    """

    __tablename__ = "staffed_slot"

    began_at: datetime = Field(sa_type=UTCDateTime, primary_key=True)
    life: str = Field(primary_key=True, max_length=24)
    watched_s: float
    ready_s: float
    offered_s: float
    talking_s: float
    wrap_up_s: float
    not_ready_s: float
