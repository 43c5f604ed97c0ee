"""The chain: every recording's link contains the one before, so nothing can be changed, removed or put in between.

Pure. A link is the SHA-256 of a canonical JSON text of the facts and the previous link.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

GENESIS = ""


@dataclass(frozen=True)
class Link:
    """What one link vouches for. `started_at` is ISO 8601 UTC; `path` is relative to the instance's home."""

    seq: int
    call_id: str
    segment: int
    agent_id: str | None
    started_at: str
    duration_ms: int
    path: str
    bytes: int
    sha256: str
    partial: str
    previous: str

    def digest(self) -> str:
        """The link itself."""
        text = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(text.encode("ascii")).hexdigest()

    def sidecar(self) -> str:
        """What lies beside the file, so that the chain can be checked without the database."""
        return json.dumps({**asdict(self), "chain": self.digest()}, sort_keys=True, indent=1, ensure_ascii=True) + "\n"


def moment(value: datetime) -> str:
    """A time as the chain writes it: the same text whichever database it comes from."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds")
