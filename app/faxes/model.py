"""What becomes of a fax."""

from __future__ import annotations

from enum import StrEnum


class FaxStatus(StrEnum):
    """`partial`: some pages, not all. `failed`: nothing that can be read."""

    complete = "complete"
    partial = "partial"
    failed = "failed"
